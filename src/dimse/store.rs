//! C-STORE (PS3.4 §B, PS3.7 §9.1.1): a command to an envelope, pieces to the archive, an error to a
//! status.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::ingest::Envelope;
use crate::archive::ingest::Receiving;
use crate::dicom::uid::Uid;
use crate::dimse::command::Command;
use crate::dimse::negotiate::Context;
use crate::dimse::status;
use crate::dimse::status::Status;

/// Who sends.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Calling AE title.
    pub ae_title: String,
    /// Where from.
    pub address: SocketAddr,
}

/// An instance on its way in. Once it has failed the rest of its bytes is passed over, so that the
/// association can go on.
#[derive(Debug)]
pub struct Storing {
    state: Result<Box<Receiving>, Status>,
    begun: Instant,
    bytes: u64,
}

impl Storing {
    /// Begins to receive the instance a command announces.
    pub async fn begin(
        archive: &Archive,
        permit: &Permit,
        sender: &Sender,
        context: &Context,
        command: &Command,
    ) -> Self {
        let state = match envelope(sender, context, command) {
            Ok(envelope) => begin(archive, permit, envelope).await,
            Err(status) => Err(status),
        };
        Self { state, begun: Instant::now(), bytes: 0 }
    }

    /// Takes the next bytes of the data set.
    pub async fn write(&mut self, bytes: Bytes) {
        self.bytes += bytes.len() as u64;
        let Ok(receiving) = &mut self.state else { return };
        if let Err(error) = receiving.write(bytes).await {
            self.state = Err(refusal(&error));
        }
    }

    /// All bytes are here: the status to answer, and the bytes there were. Success only when the
    /// instance is durable.
    pub async fn finish(self) -> (Status, u64) {
        let status = match self.state {
            Ok(receiving) => match receiving.finish().await {
                Ok(_) => Status::success(),
                Err(error) => refusal(&error),
            },
            Err(status) => status,
        };
        let result = if status.code == status::SUCCESS { "stored" } else { "refused" };
        metrics::counter!("lastra_store_instances_total", "via" => "cstore", "result" => result)
            .increment(1);
        metrics::counter!("lastra_store_bytes_total").increment(self.bytes);
        metrics::histogram!("lastra_store_duration_seconds")
            .record(self.begun.elapsed().as_secs_f64());
        (status, self.bytes)
    }
}

async fn begin(
    archive: &Archive,
    permit: &Permit,
    envelope: Envelope,
) -> Result<Box<Receiving>, Status> {
    archive.check_room().await.map_err(|error| refusal(&error))?;
    archive.receive(permit, envelope).map(Box::new).map_err(|error| refusal(&error))
}

/// What the command says, checked against its presentation context.
fn envelope(sender: &Sender, context: &Context, command: &Command) -> Result<Envelope, Status> {
    let sop_class = command.sop_class.as_deref().unwrap_or_default();
    if sop_class != context.abstract_syntax {
        let comment = "Affected SOP Class UID is not its context's abstract syntax";
        return Err(Status::new(status::SOP_CLASS_NOT_SUPPORTED, comment));
    }
    let uid = |text: Option<&str>, name: &str| {
        Uid::parse(text.unwrap_or_default())
            .map_err(|error| Status::new(status::DOES_NOT_MATCH, &format!("{name}: {error}")))
    };
    Ok(Envelope {
        transfer_syntax: uid(Some(&context.transfer_syntax), "transfer syntax")?,
        sop_class: Some(uid(Some(sop_class), "Affected SOP Class UID")?),
        sop_instance: Some(uid(command.sop_instance.as_deref(), "Affected SOP Instance UID")?),
        ae_title: Some(sender.ae_title.clone()),
        source: format!("cstore:{}@{}", sender.ae_title, sender.address.ip()),
        prefix: None,
    })
}

fn refusal(error: &ArchiveError) -> Status {
    let status = status::of_store(error);
    tracing::warn!(status = format_args!("{:#06x}", status.code), %error, "instance refused");
    status
}
