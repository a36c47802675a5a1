//! Reading files: at once when the kernel has the bytes in memory, else on a blocking thread.
//!
//! Going through a blocking thread costs a wake-up and a switch, as much as copying a frame. So a
//! read is first tried where it stands, with flags that make the kernel answer "not now" instead
//! of waiting for the disk (`RESOLVE_CACHED`, `RWF_NOWAIT`).

use std::fs::File;
use std::io;
use std::io::ErrorKind;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use futures::stream::BoxStream;

use crate::blobs::disk::Disk;
use crate::blobs::error::BlobError;
use crate::blobs::key::BlobKey;
use crate::blobs::stats::InFlight;
use crate::blobs::threads::Job;

impl Disk {
    /// Reads a range whole. Memory: the range, and never more than the blob has.
    pub(crate) async fn read(
        self: Arc<Self>,
        key: BlobKey,
        range: Range<u64>,
    ) -> Result<Bytes, BlobError> {
        let _in_flight = self.stats.read_begins();
        let opened = match self.open_now(&key) {
            Some(file) => {
                let file = Arc::new(file);
                if let Some(bytes) = read_now(&file, &range) {
                    self.stats.bytes_read(bytes.len());
                    return Ok(bytes);
                }
                Some(file)
            }
            None => None,
        };
        let disk = Arc::clone(&self);
        let work = move || {
            let file = match opened {
                Some(file) => file,
                None => Arc::new(disk.open_file(&key)?),
            };
            check_length(&file, &key, &range)?;
            read_exactly(&file, &key, &range)
        };
        let bytes = self.reads.run(work).await?;
        self.stats.bytes_read(bytes.len());
        Ok(bytes)
    }

    /// Streams a range in pieces of [`PIECE`] bytes, at most one of them read ahead.
    pub(crate) fn stream(
        self: Arc<Self>,
        key: BlobKey,
        range: Range<u64>,
    ) -> BoxStream<'static, Result<Bytes, BlobError>> {
        let reader = Reader {
            _in_flight: self.stats.read_begins(),
            disk: self,
            key,
            end: range.end,
            next: range.start,
            file: None,
            ahead: None,
        };
        stream::try_unfold(reader, Reader::step).boxed()
    }

    /// Opens a file if that needs no waiting for the disk.
    #[cfg(target_os = "linux")]
    fn open_now(&self, key: &BlobKey) -> Option<File> {
        use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
        let path = self.folders.path(key);
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        openat2(CWD, &path, flags, Mode::empty(), ResolveFlags::CACHED).ok().map(File::from)
    }

    #[cfg(not(target_os = "linux"))]
    fn open_now(&self, _key: &BlobKey) -> Option<File> {
        None
    }
}

/// A stream's place in its file.
struct Reader {
    disk: Arc<Disk>,
    key: BlobKey,
    next: u64,
    end: u64,
    file: Option<Arc<File>>,
    ahead: Option<Job<Bytes>>,
    _in_flight: InFlight,
}

impl Reader {
    async fn step(mut self) -> Result<Option<(Bytes, Self)>, BlobError> {
        if self.next >= self.end && self.file.is_some() {
            return Ok(None);
        }
        // A warm file never waits, so nothing else would let other tasks have their turn.
        tokio::task::coop::consume_budget().await;
        let file = self.opened().await?;
        if self.next >= self.end {
            return Ok(None);
        }
        let piece = self.piece_at(self.next);
        let bytes = match self.ahead.take() {
            Some(job) => {
                let bytes = job.await?;
                self.read_ahead(&file, piece.end).await?;
                bytes
            }
            None => {
                if let Some(bytes) = read_now(&file, &piece) {
                    bytes
                } else {
                    let bytes = self.start(&file, piece.clone()).await?.await?;
                    self.read_ahead(&file, piece.end).await?;
                    bytes
                }
            }
        };
        self.disk.stats.bytes_read(bytes.len());
        self.next = piece.end;
        Ok(Some((bytes, self)))
    }

