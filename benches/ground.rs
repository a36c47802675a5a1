//! What the archive does to every byte and header: scanning, placing frames, writing DICOM JSON; and
//! decoding a frame of each codec.
#![allow(missing_docs, clippy::unwrap_used)]

use divan::Bencher;
use divan::counter::BytesCount;
use divan::counter::ItemsCount;
use lastra::dicom::json::JsonWriter;
use lastra::dicom::layout::Layout;
use lastra::dicom::layout::Piece;
use lastra::dicom::limits::Limits;
use lastra::dicom::observe::DataSetPlace;
use lastra::dicom::observe::Observer;
use lastra::dicom::scan::Scanner;
use lastra::dicom::syntax::EXPLICIT_LITTLE;
use lastra::dicom::syntax::Encoding;
use lastra::imaging::decode::{Detail, decode};
use lastra::imaging::pixels::{PixelAttributes, PixelCollector};
use lastra::imaging::render::{Dressing, RenderRequest, StoredFrame, render};
use lastra::imaging::thumbnail::thumbnail;
use lastra::imaging::transcode::{Target, transcode};
use lastra::imaging::view::{Region, View};

const ENCODING: Encoding = Encoding::ExplicitLittle;

fn main() {
    divan::main();
}

/// A sample study's file, its data set alone.
fn data_set(path: &str) -> Vec<u8> {
    data_set_of(std::path::Path::new(&format!("sample-studies/{path}")))
}

/// The data set of a file, named from the repository's root.
fn data_set_of(path: &std::path::Path) -> Vec<u8> {
    let file = std::fs::read(root().join(path)).unwrap();
    let length = u32::from_le_bytes(file[140..144].try_into().unwrap()) as usize;
    file[144 + length..].to_vec()
}

fn root() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
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

/// Compressed files: those `benches/codecs.py` makes, else the sample studies'.
fn compressed() -> Vec<String> {
    let made = std::path::Path::new("target/bench-frames");
    if let Ok(entries) = std::fs::read_dir(root().join(made)) {
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names
            .filter(|name| std::path::Path::new(name).extension().is_some_and(|end| end == "dcm"))
            .collect();
        names.sort();
        return names.into_iter().map(|name| made.join(name).display().to_string()).collect();
    }
    ["ct-chest/ct-18.dcm", "dx-chest/dx-1.dcm", "enhanced-ct/ct-enhanced.dcm", "mammo/lcc.dcm"]
        .into_iter()
        .chain(["us-loop/us-1.dcm"])
        .map(|name| format!("sample-studies/{name}"))
        .collect()
}

/// The frames of a file, as an archive finds them.
fn frames(path: &str) -> (PixelAttributes, Vec<StoredFrame>) {
    let file = std::fs::read(root().join(path)).unwrap();
    let transfer_syntax = transfer_syntax(&file);
    let bytes = data_set_of(std::path::Path::new(path));
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

/// Transfer Syntax UID (0002,0010) of a Part 10 file.
fn transfer_syntax(file: &[u8]) -> String {
    let tag = [2, 0, 0x10, 0, b'U', b'I'];
    let at = file.windows(6).position(|six| six == tag).unwrap() + 6;
    let length = usize::from(u16::from_le_bytes(file[at..at + 2].try_into().unwrap()));
    let uid = std::str::from_utf8(&file[at + 2..at + 2 + length]).unwrap();
    uid.trim_end_matches('\0').to_owned()
}

/// One frame to samples, with one thread and with one for each core; each takes another frame.
#[divan::bench(args = compressed(), threads = [1, 0], min_time = 1, max_time = 3)]
fn decode_frame(bencher: Bencher<'_, '_>, path: &str) {
    let (attributes, frames) = frames(path);
    let next = std::sync::atomic::AtomicUsize::new(0);
    bencher.counter(ItemsCount::new(1_u32)).bench(|| {
        let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        decode(&attributes, &frames[index % frames.len()], Detail::Full).unwrap()
    });
}
