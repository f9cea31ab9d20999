//! Recent traffic, as observations tell of it.

use azeotrope_engine::observation::Event;
use azeotrope_engine::time::{DAY, Timestamp};
use std::collections::VecDeque;
use std::sync::Arc;

/// Age beyond which traffic is not recent, in milliseconds.
const OLDEST: u64 = DAY;

/// The latest observations; a copy shares them.
#[derive(Clone, Debug)]
pub(crate) struct Recent {
    pub(super) events: VecDeque<(Timestamp, Arc<Event>)>,
    most: usize,
    seen: u64,
}

impl Recent {
    /// At most so many.
    pub(crate) fn new(most: usize) -> Self {
        Self { events: VecDeque::new(), most, seen: 0 }
    }

    /// How many there were in all.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// Adds one; what is too old or too much goes.
    pub(crate) fn push(&mut self, now: Timestamp, event: &Event) {
        self.seen += 1;
        self.events.push_back((now, Arc::new(event.clone())));
        while self.events.len() > self.most || self.events.front().is_some_and(|(at, _)| now.since(*at) > OLDEST) {
            self.events.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azeotrope_engine::caller::Caller;

    #[test]
    fn what_is_recent_is_bounded_in_number_and_age() {
        let mut recent = Recent::new(3);
        let event = Event::Given { caller: Caller::default(), blobs: vec![1] };
        (0..10).for_each(|n| recent.push(Timestamp(n), &event));
        assert_eq!(recent.events.len(), 3);
        recent.push(Timestamp(OLDEST + 100), &event);
        assert_eq!(recent.events.len(), 1);
    }
}
