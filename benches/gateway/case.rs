//! One case of the bench: the same load on the bare proxy and on relay, alternately, and the medians of the rounds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::client::Prepared;
use super::load::{self, Load, Ran};
use super::upstream::Upstream;
use super::{bare, gateway, proc};

/// What is measured.
pub struct Case {
    pub name: &'static str,
    pub request: Arc<Prepared>,
    pub load: Load,
    /// Between two chunks of a stream.
    pub pause: Duration,
    pub gateway: SocketAddr,
}

/// The bare proxy's figures and relay's.
pub struct Compared {
    pub bare: Figures,
    pub relay: Figures,
}

/// Times in microseconds.
#[derive(Clone, Copy)]
pub struct Figures {
    pub per_second: f64,
    pub p50: f64,
    pub p99: f64,
    /// CPU time of the server's threads, by request.
    pub cpu: f64,
}

impl Case {
    /// Runs the case `rounds` times on either server.
    pub async fn compare(&self, upstream: &Upstream, bare: SocketAddr, rounds: usize) -> Compared {
        upstream.set_pause(self.pause);
        let warm_up = Load { requests: self.load.connections, per_second: None, ..self.load };
        load::run(warm_up, bare, &self.request).await;
        load::run(warm_up, self.gateway, &self.request).await;
        let (mut bares, mut relays) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            bares.push(self.measure(upstream, bare, bare::NAME).await);
            relays.push(self.measure(upstream, self.gateway, gateway::NAME).await);
        }
        Compared { bare: Figures::medians(&bares), relay: Figures::medians(&relays) }
    }

    async fn measure(&self, upstream: &Upstream, server: SocketAddr, thread: &str) -> Figures {
        let (requests, cpu) = (upstream.requests(), proc::cpu_of_threads(thread));
        let ran = load::run(self.load, server, &self.request).await;
        let cpu = proc::cpu_of_threads(thread).saturating_sub(cpu);
        let requests = upstream.requests() - requests;
        assert_eq!(requests, self.load.requests as u64, "each request must reach the upstream once");
        Figures::of(ran, cpu)
    }
}

impl Figures {
    fn of(mut ran: Ran, cpu: Duration) -> Self {
        ran.times.sort_unstable();
        #[expect(clippy::cast_precision_loss, reason = "a run has few requests")]
        let count = ran.times.len() as f64;
        Self {
            per_second: count / ran.elapsed.as_secs_f64(),
            p50: micros(ran.times[ran.times.len() / 2]),
            p99: micros(ran.times[ran.times.len() * 99 / 100]),
            cpu: micros(cpu) / count,
        }
    }

    fn medians(rounds: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(rounds.iter().map(figure).collect());
        Self {
            per_second: of(|round| round.per_second),
            p50: of(|round| round.p50),
            p99: of(|round| round.p99),
            cpu: of(|round| round.cpu),
        }
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The middle one; of an even count the upper one of both.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}
