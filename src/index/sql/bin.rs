//! The bin: instances that were deleted leave the tables of what is served, whole, and can come back
//! until they are purged; that they were here stays known (PS3.18 §8.5, 410).

use std::collections::BTreeSet;
use std::collections::HashMap;

use serde_json::Value;
use serde_json::json;
use sqlx::QueryBuilder;

use crate::dicom::extended::Owner;
use crate::dicom::uid::Uid;
use crate::index::error::IndexError;
use crate::index::port::Binned;
use crate::model::event::EventKind;
use crate::model::job::JobKind;
use crate::model::path::Scope;
use crate::model::rejection::Reason;
use crate::model::study::CopyFacts;
use crate::model::study::ExtendedFact;
use crate::model::study::InstanceFacts;
use crate::model::study::NewInstance;
use crate::model::study::Outcome;
use crate::model::study::PatientFacts;
use crate::model::study::RequestFacts;
use crate::model::study::SeriesFacts;
use crate::model::study::StudyFacts;
use crate::people::patient_id::PatientId;

use super::bin_links;
use super::dialect::Db;
use super::dialect::LOCK_ROWS;
use super::dialect::Tx;
use super::dialect::failed;
use super::dialect::lost_a_race;
use super::events;
use super::extended;
use super::happenings::Concerned;
use super::happenings::concerns;
use super::pages;
use super::people;
use super::records::figure;
use super::records::get;
use super::records::hash;
use super::records::identifier;
use super::records::push_scope;
use super::records::unsigned;
use super::rejection;
use super::rows::pieces;
use super::rows::values;
use super::store;
use super::tail::Tail;

type DbRow = <Db as sqlx::Database>::Row;

/// Instances taken out of the bin together.
const CHUNK: i64 = 64;

/// Row ids of an instance and of what it hangs from.
pub(super) type Ids = (i64, i64, i64, i64);

/// Why something goes into the bin: the code of a note and its SOP Instance UID, empty for what
/// somebody deletes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Why<'a> {
    pub(super) reason: &'a str,
    pub(super) note: &'a str,
}

/// Puts what a scope holds into the bin; gives the number of instances.
pub(super) async fn delete(tx: &mut Tx<'_>, scope: &Scope, now_us: i64) -> Result<u64, IndexError> {
    let ids = instances_of(tx, scope).await?;
    people::lock(tx).await?;
    let mut tail = Tail::new();
    let put = put(tx, &mut tail, &ids, Why::default(), now_us).await?;
    let happened: Vec<(EventKind, &NewInstance)> =
        put.instances.iter().map(|new| (EventKind::InstanceDeleted, new)).collect();
    events::write(tx, &mut tail, &happened, None, now_us).await?;
    tail.send(tx).await?;
    put.tell(tx, now_us).await?;
    Ok(ids.len() as u64)
}

/// What was put into the bin.
#[derive(Debug, Default)]
pub(super) struct Put {
    /// The instances that were served, by their names.
    pub(super) instances: Vec<NewInstance>,
    /// What became of fascicoli.
    of_fascicoli: Vec<(EventKind, String)>,
}

impl Put {
    /// Adds another's.
    pub(super) fn extend(&mut self, other: Self) {
        self.instances.extend(other.instances);
        self.of_fascicoli.extend(other.of_fascicoli);
    }

    /// Writes the events of fascicoli: the last thing a transaction does.
    pub(super) async fn tell(self, tx: &mut Tx<'_>, now_us: i64) -> Result<(), IndexError> {
        for (kind, concerns) in self.of_fascicoli {
            events::write_one(tx, kind, &concerns, now_us).await?;
        }
        Ok(())
    }
}

/// Puts instances into the bin.
pub(super) async fn put(
    tx: &mut Tx<'_>,
    tail: &mut Tail,
    ids: &[Ids],
    why: Why<'_>,
    now_us: i64,
) -> Result<Put, IndexError> {
    let mut deleted = Vec::with_capacity(ids.len());
    let mut requests = HashMap::new();
    let instances: Vec<i64> = ids.iter().map(|(instance, ..)| *instance).collect();
    for piece in pieces(&instances) {
        let kept = kept(tx, piece, &mut requests).await?;
        bin(tx, tail, &kept, why, now_us).await?;
        deleted.extend(kept.into_iter().filter(|(served, _)| *served).map(|(_, new)| bare(new)));
        for table in ["DELETE FROM copy WHERE instance IN (", "DELETE FROM instance WHERE id IN ("]
        {
            let mut sql = QueryBuilder::<Db>::new(table);
            push_ids(&mut sql, piece);
            sql.build().execute(&mut **tx).await.map_err(failed)?;
        }
    }
    let of_fascicoli = prune(tx, ids, now_us).await?;
    Ok(Put { instances: deleted, of_fascicoli })
}

