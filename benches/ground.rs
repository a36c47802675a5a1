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
use lastra::imaging::pixels::PixelCollector;
use lastra::imaging::render::Dressing;
use lastra::imaging::render::RenderRequest;
use lastra::imaging::render::StoredFrame;
use lastra::imaging::render::render;
use lastra::imaging::thumbnail::thumbnail;
use lastra::imaging::view::View;

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
fn frame(study: &str) -> (PixelAttributes, StoredFrame) {
    let path = match study {
        "ct-chest" => "ct-chest/ct-18.dcm",
        "dx-chest" => "dx-chest/dx-1.dcm",
        "mr-head" => "mr-head/t1-04.dcm",
        _ => "us-loop/us-1.dcm",
    };
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-studies/");
    let file = std::fs::read(format!("{root}{path}")).unwrap();
    let meta = String::from_utf8_lossy(&file[..1024]).into_owned();
    let at = meta.find("1.2.840.10008.1.2").unwrap();
    let syntax: String =
        meta[at..].chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let data_set = data_set(path);
    let mut collector = PixelCollector::new(ENCODING);
    let mut scanner = Scanner::new(ENCODING, Limits::DEFAULT);
    scanner.push(&data_set, &mut collector).unwrap();
    let layout = observe(&data_set);
    let attributes = collector.finish();
    let index = attributes.frames / 2;
    let ranges = layout.frame(index).unwrap().ranges;
    let bytes: Vec<u8> = ranges
        .iter()
        .flat_map(|range| data_set[range.start as usize..range.end as usize].to_vec())
        .collect();
    (attributes, StoredFrame { transfer_syntax: syntax, bytes: bytes.into(), index })
}

const DRAWN: [&str; 4] = ["ct-chest", "dx-chest", "mr-head", "us-loop"];

/// One frame decoded, windowed and encoded as JPEG, as it is.
#[divan::bench(args = DRAWN)]
fn rendered(bencher: Bencher<'_, '_>, study: &str) {
    let (attributes, stored) = frame(study);
    let (request, dressing) = (RenderRequest::default(), Dressing::default());
    let draw = || render(&attributes, &stored, &request, &dressing).unwrap();
    bencher.counter(ItemsCount::new(1_u32)).bench(draw);
}

/// A part of it enlarged, as a viewer that zooms asks.
#[divan::bench(args = DRAWN)]
fn rendered_part(bencher: Bencher<'_, '_>, study: &str) {
    let (attributes, stored) = frame(study);
    let region =
        lastra::imaging::view::Region::Parts { left: 0.25, top: 0.25, right: 0.75, bottom: 0.75 };
    let view = View { region: Some(region), ..View::within(512, 512) };
    let (request, dressing) =
        (RenderRequest { view, ..RenderRequest::default() }, Dressing::default());
    let draw = || render(&attributes, &stored, &request, &dressing).unwrap();
    bencher.counter(ItemsCount::new(1_u32)).bench(draw);
}

/// One frame as a thumbnail.
#[divan::bench(args = DRAWN)]
fn thumbnails(bencher: Bencher<'_, '_>, study: &str) {
    let (attributes, stored) = frame(study);
    bencher.counter(ItemsCount::new(1_u32)).bench(|| thumbnail(&attributes, &stored).unwrap());
}
