//! Searches: every key and rule, levels, order, pages.

use lastra::dicom::uid::Uid;
use lastra::index::port::SharedIndex;
use lastra::index::query::Key;
use lastra::index::query::Level;
use lastra::index::query::Match;
use lastra::index::query::Query;
use lastra::index::query::Rule;

use crate::index::Database;
use crate::index::on_both;
use crate::index::population::new;

on_both!(
    every_key_matches_by_every_rule_that_suits_it,
    conditions_on_a_series_must_hold_on_one_series,
    pages_join_to_the_whole_without_repeats,
    answers_carry_counts_and_modalities,
);

fn query(level: Level, matches: Vec<(Key, Rule)>) -> Query {
    let matches = matches.into_iter().map(|(key, rule)| Match { key, rule }).collect();
    Query {
        level,
        study: None,
        series: None,
        patient: None,
        matches,
        order: Vec::new(),
        limit: 1000,
        offset: 0,
    }
}

/// Four studies of two series (CT and MR) of two instances.
async fn filled(database: &Database) -> SharedIndex {
    let index = database.open().await;
    let mut batch = Vec::new();
    for study in 1..=4 {
        for (series, instance) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
            batch.push(new(&format!("P{study}"), study, series, instance, 0));
        }
    }
    let mut blank = new("P9", 9, 1, 1, 0);
    blank.study.accession_number = String::new();
    blank.study.description = "50_x*".to_owned();
    batch.push(blank);
    index.store(&batch, &[], 1).await.unwrap();
    index
}

async fn studies(index: &SharedIndex, matches: Vec<(Key, Rule)>) -> Vec<String> {
    let found = index.find(&query(Level::Study, matches)).await.unwrap();
    let mut uids: Vec<String> = found.iter().map(|found| found.study_uid.to_string()).collect();
    uids.sort();
    uids
}

async fn every_key_matches_by_every_rule_that_suits_it(database: Database) {
    let index = filled(&database).await;
    let equal = |text: &str| Rule::Equal(text.to_owned());
    let wild = |text: &str| Rule::Wildcard(text.to_owned());
    let range = |from: Option<&str>, to: Option<&str>| Rule::Range {
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
    };
    let all = ["1.1", "1.2", "1.3", "1.4", "1.9"];
    for (key, rule, expected) in [
        (Key::PatientId, equal("P2"), vec!["1.2"]),
        (Key::PatientId, wild("P?"), all.to_vec()),
        (Key::PatientId, wild("p2"), vec![]),
        (Key::IssuerOfPatientId, Rule::Empty, all.to_vec()),
        (Key::PatientName, equal("rossi3^ANNA"), vec!["1.3"]),
        (Key::PatientName, wild("ROSSÌ*"), all.to_vec()),
        (Key::PatientName, wild("rossi?^anna"), all.to_vec()),
        (Key::PatientBirthDate, range(Some("1969"), Some("1970")), all.to_vec()),
        (Key::PatientBirthDate, range(None, Some("1969")), vec![]),
        (Key::PatientSex, equal("M"), vec![]),
        (
            Key::StudyInstanceUid,
            Rule::AnyOf(vec!["1.1".to_owned(), "1.4".to_owned()]),
            vec!["1.1", "1.4"],
        ),
        (Key::StudyInstanceUid, Rule::AnyOf(Vec::new()), vec![]),
        (Key::StudyDate, equal("20260203"), vec![]),
        (Key::StudyDate, range(Some("20260203"), Some("20260304")), vec!["1.2"]),
        (Key::StudyDate, range(Some("20260404"), None), vec!["1.3", "1.4", "1.9"]),
        (Key::StudyDate, range(None, Some("202602")), vec!["1.1"]),
        (Key::StudyTime, range(Some("10"), Some("10")), all.to_vec()),
        (Key::AccessionNumber, equal("ACC1"), vec!["1.1"]),
        (Key::AccessionNumber, Rule::Empty, vec!["1.9"]),
        (Key::ReferringPhysicianName, wild("bianchi*"), all.to_vec()),
        (Key::StudyId, wild("S[12]"), vec![]),
        (Key::StudyId, wild("S%"), vec![]),
        (Key::StudyDescription, wild("*100% [2]"), vec!["1.2"]),
        (Key::StudyDescription, wild("50_?*"), vec!["1.9"]),
        (Key::StudyDescription, wild("50?x*"), vec!["1.9"]),
        (Key::ModalitiesInStudy, equal("MR"), vec!["1.1", "1.2", "1.3", "1.4"]),
        (Key::SeriesInstanceUid, Rule::AnyOf(vec!["1.3.2".to_owned()]), vec!["1.3"]),
        (Key::Modality, equal("CT"), all.to_vec()),
        (Key::SeriesNumber, equal("2"), vec!["1.1", "1.2", "1.3", "1.4"]),
        (Key::SeriesDescription, wild("serie ?"), all.to_vec()),
        (Key::BodyPartExamined, equal("CHEST"), all.to_vec()),
        (Key::PerformedDate, range(Some("20260301"), Some("20260301")), all.to_vec()),
        (Key::PerformedTime, range(Some("1016"), None), vec![]),
        (Key::ScheduledStepId, equal("SPS2"), vec!["1.1", "1.2", "1.3", "1.4"]),
        (Key::RequestedProcedureId, equal("RP4"), vec!["1.4"]),
        (Key::SopInstanceUid, Rule::AnyOf(vec!["1.2.1.2".to_owned()]), vec!["1.2"]),
        (Key::SopClassUid, equal("1.2.840.10008.5.1.4.1.1.2"), all.to_vec()),
        (Key::InstanceNumber, equal("2"), vec!["1.1", "1.2", "1.3", "1.4"]),
    ] {
        let found = studies(&index, vec![(key, rule.clone())]).await;
        assert_eq!(found, expected, "{key:?} {rule:?}");
    }
}

