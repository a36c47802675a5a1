//! Search parameters as clients send them.

use proptest::prelude::*;

use super::{Search, parse};
use crate::http::query_string::QueryString;
use crate::index::query::{Key, Match, Rule};

fn read(query: &str) -> Search {
    parse(&QueryString::parse(query).unwrap()).unwrap()
}

fn matches(query: &str) -> Vec<(Key, Rule)> {
    read(query).matches.into_iter().map(|Match { key, rule }| (key, rule)).collect()
}

fn equal(text: &str) -> Rule {
    Rule::Equal(text.into())
}

fn wildcard(text: &str) -> Rule {
    Rule::Wildcard(text.into())
}

fn any_of(values: &[&str]) -> Rule {
    Rule::AnyOf(values.iter().map(|&value| value.to_owned()).collect())
}

fn range(from: &str, to: &str) -> Rule {
    let bound = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Rule::Range { from: bound(from), to: bound(to) }
}

#[test]
fn values_become_the_rules_of_their_kind() {
    for (query, expected) in [
        ("PatientID=11235813", vec![(Key::PatientId, equal("11235813"))]),
        ("00100020=%20AB%20", vec![(Key::PatientId, equal("AB"))]),
        ("PatientName=ROSSI*", vec![(Key::PatientName, wildcard("ROSSI*"))]),
        ("PatientName=RO%3FSI%5EM", vec![(Key::PatientName, wildcard("RO?SI^M"))]),
        ("PatientName=*", vec![]),
        ("PatientName=", vec![]),
        ("PatientName=**", vec![]),
        ("ModalitiesInStudy=CT", vec![(Key::ModalitiesInStudy, equal("CT"))]),
        ("ModalitiesInStudy=CT,MR", vec![(Key::ModalitiesInStudy, any_of(&["CT", "MR"]))]),
        ("Modality=CT%5CMR", vec![(Key::Modality, any_of(&["CT", "MR"]))]),
        ("StudyDate=20260102", vec![(Key::StudyDate, equal("20260102"))]),
        ("StudyDate=2026.01.02", vec![(Key::StudyDate, equal("20260102"))]),
        ("StudyDate=202601", vec![(Key::StudyDate, range("202601", "202601"))]),
        ("StudyDate=20260101-20260131", vec![(Key::StudyDate, range("20260101", "20260131"))]),
        ("StudyDate=20260101-", vec![(Key::StudyDate, range("20260101", ""))]),
        ("StudyDate=-20260131", vec![(Key::StudyDate, range("", "20260131"))]),
        ("StudyDate=20260101-20260101", vec![(Key::StudyDate, equal("20260101"))]),
        ("StudyDate=-", vec![]),
        ("StudyTime=10-1030", vec![(Key::StudyTime, range("10", "1030"))]),
        ("StudyTime=10:30:15.25", vec![(Key::StudyTime, range("103015.25", "103015.25"))]),
        ("StudyTime=103015.2", vec![(Key::StudyTime, range("103015.2", "103015.2"))]),
        ("StudyTime=103015.", vec![]),
        ("StudyInstanceUID=1.2,1.3", vec![(Key::StudyInstanceUid, any_of(&["1.2", "1.3"]))]),
        ("0020000d=1.2%5C1.3", vec![(Key::StudyInstanceUid, any_of(&["1.2", "1.3"]))]),
        ("SOPClassUID=1.2", vec![(Key::SopClassUid, any_of(&["1.2"]))]),
        ("SeriesNumber=%2B007", vec![(Key::SeriesNumber, equal("7"))]),
        (
            "RequestAttributesSequence.ScheduledProcedureStepID=S1&00400275.00401001=P*",
            vec![(Key::ScheduledStepId, equal("S1")), (Key::RequestedProcedureId, wildcard("P*"))],
        ),
        ("emptyvaluematching=true&StudyID=%22%22", vec![(Key::StudyId, Rule::Empty)]),
        ("StudyID=%22%22", vec![(Key::StudyId, equal("\"\""))]),
    ] {
        if query.ends_with("015.") {
            assert!(parse(&QueryString::parse(query).unwrap()).is_err());
        } else {
            assert_eq!(matches(query), expected, "{query}");
        }
    }
}

