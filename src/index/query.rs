//! What a search asks, in the index's own words.

use crate::dicom::extended::Owner;
use crate::dicom::uid::Uid;
use crate::people::patient_id::PatientId;

/// Level a search answers at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// One row per study (and patient).
    Study,
    /// One row per series.
    Series,
    /// One row per instance.
    Instance,
}

/// Attributes a search can match (PS3.18 Table 10.6.1-5, and what viewers ask beyond it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// (0010,0020)
    PatientId,
    /// (0010,0021)
    IssuerOfPatientId,
    /// (0010,0010), matched insensitive to case and accents
    PatientName,
    /// (0010,0030)
    PatientBirthDate,
    /// (0010,0040)
    PatientSex,
    /// (0020,000D)
    StudyInstanceUid,
    /// (0008,0020)
    StudyDate,
    /// (0008,0030)
    StudyTime,
    /// (0008,0050)
    AccessionNumber,
    /// (0008,0090), matched insensitive to case and accents
    ReferringPhysicianName,
    /// (0020,0010)
    StudyId,
    /// (0008,1030)
    StudyDescription,
    /// (0008,0061): any series of the study has the modality
    ModalitiesInStudy,
    /// (0020,000E)
    SeriesInstanceUid,
    /// (0008,0060)
    Modality,
    /// (0020,0011)
    SeriesNumber,
    /// (0008,103E)
    SeriesDescription,
    /// (0018,0015)
    BodyPartExamined,
    /// (0040,0244)
    PerformedDate,
    /// (0040,0245)
    PerformedTime,
    /// (0040,0275) > (0040,0009)
    ScheduledStepId,
    /// (0040,0275) > (0040,1001)
    RequestedProcedureId,
    /// (0008,0018)
    SopInstanceUid,
    /// (0008,0016)
    SopClassUid,
    /// (0020,0013)
    InstanceNumber,
    /// An attribute the administrator declared.
    Extended(ExtendedKey),
}

/// An attribute the administrator declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExtendedKey {
    /// Its name.
    pub name: &'static str,
    /// Whose it is.
    pub owner: Owner,
    /// Whether its values are names, matched insensitive to case and accents.
    pub is_name: bool,
}

impl Key {
    /// The level whose rows hold the attribute; the patient's stand with the study's.
    pub fn level(self) -> Level {
        match self {
            Self::PatientId
            | Self::IssuerOfPatientId
            | Self::PatientName
            | Self::PatientBirthDate
            | Self::PatientSex
            | Self::StudyInstanceUid
            | Self::StudyDate
            | Self::StudyTime
            | Self::AccessionNumber
            | Self::ReferringPhysicianName
            | Self::StudyId
            | Self::StudyDescription
            | Self::ModalitiesInStudy => Level::Study,
            Self::SeriesInstanceUid
            | Self::Modality
            | Self::SeriesNumber
            | Self::SeriesDescription
            | Self::BodyPartExamined
            | Self::PerformedDate
            | Self::PerformedTime
            | Self::ScheduledStepId
            | Self::RequestedProcedureId => Level::Series,
            Self::SopInstanceUid | Self::SopClassUid | Self::InstanceNumber => Level::Instance,
            Self::Extended(key) => match key.owner {
                Owner::Patient | Owner::Study => Level::Study,
                Owner::Series => Level::Series,
                Owner::Instance => Level::Instance,
            },
        }
    }

    /// Whether the attribute has one value in each row of its level, so that answers can be sorted
    /// by it.
    pub fn sorts(self) -> bool {
        !matches!(
            self,
            Self::ModalitiesInStudy
                | Self::ScheduledStepId
                | Self::RequestedProcedureId
                | Self::Extended(_)
        )
    }
}

