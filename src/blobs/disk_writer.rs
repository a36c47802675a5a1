//! A blob on its way to the local disk.
//!
//! The file is begun while the blob still arrives, so that making it, syncing its folder's entry and
//! most of the writing are over when the last byte comes; what is smaller than `WORTH_BEGINNING` is
//! written in one call at the end.
//!
//! Memory: at most `GATHERED_MOST` times `inline_bytes` gathered while the same amount is being
//! written (1 MiB: 4 MiB a writer), beside the piece just handed in. Counted are the bytes, not the
//! larger buffers that pieces of 16 KiB and more may keep alive.

use std::sync::Arc;

use bytes::Bytes;

use crate::blobs::disk::Disk;
use crate::blobs::disk::Partial;
use crate::blobs::error::BlobError;
use crate::blobs::key::BlobKey;
use crate::blobs::pending::Pending;
use crate::blobs::threads::Job;
use crate::steps::Step;
use crate::steps::come_to;

/// Gathers pieces, and writes them on a blocking thread while more arrive.
#[derive(Debug)]
pub(crate) struct DiskWriter {
    disk: Arc<Disk>,
    key: BlobKey,
    pending: Pending,
    /// Bytes handed to the disk so far.
    handed: usize,
    state: State,
}

/// The file: not begun or at rest, being written, or given up.
#[derive(Debug)]
enum State {
    Resting(Option<Partial>),
    Writing(Job<Partial>),
    Failed(BlobError),
}

impl DiskWriter {
    /// Begins; the file is made with the first write to the disk.
    pub(crate) fn new(disk: Arc<Disk>, key: BlobKey) -> Self {
        Self { disk, key, pending: Pending::default(), handed: 0, state: State::Resting(None) }
    }

    /// Takes bytes; waits only when the disk is behind.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        if let State::Failed(error) = &self.state {
            return Err(error.clone());
        }
        self.pending.push(bytes);
        // Each write about as long as all before it: few calls a blob, and little left at the end.
        let gather = self.handed.max(WORTH_BEGINNING).min(self.disk.gather_bytes);
        if self.pending.len() < gather {
            return Ok(());
        }
        if let State::Writing(job) = &self.state
            && !job.is_finished()
            && self.pending.len() < self.disk.gather_bytes.saturating_mul(GATHERED_MOST)
        {
            return Ok(());
        }
        self.settle().await?;
        let place = self.disk.writes.place().await?;
        self.handed = self.handed.saturating_add(self.pending.len());
        let (disk, pieces, partial) = (Arc::clone(&self.disk), self.pending.take(), self.partial());
        let key = self.key.clone();
        self.state = State::Writing(Job::start(place, move || {
            let mut partial = partial.map_or_else(|| disk.create(&key), Ok)?;
            disk.room.check()?;
            let begin = partial.bytes();
            partial.append(&pieces)?;
            partial.start_writeback(begin);
            come_to(Step::BytesWritten);
            disk.sync_entry(&mut partial)?;
            Ok(partial)
        }));
        Ok(())
    }

    /// Writes the rest, syncs file and folder.
    pub(crate) async fn finish(mut self) -> Result<u64, BlobError> {
        self.settle().await?;
        let place = self.disk.writes.place().await?;
        let (disk, pieces, partial) = (Arc::clone(&self.disk), self.pending.take(), self.partial());
        let key = self.key.clone();
        let sealed = Job::start(place, move || {
            let partial = partial.map_or_else(|| disk.create(&key), Ok)?;
            disk.seal(partial, &pieces)
        });
        let bytes = sealed.await?.keep();
        self.disk.stats.written(bytes);
        Ok(bytes)
    }

    /// Removes what was written, and waits until it is gone.
    pub(crate) async fn abort(mut self) {
        let _ = self.settle().await;
        if let Some(partial) = self.partial() {
            let (disk, key) = (Arc::clone(&self.disk), self.key.clone());
            let _ = partial.keep(); // removed here and now instead
            let removed = self.disk.writes.run(move || disk.remove(&key)).await;
            if let Err(error) = removed {
                tracing::debug!(%error, "unfinished blob left for the sweep");
            }
        }
    }

    /// Waits for the write under way, if there is one.
    async fn settle(&mut self) -> Result<(), BlobError> {
        if let State::Writing(job) = &mut self.state {
            self.state = match job.await {
                Ok(partial) => State::Resting(Some(partial)),
                Err(error) => State::Failed(error),
            };
        }
        match &self.state {
            State::Failed(error) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// The file at rest, taken out.
    fn partial(&mut self) -> Option<Partial> {
        match &mut self.state {
            State::Resting(partial) => partial.take(),
            _ => None,
        }
    }
}

/// How many times `inline_bytes` may gather while the disk is busy with the last of them.
const GATHERED_MOST: usize = 2;
/// From here on a blob's file is begun before all of it is here.
const WORTH_BEGINNING: usize = 64 * 1024;
