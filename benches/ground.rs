//! What the archive does to every byte and header: scanning, placing frames, writing DICOM JSON; and
//! drawing and re-encoding frames.
#![allow(missing_docs, clippy::unwrap_used)]

mod frames;

use divan::Bencher;
use divan::counter::BytesCount;
use divan::counter::ItemsCount;
use lastra::dicom::json::JsonWriter;
use lastra::dicom::layout::Layout;
use lastra::dicom::limits::Limits;
use lastra::dicom::observe::Observer;
use lastra::dicom::scan::Scanner;
use lastra::dicom::syntax::EXPLICIT_LITTLE;
use lastra::imaging::decode::{Detail, decode};
use lastra::imaging::pixels::PixelAttributes;
use lastra::imaging::render::{Dressing, RenderRequest, StoredFrame, render};
use lastra::imaging::thumbnail::thumbnail;
use lastra::imaging::transcode::{Target, transcode};
use lastra::imaging::view::{Region, View};

use frames::{ENCODING, frames, observe, read};

fn main() {
    divan::main();
}

/// A sample study's file, its data set alone.
fn data_set(path: &str) -> Vec<u8> {
    read(std::path::Path::new(&format!("sample-studies/{path}"))).1
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
    bencher
        .counter(ItemsCount::new(1_u32))
        .bench(|| Layout::from_bytes(&kept).unwrap().frame(7, EXPLICIT_LITTLE));
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

/// A sample's middle frame, ready to be drawn.
fn middle_frame(path: &str) -> (PixelAttributes, StoredFrame) {
    let (attributes, mut frames) = frames(&format!("sample-studies/{path}"));
    let middle = frames.len() / 2;
    (attributes, frames.swap_remove(middle))
}

const DRAWN: [&str; 4] =
    ["ct-chest/ct-18.dcm", "dx-chest/dx-1.dcm", "mr-head/t1-04.dcm", "us-loop/us-1.dcm"];

/// One frame decoded, windowed and encoded as JPEG, as it is.
#[divan::bench(args = DRAWN)]
fn rendered(bencher: Bencher<'_, '_>, study: &str) {
    let (attributes, stored) = middle_frame(study);
    let (request, dressing) = (RenderRequest::default(), Dressing::default());
    let draw = || render(&attributes, &stored, &request, &dressing).unwrap();
    bencher.counter(ItemsCount::new(1_u32)).bench(draw);
}

/// A part of it enlarged, as a viewer that zooms asks.
#[divan::bench(args = DRAWN)]
fn rendered_part(bencher: Bencher<'_, '_>, study: &str) {
    let (attributes, stored) = middle_frame(study);
    let region = Region::Parts { left: 0.25, top: 0.25, right: 0.75, bottom: 0.75 };
    let view = View { region: Some(region), ..View::within(512, 512) };
    let (request, dressing) =
        (RenderRequest { view, ..RenderRequest::default() }, Dressing::default());
    let draw = || render(&attributes, &stored, &request, &dressing).unwrap();
    bencher.counter(ItemsCount::new(1_u32)).bench(draw);
}

/// One frame as a thumbnail.
#[divan::bench(args = DRAWN)]
fn thumbnails(bencher: Bencher<'_, '_>, study: &str) {
    let (attributes, stored) = middle_frame(study);
    bencher.counter(ItemsCount::new(1_u32)).bench(|| thumbnail(&attributes, &stored).unwrap());
}

/// Compressed sample studies.
const COMPRESSED: [&str; 5] = [
    "ct-chest/ct-18.dcm",
    "dx-chest/dx-1.dcm",
    "enhanced-ct/ct-enhanced.dcm",
    "mammo/lcc.dcm",
    "us-loop/us-1.dcm",
];

/// One frame to samples, with one thread and with one for each core; each takes another frame. Every
/// codec beside other decoders: `codecs.py`.
#[divan::bench(args = COMPRESSED, threads = [1, 0], min_time = 1, max_time = 3)]
fn decode_frame(bencher: Bencher<'_, '_>, path: &str) {
    let (attributes, frames) = frames(&format!("sample-studies/{path}"));
    let next = std::sync::atomic::AtomicUsize::new(0);
    bencher.counter(ItemsCount::new(1_u32)).bench(|| {
        let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        decode(&attributes, &frames[index % frames.len()], Detail::Full).unwrap()
    });
}
