//! A body that is read whole, as it comes in. Each is held in memory: short ones have many places, long ones
//! few, so that whoever sends a long one slowly holds up nobody with a report of the usual length.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::pace::{Broken, Pace, Paced};
use crate::http::problem::Problem;

/// The most bytes of a short one.
const SHORT: usize = 1024 * 1024;
/// Short ones, and long ones, that are read or kept at once; others wait.
const SHORT_PLACES: usize = 16;
const LONG_PLACES: usize = 2;
/// How fast a body must come, and how long it may take altogether.
const PACE: Pace = Pace { window: Duration::from_secs(10), least: 128 * 1024 };
const WITHIN: Duration = Duration::from_secs(120);

/// Places for bodies of one kind.
#[derive(Debug, Clone)]
pub struct Places {
    most_bytes: usize,
    short: Arc<Semaphore>,
    long: Arc<Semaphore>,
    pace: Pace,
}

/// A body that is here, and its place until it is done with.
#[derive(Debug)]
pub struct Received {
    /// The body.
    pub bytes: Bytes,
    _place: OwnedSemaphorePermit,
}

impl Places {
    /// Places for bodies of at most `most_bytes`.
    pub fn of(most_bytes: usize) -> Self {
        Self {
            most_bytes,
            short: Arc::new(Semaphore::new(SHORT_PLACES)),
            long: Arc::new(Semaphore::new(LONG_PLACES)),
            pace: PACE,
        }
    }

    /// Reads a body.
    pub async fn receive(&self, headers: &HeaderMap, sent: Body) -> Result<Received, Problem> {
        let length = headers.get(CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|length| length > self.most_bytes) {
            return Err(self.too_long());
        }
        let mut place = if length.is_some_and(|length| length > SHORT) {
            taken(&self.long).await?
        } else {
            taken(&self.short).await?
        };
        let mut body = Paced::new(sent, self.pace);
        let mut bytes = BytesMut::new();
        // What it waits for a place is not its own time.
        let mut left = WITHIN;
        loop {
            let begun = tokio::time::Instant::now();
            let piece = match tokio::time::timeout(left, body.next()).await {
                Ok(Ok(piece)) => piece,
                Ok(Err(broken)) => return Err(said(broken)),
                Err(_) => return Err(said(Broken::Stopped)),
            };
            left = left.saturating_sub(begun.elapsed());
            let Some(piece) = piece else {
                return Ok(Received { bytes: bytes.freeze(), _place: place });
            };
            let all = bytes.len().saturating_add(piece.len());
            if all > self.most_bytes {
                return Err(self.too_long());
            }
            if all > SHORT && bytes.len() <= SHORT && length.is_none_or(|length| length <= SHORT) {
                // It did not say how long it is: what it holds is short until it has a long one's place.
                let long = taken(&self.long).await?;
                place = long;
            }
            bytes.extend_from_slice(&piece);
        }
    }

    fn too_long(&self) -> Problem {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-long",
            "Body too long",
            format!("a body here may have {} bytes", self.most_bytes),
        )
    }
}

async fn taken(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let place = Arc::clone(places).acquire_owned().await;
    place.map_err(|_| Problem::unavailable("the archive is stopping"))
}

fn said(broken: Broken) -> Problem {
    match broken {
        Broken::CutOff => Problem::new(
            StatusCode::BAD_REQUEST,
            "incomplete",
            "Incomplete body",
            "the body did not come whole",
        ),
        Broken::Stopped => Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "timeout",
            "Body too slow",
            "the body did not come in time: send it again",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use axum::http::{HeaderMap, HeaderValue};
    use bytes::Bytes;
    use futures::stream;

    use super::{LONG_PLACES, Places, SHORT};
    use crate::http::pace::Pace;

    const MOST_BYTES: usize = 4 * SHORT;

    fn announced(length: usize) -> HeaderMap {
        HeaderMap::from_iter([("content-length".parse().unwrap(), HeaderValue::from(length))])
    }

    /// A body of which one byte comes, and then nothing.
    fn silent() -> Body {
        let one = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]);
        Body::from_stream(futures::StreamExt::chain(one, stream::pending()))
    }

    #[tokio::test]
    async fn long_ones_that_drip_hold_up_no_short_one_and_are_given_up() {
        let pace = Pace { window: Duration::from_millis(500), least: 1 };
        let places = Places { pace, ..Places::of(MOST_BYTES) };
        let headers = announced(MOST_BYTES);
        let dripping: Vec<_> = (0..LONG_PLACES * 2)
            .map(|_| {
                let (places, headers) = (places.clone(), headers.clone());
                tokio::spawn(async move { places.receive(&headers, silent()).await })
            })
            .collect();
        tokio::task::yield_now().await;
        let short = places.receive(&HeaderMap::new(), Body::from("{}")).await.unwrap();
        assert_eq!(&short.bytes[..], b"{}");
        // Nothing of the drips came for one window of theirs: the last pair waited for the first.
        for one in dripping {
            assert_eq!(one.await.unwrap().unwrap_err().status.as_u16(), 408);
        }
    }

    #[tokio::test]
    async fn a_body_is_measured_whether_it_says_its_length_or_not() {
        let places = Places::of(MOST_BYTES);
        for length in [0, SHORT, SHORT + 1] {
            for headers in [announced(length), HeaderMap::new()] {
                let body = Body::from(vec![b' '; length]);
                let received = places.receive(&headers, body).await.unwrap();
                assert_eq!(received.bytes.len(), length);
            }
        }
        let piece = || Ok::<_, std::io::Error>(Bytes::from(vec![0; SHORT]));
        let endless = Body::from_stream(stream::repeat_with(piece));
        let refused = places.receive(&HeaderMap::new(), endless).await.unwrap_err();
        assert_eq!(refused.status.as_u16(), 413);
        let refused = places.receive(&announced(MOST_BYTES + 1), Body::empty()).await.unwrap_err();
        assert_eq!(refused.status.as_u16(), 413);
        assert_eq!(places.long.available_permits(), LONG_PLACES);
    }
}
