//! Entering instances: one transaction, outcome by outcome in their order.

use std::collections::BTreeMap;

use crate::dicom::person_name::fold;
use crate::index::error::IndexError;
use crate::model::event::EventKind;
use crate::model::job::JobKind;
use crate::model::study::NewInstance;
use crate::model::study::Outcome;

use super::dialect::Tx;
use super::dialect::failed;

/// What one transaction has gathered so far.
#[derive(Default)]
struct Gathered<'a> {
    events: Vec<(EventKind, &'a NewInstance)>,
    /// Series row → instances stored into it.
    touched: BTreeMap<i64, i64>,
}

/// Enters `instances`; the caller commits.
pub(super) async fn store(
    tx: &mut Tx<'_>,
    instances: &[NewInstance],
    jobs: &[(JobKind, i64)],
    now_us: i64,
) -> Result<Vec<Outcome>, IndexError> {
    let mut gathered = Gathered::default();
    let mut outcomes = Vec::with_capacity(instances.len());
    for new in instances {
        let outcome = store_one(tx, new, &mut gathered, now_us).await?;
        match outcome {
            Outcome::Stored => gathered.events.push((EventKind::InstanceStored, new)),
            Outcome::KeptBeside => gathered.events.push((EventKind::InstanceConflict, new)),
            Outcome::AlreadyHere => {}
        }
        outcomes.push(outcome);
    }
    for (series, count) in &gathered.touched {
        touch(tx, *series, *count, jobs, now_us).await?;
    }
    // Last, so that the counter's row is held shortly and sequence order is commit order.
    write_events(tx, &gathered.events, now_us).await?;
    Ok(outcomes)
}

async fn store_one<'a>(
    tx: &mut Tx<'_>,
    new: &'a NewInstance,
    gathered: &mut Gathered<'a>,
    now_us: i64,
) -> Result<Outcome, IndexError> {
    let patient = patient(tx, new).await?;
    let study = study(tx, new, patient, gathered).await?;
    let series = series(tx, new, study, now_us).await?;
    let instance = &new.instance;
    let inserted: Option<i64> = sqlx::query_scalar(
        "INSERT INTO instance (series, uid, sop_class, number, number_sort, frames, attributes)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (series, uid) DO NOTHING RETURNING id",
    )
    .bind(series)
    .bind(instance.uid.as_str())
    .bind(instance.sop_class.as_str())
    .bind(&instance.number)
    .bind(number_sort(&instance.number))
    .bind(i64::from(instance.frames))
    .bind(&instance.attributes)
    .fetch_optional(&mut **tx)
    .await
    .map_err(failed)?;
    if let Some(row) = inserted {
        copy(tx, new, row, 1).await?;
        *gathered.touched.entry(series).or_default() += 1;
        return Ok(Outcome::Stored);
    }
    let row: i64 = sqlx::query_scalar("SELECT id FROM instance WHERE series = $1 AND uid = $2")
        .bind(series)
        .bind(instance.uid.as_str())
        .fetch_one(&mut **tx)
        .await
        .map_err(failed)?;
    let kept = copy(tx, new, row, 0).await?;
    Ok(if kept { Outcome::KeptBeside } else { Outcome::AlreadyHere })
}

/// Enters a copy; `false` when the same data set is kept for the instance already.
async fn copy(
    tx: &mut Tx<'_>,
    new: &NewInstance,
    instance: i64,
    served: i64,
) -> Result<bool, IndexError> {
    let copy = &new.copy;
    let done = sqlx::query(
        "INSERT INTO copy (instance, served, blob_key, blob_bytes, data_set_sha256,
           transfer_syntax, source, received_us, layout)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (instance, data_set_sha256, transfer_syntax) DO NOTHING",
    )
    .bind(instance)
    .bind(served)
    .bind(&copy.blob_key)
    .bind(signed(copy.blob_bytes))
    .bind(&copy.data_set_sha256[..])
    .bind(&copy.transfer_syntax)
    .bind(&copy.source)
    .bind(copy.received_us)
    .bind(&copy.layout)
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(done.rows_affected() == 1)
}

async fn patient(tx: &mut Tx<'_>, new: &NewInstance) -> Result<i64, IndexError> {
    let facts = &new.patient;
    // Whoever is not identified is somebody of this study alone.
    let scope = if facts.id.is_known() { "" } else { new.study.uid.as_str() };
    for insert in [false, true, false] {
        let found: Option<i64> = if insert {
            sqlx::query_scalar(
                "INSERT INTO patient (issuer, patient_id, scope, name_folded, birth_date, sex, attributes)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (patient_id, issuer, scope) DO NOTHING RETURNING id",
            )
            .bind(&facts.id.issuer)
            .bind(&facts.id.value)
            .bind(scope)
            .bind(fold(&facts.name))
            .bind(&facts.birth_date)
            .bind(&facts.sex)
            .bind(&facts.attributes)
            .fetch_optional(&mut **tx)
            .await
        } else {
            sqlx::query_scalar(
                "SELECT id FROM patient WHERE patient_id = $1 AND issuer = $2 AND scope = $3",
            )
            .bind(&facts.id.value)
            .bind(&facts.id.issuer)
            .bind(scope)
            .fetch_optional(&mut **tx)
            .await
        }
        .map_err(failed)?;
        if let Some(id) = found {
            return Ok(id);
        }
    }
    Err(vanished("patient"))
}

