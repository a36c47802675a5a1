//! Rows against blobs and hashes, and blobs against rows.

use futures::TryStreamExt;
use sha2::Digest;
use sha2::Sha256;

use crate::access::permit::Permit;
use crate::access::permit::Subject;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::blobs::error::BlobError;
use crate::blobs::store::Listed;
use crate::dicom::layout::Layout;
use crate::index::kept::KeptBlob;
use crate::index::kept::KeptKind;
use crate::index::port::CopyRow;

/// Rows or blobs looked at in one step.
const PAGE: u32 = 500;

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckOptions {
    /// Read every blob and compare its hash; otherwise only its presence and length.
    pub hashes: bool,
    /// A blob no row names counts as orphan when it is older than this many µs: a younger one may
    /// belong to an object that is being stored now.
    pub grace_us: i64,
    /// Remove orphans.
    pub sweep: bool,
}

/// Something a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A row's blob is not there.
    MissingBlob {
        /// Row id of the copy.
        copy: i64,
        /// Key of the blob.
        key: String,
    },
    /// A row's blob is shorter than the row says.
    ShortBlob {
        /// Row id of the copy.
        copy: i64,
        /// Key of the blob.
        key: String,
    },
    /// A blob's data set has another hash than when it was received.
    ChangedBlob {
        /// Row id of the copy.
        copy: i64,
        /// Key of the blob.
        key: String,
    },
    /// A blob kept beside the served copies is not there, is short, or has another hash.
    Kept {
        /// What keeps it.
        kind: KeptKind,
        /// Row id.
        id: i64,
        /// Key of the blob.
        key: String,
        /// What is wrong with it.
        damage: Damage,
    },
    /// A blob no row names.
    Orphan {
        /// Key of the blob.
        key: String,
        /// Its bytes.
        bytes: u64,
        /// Whether it was removed.
        removed: bool,
    },
}

/// What is wrong with a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// It is not there.
    Missing,
    /// It is shorter than it was.
    Short,
    /// Its hash is another.
    Changed,
}

/// How far a check is, and at its end how much it looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Copies looked at.
    pub copies: u64,
    /// Documents, files sent and copies in the bin looked at.
    pub kept: u64,
    /// Bytes read and hashed.
    pub bytes: u64,
    /// Blobs held against the rows.
    pub blobs: u64,
    /// Findings other than orphans.
    pub damaged: u64,
    /// Orphans.
    pub orphans: u64,
}

impl Archive {
    /// Checks the whole archive, telling findings and progress as it goes.
    pub async fn check(
        &self,
        permit: &Permit,
        options: CheckOptions,
        mut tell: impl FnMut(&Progress, Option<&Finding>),
    ) -> Result<Progress, ArchiveError> {
        if permit.subject() != &Subject::Archive {
            return Err(ArchiveError::Denied);
        }
        let mut progress = Progress::default();
        self.check_copies(options, &mut progress, &mut tell).await?;
        for kind in KeptKind::ALL {
            self.check_kept(kind, options, &mut progress, &mut tell).await?;
        }
        self.check_blobs(options, &mut progress, &mut tell).await?;
        Ok(progress)
    }

    /// Removes blobs that no row names and that are older than `grace_us`: what crashes and lost
    /// races left. Gives their number.
    pub async fn sweep(&self, permit: &Permit, grace_us: i64) -> Result<u64, ArchiveError> {
        if permit.subject() != &Subject::Archive {
            return Err(ArchiveError::Denied);
        }
        let options = CheckOptions { hashes: false, grace_us, sweep: true };
        let mut progress = Progress::default();
        self.check_blobs(options, &mut progress, &mut |_, _| {}).await?;
        Ok(progress.orphans)
    }

    async fn check_copies(
        &self,
        options: CheckOptions,
        progress: &mut Progress,
        tell: &mut impl FnMut(&Progress, Option<&Finding>),
    ) -> Result<(), ArchiveError> {
        let mut after = 0;
        loop {
            let copies = self.inner.index.copies(after, PAGE).await?;
            let Some(last) = copies.last() else { return Ok(()) };
            after = last.id;
            for copy in &copies {
                let finding = self.check_copy(copy, options, progress).await?;
                progress.copies += 1;
                progress.damaged += u64::from(finding.is_some());
                tell(progress, finding.as_ref());
            }
        }
    }

