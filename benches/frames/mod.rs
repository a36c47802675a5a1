//! Files as an archive finds them: data set, layout, pixel attributes, frames.

use lastra::dicom::layout::{Layout, Piece};
use lastra::dicom::limits::Limits;
use lastra::dicom::observe::{DataSetPlace, Observer};
use lastra::dicom::part10::{Part10Reader, Step};
use lastra::dicom::scan::Scanner;
use lastra::dicom::syntax::Encoding;
use lastra::imaging::pixels::{PixelAttributes, PixelCollector};
use lastra::imaging::render::StoredFrame;

pub(crate) const ENCODING: Encoding = Encoding::ExplicitLittle;

/// Transfer syntax and data set of a Part 10 file, named from the repository's root.
pub(crate) fn read(path: &std::path::Path) -> (String, Vec<u8>) {
    let file = std::fs::read(root().join(path)).unwrap();
    let mut reader = Part10Reader::default();
    let (prefix, data_set) = match reader.push(&file).unwrap() {
        Step::DataSet { prefix, head, used } => (prefix, [&head, &file[used..]].concat()),
        Step::More => reader.finish().unwrap(),
    };
    (prefix.transfer_syntax.to_string(), data_set)
}

fn root() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn observe(bytes: &[u8]) -> Layout {
    let mut scanner = Scanner::new(ENCODING, Limits::DEFAULT);
    let mut observer = Observer::new(ENCODING);
    scanner.push(bytes, &mut observer).unwrap();
    let inflated_bytes = scanner.finish(&mut observer).unwrap();
    let (header, parts) = observer.finish().unwrap();
    let bytes = bytes.len() as u64;
    let place = DataSetPlace { start: 0, bytes, deflated: false, inflated_bytes };
    parts.layout(place, &header.finish().pixels)
}

/// The frames of a file, as an archive finds them.
pub(crate) fn frames(path: &str) -> (PixelAttributes, Vec<StoredFrame>) {
    let (transfer_syntax, bytes) = read(std::path::Path::new(path));
    let layout = observe(&bytes);
    let cut = |range: std::ops::Range<u64>| {
        let (start, end) = (range.start.try_into().unwrap(), range.end.try_into().unwrap());
        bytes[start..end].to_vec()
    };
    let piece =
        |range: std::ops::Range<u64>| Piece { start: range.start, bytes: cut(range).into() };
    let pieces: Vec<Piece> = layout.header_ranges().into_iter().map(piece).collect();
    let mut collector = PixelCollector::new(ENCODING);
    layout.scan_header(ENCODING, Limits::DEFAULT, &pieces, &mut collector).unwrap();
    let stored = (0..).map_while(|index| {
        let place = layout.frame(index, &transfer_syntax)?;
        let joined = place.ranges.iter().cloned().map(cut).collect::<Vec<_>>().concat().into();
        let bytes = place.taken_of(joined);
        let transfer_syntax = place.syntax(&transfer_syntax).to_owned();
        Some(StoredFrame { transfer_syntax, bytes, index })
    });
    (collector.finish(), stored.collect())
}
