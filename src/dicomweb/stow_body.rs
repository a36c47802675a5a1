//! STOW-RS: the body of a request as it comes in, with a bound on its silence.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;

use crate::dicomweb::stow_answer::{CANNOT_UNDERSTAND, Failure};
use crate::http::pace::{Pace, Paced};

/// How fast a body must come.
const PACE: Pace = Pace { window: Duration::from_secs(60), least: 64 * 1024 };

/// How much of a refused body is read, and for how long.
const DISCARDED_MOST: usize = 64 * 1024 * 1024;
const DISCARDING_MOST: Duration = Duration::from_secs(5);

/// A body that comes in.
#[derive(Debug)]
pub struct Incoming {
    paced: Paced,
    /// What was looked at and not yet taken.
    seen: Option<Result<Option<Bytes>, Failure>>,
}

impl Incoming {
    /// That body, from its beginning.
    pub fn new(body: Body) -> Self {
        Self { paced: Paced::new(body, PACE), seen: None }
    }

    /// The next bytes, `None` at the end, or why there are none.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        if let Some(seen) = self.seen.take() {
            return seen;
        }
        let next = self.paced.next().await;
        next.map_err(|broken| Failure { reason: CANNOT_UNDERSTAND, comment: broken.to_string() })
    }

    /// Whether its first bytes are these, as far as they come together.
    pub async fn begins_with(&mut self, magic: &[u8]) -> bool {
        let first = self.next().await;
        let found = matches!(&first, Ok(Some(bytes)) if bytes.starts_with(magic));
        self.seen = Some(first);
        found
    }

    /// Reads what is left of a body that is refused, up to a bound: a client that is still sending
    /// when its connection closes hears of a broken pipe, and never the reason.
    pub async fn discard(&mut self) {
        // Whoever sends on for longer is cut off.
        let _ = tokio::time::timeout(DISCARDING_MOST, self.paced.discard(DISCARDED_MOST)).await;
    }
}
