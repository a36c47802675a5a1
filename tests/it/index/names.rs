//! Names by ear when many have them: the answer is the same however it is found.

use lastra::index::query::{Key, Level, Match, Query, Rule, Spellings};
use lastra::model::study::NewInstance;

use crate::index::Database;
use crate::index::objects::{object, patient, with};
use crate::index::on_both;
use crate::index::outcomes::everything;

on_both!(a_common_name_is_found_newest_first_page_by_page);

/// Patients with the common name: more than are looked up one by one.
const MANY: u32 = 1700;

/// Words, other conditions, and whom they mean.
type Case<'a> = (&'a [&'a str], Vec<Match>, &'a dyn Fn(u32) -> bool);

fn named(number: u32, name: &str) -> NewInstance {
    let study = format!("1.2.{number}");
    with(object(&study, &format!("{study}.1"), &format!("{study}.1.1")), |o| {
        o.patient.id = patient("", &format!("P{number}"));
        o.patient.name = name.to_owned();
        o.study.date = format!("2026{:02}{:02}", number % 12 + 1, number % 28 + 1);
        o.series.modality = if number.is_multiple_of(2) { "CT" } else { "MR" }.to_owned();
    })
}

fn by_ear(words: &[&str]) -> Match {
    let word = |word: &&str| Spellings { any: vec![(*word).to_owned()], anywhere: false };
    Match { key: Key::PatientName, rule: Rule::Fuzzy(words.iter().map(word).collect()) }
}

async fn a_common_name_is_found_newest_first_page_by_page(database: Database) {
    let index = database.open().await;
    // Every third is a Rossi, one a Quattrocchi; nobody is both Bruno and a Rossi.
    let name = |number: u32| match number {
        5 => "QUATTROCCHI^MARIA".to_owned(),
        number if number >= MANY => format!("BIANCHI^BRUNO{number}"),
        number if number.is_multiple_of(3) => "ROSSI^MARIA".to_owned(),
        _ => "FONTANA^MARIA".to_owned(),
    };
    let all: Vec<NewInstance> = (0..MANY + 60).map(|number| named(number, &name(number))).collect();
    for batch in all.chunks(100) {
        index.store(batch, &[], 1).await.unwrap();
    }
    let query = |words: &[&str], more: Vec<Match>| {
        let mut matches = vec![by_ear(words)];
        matches.extend(more);
        Query { matches, limit: 100, ..everything(Level::Study) }
    };
    let found = async |query: &Query| -> Vec<String> {
        let found = index.find(query).await.unwrap();
        found.iter().map(|found| found.study_uid.to_string()).collect()
    };
    let expected = |is: &dyn Fn(u32) -> bool| -> Vec<String> {
        let mut wanted: Vec<&NewInstance> =
            (0..MANY + 60).filter(|n| is(*n)).map(|n| &all[n as usize]).collect();
        // Of one day the one entered last comes first.
        wanted.reverse();
        wanted.sort_by(|one, other| other.study.date.cmp(&one.study.date));
        wanted.iter().map(|new| new.study.uid.to_string()).collect()
    };
    let ct = || Match { key: Key::ModalitiesInStudy, rule: Rule::Equal("CT".to_owned()) };
    let may = || Match { key: Key::StudyDate, rule: Rule::Equal("20260505".to_owned()) };
    let is_maria = |n: u32| n < MANY;
    let is_rossi = |n: u32| n < MANY && n.is_multiple_of(3) && n != 5;
    let cases: [Case<'_>; 7] = [
        (&["maria"], vec![], &is_maria),
        (&["marya"], vec![ct()], &|n| is_maria(n) && n.is_multiple_of(2)),
        (&["maria"], vec![may()], &|n| is_maria(n) && n % 12 == 4 && n % 28 == 4),
        (&["maria", "rosi"], vec![], &is_rossi),
        (&["quattrocchi", "maria"], vec![], &|n| n == 5),
        (&["bruno", "maria"], vec![], &|_| false),
        (&["maria", "maria"], vec![], &is_maria),
    ];
    for (words, more, is) in cases {
        let expected = expected(is);
        let whole = query(words, more);
        let mut pages = Vec::new();
        for offset in (0..2000).step_by(100) {
            pages.extend(found(&Query { offset, ..whole.clone() }).await);
        }
        assert_eq!(pages, expected, "{words:?}");
        assert_eq!(index.count(&whole, 5000).await.unwrap() as usize, expected.len(), "{words:?}");
    }
    // Below the study as well.
    let series = Query { level: Level::Series, limit: 3, ..query(&["maria"], vec![]) };
    assert_eq!(found(&series).await, expected(&is_maria)[..3]);
}
