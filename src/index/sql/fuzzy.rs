//! Names by ear as SQL: the words of a name and how they sound are kept beside it.
//!
//! A word may be one patient's or every tenth's (Maria, and all that sounds like it). Few are looked up
//! and their studies sorted; of many, a page is found sooner by walking the studies newest first and
//! asking of each whose it is. [`weigh`] counts, no further than it must, which of the two it is.

use std::time::Duration;

use sqlx::QueryBuilder;

use crate::dicom::person_name::fold;
use crate::dicom::phonetic::sound;
use crate::dicom::phonetic::words;
use crate::index::error::IndexError;
use crate::index::query::Key;
use crate::index::query::Query;
use crate::index::query::Rule;
use crate::index::query::Spellings;

use super::condition::ANY;
use super::condition::ANY_END;
use super::condition::push_between;
use super::dialect::Db;
use super::dialect::failed;
use super::dialect::pattern;
use super::dialect::within;
use super::records::get;
use super::rows::clean;

/// The words of a name with their keys in one text, `|WORD=KEY|WORD=KEY|`, for names that have no
/// table of their words: words hold letters and digits only.
pub(super) fn words_of(name: &str) -> String {
    let words = words(name);
    if words.is_empty() {
        return String::new();
    }
    let kept =
        words.iter().fold("|".to_owned(), |text, word| text + word + "=" + &sound(word) + "|");
    clean(&kept).into_owned()
}

/// Writes a condition on a name; on what is no name it never holds.
pub(super) fn push(sql: &mut QueryBuilder<Db>, key: Key, asked: &[Spellings]) {
    let of_key: fn(&mut QueryBuilder<Db>, &Spellings) = match key {
        Key::PatientName => of_patient,
        Key::ReferringPhysicianName => of_referring,
        _ => {
            sql.push("1 = 0");
            return;
        }
    };
    sql.push("(1 = 1");
    for word in asked {
        sql.push(" AND ");
        of_key(sql, word);
    }
    sql.push(")");
}

/// How the patients of a name are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// As the planner likes.
    Anyhow,
    /// From the patients of this word, the other words asked of each.
    From(usize),
    /// From the studies, newest first, all words asked of each.
    Walk,
}

/// Patients of one word counted, to know which word has the fewest.
const COUNTED: i64 = 20_000;

/// Counts how many patients a search by name may be about.
pub(super) async fn weigh(
    pool: &sqlx::Pool<Db>,
    query: &Query,
    limit: Duration,
) -> Result<Heard, IndexError> {
    let Some(words) = words_asked(query) else { return Ok(Heard::Anyhow) };
    let mut sql = QueryBuilder::<Db>::new("SELECT (SELECT max(id) FROM study)");
    for word in words {
        sql.push(", (SELECT count(*) FROM (");
        push_list(&mut sql, word);
        sql.push(" LIMIT CAST(").push_bind(COUNTED).push(" AS BIGINT)) AS x)");
    }
    let row = sql.build().fetch_one(pool).await.map_err(failed)?;
    let studies: Option<i64> = get(&row, 0)?;
    let few = few(studies.unwrap_or_default(), query);
    let counts: Vec<i64> =
        (1..=words.len()).map(|at| get(&row, at)).collect::<Result<_, IndexError>>()?;
    let rarest = counts.iter().enumerate().min_by_key(|(_, count)| **count);
    let Some((rarest, count)) = rarest else { return Ok(Heard::Anyhow) };
    if *count < few {
        return Ok(Heard::From(rarest));
    }
    if words.len() == 1 {
        return Ok(Heard::Walk);
    }
    // Two common words may have nobody in common.
    let mut sql = QueryBuilder::<Db>::new("SELECT count(*) FROM (SELECT 1 AS one FROM (");
    if let Some(word) = words.get(rarest) {
        push_list(&mut sql, word);
    }
    sql.push(") AS d WHERE 1 = 1");
    for (_, word) in words.iter().enumerate().filter(|(at, _)| *at != rarest) {
        sql.push(" AND ");
        push_probe(&mut sql, "d.patient", word);
    }
    sql.push(" LIMIT CAST(").push_bind(few).push(" AS BIGINT)) AS x");
    let rows = within(pool, sql, Some(limit)).await?;
    let count: i64 = rows.first().map(|row| get(row, 0)).transpose()?.unwrap_or_default();
    Ok(if count < few { Heard::From(rarest) } else { Heard::Walk })
}

/// So many patients are looked up one by one; of more, fewer studies are walked by than that until a
/// page is full: of `n` studies and a page of `p`, walking to `m` patients' takes `n p / m` steps.
fn few(studies: i64, query: &Query) -> i64 {
    let page = i64::from(query.limit).saturating_add(i64::from(query.offset));
    studies.max(0).saturating_mul(page).isqrt().clamp(1_000, COUNTED)
}

