//! Putting OHIF's package into the archive's folder, ready to be served: trimmed, moved below its
//! root, and compressed once for all who will ask.
//!
//! File work of some seconds: for commands and the start of the server, never for a request.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::web::ohif::{PAGE, is_wanted, moved};

/// Folder of the prepared viewer, below the data folder.
pub const FOLDER: &str = "viewer";

/// Why a viewer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no package of OHIF's.
    #[error("{}: no OHIF in it ({wanted} is missing); get one with `npm pack @ohif/app`", path.display())]
    NotOhif {
        /// What was given.
        path: PathBuf,
        /// What every OHIF has.
        wanted: &'static str,
    },
    /// It is larger than any OHIF.
    #[error("{}: more than {MOST_FILES} files or {MOST_BYTES} bytes", path.display())]
    TooLarge {
        /// What was given.
        path: PathBuf,
    },
}

/// What was prepared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prepared {
    /// Files.
    pub files: u64,
    /// Bytes of them, before compression.
    pub bytes: u64,
}

/// Prepares a package (`.tgz` of npm) or an unpacked `dist` folder in the data folder, in place of
/// what was there. Memory: the largest file, of at most 128 MiB.
pub fn prepare(source: &Path, data: &Path) -> Result<Prepared, PrepareError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| PrepareError::File { path, source }
    };
    fs::create_dir_all(data).map_err(failed(data))?;
    let target =
        tempfile::Builder::new().prefix("viewer-").tempdir_in(data).map_err(failed(data))?;
    let mut writer = Writer { source, target: target.path(), done: Prepared::default() };
    if source.is_dir() {
        writer.take_folder()?;
    } else {
        writer.take_package()?;
    }
    if !target.path().join(PAGE).is_file() {
        return Err(PrepareError::NotOhif { path: source.to_owned(), wanted: PAGE });
    }
    let done = writer.done;
    let place = data.join(FOLDER);
    remove(data).map_err(failed(&place))?;
    fs::rename(target.keep(), &place).map_err(failed(&place))?;
    Ok(done)
}

/// Removes the prepared viewer; whether there was one.
pub fn remove(data: &Path) -> io::Result<bool> {
    match fs::remove_dir_all(data.join(FOLDER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        other => other.map(|()| true),
    }
}

struct Writer<'a> {
    source: &'a Path,
    target: &'a Path,
    done: Prepared,
}

impl Writer<'_> {
    fn take_folder(&mut self) -> Result<(), PrepareError> {
        let entries = walkdir::WalkDir::new(self.source).sort_by_file_name().max_depth(MOST_DEPTH);
        for entry in entries {
            let entry = entry.map_err(|error| self.unreadable(error.into()))?;
            let path = entry.path().strip_prefix(self.source).unwrap_or(entry.path()).to_owned();
            if entry.file_type().is_file() && wanted(&path) {
                let file = File::open(entry.path()).map_err(|error| self.unreadable(error))?;
                self.take(&path, file)?;
            }
        }
        Ok(())
    }

    fn take_package(&mut self) -> Result<(), PrepareError> {
        let file = File::open(self.source).map_err(|error| self.unreadable(error))?;
        let mut package = tar::Archive::new(GzDecoder::new(file).take(MOST_BYTES));
        for entry in package.entries().map_err(|error| self.unreadable(error))? {
            let entry = entry.map_err(|error| self.unreadable(error))?;
            let path = entry.path().map_err(|error| self.unreadable(error))?.into_owned();
            let Ok(path) = path.strip_prefix("package/dist") else { continue };
            if entry.header().entry_type().is_file() && wanted(path) {
                self.take(path, entry)?;
            }
        }
        Ok(())
    }

    /// Writes one file, and beside it the same compressed where that is worth it.
    fn take(&mut self, path: &Path, content: impl Read) -> Result<(), PrepareError> {
        let mut bytes = Vec::new();
        content
            .take(MOST_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| self.unreadable(error))?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.done.files += 1;
        self.done.bytes = self.done.bytes.saturating_add(length);
        if length > MOST_FILE_BYTES || self.done.bytes > MOST_BYTES || self.done.files > MOST_FILES
        {
            return Err(PrepareError::TooLarge { path: self.source.to_owned() });
        }
        let place = self.target.join(path);
        let failed = |source| PrepareError::File { path: place.clone(), source };
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let content = moved(&path.to_string_lossy(), &bytes);
        fs::write(&place, &content).map_err(failed)?;
        if is_text(path) && content.len() > WORTH_COMPRESSING {
            let mut beside = place.clone().into_os_string();
            beside.push(".gz");
            let file = File::create(&beside).map_err(failed)?;
            let mut packed = GzEncoder::new(file, Compression::default());
            packed.write_all(&content).and_then(|()| packed.finish()).map_err(failed)?;
        }
        Ok(())
    }

    fn unreadable(&self, source: io::Error) -> PrepareError {
        PrepareError::File { path: self.source.to_owned(), source }
    }
}

