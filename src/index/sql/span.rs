//! Dates and times taken together as SQL (PS3.4 §C.2.2.2.5).

use sqlx::QueryBuilder;

use crate::index::query::Instants;
use crate::index::query::Key;
use crate::index::query::Moment;
use crate::index::query::Span;

use super::condition::Newest;
use super::condition::behind;
use super::dialect::Db;
use super::rows::clean;

/// The columns of an act: its date, its time, its instant.
type Columns = (&'static str, &'static str, &'static str);

/// Writes a condition on a date with the time beside it; on what is no such date it never holds.
pub(super) fn push(sql: &mut QueryBuilder<Db>, key: Key, span: &Span, newest: Newest) {
    let columns = match key {
        Key::StudyDate => (newest.date(), newest.time(), "st.instant_us"),
        Key::PerformedDate => ("se.performed_date", "se.performed_time", "se.instant_us"),
        _ => {
            sql.push("1 = 0");
            return;
        }
    };
    let Some(instants) = span.instants else { return push_as_written(sql, columns, span) };
    // The days around, which an index can give: no clock is further than a day from UTC.
    sql.push("(").push(columns.0).push(" > ''");
    let around = |us: i64, by: i64| day_of(us.saturating_add(by.saturating_mul(DAY_US)));
    if let Some(day) = instants.from_us.and_then(|us| around(us, -2)) {
        sql.push(" AND ").push(columns.0).push(" >= ").push_bind(day);
    }
    if let Some(day) = instants.before_us.and_then(|us| around(us, 2)) {
        sql.push(" AND ").push(columns.0).push(" <= ").push_bind(day);
    }
    sql.push(" AND ((").push(columns.2).push(" IS NULL AND ");
    push_as_written(sql, columns, span);
    sql.push(") OR (").push(columns.2).push(" IS NOT NULL AND ");
    push_instants(sql, columns, instants);
    sql.push(")))");
}

const DAY_US: i64 = 86_400_000_000;

/// The day an instant is of in UTC, `YYYYMMDD`; none when that has more than eight digits.
fn day_of(us: i64) -> Option<String> {
    let at = jiff::Timestamp::from_microsecond(us).ok()?.to_string();
    let day: String = at.split('T').next()?.chars().filter(|c| *c != '-').collect();
    (day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit())).then_some(day)
}

fn push_as_written(sql: &mut QueryBuilder<Db>, (date, time, _): Columns, span: &Span) {
    // An unknown date lies in no span, nor does an unknown time on the first or the last day.
    sql.push("(").push(date).push(" > ''");
    if let Some(from) = &span.from {
        sql.push(" AND ").push(date).push(" >= ").push_bind(clean(&from.date).into_owned());
        if let Some(end) = day_ends(from) {
            sql.push(" AND (").push(date).push(" >= ").push_bind(end);
            sql.push(" OR ").push(time).push(" >= ").push_bind(clean(&from.time).into_owned());
            sql.push(")");
        }
    }
    if let Some(to) = &span.to {
        if let Some(end) = behind(&clean(&to.date)) {
            sql.push(" AND ").push(date).push(" < ").push_bind(end);
        }
        if let (false, Some(end)) = (to.time.is_empty(), behind(&clean(&to.time))) {
            sql.push(" AND (").push(date).push(" < ").push_bind(clean(&to.date).into_owned());
            sql.push(" OR (").push(time).push(" > '' AND ").push(time).push(" < ");
            sql.push_bind(end).push("))");
        }
    }
    sql.push(")");
}

/// Where the day of a moment ends, when its time matters.
fn day_ends(from: &Moment) -> Option<String> {
    if from.time.is_empty() { None } else { behind(&clean(&from.date)) }
}

fn push_instants(sql: &mut QueryBuilder<Db>, (_, _, instant): Columns, instants: Instants) {
    sql.push("1 = 1");
    if let Some(from) = instants.from_us {
        sql.push(" AND ").push(instant).push(" >= ").push_bind(from);
    }
    if let Some(before) = instants.before_us {
        sql.push(" AND ").push(instant).push(" < ").push_bind(before);
    }
}
