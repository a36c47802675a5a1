//! Searches: every key with every rule, levels, order, pages, counts.

use lastra::dicom::date::begin_us;
use lastra::dicom::extended::Owner;
use lastra::index::port::Extension;
use lastra::index::port::Index;
use lastra::index::query::ExtendedKey;
use lastra::index::query::Instants;
use lastra::index::query::Key;
use lastra::index::query::Level;
use lastra::index::query::Match;
use lastra::index::query::Moment;
use lastra::index::query::Query;
use lastra::index::query::Rule;
use lastra::index::query::Span;
use lastra::model::study::ExtendedFact;
use lastra::model::study::NewInstance;
use lastra::model::study::RequestFacts;

use super::objects::Kept;
use super::objects::object;
use super::objects::patient;
use super::objects::store;
use super::objects::uid;
use super::objects::with;
use super::outcomes::everything;

crate::index::on_every_index! {
    every_key_matches_by_every_rule,
    names_match_whatever_their_case_and_accents,
    patterns_take_nothing_for_more_than_it_is,
    ranges_include_their_bounds_and_what_begins_with_them,
    conditions_below_hold_on_one_row_together,
    studies_come_newest_first_and_pages_fit_together,
    lists_of_a_modality_come_newest_first_too,
    answers_carry_counts_and_what_was_said,
    scopes_of_a_query_narrow_it,
    a_time_zone_compares_instants_where_they_are_known,
    declared_attributes_match_and_the_first_object_speaks,
}

fn query(level: Level, matches: Vec<(Key, Rule)>) -> Query {
    let matches = matches.into_iter().map(|(key, rule)| Match { key, rule }).collect();
    Query { matches, ..everything(level) }
}

fn equal(text: &str) -> Rule {
    Rule::Equal(text.to_owned())
}

fn like(text: &str) -> Rule {
    Rule::Wildcard(text.to_owned())
}

fn range(from: Option<&str>, to: Option<&str>) -> Rule {
    Rule::Range { from: from.map(str::to_owned), to: to.map(str::to_owned) }
}

/// The study UIDs a study level search gives; the count must agree.
async fn studies(index: &dyn Index, matches: Vec<(Key, Rule)>) -> Vec<String> {
    let query = query(Level::Study, matches);
    let found = index.find(&query).await.unwrap();
    let counted = index.count(&query, 1000).await.unwrap();
    assert_eq!(counted as usize, found.len(), "{query:?}");
    found.into_iter().map(|found| found.study_uid.as_str().to_owned()).collect()
}

/// All of them.
pub(super) const KEYS: [Key; 25] = [
    Key::PatientId,
    Key::IssuerOfPatientId,
    Key::PatientName,
    Key::PatientBirthDate,
    Key::PatientSex,
    Key::StudyInstanceUid,
    Key::StudyDate,
    Key::StudyTime,
    Key::AccessionNumber,
    Key::ReferringPhysicianName,
    Key::StudyId,
    Key::StudyDescription,
    Key::ModalitiesInStudy,
    Key::SeriesInstanceUid,
    Key::Modality,
    Key::SeriesNumber,
    Key::SeriesDescription,
    Key::BodyPartExamined,
    Key::PerformedDate,
    Key::PerformedTime,
    Key::ScheduledStepId,
    Key::RequestedProcedureId,
    Key::SopInstanceUid,
    Key::SopClassUid,
    Key::InstanceNumber,
];

/// Sets the attribute of a key.
fn set(o: &mut NewInstance, key: Key, value: &str) {
    let text = value.to_owned();
    if o.series.requests.is_empty() {
        o.series.requests.push(RequestFacts::default());
    }
    match key {
        Key::PatientId => o.patient.id.value = text,
        Key::IssuerOfPatientId => o.patient.id.issuer = text,
        Key::PatientName => o.patient.name = text,
        Key::PatientBirthDate => o.patient.birth_date = text,
        Key::PatientSex => o.patient.sex = text,
        Key::StudyInstanceUid => o.study.uid = uid(value),
        Key::StudyDate => o.study.date = text,
        Key::StudyTime => o.study.time = text,
        Key::AccessionNumber => o.study.accession_number = text,
        Key::ReferringPhysicianName => o.study.referring_physician = text,
        Key::StudyId => o.study.id = text,
        Key::StudyDescription => o.study.description = text,
        Key::ModalitiesInStudy | Key::Modality => o.series.modality = text,
        Key::SeriesInstanceUid => o.series.uid = uid(value),
        Key::SeriesNumber => o.series.number = text,
        Key::SeriesDescription => o.series.description = text,
        Key::BodyPartExamined => o.series.body_part = text,
        Key::PerformedDate => o.series.performed_date = text,
        Key::PerformedTime => o.series.performed_time = text,
        Key::ScheduledStepId => o.series.requests[0].scheduled_step_id = text,
        Key::RequestedProcedureId => o.series.requests[0].procedure_id = text,
        Key::SopInstanceUid => o.instance.uid = uid(value),
        Key::SopClassUid => o.instance.sop_class = uid(value),
        Key::InstanceNumber => o.instance.number = text,
        Key::Extended(_) => panic!("not among KEYS"),
    }
}