#[test]
fn fuzzy_names_match_by_their_words() {
    let words = vec![(Key::PatientName, wildcard("*jo*")), (Key::PatientName, wildcard("*do*"))];
    assert_eq!(matches("fuzzymatching=true&PatientName=jo+do"), words);
    assert_eq!(matches("PatientName=jo%5Edo&fuzzymatching=true"), words);
    assert_eq!(
        matches("fuzzymatching=true&PatientName=jo*"),
        [(Key::PatientName, wildcard("jo*"))]
    );
    assert_eq!(matches("fuzzymatching=true&PatientID=jo"), [(Key::PatientId, equal("jo"))]);
}

#[test]
fn what_a_viewer_asks_is_understood() {
    let search = read(
        "limit=101&offset=0&fuzzymatching=true&includefield=00081030%2C00080060,00080090,00100030",
    );
    assert_eq!((search.limit, search.offset), (Some(101), 0));
    assert!(search.matches.is_empty() && search.warnings.is_empty());
    assert!(search.fields.wants(0x0008_1030) && search.fields.wants(0x0010_0030));
    let priors = read("00100020=P1&limit=100&orderby=-StudyDate&foo=bar&charset=utf-8");
    assert_eq!(priors.matches, [Match { key: Key::PatientId, rule: equal("P1") }]);
    assert!(priors.fields.wants(0x0010_0020), "what is matched is answered");
}

#[test]
fn paging_is_lenient_about_size_and_strict_about_form() {
    assert_eq!(read("limit=0").limit, Some(0));
    assert_eq!(read("limit=99999999999").limit, Some(u32::MAX));
    assert_eq!(read("offset=7").offset, 7);
    assert_eq!(read("").limit, None);
}

#[test]
fn what_cannot_be_matched_is_said() {
    let search = read("InstitutionName=X&00091001=Y&multiplevaluematching=true");
    assert!(search.matches.is_empty());
    assert_eq!(
        search.warnings,
        [
            "The multiplevaluematching parameter is not supported. Multiple Value Matching has not \
             been performed.",
            "The following attributes are not supported for matching and were ignored: \
             InstitutionName,00091001",
        ]
    );
}

#[test]
fn malformed_values_are_named() {
    for (query, name) in [
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("offset=1.5", "offset"),
        ("fuzzymatching=maybe", "fuzzymatching"),
        ("StudyDate=yesterday", "StudyDate"),
        ("StudyDate=2026-01-02", "StudyDate"),
        ("StudyDate=2026010", "StudyDate"),
        ("StudyTime=1", "StudyTime"),
        ("StudyTime=10.5", "StudyTime"),
        ("00200011=one", "00200011"),
        ("StudyInstanceUID=,", "StudyInstanceUID"),
        ("PatientID=a&00100020=b", "00100020"),
    ] {
        let problem = parse(&QueryString::parse(query).unwrap()).unwrap_err();
        assert_eq!(problem.status, 400, "{query}");
        assert!(problem.detail.contains(name), "{query}: {}", problem.detail);
        assert!(!problem.detail.contains("yesterday"), "values are not echoed");
    }
}

proptest! {
    #[test]
    fn no_query_panics(
        name in "PatientName|StudyDate|StudyTime|StudyInstanceUID|SeriesNumber|Modality|limit|includefield|[0-9A-F.]{1,17}",
        value in ".*",
    ) {
        let query = format!("{name}={}", percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC));
        let _ = parse(&QueryString::parse(&query).unwrap());
    }

    #[test]
    fn ranges_keep_their_bounds(from in "[0-9]{8}", to in "[0-9]{8}") {
        let expected = if from == to { equal(&from) } else { range(&from, &to) };
        prop_assert_eq!(matches(&format!("StudyDate={from}-{to}")), vec![(Key::StudyDate, expected)]);
    }
}
