//! Answers, whole, as clients read them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Answers, Shape};
use crate::dicom::uid::Uid;
use crate::dicomweb::address::Urls;
use crate::dicomweb::qido_fields::Fields;
use crate::http::base::Base;
use crate::index::query::{Found, FoundInstance, FoundSeries, Level};
use crate::people::patient_id::PatientId;

fn uid(text: &str) -> Uid {
    Uid::parse(text).unwrap()
}

fn found() -> Found {
    Found {
        patient: r#"{"00100010":{"vr":"PN","Value":[{"Alphabetic":"ROSSI^MARIO"}]},"00100020":{"vr":"LO","Value":["P1"]},"00102160":{"vr":"SH"}}"#.into(),
        study: r#"{"00080005":{"vr":"CS","Value":["ISO_IR 100"]},"00080020":{"vr":"DA","Value":["20260102"]},"00081030":{"vr":"LO","Value":["TORACE \"A\""]},"0020000D":{"vr":"UI","Value":["1.2"]}}"#.into(),
        study_uid: uid("1.2"),
        patient_id: PatientId { issuer: String::new(), value: "P1".into() },
        modalities: vec!["CT".into(), "PT".into()],
        study_series: 2,
        study_instances: 7,
        series: None,
        instance: None,
    }
}

fn found_instance() -> Found {
    Found {
        series: Some(FoundSeries {
            attributes: r#"{"00080060":{"vr":"CS","Value":["CT"]},"0008103E":{"vr":"LO","Value":["assiale"]},"00180015":{"vr":"CS","Value":["CHEST"]}}"#.into(),
            uid: uid("1.2.3"),
            instances: 5,
        }),
        instance: Some(FoundInstance {
            attributes: r#"{"00080016":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.2"]},"00080018":{"vr":"UI","Value":["odd id"]},"00080023":{"vr":"DA","Value":["20260103"]},"00280010":{"vr":"US","Value":[512]}}"#.into(),
            uid: uid("odd id"),
            transfer_syntax: "1.2.840.10008.1.2.4.70".into(),
        }),
        ..found()
    }
}

fn shape(level: Level, scoped: bool, fields: &str) -> Shape {
    Shape {
        level,
        with_study: level == Level::Study || !scoped,
        with_series: level == Level::Series || (level == Level::Instance && !scoped),
        fields: Fields::of([fields].into_iter()),
        named_patient: false,
    }
}

fn answer_text(shape: &Shape, found: &[Found]) -> String {
    let urls = Urls::new(&Base("http://h:1".into()));
    let mut answers = Answers::new(shape, &urls, found);
    for found in found {
        answers.push(found).unwrap();
    }
    String::from_utf8(answers.finish()).unwrap()
}

fn answer(shape: &Shape, found: &[Found]) -> Value {
    serde_json::from_str(&answer_text(shape, found)).unwrap()
}

#[test]
fn a_study_has_what_the_table_requires() {
    let text = answer_text(&shape(Level::Study, false, ""), &[found()]);
    let expected = concat!(
        r#"[{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"#,
        r#""00080020":{"vr":"DA","Value":["20260102"]},"#,
        r#""00080030":{"vr":"TM"},"#,
        r#""00080050":{"vr":"SH"},"#,
        r#""00080056":{"vr":"CS","Value":["ONLINE"]},"#,
        r#""00080061":{"vr":"CS","Value":["CT","PT"]},"#,
        r#""00080090":{"vr":"PN"},"#,
        r#""00081190":{"vr":"UR","Value":["http://h:1/dicom-web/studies/1.2"]},"#,
        r#""00100010":{"vr":"PN","Value":[{"Alphabetic":"ROSSI^MARIO"}]},"#,
        r#""00100020":{"vr":"LO","Value":["P1"]},"#,
        r#""00100030":{"vr":"DA"},"#,
        r#""00100040":{"vr":"CS"},"#,
        r#""0020000D":{"vr":"UI","Value":["1.2"]},"#,
        r#""00200010":{"vr":"SH"},"#,
        r#""00201206":{"vr":"IS","Value":[2]},"#,
        r#""00201208":{"vr":"IS","Value":[7]}}]"#,
    );
    assert_eq!(text, expected);
}

#[test]
fn fields_asked_for_come_too_and_those_of_lower_levels_do_not() {
    let answer = answer(&shape(Level::Study, false, "00081030,00080060,00102160"), &[found()]);
    assert_eq!(answer[0]["00081030"], json!({"vr": "LO", "Value": ["TORACE \"A\""]}));
    assert_eq!(answer[0]["00102160"], json!({"vr": "SH"}));
    assert_eq!(answer[0]["00080060"], Value::Null);
}

