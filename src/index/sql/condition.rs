//! One condition of a search as SQL.

use sqlx::QueryBuilder;

use crate::dicom::extended::Owner;
use crate::dicom::person_name::fold;
use crate::index::query::ExtendedKey;
use crate::index::query::Key;
use crate::index::query::Match;
use crate::index::query::Rule;

use super::dialect::Db;
use super::dialect::pattern;
use super::extended;
use super::fuzzy;
use super::rows::clean;
use super::span;

/// Whether a key's attribute stands in the patient's row.
pub(super) fn is_of_patient(key: Key) -> bool {
    matches!(
        key,
        Key::PatientId
            | Key::IssuerOfPatientId
            | Key::PatientName
            | Key::PatientBirthDate
            | Key::PatientSex
            | Key::Extended(ExtendedKey { owner: Owner::Patient, .. })
    )
}

/// Whether a condition leaves so few rows, by an index of its own, that the search had better
/// begin with it.
pub(super) fn is_selective(condition: &Match) -> bool {
    let indexed = matches!(
        condition.key,
        Key::PatientId
            | Key::PatientName
            | Key::AccessionNumber
            | Key::StudyInstanceUid
            | Key::SeriesInstanceUid
            | Key::SopInstanceUid
            | Key::Extended(_)
    );
    let narrow = match &condition.rule {
        Rule::Any(rules) => !rules.is_empty() && rules.iter().all(is_narrow),
        rule => is_narrow(rule),
    };
    indexed && narrow
}

fn is_narrow(rule: &Rule) -> bool {
    match rule {
        Rule::Equal(text) => !text.is_empty(),
        Rule::AnyOf(_) => true,
        Rule::Fuzzy(words) => words.iter().any(|word| !word.anywhere),
        Rule::Wildcard(pattern) => !pattern.starts_with(['*', '?']),
        Rule::Range { .. } | Rule::Empty | Rule::Any(_) | Rule::Span(_) => false,
    }
}

/// Writes a condition; the rows are called `p`, `st`, `se`, `i`, and `newest` is the one that has
/// the study's date and time.
pub(super) fn push_match(sql: &mut QueryBuilder<Db>, condition: &Match, newest: Newest) {
    let rule = &condition.rule;
    match rule {
        Rule::Any(rules) => return push_alternatives(sql, condition.key, rules, newest),
        Rule::Fuzzy(words) => return fuzzy::push(sql, condition.key, words),
        Rule::Span(span) => return span::push(sql, condition.key, span, newest),
        Rule::Equal(_) | Rule::Wildcard(_) | Rule::AnyOf(_) | Rule::Range { .. } | Rule::Empty => {}
    }
    let column = match condition.key {
        Key::PatientId => "p.patient_id",
        Key::IssuerOfPatientId => "p.issuer",
        Key::PatientName => return push_rule(sql, "p.name_folded", &folded(rule)),
        Key::PatientBirthDate => "p.birth_date",
        Key::PatientSex => "p.sex",
        Key::StudyInstanceUid => "st.uid",
        Key::StudyDate => newest.date(),
        Key::StudyTime => newest.time(),
        Key::AccessionNumber => "st.accession",
        Key::ReferringPhysicianName => {
            return push_rule(sql, "st.referring_folded", &folded(rule));
        }
        Key::StudyId => "st.study_id",
        Key::StudyDescription => "st.description",
        Key::ModalitiesInStudy => {
            return push_any(sql, "study_modality x WHERE x.study = st.id", "x.modality", rule);
        }
        Key::SeriesInstanceUid => "se.uid",
        Key::Modality => "se.modality",
        Key::SeriesNumber => "se.number",
        Key::SeriesDescription => "se.description",
        Key::BodyPartExamined => "se.body_part",
        Key::PerformedDate => "se.performed_date",
        Key::PerformedTime => "se.performed_time",
        Key::ScheduledStepId | Key::RequestedProcedureId => {
            return push_any(sql, REQUESTS, request_column(condition.key), rule);
        }
        Key::SopInstanceUid => "i.uid",
        Key::SopClassUid => "i.sop_class",
        Key::InstanceNumber => "i.number",
        Key::Extended(key) => return extended::push_match(sql, key, rule),
    };
    push_rule(sql, column, rule);
}

