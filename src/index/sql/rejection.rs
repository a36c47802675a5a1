//! Rejection notes: what they name goes into the bin, whether it was here before them or comes after.
//!
//! A note and an object it names may be entered at once, on two nodes. Whoever enters a note holds the
//! event counter while it looks for the objects and counts the note there; whoever enters objects
//! raises that counter last, and only when no note was counted since it looked for notes
//! (`events::write`): else it begins again.

use std::collections::BTreeMap;
use std::collections::HashSet;

use sqlx::QueryBuilder;

use crate::index::error::IndexError;
use crate::model::path::InstancePath;
use crate::model::path::Scope;
use crate::model::rejection::Note;
use crate::model::rejection::Reason;
use crate::model::study::NewInstance;
use crate::model::study::Outcome;

use super::bin;
use super::bin::Ids;
use super::bin::Put;
use super::bin::Why;
use super::dialect::Db;
use super::dialect::LOCK_ROWS;
use super::dialect::Tx;
use super::dialect::failed;
use super::dialect::lost_a_race;
use super::people;
use super::places::Notes;
use super::records::get;
use super::rows::pieces;
use super::rows::values;
use super::tail::Tail;

/// An instance a note names.
#[derive(Debug, Clone)]
pub(super) struct Rejected {
    path: InstancePath,
    reason: Reason,
    /// SOP Instance UID of the note.
    note: String,
}

/// What notes say of an instance that comes.
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    /// Nothing.
    Free,
    /// It goes into the bin.
    Rejected(Rejected),
    /// Its bytes lie there already.
    Here,
    /// It was here, was rejected, and may not come again.
    Refused(Reason),
}

impl Verdict {
    /// The number of an instance that is entered.
    pub(super) fn is_entered((number, verdict): (usize, &Self)) -> Option<usize> {
        matches!(verdict, Self::Free | Self::Rejected(_)).then_some(number)
    }

    /// What goes into the bin.
    pub(super) fn rejected(&self) -> Option<&Rejected> {
        if let Self::Rejected(rejected) = self { Some(rejected) } else { None }
    }

    /// What becomes of an instance that is not entered.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Refused(reason) => Outcome::Refused(*reason),
            Self::Free | Self::Rejected(_) | Self::Here => Outcome::AlreadyHere,
        }
    }
}

fn path(new: &NewInstance) -> InstancePath {
    InstancePath {
        study: new.study.uid.clone(),
        series: new.series.uid.clone(),
        instance: new.instance.uid.clone(),
    }
}

/// What notes say of each instance. One that expired may come again: its rejection is lifted then
/// (IHE RAD TF-3 §4.66.4.4.3).
pub(super) async fn judge(
    tx: &mut Tx<'_>,
    instances: &[NewInstance],
) -> Result<Vec<Verdict>, IndexError> {
    let mut verdicts = vec![Verdict::Free; instances.len()];
    let numbers: Vec<usize> = (0..instances.len()).collect();
    for piece in pieces(&numbers) {
        let mut sql = QueryBuilder::<Db>::new("WITH k (number, study, series, instance) AS (");
        values(&mut sql, piece, |row, number| {
            let Some(new) = instances.get(*number) else { return };
            row.whole(i64::try_from(*number).unwrap_or(i64::MAX)).text(new.study.uid.as_str());
            row.text(new.series.uid.as_str()).text(new.instance.uid.as_str());
        });
        sql.push(
            ") SELECT k.number, r.reason, r.note, b.id, b.data_set_sha256, b.facts FROM k
             JOIN rejection r ON r.study = k.study AND r.series = k.series
               AND r.instance = k.instance
             LEFT JOIN bin b ON b.study = k.study AND b.series = k.series
               AND b.instance = k.instance",
        );
        for row in sql.build().fetch_all(&mut **tx).await.map_err(failed)? {
            let number = usize::try_from(get::<i64>(&row, 0)?).ok();
            let found = number.and_then(|n| Some((instances.get(n)?, verdicts.get_mut(n)?)));
            let Some((new, verdict)) = found else { continue };
            let code: String = get(&row, 1)?;
            let Some(reason) = Reason::of_code(&code) else { continue };
            let was_here = get::<Option<i64>>(&row, 3)?.is_some();
            let (hash, facts) = (get::<Option<Vec<u8>>>(&row, 4)?, get::<Option<String>>(&row, 5)?);
            let is_same = hash.is_some_and(|hash| hash == new.copy.data_set_sha256)
                && facts.is_some_and(|facts| bin::syntax_in(&facts) == new.copy.transfer_syntax);
            if was_here && reason == Reason::RetentionExpired {
                let mut sql = QueryBuilder::<Db>::new("DELETE FROM rejection WHERE ");
                bin::push_bin(&mut sql, &Scope::instance(path(new)));
                sql.build().execute(&mut **tx).await.map_err(failed)?;
                continue;
            }
            *verdict = if was_here && reason.refuses() {
                Verdict::Refused(reason)
            } else if is_same || matches!(verdict, Verdict::Here) {
                Verdict::Here
            } else {
                Verdict::Rejected(Rejected { path: path(new), reason, note: get(&row, 2)? })
            };
        }
    }
    Ok(verdicts)
}

