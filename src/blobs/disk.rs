//! The local disk: files under their keys, durable before anybody hears of them.
//!
//! A file is made with `O_EXCL` under its final name: nobody else knows the key until the blob is
//! finished, so there is nothing to hide behind a temporary name, and a rename would only add a
//! change to sync. What a crash leaves half-written is a blob without a row, which the integrity
//! sweep finds in the listing and removes once it is old enough.
//!
//! Durable means: file data synced, and the folder that holds its entry (of a file begun while its
//! bytes still come, then already), and once a process the folders above. Measured on ext4: one `fdatasync` a file beside one `fsync` of the folder is as
//! fast as syncing groups (`syncfs`, one folder sync for many files), because the journal already
//! commits concurrent syncs together.

use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::ErrorKind;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use bytes::Bytes;

use crate::blobs::error::BlobError;
use crate::blobs::folders::Folders;
use crate::blobs::key::BlobKey;
use crate::blobs::key::BlobKind;
use crate::blobs::room::Room;
use crate::blobs::stats::Stats;
use crate::blobs::store::Listed;
use crate::blobs::threads::Threads;
use crate::blobs::threads::tidy_up;
use crate::steps::Step;
use crate::steps::come_to;

/// A folder on local disk that keeps blobs.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) folders: Folders,
    pub(crate) room: Room,
    pub(crate) stats: Arc<Stats>,
    /// Writes wait for syncs, so they have places of their own and never hold up a read.
    pub(crate) writes: Threads,
    pub(crate) reads: Threads,
    /// Bytes gathered before a file is begun.
    pub(crate) gather_bytes: usize,
}

impl Disk {
    /// Opens (and makes) the folder.
    pub(crate) fn open(
        root: PathBuf,
        reserve_bytes: u64,
        gather_bytes: usize,
        stats: Arc<Stats>,
    ) -> io::Result<Self> {
        Ok(Self {
            room: Room::new(root.clone(), reserve_bytes),
            folders: Folders::open(root, Arc::clone(&stats))?,
            stats,
            writes: Threads::new(CALLS_AT_A_TIME),
            reads: Threads::new(CALLS_AT_A_TIME),
            gather_bytes,
        })
    }

