//! The port: frames read within bounds, each message answered once what it says is durable.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::access::actor::Actor;
use crate::access::actor::Purpose;
use crate::access::permit::Subject;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::hl7::v2::mllp::Decoder;
use crate::hl7::v2::mllp::frame;

/// How the HL7 door behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address and port to listen on; port 0 takes a free one; empty: the door stays shut.
    pub address: String,
    /// Connections open at once; more are closed at once.
    pub max_connections: u32,
    /// Longest message taken, in bytes.
    pub max_message_bytes: u32,
    /// Seconds a connection may stay open without a message.
    pub idle_s: u32,
    /// Seconds a peer may be silent in the midst of a message, or not take our answer.
    pub read_timeout_s: u32,
    /// Days back within which an examination of the same modality and body part is told to whoever sends
    /// a new order; 0: nobody is told. The order is kept either way.
    pub already_done_days: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: String::new(),
            max_connections: 32,
            max_message_bytes: 32 * 1024 * 1024,
            idle_s: 3600,
            read_timeout_s: 30,
            already_done_days: 90,
        }
    }
}

/// A bound port that nobody is let in by yet.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    settings: Settings,
}

/// After an error of `accept`, which most often means too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Bytes read at once.
const PIECE: usize = 64 * 1024;

impl Listener {
    /// Takes the port; `None` when the door stays shut.
    pub async fn bind(settings: &Settings) -> io::Result<Option<(Self, SocketAddr)>> {
        if settings.address.is_empty() {
            return Ok(None);
        }
        let listener = TcpListener::bind(&settings.address).await?;
        let address = listener.local_addr()?;
        Ok(Some((Self { listener, settings: settings.clone() }, address)))
    }

    /// Serves until `stop`; messages under way are finished and answered.
    pub async fn run(self, fascicolo: Fascicolo, stop: CancellationToken) {
        let Self { listener, settings } = self;
        let most = usize::try_from(settings.max_connections.max(1)).unwrap_or(1);
        let places = Arc::new(Semaphore::new(most));
        let settings = Arc::new(settings);
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = tasks.join_next(), if !tasks.is_empty() => {
                    if ended.is_err() {
                        tracing::error!("an HL7 connection panicked");
                        count("panicked");
                    }
                }
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                            let connection = Connection {
                                fascicolo: fascicolo.clone(),
                                settings: Arc::clone(&settings),
                                stop: stop.clone(),
                                peer,
                            };
                            tasks.spawn(connection.serve(stream, place));
                        } else {
                            count("turned_away");
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "no HL7 connection could be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        while tasks.join_next().await.is_some() {}
    }
}

struct Connection {
    fascicolo: Fascicolo,
    settings: Arc<Settings>,
    stop: CancellationToken,
    peer: SocketAddr,
}

impl Connection {
    async fn serve(self, mut stream: TcpStream, _: OwnedSemaphorePermit) {
        let ended = self.converse(&mut stream).await;
        count(ended);
        tracing::debug!(peer = %self.peer, ended, "HL7 connection ended");
        // Best effort: the peer may be gone.
        let _ = stream.shutdown().await;
    }

    /// Reads, takes and answers messages; says how it ended.
    async fn converse(&self, stream: &mut TcpStream) -> &'static str {
        let longest = usize::try_from(self.settings.max_message_bytes).unwrap_or(usize::MAX);
        let mut decoder = Decoder::new(longest);
        let mut piece = vec![0_u8; PIECE];
        let seconds = |s: u32| Duration::from_secs(s.max(1).into());
        let (idle, stall) = (seconds(self.settings.idle_s), seconds(self.settings.read_timeout_s));
        // An answer is small: no waiting for more to send with it.
        let _ = stream.set_nodelay(true);
        loop {
            let patience = if decoder.is_within() { stall } else { idle };
            let read = tokio::select! {
                biased;
                read = timeout(patience, stream.read(&mut piece)) => read,
                () = self.stop.cancelled(), if !decoder.is_within() => return "stopped",
            };
            let bytes = match read {
                Err(_) => return if decoder.is_within() { "stalled" } else { "idle" },
                Ok(Err(_)) => return "lost",
                Ok(Ok(0)) => return if decoder.finish().is_err() { "cut" } else { "closed" },
                Ok(Ok(length)) => piece.get(..length).unwrap_or_default(),
            };
            let mut messages = Vec::new();
            let pushed = decoder.push(bytes, &mut messages);
            for message in messages {
                let Some(answer) = self.take(&message).await else { return "refused" };
                if answer.is_empty() {
                    continue;
                }
                match timeout(stall, stream.write_all(&frame(answer.as_bytes()))).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return "lost",
                    Err(_) => return "stalled",
                }
            }
            if pushed.is_err() {
                return "broken";
            }
        }
    }

    /// The answer to a message, empty when none is wanted; `None` when nothing can be said.
    async fn take(&self, message: &[u8]) -> Option<String> {
        let actor = Actor::Node { ae_title: "HL7".to_owned(), address: Some(self.peer) };
        let access = self.fascicolo.access();
        let permit = access.permit(&actor, Purpose::Operation, Subject::Archive).ok()?;
        let days = self.settings.already_done_days;
        match self.fascicolo.take_message(&permit, message, days).await {
            Ok(answer) => {
                count("messages");
                Some(answer.unwrap_or_default())
            }
            Err(error) => {
                tracing::warn!(%error, "HL7 message not answered");
                None
            }
        }
    }
}

fn count(what: &'static str) {
    metrics::counter!("lastra_mllp_total", "what" => what).increment(1);
}
