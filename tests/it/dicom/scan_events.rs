//! What a scan tells, written down, so that two scans can be compared.

use std::ops::Range;

use lastra::dicom::limits::Limits;
use lastra::dicom::scan::{Element, ScanError, Scanner, Value, Visit};
use lastra::dicom::syntax::Encoding;

/// One call of [`Visit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    Inline(Element, Vec<u8>),
    Bulk(Element),
    Sequence(Element),
    Item,
    EndItem,
    EndSequence,
    Fragments(Element),
    OffsetTable(Vec<u8>),
    Fragment { item_start: u64, bytes: Range<u64>, head: Vec<u8> },
    EndFragments(u64),
}

/// Writes down every call.
#[derive(Debug, Default)]
pub(super) struct Recorder(pub(super) Vec<Event>);

impl Visit for Recorder {
    fn element(&mut self, element: &Element, value: Value<'_>) {
        self.0.push(match value {
            Value::Inline(bytes) => Event::Inline(element.clone(), bytes.to_vec()),
            Value::Bulk => Event::Bulk(element.clone()),
        });
    }
    fn begin_sequence(&mut self, element: &Element) {
        self.0.push(Event::Sequence(element.clone()));
    }
    fn begin_item(&mut self) {
        self.0.push(Event::Item);
    }
    fn end_item(&mut self) {
        self.0.push(Event::EndItem);
    }
    fn end_sequence(&mut self) {
        self.0.push(Event::EndSequence);
    }
    fn begin_fragments(&mut self, element: &Element) {
        self.0.push(Event::Fragments(element.clone()));
    }
    fn offset_table(&mut self, bytes: &[u8]) {
        self.0.push(Event::OffsetTable(bytes.to_vec()));
    }
    fn fragment(&mut self, item_start: u64, bytes: Range<u64>, head: &[u8]) {
        self.0.push(Event::Fragment { item_start, bytes, head: head.to_vec() });
    }
    fn end_fragments(&mut self, end: u64) {
        self.0.push(Event::EndFragments(end));
    }
}

/// Scans `bytes` pushed in pieces that end at `cuts`.
pub(super) fn scan_cut(
    bytes: &[u8],
    cuts: &[usize],
    encoding: Encoding,
    limits: Limits,
) -> (Vec<Event>, Result<u64, ScanError>) {
    let mut recorder = Recorder::default();
    let mut scanner = Scanner::new(encoding, limits);
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.push(bytes.len());
    cuts.sort_unstable();
    let mut start = 0;
    let mut result = Ok(0);
    for end in cuts {
        result = scanner.push(&bytes[start..end], &mut recorder).map(|()| 0);
        start = end;
        if result.is_err() {
            break;
        }
    }
    let result = result.and_then(|_| scanner.finish(&mut recorder));
    (recorder.0, result)
}

/// Scans `bytes` pushed at once.
pub(super) fn scan(
    bytes: &[u8],
    encoding: Encoding,
    limits: Limits,
) -> (Vec<Event>, Result<u64, ScanError>) {
    scan_cut(bytes, &[], encoding, limits)
}

/// The same, of a data set that must be readable.
pub(super) fn events(bytes: &[u8], encoding: Encoding, limits: Limits) -> Vec<Event> {
    let (events, result) = scan(bytes, encoding, limits);
    assert_eq!(result, Ok(bytes.len() as u64));
    events
}
