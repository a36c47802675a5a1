//! The fascicolo page by page: what is common, and people and studies.

use std::time::Duration;

use sqlx::QueryBuilder;
use sqlx::Row;

use crate::index::error::IndexError;
use crate::index::pages::Days;
use crate::index::pages::InstanceFound;
use crate::index::pages::Micros;
use crate::index::pages::Number;
use crate::index::pages::Page;
use crate::index::pages::PersonFound;
use crate::index::pages::PersonRule;
use crate::index::pages::SeriesFound;
use crate::index::pages::SortBy;
use crate::index::pages::StudyFound;
use crate::index::pages::StudyRule;
use crate::people::patient_id::PatientId;

use super::dialect::Db;
use super::dialect::Tx;
use super::dialect::failed;
use super::dialect::within;
use super::names;
use super::people_read;
use super::records::figure;
use super::records::get;
use super::rows::clean;

type Pool = sqlx::Pool<Db>;
type DbRow = <Db as sqlx::Database>::Row;

/// The columns pages of one kind are sorted by.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    pub(super) date: Option<&'static str>,
    pub(super) time: Option<&'static str>,
    pub(super) changed: &'static str,
    pub(super) row: &'static str,
}

/// The rows of people that are one with these.
const ALL_ROWS: &str = "SELECT o.id FROM person n JOIN person o ON o.root = n.root WHERE n.id IN (";

/// Writes where a page begins, its order and its length.
pub(super) fn push_page(sql: &mut QueryBuilder<Db>, page: &Page, columns: Columns) {
    let (date, changed) = match page.sort {
        SortBy::Row => (None, None),
        SortBy::Date => (columns.date, None),
        SortBy::Changed => (None, Some(columns.changed)),
    };
    let time = date.and(columns.time);
    let sorted: Vec<&str> = date.into_iter().chain(time).chain(changed).collect();
    if let Some(after) = &page.after {
        sql.push(" AND (");
        for column in &sorted {
            sql.push(*column).push(", ");
        }
        sql.push(columns.row).push(if page.descending { ") < (" } else { ") > (" });
        if date.is_some() {
            sql.push_bind(clean(&after.date).into_owned()).push(", ");
        }
        if time.is_some() {
            sql.push_bind(clean(&after.time).into_owned()).push(", ");
        }
        if changed.is_some() {
            sql.push_bind(after.changed_us).push(", ");
        }
        sql.push_bind(after.row).push(")");
    }
    let way = if page.descending { " DESC" } else { "" };
    sql.push(" ORDER BY ");
    for column in &sorted {
        sql.push(*column).push(way).push(", ");
    }
    sql.push(columns.row)
        .push(way)
        .push(" LIMIT CAST(")
        .push_bind(i64::from(page.limit))
        .push(" AS BIGINT)");
}

/// Writes `column IN (…)`; nothing is in an empty list.
pub(super) fn push_texts(sql: &mut QueryBuilder<Db>, column: &str, texts: &[String]) {
    push_list(sql, column, texts, |sql, text| {
        sql.push_bind(clean(text).into_owned());
    });
}

/// Writes `column IN (…)`.
pub(super) fn push_rows(sql: &mut QueryBuilder<Db>, column: &str, rows: &[i64]) {
    push_list(sql, column, rows, |sql, row| {
        sql.push_bind(*row);
    });
}

/// Writes that `column` is one of the rows that are one with these people.
pub(super) fn push_people(sql: &mut QueryBuilder<Db>, column: &str, people: &[i64]) {
    if people.is_empty() {
        sql.push("1 = 0");
        return;
    }
    sql.push(column).push(" IN (").push(ALL_ROWS);
    for (number, person) in people.iter().enumerate() {
        sql.push(if number == 0 { "" } else { ", " }).push_bind(*person);
    }
    sql.push("))");
}

pub(super) fn push_list<T>(
    sql: &mut QueryBuilder<Db>,
    column: &str,
    items: &[T],
    mut bind: impl FnMut(&mut QueryBuilder<Db>, &T),
) {
    if items.is_empty() {
        sql.push("1 = 0");
        return;
    }
    sql.push(column).push(" IN (");
    for (number, item) in items.iter().enumerate() {
        sql.push(if number == 0 { "" } else { ", " });
        bind(sql, item);
    }
    sql.push(")");
}

