//! The ministry's own sample report, where it is at hand: it may not be copied into the project.

use std::path::Path;

use lastra::hl7::cda::document::ClinicalDocument;
use lastra::hl7::cda::rad;
use lastra::hl7::cda::xml::Document;

/// A sample's bytes, or `None` with the reason printed.
fn official(name: &str) -> Option<Vec<u8>> {
    let Ok(folder) = std::env::var("LASTRA_FSE_SAMPLES") else {
        println!("SKIPPED: LASTRA_FSE_SAMPLES names no folder with {name}");
        return None;
    };
    // Named and not there is no reason to skip.
    Some(std::fs::read(Path::new(&folder).join(name)).unwrap())
}

#[test]
fn requirement_35_the_official_sample_is_read_rendered_and_breaks_no_rule() {
    let Some(bytes) = official("it-fse-support_RAD.xml") else { return };
    let document = Document::parse(&bytes).unwrap();
    let report = ClinicalDocument::of(&document).unwrap();
    assert!(report.is_radiology_report());
    assert_eq!(report.patient.name(), "Test^Giuseppe");
    assert!(report.patient.identifiers()[0].identifies());
    // The instance's level carries the series' code there: nesting tells.
    let [study] = report.studies.as_slice() else { panic!("{:?}", report.studies) };
    assert_eq!(study.uid, "1.2.840.113619.2.62.994044785528.114289542805");
    assert_eq!(study.series[0].uid, "1.2.840.113619.2.62.994044785528.20060823223142485051");
    assert_eq!(study.series[0].instances, ["1.2.840.113619.2.62.994044785528.20060823.3"]);
    let html = lastra::documents::cda::page(&bytes).unwrap().html();
    for text in [">Referto</h", "curvature scoliotiche", ">Data Esame</th>"] {
        assert!(html.contains(text), "{text}");
    }
    let broken: Vec<_> = rad::validate(&document);
    assert!(broken.is_empty(), "{broken:?}");
}
