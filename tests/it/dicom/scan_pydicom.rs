//! Every file pydicom brings along reads the same here as there: elements, VRs, lengths, values,
//! frames. What does not is in a table, with the reason.
#![expect(clippy::cast_possible_truncation, reason = "the numbers of small test data")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dicom_core::Tag;
use lastra::dicom::frames::FrameTable;
use lastra::dicom::header::PixelShape;
use lastra::dicom::layout::Layout;
use lastra::dicom::limits::Limits;
use lastra::dicom::observe::{DataSetPlace, LayoutCollector};
use lastra::dicom::part10::{Part10Error, Part10Reader, Prefix, Step};
use lastra::dicom::scan::{Problem, ScanError, Scanner};
use lastra::dicom::syntax::{EXPLICIT_LITTLE, Encoding};
use sha2::{Digest, Sha256};

use super::scan_events::{Event, scan_cut};
use crate::support::tools::{python, run_python};

/// Files that end inside an element. pydicom gives what there is of it, we refuse the object: what
/// is missing cannot be given back.
const TRUNCATED: [&str; 2] = ["MR_truncated.dcm", "rtplan_truncated.dcm"];

/// A file edited without mending lengths: its last item reaches past its sequence, and past the
/// end of the file. pydicom reads what there is.
const OVERLONG: &str = "DICOMDIR-nooffset";

/// Files that are none: a text, and a data set with a byte too much in front of its first tag, of
/// which pydicom reads something when forced.
const NOT_DICOM: [&str; 2] = ["README", "no_meta.dcm"];

/// Files without a usable meta header, and the transfer syntax their data sets show.
const GUESSED: [(&str, &str); 4] = [
    ("ExplVR_BigEndNoMeta.dcm", "1.2.840.10008.1.2.2"),
    ("ExplVR_LitEndNoMeta.dcm", "1.2.840.10008.1.2.1"),
    ("meta_missing_tsyntax.dcm", "1.2.840.10008.1.2"),
    ("rtstruct.dcm", "1.2.840.10008.1.2"),
];

fn data() -> PathBuf {
    let folder = python().parent().unwrap().parent().unwrap().join("lib");
    let version = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    version.join("site-packages/pydicom/data")
}

