//! Rows by name: instances, series, derived objects, copies, totals.

use std::collections::HashSet;

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
use crate::model::path::InstancePath;
use crate::model::path::Scope;
use crate::people::patient_id::PatientId;

use super::dialect::Db;
use super::dialect::LOCK_ROWS;
use super::dialect::Tx;
use super::dialect::failed;
use super::rows::clean;
use super::rows::pieces;
use super::rows::values;
use super::store::signed;

type Pool = sqlx::Pool<Db>;
type DbRow = <Db as sqlx::Database>::Row;

const TREE: &str = " FROM study st JOIN patient p ON p.id = st.patient
  JOIN series se ON se.study = st.id JOIN instance i ON i.series = se.id WHERE ";

const LOCATED: &str =
    "SELECT i.id, i.series, st.uid, se.uid, i.uid, i.sop_class, i.number, c.blob_key,
    c.blob_bytes, c.data_set_sha256, c.transfer_syntax, i.frames, c.layout, c.received_us
  FROM page JOIN instance i ON i.id = page.instance_row JOIN series se ON se.id = i.series
    JOIN study st ON st.id = se.study JOIN copy c ON c.instance = i.id AND c.served = 1";

const IN_ORDER: &str = " ORDER BY se.number_sort, se.number, se.id, i.number_sort, i.id";

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
    // Ids first: what is sorted stays small, however long the layouts are.
    let mut sql = QueryBuilder::<Db>::new("WITH page AS MATERIALIZED (SELECT i.id AS instance_row");
    sql.push(TREE);
    push_scope(&mut sql, scope);
    if let Some(uid) = &scope.instance {
        sql.push(" AND i.uid = ").push_bind(uid.as_str().to_owned());
    }
    if let Some(after) = after {
        sql.push(
            " AND (se.number_sort, se.number, se.id, i.number_sort, i.id) >
             (SELECT bs.number_sort, bs.number, bs.id, b.number_sort, b.id
             FROM instance b JOIN series bs ON bs.id = b.series WHERE b.id = ",
        );
        sql.push_bind(after).push(")");
    }
    sql.push(IN_ORDER).push(" LIMIT CAST(").push_bind(i64::from(limit)).push(" AS BIGINT)) ");
    sql.push(LOCATED).push(IN_ORDER);
    let rows = sql.build().fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(located).collect()
}

/// The served copies of a SOP Instance UID, wherever they are.
pub(super) async fn locate_anywhere(
    pool: &Pool,
    instance: &Uid,
    limit: u32,
) -> Result<Vec<Located>, IndexError> {
    let mut sql = QueryBuilder::<Db>::new(
        "WITH page AS MATERIALIZED (SELECT id AS instance_row FROM instance WHERE uid = ",
    );
    sql.push_bind(instance.as_str().to_owned()).push(" ORDER BY id LIMIT CAST(");
    sql.push_bind(i64::from(limit)).push(" AS BIGINT)) ").push(LOCATED).push(" ORDER BY i.id");
    let rows = sql.build().fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(located).collect()
}

/// The condition that a study is in a scope, and a series when it names one.
pub(super) fn push_scope(sql: &mut QueryBuilder<Db>, scope: &Scope) {
    sql.push("st.uid = ").push_bind(scope.study.as_str().to_owned());
    if let Some(series) = &scope.series {
        sql.push(" AND se.uid = ").push_bind(series.as_str().to_owned());
    }
    if let Some(patient) = &scope.patient {
        sql.push(" AND p.patient_id = ").push_bind(clean(&patient.value).into_owned());
        sql.push(" AND p.issuer = ").push_bind(clean(&patient.issuer).into_owned());
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
        frames: figure(row, 11)?,
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
    sql.push(" ORDER BY se.number_sort, se.number, se.id");
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
        instances: figure(row, 6)?,
        changed_us: get(row, 7)?,
    })
}

