//! What happened, in order: the change feed's rows.

use crate::model::path::InstancePath;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Position in the feed: strictly increasing in commit order, so that a reader who has seen
    /// `sequence` never misses an earlier event later.
    pub sequence: i64,
    /// When, µs since 1970.
    pub at_us: i64,
    /// What.
    pub kind: EventKind,
    /// The instance concerned, of an event of the archive.
    pub object: Option<InstancePath>,
    /// What an event of the fascicolo concerns, as `/fhir` names it (`Patient/id`): nothing a person
    /// is known by.
    pub concerns: Vec<String>,
}

/// Whoever is served the feed, and how far that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follower {
    /// Its name.
    pub name: String,
    /// The last event it was served.
    pub sequence: i64,
    /// Deliveries that failed since.
    pub failures: u32,
}

/// Kinds of event; the text form is what the index stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// An instance was stored.
    InstanceStored,
    /// Different bytes came under a known SOP Instance UID; both copies are kept.
    InstanceConflict,
    /// An instance was deleted: it lies in the bin.
    InstanceDeleted,
    /// A rejection note hid an instance: it lies in the bin.
    InstanceRejected,
    /// A Study Instance UID appeared under a second patient; both keep their own.
    StudyConflict,
    /// A study or document came into somebody's fascicolo, or left it.
    FascicoloChanged,
    /// What is kept of a study in a fascicolo changed: more came, or something was deleted.
    StudyChanged,
    /// A document was linked to a study.
    StudyLinked,
    /// A link was undone.
    StudyUnlinked,
    /// A document arrived: a report, or another.
    DocumentArrived,
    /// A document was replaced by a newer version, which is the second that is named.
    DocumentReplaced,
    /// A document was published by the national gateway.
    DocumentPublished,
    /// What was published of a document was deleted there.
    DocumentWithdrawn,
    /// Somebody came to be known here, or what is told of them changed: name, birth date, sex, identifiers.
    PersonChanged,
    /// Two people were found to be one: the first that is named stands for both.
    PersonMerged,
    /// They are two again.
    PersonUnmerged,
    /// Identifiers contradict each other, or a document and its study are of two people: somebody
    /// has to decide.
    ConflictRaised,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [Self; 17] = [
        Self::InstanceStored,
        Self::InstanceConflict,
        Self::InstanceDeleted,
        Self::InstanceRejected,
        Self::StudyConflict,
        Self::FascicoloChanged,
        Self::StudyChanged,
        Self::StudyLinked,
        Self::StudyUnlinked,
        Self::DocumentArrived,
        Self::DocumentReplaced,
        Self::DocumentPublished,
        Self::DocumentWithdrawn,
        Self::PersonChanged,
        Self::PersonMerged,
        Self::PersonUnmerged,
        Self::ConflictRaised,
    ];

    /// The stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InstanceStored => "instance-stored",
            Self::InstanceConflict => "instance-conflict",
            Self::InstanceDeleted => "instance-deleted",
            Self::InstanceRejected => "instance-rejected",
            Self::StudyConflict => "study-conflict",
            Self::FascicoloChanged => "fascicolo-changed",
            Self::StudyChanged => "study-changed",
            Self::StudyLinked => "study-linked",
            Self::StudyUnlinked => "study-unlinked",
            Self::DocumentArrived => "document-arrived",
            Self::DocumentReplaced => "document-replaced",
            Self::DocumentPublished => "document-published",
            Self::DocumentWithdrawn => "document-withdrawn",
            Self::PersonChanged => "person-changed",
            Self::PersonMerged => "person-merged",
            Self::PersonUnmerged => "person-unmerged",
            Self::ConflictRaised => "conflict-raised",
        }
    }

    /// Reads the stored form back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}
