//! Header facts of real objects equal what pydicom reads.

use std::collections::BTreeMap;

use lastra::dicom::date::{date, time};
use lastra::dicom::header::{Header, HeaderCollector};
use lastra::dicom::uid::Uid;
use serde_json::Value;

use crate::support::samples::samples;
use crate::support::tools::run_python;

const FACTS: &str = r#"
import json, sys, warnings
import pydicom
warnings.simplefilter("ignore")
def text(ds, keyword):
    value = ds.get(keyword)
    return "" if value is None else str(value).strip()
facts = {}
for path in sys.argv[1:]:
    ds = pydicom.dcmread(path, force=True)
    facts[path] = {k: text(ds, k) for k in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID",
        "SeriesInstanceUID", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
        "AccessionNumber", "StudyID", "StudyDescription", "Modality", "SeriesNumber",
        "SeriesDescription", "BodyPartExamined", "PerformedProcedureStepStartDate",
        "InstanceNumber", "Rows", "Columns", "BitsAllocated")}
    pixels = any(k in ds for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"))
    try: frames = int(ds.get("NumberOfFrames") or 1)
    except ValueError: frames = 1
    facts[path]["Frames"] = str(frames) if pixels else "0"
    facts[path]["Requests"] = str(len(ds.get("RequestAttributesSequence") or []))
print(json.dumps(facts))
"#;

fn facts(header: &Header) -> BTreeMap<&'static str, String> {
    let uid = |uid: &Option<Uid>| uid.as_ref().map(Uid::to_string).unwrap_or_default();
    let count = |count: u16| if count == 0 { String::new() } else { count.to_string() };
    BTreeMap::from([
        ("SOPClassUID", uid(&header.sop_class)),
        ("SOPInstanceUID", uid(&header.sop_instance)),
        ("StudyInstanceUID", uid(&header.study_uid)),
        ("SeriesInstanceUID", uid(&header.series_uid)),
        ("PatientID", header.patient_id.value.clone()),
        ("PatientBirthDate", header.patient.birth_date.clone()),
        ("PatientSex", header.patient.sex.clone()),
        ("StudyDate", header.study.date.clone()),
        ("StudyTime", header.study.time.clone()),
        ("AccessionNumber", header.study.accession_number.clone()),
        ("StudyID", header.study.id.clone()),
        ("StudyDescription", header.study.description.clone()),
        ("Modality", header.series.modality.clone()),
        ("SeriesNumber", header.series.number.clone()),
        ("SeriesDescription", header.series.description.clone()),
        ("BodyPartExamined", header.series.body_part.clone()),
        ("PerformedProcedureStepStartDate", header.series.performed_date.clone()),
        ("InstanceNumber", header.instance.number.clone()),
        ("Rows", count(header.pixels.rows)),
        ("Columns", count(header.pixels.columns)),
        ("BitsAllocated", count(header.pixels.bits_allocated)),
        ("Frames", header.instance.frames.to_string()),
        ("Requests", header.series.requests.len().to_string()),
    ])
}

/// Files that end inside their pixel data, which we therefore do not hear of.
const TRUNCATED: [&str; 2] = ["MR_truncated.dcm", "rtplan_truncated.dcm"];

#[test]
fn facts_equal_pydicoms() {
    let samples = samples("test_files");
    let paths: Vec<&str> = samples.iter().map(|sample| sample.path.to_str().unwrap()).collect();
    let expected: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(&run_python(FACTS, &paths)).unwrap();
    for sample in samples.iter().filter(|sample| !TRUNCATED.contains(&&*sample.name)) {
        let mut collector = HeaderCollector::new(sample.encoding);
        sample.scan(&mut collector);
        let header = collector.finish();
        for (keyword, fact) in facts(&header) {
            let theirs = &expected[sample.path.to_str().unwrap()][keyword];
            // pydicom leaves ACR-NEMA's dots and colons in.
            let theirs = match keyword {
                "StudyTime" => time(theirs),
                keyword if keyword.ends_with("Date") => date(theirs),
                _ => theirs.clone(),
            };
            assert_eq!(fact, theirs, "{keyword} of {}", sample.name);
        }
        for text in [
            &header.patient.attributes,
            &header.study.attributes,
            &header.series.attributes,
            &header.instance.attributes,
        ] {
            let parsed: BTreeMap<String, Value> = serde_json::from_str(text).unwrap();
            assert!(!text.contains("BulkDataURI"), "{}", sample.name);
            assert!(parsed.keys().all(|tag| tag.len() == 8), "{}", sample.name);
        }
    }
}