/// Records a derived object; gives the key that is no longer needed.
pub(super) async fn put_derived(
    tx: &mut Tx<'_>,
    derived: &Derived,
) -> Result<Option<String>, IndexError> {
    if let Some(lock) = LOCK_ROWS {
        // Two nodes may have made the same object: one after the other, so that each learns of the
        // key it replaces.
        let mut sql = QueryBuilder::<Db>::new("SELECT id FROM series WHERE id = ");
        sql.push_bind(derived.series_id).push(lock);
        sql.build().execute(&mut **tx).await.map_err(failed)?;
    }
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
    let unwanted = if done.rows_affected() == 0 { Some(derived.blob_key.clone()) } else { older };
    // Recording the same object again must not give it away for deletion.
    let kept = |key: &String| done.rows_affected() == 1 && *key == derived.blob_key;
    Ok(unwanted.filter(|key| !kept(key)))
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
           JOIN study st ON st.id = se.study WHERE c.id > $1 ORDER BY c.id LIMIT CAST($2 AS BIGINT)",
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
    let mut known: HashSet<String> = HashSet::new();
    for piece in pieces(keys) {
        let mut sql = QueryBuilder::<Db>::new("WITH k (blob_key) AS (");
        values(&mut sql, piece, |row, key| {
            row.text(key);
        });
        sql.push(
            ") SELECT blob_key FROM k WHERE EXISTS (SELECT 1 FROM copy c WHERE c.blob_key = k.blob_key)
             OR EXISTS (SELECT 1 FROM derived d WHERE d.blob_key = k.blob_key)
             OR EXISTS (SELECT 1 FROM bin b WHERE b.blob_key = k.blob_key)
             OR EXISTS (SELECT 1 FROM document d WHERE d.blob_key = k.blob_key)
             OR EXISTS (SELECT 1 FROM gateway_outbox o WHERE o.blob_key = k.blob_key)",
        );
        let found: Vec<String> = sql.build_query_scalar().fetch_all(pool).await.map_err(failed)?;
        known.extend(found);
    }
    Ok(keys.iter().map(|key| known.contains(key)).collect())
}

/// Totals.
pub(super) async fn totals(pool: &Pool) -> Result<Totals, IndexError> {
    let row: (i64, i64, i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM patient), (SELECT count(*) FROM study), count(*),
           CAST(coalesce(sum(instances), 0) AS BIGINT), CAST(coalesce(sum(bytes), 0) AS BIGINT)
         FROM series",
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

/// A column.
pub(super) fn get<'r, T>(row: &'r DbRow, at: usize) -> Result<T, IndexError>
where
    T: sqlx::Decode<'r, Db> + sqlx::Type<Db>,
{
    row.try_get(at).map_err(failed)
}

/// A column that counts something.
pub(super) fn figure(row: &DbRow, at: usize) -> Result<u32, IndexError> {
    Ok(u32::try_from(get::<i64>(row, at)?).unwrap_or(u32::MAX))
}

/// A column that holds an identifier.
pub(super) fn identifier(row: &DbRow, at: usize) -> Result<Uid, IndexError> {
    let text: String = get(row, at)?;
    Uid::parse(&text).map_err(|error| IndexError::Inconsistent(format!("an identifier: {error}")))
}

/// Columns that hold the UIDs of an instance and of what it hangs from.
pub(super) fn path(row: &DbRow, at: usize) -> Result<InstancePath, IndexError> {
    Ok(InstancePath {
        study: identifier(row, at)?,
        series: identifier(row, at + 1)?,
        instance: identifier(row, at + 2)?,
    })
}

/// A column that holds a SHA-256.
pub(super) fn hash(row: &DbRow, at: usize) -> Result<[u8; 32], IndexError> {
    let bytes: Vec<u8> = get(row, at)?;
    bytes.try_into().map_err(|_| IndexError::Inconsistent("a hash of another length".to_owned()))
}

/// A figure as it was before the database kept it.
pub(super) fn unsigned(figure: i64) -> u64 {
    u64::try_from(figure).unwrap_or(0)
}
