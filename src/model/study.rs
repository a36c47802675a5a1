//! What an object says of its patient, study, series and itself; what the index keeps of it.
//!
//! All text is UTF-8, decoded from the object's own character sets, padding removed. Dates are
//! `YYYYMMDD`, times `HHMMSS.ffffff` cut where the object cut them; a value that is not of that
//! form is kept as it came and matches literally.

use crate::dicom::extended::Owner;
use crate::dicom::uid::Uid;
use crate::model::rejection::Note;
use crate::model::rejection::Reason;
use crate::people::patient_id::PatientId;

/// DICOM JSON attributes (PS3.18 §F.2) as one object's text, tags ascending, UTF-8, without
/// BulkDataURI: `{"00080020":{"vr":"DA","Value":["20260102"]},…}`. Never empty: at least `{}`.
pub type AttributesJson = String;

/// Patient level facts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PatientFacts {
    /// Patient ID and issuer.
    pub id: PatientId,
    /// Patient's Name (0010,0010), all component groups, `=`-separated as in PS3.5 §6.2.1.
    pub name: String,
    /// Patient's Birth Date (0010,0030).
    pub birth_date: String,
    /// Patient's Sex (0010,0040).
    pub sex: String,
    /// All patient level attributes worth returning.
    pub attributes: AttributesJson,
}

/// Study level facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyFacts {
    /// Study Instance UID (0020,000D).
    pub uid: Uid,
    /// Study Date (0008,0020).
    pub date: String,
    /// Study Time (0008,0030).
    pub time: String,
    /// Accession Number (0008,0050).
    pub accession_number: String,
    /// Referring Physician's Name (0008,0090).
    pub referring_physician: String,
    /// Study ID (0020,0010).
    pub id: String,
    /// Study Description (0008,1030).
    pub description: String,
    /// All study level attributes worth returning.
    pub attributes: AttributesJson,
}

/// Series level facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesFacts {
    /// Series Instance UID (0020,000E).
    pub uid: Uid,
    /// Modality (0008,0060).
    pub modality: String,
    /// Series Number (0020,0011) as text, without padding and leading zeros.
    pub number: String,
    /// Series Description (0008,103E).
    pub description: String,
    /// Body Part Examined (0018,0015).
    pub body_part: String,
    /// Performed Procedure Step Start Date (0040,0244).
    pub performed_date: String,
    /// Performed Procedure Step Start Time (0040,0245).
    pub performed_time: String,
    /// Items of Request Attributes Sequence (0040,0275).
    pub requests: Vec<RequestFacts>,
    /// All series level attributes worth returning.
    pub attributes: AttributesJson,
}

/// One item of Request Attributes Sequence (0040,0275).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestFacts {
    /// Scheduled Procedure Step ID (0040,0009).
    pub scheduled_step_id: String,
    /// Requested Procedure ID (0040,1001).
    pub procedure_id: String,
}

/// Instance level facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceFacts {
    /// SOP Class UID (0008,0016).
    pub sop_class: Uid,
    /// SOP Instance UID (0008,0018).
    pub uid: Uid,
    /// Instance Number (0020,0013) as text, without padding and leading zeros.
    pub number: String,
    /// Number of Frames (0028,0008); 1 when absent and there are pixels, 0 when there are none.
    pub frames: u32,
    /// Timezone Offset From UTC (0008,0201), of all dates and times of the object.
    pub timezone: String,
    /// All instance level attributes worth returning.
    pub attributes: AttributesJson,
}

/// Where one received copy of an instance lies and how it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyFacts {
    /// Key of the Part 10 file in the blob store.
    pub blob_key: String,
    /// Bytes of the Part 10 file.
    pub blob_bytes: u64,
    /// SHA-256 of the data set bytes as received (without preamble and meta header).
    pub data_set_sha256: [u8; 32],
    /// Transfer syntax the data set came in.
    pub transfer_syntax: String,
    /// AE title, file or request it came from; never patient data.
    pub source: String,
    /// When the last byte arrived, µs since 1970.
    pub received_us: i64,
    /// The layout (`dicom::layout::Layout::to_bytes`).
    pub layout: Vec<u8>,
}

/// Everything one index transaction needs to know of a received object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInstance {
    /// Whom it is about.
    pub patient: PatientFacts,
    /// Its study.
    pub study: StudyFacts,
    /// Its series.
    pub series: SeriesFacts,
    /// Itself.
    pub instance: InstanceFacts,
    /// The copy just made durable.
    pub copy: CopyFacts,
    /// What it says of attributes the administrator declared.
    pub extended: Vec<ExtendedFact>,
    /// What it rejects, if it is a rejection note that counts.
    pub rejects: Option<Note>,
}

/// One value of an attribute the administrator declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtendedFact {
    /// The attribute's name (`dicom::extended::Declared`).
    pub name: String,
    /// Whose it is.
    pub owner: Owner,
    /// The value, never empty; of names folded.
    pub value: String,
}

/// What became of a received object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// First of its SOP Instance UID in its series: now served.
    Stored,
    /// The same bytes were here already: nothing written to the index; the new blob is an orphan
    /// to be deleted.
    AlreadyHere,
    /// Other bytes are here under the same UID: both copies kept, the older stays the one served,
    /// the conflict recorded.
    KeptBeside,
    /// A note rejects it: its bytes are kept, in the bin.
    Rejected,
    /// A note rejected it, and it may not come again: nothing written, the new blob is to be deleted.
    Refused(Reason),
}
