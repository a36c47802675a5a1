//! Searches: one statement a page, counts and modalities included. The rows of the page are chosen
//! first, by their ids alone; only then is read what they say.

use std::time::Duration;

use sqlx::QueryBuilder;

use crate::index::error::IndexError;
use crate::index::query::Found;
use crate::index::query::FoundInstance;
use crate::index::query::FoundSeries;
use crate::index::query::Key;
use crate::index::query::Level;
use crate::index::query::Match;
use crate::index::query::OrderBy;
use crate::index::query::Query;
use crate::index::query::Rule;
use crate::index::query::Spellings;
use crate::people::patient_id::PatientId;

use super::condition::ANY;
use super::condition::ANY_END;
use super::condition::Newest;
use super::condition::is_of_patient;
use super::condition::is_of_request;
use super::condition::is_selective;
use super::condition::push_match;
use super::condition::push_requests;
use super::dialect::Db;
use super::dialect::MODALITIES;
use super::dialect::within;
use super::fuzzy;
use super::fuzzy::Heard;
use super::records::figure;
use super::records::get;
use super::records::identifier;
use super::rows::clean;

type Row = <Db as sqlx::Database>::Row;

/// What divides the modalities of a study in a row: no value can hold it (PS3.5 §6.1.3).
const DIVIDER: char = '\\';

/// Answers a search; one that looks through many rows may take no longer than `limit`.
pub(super) async fn find(
    pool: &sqlx::Pool<Db>,
    query: &Query,
    limit: Duration,
) -> Result<Vec<Found>, IndexError> {
    let heard = fuzzy::weigh(pool, query, limit).await?;
    let newest = newest(query, heard);
    let mut sql = QueryBuilder::<Db>::new("WITH page AS MATERIALIZED (SELECT ");
    sql.push(newest.study_row()).push(" AS study_row");
    sql.push(match query.level {
        Level::Study => "",
        Level::Series => ", se.id AS series_row",
        Level::Instance => ", se.id AS series_row, i.id AS instance_row",
    });
    push_from_where(&mut sql, query, newest, heard);
    push_order(&mut sql, query, newest);
    sql.push(" LIMIT CAST(").push_bind(i64::from(query.limit)).push(" AS BIGINT)");
    sql.push(" OFFSET ").push_bind(i64::from(query.offset));
    sql.push(
        "), counted AS MATERIALIZED (SELECT x.study, count(*) AS series,
           CAST(sum(x.instances) AS BIGINT) AS instances FROM series x
         WHERE x.study IN (SELECT study_row FROM page) GROUP BY x.study)
         SELECT p.attributes, st.attributes, st.uid, p.issuer, p.patient_id, (SELECT ",
    );
    sql.push(MODALITIES);
    sql.push(" FROM study_modality x WHERE x.study = st.id), counted.series, counted.instances");
    sql.push(match query.level {
        Level::Study => "",
        Level::Series => ", se.attributes, se.uid, se.instances",
        Level::Instance => {
            ", se.attributes, se.uid, se.instances, i.attributes, i.uid, c.transfer_syntax"
        }
    });
    sql.push(
        " FROM page JOIN study st ON st.id = page.study_row JOIN patient p ON p.id = st.patient
         JOIN counted ON counted.study = page.study_row",
    );
    sql.push(match query.level {
        Level::Study => "",
        Level::Series => " JOIN series se ON se.id = page.series_row",
        Level::Instance => {
            " JOIN series se ON se.id = page.series_row JOIN instance i ON i.id = page.instance_row
             JOIN copy c ON c.instance = i.id AND c.served = 1"
        }
    });
    push_order(&mut sql, query, Newest::Study);
    let rows = within(pool, sql, bound(query, heard, limit)).await?;
    rows.iter().map(|row| found(query.level, row)).collect()
}

