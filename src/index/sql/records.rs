//! Rows by name: instances, series, derived objects, copies, events, totals.

use sqlx::QueryBuilder;
use sqlx::Row;

use crate::dicom::uid::Uid;
use crate::index::error::IndexError;
use crate::index::port::CopyRow;
use crate::index::port::Derived;
use crate::index::port::DerivedKind;
use crate::index::port::Located;
use crate::index::port::SeriesState;
use crate::index::port::Totals;
use crate::model::event::Event;
use crate::model::event::EventKind;
use crate::model::path::InstancePath;
use crate::model::path::Scope;
use crate::people::patient_id::PatientId;

use super::dialect::Db;
use super::dialect::Tx;
use super::dialect::failed;
use super::search::uid;
use super::store::signed;

type Pool = sqlx::Pool<Db>;
type DbRow = <Db as sqlx::Database>::Row;

const LOCATED: &str =
    "SELECT i.id, i.series, st.uid, se.uid, i.uid, i.sop_class, i.number, c.blob_key,
    c.blob_bytes, c.data_set_sha256, c.transfer_syntax, i.frames, c.layout, c.received_us
  FROM study st JOIN patient p ON p.id = st.patient JOIN series se ON se.study = st.id
    JOIN instance i ON i.series = se.id JOIN copy c ON c.instance = i.id AND c.served = 1 WHERE ";

/// The patients a Study Instance UID is kept under.
pub(super) async fn patients_of_study(
    pool: &Pool,
    study: &str,
) -> Result<Vec<PatientId>, IndexError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT p.issuer, p.patient_id FROM study st JOIN patient p ON p.id = st.patient
         WHERE st.uid = $1 ORDER BY st.id",
    )
    .bind(study)
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    Ok(rows.into_iter().map(|(issuer, value)| PatientId { issuer, value }).collect())
}

/// One instance.
pub(super) async fn locate(pool: &Pool, scope: &Scope) -> Result<Option<Located>, IndexError> {
    Ok(list(pool, scope, None, 1).await?.pop())
}

