//! DICOM JSON of real objects equals pydicom's, but for the differences in [`same`] and
//! [`EXCEPTIONS`], each with its reason.

use std::collections::BTreeMap;

use lastra::dicom::header::PixelShape;
use lastra::dicom::json::JsonWriter;
use lastra::dicom::observe::{DataSetPlace, LayoutCollector};
use serde_json::{Map, Value};

use crate::support::samples::{Sample, samples};
use crate::support::tools::run_python;

/// Prints each file's data set as pydicom's JSON; attributes it cannot write are left out.
const DUMP: &str = r#"
import json, math, sys, warnings
import pydicom
warnings.simplefilter("ignore")
def plain(value):
    if isinstance(value, dict): return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list): return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value): return str(value)
    if isinstance(value, (str, int, float, type(None))): return value
    return str(value)
dump = {}
for path in sys.argv[1:]:
    ds = pydicom.dcmread(path, force=True)
    dump[path] = {}
    for tag in ds.keys():
        try: dump[path]["%08X" % tag] = plain(ds[tag].to_json_dict(None, 0))
        except ValueError: print(path, tag, file=sys.stderr)
print(json.dumps(dump))
"#;

/// Attributes that differ for a reason of their own: file, tag (empty: all), reason.
const EXCEPTIONS: [(&str, &str, &str); 2] = [
    ("badVR.dcm", "00280008", "IS `1A` is no number: pydicom refuses it, we give the text"),
    ("rtplan_truncated.dcm", "300A012C", "the file ends inside: pydicom gives half of the value"),
];

fn write(sample: &Sample) -> Map<String, Value> {
    let mut writer = JsonWriter::new(sample.encoding, "/bulkdata/");
    sample.scan(&mut writer);
    serde_json::from_slice(&writer.finish().unwrap()).unwrap()
}

#[test]
fn real_objects_read_as_pydicom_writes_them() {
    let mut all = samples("test_files");
    all.extend(samples("charset_files"));
    let paths: Vec<&str> = all.iter().map(|sample| sample.path.to_str().unwrap()).collect();
    let dump: BTreeMap<String, Map<String, Value>> =
        serde_json::from_str(&run_python(DUMP, &paths)).unwrap();
    let mut different = Vec::new();
    let mut compared = 0;
    for sample in &all {
        let theirs = &dump[sample.path.to_str().unwrap()];
        compared += compare(&sample.name, "", &write(sample), theirs, &mut different);
    }
    assert!(different.is_empty(), "{} differ: {different:#?}", different.len());
    assert!(compared > 5_000, "only {compared} attributes compared");
}

/// Compares two objects; gives how many attributes were equal.
fn compare(
    file: &str,
    path: &str,
    ours: &Map<String, Value>,
    theirs: &Map<String, Value>,
    different: &mut Vec<String>,
) -> usize {
    let mut equal = 0;
    let tags: std::collections::BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    for tag in tags {
        if is_excepted(file, tag) {
            continue;
        }
        let path = format!("{path}/{tag}");
        match (ours.get(tag), theirs.get(tag)) {
            (Some(ours), Some(theirs)) => match (items(ours), items(theirs)) {
                (Some(ours), Some(theirs)) if ours.len() == theirs.len() => {
                    for (ours, theirs) in ours.iter().zip(theirs) {
                        equal += compare(
                            file,
                            &path,
                            ours.as_object().unwrap(),
                            theirs.as_object().unwrap(),
                            different,
                        );
                    }
                }
                _ if same(tag, ours, theirs) => equal += 1,
                _ => different.push(format!("{file} {path}: {ours} / {theirs}")),
            },
            // pydicom writes group lengths, which PS3.18 §F.2.2 forbids.
            (None, Some(_)) if tag.ends_with("0000") => {}
            (ours, theirs) => different.push(format!("{file} {path}: {ours:?} / {theirs:?}")),
        }
    }
    equal
}

