//! Searches: one statement a page, counts and modalities included.

use sqlx::QueryBuilder;

use crate::dicom::person_name::fold;
use crate::dicom::uid::Uid;
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

use super::dialect::Db;
use super::dialect::MODALITIES;
use super::dialect::failed;
use super::dialect::wildcard;

/// Answers a search.
pub(super) async fn find(pool: &sqlx::Pool<Db>, query: &Query) -> Result<Vec<Found>, IndexError> {
    let mut sql = QueryBuilder::new(format!(
        "SELECT p.attributes, st.attributes, st.uid, p.issuer, p.patient_id,
           (SELECT {MODALITIES} FROM series x WHERE x.study = st.id AND x.modality <> ''),
           (SELECT count(*) FROM series x WHERE x.study = st.id),
           (SELECT CAST(coalesce(sum(x.instances), 0) AS BIGINT) FROM series x WHERE x.study = st.id)"
    ));
    sql.push(match query.level {
        Level::Study => ", '', '', CAST(0 AS BIGINT), '', '', ''",
        Level::Series => ", se.attributes, se.uid, se.instances, '', '', ''",
        Level::Instance => {
            ", se.attributes, se.uid, se.instances, i.attributes, i.uid, c.transfer_syntax"
        }
    });
    from_where(&mut sql, query, true);
    sql.push(match (query.level, query.series.is_some()) {
        (Level::Study, _) => " ORDER BY st.date DESC, st.time DESC, st.id DESC",
        (Level::Series, _) => " ORDER BY se.number_sort, se.id",
        (Level::Instance, true) => " ORDER BY i.number_sort, i.id",
        (Level::Instance, false) => " ORDER BY se.number_sort, se.id, i.number_sort, i.id",
    });
    sql.push(" LIMIT ").push_bind(i64::from(query.limit));
    sql.push(" OFFSET ").push_bind(i64::from(query.offset));
    let rows = sql.build().fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(|row| found(query.level, row)).collect()
}

