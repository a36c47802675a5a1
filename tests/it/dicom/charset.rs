//! Names and characters read as Python and pydicom read them.

use std::collections::BTreeMap;

use lastra::dicom::charset::Charset;
use lastra::dicom::header::HeaderCollector;

use crate::support::samples::{Sample, samples};
use crate::support::tools::run_python;

/// Prints the name of each file, by its path, as pydicom decodes it.
const NAMES: &str = r#"
import json, sys, warnings
import pydicom
warnings.simplefilter("ignore")
names = {}
for path in sys.argv[1:]:
    ds = pydicom.dcmread(path, force=True, stop_before_pixels=True)
    name = ds.get("PatientName")
    names[path] = "=".join(name.components).rstrip("=") if name else ""
print(json.dumps(names))
"#;

fn names(samples: &[Sample]) -> BTreeMap<String, String> {
    let paths: Vec<&str> = samples.iter().map(|sample| sample.path.to_str().unwrap()).collect();
    serde_json::from_str(&run_python(NAMES, &paths)).unwrap()
}

#[test]
fn every_name_reads_as_pydicom_reads_it() {
    let mut all = samples("charset_files");
    assert!(all.len() >= 17, "only {} files", all.len());
    all.extend(samples("test_files"));
    let expected = names(&all);
    for sample in &all {
        let mut collector = HeaderCollector::new(sample.encoding);
        sample.scan(&mut collector);
        let header = collector.finish();
        assert_eq!(header.patient.name, expected[sample.path.to_str().unwrap()], "{}", sample.name);
    }
}

/// Prints, for each set, every code and the character Python has for it.
const TABLES: &str = r#"
import json
single = {"ISO_IR 100": "latin_1", "ISO_IR 101": "iso8859_2", "ISO_IR 109": "iso8859_3",
    "ISO_IR 110": "iso8859_4", "ISO_IR 126": "iso8859_7", "ISO_IR 127": "iso8859_6",
    "ISO_IR 138": "iso8859_8", "ISO_IR 144": "iso8859_5", "ISO_IR 148": "iso8859_9",
    "ISO_IR 166": "tis_620", "ISO_IR 203": "iso8859_15"}
double = {"1b2442": ("iso2022_jp", b"\x1b$B", 0), "1b242844": ("iso2022_jp_2", b"\x1b$(D", 0),
    "1b242943": ("euc_kr", b"", 0x80), "1b242941": ("gb2312", b"", 0x80)}
tables = {}
for term, codec in single.items():
    codes = tables.setdefault(term, {})
    for byte in range(0xA0, 0x100):
        try: codes["%02x" % byte] = bytes([byte]).decode(codec)
        except UnicodeError: pass
codes = tables.setdefault("ISO_IR 13", {})
for byte in [*range(0x20, 0x7F), *range(0xA1, 0xE0)]:
    codes["%02x" % byte] = bytes([byte]).decode("shift_jis")
for escape, (codec, lead, high) in double.items():
    codes = tables.setdefault(escape, {})
    for a in range(0x21, 0x7F):
        for b in range(0x21, 0x7F):
            pair = bytes([a | high, b | high])
            try: codes[pair.hex()] = (lead + pair).decode(codec)
            except UnicodeError: pass
print(json.dumps(tables))
"#;

/// Codes of GB 2312 that Python reads by a table of 1999, while GBK, GB 18030 and every system since
/// read them as the middle dot and the dash that Chinese text has.
const DIFFERENT: [(&str, &str, char); 2] =
    [("1b242941", "a1a4", '\u{B7}'), ("1b242941", "a1aa", '\u{2014}')];

#[test]
fn every_character_reads_as_python_reads_it() {
    let tables: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(&run_python(TABLES, &[])).unwrap();
    let mut different = Vec::new();
    for (set, codes) in &tables {
        assert!(codes.len() > 40, "{set}");
        let (term, escape) =
            if set.starts_with("1b") { ("", unhex(set)) } else { (set.as_str(), vec![]) };
        let charset = Charset::parse(term.as_bytes());
        for (code, expected) in codes {
            let read = charset.decode(&[escape.clone(), unhex(code)].concat());
            if &read != expected {
                different.push((set.as_str(), code.clone(), read, expected));
            }
        }
    }
    different.retain(|(set, code, read, _)| {
        !DIFFERENT.iter().any(|(s, c, r)| s == set && c == code && read.chars().eq([*r]))
    });
    assert!(different.is_empty(), "{different:?}");
}

fn unhex(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
