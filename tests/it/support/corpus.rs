//! Real files: those the `pydicom` wheel carries.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::support::tools::python;
use crate::support::tools::run_python;

/// Folder of pydicom's data.
pub fn pydicom_data() -> PathBuf {
    let printed =
        run_python("import pydicom.data, os; print(os.path.dirname(pydicom.data.__file__))", &[]);
    PathBuf::from(printed.trim())
}

/// What pydicom says of a file.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Reading {
    /// Its path.
    pub path: PathBuf,
    /// Whether it has preamble and meta header with a transfer syntax.
    pub part10: bool,
    /// Transfer syntax.
    pub syntax: Option<String>,
    /// Study, series and SOP Instance UID, SOP class.
    pub study: Option<String>,
    pub series: Option<String>,
    pub instance: Option<String>,
    pub class: Option<String>,
    /// Where the data set begins in the file.
    pub start: Option<u64>,
}

/// Every file of the pydicom wheel that pydicom itself reads as an instance with its identifiers.
pub fn corpus() -> Vec<Reading> {
    let script = r#"
import json, os, sys, warnings
warnings.simplefilter("ignore")
import pydicom
from pydicom.filereader import read_preamble, _read_file_meta_info
from pydicom.filebase import DicomFileLike
import logging; logging.disable(logging.CRITICAL)
for root, _, names in sorted(os.walk(sys.argv[1])):
    for name in sorted(names):
        path = os.path.join(root, name)
        if name.endswith((".py", ".pyc", ".json", ".zip", ".txt", ".md")): continue
        try:
            ds = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        except Exception:
            continue
        meta = getattr(ds, "file_meta", None)
        syntax = str(meta.TransferSyntaxUID) if meta and "TransferSyntaxUID" in meta else None
        raw = open(path, "rb").read()
        part10 = raw[128:132] == b"DICM" and syntax is not None
        start = None
        if part10:
            at = 132
            while raw[at:at+2] == b"\x02\x00":
                vr = raw[at+4:at+6]
                if vr in (b"OB", b"OW", b"UN", b"SQ", b"UT"):
                    at += 12 + int.from_bytes(raw[at+8:at+12], "little")
                else:
                    at += 8 + int.from_bytes(raw[at+6:at+8], "little")
            start = at
        get = lambda k: (str(ds[k].value) if k in ds and ds[k].value not in (None, "") else None)
        print(json.dumps({"path": path, "part10": part10, "syntax": syntax,
            "study": get("StudyInstanceUID"), "series": get("SeriesInstanceUID"),
            "instance": get("SOPInstanceUID"), "class": get("SOPClassUID"),
            "start": start}))
"#;
    let data = pydicom_data();
    let printed = run_python(script, &[data.to_str().unwrap()]);
    let readings: Vec<Reading> =
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        readings.len() > 100,
        "{} files in {} by {}",
        readings.len(),
        data.display(),
        python().display()
    );
    readings
}

impl Reading {
    /// Whether it can be filed at all: it has the four identifiers.
    pub fn is_instance(&self) -> bool {
        [&self.study, &self.series, &self.instance, &self.class].iter().all(|uid| uid.is_some())
    }

    /// Path of the instance below the DICOMweb base URL.
    pub fn url(&self) -> String {
        let part = |uid: &Option<String>| uid.clone().unwrap_or_default();
        let (study, series) = (part(&self.study), part(&self.series));
        format!("/studies/{study}/series/{series}/instances/{}", part(&self.instance))
    }

    /// The data set's bytes as they stand in the file.
    pub fn data_set(&self) -> Vec<u8> {
        let bytes = std::fs::read(&self.path).unwrap();
        bytes[usize::try_from(self.start.unwrap_or(0)).unwrap()..].to_vec()
    }
}

/// Readings by instance address; where several files share one (copies in other transfer
/// syntaxes), all of them.
pub fn by_url(readings: Vec<Reading>) -> BTreeMap<String, Vec<Reading>> {
    let mut map: BTreeMap<String, Vec<Reading>> = BTreeMap::new();
    for reading in readings {
        map.entry(reading.url()).or_default().push(reading);
    }
    map
}
