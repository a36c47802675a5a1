//! STOW-RS: what became of each instance, as the Store Instances Response (PS3.18 §I.1).

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::archive::error::ArchiveError;
use crate::archive::ingest::Receipt;
use crate::blobs::error::BlobError;
use crate::dicom::part10::Prefix;
use crate::dicom::uid::Uid;
use crate::dicomweb::address::Urls;
use crate::index::error::IndexError;
use crate::model::study::Outcome;

/// Refused: out of resources (PS3.18 Table I.2-2).
pub const OUT_OF_RESOURCES: u16 = 0xA700;
/// Data set does not match its SOP class, its command or the study addressed.
pub const DOES_NOT_MATCH: u16 = 0xA900;
/// Cannot understand.
pub const CANNOT_UNDERSTAND: u16 = 0xC000;
/// Processing failure.
pub const PROCESSING_FAILURE: u16 = 0x0110;
/// Not authorized (PS3.7 §C.5.25).
pub const NOT_AUTHORIZED: u16 = 0x0124;
/// Duplicate SOP Instance (PS3.7 §C.5.3), as a warning: kept, beside other bytes of that name.
pub const DUPLICATE: u16 = 0x0111;
/// Most characters of an Error Comment (0000,0902), an LO (PS3.5 §6.2).
const MAX_COMMENT_CHARS: usize = 64;

/// Why a part was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Failure Reason (0008,1197).
    pub reason: u16,
    /// What is wrong and where; no patient data.
    pub comment: String,
}

/// What a part calls itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// Media Storage SOP Class UID.
    pub sop_class: Option<Uid>,
    /// Media Storage SOP Instance UID.
    pub sop_instance: Option<Uid>,
}

impl Names {
    /// The names a meta header gives.
    pub fn of(prefix: &Prefix) -> Self {
        let (class, instance) = (&prefix.media_sop_class, &prefix.media_sop_instance);
        Self { sop_class: class.clone(), sop_instance: instance.clone() }
    }
}

/// What became of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It is in the archive.
    Stored(Receipt),
    /// It is not.
    Failed(Names, Failure),
}

/// The Failure Reason of an archive error. No `_` arm: a new error must choose its reason here.
pub fn reason(error: &ArchiveError) -> u16 {
    match error {
        ArchiveError::Blobs(BlobError::NoRoom) | ArchiveError::Index(IndexError::NoRoom) => {
            OUT_OF_RESOURCES
        }
        ArchiveError::Unidentified(_) | ArchiveError::Mismatch(_) => DOES_NOT_MATCH,
        ArchiveError::Malformed(_) => CANNOT_UNDERSTAND,
        ArchiveError::Denied => NOT_AUTHORIZED,
        ArchiveError::Blobs(_)
        | ArchiveError::Index(_)
        | ArchiveError::Stopping
        | ArchiveError::Unknown(_)
        | ArchiveError::Ambiguous { .. }
        | ArchiveError::Imaging(_) => PROCESSING_FAILURE,
    }
}

/// 200 when all is stored as it came, 202 when some failed or have a warning, 409 when none is
/// stored (PS3.18 §10.5.3.1); 503 when none is stored for want of the stores, so that clients try
/// again.
pub fn status(ended: &[Ended]) -> StatusCode {
    let stored = ended.iter().any(|ended| matches!(ended, Ended::Stored(_)));
    let failures = ended.iter().filter_map(|ended| match ended {
        Ended::Failed(_, failure) => Some(failure.reason),
        Ended::Stored(_) => None,
    });
    let (mut failed, mut passing) = (false, true);
    for reason in failures {
        failed = true;
        passing &= matches!(reason, OUT_OF_RESOURCES | PROCESSING_FAILURE);
    }
    let warned = ended.iter().any(|ended| warning(ended).is_some());
    match (stored, failed) {
        (true, false) if !warned => StatusCode::OK,
        (true, _) => StatusCode::ACCEPTED,
        (false, true) if passing => StatusCode::SERVICE_UNAVAILABLE,
        (false, _) => StatusCode::CONFLICT,
    }
}

/// The Store Instances Response Module as DICOM JSON (PS3.18 Table I.1-1).
pub fn module(ended: &[Ended], addressed: Option<&Uid>, urls: &Urls) -> Value {
    let (mut referenced, mut failed, mut other) = (Vec::new(), Vec::new(), Vec::new());
    for ended in ended {
        match ended {
            Ended::Stored(receipt) => referenced.push(stored(receipt, warning(ended), urls)),
            Ended::Failed(names, failure) => {
                let named = names.sop_class.as_ref().zip(names.sop_instance.as_ref());
                let (sequence, mut item) = match named {
                    Some((class, instance)) => (&mut failed, reference(class, instance)),
                    None => (&mut other, json!({})),
                };
                put_failure(&mut item, failure);
                sequence.push(item);
            }
        }
    }
    let mut module = json!({ "00081190": retrieve_url(ended, addressed, urls) });
    for (tag, items) in [("00081198", failed), ("00081199", referenced), ("0008119A", other)] {
        if !items.is_empty() {
            put(&mut module, tag, "SQ", &items);
        }
    }
    module
}

/// Retrieve URL of the one study concerned; empty when there are several.
fn retrieve_url(ended: &[Ended], addressed: Option<&Uid>, urls: &Urls) -> Value {
    let mut studies = ended.iter().filter_map(|ended| match ended {
        Ended::Stored(receipt) => Some(&receipt.path.study),
        Ended::Failed(..) => None,
    });
    let one = match addressed {
        Some(study) => Some(study),
        None => studies.next().filter(|first| studies.all(|study| study == *first)),
    };
    one.map_or_else(|| json!({"vr": "UR"}), |study| value("UR", &[urls.study(study).into()]))
}

fn stored(receipt: &Receipt, warning: Option<u16>, urls: &Urls) -> Value {
    let mut item = reference(&receipt.sop_class, &receipt.path.instance);
    put(&mut item, "00081190", "UR", &[urls.of(&receipt.path).into()]);
    if let Some(warning) = warning {
        put(&mut item, "00081196", "US", &[warning.into()]);
    }
    item
}

fn warning(ended: &Ended) -> Option<u16> {
    match ended {
        Ended::Stored(receipt) if receipt.outcome == Outcome::KeptBeside => Some(DUPLICATE),
        _ => None,
    }
}

/// SOP Instance Reference Macro (PS3.3 Table 10-11).
fn reference(class: &Uid, instance: &Uid) -> Value {
    let uid = |uid: &Uid| value("UI", &[uid.as_str().into()]);
    json!({ "00081150": uid(class), "00081155": uid(instance) })
}

/// The reason as the standard has it, and its words where clients look for them: Failed Attributes
/// Sequence with an Error Comment.
fn put_failure(item: &mut Value, failure: &Failure) {
    put(item, "00081197", "US", &[failure.reason.into()]);
    let comment: String = failure.comment.chars().take(MAX_COMMENT_CHARS).collect();
    let comment = json!({ "00000902": value("LO", &[comment.into()]) });
    put(item, "00741048", "SQ", &[comment]);
}

fn put(item: &mut Value, tag: &str, vr: &str, values: &[Value]) {
    if let Some(attributes) = item.as_object_mut() {
        attributes.insert(tag.to_owned(), value(vr, values));
    }
}

fn value(vr: &str, values: &[Value]) -> Value {
    json!({ "vr": vr, "Value": values })
}

#[cfg(test)]
mod tests;