/// Writes that any of `items` holds.
pub(super) fn push_any<T>(
    sql: &mut QueryBuilder<Db>,
    items: &[T],
    mut push: impl FnMut(&mut QueryBuilder<Db>, &T),
) {
    // No constant among them: one item alone is a condition an index can answer.
    for (number, item) in items.iter().enumerate() {
        sql.push(if number == 0 { "(" } else { " OR " });
        push(sql, item);
    }
    sql.push(if items.is_empty() { "1 = 0" } else { ")" });
}

/// Writes that a date (with its time, where it has one) lies in a span; an unknown date lies in none.
pub(super) fn push_days(
    sql: &mut QueryBuilder<Db>,
    date: &'static str,
    time: Option<&'static str>,
    days: &[Days],
) {
    push_any(sql, days, |sql, days| {
        sql.push("(").push(date).push(" > ''");
        for (bound, sign) in [(&days.from, " >= "), (&days.before, " < ")] {
            let Some(moment) = bound else { continue };
            let day = clean(&moment.date).into_owned();
            let Some(time) = time.filter(|_| !moment.time.is_empty()) else {
                sql.push(" AND ").push(date).push(sign).push_bind(day);
                continue;
            };
            // The date alone first: that an index can give.
            let loose = if sign == " < " { " <= " } else { sign };
            sql.push(" AND ").push(date).push(loose).push_bind(day.clone());
            sql.push(" AND (").push(date).push(" <> ").push_bind(day).push(" OR ");
            sql.push(time).push(sign).push_bind(clean(&moment.time).into_owned()).push(")");
        }
        sql.push(")");
    });
}

/// Writes that an instant lies in a span.
pub(super) fn push_micros(sql: &mut QueryBuilder<Db>, column: &'static str, spans: &[Micros]) {
    push_any(sql, spans, |sql, span| {
        let bounds = [(span.from, " >= "), (span.before, " < ")];
        let mut bounds = bounds.into_iter().filter_map(|(bound, sign)| Some((bound?, sign)));
        match bounds.next() {
            None => drop(sql.push("1 = 1")),
            Some((bound, sign)) => {
                sql.push("(").push(column).push(sign).push_bind(bound);
                for (bound, sign) in bounds {
                    sql.push(" AND ").push(column).push(sign).push_bind(bound);
                }
                sql.push(")");
            }
        }
    });
}

/// Writes that `column` is one of those known by a number; `owner` is `study` or `document`.
pub(super) fn push_numbers(
    sql: &mut QueryBuilder<Db>,
    column: &'static str,
    owner: &'static str,
    numbers: &[Number],
) {
    push_any(sql, numbers, |sql, number| {
        sql.push(column).push(" IN (SELECT r.owner_id FROM shared_reference r WHERE r.value = ");
        sql.push_bind(clean(&number.value).into_owned());
        sql.push(" AND r.owner = '").push(owner).push("' AND ");
        let kinds: Vec<String> = number.kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
        push_texts(sql, "r.kind", &kinds);
        if let Some(assigner) = &number.assigner {
            sql.push(" AND r.assigner = ").push_bind(clean(assigner).into_owned());
        }
        sql.push(")");
    });
}

const PERSON: Columns = Columns { date: None, time: None, changed: "q.changed_us", row: "q.id" };

/// Writes whom a search of people looks at.
pub(super) fn push_person_rules(sql: &mut QueryBuilder<Db>, rules: &[PersonRule]) {
    let narrow = rules.iter().any(|rule| matches!(rule, PersonRule::Row(_) | PersonRule::Named(_)));
    sql.push(" FROM person q WHERE q.root = q.id");
    for rule in rules {
        sql.push(" AND ");
        match rule {
            PersonRule::Row(rows) => {
                sql.push("q.id IN (SELECT root FROM person WHERE ");
                push_rows(sql, "id", rows);
                sql.push(")");
            }
            PersonRule::Born(days) if narrow => {
                // Few are left: each is looked at.
                sql.push("EXISTS (SELECT 1 FROM person o WHERE o.root = q.id AND ");
                push_days(sql, "o.birth_date", None, days);
                sql.push(")");
            }
            PersonRule::Born(days) => {
                sql.push("q.id IN (SELECT o.root FROM person o WHERE ");
                push_days(sql, "o.birth_date", None, days);
                sql.push(")");
            }
            PersonRule::Named(asked) => names::push(sql, "q.id", asked),
            PersonRule::Sex(sexes) => push_texts(sql, "q.sex", sexes),
            PersonRule::Changed(spans) => push_micros(sql, "q.changed_us", spans),
        }
    }
}

