//! The port: lets peers in, no more than it can serve, and ends in order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::archive::archive::Archive;
use crate::dimse::association;
use crate::dimse::association::Door;
use crate::dimse::association::Timers;
use crate::dimse::end::count;
use crate::dimse::negotiate::Rules;
use crate::dimse::socket::EagerStream;
use crate::dimse::waiting::Waiting;
use crate::dimse::waiting::WaitingRoom;

/// How the DICOM door behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address and port to listen on; port 0 takes a free one.
    pub address: String,
    /// Our AE title: up to 16 characters.
    pub ae_title: String,
    /// Called AE titles answered to; empty: any. To be strict, name our own.
    pub accept_called: Vec<String>,
    /// Calling AE titles let in; empty: any.
    pub accept_calling: Vec<String>,
    /// Associations open at once; more are told to come back later.
    pub max_associations: u32,
    /// Longest P-DATA-TF taken, in bytes: announced to peers, and enforced. 4096 to 134217728.
    pub max_pdu_bytes: u32,
    /// Seconds a peer has to send its whole association request.
    pub artim_s: u32,
    /// Seconds an association may stay open without a message.
    pub idle_s: u32,
    /// Seconds a peer may be silent in the midst of a message, or not take our answer.
    pub read_timeout_s: u32,
    /// Seconds messages under way have to finish when the server stops.
    pub stop_s: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:11112".to_owned(),
            ae_title: "LASTRA".to_owned(),
            accept_called: Vec::new(),
            accept_calling: Vec::new(),
            max_associations: 64,
            max_pdu_bytes: 1024 * 1024,
            artim_s: 30,
            idle_s: 300,
            read_timeout_s: 60,
            stop_s: 20,
        }
    }
}

/// A bound port that nobody is let in by yet.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    settings: Settings,
}

/// Connections that have not asked for an association yet; past them the oldest makes room.
const WAITING_CONNECTIONS: usize = 256;
/// Connections held beyond the associations: waiting, being rejected, or closing. Past them a
/// connection is closed at once.
const SPARE_CONNECTIONS: usize = WAITING_CONNECTIONS + 128;
/// Room for 4 GiB a connection would be nonsense; 128 MiB is more than any peer uses.
const PDU_BYTES: std::ops::RangeInclusive<u32> = 4096..=128 * 1024 * 1024;
/// After an error of `accept`, which most often means too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// What is cut off has so long to say so.
const CUT_WAIT: Duration = Duration::from_secs(1);

impl Listener {
    /// Takes the port; the address tells which, where 0 was asked for.
    pub async fn bind(settings: &Settings) -> io::Result<(Self, SocketAddr)> {
        let unusable = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        let title = settings.ae_title.trim();
        if title.is_empty()
            || title.len() > 16
            || !title.chars().all(|c| c == ' ' || c.is_ascii_graphic())
        {
            return unusable("dicom.ae_title must have 1 to 16 characters of ASCII");
        }
        if !PDU_BYTES.contains(&settings.max_pdu_bytes) {
            return unusable("dicom.max_pdu_bytes must be between 4096 and 134217728");
        }
        if settings.max_associations == 0 {
            return unusable("dicom.max_associations must be at least 1");
        }
        let listener = TcpListener::bind(&settings.address).await?;
        let address = listener.local_addr()?;
        Ok((Self { listener, settings: settings.clone() }, address))
    }

    /// Serves until `stop`; then lets messages under way finish, and ends the rest.
    pub async fn run(self, archive: Archive, stop: CancellationToken) {
        let Self { listener, settings } = self;
        let associations = usize::try_from(settings.max_associations).unwrap_or(usize::MAX);
        let associations = associations.min(Semaphore::MAX_PERMITS - SPARE_CONNECTIONS);
        let cut = CancellationToken::new();
        let door = Arc::new(Door {
            archive,
            ae_title: settings.ae_title.trim().to_owned(),
            rules: Rules {
                accept_called: settings.accept_called.clone(),
                accept_calling: settings.accept_calling.clone(),
                max_pdu_bytes: settings.max_pdu_bytes,
            },
            timers: timers(&settings),
            associations: Arc::new(Semaphore::new(associations)),
            stop: stop.clone(),
            cut: cut.clone(),
        });
        let connections = Arc::new(Semaphore::new(associations + SPARE_CONNECTIONS));
        let mut waiting = WaitingRoom::new(WAITING_CONNECTIONS);
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = tasks.join_next(), if !tasks.is_empty() => note(&ended),
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        if let Ok(permit) = Arc::clone(&connections).try_acquire_owned() {
                            let door = Arc::clone(&door);
                            tasks.spawn(serve(stream, peer, waiting.enter(), door, permit));
                        } else {
                            count("turned_away");
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "no connection could be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        let bound = Duration::from_secs(settings.stop_s.into());
        if timeout(bound, all_of(&mut tasks)).await.is_err() {
            tracing::warn!(associations = tasks.len(), "associations cut off");
            cut.cancel();
            // What has not ended then ends with the set.
            let _ = timeout(CUT_WAIT, all_of(&mut tasks)).await;
        }
    }
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    waiting: Waiting,
    door: Arc<Door>,
    _: OwnedSemaphorePermit,
) {
    match EagerStream::new(stream) {
        Ok(stream) => association::serve(stream, peer, waiting, &door).await,
        Err(error) => tracing::debug!(%error, "connection lost before it was served"),
    }
}

async fn all_of(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        note(&ended);
    }
}

/// A panic ends its own association only, and is counted.
fn note(ended: &Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("an association panicked");
        count("panicked");
    }
}

fn timers(settings: &Settings) -> Timers {
    let seconds = |s: u32| Duration::from_secs(s.max(1).into());
    Timers {
        artim: seconds(settings.artim_s),
        idle: seconds(settings.idle_s),
        stall: seconds(settings.read_timeout_s),
    }
}
