//! Searches: one statement a page, counts and modalities included. The rows of the page are chosen
//! first, by their ids alone; only then is read what they say.

use sqlx::QueryBuilder;

use crate::index::error::IndexError;
use crate::index::query::Found;
use crate::index::query::FoundInstance;
use crate::index::query::FoundSeries;
use crate::index::query::Key;
use crate::index::query::Level;
use crate::index::query::Match;
use crate::index::query::Query;
use crate::index::query::Rule;
use crate::people::patient_id::PatientId;

use super::condition::ANY;
use super::condition::ANY_END;
use super::condition::Newest;
use super::condition::is_selective;
use super::condition::level_of;
use super::condition::push_match;
use super::dialect::Db;
use super::dialect::MODALITIES;
use super::dialect::failed;
use super::records::figure;
use super::records::get;
use super::records::identifier;
use super::rows::clean;

type Row = <Db as sqlx::Database>::Row;

/// What divides the modalities of a study in a row: no value can hold it (PS3.5 §6.1.3).
const DIVIDER: char = '\\';

/// Answers a search.
pub(super) async fn find(pool: &sqlx::Pool<Db>, query: &Query) -> Result<Vec<Found>, IndexError> {
    let newest = newest(query);
    let mut sql = QueryBuilder::<Db>::new("WITH page AS MATERIALIZED (SELECT st.id AS study_row");
    sql.push(match query.level {
        Level::Study => "",
        Level::Series => ", se.id AS series_row",
        Level::Instance => ", se.id AS series_row, i.id AS instance_row",
    });
    push_from_where(&mut sql, query, newest);
    sql.push(" ORDER BY ").push(newest.order()).push(below_study(query.level));
    sql.push(" LIMIT ").push_bind(i64::from(query.limit));
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
    sql.push(" ORDER BY ").push(Newest::Study.order()).push(below_study(query.level));
    let rows = sql.build().fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(|row| found(query.level, row)).collect()
}

/// Counts the rows of a search, up to `at_most`.
pub(super) async fn count(
    pool: &sqlx::Pool<Db>,
    query: &Query,
    at_most: u32,
) -> Result<u32, IndexError> {
    let mut sql = QueryBuilder::<Db>::new("SELECT count(*) FROM (SELECT 1 AS one");
    push_from_where(&mut sql, query, newest(query));
    sql.push(" LIMIT ").push_bind(i64::from(at_most)).push(") AS counted");
    let count: i64 = sql.build_query_scalar().fetch_one(pool).await.map_err(failed)?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The order of answers within a study.
fn below_study(level: Level) -> &'static str {
    match level {
        Level::Study => "",
        Level::Series => ", se.number_sort, se.number, se.id",
        Level::Instance => ", se.number_sort, se.number, se.id, i.number_sort, i.id",
    }
}

/// A list of one modality's studies is read from that modality's own order, which is there already
/// when nothing else narrows the search.
fn newest(query: &Query) -> Newest {
    let narrow = query.study.is_some()
        || query.series.is_some()
        || query.patient.is_some()
        || query.matches.iter().any(is_selective);
    match modality(query) {
        Some(_) if query.level == Level::Study && !narrow => Newest::Modality,
        _ => Newest::Study,
    }
}

/// The one modality asked for, if so.
fn modality(query: &Query) -> Option<&str> {
    query
        .matches
        .iter()
        .find_map(|condition| match (condition.key, &condition.rule) {
            (Key::ModalitiesInStudy | Key::Modality, Rule::Equal(text)) => Some(text.as_str()),
            (Key::ModalitiesInStudy | Key::Modality, Rule::AnyOf(texts)) => {
                match texts.as_slice() {
                    [text] => Some(text.as_str()),
                    _ => None,
                }
            }
            _ => None,
        })
        .filter(|text| !text.is_empty())
}

fn push_from_where(sql: &mut QueryBuilder<Db>, query: &Query, newest: Newest) {
    sql.push(match newest {
        Newest::Study => " FROM study st JOIN patient p ON p.id = st.patient",
        Newest::Modality => {
            " FROM study_modality m JOIN study st ON st.id = m.study
             JOIN patient p ON p.id = st.patient"
        }
    });
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
    let of_level = |level: Level| -> Vec<&Match> {
        query.matches.iter().filter(|condition| level_of(condition.key) == level).collect()
    };
    for condition in of_level(Level::Study) {
        sql.push(" AND ");
        push_match(sql, condition, newest);
    }
    push_below(sql, query, &of_level(Level::Series), &of_level(Level::Instance));
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
    for condition in series {
        sql.push(" AND ");
        push_match(sql, condition, Newest::Study);
    }
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
