//! Files to import or send: found in folders, zip files and media, read piece by piece.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use bytes::Bytes;
use tokio::sync::mpsc;

/// Bytes read at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// Pieces read ahead of whoever takes them.
const PIECES_AHEAD: usize = 4;

/// The most a zip entry may inflate to, whatever it announces.
const MAX_ENTRY_BYTES: u64 = 64 << 30;

/// The most entries of one zip file that are listed.
const MAX_ENTRIES: usize = 4_000_000;

/// One file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A file on disk.
    File(PathBuf),
    /// An entry of a zip file.
    Entry {
        /// The zip file.
        zip: PathBuf,
        /// Which entry, from 0.
        index: usize,
        /// The entry's own name, for messages.
        name: String,
    },
}

impl std::fmt::Display for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Entry { zip, name, .. } => write!(f, "{}:{name}", zip.display()),
        }
    }
}

/// Pieces of one file, in order; an error ends them.
pub type Pieces = mpsc::Receiver<io::Result<Bytes>>;

/// All files below `paths`, folders walked in the order of their names, zip files opened, a
/// DICOMDIR standing for the folder it lies in (PS3.10 §8.6). Paths that cannot be read are told to `trouble`.
pub fn find(paths: &[PathBuf], mut trouble: impl FnMut(&Path, &str)) -> Vec<Item> {
    let mut items = Vec::new();
    for path in paths {
        let is_dicomdir = path.file_name().is_some_and(|n| n.eq_ignore_ascii_case("DICOMDIR"));
        let root = if is_dicomdir && path.is_file() { path.parent().unwrap_or(path) } else { path };
        for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() => {
                    add(entry.into_path(), &mut items, &mut trouble);
                }
                Ok(_) => {}
                Err(error) => {
                    let at = error.path().unwrap_or(root).to_owned();
                    trouble(&at, &error.to_string());
                }
            }
        }
    }
    items
}

fn add(path: PathBuf, items: &mut Vec<Item>, trouble: &mut impl FnMut(&Path, &str)) {
    if !path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) {
        items.push(Item::File(path));
        return;
    }
    let opened =
        File::open(&path).map_err(zip::result::ZipError::from).and_then(zip::ZipArchive::new);
    match opened {
        Ok(archive) => {
            let names = archive.file_names().map(str::to_owned).collect::<Vec<_>>();
            let entries = names.into_iter().take(MAX_ENTRIES).enumerate();
            items.extend(
                entries.filter(|(_, name)| !name.ends_with('/')).map(|(index, name)| Item::Entry {
                    zip: path.clone(),
                    index,
                    name,
                }),
            );
        }
        Err(error) => trouble(&path, &error.to_string()),
    }
}

/// Reads an item on a thread of its own, a few pieces ahead; dropping the receiver ends it.
pub fn read(item: &Item) -> Pieces {
    let (send, receive) = mpsc::channel(PIECES_AHEAD);
    let item = item.clone();
    std::thread::spawn(move || {
        if let Err(error) = read_into(&item, &send) {
            let _ = send.blocking_send(Err(error));
        }
    });
    receive
}

fn read_into(item: &Item, send: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    match item {
        Item::File(path) => pump(&mut File::open(path)?, send),
        Item::Entry { zip, index, .. } => {
            let mut archive = zip::ZipArchive::new(File::open(zip)?).map_err(io::Error::other)?;
            let entry = archive.by_index(*index).map_err(io::Error::other)?;
            pump(&mut entry.take(MAX_ENTRY_BYTES), send)
        }
    }
}

fn pump(from: &mut impl Read, send: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    loop {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        from.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut piece)?;
        if piece.is_empty() || send.blocking_send(Ok(piece.into())).is_err() {
            return Ok(());
        }
    }
}
