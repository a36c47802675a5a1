//! A TCP stream that gives up on peers who open and say nothing, or stop reading what they asked
//! for.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// What an HTTP/2 connection opens with (RFC 9113 §3.4). Until it is told from HTTP/1, no header
/// timeout of the protocol's own runs.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A stream with deadlines.
#[derive(Debug)]
pub struct Patient<S> {
    stream: S,
    /// Bytes of [`PREFACE`] seen so far; `None` once the version is known.
    opening: Option<usize>,
    opening_ends: Pin<Box<Sleep>>,
    stall: Duration,
    stalled: bool,
    stall_ends: Pin<Box<Sleep>>,
}

impl<S> Patient<S> {
    /// `opening`: how long the peer may take to say which HTTP it speaks; `stall`: how long it may
    /// leave written bytes unread.
    pub fn new(stream: S, opening: Duration, stall: Duration) -> Self {
        let now = Instant::now();
        Self {
            stream,
            opening: Some(0),
            opening_ends: Box::pin(sleep_until(after(now, opening))),
            stall,
            stalled: false,
            stall_ends: Box::pin(sleep_until(after(now, stall))),
        }
    }

    fn heard(&mut self, bytes: &[u8]) {
        let Some(seen) = self.opening else { return };
        let expected = PREFACE.get(seen..).unwrap_or_default();
        let going = bytes.len() < expected.len() && expected.starts_with(bytes);
        self.opening = (going && !bytes.is_empty()).then_some(seen.saturating_add(bytes.len()));
    }

    /// Passes on what a write came to; an unfinished one may not stay so for longer than `stall`.
    fn wrote<T>(
        &mut self,
        cx: &mut Context<'_>,
        wrote: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if wrote.is_ready() {
            self.stalled = false;
            return wrote;
        }
        if !self.stalled {
            self.stalled = true;
            self.stall_ends.as_mut().reset(after(Instant::now(), self.stall));
        }
        ready!(self.stall_ends.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "peer stopped reading")))
    }
}

fn after(now: Instant, time: Duration) -> Instant {
    now.checked_add(time).unwrap_or(now)
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if self.opening.is_some() {
            if read.is_ready() {
                self.heard(buf.filled().get(before..).unwrap_or_default());
            } else if self.opening_ends.as_mut().poll(cx).is_ready() {
                let error = io::Error::new(io::ErrorKind::TimedOut, "peer said nothing");
                return Poll::Ready(Err(error));
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.wrote(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.wrote(cx, shut)
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::Patient;

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(500);

    #[tokio::test]
    async fn a_peer_that_says_nothing_is_given_up() {
        let (_peer, ours) = duplex(64);
        let mut stream = Patient::new(ours, SHORT, LONG);
        assert_eq!(stream.read_u8().await.unwrap_err().kind(), ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_preface_that_drips_is_given_up_and_a_version_that_shows_is_not() {
        let (mut peer, ours) = duplex(64);
        let mut stream = Patient::new(ours, SHORT, LONG);
        peer.write_all(b"PRI ").await.unwrap();
        for _ in 0..4 {
            stream.read_u8().await.unwrap();
        }
        assert_eq!(stream.read_u8().await.unwrap_err().kind(), ErrorKind::TimedOut);

        let (mut peer, ours) = duplex(64);
        let mut stream = Patient::new(ours, SHORT, LONG);
        peer.write_all(b"G").await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'G');
        let late = tokio::time::timeout(SHORT * 4, stream.read_u8()).await;
        assert!(late.is_err(), "after the version the protocol's own timeouts run");
    }

    #[tokio::test]
    async fn a_peer_that_stops_reading_is_given_up() {
        let (mut peer, ours) = duplex(16);
        let mut stream = Patient::new(ours, LONG, SHORT);
        stream.write_all(&[1; 16]).await.unwrap();
        assert_eq!(stream.write_all(&[1; 16]).await.unwrap_err().kind(), ErrorKind::TimedOut);
        let mut read = [0; 16];
        peer.read_exact(&mut read).await.unwrap();
        stream.write_all(&[1; 16]).await.unwrap();
    }
}
