//! The house rules as a test: arrows lead down, doors keep apart, SQL stays in its adapters, files
//! stay short and say what they are for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Which floor a room is on; an arrow may only lead to a lower one. The plan is in `src/lib.rs`.
const FLOORS: &[(&str, u8)] = &[
    ("main", 12),
    ("cli", 11),
    ("server", 10),
    ("config", 9),
    ("api", 8),
    ("dicomweb", 8),
    ("fhir", 8),
    ("web", 8),
    ("gateway", 7),
    ("http", 7),
    ("mllp", 7),
    ("dimse", 6),
    ("fascicolo", 6),
    ("archive", 5),
    ("access", 4),
    ("jobs", 4),
    ("documents", 3),
    ("index", 3),
    ("blobs", 2),
    ("hl7", 2),
    ("imaging", 2),
    ("model", 2),
    ("dicom", 1),
    ("people", 1),
    ("clock", 1),
    ("steps", 1),
    ("telemetry", 1),
];

const DOORS: &[&str] = &["api", "dicomweb", "dimse", "fhir", "gateway", "mllp", "web"];
const LONGEST_FILE: usize = 700;

/// Ground of the lowest floor that other ground may stand on: plain values without dependencies.
const SAME_FLOOR: [(&str, &str); 2] = [("dicom", "people"), ("model", "model")];

struct Source {
    path: PathBuf,
    room: String,
    text: String,
}

#[test]
fn every_arrow_leads_down() {
    let mut wrong = Vec::new();
    for source in sources() {
        for used in rooms_used(&source.text) {
            let down = floor(&used) < floor(&source.room)
                || SAME_FLOOR.contains(&(source.room.as_str(), used.as_str()));
            if used != source.room && !down {
                wrong.push(format!(
                    "{}: {} may not use {used}",
                    source.path.display(),
                    source.room
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn doors_know_neither_each_other_nor_the_stores_adapters() {
    for source in sources().iter().filter(|source| DOORS.contains(&source.room.as_str())) {
        for used in rooms_used(&source.text) {
            let other_door = used != source.room && DOORS.contains(&used.as_str());
            assert!(!other_door, "{}: uses {used}", source.path.display());
        }
        // Doors translate the stores' errors, and see nothing else of the blobs.
        for (at, _) in source.text.match_indices("crate::blobs::") {
            let rest = &source.text[at + 14..];
            assert!(rest.starts_with("error::"), "{}: uses blobs", source.path.display());
        }
        for adapter in ["index::sqlite", "index::postgres", "index::port::SharedIndex", "sqlx"] {
            assert!(!source.text.contains(adapter), "{}: {adapter}", source.path.display());
        }
    }
}

#[test]
fn sql_stands_in_the_adapters_only() {
    for source in sources() {
        let path = source.path.to_string_lossy().replace('\\', "/");
        if path.contains("index/sqlite")
            || path.contains("index/postgres")
            || path.contains("index/sql")
        {
            continue;
        }
        for word in ["sqlx::", "SELECT ", "INSERT INTO", "ON CONFLICT"] {
            assert!(!source.text.contains(word), "{path}: {word}");
        }
    }
}

/// SQLite plans a statement anew for each value bound to a bare `LIMIT ?` (3.51,
/// `sqlite3ExprIsInteger`): a quarter of the time a frame took.
#[test]
fn bound_limits_are_cast_so_that_statements_stay_prepared() {
    for Source { path, text, .. } in sources() {
        let bare = ["LIMIT $", "LIMIT \")"].iter().any(|bare| text.contains(bare));
        assert!(!bare, "{}: LIMIT CAST(… AS BIGINT)", path.display());
    }
}

#[test]
fn ground_does_no_input_or_output_and_waits_for_nothing() {
    for source in sources() {
        if !["dicom", "hl7", "people", "model"].contains(&source.room.as_str()) {
            continue;
        }
        for word in ["std::fs", "std::net", "tokio::", "async fn", ".await"] {
            assert!(!source.text.contains(word), "{}: {word}", source.path.display());
        }
    }
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    for source in sources() {
        let lines = source.text.lines().count();
        assert!(lines <= LONGEST_FILE, "{}: {lines} lines", source.path.display());
        assert!(source.text.starts_with("//!"), "{}: no module doc", source.path.display());
    }
}

#[test]
fn face_files_hold_only_docs_and_modules() {
    for source in sources() {
        let name = source.path.file_name().unwrap().to_string_lossy();
        if name != "mod.rs" && name != "lib.rs" {
            continue;
        }
        for line in source.text.lines().map(str::trim) {
            let allowed = line.is_empty()
                || line.starts_with("//")
                || line.starts_with("#![")
                || line.starts_with("#[cfg(test)]")
                || line.starts_with("#[path = ")
                || (["pub mod ", "mod ", "pub(crate) mod "].iter().any(|m| line.starts_with(m))
                    && line.ends_with(';'));
            assert!(allowed, "{}: {line}", source.path.display());
        }
    }
}

#[test]
fn uses_name_one_file_a_line() {
    for source in sources() {
        for line in source.text.lines().map(str::trim) {
            let bundled = line.starts_with("use crate::{") || line.starts_with("use super::super");
            let glob = line.starts_with("use crate::") && line.ends_with("::*;");
            assert!(!bundled && !glob, "{}: {line}", source.path.display());
        }
    }
}

#[test]
fn places_in_the_standard_are_written_alike() {
    for source in sources() {
        for (number, line) in source.text.lines().enumerate() {
            for (at, _) in line.match_indices("PS3.") {
                let digits: String =
                    line[at + 4..].chars().take_while(char::is_ascii_digit).collect();
                assert!(
                    !digits.is_empty() && digits.parse::<u8>().is_ok_and(|part| part <= 22),
                    "{}:{}: {line}",
                    source.path.display(),
                    number + 1
                );
            }
        }
    }
}

#[test]
fn the_plan_in_lib_names_every_room() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let rooms: BTreeSet<String> = sources().into_iter().map(|source| source.room).collect();
    for room in rooms.iter().filter(|room| *room != "main" && *room != "lib") {
        assert!(lib.contains(&format!("[`{room}`]")), "src/lib.rs does not name {room}");
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(source(path));
            }
        }
    }
    assert!(found.len() > 40, "only {} files found", found.len());
    found
}

fn source(path: PathBuf) -> Source {
    let inner = path.strip_prefix(root().join("src")).unwrap();
    let first = inner.components().next().unwrap().as_os_str();
    let room = Path::new(first).file_stem().unwrap().to_string_lossy().into_owned();
    let text = fs::read_to_string(&path).unwrap();
    Source { path, room, text }
}

/// Rooms named by `crate::room`, in `use` lines and inside expressions, doc comments left out.
fn rooms_used(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.match_indices("crate::").map(|(at, _)| line[at + 7..].to_owned()))
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .filter(|room: &String| !room.is_empty())
        .collect()
}

fn floor(room: &str) -> u8 {
    if room == "lib" {
        return 13;
    }
    let found = FLOORS.iter().find(|(name, _)| *name == room);
    found
        .unwrap_or_else(|| panic!("room {room} is on no floor: add it to FLOORS and to src/lib.rs"))
        .1
}