    /// Makes a key's file. Touches the disk.
    pub(crate) fn create(&self, key: &BlobKey) -> Result<Partial, BlobError> {
        self.room.check()?;
        let failed = |error: &io::Error| BlobError::of_write(key.as_str(), error);
        self.folders.prepare(key).map_err(|error| failed(&error))?;
        let path = self.folders.path(key);
        let create = || OpenOptions::new().write(true).create_new(true).open(&path);
        let file = match create() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.folders.forget(key);
                self.folders.prepare(key).and_then(|()| create())
            }
            other => other,
        };
        let file = file.map_err(|error| failed(&error))?;
        come_to(Step::BlobBegun);
        Ok(Partial { file, path, key: key.clone(), bytes: 0, entered: false, kept: false })
    }

    /// Writes the last pieces and makes the blob durable. Touches the disk. The caller says
    /// [`Partial::keep`] when it has heard of the success; until then dropping removes the file.
    pub(crate) fn seal(&self, mut blob: Partial, pieces: &[Bytes]) -> Result<Partial, BlobError> {
        blob.append(pieces)?;
        come_to(Step::AllWritten);
        let failed = |error: &io::Error| BlobError::of_write(blob.key.as_str(), error);
        blob.file.sync_data().map_err(|error| failed(&error))?;
        self.stats.synced();
        come_to(Step::FileSynced);
        self.sync_entry(&mut blob)?;
        Ok(blob)
    }

    /// Makes the folder's entry of a begun file durable, once. Touches the disk.
    pub(crate) fn sync_entry(&self, blob: &mut Partial) -> Result<(), BlobError> {
        if !blob.entered {
            let synced = self.folders.sync_entries(&blob.key);
            synced.map_err(|error| BlobError::of_write(blob.key.as_str(), &error))?;
            blob.entered = true;
        }
        Ok(())
    }

    /// Removes a blob's file, if it is there. Touches the disk. Not synced: a removal that a crash
    /// undoes is done again by the sweep.
    pub(crate) fn remove(&self, key: &BlobKey) -> Result<(), BlobError> {
        match fs::remove_file(self.folders.path(key)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(BlobError::of_disk(key.as_str(), &error))
            }
            _ => Ok(()),
        }
    }

    /// Opens a file to read. Touches the disk.
    pub(crate) fn open_file(&self, key: &BlobKey) -> Result<File, BlobError> {
        File::open(self.folders.path(key)).map_err(|error| {
            let disk_is_there = self.check_there(key.kind());
            disk_is_there.err().unwrap_or_else(|| BlobError::of_disk(key.as_str(), &error))
        })
    }

    /// The folders of a kind's outer level: `i/ab`. Touches the disk.
    pub(crate) fn outer_folders(&self, kind: BlobKind) -> Result<Vec<String>, BlobError> {
        self.check_there(kind)?;
        self.names(kind.folder(), |name| Some(format!("{}/{name}", kind.folder())))
    }

    /// All blobs in the folders within `outer`. Touches the disk.
    pub(crate) fn inner_folders(&self, outer: &str) -> Result<Vec<String>, BlobError> {
        self.names(outer, |name| Some(format!("{outer}/{name}")))
    }

    /// The blobs of one folder; whatever is no blob of ours is passed over. Touches the disk.
    pub(crate) fn list_folder(&self, folder: &str) -> Result<Vec<Listed>, BlobError> {
        let keys = self.names(folder, |name| BlobKey::parse(&format!("{folder}/{name}")))?;
        let mut listed = Vec::with_capacity(keys.len());
        for key in keys {
            match fs::metadata(self.folders.path(&key)) {
                Ok(facts) => listed.push(Listed {
                    key: key.as_str().to_owned(),
                    bytes: facts.len(),
                    modified_us: micros(facts.modified().unwrap_or(UNIX_EPOCH)),
                }),
                Err(error) if error.kind() == ErrorKind::NotFound => {} // removed meanwhile
                Err(error) => return Err(BlobError::of_disk(key.as_str(), &error)),
            }
        }
        Ok(listed)
    }

    /// The top folder was made when the store was opened. Without it the disk is not mounted (any
    /// more), and no blob may be called missing.
    pub(crate) fn check_there(&self, kind: BlobKind) -> Result<(), BlobError> {
        let there = fs::metadata(self.folders.root().join(kind.folder()));
        there.map(drop).map_err(|error| BlobError::of_write(kind.folder(), &error))
    }

    fn names<T>(
        &self,
        folder: &str,
        pick: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, BlobError> {
        let entries = match fs::read_dir(self.folders.root().join(folder)) {
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(Vec::new());
            }
            other => other.map_err(|error| BlobError::of_disk(folder, &error))?,
        };
        let mut picked = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| BlobError::of_disk(folder, &error))?.file_name();
            picked.extend(name.to_str().and_then(&pick));
        }
        Ok(picked)
    }
}

/// A file being written; dropped before [`Partial::keep`], it is removed.
#[derive(Debug)]
pub(crate) struct Partial {
    file: File,
    path: PathBuf,
    key: BlobKey,
    bytes: u64,
    /// Its folder's entry is durable.
    entered: bool,
    kept: bool,
}

impl Partial {
    /// Writes pieces, as far as the page cache. Touches the disk.
    pub(crate) fn append(&mut self, pieces: &[Bytes]) -> Result<(), BlobError> {
        for piece in pieces {
            self.file
                .write_all(piece)
                .map_err(|error| BlobError::of_write(self.key.as_str(), &error))?;
            let written = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            self.bytes = self.bytes.saturating_add(written);
        }
        Ok(())
    }

    /// Bytes written so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The blob is finished and its maker knows: it stays. Answers its length.
    pub(crate) fn keep(mut self) -> u64 {
        self.kept = true;
        self.bytes
    }

    /// Asks the kernel to begin writing what was added from `begin` on, so that the sync at the end finds little
    /// left to wait for (64 MiB blobs: a third to a half faster). Only advice: failing changes
    /// nothing.
    #[cfg(target_os = "linux")]
    pub(crate) fn start_writeback(&self, begin: u64) {
        let length = std::num::NonZeroU64::new(self.bytes.saturating_sub(begin));
        if length.is_some_and(|length| length.get() >= WORTH_STARTING) {
            // On dirty pages this advice starts writeback; it drops clean ones only.
            let _ = rustix::fs::fadvise(&self.file, begin, length, rustix::fs::Advice::DontNeed);
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn start_writeback(&self, _begin: u64) {}
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.kept {
            let path = std::mem::take(&mut self.path);
            tidy_up(move || {
                if let Err(error) = fs::remove_file(&path) {
                    tracing::debug!(%error, "unfinished blob left for the sweep");
                }
            });
        }
    }
}

fn micros(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// File calls of a kind (reads, writes) at a time; more wait their turn.
const CALLS_AT_A_TIME: usize = 32;
/// Less than this is written fast enough by the sync itself.
const WORTH_STARTING: u64 = 128 * 1024;