/// Instances of a scope after one of them.
pub(super) async fn list(
    pool: &Pool,
    scope: &Scope,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<Located>, IndexError> {
    let mut sql = QueryBuilder::new(LOCATED);
    push_scope(&mut sql, scope);
    if let Some(uid) = &scope.instance {
        sql.push(" AND i.uid = ").push_bind(uid.as_str().to_owned());
    }
    if let Some(after) = after {
        sql.push(
            " AND (se.number_sort, se.id, i.number_sort, i.id) > (SELECT bs.number_sort, bs.id,
             b.number_sort, b.id FROM instance b JOIN series bs ON bs.id = b.series WHERE b.id = ",
        );
        sql.push_bind(after).push(")");
    }
    sql.push(" ORDER BY se.number_sort, se.id, i.number_sort, i.id LIMIT ");
    sql.push_bind(i64::from(limit));
    let rows = sql.build().fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(located).collect()
}

fn push_scope(sql: &mut QueryBuilder<Db>, scope: &Scope) {
    sql.push("st.uid = ").push_bind(scope.study.as_str().to_owned());
    if let Some(series) = &scope.series {
        sql.push(" AND se.uid = ").push_bind(series.as_str().to_owned());
    }
    if let Some(patient) = &scope.patient {
        sql.push(" AND p.patient_id = ").push_bind(patient.value.clone());
        sql.push(" AND p.issuer = ").push_bind(patient.issuer.clone());
    }
}

fn located(row: &DbRow) -> Result<Located, IndexError> {
    Ok(Located {
        id: get(row, 0)?,
        series_id: get(row, 1)?,
        path: path(row, 2)?,
        sop_class: get(row, 5)?,
        number: get(row, 6)?,
        blob_key: get(row, 7)?,
        blob_bytes: unsigned(get(row, 8)?),
        data_set_sha256: hash(row, 9)?,
        transfer_syntax: get(row, 10)?,
        frames: u32::try_from(get::<i64>(row, 11)?).unwrap_or(u32::MAX),
        layout: get(row, 12)?,
        received_us: get(row, 13)?,
    })
}

const SERIES: &str =
    "SELECT se.id, st.uid, se.uid, p.issuer, p.patient_id, se.revision, se.instances,
    se.changed_us FROM study st JOIN patient p ON p.id = st.patient
    JOIN series se ON se.study = st.id WHERE ";

/// Series of a scope.
pub(super) async fn series_of(pool: &Pool, scope: &Scope) -> Result<Vec<SeriesState>, IndexError> {
    let mut sql = QueryBuilder::new(SERIES);
    push_scope(&mut sql, scope);
    sql.push(" ORDER BY se.number_sort, se.id");
    let rows = sql.build().fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(series_state).collect()
}

/// A series by row id.
pub(super) async fn series(pool: &Pool, id: i64) -> Result<Option<SeriesState>, IndexError> {
    let mut sql = QueryBuilder::new(SERIES);
    sql.push("se.id = ").push_bind(id);
    let row = sql.build().fetch_optional(pool).await.map_err(failed)?;
    row.as_ref().map(series_state).transpose()
}

fn series_state(row: &DbRow) -> Result<SeriesState, IndexError> {
    let patient = PatientId { issuer: get(row, 3)?, value: get(row, 4)? };
    Ok(SeriesState {
        id: get(row, 0)?,
        scope: Scope {
            study: identifier(row, 1)?,
            series: Some(identifier(row, 2)?),
            instance: None,
            patient: Some(patient),
        },
        revision: get(row, 5)?,
        instances: u32::try_from(get::<i64>(row, 6)?).unwrap_or(u32::MAX),
        changed_us: get(row, 7)?,
    })
}

/// Records a derived object; gives the key that is no longer needed.
pub(super) async fn put_derived(
    tx: &mut Tx<'_>,
    derived: &Derived,
) -> Result<Option<String>, IndexError> {
    let older: Option<String> =
        sqlx::query_scalar("SELECT blob_key FROM derived WHERE series = $1 AND kind = $2")
            .bind(derived.series_id)
            .bind(derived.kind.as_str())
            .fetch_optional(&mut **tx)
            .await
            .map_err(failed)?;
    let done = sqlx::query(
        "INSERT INTO derived (series, kind, revision, blob_key, blob_bytes, note)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (series, kind) DO UPDATE SET revision = excluded.revision,
           blob_key = excluded.blob_key, blob_bytes = excluded.blob_bytes, note = excluded.note
         WHERE derived.revision <= excluded.revision",
    )
    .bind(derived.series_id)
    .bind(derived.kind.as_str())
    .bind(derived.revision)
    .bind(&derived.blob_key)
    .bind(signed(derived.blob_bytes))
    .bind(&derived.note)
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(if done.rows_affected() == 0 { Some(derived.blob_key.clone()) } else { older })
}

/// The derived object of a kind.
pub(super) async fn derived(
    pool: &Pool,
    series_id: i64,
    kind: DerivedKind,
) -> Result<Option<Derived>, IndexError> {
    let row: Option<(i64, String, i64, String)> = sqlx::query_as(
        "SELECT revision, blob_key, blob_bytes, note FROM derived WHERE series = $1 AND kind = $2",
    )
    .bind(series_id)
    .bind(kind.as_str())
    .fetch_optional(pool)
    .await
    .map_err(failed)?;
    Ok(row.map(|(revision, blob_key, bytes, note)| Derived {
        series_id,
        kind,
        revision,
        blob_key,
        blob_bytes: unsigned(bytes),
        note,
    }))
}

/// Events after one.
pub(super) async fn events(pool: &Pool, after: i64, limit: u32) -> Result<Vec<Event>, IndexError> {
    let rows = sqlx::query(
        "SELECT sequence, at_us, kind, study, series, instance FROM event WHERE sequence > $1
         ORDER BY sequence LIMIT $2",
    )
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    rows.iter().map(event).collect()
}

fn event(row: &DbRow) -> Result<Event, IndexError> {
    let kind: String = get(row, 2)?;
    Ok(Event {
        sequence: get(row, 0)?,
        at_us: get(row, 1)?,
        kind: EventKind::parse(&kind)
            .ok_or_else(|| IndexError::Inconsistent(format!("event kind {kind}")))?,
        study: identifier(row, 3)?,
        series: identifier(row, 4)?,
        instance: identifier(row, 5)?,
    })
}

/// Copies after one.
pub(super) async fn copies(
    pool: &Pool,
    after: i64,
    limit: u32,
) -> Result<Vec<CopyRow>, IndexError> {
    let rows = sqlx::query(
        "SELECT c.id, st.uid, se.uid, i.uid, c.blob_key, c.blob_bytes, c.data_set_sha256, c.layout,
           c.transfer_syntax, c.served
         FROM copy c JOIN instance i ON i.id = c.instance JOIN series se ON se.id = i.series
           JOIN study st ON st.id = se.study WHERE c.id > $1 ORDER BY c.id LIMIT $2",
    )
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    rows.iter()
        .map(|row| {
            Ok(CopyRow {
                id: get(row, 0)?,
                path: path(row, 1)?,
                blob_key: get(row, 4)?,
                blob_bytes: unsigned(get(row, 5)?),
                data_set_sha256: hash(row, 6)?,
                layout: get(row, 7)?,
                transfer_syntax: get(row, 8)?,
                served: get::<i64>(row, 9)? == 1,
            })
        })
        .collect()
}

/// Which keys a copy or derived row names.
pub(super) async fn knows_blobs(pool: &Pool, keys: &[String]) -> Result<Vec<bool>, IndexError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = QueryBuilder::new("SELECT blob_key FROM copy WHERE blob_key IN (");
    push_keys(&mut sql, keys);
    sql.push(") UNION ALL SELECT blob_key FROM derived WHERE blob_key IN (");
    push_keys(&mut sql, keys);
    sql.push(")");
    let known: Vec<String> = sql.build_query_scalar().fetch_all(pool).await.map_err(failed)?;
    let known: std::collections::HashSet<String> = known.into_iter().collect();
    Ok(keys.iter().map(|key| known.contains(key)).collect())
}

