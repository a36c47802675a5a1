//! STOW-RS: the body of a request as it comes in, with a bound on its silence.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures::StreamExt;
use tokio::time::Instant;

use crate::dicomweb::stow_answer::{CANNOT_UNDERSTAND, Failure};

/// Of every minute spent waiting for the body, at least so many bytes must come: a body that drips
/// holds a place that others wait for. Time spent storing what came does not count.
const WINDOW: Duration = Duration::from_secs(60);
const LEAST_BYTES: usize = 64 * 1024;

/// How much of a refused body is read, and for how long.
const DISCARDED_MOST: usize = 64 * 1024 * 1024;
const DISCARDING_MOST: Duration = Duration::from_secs(5);

/// A body that comes in.
#[derive(Debug)]
pub struct Incoming {
    stream: BodyDataStream,
    /// What was looked at and not yet taken.
    seen: Option<Result<Option<Bytes>, Failure>>,
    window: Duration,
    /// Of the window: how long was waited, and what came.
    waited: Duration,
    bytes: usize,
}

impl Incoming {
    /// That body, from its beginning.
    pub fn new(body: Body) -> Self {
        Self {
            stream: body.into_data_stream(),
            seen: None,
            window: WINDOW,
            waited: Duration::ZERO,
            bytes: 0,
        }
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
            let left = self.window.saturating_sub(self.waited);
            let begun = Instant::now();
            let came = tokio::time::timeout(left, self.stream.next()).await;
            self.waited = self.waited.saturating_add(begun.elapsed());
            match came {
                Ok(None) => return Ok(None),
                Ok(Some(Ok(bytes))) if bytes.is_empty() => {}
                Ok(Some(Ok(bytes))) => {
                    self.bytes = self.bytes.saturating_add(bytes.len());
                    return Ok(Some(bytes));
                }
                Ok(Some(Err(_))) => return broken("the body was cut off"),
                Err(_) if self.bytes < LEAST_BYTES => return broken("the body stopped coming"),
                Err(_) => (self.waited, self.bytes) = (Duration::ZERO, 0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use bytes::Bytes;
    use futures::stream;

    use super::Incoming;

    /// What comes of a body of pieces of that size, each after so many milliseconds.
    async fn received(size: usize, pause: u64, pieces: usize) -> Result<usize, String> {
        let body = Body::from_stream(stream::unfold(0, move |sent| async move {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let piece = Ok::<_, std::io::Error>(Bytes::from(vec![0; size]));
            (sent < pieces).then_some((piece, sent + 1))
        }));
        let mut body = Incoming { window: Duration::from_secs(2), ..Incoming::new(body) };
        let mut all = 0;
        while let Some(bytes) = body.next().await.map_err(|failure| failure.comment)? {
            all += bytes.len();
        }
        Ok(all)
    }

    #[tokio::test]
    async fn a_slow_body_arrives_and_one_that_drips_or_stops_is_given_up() {
        let given_up = Err("the body stopped coming".to_owned());
        let (steady, short, drips, more, stops) = futures::join!(
            received(20_000, 100, 40),
            received(10, 0, 100),
            received(1, 20, 1000),
            received(100, 10, 1000),
            received(1, 60_000, 2),
        );
        assert_eq!((steady, short), (Ok(800_000), Ok(1000)));
        assert_eq!([drips, more, stops], [given_up.clone(), given_up.clone(), given_up]);
    }
}