async fn every_key_matches_by_every_rule(kept: &Kept) {
    let index = &*kept.index;
    // For each key a study with one value of it, and one whose value is empty where it may be.
    let cannot_be_empty = |key: Key| {
        matches!(
            key,
            Key::StudyInstanceUid | Key::SeriesInstanceUid | Key::SopInstanceUid | Key::SopClassUid
        )
    };
    let mut all = Vec::new();
    for (number, key) in KEYS.into_iter().enumerate() {
        let study = format!("2.{number}");
        let base = |end: &str| {
            let study = format!("{study}.{end}");
            with(object(&study, &format!("{study}.1"), &format!("{study}.1.1")), |o| {
                o.patient.id = patient("HOSPITAL", &study);
            })
        };
        all.push(with(base("1"), |o| set(o, key, &format!("VALUE{number}X"))));
        if !cannot_be_empty(key) {
            all.push(with(base("2"), |o| set(o, key, "")));
        }
    }
    store(index, &all).await;
    for (number, key) in KEYS.into_iter().enumerate() {
        let value = format!("VALUE{number}X");
        let wanted = match key {
            Key::StudyInstanceUid => value.clone(),
            _ => format!("2.{number}.1"),
        };
        let wanted = [wanted.as_str()];
        let below = format!("VALUE{number}");
        for rule in [
            equal(&value),
            like(&format!("VALUE{number}?")),
            like(&format!("VALUE{number}X*")),
            like(&format!("*E{number}X")),
            like(&format!("V?LUE{number}X*")),
            Rule::AnyOf(vec![value.clone()]),
            Rule::AnyOf(vec!["nothing".to_owned(), value.clone()]),
            range(Some(&value), Some(&value)),
            range(Some(&format!("{below}W")), Some(&format!("{below}Y"))),
        ] {
            assert_eq!(studies(index, vec![(key, rule.clone())]).await, wanted, "{key:?} {rule:?}");
        }
        for rule in [
            equal(&below),
            equal(&format!("{value} ")),
            like(&format!("?{value}")),
            Rule::AnyOf(Vec::new()),
            Rule::AnyOf(vec!["nothing".to_owned()]),
            range(Some(&format!("{value}A")), Some(&format!("{value}B"))),
        ] {
            let found = studies(index, vec![(key, rule.clone())]).await;
            // A folded name has no spaces at its edges.
            let is_name = matches!(key, Key::PatientName | Key::ReferringPhysicianName);
            if is_name && rule == equal(&format!("{value} ")) {
                assert_eq!(found, wanted);
            } else {
                assert!(found.is_empty(), "{key:?} {rule:?}: {found:?}");
            }
        }
        let everything = studies(index, vec![(key, like("*"))]).await;
        assert_eq!(everything.len(), all.len(), "{key:?}");
        let empty = studies(index, vec![(key, Rule::Empty)]).await;
        if cannot_be_empty(key) {
            assert!(empty.is_empty(), "{key:?}");
        } else {
            assert!(empty.contains(&format!("2.{number}.2")), "{key:?}: {empty:?}");
            assert!(!empty.contains(&format!("2.{number}.1")), "{key:?}: {empty:?}");
        }
    }
}

