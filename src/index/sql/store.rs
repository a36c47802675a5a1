//! Entering instances: one transaction of few statements, however many instances.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;

use sqlx::QueryBuilder;

use crate::index::error::IndexError;
use crate::model::event::EventKind;
use crate::model::job::JobKind;
use crate::model::job::NewJob;
use crate::model::study::NewInstance;
use crate::model::study::Outcome;

use super::dialect::Db;
use super::dialect::LOCK_ROWS;
use super::dialect::Tx;
use super::dialect::failed;
use super::events;
use super::extended;
use super::jobs;
use super::places;
use super::places::number_sort;
use super::rejection;
use super::rejection::Rejected;
use super::rejection::Verdict;
use super::rows::pieces;
use super::rows::values;
use super::tail::Tail;

/// Series row and SOP Instance UID: what an instance is known by.
type Known<'a> = (i64, &'a str);

/// What a batch adds to a series.
#[derive(Debug, Default)]
struct Added {
    instances: i64,
    bytes: i64,
}

/// Enters `instances`; the caller commits.
pub(super) async fn store(
    tx: &mut Tx<'_>,
    instances: &[NewInstance],
    jobs: &[(JobKind, i64)],
    now_us: i64,
) -> Result<Vec<Outcome>, IndexError> {
    let looked = places::look(tx, instances).await?;
    let notes = looked.notes;
    if !notes.concern {
        return enter(tx, looked, instances, &[], jobs, now_us).await;
    }
    let verdicts = rejection::judge(tx, instances).await?;
    let kept: Vec<usize> = verdicts.iter().enumerate().filter_map(Verdict::is_entered).collect();
    let batch: Vec<NewInstance> = kept.iter().filter_map(|n| instances.get(*n).cloned()).collect();
    let rejected: Vec<Rejected> = verdicts.iter().filter_map(Verdict::rejected).cloned().collect();
    let mut outcomes: Vec<Outcome> = verdicts.iter().map(Verdict::outcome).collect();
    if batch.is_empty() {
        return Ok(outcomes);
    }
    // Counted before they were judged: a note that came meanwhile is noticed.
    let mut looked = places::look(tx, &batch).await?;
    looked.notes = notes;
    let entered = enter(tx, looked, &batch, &rejected, jobs, now_us).await?;
    for (number, outcome) in kept.into_iter().zip(entered) {
        if let Some(place) = outcomes.get_mut(number) {
            *place = outcome;
        }
    }
    Ok(outcomes)
}

/// Enters what no note keeps out; `rejected` goes into the bin at once.
async fn enter(
    tx: &mut Tx<'_>,
    looked: places::Looked<'_>,
    instances: &[NewInstance],
    rejected: &[Rejected],
    jobs: &[(JobKind, i64)],
    now_us: i64,
) -> Result<Vec<Outcome>, IndexError> {
    let notes = looked.notes;
    let found = places::make(tx, looked, now_us).await?;
    let known: Vec<Known<'_>> = found
        .series
        .iter()
        .zip(instances)
        .map(|(s, new)| (*s, new.instance.uid.as_str()))
        .collect();
    let mut tail = Tail::new();
    let made = make_instances(tx, &mut tail, instances, &known).await?;
    // Every first sight was entered above; what is left is known already, from before or from
    // earlier in this batch.
    let mut outcomes = vec![Outcome::Stored; instances.len()];
    let mut rest: Vec<usize> =
        (0..instances.len()).filter(|number| !made.contains_key(number)).collect();
    // In one order everywhere, so that nodes never wait for each other in a circle; copies of one
    // instance stay in theirs.
    rest.sort_by_key(|number| known.get(*number));
    if !rest.is_empty() {
        // Of these some may be copies of what is only now entered.
        tail.send(tx).await?;
        for (number, outcome) in keep_beside(tx, instances, &known, &rest).await? {
            if let Some(place) = outcomes.get_mut(number) {
                *place = outcome;
            }
        }
    }
    let said = made.iter().filter_map(|(number, id)| {
        let facts = instances.get(*number)?.extended.as_slice();
        let ((patient, study), series) = (found.above.get(*number)?, found.series.get(*number)?);
        (!facts.is_empty()).then_some(([*patient, *study, *series, *id], facts))
    });
    extended::enter(tx, &said.collect::<Vec<_>>()).await?;
    touch(tx, &mut tail, &added(instances, &found.series, &outcomes), jobs, now_us).await?;
    let mut happened = happened(tx, instances, &outcomes, &found).await?;
    let binned = rejection::apply(tx, &mut tail, instances, &mut outcomes, rejected, notes, now_us);
    let (binned, noted) = binned.await?;
    happened.extend(binned.instances.iter().map(|new| (EventKind::InstanceRejected, new)));
    // Last, so that the counter is held shortly and the order of commits is the order of sequences.
    let notes = (!noted).then_some(notes.counted);
    events::write(tx, &mut tail, &happened, notes, now_us).await?;
    tail.send(tx).await?;
    binned.tell(tx, now_us).await?;
    Ok(outcomes)
}

