//! A byte stream with a decoder behind it and a bound on every wait.

use std::io;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::dimse::pdu::Decoder;
use crate::dimse::pdu::Event;
use crate::dimse::pdu::PduError;

/// A connection as PDUs.
#[derive(Debug)]
pub struct Wire<S> {
    stream: S,
    decoder: Decoder,
    stall: Duration,
    read_bytes: usize,
}

/// Why a connection cannot be used any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The peer closed it.
    #[error("the peer closed the connection")]
    Closed,
    /// The peer neither sent nor took anything for so long.
    #[error("the peer was silent for {} s", .0.as_secs_f32())]
    Silent(Duration),
    /// The network failed.
    #[error("the connection broke: {0}")]
    Broken(io::ErrorKind),
    /// The peer sent what is no PDU.
    #[error("{0}")]
    Pdu(#[from] PduError),
}

/// Bytes asked of the network at once while all that comes is small.
const SHORT_READ_BYTES: usize = 16 * 1024;
/// Bytes asked of the network at once where data sets come.
const LONG_READ_BYTES: usize = 256 * 1024;
/// How long, and for how many bytes, a closed connection is listened to, so that what we said last
/// is not lost to a reset.
const CLOSE_WAIT: Duration = Duration::from_secs(1);
const CLOSE_BYTES: usize = 1024 * 1024;

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// A connection that takes P-DATA-TF of `max_data_bytes` and gives up on a peer that is silent
    /// for `stall` in the midst of a PDU, or does not take what is sent.
    pub fn new(stream: S, max_data_bytes: u32, stall: Duration) -> Self {
        let decoder = Decoder::new(max_data_bytes);
        Self { stream, decoder, stall, read_bytes: SHORT_READ_BYTES }
    }

    /// From now on data sets come: reads much at once.
    pub fn expect_data_sets(&mut self) {
        self.read_bytes = LONG_READ_BYTES;
    }

    /// The next event; waits `first` for it to begin. Can be dropped and called again.
    pub async fn next(&mut self, first: Duration) -> Result<Event, WireError> {
        loop {
            if let Some(event) = self.decoder.decode()? {
                // Many small events in one read must not keep the thread from others.
                tokio::task::coop::consume_budget().await;
                return Ok(event);
            }
            let wait = if self.decoder.is_between_pdus() { first } else { self.stall };
            let buffer = self.decoder.buffer();
            // A new buffer when little is left of this one; what was handed on keeps the old.
            if buffer.capacity() - buffer.len() < self.read_bytes / 4 {
                buffer.reserve(self.read_bytes);
            }
            match timeout(wait, self.stream.read_buf(buffer)).await {
                Ok(Ok(0)) => return Err(WireError::Closed),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(WireError::Broken(error.kind())),
                Err(_) => return Err(WireError::Silent(wait)),
            }
        }
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let sent = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match timeout(self.stall, sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(WireError::Broken(error.kind())),
            Err(_) => Err(WireError::Silent(self.stall)),
        }
    }

    /// Closes the connection.
    pub async fn close(mut self) {
        let closed = async {
            self.stream.shutdown().await?;
            let mut ignored = vec![0; 16 * 1024];
            let mut bytes = 0;
            while bytes < CLOSE_BYTES {
                match self.stream.read(&mut ignored).await? {
                    0 => break,
                    read => bytes += read,
                }
            }
            Ok::<(), io::Error>(())
        };
        // Whatever goes wrong, the connection is closed when this returns.
        let _ = timeout(CLOSE_WAIT, closed).await;
    }
}
