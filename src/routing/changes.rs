//! Which of many things changed of late, for whoever remembers how far it has read.

/// The latest changes, in their order: about as many as there are things, for of more it is no longer worth telling which.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// All there ever were.
    count: u64,
    /// The things that changed, each at the remainder of its number.
    latest: Vec<u32>,
}

impl Changes {
    /// Of so many things.
    pub fn of(things: usize) -> Self {
        Self { count: 0, latest: vec![0; things.max(1)] }
    }

    pub fn note(&mut self, thing: usize) {
        let place = self.place(self.count);
        self.latest[place] = u32::try_from(thing).expect("there are not so many");
        self.count += 1;
    }

    /// How many there were.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// What changed after the first `seen` changes; `None` where that is not known any more, and anything may have.
    pub fn since(&self, seen: u64) -> Option<impl Iterator<Item = usize>> {
        let missed = self.count.checked_sub(seen)?;
        let is_known = missed <= self.latest.len() as u64;
        is_known.then(|| (seen..self.count).map(|number| self.latest[self.place(number)] as usize))
    }

    fn place(&self, number: u64) -> usize {
        usize::try_from(number % self.latest.len() as u64).expect("it is less than a length")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_often_enough_is_told_all_and_others_that_they_missed_some() {
        let mut changes = Changes::of(3);
        let told = |changes: &Changes, seen| changes.since(seen).map(Iterator::collect::<Vec<_>>);
        assert_eq!(told(&changes, 0), Some(vec![]));
        for thing in [2, 2, 0, 1] {
            changes.note(thing);
        }
        assert_eq!((told(&changes, 4), told(&changes, 3)), (Some(vec![]), Some(vec![1])));
        assert_eq!((told(&changes, 1), told(&changes, 0)), (Some(vec![2, 0, 1]), None));
        assert_eq!(told(&changes, 5), None, "of other things");
    }
}
