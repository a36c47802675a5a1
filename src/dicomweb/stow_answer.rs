//! STOW-RS: what became of each instance, as the Store Instances Response (PS3.18 §I.1).

use axum::http::StatusCode;
use dicom_dictionary_std::tags;
use serde_json::{Value, json};

use crate::archive::error::ArchiveError;
use crate::archive::ingest::Receipt;
use crate::blobs::error::BlobError;
use crate::dicom::part10::Prefix;
use crate::dicom::uid::Uid;
use crate::dicom::write::DataSet;
use crate::dicomweb::address::Urls;
use crate::imaging::error::ImagingError;
use crate::index::error::IndexError;
use crate::model::study::Outcome;

/// Refused: out of resources (PS3.18 Table I.2-2).
pub const OUT_OF_RESOURCES: u16 = 0xA700;
/// Data set does not match its SOP class, its command or the study addressed.
pub const DOES_NOT_MATCH: u16 = 0xA900;
/// Refused: larger than this archive takes (ours, of the A7xx).
pub const TOO_LARGE: u16 = 0xA713;
/// Cannot understand.
pub const CANNOT_UNDERSTAND: u16 = 0xC000;
/// Cannot understand: the metadata document is no JSON or XML (ours, of the Cxxx).
pub const MALFORMED: u16 = 0xC001;
/// Cannot understand: it was rejected by a note and is not taken again.
pub const REJECTED: u16 = 0xC002;
/// Referenced Transfer Syntax not supported.
pub const SYNTAX_NOT_SUPPORTED: u16 = 0xC122;
/// Elements discarded, as a warning (PS3.18 Table I.2-1).
pub const ELEMENTS_DISCARDED: u16 = 0xB006;
/// Processing failure.
pub const PROCESSING_FAILURE: u16 = 0x0110;
/// Not authorized (PS3.7 §C.5.25).
pub const NOT_AUTHORIZED: u16 = 0x0124;
/// Duplicate SOP Instance (PS3.7 §C.5.3), as a warning: kept, beside other bytes of that name.
pub const DUPLICATE: u16 = 0x0111;
/// Most attributes a warning tells by name.
const MAX_LEFT_OUT: usize = 32;
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

    /// The names metadata gives.
    pub fn of_metadata(data_set: &DataSet) -> Self {
        let uid = |tag| data_set.text(tag).and_then(|text| Uid::parse(text).ok());
        Self { sop_class: uid(tags::SOP_CLASS_UID), sop_instance: uid(tags::SOP_INSTANCE_UID) }
    }
}

/// What became of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It is in the archive.
    Stored {
        /// What became of it.
        receipt: Receipt,
        /// The attributes of its metadata that could not be, and why.
        left_out: Vec<String>,
    },
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
        ArchiveError::Rejected(_) => REJECTED,
        ArchiveError::Denied => NOT_AUTHORIZED,
        ArchiveError::Blobs(_)
        | ArchiveError::Index(_)
        | ArchiveError::Stopping
        | ArchiveError::Unknown(_)
        | ArchiveError::Ambiguous { .. }
        | ArchiveError::Imaging(
            ImagingError::Stopped
            | ImagingError::TooManyFrames { .. }
            | ImagingError::OutsidePicture { .. },
        ) => PROCESSING_FAILURE,
        ArchiveError::Imaging(ImagingError::TooLarge { .. }) => TOO_LARGE,
        ArchiveError::Imaging(ImagingError::Unsupported(_) | ImagingError::Video(_)) => {
            SYNTAX_NOT_SUPPORTED
        }
        ArchiveError::Malformed(_)
        | ArchiveError::Imaging(
            ImagingError::Damaged(_) | ImagingError::NoPixels | ImagingError::NoSuchFrame { .. },
        ) => CANNOT_UNDERSTAND,
    }
}

/// 200 when all is stored as it came, 202 when some failed or have a warning, 409 when none is
/// stored (PS3.18 §10.5.3.1); 503 when none is stored for want of the stores, so that clients try
/// again; 413 when all were too large, 400 when the metadata was no JSON or XML.
pub fn status(ended: &[Ended]) -> StatusCode {
    let stored = ended.iter().any(|ended| matches!(ended, Ended::Stored { .. }));
    let warned = ended.iter().any(|ended| warning(ended).is_some());
    let reasons: Vec<u16> = ended.iter().filter_map(failure).collect();
    let all = |of: &[u16]| !reasons.is_empty() && reasons.iter().all(|it| of.contains(it));
    match (stored, reasons.is_empty()) {
        (true, true) if !warned => StatusCode::OK,
        (true, _) => StatusCode::ACCEPTED,
        (false, _) if all(&[OUT_OF_RESOURCES, PROCESSING_FAILURE]) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        (false, _) if all(&[TOO_LARGE]) => StatusCode::PAYLOAD_TOO_LARGE,
        (false, _) if all(&[MALFORMED]) => StatusCode::BAD_REQUEST,
        (false, _) => StatusCode::CONFLICT,
    }
}

fn failure(ended: &Ended) -> Option<u16> {
    match ended {
        Ended::Failed(_, failure) => Some(failure.reason),
        Ended::Stored { .. } => None,
    }
}

/// The Store Instances Response Module as DICOM JSON (PS3.18 Table I.1-1).
pub fn module(ended: &[Ended], addressed: Option<&Uid>, urls: &Urls) -> Value {
    let (mut referenced, mut failed, mut other) = (Vec::new(), Vec::new(), Vec::new());
    for ended in ended {
        match ended {
            Ended::Stored { receipt, left_out } => {
                referenced.push(stored(receipt, left_out, warning(ended), urls));
            }
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
        Ended::Stored { receipt, .. } => Some(&receipt.path.study),
        Ended::Failed(..) => None,
    });
    let one = match addressed {
        Some(study) => Some(study),
        None => studies.next().filter(|first| studies.all(|study| study == *first)),
    };
    one.map_or_else(|| json!({"vr": "UR"}), |study| value("UR", &[urls.study(study).into()]))
}

fn stored(receipt: &Receipt, left_out: &[String], warning: Option<u16>, urls: &Urls) -> Value {
    let mut item = reference(&receipt.sop_class, &receipt.path.instance);
    put(&mut item, "00081190", "UR", &[urls.of(&receipt.path).into()]);
    if let Some(warning) = warning {
        put(&mut item, "00081196", "US", &[warning.into()]);
    }
    if !left_out.is_empty() {
        let told = left_out.iter().take(MAX_LEFT_OUT);
        put(&mut item, "00741048", "SQ", &told.map(|text| comment(text)).collect::<Vec<_>>());
    }
    item
}

fn warning(ended: &Ended) -> Option<u16> {
    match ended {
        Ended::Stored { left_out, .. } if !left_out.is_empty() => Some(ELEMENTS_DISCARDED),
        Ended::Stored { receipt, .. } if receipt.outcome == Outcome::KeptBeside => Some(DUPLICATE),
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
    put(item, "00741048", "SQ", &[comment(&failure.comment)]);
}

fn comment(text: &str) -> Value {
    let text: String = text.chars().take(MAX_COMMENT_CHARS).collect();
    json!({ "00000902": value("LO", &[text.into()]) })
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