/// Counts the rows of a search, up to `at_most`.
pub(super) async fn count(
    pool: &sqlx::Pool<Db>,
    query: &Query,
    at_most: u32,
    limit: Duration,
) -> Result<u32, IndexError> {
    let heard = match fuzzy::weigh(pool, query, limit).await? {
        // To count them all, none is walked by.
        Heard::Walk => Heard::Anyhow,
        heard => heard,
    };
    let mut sql = QueryBuilder::<Db>::new("SELECT count(*) FROM (SELECT 1 AS one");
    push_from_where(&mut sql, query, newest(query, heard), heard);
    sql.push(" LIMIT CAST(").push_bind(i64::from(at_most)).push(" AS BIGINT)) AS counted");
    let rows = within(pool, sql, bound(query, heard, limit)).await?;
    let count: i64 = rows.first().map(|row| get(row, 0)).transpose()?.unwrap_or_default();
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// How long a search may take, where what it asks cannot be read from an index and a page of it may
/// be the fruit of looking at everything. The others need no watch, which costs two trips.
fn bound(query: &Query, heard: Heard, limit: Duration) -> Option<Duration> {
    let narrow = query.study.is_some()
        || query.series.is_some()
        || query.patient.is_some()
        || query.matches.iter().any(|it| is_selective(it) && !is_walked(it, heard));
    let indexed = |condition: &Match| match condition.key {
        Key::PatientName => is_walked(condition, heard),
        Key::StudyDate => matches!(condition.rule, Rule::Equal(_) | Rule::Range { .. }),
        _ => one_modality(condition).is_some(),
    };
    let far = query.offset > FAR || !query.order.is_empty();
    let plain = query.matches.iter().all(indexed) && query.matches.len() < 2;
    (!narrow && (far || !plain)).then_some(limit)
}

/// Rows a search may leave out without being watched.
const FAR: u32 = 100_000;

/// The order of the answers.
fn push_order(sql: &mut QueryBuilder<Db>, query: &Query, newest: Newest) {
    sql.push(" ORDER BY ");
    for OrderBy { key, descending } in &query.order {
        for column in sorted_by(*key).iter().filter(|_| key.level() <= query.level) {
            sql.push(column).push(if *descending { " DESC, " } else { ", " });
        }
    }
    sql.push(newest.order()).push(below_study(query.level));
}

/// The columns a key sorts by.
fn sorted_by(key: Key) -> &'static [&'static str] {
    match key {
        Key::PatientId => &["p.patient_id"],
        Key::IssuerOfPatientId => &["p.issuer"],
        Key::PatientName => &["p.name_folded"],
        Key::PatientBirthDate => &["p.birth_date"],
        Key::PatientSex => &["p.sex"],
        Key::StudyInstanceUid => &["st.uid"],
        Key::StudyDate => &["st.date"],
        Key::StudyTime => &["st.time"],
        Key::AccessionNumber => &["st.accession"],
        Key::ReferringPhysicianName => &["st.referring_folded"],
        Key::StudyId => &["st.study_id"],
        Key::StudyDescription => &["st.description"],
        Key::SeriesInstanceUid => &["se.uid"],
        Key::Modality => &["se.modality"],
        Key::SeriesNumber => &["se.number_sort", "se.number"],
        Key::SeriesDescription => &["se.description"],
        Key::BodyPartExamined => &["se.body_part"],
        Key::PerformedDate => &["se.performed_date"],
        Key::PerformedTime => &["se.performed_time"],
        Key::SopInstanceUid => &["i.uid"],
        Key::SopClassUid => &["i.sop_class"],
        Key::InstanceNumber => &["i.number_sort", "i.number"],
        // Of these there may be many.
        Key::ModalitiesInStudy
        | Key::ScheduledStepId
        | Key::RequestedProcedureId
        | Key::Extended(_) => &[],
    }
}

/// The order of answers within a study.
fn below_study(level: Level) -> &'static str {
    match level {
        Level::Study => "",
        Level::Series => ", se.number_sort, se.number, se.id",
        Level::Instance => ", se.number_sort, se.number, se.id, i.number_sort, i.id",
    }
}

/// Whether a condition is asked of each study that is walked by.
fn is_walked(condition: &Match, heard: Heard) -> bool {
    heard == Heard::Walk && matches!(condition.rule, Rule::Fuzzy(_))
}

/// A list of one modality's studies is read from that modality's own order, which is there already
/// when nothing else narrows the search.
fn newest(query: &Query, heard: Heard) -> Newest {
    let narrow = query.study.is_some()
        || query.series.is_some()
        || query.patient.is_some()
        || query.matches.iter().any(|it| is_selective(it) && !is_walked(it, heard));
    match modality(query) {
        Some(_) if query.level == Level::Study && !narrow && query.order.is_empty() => {
            Newest::Modality
        }
        _ => Newest::Study,
    }
}

/// The one modality asked for, if so.
fn modality(query: &Query) -> Option<&str> {
    query.matches.iter().find_map(one_modality)
}

