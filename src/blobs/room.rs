//! Free space on the local disk, asked at most once a second.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use crate::blobs::error::BlobError;

/// The reserve: what is always left free for the index, its log and whoever shares the disk.
#[derive(Debug)]
pub(crate) struct Room {
    root: PathBuf,
    reserve_bytes: u64,
    last: Mutex<Option<(Instant, bool)>>,
}

impl Room {
    /// Watches the file system that holds `root`.
    pub(crate) fn new(root: PathBuf, reserve_bytes: u64) -> Self {
        Self { root, reserve_bytes, last: Mutex::new(None) }
    }

    /// The answer, when it was asked within the last second or needs no asking.
    pub(crate) fn remembered(&self) -> Option<Result<(), BlobError>> {
        if self.reserve_bytes == 0 {
            return Some(Ok(()));
        }
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (asked, enough) = last?;
        (asked.elapsed() < KEPT).then_some(answer(enough))
    }

    /// `NoRoom` when less than the reserve is free. May touch the disk: not for async threads.
    pub(crate) fn check(&self) -> Result<(), BlobError> {
        if let Some(answer) = self.remembered() {
            return answer;
        }
        let disk = rustix::fs::statvfs(&self.root)
            .map_err(|error| BlobError::of_write("free space", &error.into()))?;
        let enough = disk.f_bavail.saturating_mul(disk.f_frsize) >= self.reserve_bytes;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((Instant::now(), enough));
        answer(enough)
    }
}

fn answer(enough: bool) -> Result<(), BlobError> {
    if enough { Ok(()) } else { Err(BlobError::NoRoom) }
}

/// How long an answer holds.
const KEPT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_larger_than_the_disk_leaves_no_room() {
        let folder = tempfile::tempdir().unwrap();
        let greedy = Room::new(folder.path().into(), u64::MAX);
        assert!(greedy.remembered().is_none());
        for _ in 0..2 {
            assert!(matches!(greedy.check(), Err(BlobError::NoRoom)));
        }
        assert!(matches!(greedy.remembered(), Some(Err(BlobError::NoRoom))));
        assert!(Room::new(folder.path().into(), 1).check().is_ok());
    }
}
