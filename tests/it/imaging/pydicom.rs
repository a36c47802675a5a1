//! Every frame of pydicom's own test files, sample by sample as pydicom decodes it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lastra::imaging::decode::{Detail, Frame, Samples, decode};
use lastra::imaging::pixels::Photometric;
use lastra::imaging::render::draw;
use serde::Deserialize;

use super::object::{Object, files, open, pydicom_data};
use crate::support::tools::run_python;

#[derive(Debug, Deserialize)]
struct Told {
    shape: Option<[usize; 4]>,
    file: Option<String>,
    error: Option<String>,
}

/// Files that are not compared, each with what keeps them.
const SKIPPED: [(&str, &str); 0] = [];

/// Largest difference allowed: DCT decoders round differently, everything else is exact.
fn allowed(object: &Object) -> f64 {
    match object.transfer_syntax.as_str() {
        // One step of chrominance is 1.77 of blue.
        "1.2.840.10008.1.2.4.50" | "1.2.840.10008.1.2.4.51" => {
            if object.attributes.samples_per_pixel == 3 { 4.0 } else { 3.0 }
        }
        // Chrominance is turned to colours in fixed point here and in floats there.
        _ if is_ybr(&object.attributes.photometric) => 1.0,
        _ => 0.0,
    }
}

fn is_ybr(photometric: &Photometric) -> bool {
    matches!(photometric, Photometric::YbrFull | Photometric::YbrFull422)
}

/// The frame's samples as pydicom gives them: stored values, colours as red, green, blue.
fn samples(object: &Object, index: u32) -> Result<Vec<f64>, String> {
    let stored = object.frame(index);
    let frame = decode(&object.attributes, &stored, Detail::Full).map_err(|e| e.to_string())?;
    if is_ybr(&frame.photometric) {
        let drawn = draw(&object.attributes, &stored, None, None).map_err(|e| e.to_string())?;
        return Ok(drawn.data.into_iter().map(f64::from).collect());
    }
    Ok(values(&frame))
}

#[allow(clippy::cast_precision_loss)]
fn values(frame: &Frame) -> Vec<f64> {
    let bits = frame.bits;
    match &frame.data {
        Samples::U8(words) => words.iter().map(|w| bits.value((*w).into()) as f64).collect(),
        Samples::U16(words) => words.iter().map(|w| bits.value((*w).into()) as f64).collect(),
        Samples::U32(words) => words.iter().map(|w| bits.value(*w) as f64).collect(),
        Samples::F32(words) => words.iter().map(|w| f64::from(*w)).collect(),
        Samples::F64(words) => words.clone(),
    }
}

fn ask(folder: &Path, files: &[PathBuf]) -> BTreeMap<PathBuf, Told> {
    let mut arguments = vec![folder.to_str().unwrap()];
    arguments.extend(files.iter().map(|path| path.to_str().unwrap()));
    serde_json::from_str(&run_python(include_str!("pydicom.py"), &arguments)).unwrap()
}

#[test]
fn every_frame_is_decoded_as_pydicom_decodes_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = pydicom_data();
    let mut files_ = files(&data.join("test_files"));
    files_.extend(files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-studies")));
    let told = ask(folder.path(), &files_);
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (path, told) in &told {
        let name = path.file_name().unwrap().to_str().unwrap();
        let line = match compare(folder.path(), path, told) {
            Ok(Some(frames)) => {
                compared += frames;
                format!("{name}: {frames} frames alike")
            }
            Ok(None) => format!("{name}: both refuse: {}", told.error.as_deref().unwrap_or("")),
            Err(line) => {
                let skipped = SKIPPED.iter().find(|(file, _)| *file == name);
                if let Some((_, reason)) = skipped {
                    format!("{name}: skipped: {reason}")
                } else {
                    wrong.push(format!("{name}: {line}"));
                    format!("{name}: WRONG: {line}")
                }
            }
        };
        println!("{line}");
    }
    println!("{compared} frames compared");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 150, "only {compared} frames");
}

fn compare(folder: &Path, path: &Path, told: &Told) -> Result<Option<usize>, String> {
    let object = open(path);
    let (Some(shape), Some(file)) = (told.shape, &told.file) else {
        // What pydicom does not read may be read here, but need not.
        return Ok(None);
    };
    let object = object.map_err(|error| format!("not opened: {error}"))?;
    let bytes = std::fs::read(folder.join(file)).unwrap();
    let (numbers, _) = bytes.as_chunks::<8>();
    let expected: Vec<f64> = numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    let [frames, rows, columns, channels] = shape;
    if object.frames() as usize != frames {
        return Err(format!("{} frames for {frames}", object.frames()));
    }
    for (index, expected) in expected.chunks(rows * columns * channels).enumerate() {
        let own = samples(&object, u32::try_from(index).unwrap())?;
        if own.len() != expected.len() {
            return Err(format!("{} samples for {}", own.len(), expected.len()));
        }
        let differences = own.iter().zip(expected).map(|(one, other)| (one - other).abs());
        let largest = differences.fold(0.0, f64::max);
        if largest > allowed(&object) {
            return Err(format!(
                "frame {index} differs by {largest}: {:?} for {:?} ({:?}, {})",
                &own[..own.len().min(6)],
                &expected[..expected.len().min(6)],
                object.attributes.photometric,
                object.transfer_syntax,
            ));
        }
    }
    Ok(Some(frames))
}