/// The one modality a condition asks for, if so.
fn one_modality(condition: &Match) -> Option<&str> {
    let text = match (condition.key, &condition.rule) {
        (Key::ModalitiesInStudy | Key::Modality, Rule::Equal(text)) => text,
        (Key::ModalitiesInStudy | Key::Modality, Rule::AnyOf(texts)) => match texts.as_slice() {
            [text] => text,
            _ => return None,
        },
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn push_from_where(sql: &mut QueryBuilder<Db>, query: &Query, newest: Newest, heard: Heard) {
    let of_level = |level: Level| -> Vec<&Match> {
        query.matches.iter().filter(|condition| condition.key.level() == level).collect()
    };
    let (mut study, series, instance) =
        (of_level(Level::Study), of_level(Level::Series), of_level(Level::Instance));
    if newest == Newest::Modality {
        // Held by the rows themselves.
        study.retain(|it| it.key != Key::ModalitiesInStudy || one_modality(it) != modality(query));
    }
    // Only what is asked of is joined: a count of all studies reads one index and nothing else.
    let of_patient = query.patient.is_some()
        || study.iter().any(|it| is_of_patient(it.key) && weighed(it, heard).is_none())
        || query.order.iter().any(|by| is_of_patient(by.key));
    let of_study = of_patient
        || query.level != Level::Study
        || !(series.is_empty() && instance.is_empty())
        || study.iter().any(|it| it.key != Key::StudyDate || matches!(it.rule, Rule::Span(_)));
    sql.push(match newest {
        Newest::Study => " FROM study st",
        Newest::Modality if of_study => " FROM study_modality m JOIN study st ON st.id = m.study",
        Newest::Modality => " FROM study_modality m",
    });
    if of_patient {
        sql.push(" JOIN patient p ON p.id = st.patient");
    }
    if query.level != Level::Study {
        sql.push(" JOIN series se ON se.study = st.id");
    }
    if query.level == Level::Instance {
        sql.push(" JOIN instance i ON i.series = se.id");
    }
    sql.push(" WHERE 1 = 1");
    if let (Newest::Modality, Some(modality)) = (newest, modality(query)) {
        sql.push(" AND m.modality = ").push_bind(clean(modality).into_owned());
    }
    if let Some(study) = &query.study {
        sql.push(" AND st.uid = ").push_bind(study.as_str().to_owned());
    }
    if let Some(patient) = &query.patient {
        sql.push(" AND p.patient_id = ").push_bind(clean(&patient.value).into_owned());
        sql.push(" AND p.issuer = ").push_bind(clean(&patient.issuer).into_owned());
    }
    for condition in study {
        sql.push(" AND ");
        match weighed(condition, heard) {
            Some(words) => fuzzy::push_heard(sql, words, heard),
            None => push_match(sql, condition, newest),
        }
    }
    push_below(sql, query, &series, &instance);
}

/// The words of a condition that was weighed.
fn weighed(condition: &Match, heard: Heard) -> Option<&[Spellings]> {
    match (condition.key, &condition.rule, heard) {
        (_, _, Heard::Anyhow) => None,
        (Key::PatientName, Rule::Fuzzy(words), _) => Some(words),
        _ => None,
    }
}

/// Conditions below the study: on the joined rows, or on any row when the level is above.
fn push_below(sql: &mut QueryBuilder<Db>, query: &Query, series: &[&Match], instance: &[&Match]) {
    let within = query.series.is_some() || !series.is_empty() || !instance.is_empty();
    let open_series = query.level == Level::Study && within;
    if open_series {
        sql.push(" AND ").push(ANY).push("series se WHERE se.study = st.id");
    }
    if let Some(uid) = &query.series {
        sql.push(" AND se.uid = ").push_bind(uid.as_str().to_owned());
    }
    let (requests, series): (Vec<&Match>, Vec<&Match>) =
        series.iter().partition(|condition| is_of_request(condition.key));
    for condition in series {
        sql.push(" AND ");
        push_match(sql, condition, Newest::Study);
    }
    push_requests(sql, &requests);
    let open_instance = query.level != Level::Instance && !instance.is_empty();
    if open_instance {
        sql.push(" AND ").push(ANY).push("instance i WHERE i.series = se.id");
    }
    for condition in instance {
        sql.push(" AND ");
        push_match(sql, condition, Newest::Study);
    }
    if open_instance {
        sql.push(ANY_END);
    }
    if open_series {
        sql.push(ANY_END);
    }
}

fn found(level: Level, row: &Row) -> Result<Found, IndexError> {
    let modalities: Option<String> = get(row, 5)?;
    let modalities = modalities.unwrap_or_default();
    let modalities = modalities.split(DIVIDER).filter(|modality| !modality.is_empty());
    let mut modalities: Vec<String> = modalities.map(str::to_owned).collect();
    modalities.sort();
    let series = match level {
        Level::Study => None,
        _ => Some(FoundSeries {
            attributes: get(row, 8)?,
            uid: identifier(row, 9)?,
            instances: figure(row, 10)?,
        }),
    };
    let instance = match level {
        Level::Instance => Some(FoundInstance {
            attributes: get(row, 11)?,
            uid: identifier(row, 12)?,
            transfer_syntax: get(row, 13)?,
        }),
        _ => None,
    };
    Ok(Found {
        patient: get(row, 0)?,
        study: get(row, 1)?,
        study_uid: identifier(row, 2)?,
        patient_id: PatientId { issuer: get(row, 3)?, value: get(row, 4)? },
        modalities,
        study_series: figure(row, 6)?,
        study_instances: figure(row, 7)?,
        series,
        instance,
    })
}