#[test]
fn an_instance_of_a_named_series_has_its_own_attributes() {
    let text = answer_text(&shape(Level::Instance, true, ""), &[found_instance()]);
    let expected = concat!(
        r#"[{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"#,
        r#""00080016":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.2"]},"#,
        r#""00080018":{"vr":"UI","Value":["odd id"]},"#,
        r#""00080056":{"vr":"CS","Value":["ONLINE"]},"#,
        r#""00081190":{"vr":"UR","Value":["http://h:1/dicom-web/studies/1.2/series/1.2.3/instances/odd%20id"]},"#,
        r#""00083002":{"vr":"UI","Value":["1.2.840.10008.1.2.4.70"]},"#,
        r#""0020000D":{"vr":"UI","Value":["1.2"]},"#,
        r#""0020000E":{"vr":"UI","Value":["1.2.3"]},"#,
        r#""00200013":{"vr":"IS"},"#,
        r#""00280010":{"vr":"US","Value":[512]}}]"#,
    );
    assert_eq!(text, expected);
}

#[test]
fn an_instance_found_anywhere_brings_its_study_and_series() {
    let answer = answer(&shape(Level::Instance, false, "all"), &[found_instance()]);
    for tag in [
        "00100010", "00080061", "00201208", "00200010", "00080060", "0008103E", "00180015",
        "00201209", "00080023", "00081030",
    ] {
        assert!(answer[0][tag].is_object(), "{tag}");
    }
}

#[test]
fn upper_levels_change_from_answer_to_answer() {
    let first = found_instance();
    let mut second = found_instance();
    second.study = r#"{"00080020":{"vr":"DA","Value":["19990101"]}}"#.into();
    let answer = answer(&shape(Level::Instance, false, ""), &[first.clone(), first, second]);
    let dates: Vec<_> = (0..3).map(|index| answer[index]["00080020"]["Value"][0].clone()).collect();
    assert_eq!(dates, ["20260102", "20260102", "19990101"]);
}

#[test]
fn studies_that_share_a_uid_have_urls_that_name_the_patient() {
    let mut other = found();
    other.patient_id = PatientId { issuer: "X&Y".into(), value: "P 2".into() };
    let mut third = found();
    third.study_uid = uid("1.9");
    let answer = answer(&shape(Level::Study, false, ""), &[found(), other, third]);
    let url = |index: usize| answer[index]["00081190"]["Value"][0].as_str().unwrap().to_owned();
    assert!(url(0).ends_with("/studies/1.2?PatientID=P1"));
    assert!(url(1).ends_with("/studies/1.2?PatientID=P%202&IssuerOfPatientID=X%26Y"));
    assert!(url(2).ends_with("/studies/1.9"));
}

#[test]
fn a_kept_text_that_is_no_object_is_an_error() {
    let broken = Found { study: "[".into(), ..found() };
    let urls = Urls::new(&Base(String::new()));
    let shape = shape(Level::Study, false, "");
    let found = [broken];
    assert!(Answers::new(&shape, &urls, &found).push(&found[0]).is_err());
    assert_eq!(answer_text(&shape, &[]), "[]");
}

#[test]
fn five_hundred_instances_are_written_without_rereading_their_study() {
    let mut one = found_instance();
    let instance = one.instance.as_mut().unwrap();
    let more = format!(",\"00204000\":{{\"vr\":\"LT\",\"Value\":[\"{}\"]}}}}", "x".repeat(700));
    instance.attributes.truncate(instance.attributes.len() - 1);
    instance.attributes.push_str(&more);
    let found = vec![one; 500];
    let shape = shape(Level::Instance, true, "");
    let begun = std::time::Instant::now();
    let text = answer_text(&shape, &found);
    let took = begun.elapsed();
    println!("500 instances, {} bytes: {took:?}", text.len());
    // Far above what it takes, far below what quadratic work would.
    assert!(took < std::time::Duration::from_millis(500), "{took:?}");
}

proptest! {
    #[test]
    fn answers_are_sorted_and_whole(
        tags in prop::collection::btree_set(any::<u32>(), 0..20),
        value in ".*",
        level in 0_usize..3,
        scoped: bool,
    ) {
        let attributes: Vec<String> = tags
            .iter()
            .map(|tag| format!("\"{tag:08X}\":{}", json!({"vr": "LO", "Value": [value.clone()]})))
            .collect();
        let attributes = format!("{{{}}}", attributes.join(","));
        let mut found = found_instance();
        let level = [Level::Study, Level::Series, Level::Instance][level];
        match level {
            Level::Study => found.study = attributes,
            Level::Series => found.series.as_mut().unwrap().attributes = attributes,
            Level::Instance => found.instance.as_mut().unwrap().attributes = attributes,
        }
        if level == Level::Study {
            found.series = None;
        }
        if level != Level::Instance {
            found.instance = None;
        }
        let text = answer_text(&shape(level, scoped, "all"), &[found]);
        let answer: serde_json::Map<String, Value> =
            serde_json::from_str::<Vec<_>>(&text).unwrap().pop().unwrap();
        for tag in tags {
            let tag = format!("{tag:08X}");
            prop_assert!(answer.contains_key(&tag), "{}", tag);
        }
        let places: Vec<_> = answer.keys().map(|key| text.find(&format!("\"{key}\":")).unwrap()).collect();
        prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
