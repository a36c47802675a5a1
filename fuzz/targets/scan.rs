//! Any bytes, any encoding, any cut: a scan ends, tells the same, and its layout reads it again.
#![no_main]

use std::ops::Range;

use lastra::dicom::header::PixelShape;
use lastra::dicom::layout::Layout;
use lastra::dicom::limits::Limits;
use lastra::dicom::observe::{DataSetPlace, LayoutCollector};
use lastra::dicom::scan::{Element, ScanError, Scanner, Value, Visit};
use lastra::dicom::syntax::{EXPLICIT_BIG, EXPLICIT_LITTLE, Encoding};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits {
    depth: 8,
    elements: 10_000,
    inline_bytes: 64,
    offset_table_bytes: 64,
    header_bytes: 64 * 1024,
    inflate_ratio: 100,
    inflate_bytes: 4 * 1024 * 1024,
};

/// Checks that what it hears is nested and placed as promised, and writes it down.
#[derive(Default)]
struct Checker {
    told: Vec<String>,
    open: Vec<char>,
    layout: LayoutCollector,
}

impl Checker {
    fn tell(&mut self, told: String) {
        self.told.push(told);
    }

    fn close(&mut self, kind: char) {
        assert_eq!(self.open.pop(), Some(kind));
    }

    fn depth(&self) -> usize {
        self.open.iter().filter(|&&kind| kind == '[').count()
    }
}

impl Visit for Checker {
    fn element(&mut self, element: &Element, value: Value<'_>) {
        assert_eq!(usize::from(element.depth), self.depth());
        assert!(element.start < element.value.start && element.value.start <= element.value.end);
        if let Value::Inline(bytes) = &value {
            assert_eq!(bytes.len() as u64, element.value.end - element.value.start);
        }
        self.tell(format!("{element:?} {value:?}"));
        self.layout.element(element, value);
    }
    fn begin_sequence(&mut self, element: &Element) {
        assert_eq!(usize::from(element.depth), self.depth());
        self.open.push('[');
        self.tell(format!("{element:?} ["));
        self.layout.begin_sequence(element);
    }
    fn begin_item(&mut self) {
        assert_eq!(self.open.last(), Some(&'['));
        self.open.push('(');
        self.layout.begin_item();
    }
    fn end_item(&mut self) {
        self.close('(');
        self.tell(")".to_owned());
        self.layout.end_item();
    }
    fn end_sequence(&mut self) {
        self.close('[');
        self.tell("]".to_owned());
        self.layout.end_sequence();
    }
    fn begin_fragments(&mut self, element: &Element) {
        self.open.push('<');
        self.tell(format!("{element:?} <"));
        self.layout.begin_fragments(element);
    }
    fn offset_table(&mut self, bytes: &[u8]) {
        self.tell(format!("table {bytes:?}"));
        self.layout.offset_table(bytes);
    }
    fn fragment(&mut self, item_start: u64, bytes: Range<u64>, head: &[u8]) {
        assert_eq!(item_start + 8, bytes.start);
        assert_eq!(head.len() as u64, (bytes.end - bytes.start).min(16));
        self.tell(format!("{bytes:?} {head:?}"));
        self.layout.fragment(item_start, bytes, head);
    }
    fn end_fragments(&mut self, end: u64) {
        self.close('<');
        self.tell(format!("> {end}"));
        self.layout.end_fragments(end);
    }
}

fn scan<'a>(
    mut pieces: impl Iterator<Item = &'a [u8]>,
    encoding: Encoding,
) -> (Checker, Result<u64, ScanError>) {
    let mut checker = Checker::default();
    let mut scanner = Scanner::new(encoding, LIMITS);
    let result = pieces
        .try_for_each(|piece| scanner.push(piece, &mut checker))
        .and_then(|()| scanner.finish(&mut checker));
    (checker, result)
}

fuzz_target!(|input: &[u8]| {
    let Some((&[kind, size], bytes)) = input.split_first_chunk::<2>() else { return };
    let encoding = match kind % 4 {
        0 => Encoding::ImplicitLittle,
        1 => Encoding::ExplicitLittle,
        2 => Encoding::ExplicitBig,
        _ => Encoding::DeflatedExplicitLittle,
    };
    let deflated = encoding == Encoding::DeflatedExplicitLittle;
    let (whole, result) = scan(std::iter::once(bytes), encoding);
    let (cut, cut_result) = scan(bytes.chunks(usize::from(size).max(1)), encoding);
    // Where a damaged deflated stream breaks off depends on how it comes.
    if !deflated || result.is_ok() {
        assert_eq!((&whole.told, &result), (&cut.told, &cut_result));
    }
    let Ok(inflated_bytes) = result else { return };
    assert!(whole.open.is_empty());
    let place = DataSetPlace { start: 100, bytes: bytes.len() as u64, deflated, inflated_bytes };
    let Ok(parts) = whole.layout.finish() else { return };
    let shape = PixelShape { rows: 2, columns: 2, samples: 1, bits_allocated: 8, frames: 3 };
    let layout = parts.layout(place, &shape);
    for index in 0..4 {
        for syntax in [EXPLICIT_LITTLE, EXPLICIT_BIG] {
            if let Some(frame) = layout.frame(index, syntax) {
                assert!(frame.ranges.iter().all(|range| range.end <= inflated_bytes));
            }
        }
    }
    assert_eq!(Layout::from_bytes(&layout.to_bytes()), Ok(layout));
});
