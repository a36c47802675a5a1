//! A body as it comes in, with a bound on its silence: one that drips holds a place others wait for.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures::StreamExt;
use tokio::time::Instant;

/// How fast a body must come: so many bytes of each so long spent waiting for it. Time spent on what
/// came does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// So long.
    pub window: Duration,
    /// So many bytes.
    pub least: usize,
}

/// Why there is no more of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Its connection ended.
    #[error("the body was cut off")]
    CutOff,
    /// It is too slow.
    #[error("the body stopped coming")]
    Stopped,
}

/// A body that comes in.
#[derive(Debug)]
pub struct Paced {
    stream: BodyDataStream,
    pace: Pace,
    /// Of the window: how long was waited, and what came.
    waited: Duration,
    bytes: usize,
}

impl Paced {
    /// That body, from its beginning.
    pub fn new(body: Body, pace: Pace) -> Self {
        Self { stream: body.into_data_stream(), pace, waited: Duration::ZERO, bytes: 0 }
    }

    /// The next bytes, never none of them; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        loop {
            let left = self.pace.window.saturating_sub(self.waited);
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
                Ok(Some(Err(_))) => return Err(Broken::CutOff),
                Err(_) if self.bytes < self.pace.least => return Err(Broken::Stopped),
                Err(_) => (self.waited, self.bytes) = (Duration::ZERO, 0),
            }
        }
    }

    /// Reads on and throws away, up to so many bytes; whoever refuses a body bounds the time.
    pub async fn discard(&mut self, most: usize) {
        let mut bytes = 0_usize;
        while let (true, Some(Ok(piece))) = (bytes < most, self.stream.next().await) {
            bytes = bytes.saturating_add(piece.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use bytes::Bytes;
    use futures::stream;

    use super::{Broken, Pace, Paced};

    /// What comes of a body of pieces of that size, each after so many milliseconds.
    async fn received(size: usize, pause: u64, pieces: usize) -> Result<usize, Broken> {
        let body = Body::from_stream(stream::unfold(0, move |sent| async move {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let piece = Ok::<_, std::io::Error>(Bytes::from(vec![0; size]));
            (sent < pieces).then_some((piece, sent + 1))
        }));
        let pace = Pace { window: Duration::from_secs(2), least: 64 * 1024 };
        let mut body = Paced::new(body, pace);
        let mut all = 0;
        while let Some(bytes) = body.next().await? {
            all += bytes.len();
        }
        Ok(all)
    }

    #[tokio::test]
    async fn a_slow_body_arrives_and_one_that_drips_or_stops_is_given_up() {
        let given_up = Err(Broken::Stopped);
        let (steady, short, drips, more, stops) = futures::join!(
            received(20_000, 100, 40),
            received(10, 0, 100),
            received(1, 20, 1000),
            received(100, 10, 1000),
            received(1, 60_000, 2),
        );
        assert_eq!((steady, short), (Ok(800_000), Ok(1000)));
        assert_eq!([drips, more, stops], [given_up, given_up, given_up]);
    }
}
