//! Storage commitment (PS3.4 §J): the archive answers for objects after reading them again.
//!
//! A row alone proves nothing: each object's bytes are read and hashed as they were when it came. A
//! request is a row and a job; a job looks at a bounded share and is queued again, so that it
//! survives any restart and no lease runs out on it.

use crate::access::permit::{Permit, Subject};
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::integrity::{CheckOptions, Progress};
use crate::dicom::uid::Uid;
use crate::index::port::{CopyRow, Located};
use crate::model::commitment::{Commitment, Reference};

/// Committed.
pub const COMMITTED: u16 = 0;
/// Processing failure: it is here by its rows, but its bytes are not what came (PS3.3 §C.14.1.1).
pub const PROCESSING_FAILURE: u16 = 0x0110;
/// No such object instance (PS3.3 §C.14.1.1).
pub const NO_SUCH_INSTANCE: u16 = 0x0112;
/// Class / Instance conflict: it is here with another SOP class (PS3.3 §C.14.1.1).
pub const CLASS_CONFLICT: u16 = 0x0119;

/// Objects, and bytes of them, that are looked at while the sender waits.
const AT_ONCE: usize = 32;
const AT_ONCE_BYTES: u64 = 32 * 1024 * 1024;
/// Objects, and bytes, one job looks at.
const A_JOB: usize = 2_000;
const A_JOB_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Copies looked at of one SOP Instance UID, which several studies may have.
const SAME_NAME: u32 = 16;
/// How long a result is kept for whoever asked.
const KEPT_US: i64 = 30 * 24 * 3_600_000_000;

/// Where a request for commitment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No such request.
    Unknown,
    /// Not yet looked at whole.
    Working,
    /// Looked at; a reason for each reference.
    Done(Commitment),
    /// It was here, its result is forgotten.
    Forgotten,
}

impl Archive {
    /// Takes a request on; `None` when its transaction UID is in use already. A small one is looked
    /// at before this returns.
    pub async fn ask_commitment(
        &self,
        permit: &Permit,
        asked: Commitment,
    ) -> Result<Option<Standing>, ArchiveError> {
        may_ask(permit)?;
        let inner = &self.inner;
        if !inner.index.put_commitment(&asked, inner.clock.now_us()).await? {
            return Ok(None);
        }
        if self.is_small(&asked).await? {
            // What cannot be read now is the job's, which is queued and tries again.
            if let Err(error) = self.look_at_commitment(asked.transaction.as_str()).await {
                tracing::warn!(%error, "a request for commitment waits");
            }
        }
        self.commitment(permit, &asked.transaction).await.map(Some)
    }

    /// Where a request stands.
    pub async fn commitment(
        &self,
        permit: &Permit,
        transaction: &Uid,
    ) -> Result<Standing, ArchiveError> {
        may_ask(permit)?;
        Ok(match self.inner.index.commitment(transaction).await? {
            None => Standing::Unknown,
            Some(asked) if asked.finished_us.is_none() => Standing::Working,
            Some(asked) if asked.references.is_empty() => Standing::Forgotten,
            Some(asked) => Standing::Done(asked),
        })
    }

    /// Forgets the results nobody is expected to ask for any more.
    pub async fn forget_commitments(&self, permit: &Permit) -> Result<u64, ArchiveError> {
        if permit.subject() != &Subject::Archive {
            return Err(ArchiveError::Denied);
        }
        let before_us = self.inner.clock.now_us().saturating_sub(KEPT_US);
        Ok(self.inner.index.forget_commitments(before_us).await?)
    }

    /// One job: looks at the next objects of a request and records what it found.
    pub(in crate::archive) async fn look_at_commitment(
        &self,
        transaction: &str,
    ) -> Result<(), ArchiveError> {
        let Ok(transaction) = Uid::parse(transaction) else { return Ok(()) };
        let inner = &self.inner;
        let Some(mut asked) = inner.index.commitment(&transaction).await? else { return Ok(()) };
        if asked.finished_us.is_some() {
            return Ok(());
        }
        let mut read = Progress::default();
        for reference in asked.references.iter().skip(asked.reasons.len()).take(A_JOB) {
            asked.reasons.push(self.reason(reference, &mut read).await?);
            if read.bytes >= A_JOB_BYTES {
                break;
            }
        }
        let now_us = inner.clock.now_us();
        asked.finished_us = (asked.reasons.len() >= asked.references.len()).then_some(now_us);
        Ok(inner.index.advance_commitment(&asked, now_us).await?)
    }

    async fn is_small(&self, asked: &Commitment) -> Result<bool, ArchiveError> {
        if asked.references.len() > AT_ONCE {
            return Ok(false);
        }
        let mut bytes = 0_u64;
        for reference in &asked.references {
            let found = self.named(reference).await?;
            let sizes = found.iter().map(|located| located.blob_bytes);
            bytes = sizes.fold(bytes, u64::saturating_add);
        }
        Ok(bytes <= AT_ONCE_BYTES)
    }

    /// The kept objects a reference may mean.
    async fn named(&self, reference: &Reference) -> Result<Vec<Located>, ArchiveError> {
        let mut found = self.inner.index.locate_anywhere(&reference.instance, SAME_NAME).await?;
        if let Some((study, series)) = &reference.within {
            found.retain(|at| at.path.study == *study && at.path.series == *series);
        }
        Ok(found)
    }

    /// Why an object cannot be answered for, or [`COMMITTED`]. Of several with its name all must be
    /// well: the sender's may be any.
    async fn reason(
        &self,
        reference: &Reference,
        read: &mut Progress,
    ) -> Result<u16, ArchiveError> {
        let mut found = self.named(reference).await?;
        if found.is_empty() {
            return Ok(NO_SUCH_INSTANCE);
        }
        found.retain(|located| located.sop_class == reference.sop_class.as_str());
        if found.is_empty() {
            return Ok(CLASS_CONFLICT);
        }
        let options = CheckOptions { hashes: true, grace_us: 0, sweep: false };
        for located in found {
            if let Some(finding) = self.check_copy(&copy(located), options, read).await? {
                tracing::error!(?finding, "an object cannot be committed to: it is damaged");
                return Ok(PROCESSING_FAILURE);
            }
        }
        Ok(COMMITTED)
    }
}

fn copy(located: Located) -> CopyRow {
    CopyRow {
        id: located.id,
        path: located.path,
        blob_key: located.blob_key,
        blob_bytes: located.blob_bytes,
        data_set_sha256: located.data_set_sha256,
        layout: located.layout,
        transfer_syntax: located.transfer_syntax,
        served: true,
    }
}

fn may_ask(permit: &Permit) -> Result<(), ArchiveError> {
    match permit.subject() {
        Subject::Storing | Subject::Archive => Ok(()),
        Subject::Searching | Subject::Study(_) => Err(ArchiveError::Denied),
    }
}