/// All files that are, or claim to be, DICOM.
fn files() -> Vec<PathBuf> {
    const OTHERS: [&str; 9] = ["py", "pyc", "txt", "json", "dump", "icc", "gz", "md", "csv"];
    let files: Vec<PathBuf> = walkdir::WalkDir::new(data())
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .filter(|path| {
            let extension = path.extension().and_then(|extension| extension.to_str());
            !extension.is_some_and(|extension| OTHERS.contains(&extension))
        })
        .collect();
    assert!(files.len() > 150, "only {} files", files.len());
    files
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn read_prefix(file: &[u8]) -> Result<(Prefix, Vec<u8>), Part10Error> {
    let mut reader = Part10Reader::default();
    match reader.push(file)? {
        Step::More => reader.finish(),
        Step::DataSet { prefix, head, used } => Ok((prefix, [&head, &file[used..]].concat())),
    }
}

/// A data set as its bytes count: inflated.
fn inflated(encoding: Encoding, data_set: Vec<u8>) -> Vec<u8> {
    if encoding != Encoding::DeflatedExplicitLittle {
        return data_set;
    }
    let mut out = Vec::new();
    let mut decoder = flate2::read::DeflateDecoder::new(&data_set[..]);
    std::io::Read::read_to_end(&mut decoder, &mut out).unwrap();
    out
}

struct Read {
    syntax: String,
    data_set: Vec<u8>,
    events: Vec<Event>,
    layout: Layout,
}

fn read(file: &[u8]) -> Result<Read, ScanError> {
    let (prefix, stored) = read_prefix(file).unwrap();
    let syntax = prefix.transfer_syntax.as_str().to_owned();
    let encoding = Encoding::of(&syntax);
    let cuts: Vec<usize> = (0..stored.len()).step_by(1000).collect();
    let (events, result) = scan_cut(&stored, &cuts, encoding, Limits::DEFAULT);
    let inflated_bytes = result?;
    let mut collector = LayoutCollector::default();
    let mut scanner = Scanner::new(encoding, Limits::DEFAULT);
    scanner.push(&stored, &mut collector)?;
    scanner.finish(&mut collector)?;
    let place = DataSetPlace {
        start: prefix.bytes.len() as u64,
        bytes: stored.len() as u64,
        deflated: encoding == Encoding::DeflatedExplicitLittle,
        inflated_bytes,
    };
    let layout = collector.finish()?.layout(place, &shape(&events, encoding));
    Ok(Read { syntax, data_set: inflated(encoding, stored), events, layout })
}

/// The pixels' shape, as a header reader would have it.
fn shape(events: &[Event], encoding: Encoding) -> PixelShape {
    let value = |wanted: Tag| {
        events.iter().find_map(|event| match event {
            Event::Inline(element, value) if element.depth == 0 && element.tag == wanted => {
                Some(value.as_slice())
            }
            _ => None,
        })
    };
    let number = |tag: Tag| {
        let bytes: [u8; 2] = value(tag).and_then(|value| value.try_into().ok()).unwrap_or([0; 2]);
        let big = encoding == Encoding::ExplicitBig;
        if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    };
    let text = |tag: Tag| {
        let text = String::from_utf8_lossy(value(tag).unwrap_or_default());
        text.trim_matches([' ', '\0']).to_owned()
    };
    let half_chroma = text(Tag(0x0028, 0x0004)) == "YBR_FULL_422";
    PixelShape {
        rows: number(Tag(0x0028, 0x0010)),
        columns: number(Tag(0x0028, 0x0011)),
        samples: if half_chroma { 2 } else { number(Tag(0x0028, 0x0002)) },
        bits_allocated: number(Tag(0x0028, 0x0100)),
        frames: text(Tag(0x0028, 0x0008)).parse().unwrap_or(1),
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// VR, length and digest by path, as the script gives them.
type Elements = BTreeMap<String, (String, Option<u64>, Option<String>)>;

fn elements(read: &Read) -> Elements {
    let mut open: Vec<(Tag, u32)> = Vec::new();
    let mut elements = Elements::new();
    let path = |open: &[(Tag, u32)], Tag(group, element): Tag| {
        let outer = open.iter().map(|(Tag(g, e), item)| format!("{g:04X}{e:04X}/{item}/"));
        outer.collect::<String>() + &format!("{group:04X}{element:04X}")
    };
    for event in &read.events {
        match event {
            Event::Inline(element, _) | Event::Bulk(element) => {
                let range = element.value.start as usize..element.value.end as usize;
                let value = &read.data_set[range];
                let told = (
                    element.vr.to_string().to_owned(),
                    Some(value.len() as u64),
                    Some(digest(value)),
                );
                elements.insert(path(&open, element.tag), told);
            }
            Event::Sequence(element) => {
                elements.insert(path(&open, element.tag), ("SQ".to_owned(), None, None));
                open.push((element.tag, 0));
            }
            Event::Fragments(element) => {
                let vr = element.vr.to_string().to_owned();
                elements.insert(path(&open, element.tag), (vr, None, None));
            }
            Event::Item => open.last_mut().unwrap().1 += 1,
            Event::EndSequence => drop(open.pop()),
            _ => {}
        }
    }
    elements
}

#[derive(serde::Deserialize)]
struct Told {
    elements: Elements,
    frames: Option<Vec<String>>,
    syntax: Option<String>,
}

fn pydicom(files: &[PathBuf]) -> BTreeMap<PathBuf, Told> {
    let names: Vec<&str> = files.iter().map(|path| path.to_str().unwrap()).collect();
    serde_json::from_str(&run_python(include_str!("scan_pydicom.py"), &names)).unwrap()
}

#[test]
fn every_file_reads_as_pydicom_reads_it() {
    let files: Vec<PathBuf> = files()
        .into_iter()
        .filter(|path| !TRUNCATED.contains(&name(path)) && !NOT_DICOM.contains(&name(path)))
        .filter(|path| name(path) != OVERLONG)
        .collect();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (path, told) in pydicom(&files) {
        let read = match read(&std::fs::read(&path).unwrap()) {
            Ok(read) => read,
            Err(error) => {
                wrong.push(format!("{}: {error}", path.display()));
                continue;
            }
        };
        let syntax = told.syntax.as_deref().or_else(|| {
            GUESSED.iter().find(|(file, _)| *file == name(&path)).map(|(_, syntax)| *syntax)
        });
        assert_eq!(Some(read.syntax.as_str()), syntax, "{}", path.display());
        let mut ours = elements(&read);
        for (place, (vr, length, value)) in told.elements {
            compared += 1;
            let mut found = ours.remove(&place);
            if let (Some(found), None) = (&mut found, length) {
                (found.1, found.2) = (None, None);
            }
            if found != Some((vr.clone(), length, value)) {
                wrong.push(format!("{} {place}: {vr} {length:?}, here {found:?}", path.display()));
            }
        }
        wrong.extend(ours.keys().map(|place| format!("{} {place}: only here", path.display())));
    }
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 10_000, "only {compared} elements");
}

#[test]
fn every_compressed_frame_is_the_one_pydicom_finds() {
    let files: Vec<PathBuf> =
        files().into_iter().filter(|path| !NOT_DICOM.contains(&name(path))).collect();
    let compared = compare_frames(&files);
    assert!(compared > 60, "only {compared} frames");
}

#[test]
fn frames_are_found_in_any_encapsulation() {
    let folder = tempfile::tempdir().unwrap();
    let source = data().join("test_files/examples_ybr_color.dcm");
    run_python(
        include_str!("scan_encaps.py"),
        &[source.to_str().unwrap(), folder.path().to_str().unwrap()],
    );
    let files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 8);
    assert_eq!(compare_frames(&files), 30 * 7 + 1);
}

/// Compares the frames of compressed files with pydicom's; how many there were.
fn compare_frames(files: &[PathBuf]) -> usize {
    let mut compared = 0;
    for (path, told) in pydicom(files) {
        let Some(frames) = told.frames else { continue };
        let read = read(&std::fs::read(&path).unwrap()).unwrap();
        let table = &read.layout.pixels.as_ref().unwrap().frames;
        assert!(matches!(table, FrameTable::Encapsulated { .. }), "{}", path.display());
        assert_eq!(table.count(), Some(frames.len() as u32), "{}", path.display());
        for (index, expected) in (0..).zip(&frames) {
            let place = read.layout.frame(index, EXPLICIT_LITTLE).unwrap();
            let bytes = place.ranges.iter().map(|range| range.start as usize..range.end as usize);
            let frame: Vec<u8> = bytes.flat_map(|range| &read.data_set[range]).copied().collect();
            assert_eq!(&digest(&frame), expected, "{} frame {index}", path.display());
            compared += 1;
        }
    }
    compared
}

#[test]
fn every_native_frame_has_its_place() {
    let mut frames = 0;
    for path in files() {
        let Ok(read) = read_prefix(&std::fs::read(&path).unwrap())
            .map_err(|_| ())
            .and_then(|_| read(&std::fs::read(&path).unwrap()).map_err(|_| ()))
        else {
            continue;
        };
        let Some(pixels) = &read.layout.pixels else { continue };
        // A file made for its private sequences, without rows and columns.
        if ["nested_priv_SQ.dcm", "meta_missing_tsyntax.dcm"].contains(&name(&path)) {
            assert_eq!(pixels.frames, FrameTable::Unknown);
            continue;
        }
        let count = pixels.frames.count().unwrap_or_else(|| panic!("{}", path.display()));
        assert!((0..count).all(|index| read.layout.frame(index, EXPLICIT_LITTLE).is_some()));
        assert_eq!(Layout::from_bytes(&read.layout.to_bytes()), Ok(read.layout));
        frames += count;
    }
    assert!(frames > 150, "only {frames} frames");
}

#[test]
fn files_that_break_off_are_refused() {
    let mut refused = Vec::new();
    for path in files() {
        if TRUNCATED.contains(&name(&path)) {
            let error = read(&std::fs::read(&path).unwrap()).err().unwrap();
            assert!(matches!(error.problem, Problem::Truncated(_)));
            refused.push(name(&path).to_owned());
        }
        if name(&path) == OVERLONG {
            let error = read(&std::fs::read(&path).unwrap()).err().unwrap();
            assert!(matches!(error.problem, Problem::Overlong(_)));
        }
        if NOT_DICOM.contains(&name(&path)) {
            let error = read_prefix(&std::fs::read(&path).unwrap()).unwrap_err();
            assert_eq!(error, Part10Error::NotDicom);
        }
    }
    assert_eq!(refused, TRUNCATED);
}
