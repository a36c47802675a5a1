//! A TCP stream without the 40 ms pauses that Nagle's algorithm and delayed acknowledgements make
//! of each other.

use std::io;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use socket2::SockRef;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;

/// A stream that sends at once and acknowledges at once.
///
/// `TCP_NODELAY` frees our own sending. A peer that leaves Nagle's algorithm on sends its second
/// small packet only when the first is acknowledged, so `TCP_QUICKACK`, which the system forgets,
/// is set again before each read.
#[derive(Debug)]
pub struct Prompt(TcpStream);

impl Prompt {
    /// Makes a stream prompt.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }
}

impl AsyncRead for Prompt {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Best effort: without it peers are slower, not wrong.
        let _ = SockRef::from(&self.0).set_tcp_quickack(true);
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Prompt {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
