//! Bulk data of an instance that is still to be made: in memory while it is little, else in a
//! temporary file without a name, which is gone whatever happens to the process.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::blobs::error::BlobError;
use crate::blobs::threads::Threads;

/// Bytes that are kept in memory before a file is made.
const IN_MEMORY_BYTES: usize = 256 * 1024;
/// Bytes written or read at a time.
const PIECE_BYTES: usize = 1024 * 1024;
/// A permit of the budget.
const PERMIT_BYTES: u64 = 1024 * 1024;

/// Where spools go, and how much they may take together.
#[derive(Debug, Clone)]
pub(in crate::archive) struct Spools {
    folder: PathBuf,
    budget: Arc<Semaphore>,
    threads: Threads,
    /// For work that holds a thread long.
    unpacking: Threads,
}

/// File calls at a time, and archives unpacked at a time.
const FILE_CALLS: usize = 16;
const UNPACKING: usize = 4;

impl Spools {
    /// Spools in `folder`, the system's for temporary files when it is empty.
    pub(in crate::archive) fn new(folder: &str, max_bytes: u64) -> Self {
        let folder = if folder.is_empty() { std::env::temp_dir() } else { folder.into() };
        let permits = usize::try_from(max_bytes / PERMIT_BYTES).unwrap_or(usize::MAX);
        let budget = Arc::new(Semaphore::new(permits.clamp(1, Semaphore::MAX_PERMITS)));
        let (threads, unpacking) = (Threads::new(FILE_CALLS), Threads::new(UNPACKING));
        Self { folder, budget, threads, unpacking }
    }

    /// A spool to write.
    pub(in crate::archive) fn begin(&self) -> Spooling {
        let spools = self.clone();
        Spooling { spools, buffer: BytesMut::new(), file: None, bytes: 0, held: None }
    }
}

/// A value being written.
#[derive(Debug)]
pub struct Spooling {
    spools: Spools,
    buffer: BytesMut,
    file: Option<Arc<File>>,
    bytes: u64,
    /// The file's share of the budget.
    held: Option<OwnedSemaphorePermit>,
}

impl Spooling {
    /// Takes the next bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.bytes += bytes.len() as u64;
        self.buffer.extend_from_slice(bytes);
        let most = if self.file.is_some() { PIECE_BYTES } else { IN_MEMORY_BYTES };
        if self.buffer.len() > most { self.flush().await } else { Ok(()) }
    }

    /// All bytes are here.
    pub async fn finish(mut self) -> Result<Spooled, ArchiveError> {
        if self.file.is_some() {
            self.flush().await?;
        }
        let place = match self.file {
            Some(file) => {
                let (threads, held) = (self.spools.threads, self.held.map(Arc::new));
                Place::File { file, threads, _held: held }
            }
            None => Place::Memory(self.buffer.freeze()),
        };
        Ok(Spooled { place, bytes: self.bytes })
    }

    async fn flush(&mut self) -> Result<(), ArchiveError> {
        self.take_share()?;
        let piece = self.buffer.split().freeze();
        let (file, folder) = (self.file.take(), self.spools.folder.clone());
        let work = move || {
            let file = match file {
                Some(file) => file,
                None => Arc::new(tempfile::tempfile_in(folder)?),
            };
            (&*file).write_all(&piece).map(|()| file)
        };
        self.file = Some(blocking(&self.spools.threads, work).await?);
        Ok(())
    }

    /// Takes the budget's permits for the bytes so far.
    fn take_share(&mut self) -> Result<(), ArchiveError> {
        let wanted = usize::try_from(self.bytes.div_ceil(PERMIT_BYTES)).unwrap_or(usize::MAX);
        let have = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = u32::try_from(wanted.saturating_sub(have)).unwrap_or(u32::MAX);
        let budget = Arc::clone(&self.spools.budget);
        let permit = budget.try_acquire_many_owned(more).map_err(|_| BlobError::NoRoom)?;
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        Ok(())
    }
}

/// A value, whole. Cheap to clone; its file goes with the last one.
#[derive(Debug, Clone)]
pub struct Spooled {
    place: Place,
    bytes: u64,
}

#[derive(Debug, Clone)]
enum Place {
    Memory(Bytes),
    File { file: Arc<File>, threads: Threads, _held: Option<Arc<OwnedSemaphorePermit>> },
}

