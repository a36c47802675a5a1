//! Connections there is no place for: told so, and gone.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// What is said before anything was asked (RFC 9110 §15.6.4): a client that writes its request
/// reads this as the answer.
const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/problem+json\r\n\
    retry-after: 1\r\n\
    connection: close\r\n\
    content-length: 119\r\n\r\n\
    {\"detail\":\"too many connections; try again\",\"status\":503,\"title\":\"Unavailable\",\
    \"type\":\"urn:lastra:problem:unavailable\"}";

/// Most connections being told at a time; past that they are cut without a word.
const TOLD_AT_ONCE: usize = 256;
/// How long one is listened to, so that the answer is not lost with what it had still to say
/// (RFC 9112 §9.6), and how many bytes.
const LISTENED: Duration = Duration::from_secs(1);
const LISTENED_BYTES: u64 = 64 * 1024;

/// Turns connections away.
#[derive(Debug, Clone)]
pub(super) struct Refusal(Arc<Semaphore>);

impl Refusal {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(TOLD_AT_ONCE)))
    }

    /// Tells the peer to come back, in a task of its own, and closes.
    pub(super) fn turn_away(&self, mut stream: TcpStream) {
        metrics::counter!("lastra_http_connections_turned_away_total").increment(1);
        let Ok(place) = Arc::clone(&self.0).try_acquire_owned() else { return };
        tokio::spawn(async move {
            let told = async {
                stream.write_all(ANSWER).await?;
                stream.shutdown().await?;
                let mut rest = stream.take(LISTENED_BYTES);
                tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
            };
            // Whether it heard the answer or not: it is gone.
            let _ = tokio::time::timeout(LISTENED, told).await;
            drop(place);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::ANSWER;

    #[test]
    fn the_answer_is_as_long_as_it_says_and_its_body_is_json() {
        let text = std::str::from_utf8(ANSWER).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["status"], 503);
    }
}
