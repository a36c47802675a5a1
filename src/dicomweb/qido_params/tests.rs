//! Search parameters as clients send them.

use proptest::prelude::*;

use super::{Search, parse};
use crate::http::query_string::QueryString;
use crate::index::query::{Instants, Key, Match, Moment, OrderBy, Rule, Span, Spellings};

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
fn names_match_whole_or_by_component_group() {
    for (query, expected) in [
        ("PatientName=ROSSI*", wildcard("ROSSI*")),
        ("PatientName=A%3DB", equal("A=B")),
        ("PatientName=RO%3FSI%5EM", Rule::Any(vec![wildcard("RO?SI^M"), wildcard("RO?SI^M=*")])),
        ("PatientName=Rossi", Rule::Any(vec![equal("Rossi"), wildcard("Rossi=*")])),
        (
            "PatientName=%E5%B1%B1",
            Rule::Any(vec![equal("山"), wildcard("山=*"), wildcard("*=山"), wildcard("*=山=*")]),
        ),
    ] {
        assert_eq!(matches(query), [(Key::PatientName, expected)], "{query}");
    }
}

#[test]
fn fuzzy_names_match_by_their_words() {
    let word = |any: &[&str], anywhere| Spellings {
        any: any.iter().map(|&text| text.to_owned()).collect(),
        anywhere,
    };
    let pair = |anywhere| vec![word(&["jo", "jodo"], anywhere), word(&["do", "jodo"], false)];
    let three = vec![
        word(&["d", "dalo"], false),
        word(&["alo", "aloX", "dalo"], false),
        word(&["X", "aloX"], false),
    ];
    for (value, expected) in [
        ("jo+do", vec![Rule::Fuzzy(pair(false))]),
        ("jo%5Edo", vec![Rule::Fuzzy(pair(false))]),
        ("do%2C", vec![Rule::Fuzzy(vec![word(&["do"], false)])]),
        ("jo*", vec![Rule::Fuzzy(vec![word(&["jo"], false)])]),
        ("*jo+do*", vec![Rule::Fuzzy(pair(true))]),
        ("d'alo+X", vec![Rule::Fuzzy(three)]),
        ("j%3Fo*", vec![wildcard("*j?o*")]),
        ("*", vec![]),
        ("%5E%5E", vec![]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|rule| (Key::PatientName, rule)).collect();
        assert_eq!(
            matches(&format!("fuzzymatching=true&PatientName={value}")),
            expected,
            "{value}"
        );
    }
    assert_eq!(matches("fuzzymatching=true&PatientID=jo"), [(Key::PatientId, equal("jo"))]);
}

#[test]
fn one_of_several_values_is_enough_where_asked() {
    let any = |rules: Vec<Rule>| Rule::Any(rules);
    for (query, expected) in [
        ("PatientID=A%5CB*", vec![(Key::PatientId, any(vec![equal("A"), wildcard("B*")]))]),
        ("AccessionNumber=A%5C*", vec![]),
        ("SeriesNumber=1%5C%2B2", vec![(Key::SeriesNumber, any(vec![equal("1"), equal("2")]))]),
        (
            "StudyDate=20260101%5C202602-",
            vec![(Key::StudyDate, any(vec![equal("20260101"), range("202602", "")]))],
        ),
        (
            "emptyvaluematching=true&StudyID=%22%22%5C1",
            vec![(Key::StudyId, any(vec![Rule::Empty, equal("1")]))],
        ),
    ] {
        assert_eq!(matches(&format!("multiplevaluematching=true&{query}")), expected, "{query}");
    }
    assert_eq!(matches("PatientID=A%5CB"), [(Key::PatientId, equal("A\\B"))]);
}