/// How an attribute is to match (PS3.4 §C.2.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Exactly this text (names: folded).
    Equal(String),
    /// `*` any run, `?` any one character; case-sensitive but for names.
    Wildcard(String),
    /// One of these UIDs.
    AnyOf(Vec<String>),
    /// From and to, both included, either open; compared as text, so that a bound shorter than
    /// the value includes every value that begins with it (`to` = "202601" includes "20260131").
    Range {
        /// Lower bound.
        from: Option<String>,
        /// Upper bound.
        to: Option<String>,
    },
    /// The attribute is empty (empty value matching, PS3.4 §C.2.2.2.7).
    Empty,
    /// Any of these (multiple value matching, PS3.4 §C.2.2.2.8).
    Any(Vec<Rule>),
    /// A name, by ear (PS3.4 §C.2.2.2.1.1): every one of these must be met by a word of it.
    Fuzzy(Vec<Spellings>),
    /// The date and the time of the key's act together (PS3.4 §C.2.2.2.5); for keys that are dates
    /// with a time beside them.
    Span(Span),
}

/// What one asked word may be: any of these spellings. A word of a name meets a spelling when it
/// begins with it or sounds like it (`dicom::phonetic`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spellings {
    /// The spellings.
    pub any: Vec<String>,
    /// Whether the first of them may also stand anywhere in the name.
    pub anywhere: bool,
}

/// A span of time; both ends included, either open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Span {
    /// From this date and time, as values are written.
    pub from: Option<Moment>,
    /// To this date and time, and to what begins with it.
    pub to: Option<Moment>,
    /// The same as instants, where the search names a time zone: what says its own time zone is
    /// compared by them, the rest as it stands.
    pub instants: Option<Instants>,
}

/// A date and a time of it, either as short as was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// `YYYY`, `YYYYMM` or `YYYYMMDD`.
    pub date: String,
    /// `HHMMSS.ffffff` or a beginning of it; empty: the whole day.
    pub time: String,
}

/// Instants, µs since 1970 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Instants {
    /// Not before.
    pub from_us: Option<i64>,
    /// Before.
    pub before_us: Option<i64>,
}

/// One key of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderBy {
    /// The attribute.
    pub key: Key,
    /// Greatest first.
    pub descending: bool,
}

/// One condition; all conditions of a query must hold. A series-level condition in a study-level
/// query holds when any series satisfies all series-level conditions, and so on down. The
/// conditions on attributes of one sequence hold together on one item of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Which attribute.
    pub key: Key,
    /// How.
    pub rule: Rule,
}

/// A search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Level of the answers.
    pub level: Level,
    /// Only within this study.
    pub study: Option<Uid>,
    /// Only within this series.
    pub series: Option<Uid>,
    /// Only this patient's.
    pub patient: Option<PatientId>,
    /// Conditions.
    pub matches: Vec<Match>,
    /// What the answers are sorted by first; after that, and without, as [`Found`] states.
    pub order: Vec<OrderBy>,
    /// At most so many rows; the caller asks one more than it shows to learn whether there are more.
    pub limit: u32,
    /// Rows to leave out first.
    pub offset: u32,
}

/// One answer: attributes of its level and the levels above, each one JSON object's text, and the
/// counts the index keeps. Order of answers: studies newest first (date, time, then id), series by
/// number then id, instances by number then id; the same query gives the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Patient attributes.
    pub patient: String,
    /// Study attributes.
    pub study: String,
    /// Study Instance UID.
    pub study_uid: Uid,
    /// Whose study it is.
    pub patient_id: PatientId,
    /// Distinct modalities of the study's series, sorted.
    pub modalities: Vec<String>,
    /// Number of Study Related Series (0020,1206).
    pub study_series: u32,
    /// Number of Study Related Instances (0020,1208).
    pub study_instances: u32,
    /// Series part, at series and instance level.
    pub series: Option<FoundSeries>,
    /// Instance part, at instance level.
    pub instance: Option<FoundInstance>,
}

/// The series part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSeries {
    /// Series attributes.
    pub attributes: String,
    /// Series Instance UID.
    pub uid: Uid,
    /// Number of Series Related Instances (0020,1209).
    pub instances: u32,
}

/// The instance part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundInstance {
    /// Instance attributes.
    pub attributes: String,
    /// SOP Instance UID.
    pub uid: Uid,
    /// Transfer syntax it is stored in.
    pub transfer_syntax: String,
}