    /// The file, opened and checked for length at the first step: a blob that is too short is
    /// found before a byte of it goes out.
    async fn opened(&mut self) -> Result<Arc<File>, BlobError> {
        if let Some(file) = &self.file {
            return Ok(Arc::clone(file));
        }
        let range = self.next..self.end;
        let file = if let Some(file) = self.disk.open_now(&self.key) {
            file
        } else {
            let (disk, key) = (Arc::clone(&self.disk), self.key.clone());
            self.disk.reads.run(move || disk.open_file(&key)).await?
        };
        check_length(&file, &self.key, &range)?; // `fstat`: needs no disk
        let file = Arc::new(file);
        self.file = Some(Arc::clone(&file));
        Ok(file)
    }

    fn piece_at(&self, start: u64) -> Range<u64> {
        start..start.saturating_add(PIECE).min(self.end)
    }

    async fn read_ahead(&mut self, file: &Arc<File>, start: u64) -> Result<(), BlobError> {
        if start < self.end {
            self.ahead = Some(self.start(file, self.piece_at(start)).await?);
        }
        Ok(())
    }

    async fn start(&self, file: &Arc<File>, piece: Range<u64>) -> Result<Job<Bytes>, BlobError> {
        let (file, key) = (Arc::clone(file), self.key.clone());
        let place = self.disk.reads.place().await?;
        Ok(Job::start(place, move || read_exactly(&file, &key, &piece)))
    }
}

/// `Short` unless the file reaches the end of the range.
fn check_length(file: &File, key: &BlobKey, range: &Range<u64>) -> Result<(), BlobError> {
    let facts = file.metadata().map_err(|error| BlobError::of_disk(key.as_str(), &error))?;
    let end = range.end.max(range.start);
    if facts.len() < end { Err(short(key, end)) } else { Ok(()) }
}

fn short(key: &BlobKey, end: u64) -> BlobError {
    BlobError::Short { key: key.as_str().to_owned(), end }
}

/// Reads a range that the file's length was checked against. Touches the disk.
fn read_exactly(file: &File, key: &BlobKey, range: &Range<u64>) -> Result<Bytes, BlobError> {
    let failed = |error: &io::Error| BlobError::of_disk(key.as_str(), error);
    let length = length_of(range).ok_or_else(|| failed(&ErrorKind::OutOfMemory.into()))?;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let at = range.start.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        match rustix::io::pread(file, rustix::buffer::spare_capacity(&mut bytes), at) {
            Ok(0) => return Err(short(key, range.end)),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(failed(&error.into())),
        }
    }
    bytes.truncate(length); // capacity may be more than was asked for
    Ok(bytes.into())
}

/// Reads a range if all of it is in memory and small enough to copy between two tasks' turns.
#[cfg(target_os = "linux")]
fn read_now(file: &File, range: &Range<u64>) -> Option<Bytes> {
    let length = length_of(range).filter(|length| *length <= COPIED_AT_ONCE)?;
    if length == 0 || file.metadata().ok()?.len() < range.end {
        return None;
    }
    let mut bytes = vec![0; length];
    let flags = rustix::io::ReadWriteFlags::NOWAIT;
    let into = &mut [io::IoSliceMut::new(&mut bytes)];
    let read = rustix::io::preadv2(file, into, range.start, flags).ok()?;
    (read == length).then(|| bytes.into())
}

#[cfg(not(target_os = "linux"))]
fn read_now(_file: &File, _range: &Range<u64>) -> Option<Bytes> {
    None
}

fn length_of(range: &Range<u64>) -> Option<usize> {
    usize::try_from(range.end.saturating_sub(range.start)).ok()
}

/// Bytes a piece of a stream.
const PIECE: u64 = 512 * 1024;
/// Copying this much takes well under half a millisecond.
const COPIED_AT_ONCE: usize = 1024 * 1024;