fn push_keys(sql: &mut QueryBuilder<Db>, keys: &[String]) {
    let mut list = sql.separated(", ");
    for key in keys {
        list.push_bind(key.clone());
    }
}

/// Totals.
pub(super) async fn totals(pool: &Pool) -> Result<Totals, IndexError> {
    let row: (i64, i64, i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM patient), (SELECT count(*) FROM study),
           (SELECT count(*) FROM series), (SELECT count(*) FROM instance),
           (SELECT CAST(coalesce(sum(blob_bytes), 0) AS BIGINT) FROM copy)",
    )
    .fetch_one(pool)
    .await
    .map_err(failed)?;
    Ok(Totals {
        patients: unsigned(row.0),
        studies: unsigned(row.1),
        series: unsigned(row.2),
        instances: unsigned(row.3),
        bytes: unsigned(row.4),
    })
}

/// Jobs waiting or under way, and set aside.
pub(super) async fn job_counts(pool: &Pool) -> Result<(u64, u64), IndexError> {
    let row: (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM job WHERE set_aside = 0),
           (SELECT count(*) FROM job WHERE set_aside = 1)",
    )
    .fetch_one(pool)
    .await
    .map_err(failed)?;
    Ok((unsigned(row.0), unsigned(row.1)))
}

fn get<'r, T>(row: &'r DbRow, at: usize) -> Result<T, IndexError>
where
    T: sqlx::Decode<'r, Db> + sqlx::Type<Db>,
{
    row.try_get(at).map_err(failed)
}

fn identifier(row: &DbRow, at: usize) -> Result<Uid, IndexError> {
    uid(&get::<String>(row, at)?)
}

fn path(row: &DbRow, at: usize) -> Result<InstancePath, IndexError> {
    Ok(InstancePath {
        study: identifier(row, at)?,
        series: identifier(row, at + 1)?,
        instance: identifier(row, at + 2)?,
    })
}

fn hash(row: &DbRow, at: usize) -> Result<[u8; 32], IndexError> {
    let bytes: Vec<u8> = get(row, at)?;
    bytes.try_into().map_err(|_| IndexError::Inconsistent("a hash of another length".to_owned()))
}

fn unsigned(figure: i64) -> u64 {
    u64::try_from(figure).unwrap_or(0)
}
