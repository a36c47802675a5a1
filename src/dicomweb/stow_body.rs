//! STOW-RS: the body of a request as it comes in, with a bound on its silence.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures::StreamExt;

use crate::dicomweb::stow_answer::{CANNOT_UNDERSTAND, Failure};

/// How long a client may be silent inside its body.
const SILENT_MOST: Duration = Duration::from_secs(60);

/// How much of a refused body is read, and for how long.
const DISCARDED_MOST: usize = 64 * 1024 * 1024;
const DISCARDING_MOST: Duration = Duration::from_secs(5);

/// A body that comes in.
#[derive(Debug)]
pub struct Incoming {
    stream: BodyDataStream,
    /// What was looked at and not yet taken.
    seen: Option<Result<Option<Bytes>, Failure>>,
}

impl Incoming {
    /// That body, from its beginning.
    pub fn new(body: Body) -> Self {
        Self { stream: body.into_data_stream(), seen: None }
    }

    /// The next bytes, `None` at the end, or why there are none.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        match self.seen.take() {
            Some(seen) => seen,
            None => self.read().await,
        }
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
        let discarding = async {
            let mut bytes = 0;
            while let (true, Some(Ok(piece))) = (bytes < DISCARDED_MOST, self.stream.next().await) {
                bytes += piece.len();
            }
        };
        // Whoever sends on for longer is cut off.
        let _ = tokio::time::timeout(DISCARDING_MOST, discarding).await;
    }

    async fn read(&mut self) -> Result<Option<Bytes>, Failure> {
        let broken =
            |comment: &str| Err(Failure { reason: CANNOT_UNDERSTAND, comment: comment.to_owned() });
        loop {
            return match tokio::time::timeout(SILENT_MOST, self.stream.next()).await {
                Ok(None) => Ok(None),
                Ok(Some(Ok(bytes))) if bytes.is_empty() => continue,
                Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
                Ok(Some(Err(_))) => broken("the body was cut off"),
                Err(_) => broken("the body stopped coming"),
            };
        }
    }
}