/// The instances of a scope, their series locked against newcomers.
async fn instances_of(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<Ids>, IndexError> {
    if let Some(lock) = LOCK_ROWS {
        let mut sql = QueryBuilder::<Db>::new(
            "SELECT se.id FROM study st JOIN patient p ON p.id = st.patient
             JOIN series se ON se.study = st.id WHERE ",
        );
        push_scope(&mut sql, scope);
        sql.push(" ORDER BY se.id").push(lock).push(" OF se");
        sql.build().execute(&mut **tx).await.map_err(failed)?;
    }
    let mut sql = QueryBuilder::<Db>::new(
        "SELECT i.id, se.id, st.id, p.id FROM study st JOIN patient p ON p.id = st.patient
         JOIN series se ON se.study = st.id JOIN instance i ON i.series = se.id WHERE ",
    );
    push_scope(&mut sql, scope);
    if let Some(uid) = &scope.instance {
        sql.push(" AND i.uid = ").push_bind(uid.as_str().to_owned());
    }
    sql.push(" ORDER BY i.id");
    sql.build_query_as().fetch_all(&mut **tx).await.map_err(failed)
}

/// Everything kept of some instances, a row a copy, the served one first.
async fn kept(
    tx: &mut Tx<'_>,
    instances: &[i64],
    requests: &mut HashMap<i64, Vec<RequestFacts>>,
) -> Result<Vec<(bool, NewInstance)>, IndexError> {
    let mut sql = QueryBuilder::<Db>::new(
        "SELECT p.issuer, p.patient_id, p.name_folded, p.birth_date, p.sex, p.attributes,
           st.uid, st.date, st.time, st.accession, st.referring_folded, st.study_id,
           st.description, st.attributes, se.uid, se.modality, se.number, se.description,
           se.body_part, se.performed_date, se.performed_time, se.attributes, i.sop_class, i.uid,
           i.number, i.frames, i.attributes, c.blob_key, c.blob_bytes, c.data_set_sha256,
           c.transfer_syntax, c.source, c.received_us, c.layout, c.served, se.id, i.id
         FROM instance i JOIN series se ON se.id = i.series JOIN study st ON st.id = se.study
           JOIN patient p ON p.id = st.patient JOIN copy c ON c.instance = i.id WHERE i.id IN (",
    );
    push_ids(&mut sql, instances);
    sql.push(" ORDER BY i.id, c.served DESC, c.id");
    let rows = sql.build().fetch_all(&mut **tx).await.map_err(failed)?;
    let extended = extended::kept(tx, instances).await?;
    let mut kept = Vec::with_capacity(rows.len());
    for row in &rows {
        let series: i64 = get(row, 35)?;
        let of_series = match requests.get(&series) {
            Some(known) => known.clone(),
            None => requests.entry(series).or_insert(requests_of(tx, series).await?).clone(),
        };
        let declared = extended.get(&get::<i64>(row, 36)?).cloned().unwrap_or_default();
        let new = NewInstance { extended: declared, ..new_instance(row, of_series)? };
        kept.push((get::<i64>(row, 34)? == 1, new));
    }
    Ok(kept)
}

async fn requests_of(tx: &mut Tx<'_>, series: i64) -> Result<Vec<RequestFacts>, IndexError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT scheduled_step_id, procedure_id FROM request WHERE series = $1")
            .bind(series)
            .fetch_all(&mut **tx)
            .await
            .map_err(failed)?;
    let facts =
        |(scheduled_step_id, procedure_id)| RequestFacts { scheduled_step_id, procedure_id };
    Ok(rows.into_iter().map(facts).collect())
}

/// Names are kept as they are matched, and matching a folded name again changes nothing.
fn new_instance(row: &DbRow, requests: Vec<RequestFacts>) -> Result<NewInstance, IndexError> {
    let attributes: String = get(row, 26)?;
    Ok(NewInstance {
        patient: PatientFacts {
            id: PatientId { issuer: get(row, 0)?, value: get(row, 1)? },
            name: get(row, 2)?,
            birth_date: get(row, 3)?,
            sex: get(row, 4)?,
            attributes: get(row, 5)?,
        },
        study: StudyFacts {
            uid: identifier(row, 6)?,
            date: get(row, 7)?,
            time: get(row, 8)?,
            accession_number: get(row, 9)?,
            referring_physician: get(row, 10)?,
            id: get(row, 11)?,
            description: get(row, 12)?,
            attributes: get(row, 13)?,
        },
        series: SeriesFacts {
            uid: identifier(row, 14)?,
            modality: get(row, 15)?,
            number: get(row, 16)?,
            description: get(row, 17)?,
            body_part: get(row, 18)?,
            performed_date: get(row, 19)?,
            performed_time: get(row, 20)?,
            requests,
            attributes: get(row, 21)?,
        },
        instance: InstanceFacts {
            sop_class: identifier(row, 22)?,
            uid: identifier(row, 23)?,
            number: get(row, 24)?,
            frames: figure(row, 25)?,
            timezone: timezone_in(&attributes),
            attributes,
        },
        copy: CopyFacts {
            blob_key: get(row, 27)?,
            blob_bytes: unsigned(get(row, 28)?),
            data_set_sha256: hash(row, 29)?,
            transfer_syntax: get(row, 30)?,
            source: get(row, 31)?,
            received_us: get(row, 32)?,
            layout: get(row, 33)?,
        },
        extended: Vec::new(),
        rejects: None,
    })
}

/// Timezone Offset From UTC (0008,0201) among an instance's attributes.
fn timezone_in(attributes: &str) -> String {
    let attributes: Value = serde_json::from_str(attributes).unwrap_or_default();
    attributes["00080201"]["Value"][0].as_str().unwrap_or_default().to_owned()
}

async fn bin(
    tx: &mut Tx<'_>,
    tail: &mut Tail,
    kept: &[(bool, NewInstance)],
    why: Why<'_>,
    now_us: i64,
) -> Result<(), IndexError> {
    for piece in pieces(kept) {
        let sql = tail.begin(
            "INSERT INTO bin (study, series, instance, issuer, patient_id, deleted_us, blob_key,
               facts, data_set_sha256, layout, reason, note) ",
        );
        values(sql, piece, |row, (_, new)| {
            row.text(new.study.uid.as_str()).text(new.series.uid.as_str());
            row.text(new.instance.uid.as_str());
            row.text(&new.patient.id.issuer).text(&new.patient.id.value).whole(now_us);
            row.text(&new.copy.blob_key).text(&facts(new).to_string());
            row.bytes(&new.copy.data_set_sha256).bytes(&new.copy.layout);
            row.text(why.reason).text(why.note);
        });
        tail.end(tx).await?;
    }
    // The rows they were read from go next.
    tail.send(tx).await
}

/// What of an instance has no column of its own.
fn facts(new: &NewInstance) -> Value {
    let (patient, study, series) = (&new.patient, &new.study, &new.series);
    let requests = series.requests.iter();
    let requests: Vec<[&str; 2]> =
        requests.map(|request| [&*request.scheduled_step_id, &*request.procedure_id]).collect();
    let declared = new.extended.iter().map(|fact| json!([fact.owner as u8, fact.name, fact.value]));
    let declared: Vec<Value> = declared.collect();
    json!({
        "patient": [patient.name, patient.birth_date, patient.sex, patient.attributes],
        "study": [
            study.date, study.time, study.accession_number, study.referring_physician, study.id,
            study.description, study.attributes,
        ],
        "series": [
            series.modality, series.number, series.description, series.body_part,
            series.performed_date, series.performed_time, series.attributes,
        ],
        "requests": requests,
        "instance": [
            new.instance.sop_class.as_str(), new.instance.number, new.instance.attributes,
        ],
        "frames": new.instance.frames,
        "copy": [new.copy.transfer_syntax, new.copy.source],
        "bytes": new.copy.blob_bytes,
        "received_us": new.copy.received_us,
        "extended": declared,
    })
}

/// An instance's names alone, for the event.
fn bare(new: NewInstance) -> NewInstance {
    let NewInstance { mut patient, mut study, mut series, mut instance, mut copy, .. } = new;
    for text in [
        &mut patient.attributes,
        &mut study.attributes,
        &mut series.attributes,
        &mut instance.attributes,
    ] {
        *text = String::new();
    }
    copy.layout = Vec::new();
    NewInstance { patient, study, series, instance, copy, extended: Vec::new(), rejects: None }
}

/// Removes the series, studies and patients that hold nothing any more, and counts the others anew; gives
/// what became of fascicoli, to be told once all is done.
async fn prune(
    tx: &mut Tx<'_>,
    ids: &[Ids],
    now_us: i64,
) -> Result<Vec<(EventKind, String)>, IndexError> {
    let mut happened = Vec::new();
    let series: BTreeSet<i64> = ids.iter().map(|ids| ids.1).collect();
    for id in series {
        let sql = "UPDATE series SET revision = revision + 1, changed_us = $2,
             instances = (SELECT count(*) FROM instance i WHERE i.series = $1),
             bytes = CAST((SELECT coalesce(sum(c.blob_bytes), 0) FROM copy c
               JOIN instance i ON i.id = c.instance WHERE i.series = $1) AS BIGINT)
           WHERE id = $1";
        sqlx::query(sql).bind(id).bind(now_us).execute(&mut **tx).await.map_err(failed)?;
        for sql in [
            "DELETE FROM derived WHERE series = $1
               AND NOT EXISTS (SELECT 1 FROM instance i WHERE i.series = $1)",
            "DELETE FROM request WHERE series = $1
               AND NOT EXISTS (SELECT 1 FROM instance i WHERE i.series = $1)",
            "DELETE FROM series WHERE id = $1
               AND NOT EXISTS (SELECT 1 FROM instance i WHERE i.series = $1)",
        ] {
            sqlx::query(sql).bind(id).execute(&mut **tx).await.map_err(failed)?;
        }
    }
    let studies: BTreeSet<i64> = ids.iter().map(|ids| ids.2).collect();
    for id in studies {
        let concerns = concerns(tx, Concerned::study(id)).await?;
        bin_links::put_aside(tx, id).await?;
        let kind = if pages::study_changed(tx, id, now_us).await? {
            EventKind::StudyChanged
        } else {
            EventKind::FascicoloChanged
        };
        if concerns.starts_with("Patient/") {
            happened.push((kind, concerns));
        }
        for sql in [
            "DELETE FROM study_modality WHERE study = $1 AND NOT EXISTS
               (SELECT 1 FROM series s WHERE s.study = $1 AND s.modality = study_modality.modality)",
            "DELETE FROM study WHERE id = $1
               AND NOT EXISTS (SELECT 1 FROM series s WHERE s.study = $1)",
        ] {
            sqlx::query(sql).bind(id).execute(&mut **tx).await.map_err(failed)?;
        }
    }
    let patients: BTreeSet<i64> = ids.iter().map(|ids| ids.3).collect();
    for id in patients {
        let sql = "DELETE FROM patient WHERE id = $1
             AND NOT EXISTS (SELECT 1 FROM study s WHERE s.patient = $1)";
        sqlx::query(sql).bind(id).execute(&mut **tx).await.map_err(failed)?;
    }
    Ok(happened)
}

/// Enters what a scope has in the bin again, as if it came now, what notes reject only when
/// `rejected`: then they count no more for it. Gives the number of copies.
pub(super) async fn restore(
    tx: &mut Tx<'_>,
    scope: &Scope,
    rejected: bool,
    jobs: &[(JobKind, i64)],
    now_us: i64,
) -> Result<u64, IndexError> {
    if rejected {
        rejection::lift(tx, scope).await?;
    }
    let mut restored = 0;
    loop {
        let mut sql = QueryBuilder::<Db>::new(
            "SELECT id, study, series, instance, issuer, patient_id, blob_key, facts,
               data_set_sha256, layout FROM bin WHERE blob_key IS NOT NULL AND ",
        );
        push_bin(&mut sql, scope);
        if !rejected {
            sql.push(
                " AND reason = '' AND NOT EXISTS (SELECT 1 FROM rejection r
                   WHERE r.study = bin.study AND r.series = bin.series AND r.instance = bin.instance)",
            );
        }
        sql.push(" ORDER BY id LIMIT CAST(").push_bind(CHUNK).push(" AS BIGINT)");
        let rows = sql.build().fetch_all(&mut **tx).await.map_err(failed)?;
        if rows.is_empty() {
            bin_links::bring_back(tx, scope).await?;
            return Ok(restored);
        }
        let ids: Vec<i64> = rows.iter().map(|row| get(row, 0)).collect::<Result<_, _>>()?;
        let instances: Vec<NewInstance> = rows.iter().map(binned).collect::<Result<_, _>>()?;
        for piece in pieces(&ids) {
            let mut sql = QueryBuilder::<Db>::new("DELETE FROM bin WHERE id IN (");
            push_ids(&mut sql, piece);
            sql.build().execute(&mut **tx).await.map_err(failed)?;
        }
        let outcomes = store::store(tx, &instances, jobs, now_us).await?;
        if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Refused(_))) {
            // A note came meanwhile: what is here may not be lost for it.
            return Err(lost_a_race());
        }
        restored += ids.len() as u64;
    }
}

