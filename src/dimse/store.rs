//! C-STORE: an object comes in and goes on to the archive, byte by byte as it arrives
//! (PS3.7 §9.1.1, PS3.4 §B).

use std::time::Instant;

use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;

use crate::access::actor::Actor;
use crate::access::actor::Purpose;
use crate::access::permit::Subject;
use crate::archive::error::ArchiveError;
use crate::archive::ingest::Envelope;
use crate::archive::ingest::Receiving;
use crate::dicom::uid::Uid;
use crate::dimse::association::Association;
use crate::dimse::association::Door;
use crate::dimse::command::AFFECTED_SOP_CLASS;
use crate::dimse::command::AFFECTED_SOP_INSTANCE;
use crate::dimse::command::CommandSet;
use crate::dimse::end::End;
use crate::dimse::message::MessageError;
use crate::dimse::negotiate::Context;
use crate::dimse::negotiate::Service;
use crate::dimse::status::CANNOT_UNDERSTAND;
use crate::dimse::status::DOES_NOT_MATCH;
use crate::dimse::status::OUT_OF_RESOURCES;
use crate::dimse::status::SOP_CLASS_NOT_SUPPORTED;
use crate::dimse::status::Status;
use crate::dimse::status::of_store;
use crate::model::study::Outcome;
use crate::steps::Step;
use crate::steps::come_to;

/// Answers a C-STORE. Success is answered only once the object is durable; after a refusal the
/// rest of the data set is read and dropped, so that the association can go on.
pub(in crate::dimse) async fn serve<S>(
    association: &mut Association<S>,
    context: &Context,
    command: &CommandSet,
    door: &Door,
) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let began = Instant::now();
    let before = association.tally.bytes;
    let result = receive(association, context, command, door).await?;
    let (label, status) = match result {
        Ok(outcome) => (label_of(outcome), Status::success()),
        Err(status) if status.code == OUT_OF_RESOURCES => ("failed", status),
        Err(status) => ("refused", status),
    };
    let tally = &mut association.tally;
    if status.is_stored() {
        tally.stored += 1;
    } else {
        tally.refused += 1;
    }
    let bytes = tally.bytes - before;
    metrics::counter!("lastra_store_instances_total", "via" => "cstore", "result" => label)
        .increment(1);
    metrics::counter!("lastra_store_bytes_total", "via" => "cstore").increment(bytes);
    metrics::histogram!("lastra_store_duration_seconds", "via" => "cstore")
        .record(began.elapsed().as_secs_f64());
    association.respond(context, command, &status).await?;
    come_to(Step::Answered);
    Ok(())
}

/// Takes the whole data set, whatever becomes of it.
async fn receive<S>(
    association: &mut Association<S>,
    context: &Context,
    command: &CommandSet,
    door: &Door,
) -> Result<Result<Outcome, Status>, End>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    if !command.has_data_set().map_err(MessageError::Command)? {
        return Ok(Err(Status::new(CANNOT_UNDERSTAND, "no data set follows the command")));
    }
    let mut receiving = begin(association, context, command, door).await;
    loop {
        let (bytes, ends) = association.next_data().await?;
        association.tally.bytes += bytes.len() as u64;
        if !bytes.is_empty()
            && let Ok(open) = &mut receiving
            && let Err(error) = open.write(bytes).await
        {
            // Dropped here, the object leaves no trace; the rest of its bytes go nowhere.
            receiving = Err(refused(association, &error));
        }
        if ends {
            break;
        }
    }
    match receiving {
        Ok(receiving) => match receiving.finish().await {
            Ok(receipt) => Ok(Ok(receipt.outcome)),
            Err(error) => Ok(Err(refused(association, &error))),
        },
        Err(status) => Ok(Err(status)),
    }
}

/// Asks the archive to receive, before any byte of the data set is looked at.
async fn begin<S>(
    association: &Association<S>,
    context: &Context,
    command: &CommandSet,
    door: &Door,
) -> Result<Receiving, Status> {
    let sop_class = named(command, AFFECTED_SOP_CLASS, "Affected SOP Class UID (0000,0002)")?;
    if context.service != Service::Storage || sop_class != context.abstract_syntax {
        let reason = "SOP class (0000,0002) is not the presentation context's";
        return Err(Status::new(SOP_CLASS_NOT_SUPPORTED, reason));
    }
    let sop_instance =
        named(command, AFFECTED_SOP_INSTANCE, "Affected SOP Instance UID (0000,1000)")?;
    let calling = &association.accepted.calling;
    let actor = Actor::Node { ae_title: calling.clone(), address: Some(association.peer) };
    let permit = door
        .archive
        .access()
        .permit(&actor, Purpose::Operation, Subject::Storing)
        .map_err(|_| of_store(&ArchiveError::Denied))?;
    let envelope = Envelope {
        transfer_syntax: context.transfer_syntax.clone(),
        sop_class: Some(sop_class),
        sop_instance: Some(sop_instance),
        ae_title: (!calling.is_empty()).then(|| calling.clone()),
        source: format!("cstore:{calling}@{}", association.peer.ip()),
        prefix: None,
    };
    let asked = match door.archive.check_room().await {
        Ok(()) => door.archive.receive(&permit, envelope),
        Err(error) => Err(error),
    };
    asked.map_err(|error| refused(association, &error))
}

/// A UID no C-STORE may lack (PS3.7 §9.3.1.1): without it nothing says what is being sent.
fn named(command: &CommandSet, element: u16, name: &str) -> Result<Uid, Status> {
    let missing = || Status::new(DOES_NOT_MATCH, &format!("{name} missing or unusable"));
    command.uid(element).ok_or_else(missing)
}

/// The status of an error, and a line in the log: what a store said in full, for the operator; of
/// an object only its status, because words about it may hold its identifiers.
fn refused<S>(association: &Association<S>, error: &ArchiveError) -> Status {
    let status = of_store(error);
    let (calling, code) = (&association.accepted.calling, format!("{:04X}", status.code));
    match error {
        ArchiveError::Blobs(_) | ArchiveError::Index(_) => {
            tracing::error!(calling, code, %error, "object not stored");
        }
        ArchiveError::Unknown(_)
        | ArchiveError::Ambiguous { .. }
        | ArchiveError::Malformed(_)
        | ArchiveError::Unidentified(_)
        | ArchiveError::Mismatch(_)
        | ArchiveError::Rejected(_)
        | ArchiveError::Imaging(_)
        | ArchiveError::Denied
        | ArchiveError::Stopping => {
            tracing::warn!(calling, code, "object refused");
            tracing::debug!(calling, code, %error, "object refused");
        }
    }
    status
}

fn label_of(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Stored => "stored",
        Outcome::AlreadyHere => "already_here",
        Outcome::KeptBeside => "kept_beside",
        Outcome::Rejected => "rejected",
        Outcome::Refused(_) => "refused",
    }
}
