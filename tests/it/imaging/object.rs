//! Objects read the way the archive reads them: scan, layout, header pieces, frame ranges.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use lastra::dicom::header::PixelShape;
use lastra::dicom::layout::{Layout, Piece};
use lastra::dicom::limits::Limits;
use lastra::dicom::observe::{DataSetPlace, Observer};
use lastra::dicom::part10::{Part10Reader, Step};
use lastra::dicom::scan::Scanner;
use lastra::dicom::syntax::Encoding;
use lastra::imaging::pixels::{PixelAttributes, PixelCollector};
use lastra::imaging::render::StoredFrame;

use crate::support::tools::dev_dir;

/// An object with its pixels found.
pub(super) struct Object {
    pub(super) attributes: PixelAttributes,
    pub(super) transfer_syntax: String,
    data_set: Bytes,
    layout: Layout,
}

/// Where pydicom keeps its files.
pub(super) fn pydicom_data() -> PathBuf {
    packages().join("pydicom/data")
}

/// A file of the package pydicom-data.
pub(super) fn pydicom_more(name: &str) -> PathBuf {
    packages().join("data_store/data").join(name)
}

fn packages() -> PathBuf {
    let lib = dev_dir().join("venv/lib");
    let python = std::fs::read_dir(lib).unwrap().next().unwrap().unwrap().path();
    python.join("site-packages")
}

/// Reads a file; the error is in words for a table.
pub(super) fn open(path: &Path) -> Result<Object, String> {
    let file = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut reader = Part10Reader::default();
    let (prefix, data_set) = match reader.push(&file).map_err(|error| error.to_string())? {
        Step::DataSet { prefix, head, used } => (prefix, [&head, &file[used..]].concat()),
        Step::More => reader.finish().map_err(|error| error.to_string())?,
    };
    let transfer_syntax = prefix.transfer_syntax.to_string();
    let (data_set, encoding) = match Encoding::of(&transfer_syntax) {
        Encoding::DeflatedExplicitLittle => (inflate(&data_set), Encoding::ExplicitLittle),
        encoding => (data_set, encoding),
    };
    let mut observer = Observer::new(encoding);
    let mut scanner = Scanner::new(encoding, Limits::DEFAULT);
    scanner.push(&data_set, &mut observer).map_err(|error| error.to_string())?;
    let bytes = scanner.finish(&mut observer).map_err(|error| error.to_string())?;
    let (header, parts) = observer.finish().map_err(|error| error.to_string())?;
    let shape: PixelShape = header.finish().pixels;
    let place = DataSetPlace { start: 0, bytes, deflated: false, inflated_bytes: bytes };
    let layout = parts.layout(place, &shape);
    let data_set = Bytes::from(data_set);
    let cut = |range: std::ops::Range<u64>| Piece {
        start: range.start,
        bytes: data_set.slice(usize(range.start)..usize(range.end)),
    };
    let pieces: Vec<Piece> = layout.header_ranges().into_iter().map(cut).collect();
    let mut collector = PixelCollector::new(encoding);
    layout
        .scan_header(encoding, Limits::DEFAULT, &pieces, &mut collector)
        .map_err(|error| error.to_string())?;
    for path in collector.missing_tables() {
        if let Some(bulk) = layout.bulk(&path) {
            collector.table(&path, &cut(bulk.value.clone()).bytes);
        }
    }
    if layout.pixels.is_none() {
        return Err("no pixels".to_owned());
    }
    Ok(Object { attributes: collector.finish(), transfer_syntax, data_set, layout })
}

impl Object {
    /// Frames there are.
    pub(super) fn frames(&self) -> u32 {
        self.layout.pixels.as_ref().and_then(|pixels| pixels.frames.count()).unwrap_or(0)
    }

    /// A frame, to be decoded.
    pub(super) fn frame(&self, index: u32) -> StoredFrame {
        let place = self.layout.frame(index, &self.transfer_syntax).unwrap();
        let mut bytes = Vec::new();
        for range in &place.ranges {
            bytes.extend_from_slice(&self.data_set[usize(range.start)..usize(range.end)]);
        }
        let transfer_syntax = place.syntax(&self.transfer_syntax).to_owned();
        StoredFrame { transfer_syntax, bytes: place.taken_of(bytes.into()), index }
    }
}

fn inflate(bytes: &[u8]) -> Vec<u8> {
    use std::io::Read;
    let mut inflated = Vec::new();
    flate2::read::DeflateDecoder::new(bytes).read_to_end(&mut inflated).unwrap();
    inflated
}

fn usize(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

/// Every file in a folder and those below, sorted.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name();
    let entries = entries.into_iter().map(|entry| entry.unwrap().into_path());
    entries.filter(|path| path.extension().is_some_and(|ext| ext == "dcm")).collect()
}
