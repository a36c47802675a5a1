//! DCMTK's `dcmj2pnm` as second opinion on windows, lookup tables, palettes and colours: the same
//! file, drawn by both.

use std::path::{Path, PathBuf};
use std::process::Command;

use lastra::imaging::encode::Raster;
use lastra::imaging::pixels::PixelAttributes;
use lastra::imaging::render::{Window, WindowFunction, draw};
use rayon::prelude::*;

use super::object::{open, pydicom_data, pydicom_more};

/// What `dcmj2pnm` draws of a frame (from 1) with these options, overlays left out.
pub(super) fn drawn_by_dcmtk(path: &Path, frame: u32, options: &[&str]) -> Result<Raster, String> {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("picture.pnm");
    let number = frame.to_string();
    let done = Command::new("dcmj2pnm")
        .args(["-q", "-O", "+cp", "+F", &number])
        .args(options)
        .arg(path)
        .arg(&picture)
        .output()
        .unwrap();
    if !done.status.success() {
        return Err(format!("dcmj2pnm: {}", String::from_utf8_lossy(&done.stderr).trim()));
    }
    Ok(pnm(&std::fs::read(&picture).unwrap()))
}

/// A binary PGM or PPM of 8 bits.
fn pnm(bytes: &[u8]) -> Raster {
    let mut words = Vec::new();
    let mut at = 0;
    while words.len() < 4 {
        let end = at + bytes[at..].iter().position(u8::is_ascii_whitespace).unwrap();
        words.push(std::str::from_utf8(&bytes[at..end]).unwrap());
        at = end + 1;
    }
    let channels = if words[0] == "P6" { 3 } else { 1 };
    assert_eq!(words[3], "255");
    let number = |word: &str| word.parse().unwrap();
    let (width, height) = (number(words[1]), number(words[2]));
    Raster { width, height, channels, data: bytes[at..].to_vec() }
}

/// How a case is drawn.
enum How {
    /// By the object's own first window or lookup table.
    Own(&'static [&'static str]),
    /// By a window.
    With(f64, f64, WindowFunction),
}

/// Pixels that are not square are drawn so by `dcmj2pnm`, which scales only when asked.
fn square(attributes: PixelAttributes) -> PixelAttributes {
    PixelAttributes { tallness: 1.0, ..attributes }
}

/// Largest difference, and the part of samples that differ at all.
fn compare(path: &Path, frame: u32, how: &How) -> Result<(u8, f64), String> {
    let object = open(path)?;
    let (window, options) = match how {
        How::Own(options) => (None, options.iter().map(|o| (*o).to_owned()).collect::<Vec<_>>()),
        How::With(center, width, function) => {
            let shape = if *function == WindowFunction::Sigmoid { "+Wfs" } else { "+Wfl" };
            let options = ["+Ww", &center.to_string(), &width.to_string(), shape];
            let window = Window { center: *center, width: *width, function: *function };
            (Some(window), options.map(str::to_owned).to_vec())
        }
    };
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let theirs = drawn_by_dcmtk(path, frame, &options)?;
    let stored = object.frame(frame - 1);
    let own = draw(&square(object.attributes), &stored, None, window).map_err(|e| e.to_string())?;
    let shape = |raster: &Raster| (raster.width, raster.height, raster.channels);
    if shape(&own) != shape(&theirs) {
        return Err(format!("{:?} for {:?}", shape(&own), shape(&theirs)));
    }
    let differences: Vec<u8> =
        own.data.iter().zip(&theirs.data).map(|(one, other)| one.abs_diff(*other)).collect();
    let unequal = differences.iter().filter(|difference| **difference > 0).count();
    #[allow(clippy::cast_precision_loss)]
    let part = unequal as f64 / differences.len() as f64;
    Ok((differences.into_iter().max().unwrap_or(0), part))
}

const LINEAR: WindowFunction = WindowFunction::Linear;
const SIGMOID: WindowFunction = WindowFunction::Sigmoid;