/// The items of Request Attributes Sequence (0040,0275) of a series.
const REQUESTS: &str = "request x WHERE x.series = se.id";

/// Whether a key's attribute stands in the items of Request Attributes Sequence.
pub(super) fn is_of_request(key: Key) -> bool {
    matches!(key, Key::ScheduledStepId | Key::RequestedProcedureId)
}

fn request_column(key: Key) -> &'static str {
    if key == Key::ScheduledStepId { "x.scheduled_step_id" } else { "x.procedure_id" }
}

/// Writes the conditions on the items of Request Attributes Sequence: one item meets all of them
/// (PS3.4 §C.2.2.2.6), but for what must be empty in every item and what matches everything.
pub(super) fn push_requests(sql: &mut QueryBuilder<Db>, conditions: &[&Match]) {
    let mut together = Vec::new();
    for condition in conditions {
        match &condition.rule {
            Rule::Wildcard(pattern) if is_everything(pattern) => {}
            Rule::Empty | Rule::Any(_) | Rule::Fuzzy(_) | Rule::Span(_) => {
                sql.push(" AND ");
                push_match(sql, condition, Newest::Study);
            }
            rule => together.push((request_column(condition.key), rule)),
        }
    }
    if together.is_empty() {
        return;
    }
    sql.push(" AND ").push(ANY).push(REQUESTS);
    for (column, rule) in together {
        sql.push(" AND ");
        push_rule(sql, column, rule);
    }
    sql.push(ANY_END);
}

/// Any of several rules on one key.
fn push_alternatives(sql: &mut QueryBuilder<Db>, key: Key, rules: &[Rule], newest: Newest) {
    // Nothing but the alternatives: SQLite reads each from its index only then.
    sql.push(if rules.is_empty() { "(1 = 0" } else { "(" });
    for (number, rule) in rules.iter().enumerate() {
        if number > 0 {
            sql.push(" OR ");
        }
        // The door makes no rules of rules; they would have no end to their depth.
        if matches!(rule, Rule::Any(_)) {
            sql.push("1 = 0");
        } else {
            push_match(sql, &Match { key, rule: rule.clone() }, newest);
        }
    }
    sql.push(")");
}

/// Where the order "newest first" is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Newest {
    /// The studies.
    Study,
    /// The studies of one modality, `m`.
    Modality,
}

impl Newest {
    pub(super) fn date(self) -> &'static str {
        match self {
            Self::Study => "st.date",
            Self::Modality => "m.date",
        }
    }

    pub(super) fn time(self) -> &'static str {
        match self {
            Self::Study => "st.time",
            Self::Modality => "m.time",
        }
    }

    /// The study's row.
    pub(super) fn study_row(self) -> &'static str {
        match self {
            Self::Study => "st.id",
            Self::Modality => "m.study",
        }
    }

    /// The order itself.
    pub(super) fn order(self) -> &'static str {
        match self {
            Self::Study => "st.date DESC, st.time DESC, st.id DESC",
            Self::Modality => "m.date DESC, m.time DESC, m.study DESC",
        }
    }
}

/// Whether there is a row: these around what follows FROM. Not EXISTS: SQLite 3.51 makes a join of
/// it that gives a row with two such rows twice to a search with an offset.
pub(super) const ANY: &str = "(SELECT 1 FROM ";
/// See [`ANY`].
pub(super) const ANY_END: &str = " LIMIT 1) = 1";

/// A condition on an attribute of which there may be many: any of them, or for an empty one none.
fn push_any(sql: &mut QueryBuilder<Db>, rows: &str, column: &'static str, rule: &Rule) {
    match rule {
        Rule::Empty => {
            sql.push("NOT EXISTS (SELECT 1 FROM ").push(rows).push(" AND ");
            sql.push(column).push(" <> '')");
        }
        Rule::Wildcard(pattern) if is_everything(pattern) => {
            sql.push("1 = 1");
        }
        rule => {
            sql.push(ANY).push(rows).push(" AND ");
            push_rule(sql, column, rule);
            sql.push(ANY_END);
        }
    }
}