/// The words of a search by patient's name that nothing else narrows.
fn words_asked(query: &Query) -> Option<&[Spellings]> {
    let scoped = query.study.is_some() || query.series.is_some() || query.patient.is_some();
    if scoped || !query.order.is_empty() {
        return None;
    }
    let mut words = None;
    for condition in &query.matches {
        match (condition.key, &condition.rule) {
            (Key::PatientName, Rule::Fuzzy(asked)) if words.is_none() => words = Some(asked),
            // What an index of the walk itself answers.
            (Key::StudyDate, Rule::Equal(_) | Rule::Range { .. })
            | (Key::ModalitiesInStudy | Key::Modality, Rule::Equal(_) | Rule::AnyOf(_)) => {}
            _ => return None,
        }
    }
    let whole = |words: &&Vec<Spellings>| {
        !words.is_empty() && words.iter().all(|word| !word.anywhere && !word.any.is_empty())
    };
    words.filter(whole).map(Vec::as_slice)
}

/// Writes a condition on the patient's name of the study `st`, which [`weigh`] weighed.
pub(super) fn push_heard(sql: &mut QueryBuilder<Db>, asked: &[Spellings], heard: Heard) {
    let from = match heard {
        Heard::From(number) => asked.get(number),
        Heard::Walk | Heard::Anyhow => None,
    };
    if let Some(word) = from {
        sql.push("st.patient IN (");
        push_list(sql, word);
        sql.push(") AND ");
    }
    // To PostgreSQL a case holds for half of all rows: of what it thinks rare it would look at all
    // rows at once, and not begin with the newest.
    sql.push("CASE WHEN 1 = 1");
    for (number, word) in asked.iter().enumerate() {
        if heard != Heard::From(number) {
            sql.push(" AND ");
            push_probe(sql, "st.patient", word);
        }
    }
    sql.push(" THEN TRUE ELSE FALSE END");
}

/// The patients of a word, some more than once.
fn push_list(sql: &mut QueryBuilder<Db>, asked: &Spellings) {
    for (number, spelling) in asked.any.iter().enumerate() {
        let folded = clean(&fold(spelling)).into_owned();
        sql.push(if number > 0 { " UNION ALL " } else { "" });
        sql.push("SELECT w.patient FROM patient_word w WHERE ");
        push_between(sql, "w.word", Some(&folded), Some(&folded));
        let key = sound(spelling);
        if !key.is_empty() {
            sql.push(" UNION ALL SELECT w.patient FROM patient_word w WHERE w.sound = ");
            sql.push_bind(key);
        }
    }
}

/// Whether a patient's name has a word.
fn push_probe(sql: &mut QueryBuilder<Db>, patient: &'static str, asked: &Spellings) {
    sql.push(ANY).push("patient_word w WHERE w.patient = ").push(patient).push(" AND (1 = 0");
    for spelling in &asked.any {
        let folded = clean(&fold(spelling)).into_owned();
        sql.push(" OR (");
        push_between(sql, "w.word", Some(&folded), Some(&folded));
        sql.push(")");
        let key = sound(spelling);
        if !key.is_empty() {
            sql.push(" OR w.sound = ").push_bind(key);
        }
    }
    sql.push(")").push(ANY_END);
}

fn of_patient(sql: &mut QueryBuilder<Db>, asked: &Spellings) {
    sql.push("(");
    if let (true, Some(first)) = (asked.anywhere, asked.any.first()) {
        pattern(sql, "p.name_folded", &format!("*{}*", clean(&fold(first))));
        sql.push(" OR ");
    }
    sql.push("p.id IN (");
    push_list(sql, asked);
    sql.push(if asked.any.is_empty() { "NULL))" } else { "))" });
}

fn of_referring(sql: &mut QueryBuilder<Db>, asked: &Spellings) {
    sql.push("(");
    if let (true, Some(first)) = (asked.anywhere, asked.any.first()) {
        pattern(sql, "st.referring_folded", &format!("*{}*", clean(&fold(first))));
        sql.push(" OR ");
    }
    sql.push("1 = 0");
    for spelling in &asked.any {
        sql.push(" OR ");
        pattern(sql, "st.referring_words", &format!("*|{}*", clean(&fold(spelling))));
        let key = sound(spelling);
        if !key.is_empty() {
            sql.push(" OR ");
            pattern(sql, "st.referring_words", &format!("*={key}|*"));
        }
    }
    sql.push(")");
}

#[cfg(test)]
mod tests {
    use super::few;
    use crate::index::query::{Level, Query};

    #[test]
    fn the_more_studies_there_are_the_more_patients_are_looked_up() {
        let page = |limit, offset| Query {
            level: Level::Study,
            study: None,
            series: None,
            patient: None,
            matches: Vec::new(),
            order: Vec::new(),
            limit,
            offset,
        };
        assert_eq!(few(0, &page(101, 0)), 1_000);
        assert_eq!(few(100_000, &page(101, 0)), 3_178);
        assert_eq!(few(100_000, &page(101, 1_000)), 10_492);
        assert_eq!(few(i64::MAX, &page(u32::MAX, u32::MAX)), 20_000);
    }
}