async fn names_match_whatever_their_case_and_accents(kept: &Kept) {
    let index = &*kept.index;
    let named = with(object("1.1", "1.1.1", "1.1.1.1"), |o| {
        o.patient.name = "Müller-Lüdenscheidt^Børge".to_owned();
        o.study.referring_physician = "D'Alò^Niccolò".to_owned();
        o.study.description = "Müller".to_owned();
    });
    store(index, &[named]).await;
    for (key, rule, matches) in [
        (Key::PatientName, equal("MULLER-LUDENSCHEIDT^BORGE"), true),
        (Key::PatientName, like("muller*"), true),
        (Key::PatientName, like("*^børge"), true),
        (Key::PatientName, like("MÜLLER*B?RGE"), true),
        (Key::PatientName, like("muler*"), false),
        (Key::ReferringPhysicianName, like("d'alo*"), true),
        (Key::ReferringPhysicianName, equal("d'alo"), false),
        (Key::StudyDescription, like("müller*"), false),
        (Key::StudyDescription, like("Müll*"), true),
    ] {
        let found = studies(index, vec![(key, rule.clone())]).await;
        assert_eq!(!found.is_empty(), matches, "{key:?} {rule:?}");
    }
}

async fn patterns_take_nothing_for_more_than_it_is(kept: &Kept) {
    let index = &*kept.index;
    let values = ["100%", "100", "A_B", "AXB", "A[1]", "A1", "a1", "A\\", "A]", "山田太郎", "A*"];
    for (number, value) in values.iter().enumerate() {
        let study = format!("1.{number}");
        let new = object(&study, &format!("{study}.1"), &format!("{study}.1.1"));
        store(index, &[with(new, |o| o.study.id = (*value).to_owned())]).await;
    }
    for (pattern, expected) in [
        ("100%*", vec!["100%"]),
        ("?00%", vec!["100%"]),
        ("1?0*", vec!["100%", "100"]),
        ("A_*", vec!["A_B"]),
        ("?_?", vec!["A_B"]),
        ("A?B", vec!["A_B", "AXB"]),
        ("A[*", vec!["A[1]"]),
        ("?[1]", vec!["A[1]"]),
        ("*]", vec!["A[1]", "A]"]),
        ("A?", vec!["A1", "A\\", "A]", "A*"]),
        ("?1", vec!["A1", "a1"]),
        ("*\\", vec!["A\\"]),
        ("?\\", vec!["A\\"]),
        ("山?太*", vec!["山田太郎"]),
        ("????", vec!["100%", "A[1]", "山田太郎"]),
        ("**", values.to_vec()),
    ] {
        let mut found = studies(index, vec![(Key::StudyId, like(pattern))]).await;
        let mut expected: Vec<String> = expected
            .iter()
            .map(|value| format!("1.{}", values.iter().position(|v| v == value).unwrap()))
            .collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{pattern}");
    }
}

async fn ranges_include_their_bounds_and_what_begins_with_them(kept: &Kept) {
    let index = &*kept.index;
    for (number, date) in
        ["", "2025", "20251231", "20260101", "20260131", "20260201"].iter().enumerate()
    {
        let study = format!("1.{number}");
        let new = object(&study, &format!("{study}.1"), &format!("{study}.1.1"));
        store(index, &[with(new, |o| o.study.date = (*date).to_owned())]).await;
    }
    for (from, to, expected) in [
        (Some("20260101"), Some("20260131"), vec!["1.4", "1.3"]),
        (Some("20251231"), None, vec!["1.5", "1.4", "1.3", "1.2"]),
        (None, Some("20251231"), vec!["1.2", "1.1"]),
        (Some("202601"), Some("202601"), vec!["1.4", "1.3"]),
        (None, Some("2025"), vec!["1.2", "1.1"]),
        (Some("20260102"), Some("20260130"), vec![]),
        (Some("2027"), Some("2026"), vec![]),
        (None, None, vec!["1.5", "1.4", "1.3", "1.2", "1.1"]),
    ] {
        let found = studies(index, vec![(Key::StudyDate, range(from, to))]).await;
        assert_eq!(found, expected, "{from:?} {to:?}");
    }
}

