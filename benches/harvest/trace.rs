//! Traffic: who asks for what, and when. Drawn from a seed, the same in every run.

use std::time::Duration;

/// How long a request may wait for quota.
pub const MAX_WAIT: Duration = Duration::from_mins(1);

/// A kind of request. Sizes are fixed, so that the bound over them is exact.
#[derive(Debug, Clone, Copy)]
pub struct Class {
    pub prompt: u64,
    pub answer: u64,
    pub model_type: Option<&'static str>,
    pub scale: Option<&'static str>,
    /// Of a hundred requests.
    pub share: u64,
}

pub const CLASSES: [Class; 7] = [
    Class { prompt: 60, answer: 80, model_type: None, scale: None, share: 40 },
    Class { prompt: 400, answer: 250, model_type: None, scale: None, share: 25 },
    Class { prompt: 1_500, answer: 400, model_type: None, scale: None, share: 10 },
    Class { prompt: 7_000, answer: 400, model_type: None, scale: None, share: 6 },
    Class { prompt: 40_000, answer: 600, model_type: None, scale: None, share: 2 },
    Class { prompt: 1_200, answer: 500, model_type: Some("coding"), scale: None, share: 9 },
    Class { prompt: 300, answer: 300, model_type: None, scale: Some("large"), share: 8 },
];

/// What is asked over a stretch of time.
#[derive(Debug, Clone)]
pub struct Trace {
    pub length: Duration,
    pub traffic: Traffic,
}

#[derive(Debug, Clone)]
pub enum Traffic {
    /// Each request at its time, whatever became of those before: seconds from the start, and a class.
    Open(Vec<(f64, usize)>),
    /// So many clients ask for one class, and again as soon as they have an answer.
    Closed { clients: usize, class: usize },
}

impl Trace {
    /// `rate` requests a minute on average, three times as many at the busiest hour as at the quietest.
    pub fn open(hours: u32, rate: u32, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let end = f64::from(hours) * 3_600.0;
        let (mut at, mut requests) = (0.0, Vec::new());
        loop {
            let day = std::f64::consts::TAU * at / 86_400.0;
            let per_second = f64::from(rate) / 60.0 * (1.0 - 0.5 * day.cos());
            at += -(1.0 - random.f64()).ln() / per_second;
            if at >= end {
                return Self { length: Duration::from_secs_f64(end), traffic: Traffic::Open(requests) };
            }
            requests.push((at, draw(&mut random)));
        }
    }

    /// Short requests, as fast as they are answered.
    pub fn closed(hours: u32, clients: usize) -> Self {
        Self { length: Duration::from_hours(u64::from(hours)), traffic: Traffic::Closed { clients, class: 0 } }
    }

    /// How many requests there are; unbounded in a closed loop.
    pub fn asked(&self) -> String {
        match &self.traffic {
            Traffic::Open(requests) => requests.len().to_string(),
            Traffic::Closed { clients, .. } => format!("as many as {clients} clients can send"),
        }
    }
}

fn draw(random: &mut fastrand::Rng) -> usize {
    let mut left = random.u64(..CLASSES.iter().map(|class| class.share).sum::<u64>());
    for (index, class) in CLASSES.iter().enumerate() {
        match left.checked_sub(class.share) {
            Some(rest) => left = rest,
            None => return index,
        }
    }
    unreachable!("the shares are what the number was drawn from")
}