fn folded(rule: &Rule) -> Rule {
    match rule {
        Rule::Equal(text) => Rule::Equal(fold(text)),
        Rule::Wildcard(text) => Rule::Wildcard(fold(text)),
        Rule::AnyOf(texts) => Rule::AnyOf(texts.iter().map(|text| fold(text)).collect()),
        rule => rule.clone(),
    }
}

pub(super) fn push_rule(sql: &mut QueryBuilder<Db>, column: &'static str, rule: &Rule) {
    match rule {
        // Taken apart before they come to a column.
        Rule::Any(_) | Rule::Fuzzy(_) | Rule::Span(_) => {
            sql.push("1 = 0");
        }
        Rule::Equal(text) => {
            sql.push(column).push(" = ").push_bind(clean(text).into_owned());
        }
        Rule::Empty => {
            sql.push(column).push(" = ''");
        }
        Rule::Wildcard(pattern) => push_wildcard(sql, column, &clean(pattern)),
        Rule::AnyOf(texts) => {
            if let [text] = texts.as_slice() {
                return push_rule(sql, column, &Rule::Equal(text.clone()));
            }
            sql.push(column).push(" IN (");
            let mut list = sql.separated(", ");
            for text in texts {
                list.push_bind(clean(text).into_owned());
            }
            if texts.is_empty() {
                list.push("NULL");
            }
            sql.push(")");
        }
        Rule::Range { from, to } => {
            // An empty value lies in no range.
            let from = from.as_deref().map(clean).unwrap_or_default();
            push_between(
                sql,
                column,
                if from.is_empty() { None } else { Some(&from) },
                to.as_deref(),
            );
        }
    }
}

/// From `from`, or from the first value that is not empty, to the last that begins with `to`.
pub(super) fn push_between(
    sql: &mut QueryBuilder<Db>,
    column: &'static str,
    from: Option<&str>,
    to: Option<&str>,
) {
    match from {
        Some(from) => sql.push(column).push(" >= ").push_bind(from.to_owned()),
        None => sql.push(column).push(" > ''"),
    };
    if let Some(end) = to.and_then(|to| behind(&clean(to))) {
        sql.push(" AND ").push(column).push(" < ").push_bind(end);
    }
}

fn push_wildcard(sql: &mut QueryBuilder<Db>, column: &'static str, wanted: &str) {
    if is_everything(wanted) {
        sql.push("1 = 1");
        return;
    }
    let Some(at) = wanted.find(['*', '?']) else {
        sql.push(column).push(" = ").push_bind(wanted.to_owned());
        return;
    };
    let (prefix, rest) = wanted.split_at(at);
    // What stands before the first wildcard is a range, which every index can answer.
    if !prefix.is_empty() {
        push_between(sql, column, Some(prefix), Some(prefix));
        if is_everything(rest) {
            return;
        }
        sql.push(" AND ");
    }
    pattern(sql, column, wanted);
}

fn is_everything(pattern: &str) -> bool {
    !pattern.is_empty() && pattern.chars().all(|character| character == '*')
}

/// The first text behind all that begin with `prefix`, in the order of code points, which is the
/// order of UTF-8 bytes; `None`: there is no end to them.
pub(super) fn behind(prefix: &str) -> Option<String> {
    let mut rest = prefix;
    while let Some((at, last)) = rest.char_indices().next_back() {
        let start = rest.get(..at)?;
        // The surrogates between U+D7FF and U+E000 are no characters.
        let next =
            u32::from(last).checked_add(1).map(|next| if next == 0xD800 { 0xE000 } else { next });
        if let Some(next) = next.and_then(char::from_u32) {
            return Some(format!("{start}{next}"));
        }
        rest = start;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::behind;

    #[test]
    fn behind_a_prefix_comes_its_last_character_plus_one() {
        for (prefix, expected) in [
            ("", None),
            ("202601", Some("202602")),
            ("A\u{D7FF}", Some("A\u{E000}")),
            ("A\u{10FFFF}", Some("B")),
            ("\u{10FFFF}", None),
        ] {
            assert_eq!(behind(prefix).as_deref(), expected, "{prefix:?}");
        }
    }
}