/// Enters the notes among instances just entered, and puts what they and `rejected` name into the bin.
/// Gives what went there, and whether there was a note.
pub(super) async fn apply(
    tx: &mut Tx<'_>,
    tail: &mut Tail,
    instances: &[NewInstance],
    outcomes: &mut [Outcome],
    rejected: &[Rejected],
    known: Notes,
    now_us: i64,
) -> Result<(Put, bool), IndexError> {
    // One kept beside other bytes of its name was taken as well: what it says holds.
    let entered = |outcome: &Outcome| matches!(outcome, Outcome::Stored | Outcome::KeptBeside);
    let taken = instances.iter().zip(&*outcomes).filter(|(_, outcome)| entered(outcome));
    let notes =
        taken.filter_map(|(new, _)| Some((new.rejects.as_ref()?, new.instance.uid.as_str())));
    let notes: Vec<(&Note, &str)> = notes.collect();
    if notes.is_empty() && rejected.is_empty() {
        return Ok((Put::default(), false));
    }
    // What was entered is read below.
    tail.send(tx).await?;
    let mut named: BTreeMap<(&str, &str), Vec<&InstancePath>> = BTreeMap::new();
    for rejected in rejected {
        let why = (rejected.reason.code(), rejected.note.as_str());
        named.entry(why).or_default().push(&rejected.path);
    }
    if !notes.is_empty() {
        lock(tx, &notes, known).await?;
    }
    for (note, uid) in &notes {
        let distinct: HashSet<&InstancePath> = note.instances.iter().collect();
        let distinct: Vec<&InstancePath> = distinct.into_iter().collect();
        enter(tx, note.reason, uid, &distinct, now_us).await?;
        named.entry((note.reason.code(), uid)).or_default().extend(distinct);
    }
    people::lock(tx).await?;
    let mut binned = Put::default();
    for ((reason, note), paths) in named {
        let ids = find(tx, &paths).await?;
        binned.extend(bin::put(tx, tail, &ids, Why { reason, note }, now_us).await?);
    }
    let gone: HashSet<InstancePath> = binned.instances.iter().map(path).collect();
    for (new, outcome) in instances.iter().zip(outcomes) {
        if entered(outcome) && gone.contains(&path(new)) {
            *outcome = Outcome::Rejected;
        }
    }
    Ok((binned, !notes.is_empty()))
}

/// Keeps others from entering what the notes name: the series first, as whoever stores into them does,
/// then who is who, which what goes into the bin changes, then the counter.
async fn lock(tx: &mut Tx<'_>, notes: &[(&Note, &str)], known: Notes) -> Result<(), IndexError> {
    let series = notes.iter().flat_map(|(note, _)| &note.instances);
    let series: HashSet<(&str, &str)> =
        series.map(|path| (path.study.as_str(), path.series.as_str())).collect();
    let series: Vec<(&str, &str)> = series.into_iter().collect();
    for piece in pieces(&series).filter(|_| LOCK_ROWS.is_some()) {
        let mut sql = QueryBuilder::<Db>::new("WITH k (study, series) AS (");
        values(&mut sql, piece, |row, (study, series)| {
            row.text(study).text(series);
        });
        sql.push(
            ") SELECT se.id FROM k JOIN study st ON st.uid = k.study
             JOIN series se ON se.study = st.id AND se.uid = k.series ORDER BY se.id",
        );
        sql.push(LOCK_ROWS.unwrap_or_default()).push(" OF se");
        sql.build().execute(&mut **tx).await.map_err(failed)?;
    }
    people::lock(tx).await?;
    let mut sql = QueryBuilder::<Db>::new("SELECT notes FROM event_counter WHERE one = 1");
    sql.push(LOCK_ROWS.unwrap_or_default());
    let now: i64 = sql.build_query_scalar().fetch_one(&mut **tx).await.map_err(failed)?;
    if now != known.counted {
        return Err(lost_a_race());
    }
    let raised = "UPDATE event_counter SET notes = notes + 1 WHERE one = 1";
    sqlx::query(raised).execute(&mut **tx).await.map_err(failed)?;
    Ok(())
}

