//! The index's face: what the rooms above may ask of rows, whichever database keeps them.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::dicom::uid::Uid;
use crate::index::accesses::AccessRows;
use crate::index::error::IndexError;
use crate::index::fascicolo::FascicoloRows;
use crate::index::kept::KeptRows;
use crate::index::origins::OriginRows;
use crate::index::outbox::OutboxRows;
use crate::index::pages::FascicoloPages;
use crate::index::query::{Found, Query};
use crate::index::subscriptions::SubscriptionRows;
use crate::index::texts::TextRows;
use crate::model::commitment::Commitment;
use crate::model::event::{Event, Follower};
use crate::model::job::{Job, JobKind, NewJob};
use crate::model::path::{InstancePath, Scope};
use crate::model::rejection::Reason;
use crate::model::study::{AttributesJson, ExtendedFact, NewInstance, Outcome};
use crate::people::patient_id::PatientId;

/// An index shared by the rooms.
pub type SharedIndex = Arc<dyn Index>;

/// A stored instance: where its bytes are and how they lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Row id of the instance.
    pub id: i64,
    /// Row id of its series.
    pub series_id: i64,
    /// Its address.
    pub path: InstancePath,
    /// SOP Class UID.
    pub sop_class: String,
    /// Instance Number as text.
    pub number: String,
    /// Key of its blob.
    pub blob_key: String,
    /// Bytes of its blob.
    pub blob_bytes: u64,
    /// SHA-256 of its data set.
    pub data_set_sha256: [u8; 32],
    /// Transfer syntax it is stored in.
    pub transfer_syntax: String,
    /// Frames (see `model::study::InstanceFacts::frames`).
    pub frames: u32,
    /// `dicom::layout::Layout::to_bytes`.
    pub layout: Vec<u8>,
    /// When it came, µs since 1970.
    pub received_us: i64,
}

/// A series as the background work sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesState {
    /// Row id.
    pub id: i64,
    /// Address: study, series; `patient` filled.
    pub scope: Scope,
    /// Raised by one with every instance added; a derived object made at another revision is stale.
    pub revision: i64,
    /// Instances in it.
    pub instances: u32,
    /// When its last instance came, µs since 1970.
    pub changed_us: i64,
}

/// Objects made from a series' instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DerivedKind {
    /// Thumbnail, JPEG.
    Thumbnail,
    /// `/metadata` of the whole series as gzipped DICOM JSON.
    Metadata,
}

impl DerivedKind {
    /// The stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Thumbnail => "thumbnail",
            Self::Metadata => "metadata",
        }
    }
}

/// A derived object's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// Series it was made from.
    pub series_id: i64,
    /// What it is.
    pub kind: DerivedKind,
    /// Series revision it was made at.
    pub revision: i64,
    /// Key of its blob.
    pub blob_key: String,
    /// Bytes of its blob.
    pub blob_bytes: u64,
    /// What its reader must know besides (metadata: the base URL in it).
    pub note: String,
}

/// One kept copy, for the integrity check: the served ones and those kept beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyRow {
    /// Row id; pages follow it.
    pub id: i64,
    /// Address.
    pub path: InstancePath,
    /// Key of the blob.
    pub blob_key: String,
    /// Bytes of the blob.
    pub blob_bytes: u64,
    /// SHA-256 of the data set.
    pub data_set_sha256: [u8; 32],
    /// Where the data set begins in the blob is in here.
    pub layout: Vec<u8>,
    /// Transfer syntax.
    pub transfer_syntax: String,
    /// Whether it is the copy that is served (false: kept beside an older one).
    pub served: bool,
}

/// A study that has something in the bin for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binned {
    /// Study Instance UID.
    pub study: String,
    /// Why notes reject it; `None`: somebody deleted it.
    pub reason: Option<Reason>,
    /// Copies that lie there.
    pub copies: u64,
    /// When the last of them was deleted, µs since 1970.
    pub deleted_us: i64,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Patients.
    pub patients: u64,
    /// Studies.
    pub studies: u64,
    /// Series.
    pub series: u64,
    /// Instances served.
    pub instances: u64,
    /// Bytes of all kept copies.
    pub bytes: u64,
}