/// A plain path downwards to a file that is of use.
fn wanted(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_)))
        && path.to_str().is_some_and(is_wanted)
}

fn is_text(path: &Path) -> bool {
    let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
    ["js", "css", "html", "json", "svg", "wasm"].contains(&end)
}

/// OHIF 3.13 has 101 entries at its top, 213 MB.
const MOST_FILES: u64 = 5000;
const MOST_BYTES: u64 = 1 << 30;
const MOST_FILE_BYTES: u64 = 128 << 20;
const MOST_DEPTH: usize = 8;
/// Smaller files fit into a packet or two anyway.
const WORTH_COMPRESSING: usize = 1400;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn package(entries: &[(&str, &str)]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut tar =
            tar::Builder::new(GzEncoder::new(file.reopen().unwrap(), Compression::fast()));
        for (path, content) in entries {
            let mut header = tar::Header::new_gnu();
            let name = header.as_gnu_mut().unwrap();
            name.name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_size(content.len() as u64);
            header.set_entry_type(tar::EntryType::Regular);
            header.set_cksum();
            tar.append(&header, content.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap();
        file
    }

    #[test]
    fn a_package_is_trimmed_moved_and_put_in_place_of_the_older_one() {
        let data = tempfile::tempdir().unwrap();
        for title in ["one", "two"] {
            let page = format!(r#"<a href="/x">{title}</a>"#);
            let package = package(&[
                ("package/dist/index.html", &page),
                ("package/dist/ort/model.wasm", "large"),
                ("package/README.md", "no part of it"),
            ]);
            let done = prepare(package.path(), data.path()).unwrap();
            assert_eq!(done.files, 1);
            let page = fs::read_to_string(data.path().join("viewer/index.html")).unwrap();
            assert_eq!(page, format!(r#"<a href="/ohif/x">{title}</a>"#));
        }
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1, "nothing half done is left");
        assert!(remove(data.path()).unwrap());
        assert!(!remove(data.path()).unwrap());
    }

    #[test]
    fn a_package_cannot_write_outside_its_folder() {
        let data = tempfile::tempdir().unwrap();
        let package =
            package(&[("package/dist/index.html", "x"), ("package/dist/../../../evil.js", "x")]);
        assert_eq!(prepare(package.path(), data.path()).unwrap().files, 1);
        assert!(!data.path().parent().unwrap().join("evil.js").exists());
    }

    #[test]
    fn what_is_no_ohif_is_refused_and_the_older_one_stays() {
        let data = tempfile::tempdir().unwrap();
        let good = package(&[("package/dist/index.html", "good")]);
        prepare(good.path(), data.path()).unwrap();
        let other = package(&[("package/dist/else.js", "x")]);
        assert!(matches!(prepare(other.path(), data.path()), Err(PrepareError::NotOhif { .. })));
        let text = tempfile::NamedTempFile::new().unwrap();
        fs::write(text.path(), "no package").unwrap();
        assert!(prepare(text.path(), data.path()).is_err());
        assert!(matches!(
            prepare(Path::new("/nowhere.tgz"), data.path()),
            Err(PrepareError::File { .. })
        ));
        assert_eq!(fs::read_to_string(data.path().join("viewer/index.html")).unwrap(), "good");
    }
}