/// Counts the rows of a search, up to `at_most`.
pub(super) async fn count(
    pool: &sqlx::Pool<Db>,
    query: &Query,
    at_most: u32,
) -> Result<u32, IndexError> {
    let mut sql = QueryBuilder::new("SELECT count(*) FROM (SELECT 1 AS one");
    from_where(&mut sql, query, false);
    sql.push(" LIMIT ").push_bind(i64::from(at_most)).push(") AS counted");
    let count: i64 = sql.build_query_scalar().fetch_one(pool).await.map_err(failed)?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

fn found(level: Level, row: &<Db as sqlx::Database>::Row) -> Result<Found, IndexError> {
    use sqlx::Row;
    let text = |at: usize| row.try_get::<String, _>(at).map_err(failed);
    let figure = |at: usize| {
        let figure: i64 = row.try_get(at).map_err(failed)?;
        Ok::<_, IndexError>(u32::try_from(figure).unwrap_or(u32::MAX))
    };
    let modalities: Option<String> = row.try_get(5).map_err(failed)?;
    let mut modalities: Vec<String> = modalities
        .unwrap_or_default()
        .split(',')
        .filter(|m| !m.is_empty())
        .map(str::to_owned)
        .collect();
    modalities.sort();
    let series = match level {
        Level::Study => None,
        _ => {
            Some(FoundSeries { attributes: text(8)?, uid: uid(&text(9)?)?, instances: figure(10)? })
        }
    };
    let instance = match level {
        Level::Instance => Some(FoundInstance {
            attributes: text(11)?,
            uid: uid(&text(12)?)?,
            transfer_syntax: text(13)?,
        }),
        _ => None,
    };
    Ok(Found {
        patient: text(0)?,
        study: text(1)?,
        study_uid: uid(&text(2)?)?,
        patient_id: PatientId { issuer: text(3)?, value: text(4)? },
        modalities,
        study_series: figure(6)?,
        study_instances: figure(7)?,
        series,
        instance,
    })
}

/// An identifier as it was entered.
pub(super) fn uid(text: &str) -> Result<Uid, IndexError> {
    Uid::parse(text).map_err(|error| IndexError::Inconsistent(format!("an identifier: {error}")))
}

fn from_where(sql: &mut QueryBuilder<Db>, query: &Query, with_copy: bool) {
    sql.push(" FROM study st JOIN patient p ON p.id = st.patient");
    if query.level != Level::Study {
        sql.push(" JOIN series se ON se.study = st.id");
    }
    if query.level == Level::Instance {
        sql.push(" JOIN instance i ON i.series = se.id");
        if with_copy {
            sql.push(" JOIN copy c ON c.instance = i.id AND c.served = 1");
        }
    }
    sql.push(" WHERE 1 = 1");
    if let Some(study) = &query.study {
        sql.push(" AND st.uid = ").push_bind(study.as_str().to_owned());
    }
    if let Some(patient) = &query.patient {
        sql.push(" AND p.patient_id = ").push_bind(patient.value.clone());
        sql.push(" AND p.issuer = ").push_bind(patient.issuer.clone());
    }
    if let Some(series) = query.series.as_ref().filter(|_| query.level != Level::Study) {
        sql.push(" AND se.uid = ").push_bind(series.as_str().to_owned());
    }
    let of_level = |level: Level| -> Vec<&Match> {
        query.matches.iter().filter(|condition| level_of(condition.key) == level).collect()
    };
    for condition in of_level(Level::Study) {
        sql.push(" AND ");
        push_match(sql, condition);
    }
    push_below(sql, query.level, &of_level(Level::Series), &of_level(Level::Instance));
}

/// Conditions below the study: on the joined row, or on any row when the level is above.
fn push_below(sql: &mut QueryBuilder<Db>, level: Level, series: &[&Match], instance: &[&Match]) {
    let open_series = level == Level::Study && !(series.is_empty() && instance.is_empty());
    if open_series {
        sql.push(" AND EXISTS (SELECT 1 FROM series se WHERE se.study = st.id");
    }
    for condition in series {
        sql.push(" AND ");
        push_match(sql, condition);
    }
    let open_instance = level != Level::Instance && !instance.is_empty();
    if open_instance {
        sql.push(" AND EXISTS (SELECT 1 FROM instance i WHERE i.series = se.id");
    }
    for condition in instance {
        sql.push(" AND ");
        push_match(sql, condition);
    }
    if open_instance {
        sql.push(")");
    }
    if open_series {
        sql.push(")");
    }
}

fn level_of(key: Key) -> Level {
    match key {
        Key::PatientId
        | Key::IssuerOfPatientId
        | Key::PatientName
        | Key::PatientBirthDate
        | Key::PatientSex
        | Key::StudyInstanceUid
        | Key::StudyDate
        | Key::StudyTime
        | Key::AccessionNumber
        | Key::ReferringPhysicianName
        | Key::StudyId
        | Key::StudyDescription
        | Key::ModalitiesInStudy => Level::Study,
        Key::SeriesInstanceUid
        | Key::Modality
        | Key::SeriesNumber
        | Key::SeriesDescription
        | Key::BodyPartExamined
        | Key::PerformedDate
        | Key::PerformedTime
        | Key::ScheduledStepId
        | Key::RequestedProcedureId => Level::Series,
        Key::SopInstanceUid | Key::SopClassUid | Key::InstanceNumber => Level::Instance,
    }
}

fn push_match(sql: &mut QueryBuilder<Db>, condition: &Match) {
    let rule = &condition.rule;
    match condition.key {
        Key::PatientId => push_rule(sql, "p.patient_id", rule),
        Key::IssuerOfPatientId => push_rule(sql, "p.issuer", rule),
        Key::PatientName => push_rule(sql, "p.name_folded", &folded(rule)),
        Key::PatientBirthDate => push_rule(sql, "p.birth_date", rule),
        Key::PatientSex => push_rule(sql, "p.sex", rule),
        Key::StudyInstanceUid => push_rule(sql, "st.uid", rule),
        Key::StudyDate => push_rule(sql, "st.date", rule),
        Key::StudyTime => push_rule(sql, "st.time", rule),
        Key::AccessionNumber => push_rule(sql, "st.accession", rule),
        Key::ReferringPhysicianName => push_rule(sql, "st.referring_folded", &folded(rule)),
        Key::StudyId => push_rule(sql, "st.study_id", rule),
        Key::StudyDescription => push_rule(sql, "st.description", rule),
        Key::ModalitiesInStudy => {
            sql.push("EXISTS (SELECT 1 FROM series m WHERE m.study = st.id AND ");
            push_rule(sql, "m.modality", rule);
            sql.push(")");
        }
        Key::SeriesInstanceUid => push_rule(sql, "se.uid", rule),
        Key::Modality => push_rule(sql, "se.modality", rule),
        Key::SeriesNumber => push_rule(sql, "se.number", rule),
        Key::SeriesDescription => push_rule(sql, "se.description", rule),
        Key::BodyPartExamined => push_rule(sql, "se.body_part", rule),
        Key::PerformedDate => push_rule(sql, "se.performed_date", rule),
        Key::PerformedTime => push_rule(sql, "se.performed_time", rule),
        Key::ScheduledStepId => push_request(sql, "r.scheduled_step_id", rule),
        Key::RequestedProcedureId => push_request(sql, "r.procedure_id", rule),
        Key::SopInstanceUid => push_rule(sql, "i.uid", rule),
        Key::SopClassUid => push_rule(sql, "i.sop_class", rule),
        Key::InstanceNumber => push_rule(sql, "i.number", rule),
    }
}

fn push_request(sql: &mut QueryBuilder<Db>, column: &'static str, rule: &Rule) {
    sql.push("EXISTS (SELECT 1 FROM request r WHERE r.series = se.id AND ");
    push_rule(sql, column, rule);
    sql.push(")");
}

fn folded(rule: &Rule) -> Rule {
    match rule {
        Rule::Equal(text) => Rule::Equal(fold(text)),
        Rule::Wildcard(text) => Rule::Wildcard(fold(text)),
        Rule::AnyOf(texts) => Rule::AnyOf(texts.iter().map(|text| fold(text)).collect()),
        rule => rule.clone(),
    }
}

fn push_rule(sql: &mut QueryBuilder<Db>, column: &'static str, rule: &Rule) {
    match rule {
        Rule::Equal(text) => {
            sql.push(column).push(" = ").push_bind(text.clone());
        }
        Rule::Empty => {
            sql.push(column).push(" = ''");
        }
        Rule::Wildcard(pattern) => wildcard(sql, column, pattern),
        Rule::AnyOf(texts) => {
            sql.push(column).push(" IN (");
            let mut list = sql.separated(", ");
            for text in texts {
                list.push_bind(text.clone());
            }
            if texts.is_empty() {
                list.push("NULL");
            }
            sql.push(")");
        }
        Rule::Range { from, to } => {
            // An empty value lies in no range.
            sql.push("(").push(column).push(" <> ''");
            if let Some(from) = from {
                sql.push(" AND ").push(column).push(" >= ").push_bind(from.clone());
            }
            if let Some(to) = to {
                // Whatever begins with the bound is within it.
                sql.push(" AND ").push(column).push(" < ").push_bind(format!("{to}\u{10FFFF}"));
            }
            sql.push(")");
        }
    }
}