async fn conditions_below_hold_on_one_row_together(kept: &Kept) {
    let index = &*kept.index;
    let of = |study: &str, series: &str, modality: &str, part: &str, class: &str, number: &str| {
        let series = format!("{study}.{series}");
        with(object(study, &series, &format!("{series}.{number}")), |o| {
            o.series.modality = modality.to_owned();
            o.series.body_part = part.to_owned();
            o.instance.sop_class = uid(class);
            o.instance.number = number.to_owned();
        })
    };
    store(
        index,
        &[
            of("1.1", "1", "CT", "HEAD", "9.1", "1"),
            of("1.1", "1", "CT", "HEAD", "9.2", "2"),
            of("1.1", "2", "MR", "CHEST", "9.1", "2"),
        ],
    )
    .await;
    let ct = (Key::Modality, equal("CT"));
    let mr = (Key::ModalitiesInStudy, equal("MR"));
    let chest = (Key::BodyPartExamined, equal("CHEST"));
    let head = (Key::BodyPartExamined, equal("HEAD"));
    let class = |class: &str| (Key::SopClassUid, equal(class));
    let number = |number: &str| (Key::InstanceNumber, equal(number));
    for (matches, expected) in [
        (vec![ct.clone(), head.clone()], [1, 1, 2]),
        // One series is CT, another is of the chest: no series is both.
        (vec![ct.clone(), chest.clone()], [0, 0, 0]),
        // …but the study of a CT series may have MR too.
        (vec![ct.clone(), mr.clone()], [1, 1, 2]),
        (vec![mr.clone()], [1, 2, 3]),
        (vec![class("9.2"), number("2")], [1, 1, 1]),
        (vec![class("9.2"), number("1")], [0, 0, 0]),
        (vec![ct.clone(), class("9.1"), number("2")], [0, 0, 0]),
        (vec![class("9.1")], [1, 2, 2]),
    ] {
        for (level, expected) in [Level::Study, Level::Series, Level::Instance].iter().zip(expected)
        {
            let query = query(*level, matches.clone());
            assert_eq!(index.find(&query).await.unwrap().len(), expected, "{query:?}");
            assert_eq!(index.count(&query, 10).await.unwrap() as usize, expected);
        }
    }
}

async fn studies_come_newest_first_and_pages_fit_together(kept: &Kept) {
    let index = &*kept.index;
    let mut expected = Vec::new();
    for number in 0..30 {
        let study = format!("1.{number}");
        let (date, time) =
            (format!("202601{:02}", number % 4 + 1), format!("{:02}0000", number % 3));
        expected.push((date.clone(), time.clone(), number));
        let new = object(&study, &format!("{study}.1"), &format!("{study}.1.1"));
        store(index, &[with(new, |o| (o.study.date, o.study.time) = (date, time))]).await;
    }
    expected.sort_by(|one, other| other.cmp(one));
    let expected: Vec<String> = expected.iter().map(|(.., number)| format!("1.{number}")).collect();
    for matches in
        [vec![], vec![(Key::Modality, equal("CT"))], vec![(Key::PatientName, like("R*"))]]
    {
        for size in [1, 7, 30, 31] {
            let mut all = Vec::new();
            for offset in (0..40).step_by(size) {
                let page = Query {
                    limit: u32::try_from(size).unwrap(),
                    offset,
                    ..query(Level::Study, matches.clone())
                };
                let page = index.find(&page).await.unwrap();
                all.extend(page.into_iter().map(|found| found.study_uid.as_str().to_owned()));
            }
            assert_eq!(all, expected, "pages of {size}");
        }
        let all = query(Level::Study, matches);
        assert_eq!(index.count(&all, 12).await.unwrap(), 12);
        assert_eq!(index.count(&all, 1000).await.unwrap(), 30);
    }
}

async fn lists_of_a_modality_come_newest_first_too(kept: &Kept) {
    let index = &*kept.index;
    for (number, (modalities, date)) in
        [("CT", "20260101"), ("CT MR", "20260103"), ("MR", "20260102"), ("CT", "20260104")]
            .iter()
            .enumerate()
    {
        for modality in modalities.split(' ') {
            let study = format!("1.{number}");
            let series = format!("{study}.{modality}");
            let new = object(&study, &series, &format!("{series}.1"));
            store(
                index,
                &[with(new, |o| {
                    o.study.date = (*date).to_owned();
                    o.series.modality = modality.to_owned();
                })],
            )
            .await;
        }
    }
    let any = |of: &[&str]| Rule::AnyOf(of.iter().map(|&text| text.to_owned()).collect());
    let since = (Key::StudyDate, range(Some("20260102"), None));
    for (matches, expected) in [
        (vec![(Key::ModalitiesInStudy, equal("CT"))], vec!["1.3", "1.1", "1.0"]),
        (vec![(Key::ModalitiesInStudy, equal("MR")), since.clone()], vec!["1.1", "1.2"]),
        (vec![(Key::Modality, any(&["MR"])), since.clone()], vec!["1.1", "1.2"]),
        (vec![(Key::ModalitiesInStudy, any(&["CT", "MR"])), since], vec!["1.3", "1.1", "1.2"]),
        (
            vec![(Key::ModalitiesInStudy, equal("CT")), (Key::ModalitiesInStudy, equal("MR"))],
            vec!["1.1"],
        ),
        (vec![(Key::ModalitiesInStudy, equal("US"))], vec![]),
    ] {
        assert_eq!(studies(index, matches.clone()).await, expected, "{matches:?}");
    }
}