fn is_excepted(file: &str, tag: &str) -> bool {
    EXCEPTIONS.iter().any(|(f, t, _)| *f == file && (t.is_empty() || *t == tag))
}

/// The items of a sequence; an empty one has none, and pydicom an empty list, against
/// PS3.18 §F.2.5.
fn items(attribute: &Value) -> Option<&[Value]> {
    match attribute["vr"].as_str() {
        Some("SQ") => Some(attribute["Value"].as_array().map_or(&[], Vec::as_slice)),
        _ => None,
    }
}

/// Whether two attributes say the same.
fn same(tag: &str, ours: &Value, theirs: &Value) -> bool {
    if tag == "00080005" {
        // Our text says what it is written in; pydicom's what the object was.
        return ours["Value"] == serde_json::json!(["ISO_IR 192"])
            || (ours.get("Value").is_none() && theirs.get("Value").is_none());
    }
    if ours["vr"] == "UN" && theirs["vr"] != "UN" {
        // pydicom gives unknown VRs the one of its own dictionaries, of private attributes too.
        // The bytes are there: nothing is lost.
        return ours.get("InlineBinary").is_some()
            || theirs.get("Value").and_then(Value::as_array).is_none_or(Vec::is_empty);
    }
    if ours["vr"] != theirs["vr"] {
        return false;
    }
    if ours.get("BulkDataURI").is_some() {
        return theirs.get("InlineBinary").is_some();
    }
    let vr = ours["vr"].as_str().unwrap();
    let inner = |value: &Value| match value.get("Value") {
        Some(Value::Array(values)) => values.iter().map(|v| normal(vr, v)).collect(),
        _ => vec![],
    };
    let (ours_inner, theirs_inner): (Vec<Value>, Vec<Value>) = (inner(ours), inner(theirs));
    let nothing = |values: &[Value]| values.len() <= 1 && values.iter().all(Value::is_null);
    ours.get("InlineBinary") == theirs.get("InlineBinary")
        && (ours_inner == theirs_inner || (nothing(&ours_inner) && nothing(&theirs_inner)))
}

/// One value in one spelling: numbers as doubles (FL as floats), text without padding, nothing
/// as null. pydicom keeps padding inside multiple values, writes empty values and name groups as
/// "", and FL with the digits of a double.
fn normal(vr: &str, value: &Value) -> Value {
    match value {
        Value::Object(groups) => {
            let mut groups = groups.clone();
            groups.retain(|_, group| group != "");
            if groups.is_empty() { Value::Null } else { Value::Object(groups) }
        }
        Value::String(text) => match text.trim_end_matches([' ', '\0']) {
            "" => Value::Null,
            text => match (vr, text.trim().parse::<f64>()) {
                ("DS" | "IS" | "SV" | "UV", Ok(number)) => Value::from(number),
                _ => Value::from(text),
            },
        },
        Value::Number(number) => {
            let number = number.as_f64().unwrap();
            #[expect(clippy::cast_possible_truncation, reason = "FL is a float")]
            let number = if vr == "FL" { f64::from(number as f32) } else { number };
            Value::from(number)
        }
        other => other.clone(),
    }
}

#[test]
fn every_link_leads_to_a_bulk_value_of_the_layout() {
    let mut links = 0;
    for sample in samples("test_files") {
        let mut collector = LayoutCollector::default();
        sample.scan(&mut collector);
        // Paths do not depend on where the data set lies.
        let place = DataSetPlace { start: 0, bytes: 0, deflated: false, inflated_bytes: 0 };
        let layout = collector.finish().unwrap().layout(place, &PixelShape::default());
        let text = Value::Object(write(&sample)).to_string();
        for link in text.split("\"BulkDataURI\":\"/bulkdata/").skip(1) {
            let path = link.split('"').next().unwrap();
            assert!(layout.bulk(path).is_some(), "{}: {path}", sample.name);
            links += 1;
        }
    }
    assert!(links > 50, "only {links} links");
}
