//! STOW-RS: the files of a zip archive, one after the other, each inflated as it is stored.
//!
//! Hostile archives: the directory, the number of files and what all inflate to are bounded.

use std::io::{BufReader, Error, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::archive::archive::Archive;
use crate::archive::spool::{SpoolReader, Spooled};
use crate::dicomweb::stow_answer::{CANNOT_UNDERSTAND, Failure, TOO_LARGE};
use crate::dicomweb::stow_intake::MAX_PARTS;

/// Bytes read to find the archive's directory.
const MAX_DIRECTORY_BYTES: u64 = 16 * 1024 * 1024;
/// What the files may inflate to together: so many times the archive, and this much besides.
const MAX_RATIO: u64 = 200;
const ALWAYS_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes inflated at a time, and such pieces waiting.
const PIECE_BYTES: usize = 128 * 1024;
const PIECES: usize = 4;

/// What comes out of an archive.
#[derive(Debug)]
pub enum Entry {
    /// A file begins.
    Begin,
    /// Its next bytes.
    Bytes(Bytes),
    /// It is whole.
    End,
    /// The archive, or the open file, cannot be read on.
    Broken(Failure),
}

/// Opens an archive and hands over its files; folders and the `DICOMDIR` of a medium are left out.
pub fn open(archive: &Archive, spooled: &Spooled) -> Receiver<Entry> {
    let (to, from) = channel(PIECES);
    let (reader, bytes) = (spooled.reader(), spooled.bytes());
    let archive = archive.clone();
    let work = move || {
        if let Err(Stop::Broken(failure)) = unpack(reader, bytes, &to) {
            // Whoever listens no longer has no use for it.
            let _ = to.blocking_send(Entry::Broken(failure));
        }
    };
    tokio::spawn(async move { archive.unpack(work).await });
    from
}

enum Stop {
    Broken(Failure),
    /// Nobody listens any more.
    Unheard,
}

fn unpack(reader: SpoolReader, bytes: u64, to: &Sender<Entry>) -> Result<(), Stop> {
    let allowed = Arc::new(AtomicU64::new(MAX_DIRECTORY_BYTES));
    let reader = Counted { reader, left: Arc::clone(&allowed) };
    let mut archive = ZipArchive::new(BufReader::new(reader)).map_err(|error| no_zip(&error))?;
    if archive.len() > MAX_PARTS {
        return Err(too_large(format!("a zip file may have {MAX_PARTS} files")));
    }
    allowed.store(u64::MAX, Ordering::Relaxed);
    let mut left = bytes.saturating_mul(MAX_RATIO).saturating_add(ALWAYS_BYTES);
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).map_err(|error| no_zip(&error))?;
        let name = file.name().rsplit(['/', '\\']).next().unwrap_or_default();
        if file.is_dir() || name.eq_ignore_ascii_case("DICOMDIR") {
            continue;
        }
        send(to, Entry::Begin)?;
        loop {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            let most = u64::try_from(PIECE_BYTES).unwrap_or(u64::MAX);
            let read = file.by_ref().take(most).read_to_end(&mut piece);
            let read = u64::try_from(read.map_err(|error| broken(&error))?).unwrap_or(u64::MAX);
            if read == 0 {
                break;
            }
            left = left.checked_sub(read).ok_or_else(|| {
                too_large(format!("a zip file may inflate to {MAX_RATIO} times its size"))
            })?;
            send(to, Entry::Bytes(piece.into()))?;
        }
        send(to, Entry::End)?;
    }
    Ok(())
}

fn send(to: &Sender<Entry>, entry: Entry) -> Result<(), Stop> {
    to.blocking_send(entry).map_err(|_| Stop::Unheard)
}

fn no_zip(error: &ZipError) -> Stop {
    Stop::Broken(Failure { reason: CANNOT_UNDERSTAND, comment: format!("the zip file: {error}") })
}

fn broken(error: &Error) -> Stop {
    let comment = format!("a file of the zip file does not inflate: {error}");
    Stop::Broken(Failure { reason: CANNOT_UNDERSTAND, comment })
}

fn too_large(comment: String) -> Stop {
    Stop::Broken(Failure { reason: TOO_LARGE, comment })
}

/// A reader of so many bytes.
struct Counted {
    reader: SpoolReader,
    left: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.reader.read(into)?;
        let left = self.left.load(Ordering::Relaxed);
        let left = left.checked_sub(u64::try_from(read).unwrap_or(u64::MAX));
        let left = left.ok_or_else(|| Error::other("its directory is too large"))?;
        self.left.store(left, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.reader.seek(to)
    }
}
