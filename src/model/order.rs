//! Imaging orders as they are kept.

/// An order, found again by any of its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImagingOrder {
    /// Placer's number and who assigned it.
    pub placer: (String, String),
    /// Filler's number and who assigned it.
    pub filler: (String, String),
    /// Accession number and who assigned it.
    pub accession: (String, String),
    /// Number of the electronic prescription.
    pub nre: String,
    /// Study Instance UID.
    pub study_uid: String,
    /// Code of what is asked.
    pub procedure: String,
    /// Its text.
    pub procedure_text: String,
    /// Modality.
    pub modality: String,
    /// Body part, as DICOM's Body Part Examined or as a SNOMED CT code.
    pub body_part: String,
    /// The side of it: `L` or `R`.
    pub side: String,
    /// Last order control seen.
    pub control: String,
    /// Status.
    pub status: String,
    /// The person it is for, as the row their identifiers belong to.
    pub person: Option<i64>,
}