async fn conditions_on_a_series_must_hold_on_one_series(database: Database) {
    let index = filled(&database).await;
    let (ct, two) = (Rule::Equal("CT".to_owned()), Rule::Equal("2".to_owned()));
    let both = vec![(Key::Modality, ct.clone()), (Key::SeriesNumber, two.clone())];
    assert!(studies(&index, both).await.is_empty());
    let apart = vec![(Key::ModalitiesInStudy, ct), (Key::SeriesNumber, two)];
    assert_eq!(studies(&index, apart).await.len(), 4);
}

async fn pages_join_to_the_whole_without_repeats(database: Database) {
    let index = filled(&database).await;
    for level in [Level::Study, Level::Series, Level::Instance] {
        let whole = index.find(&query(level, Vec::new())).await.unwrap();
        let mut pages = Vec::new();
        for offset in (0..20).step_by(3) {
            let page = Query { limit: 3, offset, ..query(level, Vec::new()) };
            pages.extend(index.find(&page).await.unwrap());
        }
        assert_eq!(pages, whole, "{level:?}");
        let count = index.count(&query(level, Vec::new()), 1000).await.unwrap();
        assert_eq!(count as usize, whole.len());
        assert_eq!(index.count(&query(level, Vec::new()), 2).await.unwrap(), 2);
    }
    let newest: Vec<String> = index
        .find(&query(Level::Study, Vec::new()))
        .await
        .unwrap()
        .iter()
        .map(|found| found.study_uid.to_string())
        .collect();
    assert_eq!(newest, ["1.9", "1.4", "1.3", "1.2", "1.1"]);
}

async fn answers_carry_counts_and_modalities(database: Database) {
    let index = filled(&database).await;
    let study = Some(Uid::parse("1.2").unwrap());
    let series = Some(Uid::parse("1.2.2").unwrap());
    let query = Query { study, series, ..query(Level::Instance, Vec::new()) };
    let found = index.find(&query).await.unwrap();
    assert_eq!(found.len(), 2);
    let first = &found[0];
    assert_eq!(first.modalities, ["CT", "MR"]);
    assert_eq!((first.study_series, first.study_instances), (2, 4));
    assert_eq!(first.patient_id.value, "P2");
    assert_eq!(first.series.as_ref().unwrap().instances, 2);
    assert_eq!(first.instance.as_ref().unwrap().uid.as_str(), "1.2.2.1");
}