/// The transfer syntax of a row of the bin.
pub(super) fn syntax_in(facts: &str) -> String {
    let facts: Value = serde_json::from_str(facts).unwrap_or_default();
    facts["copy"][0].as_str().unwrap_or_default().to_owned()
}

fn binned(row: &DbRow) -> Result<NewInstance, IndexError> {
    let damaged = || IndexError::Inconsistent("a row of the bin cannot be read".to_owned());
    let facts: String = get(row, 7)?;
    let facts: Value = serde_json::from_str(&facts).map_err(|_| damaged())?;
    let text =
        |level: &str, at: usize| facts[level][at].as_str().map(str::to_owned).ok_or_else(damaged);
    let uid = |text: String| Uid::parse(&text).map_err(|_| damaged());
    let requests = facts["requests"].as_array().ok_or_else(damaged)?.iter().map(|request| {
        let text = |at: usize| request[at].as_str().unwrap_or_default().to_owned();
        RequestFacts { scheduled_step_id: text(0), procedure_id: text(1) }
    });
    let extended = facts["extended"].as_array().into_iter().flatten().filter_map(|fact| {
        let owner = fact[0].as_u64().and_then(|at| usize::try_from(at).ok())?;
        let text = |at: usize| fact[at].as_str().unwrap_or_default().to_owned();
        Some(ExtendedFact { name: text(1), owner: *Owner::ALL.get(owner)?, value: text(2) })
    });
    let attributes = text("instance", 2)?;
    Ok(NewInstance {
        patient: PatientFacts {
            id: PatientId { issuer: get(row, 4)?, value: get(row, 5)? },
            name: text("patient", 0)?,
            birth_date: text("patient", 1)?,
            sex: text("patient", 2)?,
            attributes: text("patient", 3)?,
        },
        study: StudyFacts {
            uid: identifier(row, 1)?,
            date: text("study", 0)?,
            time: text("study", 1)?,
            accession_number: text("study", 2)?,
            referring_physician: text("study", 3)?,
            id: text("study", 4)?,
            description: text("study", 5)?,
            attributes: text("study", 6)?,
        },
        series: SeriesFacts {
            uid: identifier(row, 2)?,
            modality: text("series", 0)?,
            number: text("series", 1)?,
            description: text("series", 2)?,
            body_part: text("series", 3)?,
            performed_date: text("series", 4)?,
            performed_time: text("series", 5)?,
            requests: requests.collect(),
            attributes: text("series", 6)?,
        },
        instance: InstanceFacts {
            sop_class: uid(text("instance", 0)?)?,
            uid: identifier(row, 3)?,
            number: text("instance", 1)?,
            frames: facts["frames"].as_u64().and_then(|n| n.try_into().ok()).ok_or_else(damaged)?,
            timezone: timezone_in(&attributes),
            attributes,
        },
        copy: CopyFacts {
            blob_key: get(row, 6)?,
            blob_bytes: facts["bytes"].as_u64().ok_or_else(damaged)?,
            data_set_sha256: hash(row, 8)?,
            transfer_syntax: text("copy", 0)?,
            source: text("copy", 1)?,
            received_us: facts["received_us"].as_i64().ok_or_else(damaged)?,
            layout: get(row, 9)?,
        },
        extended: extended.collect(),
        rejects: None,
    })
}

