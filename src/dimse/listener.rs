//! The DICOM port: bounded associations, rejection when full, an orderly stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use dicom_ul::pdu::AssociationRJ;
use dicom_ul::pdu::AssociationRJResult;
use dicom_ul::pdu::AssociationRJServiceProviderPresentationReason;
use dicom_ul::pdu::AssociationRJSource;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::archive::archive::Archive;
use crate::dimse::association;
use crate::dimse::association::Association;
use crate::dimse::association::Ended;

/// Connections over the limit that are told so at the same time; more are closed without a word.
const REJECTIONS: usize = 64;

/// Messages under way may take so long to finish when the archive stops.
const DRAIN: Duration = Duration::from_secs(20);

/// The DICOM door's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address and port to listen on; port 0 lets the system choose.
    pub address: String,
    /// Our AE title.
    pub ae_title: String,
    /// Refuse associations that call another AE title.
    pub check_called_aet: bool,
    /// Associations at once; more are rejected as transient, so that the sender comes back.
    pub max_associations: u32,
    /// The longest P-DATA-TF we take, in bytes. Longer ones mean fewer headers, not more memory.
    pub max_pdu_bytes: u32,
    /// Seconds a connection may be open without an association request (ARTIM timer).
    pub artim_s: u32,
    /// Seconds a peer may be silent between two messages.
    pub idle_s: u32,
    /// Seconds a peer may be silent within a message, or not take what we send.
    pub read_timeout_s: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:11112".to_owned(),
            ae_title: "LASTRA".to_owned(),
            check_called_aet: false,
            max_associations: 64,
            max_pdu_bytes: 1_048_576,
            artim_s: 30,
            idle_s: 300,
            read_timeout_s: 60,
        }
    }
}

/// A bound port.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    settings: Settings,
}

impl Listener {
    /// Binds the port; the address says which one the system chose.
    pub async fn bind(settings: &Settings) -> io::Result<(Self, SocketAddr)> {
        let tcp = TcpListener::bind(&settings.address).await?;
        let address = tcp.local_addr()?;
        Ok((Self { tcp, settings: settings.clone() }, address))
    }

    /// Accepts associations until `stop`; then lets messages under way finish.
    pub async fn run(self, archive: Archive, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(self.settings.max_associations.max(1) as usize));
        let rejections = Arc::new(Semaphore::new(REJECTIONS));
        let open = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.tcp.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    self.take(stream, peer, &archive, &stop, [&places, &rejections], &open);
                }
                Err(error) => {
                    // Out of file descriptors, most likely: some will be free soon.
                    tracing::warn!(%error, "connection cannot be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        open.close();
        if tokio::time::timeout(DRAIN, open.wait()).await.is_err() {
            tracing::warn!(associations = open.len(), "associations were cut off");
        }
    }

    fn take(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        archive: &Archive,
        stop: &CancellationToken,
        [places, rejections]: [&Arc<Semaphore>; 2],
        open: &TaskTracker,
    ) {
        let (settings, archive) = (self.settings.clone(), archive.clone());
        let Ok(association) = Association::new(stream, peer, settings, archive, stop.clone())
        else {
            return;
        };
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            open.spawn(serve(association, peer, place));
        } else if let Ok(place) = Arc::clone(rejections).try_acquire_owned() {
            open.spawn(reject(association, place));
        }
    }
}

async fn serve(mut association: Association, peer: SocketAddr, place: OwnedSemaphorePermit) {
    let begun = Instant::now();
    let active = metrics::gauge!("lastra_dicom_associations_active");
    active.increment(1);
    let ended = association.serve().await;
    active.decrement(1);
    let result = match &ended {
        Ok(()) => "released",
        Err(Ended::Rejected) => "rejected",
        Err(_) => "aborted",
    };
    metrics::counter!("lastra_dicom_associations_total", "result" => result).increment(1);
    association::log(&association.tally, peer, begun, &ended);
    drop(place);
}

/// Tells a peer to come back later (PS3.8 §9.3.4: rejected-transient, local limit exceeded).
async fn reject(mut association: Association, place: OwnedSemaphorePermit) {
    let reason = AssociationRJServiceProviderPresentationReason::LocalLimitExceeded;
    let rejection = AssociationRJ {
        result: AssociationRJResult::Transient,
        source: AssociationRJSource::ServiceProviderPresentation(reason),
    };
    let _ = association.reject(rejection).await;
    metrics::counter!("lastra_dicom_associations_total", "result" => "full").increment(1);
    drop(place);
}