/// File, frame, how, and the largest difference allowed: both round a level, not always alike, and
/// DCMTK cuts off where it turns luminance and chrominance to colours.
fn cases() -> Vec<(PathBuf, u32, How, u8)> {
    let published = |name: &str| pydicom_data().join("test_files").join(name);
    let more = pydicom_more;
    let with = How::With;
    vec![
        // Windows, of rescaled values, signed and unsigned, MONOCHROME1 and 2.
        (published("CT_small.dcm"), 1, with(40.0, 400.0, LINEAR), 1),
        (published("CT_small.dcm"), 1, with(-600.0, 1500.0, LINEAR), 1),
        (published("CT_small.dcm"), 1, with(40.0, 1.0, LINEAR), 1),
        (published("CT_small.dcm"), 1, with(100.0, 800.0, SIGMOID), 1),
        (published("MR_small.dcm"), 1, with(600.0, 1600.0, LINEAR), 1),
        (published("MR_small.dcm"), 1, How::Own(&["+Wi", "1"]), 1),
        (published("MR_small_bigendian.dcm"), 1, How::Own(&["+Wi", "1"]), 1),
        (published("MR_small_RLE.dcm"), 1, How::Own(&["+Wi", "1"]), 1),
        (more("693_UNCR.dcm"), 1, How::Own(&["+Wi", "1"]), 1),
        (more("RG1_UNCR.dcm"), 1, How::Own(&["+Wi", "1"]), 1),
        (more("RG3_UNCR.dcm"), 1, How::Own(&["+Wi", "1"]), 1),
        (more("RG3_UNCR.dcm"), 1, with(300.0, 500.0, SIGMOID), 1),
        (more("JPEG-LL.dcm"), 1, with(500.0, 1000.0, LINEAR), 1),
        // A Modality LUT Sequence, a VOI LUT Sequence.
        (more("mlut_18.dcm"), 1, with(32_768.0, 65_536.0, LINEAR), 1),
        (more("vlut_04.dcm"), 1, How::Own(&["+Wl", "1"]), 1),
        // Palettes, in both byte orders, compressed too. Segmented ones DCMTK does not read: `table`
        // has them beside pydicom.
        (more("OBXXXX1A.dcm"), 1, How::Own(&[]), 0),
        (more("OBXXXX1A_expb_2frame.dcm"), 2, How::Own(&[]), 0),
        (more("OBXXXX1A_rle_2frame.dcm"), 2, How::Own(&[]), 0),
        (published("examples_palette.dcm"), 1, How::Own(&[]), 0),
        // Colours by pixel and by plane, luminance and chrominance.
        (more("color-px.dcm"), 1, How::Own(&[]), 0),
        (more("color-pl.dcm"), 1, How::Own(&[]), 0),
        (more("US1_UNCR.dcm"), 1, How::Own(&[]), 0),
        (published("SC_rgb_rle.dcm"), 1, How::Own(&[]), 0),
        (more("SC_ybr_full_uncompressed.dcm"), 1, How::Own(&[]), 2),
        (published("SC_ybr_full_422_uncompressed.dcm"), 1, How::Own(&[]), 1),
        (published("SC_rgb_jpeg_dcmtk.dcm"), 1, How::Own(&[]), 2),
        (published("SC_rgb_dcmtk_+eb+cr.dcm"), 1, How::Own(&[]), 2),
        (more("color3d_jpeg_baseline.dcm"), 60, How::Own(&[]), 3),
    ]
}

#[test]
fn dcmtk_draws_windows_tables_palettes_and_colours_alike() {
    let lines: Vec<(String, bool)> = cases()
        .par_iter()
        .map(|(path, frame, how, allowed)| {
            let name = path.file_name().unwrap().to_string_lossy();
            let told = match how {
                How::Own(options) => options.join(" "),
                How::With(center, width, function) => format!("{center}/{width} {function:?}"),
            };
            match compare(path, *frame, how) {
                Ok((most, part)) => {
                    let line =
                        format!("{name} {frame} {told}: at most {most}, {:.2} %", part * 100.0);
                    (line, most <= *allowed)
                }
                Err(error) => (format!("{name} {frame} {told}: {error}"), false),
            }
        })
        .collect();
    for (line, _) in &lines {
        println!("{line}");
    }
    let wrong: Vec<&str> =
        lines.iter().filter(|(_, right)| !right).map(|(line, _)| line.as_str()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