async fn answers_carry_counts_and_what_was_said(kept: &Kept) {
    let index = &*kept.index;
    let one = object("1.1", "1.1.1", "1.1.1.1");
    let two = with(object("1.1", "1.1.2", "1.1.2.1"), |o| {
        o.series.number = "2".to_owned();
        o.series.modality = "A,B".to_owned();
    });
    let three = with(object("1.1", "1.1.2", "1.1.2.2"), |o| o.instance.number = "2".to_owned());
    store(index, &[one, two.clone(), three.clone()]).await;
    let found = index.find(&everything(Level::Instance)).await.unwrap();
    assert_eq!(found.len(), 3);
    let last = &found[2];
    assert_eq!(last.patient, two.patient.attributes);
    assert_eq!(last.patient_id, patient("", "P1"));
    assert_eq!(
        (last.study.as_str(), &last.study_uid),
        (two.study.attributes.as_str(), &uid("1.1"))
    );
    assert_eq!(last.modalities, ["A,B", "CT"]);
    assert_eq!((last.study_series, last.study_instances), (2, 3));
    let series = last.series.as_ref().unwrap();
    assert_eq!((series.attributes.as_str(), series.instances), (two.series.attributes.as_str(), 2));
    assert_eq!(series.uid, uid("1.1.2"));
    let instance = last.instance.as_ref().unwrap();
    assert_eq!(instance.attributes, three.instance.attributes);
    assert_eq!(
        (&instance.uid, instance.transfer_syntax.as_str()),
        (&uid("1.1.2.2"), "1.2.840.10008.1.2.1")
    );

    let studies = index.find(&everything(Level::Study)).await.unwrap();
    assert_eq!(studies.len(), 1);
    assert!(studies[0].series.is_none() && studies[0].instance.is_none());
    let series = index.find(&everything(Level::Series)).await.unwrap();
    assert_eq!(series.len(), 2);
    assert!(series.iter().all(|found| found.series.is_some() && found.instance.is_none()));
}

async fn a_time_zone_compares_instants_where_they_are_known(kept: &Kept) {
    let index = &*kept.index;
    for (number, (date, time, zone)) in [
        ("20260103", "233000", "+0100"), // 22:30 UTC
        ("20260104", "073000", "+0900"), // 22:30 UTC on the 3rd
        ("20260103", "223000", ""),
        ("20260104", "", "+0100"),
        ("20260104", "000000", "junk"),
    ]
    .iter()
    .enumerate()
    {
        let study = format!("1.{number}");
        let new = object(&study, &format!("{study}.1"), &format!("{study}.1.1"));
        let new = with(new, |o| {
            (o.study.date, o.study.time) = ((*date).to_owned(), (*time).to_owned());
            (o.series.performed_date, o.series.performed_time) =
                ((*date).to_owned(), (*time).to_owned());
            o.instance.timezone = (*zone).to_owned();
        });
        store(index, &[new]).await;
    }
    let day = |date: &str| Some(Moment { date: date.to_owned(), time: String::new() });
    let hour_us = 3_600_000_000;
    let third = begin_us("20260103", "", 0).unwrap();
    for (from_us, before_us, date, expected) in [
        // The 3rd in UTC.
        (Some(third), Some(third + 24 * hour_us), "20260103", vec!["1.0", "1.1", "1.2"]),
        // The 4th, two hours east.
        (
            Some(third + 22 * hour_us),
            Some(third + 46 * hour_us),
            "20260104",
            vec!["1.0", "1.1", "1.3", "1.4"],
        ),
        (Some(third + 23 * hour_us), None, "20260104", vec!["1.3", "1.4"]),
    ] {
        let to = if before_us.is_some() { day(date) } else { None };
        let span = Span { from: day(date), to, instants: Some(Instants { from_us, before_us }) };
        for key in [Key::StudyDate, Key::PerformedDate] {
            let mut found = studies(index, vec![(key, Rule::Span(span.clone()))]).await;
            found.sort();
            assert_eq!(found, expected, "{key:?} {date}");
        }
    }
}

