//! The oracle table: every frame of the published files, and of files made here, sample by sample as
//! pydicom with pylibjpeg, gdcm and pyjpegls decodes it.
//!
//! The table is kept as `oracle_table.md` beside this file; a test run prints its own and compares.
//! `LASTRA_TABLE=tests/it/imaging/oracle_table.md` writes it anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lastra::imaging::decode::{Detail, Frame, Samples, decode};
use lastra::imaging::render::draw;
use rayon::prelude::*;
use serde::Deserialize;

use super::object::{Object, open};
use crate::support::tools::run_python;

/// What the oracles say of a file.
#[derive(Debug, Deserialize)]
struct Told {
    path: PathBuf,
    group: String,
    #[serde(default)]
    name: Option<String>,
    syntax: String,
    /// Frames compared, by index from 0.
    #[serde(default)]
    frames: Vec<u32>,
    #[serde(default)]
    oracles: Vec<Oracle>,
    /// Colours are compared and not samples.
    #[serde(default)]
    drawn: bool,
    /// Why nothing is compared.
    reason: Option<String>,
}

/// Decoders that agree, and what they give.
#[derive(Debug, Deserialize)]
struct Oracle {
    names: Vec<String>,
    file: String,
    dtype: String,
}

/// A row of the table.
#[derive(Debug)]
struct Row {
    group: String,
    name: String,
    syntax: String,
    photometric: String,
    frames: String,
    /// Largest difference from each group of oracles; of cosine-coded colours in each channel.
    differences: Vec<(String, Vec<f64>)>,
    verdict: String,
    wrong: bool,
}

/// How far a frame may be from the nearest oracle.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Allowed {
    /// Not at all.
    Identical,
    /// In each sample, of each channel.
    Samples(f64),
}

/// Inverse DCTs round differently (the oracles' too), so do irreversible wavelets and JPEG XL's
/// lossy mode; other colours are turned in fixed point here and in floats there. Everything else is
/// exact.
fn allowed(told: &Told) -> Allowed {
    let end = told.syntax.strip_prefix("1.2.840.10008.1.2.4.").unwrap_or_default();
    match end {
        "50" | "51" | "55" | "111" | "112" => Allowed::Samples(2.0),
        _ if told.drawn || told.group.contains("irreversible") => Allowed::Samples(1.0),
        _ => Allowed::Identical,
    }
}