/// What a kept object says of attributes declared since it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Row id of its copy.
    pub copy: i64,
    /// The values.
    pub facts: Vec<ExtendedFact>,
    /// All attributes of patient, study, series and instance as it says them, DICOM JSON.
    pub attributes: [AttributesJson; 4],
}

/// Rows, durable when a call returns `Ok`.
#[async_trait]
pub trait Index:
    AccessRows
    + FascicoloRows
    + FascicoloPages
    + KeptRows
    + OriginRows
    + OutboxRows
    + SubscriptionRows
    + TextRows
    + Debug
    + Send
    + Sync
{
    /// Enters the instances in one transaction, synced before this returns, in their order; each
    /// gets its outcome. The transaction holds: patient, study, series, instance and copy rows,
    /// change events, and for every series touched by a `Stored` instance the jobs of `jobs`
    /// (kind and delay from now in µs); what a rejection note names goes into the bin. Concurrent calls, from any node, never collide: first sight
    /// of a patient, study or series may come from many at once.
    async fn store(
        &self,
        instances: &[NewInstance],
        jobs: &[(JobKind, i64)],
        now_us: i64,
    ) -> Result<Vec<Outcome>, IndexError>;

    /// Answers a search, in the order [`Found`] states.
    async fn find(&self, query: &Query) -> Result<Vec<Found>, IndexError>;

    /// How many rows a search would give, counted up to `at_most`.
    async fn count(&self, query: &Query, at_most: u32) -> Result<u32, IndexError>;

    /// The patients under whom a Study Instance UID is kept: none, one, or more when in conflict.
    async fn patients_of_study(&self, study: &str) -> Result<Vec<PatientId>, IndexError>;

    /// One instance, served copy; with `patient` in the scope only that patient's.
    async fn locate(&self, scope: &Scope) -> Result<Option<Located>, IndexError>;

    /// The served instances of a scope in (series number, series id, instance number, id) order,
    /// after the instance row id `after` in that order, at most `limit`.
    async fn list(
        &self,
        scope: &Scope,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Located>, IndexError>;

    /// The series of a scope, in series number order.
    async fn series_of(&self, scope: &Scope) -> Result<Vec<SeriesState>, IndexError>;

    /// A series by row id.
    async fn series(&self, id: i64) -> Result<Option<SeriesState>, IndexError>;

    /// Records a derived object in place of the older one of its kind; returns the blob key of the
    /// one it replaced, for deletion. Nothing is recorded, and its own key returned, when a newer
    /// revision is there already.
    async fn put_derived(&self, derived: &Derived) -> Result<Option<String>, IndexError>;

    /// The derived object of a kind, whatever its revision.
    async fn derived(
        &self,
        series_id: i64,
        kind: DerivedKind,
    ) -> Result<Option<Derived>, IndexError>;

    /// Events after `sequence`, oldest first, at most `limit`.
    async fn events(&self, after: i64, limit: u32) -> Result<Vec<Event>, IndexError>;

    /// Sequence of the newest event; 0 when there is none.
    async fn newest_event(&self) -> Result<i64, IndexError>;

    /// How far a follower of the feed has been served.
    async fn follower(&self, name: &str) -> Result<Option<Follower>, IndexError>;

    /// Records how far a follower has been served; never less far than is recorded already.
    async fn put_follower(&self, follower: &Follower) -> Result<(), IndexError>;

    /// Forgets the followers whose names begin so, but for one.
    async fn forget_followers(&self, prefix: &str, but: &str) -> Result<(), IndexError>;

    /// Enters what kept objects say of attributes declared since, in one transaction; safe to
    /// do again.
    async fn extend(&self, extensions: &[Extension]) -> Result<(), IndexError>;

    /// Queues jobs.
    async fn enqueue(&self, jobs: &[NewJob]) -> Result<(), IndexError>;

    /// Claims up to `limit` due jobs for `lease_us`; jobs whose lease ran out are due again.
    async fn claim_jobs(
        &self,
        worker: &str,
        now_us: i64,
        lease_us: i64,
        limit: u32,
    ) -> Result<Vec<Job>, IndexError>;

    /// The job is done: removed, unless it was queued again meanwhile, or another worker has it now.
    async fn finish_job(&self, worker: &str, job: &Job) -> Result<(), IndexError>;

    /// The job failed: due again at `run_us`, with the reason; `None` sets it aside for good.
    async fn fail_job(
        &self,
        worker: &str,
        job: &Job,
        run_us: Option<i64>,
        reason: &str,
    ) -> Result<(), IndexError>;

    /// Jobs waiting or under way, and jobs set aside.
    async fn job_counts(&self) -> Result<(u64, u64), IndexError>;

    /// Copies after row id `after`, at most `limit`.
    async fn copies(&self, after: i64, limit: u32) -> Result<Vec<CopyRow>, IndexError>;

    /// For each key whether any copy, derived or document row names it.
    async fn knows_blobs(&self, keys: &[String]) -> Result<Vec<bool>, IndexError>;

    /// Puts what a scope holds into the bin in one transaction: it is served no more, its blobs stay
    /// named, each instance is an event. Gives the number of instances.
    async fn delete(&self, scope: &Scope, now_us: i64) -> Result<u64, IndexError>;

    /// Enters what a scope has in the bin again, as [`Index::store`] does; gives the number of copies.
    /// What notes reject stays, unless `rejected`: then these count no more for it.
    async fn restore(
        &self,
        scope: &Scope,
        rejected: bool,
        jobs: &[(JobKind, i64)],
        now_us: i64,
    ) -> Result<u64, IndexError>;

    /// Gives up for good what was deleted or expired before a time, and with `rejected` what notes
    /// reject otherwise, at most `limit` copies; gives the keys of their blobs. That they were here
    /// stays known.
    async fn purge(
        &self,
        before_us: i64,
        rejected: bool,
        limit: u32,
    ) -> Result<Vec<String>, IndexError>;

    /// Whether anything of a scope was deleted, purged or not, whoever the patient; what notes reject
    /// was not.
    async fn was_deleted(&self, scope: &Scope) -> Result<bool, IndexError>;

    /// Why something of a scope that lies in the bin was rejected, if it was.
    async fn rejected_for(&self, scope: &Scope) -> Result<Option<Reason>, IndexError>;

    /// The studies that have something in the bin, and why, last deleted first.
    async fn bin(&self, limit: u32) -> Result<Vec<Binned>, IndexError>;

    /// The served copies of a SOP Instance UID, in whatever study they are, at most `limit`.
    async fn locate_anywhere(&self, instance: &Uid, limit: u32)
    -> Result<Vec<Located>, IndexError>;

    /// Enters a request for storage commitment and queues its job; false when its transaction UID
    /// is known already, and then nothing is entered.
    async fn put_commitment(
        &self,
        commitment: &Commitment,
        now_us: i64,
    ) -> Result<bool, IndexError>;

    /// A request for storage commitment; without references when they are forgotten.
    async fn commitment(&self, transaction: &Uid) -> Result<Option<Commitment>, IndexError>;

    /// Records how far a request was looked at; when it is not finished its job is queued again.
    async fn advance_commitment(
        &self,
        commitment: &Commitment,
        now_us: i64,
    ) -> Result<(), IndexError>;

    /// Forgets what was asked and answered before a time; that the transaction was here stays known.
    async fn forget_commitments(&self, before_us: i64) -> Result<u64, IndexError>;

    /// The secret of a name that all nodes share; the proposed one from the first call on.
    async fn secret(&self, name: &str, proposed: &[u8]) -> Result<Vec<u8>, IndexError>;

    /// Totals.
    async fn totals(&self) -> Result<Totals, IndexError>;

    /// Whether the database answers.
    async fn ping(&self) -> Result<(), IndexError>;

    /// Ends connections after what is under way.
    async fn close(&self);
}