/// Enters what a note names, and why, in place of what milder notes said; what lies in the bin learns
/// of it.
async fn enter(
    tx: &mut Tx<'_>,
    reason: Reason,
    note: &str,
    paths: &[&InstancePath],
    now_us: i64,
) -> Result<(), IndexError> {
    for piece in pieces(paths) {
        let mut sql = QueryBuilder::<Db>::new(
            "INSERT INTO rejection (study, series, instance, reason, note, noted_us) ",
        );
        values(&mut sql, piece, |row, path| {
            row.text(path.study.as_str()).text(path.series.as_str()).text(path.instance.as_str());
            row.text(reason.code()).text(note).whole(now_us);
        });
        sql.push(
            " ON CONFLICT (study, series, instance) DO UPDATE SET reason = excluded.reason,
               note = excluded.note, noted_us = excluded.noted_us WHERE rejection.reason IN (",
        );
        push_reasons(&mut sql, reason.replaces());
        sql.build().execute(&mut **tx).await.map_err(failed)?;

        let mut sql = QueryBuilder::<Db>::new("WITH k (study, series, instance) AS (");
        push_paths(&mut sql, piece);
        sql.push(") UPDATE bin SET reason = ").push_bind(reason.code());
        sql.push(", note = ").push_bind(note.to_owned());
        if reason == Reason::RetentionExpired {
            sql.push(", deleted_us = ").push_bind(now_us);
        }
        sql.push(
            " FROM k WHERE bin.study = k.study AND bin.series = k.series
               AND bin.instance = k.instance AND bin.reason IN ('', ",
        );
        // What is to be deleted is purged, whatever was said of it before; its time begins anew.
        let expired = reason == Reason::RetentionExpired;
        push_reasons(&mut sql, if expired { &Reason::ALL } else { reason.replaces() });
        sql.build().execute(&mut **tx).await.map_err(failed)?;
    }
    Ok(())
}

/// The instances of these names that are here, whoever's they are.
async fn find(tx: &mut Tx<'_>, paths: &[&InstancePath]) -> Result<Vec<Ids>, IndexError> {
    let mut found = Vec::new();
    for piece in pieces(paths) {
        let mut sql = QueryBuilder::<Db>::new("WITH k (study, series, instance) AS (");
        push_paths(&mut sql, piece);
        sql.push(
            ") SELECT i.id, se.id, st.id, st.patient FROM k JOIN study st ON st.uid = k.study
             JOIN series se ON se.study = st.id AND se.uid = k.series
             JOIN instance i ON i.series = se.id AND i.uid = k.instance",
        );
        let ids: Vec<Ids> = sql.build_query_as().fetch_all(&mut **tx).await.map_err(failed)?;
        found.extend(ids);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// What notes say of a scope counts no more.
pub(super) async fn lift(tx: &mut Tx<'_>, scope: &Scope) -> Result<(), IndexError> {
    let mut sql = QueryBuilder::<Db>::new("DELETE FROM rejection WHERE ");
    bin::push_bin(&mut sql, &Scope { patient: None, ..scope.clone() });
    sql.build().execute(&mut **tx).await.map_err(failed)?;
    Ok(())
}

fn push_paths(sql: &mut QueryBuilder<Db>, paths: &[&InstancePath]) {
    values(sql, paths, |row, path| {
        row.text(path.study.as_str()).text(path.series.as_str()).text(path.instance.as_str());
    });
}

/// Writes codes behind an opening bracket, and the closing one.
fn push_reasons(sql: &mut QueryBuilder<Db>, reasons: &[Reason]) {
    for (number, reason) in reasons.iter().enumerate() {
        sql.push(if number > 0 { ", " } else { "" });
        sql.push_bind(reason.code());
    }
    sql.push(")");
}