#[test]
fn every_frame_is_decoded_as_the_oracles_decode_it() {
    let folder = tempfile::tempdir().unwrap();
    let script = [include_str!("made.py"), include_str!("oracle.py")].concat();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-studies");
    let arguments = [folder.path().to_str().unwrap(), samples.to_str().unwrap()];
    let printed = run_python(&script, &arguments);
    let told: Vec<Told> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rows: Vec<Row> = told.par_iter().map(|told| row(folder.path(), told)).collect();
    let table = table(&rows);
    println!("{table}");
    let wrong: Vec<String> = rows
        .iter()
        .filter(|row| row.wrong)
        .map(|row| format!("{}: {} ({}): {}", row.group, row.name, row.photometric, row.verdict))
        .collect();
    if let Some(path) = std::env::var_os("LASTRA_TABLE") {
        std::fs::write(path, &table).unwrap();
    }
    if let Some(folder) = std::env::var_os("LASTRA_SEEDS") {
        seeds(&told, Path::new(&folder));
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let compared = rows.iter().filter(|row| !row.differences.is_empty()).count();
    assert!(compared > 450, "only {compared} files compared");
    assert_same(&table, include_str!("oracle_table.md"));
}

/// The kept table has the same rows with the same verdicts; the last digit of a difference may
/// change with the processor.
fn assert_same(table: &str, kept: &str) {
    let rows = |text: &str| -> Vec<Vec<String>> {
        let rows = text.lines().filter(|line| line.starts_with('|'));
        let cells = rows.map(|row| row.split('|').map(|cell| cell.trim().to_owned()).collect());
        let without_numbers = |mut row: Vec<String>| {
            row.remove(4);
            row
        };
        cells.map(without_numbers).collect()
    };
    for (row, kept) in rows(table).iter().zip(rows(kept)) {
        assert_eq!(*row, kept, "oracle_table.md is old: LASTRA_TABLE=… writes it anew");
    }
    assert_eq!(rows(table).len(), rows(kept).len(), "oracle_table.md is old");
}

/// Writes the streams made here as the fuzz target `codecs` reads them.
fn seeds(told: &[Told], folder: &Path) {
    let syntaxes = [".5", ".8.1", ".4.50", ".4.51", ".4.57", ".4.80", ".4.90", ".4.201", ".4.110"];
    std::fs::create_dir_all(folder).unwrap();
    for (number, told) in told.iter().enumerate().filter(|(_, told)| told.group.starts_with("made"))
    {
        // One decoder reads both.
        let syntax = told.syntax.replace(".4.55", ".4.50");
        let place = syntaxes.iter().position(|end| syntax == format!("1.2.840.10008.1.2{end}"));
        let (Some(place), Ok(object)) = (place, open(&told.path)) else { continue };
        if object.frames() == 0 {
            continue;
        }
        let attributes = &object.attributes;
        let bits = [8, 12, 16, 32].iter().position(|bits| attributes.bits_stored <= *bits);
        let shape = u8::from(attributes.samples_per_pixel == 3)
            | u8::try_from(bits.unwrap_or(0)).unwrap() << 1
            | u8::from(attributes.signed) << 3;
        let seed = [&[u8::try_from(place).unwrap(), shape][..], &object.frame(0).bytes].concat();
        std::fs::write(folder.join(format!("made-{number}")), seed).unwrap();
    }
}

fn row(folder: &Path, told: &Told) -> Row {
    let file = told.path.file_name().unwrap().to_str().unwrap();
    let mut row = Row {
        group: told.group.clone(),
        name: told.name.clone().unwrap_or_else(|| file.to_owned()),
        syntax: told.syntax.strip_prefix("1.2.840.10008.1.2").unwrap_or(&told.syntax).to_owned(),
        photometric: String::new(),
        frames: String::new(),
        differences: Vec::new(),
        verdict: String::new(),
        wrong: false,
    };
    let object = open(&told.path);
    if let Ok(object) = &object {
        row.photometric = format!("{:?}", object.attributes.photometric);
    }
    if let Some(reason) = &told.reason {
        row.verdict = format!("not compared: {reason}");
        if !told.frames.is_empty() {
            let own = object.and_then(|object| match object.frames() {
                0 => Err("its frames cannot be told".to_owned()),
                _ => samples(&object, 0, false).map(|_| ()),
            });
            let own = own.map_or_else(|error| format!(": {error}"), |()| " decodes it".to_owned());
            row.verdict.push_str("; Lastra");
            row.verdict.push_str(&own);
        }
        return row;
    }
    match object.and_then(|object| compare(folder, told, &object, &mut row)) {
        Ok(()) => {
            let nearest = nearest(&row);
            let (right, verdict) = match allowed(told) {
                _ if nearest <= 0.0 => (true, "identical".to_owned()),
                Allowed::Identical => (false, String::new()),
                Allowed::Samples(most) => (nearest <= most, format!("within {most}")),
            };
            row.wrong = !right;
            row.verdict = if right { verdict } else { format!("WRONG by {nearest}") };
        }
        Err(error) => {
            row.wrong = true;
            row.verdict = format!("WRONG: {error}");
        }
    }
    row
}

fn compare(folder: &Path, told: &Told, object: &Object, row: &mut Row) -> Result<(), String> {
    let frames = object.frames();
    let last = told.frames.last().copied().unwrap_or(0);
    if frames <= last {
        return Err(format!("{frames} frames, frame {last} is asked for"));
    }
    let compared = u32::try_from(told.frames.len()).unwrap();
    row.frames =
        if compared < frames { format!("{compared} of {frames}") } else { frames.to_string() };
    let oracles: Vec<Vec<u8>> = told
        .oracles
        .iter()
        .map(|oracle| std::fs::read(folder.join(&oracle.file)).unwrap())
        .collect();
    let is_cosine = [".4.50", ".4.51", ".4.55"].iter().any(|end| told.syntax.ends_with(end));
    let channels = if is_cosine { object.attributes.samples_per_pixel.max(1) } else { 1 };
    let mut largest = vec![vec![0.0_f64; channels.into()]; oracles.len()];
    for (place, index) in told.frames.iter().enumerate() {
        let own = samples(object, *index, told.drawn)?;
        for ((oracle, bytes), largest) in told.oracles.iter().zip(&oracles).zip(&mut largest) {
            let expected = &bytes[place * bytes.len() / told.frames.len()..];
            let expected = &expected[..bytes.len() / told.frames.len()];
            enlarge(largest, &own, expected, &oracle.dtype)?;
        }
    }
    let names = told.oracles.iter().map(|oracle| oracle.names.join(", "));
    row.differences = names.zip(largest).collect();
    Ok(())
}

/// The frame's samples as pydicom gives them: stored values, or red, green and blue.
fn samples(object: &Object, index: u32, drawn: bool) -> Result<Vec<f64>, String> {
    let stored = object.frame(index);
    if drawn {
        let drawn = draw(&object.attributes, &stored, None, None).map_err(|e| e.to_string())?;
        return Ok(drawn.data.into_iter().map(f64::from).collect());
    }
    let frame = decode(&object.attributes, &stored, Detail::Full).map_err(|e| e.to_string())?;
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

/// Enlarges the largest differences, of each channel in turn, by those from an array as numpy writes
/// it.
fn enlarge(largest: &mut [f64], own: &[f64], bytes: &[u8], dtype: &str) -> Result<(), String> {
    match dtype {
        "<u1" => enlarge_by(largest, own, bytes, |[byte]| byte.into()),
        "<i1" => enlarge_by(largest, own, bytes, |word| i8::from_le_bytes(word).into()),
        "<u2" => enlarge_by(largest, own, bytes, |word| u16::from_le_bytes(word).into()),
        "<i2" => enlarge_by(largest, own, bytes, |word| i16::from_le_bytes(word).into()),
        "<u4" => enlarge_by(largest, own, bytes, |word| u32::from_le_bytes(word).into()),
        "<i4" => enlarge_by(largest, own, bytes, |word| i32::from_le_bytes(word).into()),
        "<f4" => enlarge_by(largest, own, bytes, |word| f32::from_le_bytes(word).into()),
        "<f8" => enlarge_by(largest, own, bytes, f64::from_le_bytes),
        other => Err(format!("the oracle gave {other}")),
    }
}

fn enlarge_by<const N: usize>(
    largest: &mut [f64],
    own: &[f64],
    bytes: &[u8],
    number: fn([u8; N]) -> f64,
) -> Result<(), String> {
    let (words, rest) = bytes.as_chunks::<N>();
    if words.len() != own.len() || !rest.is_empty() {
        return Err(format!("{} samples for {}", own.len(), words.len()));
    }
    let channels = largest.len();
    for (place, (one, other)) in own.iter().zip(words).enumerate() {
        let largest = &mut largest[place % channels];
        *largest = largest.max((one - number(*other)).abs());
    }
    Ok(())
}

/// Rows as Markdown: published files one by one, those without pixels together, made ones by kind.
fn table(rows: &[Row]) -> String {
    let mut lines = vec![
        "# What is decoded, beside pydicom 3 with pylibjpeg, gdcm and pyjpegls".to_owned(),
        String::new(),
        "Written by `table.rs`, which says how. The largest difference is in grey levels, of every \
         oracle where they differ; of colours coded with cosines in red / green / blue."
            .to_owned(),
        String::new(),
        "| file | transfer syntax, photometric | frames | oracle: largest difference | verdict |"
            .to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    let mut kinds: BTreeMap<(&str, &str), Vec<&Row>> = BTreeMap::new();
    let mut without_pixels: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in rows {
        if row.verdict.ends_with("has no pixel data") {
            without_pixels.entry(&row.group).or_default().push(&row.name);
        } else if row.group.starts_with("made: ") && !row.wrong {
            kinds.entry((&row.group, &row.verdict)).or_default().push(row);
        } else {
            lines.push(line(row, &row.name, &row.frames));
        }
    }
    for ((group, _), rows) in &kinds {
        let largest = rows.iter().max_by(|one, other| nearest(one).total_cmp(&nearest(other)));
        let name = match rows.as_slice() {
            [row] => format!("{group}: {}", row.name),
            rows => format!("{group} ({} files)", rows.len()),
        };
        lines.push(line(largest.unwrap(), &name, ""));
    }
    for (group, names) in without_pixels {
        let names = names.join(", ");
        lines.push(format!("| {group}: {names} | | | | not compared: no pixel data |"));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn nearest(row: &Row) -> f64 {
    let largest = row.differences.iter().map(|(_, each)| each.iter().copied().fold(0.0, f64::max));
    largest.fold(f64::INFINITY, f64::min)
}

fn line(row: &Row, name: &str, frames: &str) -> String {
    let differences: Vec<String> = row
        .differences
        .iter()
        .map(|(names, each)| {
            let each: Vec<String> = each.iter().map(f64::to_string).collect();
            format!("{names}: {}", each.join(" / "))
        })
        .collect();
    format!(
        "| {name} | {} {} | {frames} | {} | {} |",
        row.syntax,
        row.photometric,
        differences.join("; "),
        row.verdict.replace('|', "/"),
    )
}