/// A page of people.
pub(super) async fn people(
    pool: &Pool,
    rules: &[PersonRule],
    page: &Page,
    limit: Duration,
) -> Result<Vec<PersonFound>, IndexError> {
    let mut sql = QueryBuilder::<Db>::new("SELECT q.id, q.changed_us");
    push_person_rules(&mut sql, rules);
    push_page(&mut sql, page, PERSON);
    let rows = within(pool, sql, Some(limit)).await?;
    let rows = rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?)));
    let rows: Vec<(i64, i64)> = rows.collect::<Result<_, IndexError>>()?;
    let roots: Vec<i64> = rows.iter().map(|(root, _)| *root).collect();
    let mut people = people_read::people_of(pool, &roots).await?;
    let mut found = Vec::with_capacity(rows.len());
    for (root, changed_us) in rows {
        if let Some(at) = people.iter().position(|person| person.id == root) {
            found.push(PersonFound { person: people.swap_remove(at), changed_us });
        }
    }
    Ok(found)
}

const STUDY: Columns =
    Columns { date: Some("st.date"), time: Some("st.time"), changed: "s.changed_us", row: "st.id" };

/// The same of the studies of one modality, `y`.
const STUDY_OF_MODALITY: Columns =
    Columns { date: Some("y.date"), time: Some("y.time"), changed: "s.changed_us", row: "y.study" };

/// Writes which studies a search looks at.
pub(super) fn push_study_rules(sql: &mut QueryBuilder<Db>, rules: &[StudyRule]) {
    sql.push(
        " FROM study st JOIN person_study s ON s.study = st.id JOIN person p ON p.id = s.person
           JOIN patient pa ON pa.id = st.patient",
    );
    let ordered = modality_of(rules);
    if let Some(modality) = ordered {
        // Its own order is there already: `study_modality_newest`.
        sql.push(" JOIN study_modality y ON y.study = st.id WHERE y.modality = ");
        sql.push_bind(clean(modality).into_owned());
    } else {
        sql.push(" WHERE 1 = 1");
    }
    for rule in rules {
        if ordered.is_some() && one_modality(rule) == ordered {
            continue;
        }
        sql.push(" AND ");
        match rule {
            StudyRule::Person(people) => push_people(sql, "s.person", people),
            StudyRule::Row(rows) => push_rows(sql, "st.id", rows),
            StudyRule::Uid(uids) => push_texts(sql, "st.uid", uids),
            StudyRule::Number(numbers) => push_numbers(sql, "st.id", "study", numbers),
            StudyRule::Modality(texts) => {
                sql.push("EXISTS (SELECT 1 FROM study_modality m WHERE m.study = st.id AND ");
                push_texts(sql, "m.modality", texts);
                sql.push(")");
            }
            StudyRule::BodyPart(texts) => {
                sql.push("EXISTS (SELECT 1 FROM series e WHERE e.study = st.id AND ");
                push_texts(sql, "upper(e.body_part)", texts);
                sql.push(")");
            }
            StudyRule::Series(uids) => {
                sql.push("st.id IN (SELECT e.study FROM series e WHERE ");
                push_texts(sql, "e.uid", uids);
                sql.push(")");
            }
            StudyRule::Instance(uids) => {
                sql.push(
                    "st.id IN (SELECT e.study FROM instance i JOIN series e ON e.id = i.series
                     WHERE ",
                );
                push_texts(sql, "i.uid", uids);
                sql.push(")");
            }
            StudyRule::Document(rows) => {
                sql.push(
                    "st.id IN (SELECT l.study FROM document_link l WHERE l.undone_us = 0 AND ",
                );
                push_rows(sql, "l.document", rows);
                sql.push(")");
            }
            StudyRule::Started(days) => push_days(sql, "st.date", Some("st.time"), days),
            StudyRule::Changed(spans) => push_micros(sql, "s.changed_us", spans),
        }
    }
}

/// The one modality whose studies are listed, where nothing narrower is asked.
fn modality_of(rules: &[StudyRule]) -> Option<&str> {
    let broad = !rules.iter().any(is_narrow);
    rules.iter().filter(|_| broad).find_map(one_modality)
}

