//! What the archive does to every byte and header: scanning, placing frames, writing DICOM JSON.
#![allow(missing_docs, clippy::unwrap_used)]

use divan::Bencher;
use divan::counter::BytesCount;
use divan::counter::ItemsCount;
use lastra::dicom::json::JsonWriter;
use lastra::dicom::layout::Layout;
use lastra::dicom::limits::Limits;
use lastra::dicom::observe::DataSetPlace;
use lastra::dicom::observe::Observer;
use lastra::dicom::scan::Scanner;
use lastra::dicom::syntax::Encoding;
use lastra::imaging::pixels::PixelAttributes;
use lastra::imaging::render::StoredFrame;
use lastra::imaging::transcode::Target;
use lastra::imaging::transcode::transcode;

const ENCODING: Encoding = Encoding::ExplicitLittle;

fn main() {
    divan::main();
}

/// A sample study's file, its data set alone.
fn data_set(path: &str) -> Vec<u8> {
    let file =
        std::fs::read(format!("{}/sample-studies/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let length = u32::from_le_bytes(file[140..144].try_into().unwrap()) as usize;
    file[144 + length..].to_vec()
}

fn first_file(folder: &str) -> Vec<u8> {
    let folder_path = format!("{}/sample-studies/{folder}", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<_> = walkdir::WalkDir::new(folder_path)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "dcm"))
        .collect();
    names.sort();
    let root = format!("{}/sample-studies/", env!("CARGO_MANIFEST_DIR"));
    data_set(names[0].to_str().unwrap().strip_prefix(&root).unwrap())
}

fn observe(bytes: &[u8]) -> Layout {
    let mut scanner = Scanner::new(ENCODING, Limits::DEFAULT);
    let mut observer = Observer::new(ENCODING);
    scanner.push(bytes, &mut observer).unwrap();
    let inflated_bytes = scanner.finish(&mut observer).unwrap();
    let (header, parts) = observer.finish().unwrap();
    let bytes = bytes.len() as u64;
    let place = DataSetPlace { start: 0, bytes, deflated: false, inflated_bytes };
    parts.layout(place, &header.finish().pixels)
}

/// Scan, header facts, bulk values and frame table of one object: what ingest adds to receiving.
#[divan::bench(args = ["ct-chest", "enhanced-ct", "us-loop", "sr-report"])]
fn scan_and_observe(bencher: Bencher<'_, '_>, study: &str) {
    let bytes = first_file(study);
    bencher.counter(BytesCount::new(bytes.len())).bench(|| observe(&bytes));
}

/// 256 KiB pieces of pixel data: the scanner only counts them.
#[divan::bench]
fn scan_pixels(bencher: Bencher<'_, '_>) {
    let mut head = first_file("mr-head");
    let at = head.windows(4).position(|four| four == [0xE0, 0x7F, 0x10, 0]).unwrap();
    head.truncate(at);
    head.extend_from_slice(&[0xE0, 0x7F, 0x10, 0, b'O', b'W', 0, 0, 0, 0, 0, 0x10]);
    let piece = vec![0; 256 * 1024];
    bencher.counter(BytesCount::new(0x1000_0000_u64)).bench(|| {
        let mut scanner = Scanner::new(ENCODING, Limits::DEFAULT);
        let mut observer = Observer::new(ENCODING);
        scanner.push(&head, &mut observer).unwrap();
        for _ in 0..1024 {
            scanner.push(&piece, &mut observer).unwrap();
        }
        scanner.position()
    });
}

/// The layout as it is kept with its row: what a frame request reads.
#[divan::bench(args = ["us-loop", "enhanced-ct"])]
fn layout_and_one_frame(bencher: Bencher<'_, '_>, study: &str) {
    let kept = observe(&first_file(study)).to_bytes();
    bencher.counter(ItemsCount::new(1_u32)).bench(|| Layout::from_bytes(&kept).unwrap().frame(7));
}

/// One 512x512 frame of 12 bits, slopes and noise as a CT slice has, to each transfer syntax; proof by
/// decoding included.
#[divan::bench(args = Target::ALL)]
fn transcode_a_slice(bencher: Bencher<'_, '_>, target: Target) {
    let attributes = PixelAttributes {
        rows: 512,
        columns: 512,
        samples_per_pixel: 1,
        bits_allocated: 16,
        bits_stored: 12,
        high_bit: 11,
        frames: 1,
        ..PixelAttributes::default()
    };
    let words = (0..512_u32 * 512).flat_map(|place| {
        let (x, y) = (place % 512, place / 512);
        let noise = place.wrapping_mul(2_654_435_761) >> 27;
        let word = ((x * x + y * y) / 160 + noise) & 0xFFF;
        [word.to_le_bytes()[0], word.to_le_bytes()[1]]
    });
    let bytes: Vec<u8> = words.collect();
    let transfer_syntax = Target::Native.uid().to_owned();
    let frame = StoredFrame { transfer_syntax, bytes: bytes.into(), index: 0 };
    bencher
        .counter(BytesCount::new(frame.bytes.len()))
        .bench(|| transcode(&attributes, &frame, target).unwrap());
}

/// DICOM JSON of one instance's header.
#[divan::bench(args = ["ct-chest", "enhanced-ct", "sr-report"])]
fn dicom_json(bencher: Bencher<'_, '_>, study: &str) {
    let bytes = first_file(study);
    bencher.counter(ItemsCount::new(1_u32)).bench(|| {
        let mut scanner = Scanner::new(ENCODING, Limits::DEFAULT);
        let mut json = JsonWriter::new(ENCODING, "http://localhost/bulkdata/");
        scanner.push(&bytes, &mut json).unwrap();
        scanner.finish(&mut json).unwrap();
        json.finish().unwrap()
    });
}
