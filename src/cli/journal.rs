//! What an import has finished, so that running it again goes on where it stopped.

use std::collections::HashSet;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::cli::sources::Item;

/// Lines written before the journal is synced; a crash costs so many files imported again, which
/// changes nothing: the same bytes are stored once.
const SYNC_EVERY: u32 = 200;

/// The journal of one data folder's imports: a line an item finished.
#[derive(Debug)]
pub struct Journal {
    done: HashSet<String>,
    file: File,
    unsynced: u32,
}

impl Journal {
    /// Opens the journal in a data folder.
    pub fn open(data: &Path) -> io::Result<Self> {
        let path = data.join("import.journal");
        let mut done = HashSet::new();
        if let Ok(file) = File::open(&path) {
            done.extend(BufReader::new(file).lines().map_while(Result::ok));
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { done, file, unsynced: 0 })
    }

    /// Whether an item was finished before and has not changed since.
    pub fn has(&self, item: &Item) -> bool {
        line_of(item).is_some_and(|line| self.done.contains(&line))
    }

    /// Notes an item as finished.
    pub fn add(&mut self, item: &Item) -> io::Result<()> {
        let Some(line) = line_of(item) else { return Ok(()) };
        writeln!(self.file, "{line}")?;
        self.done.insert(line);
        self.unsynced += 1;
        if self.unsynced >= SYNC_EVERY {
            self.unsynced = 0;
            self.file.sync_data()?;
        }
        Ok(())
    }
}

/// An item's file as it is now: path, entry, length and time of change, so that a file that
/// changed is imported again.
fn line_of(item: &Item) -> Option<String> {
    let (path, entry) = match item {
        Item::File(path) => (path, String::new()),
        Item::Entry { zip, index, .. } => (zip, index.to_string()),
    };
    let metadata = path.metadata().ok()?;
    let changed = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_micros();
    let path = path.canonicalize().ok()?.to_string_lossy().escape_default().to_string();
    Some(format!("{path}\t{entry}\t{}\t{changed}", metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::{Item, Journal};

    #[test]
    fn a_finished_file_is_remembered_until_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.dcm");
        std::fs::write(&path, b"first").unwrap();
        let item = Item::File(path.clone());
        let mut journal = Journal::open(folder.path()).unwrap();
        assert!(!journal.has(&item));
        journal.add(&item).unwrap();

        let reopened = Journal::open(folder.path()).unwrap();
        assert!(reopened.has(&item));
        std::fs::write(&path, b"changed").unwrap();
        assert!(!reopened.has(&item));
    }
}