#[test]
fn a_date_range_and_a_time_range_are_one_span() {
    let moment = |date: &str, time: &str| Some(Moment { date: date.into(), time: time.into() });
    let span = |from, to| Rule::Span(Span { from, to, instants: None });
    for (query, expected) in [
        (
            "StudyDate=20260101-20260103&StudyTime=10-1830",
            vec![(Key::StudyDate, span(moment("20260101", "10"), moment("20260103", "1830")))],
        ),
        (
            "StudyTime=10-&StudyDate=20260101-",
            vec![(Key::StudyDate, span(moment("20260101", "10"), None))],
        ),
        (
            "PerformedProcedureStepStartDate=-20260103&PerformedProcedureStepStartTime=-12",
            vec![(Key::PerformedDate, span(None, moment("20260103", "12")))],
        ),
        // One day, or one time of each of many: each by itself.
        (
            "StudyDate=20260101&StudyTime=10-12",
            vec![(Key::StudyDate, equal("20260101")), (Key::StudyTime, range("10", "12"))],
        ),
        (
            "StudyDate=20260101-20260103&StudyTime=10",
            vec![
                (Key::StudyDate, range("20260101", "20260103")),
                (Key::StudyTime, range("10", "10")),
            ],
        ),
        ("StudyDate=*&StudyTime=10-12", vec![(Key::StudyTime, range("10", "12"))]),
    ] {
        assert_eq!(matches(query), expected, "{query}");
    }
}

#[test]
fn the_time_zone_of_a_request_makes_instants_of_its_dates() {
    let search = read("TimezoneOffsetFromUTC=%2B0100&StudyDate=20260102");
    let day = Some(Moment { date: "20260102".into(), time: String::new() });
    let instants = Some(Instants {
        from_us: Some(1_767_308_400_000_000),
        before_us: Some(1_767_394_800_000_000),
    });
    let rule = Rule::Span(Span { from: day.clone(), to: day, instants });
    assert_eq!(search.matches, [Match { key: Key::StudyDate, rule }]);
    assert!(search.warnings.is_empty());
    let alone = read("00080201=-0500&StudyTime=10-11");
    assert_eq!(alone.matches, [Match { key: Key::StudyTime, rule: range("10", "11") }]);
    assert_eq!(alone.warnings.len(), 1);
}

#[test]
fn answers_are_sorted_as_asked() {
    let by = |key, descending| OrderBy { key, descending };
    for (query, expected) in [
        (
            "orderby=-StudyDate,PatientName",
            vec![by(Key::StudyDate, true), by(Key::PatientName, false)],
        ),
        (
            "orderby=%2B00100020&orderby=-00200013",
            vec![by(Key::PatientId, false), by(Key::InstanceNumber, true)],
        ),
        ("orderby=StudyID,-StudyID", vec![by(Key::StudyId, false)]),
        ("orderby=", vec![]),
    ] {
        assert_eq!(read(query).order, expected, "{query}");
    }
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
    let search = read("InstitutionName=X&00091001=Y");
    assert!(search.matches.is_empty());
    assert_eq!(
        search.warnings,
        ["The following attributes are not supported for matching and were ignored: \
             InstitutionName,00091001",]
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
        ("PatientID=a%00b", "PatientID"),
        ("PatientID=a%0Ab", "PatientID"),
        ("orderby=ModalitiesInStudy", "orderby"),
        ("orderby=x", "orderby"),
        ("offset=1000001", "offset"),
        ("TimezoneOffsetFromUTC=CET", "TimezoneOffsetFromUTC"),
        ("00080201=%2B0100&TimezoneOffsetFromUTC=%2B0100", "TimezoneOffsetFromUTC"),
        ("fuzzymatching=true&PatientName=a+b+c+d+e+f+g+h+i", "PatientName"),
        ("multiplevaluematching=true&StudyID=a%5Cb%5Cc%5Cd%5Ce%5Cf%5Cg%5Ch%5Ci", "StudyID"),
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
        name in "PatientName|StudyDate|StudyTime|StudyInstanceUID|SeriesNumber|Modality|limit|includefield|orderby|TimezoneOffsetFromUTC|[0-9A-F.]{1,17}",
        value in ".*|[0-9.:-]{0,20}|[*?^ a]{0,20}",
        switches in "&?(fuzzymatching=true)?(&multiplevaluematching=true)?&StudyDate=20260101-20260301&00080201=-0100",
    ) {
        let query = format!("{switches}&{name}={}", percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC));
        let _ = parse(&QueryString::parse(&query).unwrap());
    }

    #[test]
    fn ranges_keep_their_bounds(from in "[0-9]{8}", to in "[0-9]{8}") {
        let expected = if from == to { equal(&from) } else { range(&from, &to) };
        prop_assert_eq!(matches(&format!("StudyDate={from}-{to}")), vec![(Key::StudyDate, expected)]);
    }
}
