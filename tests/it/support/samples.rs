//! The real objects pydicom brings along, and what pydicom reads in them.

use std::path::{Path, PathBuf};

use lastra::dicom::limits::Limits;
use lastra::dicom::part10::{Part10Reader, Step};
use lastra::dicom::scan::{Scanner, Visit};
use lastra::dicom::syntax::Encoding;

use super::tools::python;

/// Everything that is no image is read whole.
const WHOLE: Limits = Limits { inline_bytes: 16 * 1024 * 1024, ..Limits::DEFAULT };

/// A file's data set and how it is written.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) encoding: Encoding,
    pub(crate) data_set: Vec<u8>,
}

impl Sample {
    /// Tells `visit` of the data set; a truncated one as far as it goes.
    pub(crate) fn scan(&self, visit: &mut dyn Visit) {
        let mut scanner = Scanner::new(self.encoding, WHOLE);
        if scanner.push(&self.data_set, visit).is_ok() {
            let _ = scanner.finish(visit);
        }
    }
}

/// The files in `folder` of pydicom's data that have a data set, by name.
pub(crate) fn samples(folder: &str) -> Vec<Sample> {
    let lib = python().parent().unwrap().parent().unwrap().join("lib");
    let version = std::fs::read_dir(lib).unwrap().next().unwrap().unwrap().path();
    let folder = version.join("site-packages/pydicom/data").join(folder);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "dcm"));
    paths.sort();
    paths.iter().filter_map(|path| open(path)).collect()
}

fn open(path: &Path) -> Option<Sample> {
    let bytes = std::fs::read(path).unwrap();
    let mut reader = Part10Reader::default();
    let (prefix, data_set) = match reader.push(&bytes).ok()? {
        Step::DataSet { prefix, head, used } => (prefix, [&head, &bytes[used..]].concat()),
        Step::More => reader.finish().ok()?,
    };
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let encoding = Encoding::of(prefix.transfer_syntax.as_str());
    Some(Sample { name, path: path.to_owned(), encoding, data_set })
}