impl Spooled {
    /// How long it is.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A range of it, as far as it goes; the caller bounds its length.
    pub async fn read(&self, range: Range<u64>) -> Result<Bytes, ArchiveError> {
        let range = range.start.min(self.bytes)..range.end.min(self.bytes);
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        match &self.place {
            Place::Memory(bytes) => {
                let start = usize::try_from(range.start).unwrap_or(usize::MAX);
                Ok(bytes.slice(start..start + length))
            }
            Place::File { file, threads, .. } => {
                let file = Arc::clone(file);
                blocking(threads, move || {
                    let mut bytes = vec![0; length];
                    file.read_exact_at(&mut bytes, range.start).map(|()| bytes.into())
                })
                .await
            }
        }
    }

    /// The next piece of a range, which it shortens; `None` at its end.
    pub async fn next(&self, range: &mut Range<u64>) -> Result<Option<Bytes>, ArchiveError> {
        if range.start >= range.end.min(self.bytes) {
            return Ok(None);
        }
        let end = range.end.min(range.start + PIECE_BYTES as u64);
        let piece = self.read(range.start..end).await?;
        range.start = end;
        Ok(Some(piece))
    }
}

/// Reads a spool from a thread that may wait for the disk.
#[derive(Debug)]
pub struct SpoolReader {
    spooled: Spooled,
    at: u64,
}

impl Spooled {
    /// A reader at its beginning.
    pub fn reader(&self) -> SpoolReader {
        SpoolReader { spooled: self.clone(), at: 0 }
    }
}

impl std::io::Read for SpoolReader {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = match &self.spooled.place {
            Place::Memory(bytes) => {
                let start = usize::try_from(self.at).unwrap_or(usize::MAX);
                let mut rest = bytes.get(start..).unwrap_or_default();
                rest.read(into)?
            }
            Place::File { file, .. } => file.read_at(into, self.at)?,
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl std::io::Seek for SpoolReader {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        let at = match to {
            std::io::SeekFrom::Start(at) => Some(at),
            std::io::SeekFrom::End(by) => self.spooled.bytes.checked_add_signed(by),
            std::io::SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(std::io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// Runs disk work off the async threads.
async fn blocking<T: Send + 'static>(
    threads: &Threads,
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, ArchiveError> {
    let work = move || work().map_err(|error| BlobError::of_write("spool", &error));
    Ok(threads.run(work).await?)
}

impl Archive {
    /// Runs work that reads a spool and hands on what it reads, waiting for the disk and for
    /// whoever takes it; a few at a time.
    pub async fn unpack(&self, work: impl FnOnce() + Send + 'static) {
        let run = self.inner.spools.unpacking.run(move || {
            work();
            Ok(())
        });
        // It fails only when the archive stops: then its reader sees it end.
        let _ = run.await;
    }

    /// Runs work of the processor's that takes about so much memory.
    pub async fn compute<T: Send + 'static>(
        &self,
        bytes: u64,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ArchiveError> {
        Ok(self.inner.pool.run(bytes, move || Ok(work())).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::{IN_MEMORY_BYTES, Place, Spools};
    use crate::archive::error::ArchiveError;
    use crate::blobs::error::BlobError;

    async fn spooled(spools: &Spools, bytes: &[u8]) -> Result<super::Spooled, ArchiveError> {
        let mut spooling = spools.begin();
        for piece in bytes.chunks(10_000) {
            spooling.write(piece).await?;
        }
        spooling.finish().await
    }

    #[tokio::test]
    async fn little_stays_in_memory_and_much_goes_to_a_file_and_both_read_the_same() {
        let spools = Spools::new("", 64 * 1024 * 1024);
        for length in [0, 1, IN_MEMORY_BYTES, IN_MEMORY_BYTES + 1, 3_500_000] {
            let bytes: Vec<u8> = (0..length).map(|n| n.to_le_bytes()[0]).collect();
            let spool = spooled(&spools, &bytes).await.unwrap();
            assert_eq!(matches!(spool.place, Place::File { .. }), length > IN_MEMORY_BYTES);
            let (mut range, mut read) = (0..spool.bytes(), Vec::new());
            while let Some(piece) = spool.next(&mut range).await.unwrap() {
                read.extend_from_slice(&piece);
            }
            assert!(read == bytes, "{length}");
            let (from, to) = (length / 3, length / 2);
            assert_eq!(spool.read(from as u64..to as u64).await.unwrap(), &bytes[from..to]);
        }
    }

    #[tokio::test]
    async fn what_the_budget_does_not_allow_is_no_room_until_others_are_gone() {
        let spools = Spools::new("", 2 * 1024 * 1024);
        let bytes = vec![7; 1_500_000];
        let first = spooled(&spools, &bytes).await.unwrap();
        let second = spooled(&spools, &bytes).await;
        assert!(matches!(second, Err(ArchiveError::Blobs(BlobError::NoRoom))));
        drop(first);
        assert!(spooled(&spools, &bytes).await.is_ok());
    }
}