/// Enters the instances seen first, with the copies that are served; gives their numbers and rows.
async fn make_instances(
    tx: &mut Tx<'_>,
    tail: &mut Tail,
    instances: &[NewInstance],
    known: &[Known<'_>],
) -> Result<BTreeMap<usize, i64>, IndexError> {
    let mut firsts: BTreeMap<Known<'_>, usize> = BTreeMap::new();
    for (number, key) in known.iter().enumerate() {
        firsts.entry(*key).or_insert(number);
    }
    let rows: Vec<(Known<'_>, &NewInstance)> =
        firsts.iter().filter_map(|(key, number)| Some((*key, instances.get(*number)?))).collect();
    let mut made: Vec<(i64, usize)> = Vec::with_capacity(rows.len());
    for piece in pieces(&rows) {
        let mut sql = QueryBuilder::<Db>::new(
            "INSERT INTO instance (series, uid, sop_class, number, number_sort, frames, attributes) ",
        );
        values(&mut sql, piece, |row, ((series, uid), new)| {
            let facts = &new.instance;
            row.whole(*series).text(uid).text(facts.sop_class.as_str()).text(&facts.number);
            row.whole(number_sort(&facts.number)).whole(i64::from(facts.frames));
            row.text(&facts.attributes);
        });
        sql.push(" ON CONFLICT (uid, series) DO NOTHING RETURNING id, series, uid");
        let rows: Vec<(i64, i64, String)> =
            sql.build_query_as().fetch_all(&mut **tx).await.map_err(failed)?;
        for (id, series, uid) in rows {
            made.extend(firsts.get(&(series, uid.as_str())).map(|number| (id, *number)));
        }
    }
    let copies: Vec<(i64, &NewInstance)> =
        made.iter().filter_map(|(id, number)| Some((*id, instances.get(*number)?))).collect();
    for piece in pieces(&copies) {
        insert_copies(tail.begin(""), piece, 1);
        tail.end(tx).await?;
    }
    Ok(made.into_iter().map(|(id, number)| (number, id)).collect())
}

fn insert_copies(sql: &mut QueryBuilder<Db>, rows: &[(i64, &NewInstance)], served: i64) {
    sql.push(
        "INSERT INTO copy (instance, served, blob_key, blob_bytes, data_set_sha256,
           transfer_syntax, source, received_us, layout) ",
    );
    values(sql, rows, |row, (instance, new)| {
        let copy = &new.copy;
        row.whole(*instance).whole(served).text(&copy.blob_key).whole(signed(copy.blob_bytes));
        row.bytes(&copy.data_set_sha256).text(&copy.transfer_syntax).text(&copy.source);
        row.whole(copy.received_us).bytes(&copy.layout);
    });
}

/// Keeps what is not here yet of instances that are known, in their order.
async fn keep_beside(
    tx: &mut Tx<'_>,
    instances: &[NewInstance],
    known: &[Known<'_>],
    rest: &[usize],
) -> Result<Vec<(usize, Outcome)>, IndexError> {
    let keys: Vec<Known<'_>> =
        rest.iter().filter_map(|number| known.get(*number).copied()).collect();
    let mut rows: HashMap<(i64, String), i64> = HashMap::new();
    let mut kept: HashSet<(i64, Vec<u8>, String)> = HashSet::new();
    for piece in pieces(&keys) {
        let mut sql = QueryBuilder::<Db>::new("WITH k (series, uid) AS (");
        values(&mut sql, piece, |row, (series, uid)| {
            row.whole(*series).text(uid);
        });
        sql.push(
            ") SELECT i.id, i.series, i.uid, c.data_set_sha256, c.transfer_syntax FROM k
             JOIN instance i ON i.uid = k.uid AND i.series = k.series
             JOIN copy c ON c.instance = i.id",
        );
        let found: Vec<(i64, i64, String, Vec<u8>, String)> =
            sql.build_query_as().fetch_all(&mut **tx).await.map_err(failed)?;
        for (id, series, uid, hash, syntax) in found {
            rows.insert((series, uid), id);
            kept.insert((id, hash, syntax));
        }
    }
    let mut outcomes = Vec::with_capacity(rest.len());
    for number in rest {
        let (Some(new), Some((series, uid))) = (instances.get(*number), known.get(*number)) else {
            continue;
        };
        let id = *rows.get(&(*series, (*uid).to_owned())).ok_or_else(no_copy)?;
        let copy = &new.copy;
        let same = (id, copy.data_set_sha256.to_vec(), copy.transfer_syntax.clone());
        let outcome = if kept.contains(&same) {
            Outcome::AlreadyHere
        } else {
            let mut sql = QueryBuilder::new("");
            insert_copies(&mut sql, &[(id, new)], 0);
            // Another node may have entered the same bytes since the look above.
            sql.push(" ON CONFLICT (instance, data_set_sha256, transfer_syntax) DO NOTHING");
            let done = sql.build().execute(&mut **tx).await.map_err(failed)?;
            kept.insert(same);
            if done.rows_affected() == 1 { Outcome::KeptBeside } else { Outcome::AlreadyHere }
        };
        outcomes.push((*number, outcome));
    }
    Ok(outcomes)
}

/// What the outcomes add to each series.
fn added(instances: &[NewInstance], series: &[i64], outcomes: &[Outcome]) -> BTreeMap<i64, Added> {
    let mut added: BTreeMap<i64, Added> = BTreeMap::new();
    for ((new, series), outcome) in instances.iter().zip(series).zip(outcomes) {
        if !matches!(outcome, Outcome::Stored | Outcome::KeptBeside) {
            continue;
        }
        let sum = added.entry(*series).or_default();
        sum.instances = sum.instances.saturating_add(i64::from(*outcome == Outcome::Stored));
        sum.bytes = sum.bytes.saturating_add(signed(new.copy.blob_bytes));
    }
    added
}

/// Counts what came into the series and queues their jobs.
async fn touch(
    tx: &mut Tx<'_>,
    tail: &mut Tail,
    added: &BTreeMap<i64, Added>,
    jobs: &[(JobKind, i64)],
    now_us: i64,
) -> Result<(), IndexError> {
    if let (Some(lock), true) = (LOCK_ROWS, added.len() > 1) {
        // In one order everywhere, so that nodes never wait for each other in a circle.
        let mut sql = QueryBuilder::<Db>::new("SELECT id FROM series WHERE id IN (");
        let mut list = sql.separated(", ");
        for series in added.keys() {
            list.push_bind(*series);
        }
        sql.push(") ORDER BY id").push(lock);
        sql.build().persistent(false).execute(&mut **tx).await.map_err(failed)?;
    }
    let rows: Vec<(&i64, &Added)> = added.iter().collect();
    for piece in pieces(&rows) {
        let sql = tail.begin("WITH v (id, instances, bytes, now_us) AS (");
        values(sql, piece, |row, (series, added)| {
            row.whole(**series).whole(added.instances).whole(added.bytes).whole(now_us);
        });
        sql.push(
            ") UPDATE series SET instances = series.instances + v.instances,
               revision = series.revision + v.instances, bytes = series.bytes + v.bytes,
               changed_us = CASE WHEN v.instances > 0 THEN v.now_us ELSE series.changed_us END
             FROM v WHERE series.id = v.id",
        );
        tail.end(tx).await?;
    }
    let stored = added.iter().filter(|(_, added)| added.instances > 0);
    let new_jobs: Vec<NewJob> = stored
        .flat_map(|(series, _)| {
            jobs.iter().map(|(kind, delay_us)| NewJob {
                kind: *kind,
                subject: series.to_string(),
                run_us: now_us.saturating_add(*delay_us),
            })
        })
        .collect();
    jobs::push(tx, tail, &new_jobs).await
}

/// What happened, in the order of the instances.
async fn happened<'a>(
    tx: &mut Tx<'_>,
    instances: &'a [NewInstance],
    outcomes: &[Outcome],
    found: &places::Found,
) -> Result<Vec<(EventKind, &'a NewInstance)>, IndexError> {
    let conflicts = events::study_conflicts(tx, &found.new_studies).await?;
    let mut happened = Vec::with_capacity(instances.len());
    for (number, (new, outcome)) in instances.iter().zip(outcomes).enumerate() {
        if conflicts.contains(&number) {
            happened.push((EventKind::StudyConflict, new));
        }
        match outcome {
            Outcome::Stored => happened.push((EventKind::InstanceStored, new)),
            Outcome::KeptBeside => happened.push((EventKind::InstanceConflict, new)),
            Outcome::AlreadyHere | Outcome::Rejected | Outcome::Refused(_) => {}
        }
    }
    Ok(happened)
}

/// An unsigned figure as both databases keep it.
pub(super) fn signed(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}

fn no_copy() -> IndexError {
    IndexError::Inconsistent("an instance without any copy".to_owned())
}
