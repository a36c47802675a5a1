//! Work that can wait, kept as rows until done.

/// Kinds of job; the text form is what the index stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Make a series' thumbnail; subject: the index's series id.
    SeriesThumbnail,
    /// Precompute a quiet series' `/metadata`; subject: the index's series id.
    SeriesMetadata,
    /// Read objects' headers for attributes declared since; subject: which declarations.
    Attributes,
    /// Look at the change feed for a webhook; subject: its name.
    Webhook,
    /// Say whose a quiet series' study is and link its documents; subject: the index's series id.
    SeriesFascicolo,
    /// Look at what somebody asked to be kept safe; subject: the transaction's UID.
    Commitment,
    /// Look at the change feed for a subscription; subject: the name it follows under.
    Subscription,
    /// Take an entry of the national gateway's outbox further; subject: its id.
    Gateway,
}

impl JobKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::SeriesThumbnail,
        Self::SeriesMetadata,
        Self::SeriesFascicolo,
        Self::Attributes,
        Self::Webhook,
        Self::Subscription,
        Self::Commitment,
        Self::Gateway,
    ];

    /// What is done for every series once it is quiet.
    pub const OF_SERIES: [Self; 3] =
        [Self::SeriesThumbnail, Self::SeriesMetadata, Self::SeriesFascicolo];

    /// The stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SeriesThumbnail => "series-thumbnail",
            Self::SeriesMetadata => "series-metadata",
            Self::Attributes => "attributes",
            Self::Webhook => "webhook",
            Self::Subscription => "subscription",
            Self::SeriesFascicolo => "series-fascicolo",
            Self::Commitment => "commitment",
            Self::Gateway => "gateway",
        }
    }

    /// Reads the stored form back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A job to be queued. One row per (kind, subject): queueing it again moves `run_us` and makes it
/// run again if it is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// What to do.
    pub kind: JobKind,
    /// To what: an id of the index as text, or a name.
    pub subject: String,
    /// Not before, µs since 1970.
    pub run_us: i64,
}

/// A job claimed by a worker, its until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Row id.
    pub id: i64,
    /// What to do.
    pub kind: JobKind,
    /// To what.
    pub subject: String,
    /// Which queueing of the job this claim saw; a later one keeps the row alive.
    pub generation: i64,
    /// How often it was claimed, this time included.
    pub attempts: u32,
}