/// Gives up for good what was deleted before a time, or expired, and with `rejected` what notes
/// reject otherwise; at most `limit` copies. What stays is that they were here. Gives the keys of
/// their blobs.
pub(super) async fn purge(
    tx: &mut Tx<'_>,
    before_us: i64,
    rejected: bool,
    limit: u32,
) -> Result<Vec<String>, IndexError> {
    let mut sql = QueryBuilder::<Db>::new(
        "SELECT id, blob_key FROM bin WHERE blob_key IS NOT NULL AND deleted_us < ",
    );
    sql.push_bind(before_us);
    if !rejected {
        sql.push(" AND reason IN ('', ");
        sql.push_bind(Reason::RetentionExpired.code()).push(")");
    }
    sql.push(" ORDER BY id LIMIT CAST(").push_bind(i64::from(limit)).push(" AS BIGINT)");
    let rows: Vec<(i64, String)> =
        sql.build_query_as().fetch_all(&mut **tx).await.map_err(failed)?;
    let (ids, keys): (Vec<i64>, Vec<String>) = rows.into_iter().unzip();
    for piece in pieces(&ids) {
        let mut sql = QueryBuilder::<Db>::new(
            "UPDATE bin SET blob_key = NULL, facts = '', issuer = '', patient_id = '',
               data_set_sha256 = NULL, layout = NULL WHERE id IN (",
        );
        push_ids(&mut sql, piece);
        sql.build().execute(&mut **tx).await.map_err(failed)?;
    }
    Ok(keys)
}

/// Whether anything of a scope was deleted; what a note rejects was not.
pub(super) async fn was_deleted(pool: &sqlx::Pool<Db>, scope: &Scope) -> Result<bool, IndexError> {
    let mut sql = QueryBuilder::<Db>::new("SELECT id FROM bin WHERE ");
    push_bin(&mut sql, &Scope { patient: None, ..scope.clone() });
    sql.push(" AND reason = '' LIMIT 1");
    Ok(sql.build().fetch_optional(pool).await.map_err(failed)?.is_some())
}

/// Why something of a scope that lies in the bin was rejected, if it was.
pub(super) async fn rejected_for(
    pool: &sqlx::Pool<Db>,
    scope: &Scope,
) -> Result<Option<Reason>, IndexError> {
    let mut sql = QueryBuilder::<Db>::new("SELECT reason FROM bin WHERE blob_key IS NOT NULL AND ");
    push_bin(&mut sql, scope);
    sql.push(" AND reason <> '' LIMIT 1");
    let reason: Option<String> =
        sql.build_query_scalar().fetch_optional(pool).await.map_err(failed)?;
    Ok(reason.and_then(|code| Reason::of_code(&code)))
}

/// The studies that have something in the bin, and why, last deleted first.
pub(super) async fn list(pool: &sqlx::Pool<Db>, limit: u32) -> Result<Vec<Binned>, IndexError> {
    let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
        "SELECT study, reason, count(*), max(deleted_us) FROM bin WHERE blob_key IS NOT NULL
         GROUP BY study, reason ORDER BY 4 DESC, 1, 2 LIMIT CAST($1 AS BIGINT)",
    )
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    let binned = |(study, reason, copies, deleted_us): (String, String, i64, i64)| Binned {
        study,
        reason: Reason::of_code(&reason),
        copies: unsigned(copies),
        deleted_us,
    };
    Ok(rows.into_iter().map(binned).collect())
}

pub(super) fn push_bin(sql: &mut QueryBuilder<Db>, scope: &Scope) {
    sql.push("study = ").push_bind(scope.study.as_str().to_owned());
    for (column, uid) in [(" AND series = ", &scope.series), (" AND instance = ", &scope.instance)]
    {
        if let Some(uid) = uid {
            sql.push(column).push_bind(uid.as_str().to_owned());
        }
    }
    if let Some(patient) = &scope.patient {
        sql.push(" AND patient_id = ").push_bind(patient.value.clone());
        sql.push(" AND issuer = ").push_bind(patient.issuer.clone());
    }
}

/// Writes ids behind an opening bracket, and the closing one.
pub(super) fn push_ids(sql: &mut QueryBuilder<Db>, ids: &[i64]) {
    for (number, id) in ids.iter().enumerate() {
        if number > 0 {
            sql.push(", ");
        }
        sql.push_bind(*id);
    }
    sql.push(")");
}