/// Whether a condition leaves few studies, found by an index.
pub(super) fn is_narrow(rule: &StudyRule) -> bool {
    matches!(
        rule,
        StudyRule::Person(_)
            | StudyRule::Row(_)
            | StudyRule::Uid(_)
            | StudyRule::Number(_)
            | StudyRule::Series(_)
            | StudyRule::Instance(_)
            | StudyRule::Document(_)
    )
}

/// The one modality a condition asks for, if so.
fn one_modality(rule: &StudyRule) -> Option<&str> {
    match rule {
        StudyRule::Modality(texts) => match texts.as_slice() {
            [one] => Some(one),
            _ => None,
        },
        _ => None,
    }
}

/// A page of studies.
pub(super) fn studies(rules: &[StudyRule], page: &Page) -> QueryBuilder<Db> {
    let mut sql = QueryBuilder::<Db>::new(
        "SELECT st.id, st.uid, p.root, pa.issuer, pa.patient_id, st.date, st.time, st.description,
           st.accession, st.attributes, pa.attributes, s.changed_us",
    );
    push_study_rules(&mut sql, rules);
    let columns = if modality_of(rules).is_some() { STUDY_OF_MODALITY } else { STUDY };
    push_page(&mut sql, page, columns);
    sql
}

/// A study found.
pub(super) fn study(row: &DbRow) -> Result<StudyFound, IndexError> {
    Ok(StudyFound {
        row: get(row, 0)?,
        uid: get(row, 1)?,
        person: get(row, 2)?,
        patient: PatientId { issuer: get(row, 3)?, value: get(row, 4)? },
        date: get(row, 5)?,
        time: get(row, 6)?,
        description: get(row, 7)?,
        accession: get(row, 8)?,
        attributes: get(row, 9)?,
        patient_attributes: get(row, 10)?,
        changed_us: get(row, 11)?,
    })
}

/// The series of studies.
pub(super) async fn series(pool: &Pool, studies: &[i64]) -> Result<Vec<SeriesFound>, IndexError> {
    let mut sql = QueryBuilder::<Db>::new(
        "SELECT e.id, e.study, e.uid, e.number, e.modality, e.description, e.body_part, e.instances,
           e.revision, e.changed_us, e.attributes FROM series e WHERE ",
    );
    push_rows(&mut sql, "e.study", studies);
    sql.push(" ORDER BY e.study, e.number_sort, e.number, e.id");
    let rows = sql.build().persistent(false).fetch_all(pool).await.map_err(failed)?;
    let found = rows.iter().map(|row| {
        Ok(SeriesFound {
            row: get(row, 0)?,
            study: get(row, 1)?,
            uid: get(row, 2)?,
            number: get(row, 3)?,
            modality: get(row, 4)?,
            description: get(row, 5)?,
            body_part: get(row, 6)?,
            instances: figure(row, 7)?,
            revision: get(row, 8)?,
            changed_us: get(row, 9)?,
            attributes: get(row, 10)?,
        })
    });
    found.collect()
}

/// The instances of a study.
pub(super) async fn instances(
    pool: &Pool,
    study: i64,
    limit: u32,
) -> Result<Vec<InstanceFound>, IndexError> {
    let rows = sqlx::query(
        "SELECT i.series, i.uid, i.sop_class, i.number, i.frames
         FROM series e JOIN instance i ON i.series = e.id WHERE e.study = $1
         ORDER BY e.number_sort, e.number, e.id, i.number_sort, i.id LIMIT CAST($2 AS BIGINT)",
    )
    .bind(study)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    let found = rows.iter().map(|row| {
        Ok(InstanceFound {
            series: row.try_get(0).map_err(failed)?,
            uid: get(row, 1)?,
            sop_class: get(row, 2)?,
            number: get(row, 3)?,
            frames: figure(row, 4)?,
        })
    });
    found.collect()
}

/// A study changed; whether it is in a fascicolo.
pub(super) async fn study_changed(
    tx: &mut Tx<'_>,
    study: i64,
    now_us: i64,
) -> Result<bool, IndexError> {
    let changed = sqlx::query("UPDATE person_study SET changed_us = $1 WHERE study = $2")
        .bind(now_us)
        .bind(study)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    Ok(changed.rows_affected() > 0)
}
