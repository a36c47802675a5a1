//! People as the fascicolo keeps them apart: what a source says of somebody, and what is kept.

use crate::people::identifier::Identifier;

/// What a source says of somebody, and of whose study or document it says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// What is somebody's.
    pub subject: Sighted,
    /// Identifiers, broken ones too.
    pub identifiers: Vec<Identifier>,
    /// Name as DICOM writes names.
    pub name: String,
    /// `YYYYMMDD`.
    pub birth_date: String,
    /// `M`, `F`, other.
    pub sex: String,
    /// Where it was said: `dicom`, `cda`, `hl7`, `operator`.
    pub origin: Origin,
}

/// What a sighting is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sighted {
    /// A study, by the index's row id.
    Study(i64),
    /// A document, by its id.
    Document(i64),
    /// Nothing but the person: a registry's message.
    Person,
}

/// Where something about a person was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// A DICOM object.
    Dicom,
    /// A document.
    Document,
    /// A registry, in an HL7 message: what it says of name and birth is believed over the others.
    Registry,
    /// Somebody at this archive.
    Operator,
}

impl Origin {
    /// The stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dicom => "dicom",
            Self::Document => "document",
            Self::Registry => "registry",
            Self::Operator => "operator",
        }
    }
}

/// What became of a sighting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attached {
    /// The subject is this person's (the row the identifiers belong to, before merges).
    Person(i64),
    /// No identifier identifies anybody.
    Nobody,
    /// The identifiers contradict what is kept, or each other: these people are concerned.
    Conflict(Vec<i64>),
}

/// A person, merges resolved: what is kept of all rows that are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The row that stands for all.
    pub id: i64,
    /// Rows that are one with it, itself among them.
    pub rows: Vec<i64>,
    /// Name.
    pub name: String,
    /// `YYYYMMDD`.
    pub birth_date: String,
    /// Sex.
    pub sex: String,
    /// Identifiers with the row they belong to and where each was first said.
    pub identifiers: Vec<KnownIdentifier>,
}

/// An identifier as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownIdentifier {
    /// Row of the person.
    pub person: i64,
    /// The identifier.
    pub identifier: Identifier,
    /// Where it was first said.
    pub origin: String,
    /// When, µs since 1970.
    pub first_us: i64,
}

/// What was said of name and birth, and when first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demographics {
    /// Row of the person.
    pub person: i64,
    /// Where it was said.
    pub origin: String,
    /// Name.
    pub name: String,
    /// `YYYYMMDD`.
    pub birth_date: String,
    /// Sex.
    pub sex: String,
    /// Since when, µs since 1970.
    pub from_us: i64,
}

/// Two people found to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// Its id.
    pub id: i64,
    /// Who stays.
    pub survivor: i64,
    /// Who is one with them.
    pub absorbed: i64,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub actor: String,
    /// When, µs since 1970.
    pub at_us: i64,
    /// When it was undone, if it was.
    pub undone_us: Option<i64>,
}