async fn declared_attributes_match_and_the_first_object_speaks(kept: &Kept) {
    let index = &*kept.index;
    let fact = |name: &str, owner, value: &str| ExtendedFact {
        name: name.to_owned(),
        owner,
        value: value.to_owned(),
    };
    let new = |instance: &str, ward: &str, coil: &[&str]| {
        let uid = format!("1.1.1.{instance}");
        with(object("1.1", "1.1.1", &uid), |o| {
            o.extended.push(fact("WARD", Owner::Study, ward));
            o.extended.extend(coil.iter().map(|coil| fact("COIL", Owner::Instance, coil)));
        })
    };
    store(index, &[new("1", "A", &["HEAD", "NECK"])]).await;
    store(index, &[new("2", "B", &[])]).await;
    let ward = Key::Extended(ExtendedKey { name: "WARD", owner: Owner::Study, is_name: false });
    let coil = Key::Extended(ExtendedKey { name: "COIL", owner: Owner::Instance, is_name: true });
    for (key, rule, expected) in [
        (ward, equal("A"), 2),
        (ward, equal("B"), 0),
        (ward, like("?"), 2),
        (ward, like("*"), 2),
        (ward, Rule::Empty, 0),
        (coil, equal("NECK"), 1),
        (coil, like("h*"), 1),
        (coil, Rule::Empty, 1),
        (coil, Rule::Any(vec![equal("x"), equal("head")]), 1),
        (coil, range(Some("I"), None), 1),
    ] {
        let query = query(Level::Instance, vec![(key, rule.clone())]);
        assert_eq!(index.find(&query).await.unwrap().len(), expected, "{key:?} {rule:?}");
    }
    // Of what was kept before it was declared.
    let copies = index.copies(0, 9).await.unwrap();
    let later = Extension {
        copy: copies[1].id,
        facts: vec![fact("LATE", Owner::Instance, "X")],
        attributes: [r#"{"p":1}"#, r#"{"st":1}"#, r#"{"se":1}"#, r#"{"i":1}"#].map(str::to_owned),
    };
    for _ in 0..2 {
        index.extend(std::slice::from_ref(&later)).await.unwrap();
    }
    let late = Key::Extended(ExtendedKey { name: "LATE", owner: Owner::Instance, is_name: false });
    let found = index.find(&query(Level::Instance, vec![(late, equal("X"))])).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].instance.as_ref().unwrap().attributes, r#"{"i":1}"#);
    assert!(found[0].study.contains("0020000D"), "the first object speaks for its study");
}

async fn scopes_of_a_query_narrow_it(kept: &Kept) {
    let index = &*kept.index;
    let mine = object("1.1", "1.1.1", "1.1.1.1");
    let theirs = with(object("1.1", "1.1.1", "1.1.1.2"), |o| o.patient.id = patient("", "P2"));
    store(index, &[mine, theirs, object("1.1", "1.1.2", "1.1.2.1"), object("1.2", "1.2.1", "1")])
        .await;
    let (study, series) = (Some(uid("1.1")), Some(uid("1.1.1")));
    let mine = Some(patient("", "P1"));
    for (study, series, patient, expected) in [
        (None, None, None, [3, 4, 4]),
        (study.clone(), None, None, [2, 3, 3]),
        (study.clone(), None, mine.clone(), [1, 2, 2]),
        (study.clone(), series.clone(), None, [2, 2, 2]),
        (study, series.clone(), mine.clone(), [1, 1, 1]),
        (Some(uid("1.2")), series.clone(), None, [0, 0, 0]),
        (None, series, mine, [1, 1, 1]),
    ] {
        for (level, expected) in [Level::Study, Level::Series, Level::Instance].iter().zip(expected)
        {
            let query = Query {
                study: study.clone(),
                series: series.clone(),
                patient: patient.clone(),
                ..everything(*level)
            };
            assert_eq!(index.find(&query).await.unwrap().len(), expected, "{query:?}");
        }
    }
}