    /// Reads one copy; what is wrong with it, if anything.
    pub(in crate::archive) async fn check_copy(
        &self,
        copy: &CopyRow,
        options: CheckOptions,
        progress: &mut Progress,
    ) -> Result<Option<Finding>, ArchiveError> {
        let (id, key) = (copy.id, copy.blob_key.clone());
        let Ok(layout) = Layout::from_bytes(&copy.layout) else {
            return Ok(Some(Finding::ChangedBlob { copy: id, key }));
        };
        let blob = KeptBlob {
            id,
            blob_key: key.clone(),
            blob_bytes: copy.blob_bytes,
            before: layout.data_set_start,
            sha256: copy.data_set_sha256,
        };
        Ok(self.check_blob(&blob, options, progress).await?.map(|damage| match damage {
            Damage::Missing => Finding::MissingBlob { copy: id, key },
            Damage::Short => Finding::ShortBlob { copy: id, key },
            Damage::Changed => Finding::ChangedBlob { copy: id, key },
        }))
    }

    async fn check_kept(
        &self,
        kind: KeptKind,
        options: CheckOptions,
        progress: &mut Progress,
        tell: &mut impl FnMut(&Progress, Option<&Finding>),
    ) -> Result<(), ArchiveError> {
        let mut after = 0;
        loop {
            let page = self.inner.index.kept(kind, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for blob in &page {
                let damage = self.check_blob(blob, options, progress).await?;
                progress.kept += 1;
                progress.damaged += u64::from(damage.is_some());
                let finding = damage.map(|damage| {
                    let key = blob.blob_key.clone();
                    Finding::Kept { kind, id: blob.id, key, damage }
                });
                tell(progress, finding.as_ref());
            }
        }
    }

    async fn check_blob(
        &self,
        blob: &KeptBlob,
        options: CheckOptions,
        progress: &mut Progress,
    ) -> Result<Option<Damage>, ArchiveError> {
        // Without hashes the last byte tells presence and length.
        let from = if options.hashes { blob.before } else { blob.blob_bytes.saturating_sub(1) };
        let mut pieces = self.inner.blobs.stream(&blob.blob_key, from..blob.blob_bytes);
        let mut hash = Sha256::new();
        loop {
            match pieces.try_next().await {
                Ok(Some(piece)) => {
                    progress.bytes += piece.len() as u64;
                    hash.update(&piece);
                }
                Ok(None) => break,
                Err(BlobError::Missing(_)) => return Ok(Some(Damage::Missing)),
                Err(BlobError::Short { .. }) => return Ok(Some(Damage::Short)),
                Err(error) => return Err(error.into()),
            }
        }
        let same = !options.hashes || hash.finalize()[..] == blob.sha256[..];
        Ok((!same).then_some(Damage::Changed))
    }

    async fn check_blobs(
        &self,
        options: CheckOptions,
        progress: &mut Progress,
        tell: &mut impl FnMut(&Progress, Option<&Finding>),
    ) -> Result<(), ArchiveError> {
        let before_us = self.inner.clock.now_us().saturating_sub(options.grace_us);
        let mut pages = self.inner.blobs.list().try_chunks(PAGE as usize);
        while let Some(page) = pages.try_next().await.map_err(|error| error.1)? {
            progress.blobs += page.len() as u64;
            let old: Vec<Listed> =
                page.into_iter().filter(|b| b.modified_us <= before_us).collect();
            let keys: Vec<String> = old.iter().map(|blob| blob.key.clone()).collect();
            let known = self.inner.index.knows_blobs(&keys).await?;
            for (blob, _) in old.into_iter().zip(known).filter(|(_, known)| !known) {
                if options.sweep {
                    self.inner.blobs.delete(&blob.key).await?;
                }
                progress.orphans += 1;
                let Listed { key, bytes, .. } = blob;
                tell(progress, Some(&Finding::Orphan { key, bytes, removed: options.sweep }));
            }
            tell(progress, None);
        }
        Ok(())
    }
}
