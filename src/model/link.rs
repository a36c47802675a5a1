//! Links between documents and studies, and what waits for a decision.

use crate::model::document::Reference;
use crate::model::document::ReferenceKind;

/// How a link was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// By a reference both have.
    Reference(ReferenceKind),
    /// Somebody said so.
    Manual,
}

impl Method {
    /// The stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reference(kind) => kind.as_str(),
            Self::Manual => "manual",
        }
    }

    /// Reads the stored form back.
    pub fn parse(text: &str) -> Self {
        ReferenceKind::parse(text).map_or(Self::Manual, Self::Reference)
    }
}

/// A link to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLink {
    /// The document.
    pub document: i64,
    /// The study, by the index's row id.
    pub study: i64,
    /// How it was found.
    pub method: Method,
    /// The values it rests on, as JSON.
    pub evidence: String,
    /// Who made it.
    pub actor: String,
}

/// A link as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its id.
    pub id: i64,
    /// The document.
    pub document: i64,
    /// The study's row.
    pub study: i64,
    /// Study Instance UID.
    pub study_uid: String,
    /// How it was found.
    pub method: Method,
    /// The values it rests on, as JSON.
    pub evidence: String,
    /// Who made it.
    pub actor: String,
    /// When, µs since 1970.
    pub made_us: i64,
    /// When and by whom it was undone, if it was.
    pub undone: Option<(i64, String)>,
}

/// A study as linking sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyBrief {
    /// The index's row id.
    pub id: i64,
    /// Study Instance UID.
    pub uid: String,
    /// The person it is of, merges resolved; `None` while nobody knows.
    pub person: Option<i64>,
    /// Study Date.
    pub date: String,
    /// Study Description.
    pub description: String,
    /// Accession Number.
    pub accession: String,
    /// Modalities, with a backslash between.
    pub modalities: String,
    /// Instances.
    pub instances: u32,
    /// Name as it is matched, birth date and sex of the patient as the study has them.
    pub name: String,
    /// `YYYYMMDD`.
    pub birth_date: String,
    /// Sex.
    pub sex: String,
}

/// A reference that a study or document shares with what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// Row of the study, or id of the document.
    pub id: i64,
    /// The reference as it stands there.
    pub reference: Reference,
}

/// Why something waits for a person to look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// A study or document whose identifiers identify nobody.
    Unverified,
    /// Identifiers that contradict each other or what is kept.
    IdentityConflict,
    /// A document and a study belong together and are of two people.
    PersonConflict,
    /// A document without a study.
    Unlinked,
}

impl ItemKind {
    /// All kinds.
    pub const ALL: [Self; 4] =
        [Self::Unverified, Self::IdentityConflict, Self::PersonConflict, Self::Unlinked];

    /// The stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::IdentityConflict => "identity-conflict",
            Self::PersonConflict => "person-conflict",
            Self::Unlinked => "unlinked",
        }
    }

    /// Reads the stored form back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// A study, by the index's row id.
    Study(i64),
    /// A document.
    Document(i64),
}

impl Waiting {
    /// The stored form of its kind.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Study(_) => "study",
            Self::Document(_) => "document",
        }
    }

    /// Its id.
    pub fn id(self) -> i64 {
        match self {
            Self::Study(id) | Self::Document(id) => id,
        }
    }
}

/// An item of the reconciliation queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: i64,
    /// Why it waits.
    pub kind: ItemKind,
    /// What waits.
    pub waiting: Waiting,
    /// What is known of it, as JSON: people concerned, the other side.
    pub facts: String,
    /// Since when, µs since 1970.
    pub opened_us: i64,
}