async fn study<'a>(
    tx: &mut Tx<'_>,
    new: &'a NewInstance,
    patient: i64,
    gathered: &mut Gathered<'a>,
) -> Result<i64, IndexError> {
    let facts = &new.study;
    for insert in [false, true, false] {
        let found: Option<i64> = if insert {
            sqlx::query_scalar(
                "INSERT INTO study (uid, patient, date, time, accession, referring_folded, study_id,
                   description, attributes)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                 ON CONFLICT (uid, patient) DO NOTHING RETURNING id",
            )
            .bind(facts.uid.as_str())
            .bind(patient)
            .bind(&facts.date)
            .bind(&facts.time)
            .bind(&facts.accession_number)
            .bind(fold(&facts.referring_physician))
            .bind(&facts.id)
            .bind(&facts.description)
            .bind(&facts.attributes)
            .fetch_optional(&mut **tx)
            .await
        } else {
            sqlx::query_scalar("SELECT id FROM study WHERE uid = $1 AND patient = $2")
                .bind(facts.uid.as_str())
                .bind(patient)
                .fetch_optional(&mut **tx)
                .await
        }
        .map_err(failed)?;
        let Some(id) = found else { continue };
        if insert && others(tx, new, id).await? {
            gathered.events.push((EventKind::StudyConflict, new));
        }
        return Ok(id);
    }
    Err(vanished("study"))
}

/// Whether the study's UID is kept under another patient too.
async fn others(tx: &mut Tx<'_>, new: &NewInstance, study: i64) -> Result<bool, IndexError> {
    let other: Option<i64> =
        sqlx::query_scalar("SELECT id FROM study WHERE uid = $1 AND id <> $2 LIMIT 1")
            .bind(new.study.uid.as_str())
            .bind(study)
            .fetch_optional(&mut **tx)
            .await
            .map_err(failed)?;
    Ok(other.is_some())
}

async fn series(
    tx: &mut Tx<'_>,
    new: &NewInstance,
    study: i64,
    now_us: i64,
) -> Result<i64, IndexError> {
    let facts = &new.series;
    for insert in [false, true, false] {
        let found: Option<i64> = if insert {
            sqlx::query_scalar(
                "INSERT INTO series (study, uid, modality, number, number_sort, description,
                   body_part, performed_date, performed_time, attributes, instances, revision, changed_us)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, $11)
                 ON CONFLICT (study, uid) DO NOTHING RETURNING id",
            )
            .bind(study)
            .bind(facts.uid.as_str())
            .bind(&facts.modality)
            .bind(&facts.number)
            .bind(number_sort(&facts.number))
            .bind(&facts.description)
            .bind(&facts.body_part)
            .bind(&facts.performed_date)
            .bind(&facts.performed_time)
            .bind(&facts.attributes)
            .bind(now_us)
            .fetch_optional(&mut **tx)
            .await
        } else {
            sqlx::query_scalar("SELECT id FROM series WHERE study = $1 AND uid = $2")
                .bind(study)
                .bind(facts.uid.as_str())
                .fetch_optional(&mut **tx)
                .await
        }
        .map_err(failed)?;
        let Some(id) = found else { continue };
        if insert {
            requests(tx, new, id).await?;
        }
        return Ok(id);
    }
    Err(vanished("series"))
}

async fn requests(tx: &mut Tx<'_>, new: &NewInstance, series: i64) -> Result<(), IndexError> {
    for request in &new.series.requests {
        sqlx::query(
            "INSERT INTO request (series, scheduled_step_id, procedure_id) VALUES ($1, $2, $3)",
        )
        .bind(series)
        .bind(&request.scheduled_step_id)
        .bind(&request.procedure_id)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

/// Counts a series' new instances and pushes its jobs into the future.
async fn touch(
    tx: &mut Tx<'_>,
    series: i64,
    count: i64,
    jobs: &[(JobKind, i64)],
    now_us: i64,
) -> Result<(), IndexError> {
    sqlx::query(
        "UPDATE series SET instances = instances + $1, revision = revision + $1, changed_us = $2
         WHERE id = $3",
    )
    .bind(count)
    .bind(now_us)
    .bind(series)
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    for (kind, delay_us) in jobs {
        super::jobs::push(tx, *kind, &series.to_string(), now_us.saturating_add(*delay_us)).await?;
    }
    Ok(())
}

async fn write_events(
    tx: &mut Tx<'_>,
    events: &[(EventKind, &NewInstance)],
    now_us: i64,
) -> Result<(), IndexError> {
    if events.is_empty() {
        return Ok(());
    }
    let count = signed(events.len() as u64);
    let last: i64 = sqlx::query_scalar(
        "UPDATE event_counter SET last = last + $1 WHERE one = 1 RETURNING last",
    )
    .bind(count)
    .fetch_one(&mut **tx)
    .await
    .map_err(failed)?;
    for (sequence, (kind, new)) in (last - count + 1..).zip(events) {
        sqlx::query(
            "INSERT INTO event (sequence, at_us, kind, study, series, instance)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(sequence)
        .bind(now_us)
        .bind(kind.as_str())
        .bind(new.study.uid.as_str())
        .bind(new.series.uid.as_str())
        .bind(new.instance.uid.as_str())
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

/// Where a number text sorts: numbers by value, before everything else; the rest alike.
fn number_sort(number: &str) -> i64 {
    number.parse().unwrap_or(i64::MAX)
}

/// An unsigned figure as both databases keep it.
pub(super) fn signed(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}

fn vanished(row: &str) -> IndexError {
    IndexError::Unavailable(format!("a {row} row was there and is not"))
}
