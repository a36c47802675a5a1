//! Connections that have not asked for an association yet: a bounded number, and when it is
//! reached whoever has kept silent longest makes room.
//!
//! A real peer asks as soon as it is connected, so it is never the oldest for long; who opens
//! connections only to hold them pushes out its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Weak;

use tokio_util::sync::CancellationToken;

/// Held by a connection until it has asked; cancelled when it has to make room.
#[derive(Debug, Clone)]
pub(in crate::dimse) struct Waiting(Arc<CancellationToken>);

impl Waiting {
    /// Returns when this connection has waited too long while others came.
    pub(in crate::dimse) async fn pushed_out(&self) {
        self.0.cancelled().await;
    }
}

/// All that wait, oldest first.
#[derive(Debug)]
pub(in crate::dimse) struct WaitingRoom {
    most: usize,
    waiting: VecDeque<Weak<CancellationToken>>,
}

impl WaitingRoom {
    /// A room for so many.
    pub(in crate::dimse) fn new(most: usize) -> Self {
        Self { most, waiting: VecDeque::with_capacity(most) }
    }

    /// Lets one in, and where there are too many, pushes the oldest out.
    pub(in crate::dimse) fn enter(&mut self) -> Waiting {
        if self.waiting.len() >= self.most {
            self.waiting.retain(|waiting| waiting.strong_count() > 0);
        }
        if self.waiting.len() >= self.most
            && let Some(oldest) = self.waiting.pop_front().and_then(|oldest| oldest.upgrade())
        {
            oldest.cancel();
        }
        let waiting = Arc::new(CancellationToken::new());
        self.waiting.push_back(Arc::downgrade(&waiting));
        Waiting(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::WaitingRoom;

    #[test]
    fn the_oldest_that_still_waits_makes_room() {
        let mut room = WaitingRoom::new(2);
        let (first, second) = (room.enter(), room.enter());
        // The first has asked: it waits no more, so nobody is pushed out for the third.
        drop(first);
        let third = room.enter();
        assert!(!second.0.is_cancelled());
        let fourth = room.enter();
        assert!(second.0.is_cancelled());
        assert!(!third.0.is_cancelled() && !fourth.0.is_cancelled());
    }
}
