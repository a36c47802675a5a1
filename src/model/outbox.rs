//! What is to be told to the national gateway, and how far that is.

/// What the gateway is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Publish a version of a report, in place of the version before where that was published.
    Publish,
    /// Delete what was published.
    Delete,
    /// Update the metadata of what was published: who may see it.
    Update,
}

impl Operation {
    /// The stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Delete => "delete",
            Self::Update => "update",
        }
    }

    /// Reads the stored form back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Publish, Self::Delete, Self::Update]
            .into_iter()
            .find(|operation| operation.as_str() == text)
    }
}

/// How far an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing was asked of the gateway yet, or it forgot.
    Waiting,
    /// The gateway found the document valid.
    Validated,
    /// The request is on its way: whether the gateway took it nobody knows yet.
    Sending,
    /// The gateway took it; what becomes of it is asked.
    Sent,
    /// It is in the national index, or out of it where that was asked.
    Done,
    /// The gateway refused it: somebody must look.
    Refused,
    /// Somebody set it aside.
    Aside,
}

impl Stage {
    /// All stages, in their order.
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Validated,
        Self::Sending,
        Self::Sent,
        Self::Done,
        Self::Refused,
        Self::Aside,
    ];

    /// The stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Validated => "validated",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Aside => "aside",
        }
    }

    /// Reads the stored form back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }

    /// Whether nothing more happens by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Refused | Self::Aside)
    }
}

/// An entry of the outbox: one a document and operation, for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: i64,
    /// The document.
    pub document: i64,
    /// What is asked.
    pub operation: Operation,
    /// Whether an update obscures the document in the national index, or shows it again.
    pub obscured: bool,
    /// Its progress.
    pub progress: Progress,
    /// Raised by one with every change: who changes an entry says which one they saw.
    pub revision: i64,
    /// Who asked for it.
    pub actor: String,
    /// When, µs since 1970.
    pub made_us: i64,
    /// When it last changed.
    pub changed_us: i64,
}

/// What changes of an entry as it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// How far it is.
    pub stage: Stage,
    /// The document's unique identifier in the national index, once it is being sent.
    pub unique_id: String,
    /// The unique identifier of the version it takes the place of; empty: of none.
    pub in_place_of: String,
    /// The gateway's name of the transaction.
    pub workflow: String,
    /// The gateway's name of the last request.
    pub trace: String,
    /// The PDF that is sent: key, bytes and hash; empty until it is made.
    pub file: Option<SentFile>,
    /// Failures since it last got on.
    pub failures: u32,
    /// Why it was refused or got no further, in the gateway's own codes.
    pub reason: String,
    /// What the gateway warned of.
    pub warning: String,
}

/// The file that is sent, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentFile {
    /// Key of its blob.
    pub blob_key: String,
    /// Bytes of its blob.
    pub blob_bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
}
