//! Documents of a fascicolo: reports and what else is written about somebody.

use crate::people::identifier::Identifier;

/// LOINC codes of reports of imaging: as the national index and as the European profiles have them, and
/// the older general one.
pub const REPORT_TYPES: [&str; 3] = ["68604-8", "85430-7", "18748-4"];

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// HL7 CDA release 2.
    Cda,
    /// PDF.
    Pdf,
    /// Plain text, as in an HL7 result message.
    Text,
    /// A DICOM structured report, as its file.
    Sr,
    /// A FHIR `DiagnosticReport`.
    Fhir,
    /// Something else.
    Other,
}

impl DocumentKind {
    /// The stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cda => "cda",
            Self::Pdf => "pdf",
            Self::Text => "text",
            Self::Sr => "sr",
            Self::Fhir => "fhir",
            Self::Other => "other",
        }
    }

    /// Reads the stored form back; what is not known is something else.
    pub fn parse(text: &str) -> Self {
        [Self::Cda, Self::Pdf, Self::Text, Self::Sr, Self::Fhir]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .unwrap_or(Self::Other)
    }
}

/// What a document and a study may have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// Which kind of thing it names.
    pub kind: ReferenceKind,
    /// Who assigned the number, as `people::identifier::assigner_of` has it; empty when not told.
    pub assigner: String,
    /// The number or UID.
    pub value: String,
}

/// Kinds of reference, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReferenceKind {
    /// Study Instance UID.
    Study,
    /// Accession number; an order number of a document that is no prescription is one too.
    Accession,
    /// Number of an electronic prescription, or a placer's order number.
    Order,
}

impl ReferenceKind {
    /// All kinds, strongest first.
    pub const ALL: [Self; 3] = [Self::Study, Self::Accession, Self::Order];

    /// The stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Study => "study-uid",
            Self::Accession => "accession",
            Self::Order => "order",
        }
    }

    /// Reads the stored form back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The version of a document that is the next of its set, whatever that has.
pub const NEXT_VERSION: u32 = u32::MAX;

/// A document whose bytes are durable, to be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDocument {
    /// What it is.
    pub kind: DocumentKind,
    /// Its media type.
    pub media_type: String,
    /// SHA-256 of its bytes as they came.
    pub sha256: [u8; 32],
    /// Key of its blob.
    pub blob_key: String,
    /// Bytes of its blob.
    pub blob_bytes: u64,
    /// Where it came from; no patient data.
    pub source: String,
    /// Its own identifier, `root^extension`; empty when it has none.
    pub document_id: String,
    /// Identifier common to its versions; empty when it has none.
    pub set_id: String,
    /// Its version; 0 when it says none, or [`NEXT_VERSION`].
    pub version: u32,
    /// Identifiers of the documents it replaces.
    pub replaces: Vec<String>,
    /// Its type's code (LOINC for CDA).
    pub type_code: String,
    /// Its title.
    pub title: String,
    /// When it was made, as HL7 writes times.
    pub effective: String,
    /// Date of the service it is about, `YYYYMMDD`; empty when not told.
    pub service_date: String,
    /// N, R or V.
    pub confidentiality: String,
    /// National rules it breaks, as `ERRORE-5 ERRORE-7`.
    pub findings: String,
    /// Its text, for searching.
    pub text: String,
    /// Whom it says it is about.
    pub patient: DocumentSubject,
    /// What it may have in common with studies.
    pub references: Vec<Reference>,
    /// The DICOM instance it came in, by the index's row id.
    pub instance: Option<i64>,
}

/// Whom a document says it is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DocumentSubject {
    /// Identifiers, broken ones too.
    pub identifiers: Vec<Identifier>,
    /// Name as DICOM writes names.
    pub name: String,
    /// `YYYYMMDD`.
    pub birth_date: String,
    /// Sex.
    pub sex: String,
}

/// A document as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its id.
    pub id: i64,
    /// The person it is about, merges resolved; `None` while nobody knows.
    pub person: Option<i64>,
    /// What it is.
    pub kind: DocumentKind,
    /// Its media type.
    pub media_type: String,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Key of its blob.
    pub blob_key: String,
    /// Bytes of its blob.
    pub blob_bytes: u64,
    /// Its own identifier.
    pub document_id: String,
    /// Identifier common to its versions.
    pub set_id: String,
    /// Its version.
    pub version: u32,
    /// The document that replaced it, if one did.
    pub superseded_by: Option<i64>,
    /// Its type's code.
    pub type_code: String,
    /// Its title.
    pub title: String,
    /// When it was made.
    pub effective: String,
    /// Date of the service.
    pub service_date: String,
    /// National rules it breaks.
    pub findings: String,
    /// Name, birth date and sex as it has them.
    pub name: String,
    /// `YYYYMMDD`.
    pub birth_date: String,
    /// Sex.
    pub sex: String,
    /// When it came, µs since 1970.
    pub received_us: i64,
}
