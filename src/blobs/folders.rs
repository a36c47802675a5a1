//! The hash folders on local disk: made when first needed, and their entries durable.

use std::fs;
use std::fs::File;
use std::io;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::blobs::key::BlobKey;
use crate::blobs::key::BlobKind;
use crate::blobs::stats::Stats;

/// Which folders are known to be there and durable: one bit each, 16 KiB in all, for ever.
#[derive(Debug)]
pub(crate) struct Folders {
    root: PathBuf,
    instances: Box<[AtomicU64]>,
    derived: Box<[AtomicU64]>,
    documents: Box<[AtomicU64]>,
    stats: Arc<Stats>,
}

impl Folders {
    /// Makes the root and the kinds' folders, durably.
    pub(crate) fn open(root: PathBuf, stats: Arc<Stats>) -> io::Result<Self> {
        let bits = || (0..WORDS).map(|_| AtomicU64::new(0)).collect();
        let (instances, derived, documents) = (bits(), bits(), bits());
        let folders = Self { root, instances, derived, documents, stats };
        let missing: Vec<&Path> =
            folders.root.ancestors().take_while(|folder| !folder.exists()).collect();
        fs::create_dir_all(&folders.root)?;
        for parent in missing.into_iter().filter_map(Path::parent) {
            folders.sync(if parent == Path::new("") { Path::new(".") } else { parent })?;
        }
        for kind in BlobKind::ALL {
            make(&folders.root.join(kind.folder()))?;
        }
        folders.sync(&folders.root)?;
        Ok(folders)
    }

    /// Where a blob's file lies.
    pub(crate) fn path(&self, key: &BlobKey) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// The root folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes a key's folders. The parents are synced at the first use in every process, made here
    /// or not: an earlier process may have died between making a folder and syncing its entry.
    pub(crate) fn prepare(&self, key: &BlobKey) -> io::Result<()> {
        let Some((word, bit)) = self.known(key) else { return Ok(()) };
        if word.load(Ordering::Acquire) & bit != 0 {
            return Ok(());
        }
        let path = self.path(key);
        let (Some(inner), Some(outer)) = (path.parent(), path.ancestors().nth(2)) else {
            return Ok(());
        };
        make(outer)?;
        make(inner)?;
        self.sync(outer)?;
        self.sync(&self.root.join(key.kind().folder()))?;
        word.fetch_or(bit, Ordering::Release);
        Ok(())
    }

    /// Someone removed a folder under us: the next `prepare` makes it again.
    pub(crate) fn forget(&self, key: &BlobKey) {
        if let Some((word, bit)) = self.known(key) {
            word.fetch_and(!bit, Ordering::Release);
        }
    }

    /// Makes the entries of the key's own folder durable.
    pub(crate) fn sync_entries(&self, key: &BlobKey) -> io::Result<()> {
        self.path(key).parent().map_or(Ok(()), |folder| self.sync(folder))
    }

    fn sync(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()?;
        self.stats.synced();
        Ok(())
    }

    fn known(&self, key: &BlobKey) -> Option<(&AtomicU64, u64)> {
        let words = match key.kind() {
            BlobKind::Instance => &self.instances,
            BlobKind::Derived => &self.derived,
            BlobKind::Document => &self.documents,
        };
        let word = words.get(usize::from(key.folder() / 64))?;
        Some((word, 1 << (key.folder() % 64)))
    }
}

fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// 65 536 folders a kind, a bit each.
const WORDS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blobs::key::KeyMaker;

    #[test]
    fn a_folder_is_made_and_its_parents_synced_once() {
        let temporary = tempfile::tempdir().unwrap();
        let stats = Arc::new(Stats::default());
        let root = temporary.path().join("a/b");
        let folders = Folders::open(root, Arc::clone(&stats)).unwrap();
        assert_eq!(stats.counts().syncs, 3); // a's parent, b's parent, the root itself

        let key = KeyMaker::default().next(BlobKind::Instance);
        for _ in 0..3 {
            folders.prepare(&key).unwrap();
            assert!(folders.path(&key).parent().unwrap().is_dir());
            assert_eq!(stats.counts().syncs, 5); // i and i/ab hold the new entries
        }
        fs::remove_dir(folders.path(&key).parent().unwrap()).unwrap();
        folders.forget(&key);
        folders.prepare(&key).unwrap();
        assert!(folders.path(&key).parent().unwrap().is_dir());
    }
}
