//! What happened, in order: the change feed's rows.

use crate::dicom::uid::Uid;

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
    /// Study concerned.
    pub study: Uid,
    /// Series concerned.
    pub series: Uid,
    /// Instance concerned.
    pub instance: Uid,
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
}

impl EventKind {
    /// The stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InstanceStored => "instance-stored",
            Self::InstanceConflict => "instance-conflict",
            Self::InstanceDeleted => "instance-deleted",
            Self::InstanceRejected => "instance-rejected",
            Self::StudyConflict => "study-conflict",
        }
    }

    /// Reads the stored form back.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::InstanceStored,
            Self::InstanceConflict,
            Self::InstanceDeleted,
            Self::InstanceRejected,
            Self::StudyConflict,
        ];
        all.into_iter().find(|kind| kind.as_str() == text)
    }
}
