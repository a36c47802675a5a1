//! Documents: entered once a content, their versions ordered whatever came first.

use sqlx::QueryBuilder;

use crate::index::error::IndexError;
use crate::index::fascicolo::DocumentsOf;
use crate::index::fascicolo::Entered;
use crate::model::document::Document;
use crate::model::document::DocumentKind;
use crate::model::document::NEXT_VERSION;
use crate::model::document::NewDocument;
use crate::model::event::EventKind;

use super::dialect::Db;
use super::dialect::Tx;
use super::dialect::failed;
use super::happenings::Concerned;
use super::happenings::tell;
use super::links::add_references;
use super::pages::push_rows;
use super::people::lock;
use super::records::figure;
use super::records::get;
use super::records::hash;
use super::records::unsigned;
use super::rows::clean;
use super::store::signed;

type Pool = sqlx::Pool<Db>;
type DbRow = <Db as sqlx::Database>::Row;

/// Documents a document says it replaces, at most.
const MOST_REPLACED: usize = 100;

/// Enters a document; the caller commits.
pub(super) async fn put(
    tx: &mut Tx<'_>,
    new: &NewDocument,
    now_us: i64,
) -> Result<Entered, IndexError> {
    lock(tx).await?;
    let known: Option<i64> = sqlx::query_scalar("SELECT id FROM document WHERE sha256 = $1")
        .bind(new.sha256.to_vec())
        .fetch_optional(&mut **tx)
        .await
        .map_err(failed)?;
    if let Some(known) = known {
        return Ok(Entered::Known(known));
    }
    let version = version(tx, new).await?;
    let id = insert(tx, new, version, now_us).await?;
    let mut replaced_now = Vec::new();
    for replaced in new.replaces.iter().take(MOST_REPLACED) {
        sqlx::query(
            "INSERT INTO document_replaces (document, replaced) VALUES ($1, $2)
             ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(clean(replaced).into_owned())
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
        replaced_now.extend(replace(tx, replaced, id, now_us).await?);
    }
    replaced_now.extend(replaced_already(tx, new, id, now_us).await?);
    replaced_now.extend(order_versions(tx, &new.set_id, now_us).await?);
    add_references(tx, "document", id, &new.references).await?;
    tell(tx, EventKind::DocumentArrived, Concerned::document(id), now_us).await?;
    for (older, by) in replaced_now {
        let replaced = Concerned { replaced_by: Some(by), ..Concerned::document(older) };
        tell(tx, EventKind::DocumentReplaced, replaced, now_us).await?;
    }
    Ok(Entered::New(id))
}

/// The version a document says it is, or the next of its set.
async fn version(tx: &mut Tx<'_>, new: &NewDocument) -> Result<i64, IndexError> {
    if new.version != NEXT_VERSION {
        return Ok(i64::from(new.version));
    }
    let last: Option<i64> =
        sqlx::query_scalar("SELECT max(version) FROM document WHERE set_id = $1")
            .bind(clean(&new.set_id).into_owned())
            .fetch_one(&mut **tx)
            .await
            .map_err(failed)?;
    Ok(last.unwrap_or(0).saturating_add(1))
}

async fn insert(
    tx: &mut Tx<'_>,
    new: &NewDocument,
    version: i64,
    now_us: i64,
) -> Result<i64, IndexError> {
    let mut sql = QueryBuilder::<Db>::new(
        "INSERT INTO document (person, person_origin, kind, media_type, sha256, blob_key, blob_bytes,
           source, document_id, set_id, version, superseded_by, type_code, title, effective,
           service_date, confidentiality, findings, text, name, birth_date, sex, instance,
           received_us, changed_us) VALUES (NULL, '', ",
    );
    let text = |text: &str| clean(text).into_owned();
    let mut row = sql.separated(", ");
    row.push_bind(new.kind.as_str()).push_bind(text(&new.media_type));
    row.push_bind(new.sha256.to_vec()).push_bind(new.blob_key.clone());
    row.push_bind(signed(new.blob_bytes)).push_bind(text(&new.source));
    row.push_bind(text(&new.document_id)).push_bind(text(&new.set_id));
    row.push_bind(version).push_bind(0_i64).push_bind(text(&new.type_code));
    row.push_bind(text(&new.title)).push_bind(text(&new.effective));
    row.push_bind(text(&new.service_date)).push_bind(text(&new.confidentiality));
    row.push_bind(text(&new.findings)).push_bind(text(&new.text));
    row.push_bind(text(&new.patient.name)).push_bind(text(&new.patient.birth_date));
    row.push_bind(text(&new.patient.sex)).push_bind(new.instance);
    row.push_bind(now_us).push_bind(now_us);
    sql.push(") RETURNING id");
    sql.build_query_scalar().fetch_one(&mut **tx).await.map_err(failed)
}

/// A document's row, and that of the one that takes its place.
type Replaced = (i64, i64);

/// Marks the documents of that identifier as replaced.
async fn replace(
    tx: &mut Tx<'_>,
    replaced: &str,
    by: i64,
    now_us: i64,
) -> Result<Vec<Replaced>, IndexError> {
    let rows: Vec<i64> = sqlx::query_scalar(
        "UPDATE document SET superseded_by = $1, changed_us = $3
         WHERE document_id = $2 AND document_id <> '' AND id <> $1 AND superseded_by = 0
         RETURNING id",
    )
    .bind(by)
    .bind(clean(replaced).into_owned())
    .bind(now_us)
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(rows.into_iter().map(|row| (row, by)).collect())
}

/// A document that came after the one that replaces it.
async fn replaced_already(
    tx: &mut Tx<'_>,
    new: &NewDocument,
    id: i64,
    now_us: i64,
) -> Result<Vec<Replaced>, IndexError> {
    let by: Option<i64> = sqlx::query_scalar(
        "SELECT document FROM document_replaces WHERE replaced = $1 AND document <> $2
         ORDER BY document LIMIT 1",
    )
    .bind(clean(&new.document_id).into_owned())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await
    .map_err(failed)?;
    match by.filter(|_| !new.document_id.is_empty()) {
        Some(by) => replace(tx, &new.document_id, by, now_us).await,
        None => Ok(Vec::new()),
    }
}

/// Of a set each version is replaced by the next one that is here.
async fn order_versions(
    tx: &mut Tx<'_>,
    set_id: &str,
    now_us: i64,
) -> Result<Vec<Replaced>, IndexError> {
    let mut replaced = Vec::new();
    if set_id.is_empty() {
        return Ok(replaced);
    }
    let versions: Vec<(i64, i64)> =
        sqlx::query_as("SELECT id, version FROM document WHERE set_id = $1 ORDER BY version, id")
            .bind(clean(set_id).into_owned())
            .fetch_all(&mut **tx)
            .await
            .map_err(failed)?;
    for (id, version) in &versions {
        let next = versions.iter().find(|(_, other)| other > version);
        if let Some((next, _)) = next {
            let done = sqlx::query(
                "UPDATE document SET superseded_by = $1, changed_us = $3
                 WHERE id = $2 AND superseded_by <> $1",
            )
            .bind(next)
            .bind(id)
            .bind(now_us)
            .execute(&mut **tx)
            .await
            .map_err(failed)?;
            replaced.extend((done.rows_affected() > 0).then_some((*id, *next)));
        }
    }
    Ok(replaced)
}

/// The columns [`document`] reads.
pub(super) const COLUMNS: &str =
    "SELECT d.id, p.root, d.kind, d.media_type, d.sha256, d.blob_key, d.blob_bytes,
    d.document_id, d.set_id, d.version, d.superseded_by, d.type_code, d.title, d.effective,
    d.service_date, d.findings, d.name, d.birth_date, d.sex, d.received_us";

/// Where [`COLUMNS`] come from.
pub(super) const FROM: &str = " FROM document d LEFT JOIN person p ON p.id = d.person ";

/// Documents.
pub(super) async fn documents(
    pool: &Pool,
    of: DocumentsOf,
    limit: u32,
) -> Result<Vec<Document>, IndexError> {
    let mut sql = QueryBuilder::<Db>::new(COLUMNS);
    sql.push(FROM);
    match of {
        DocumentsOf::Id(id) => sql.push("WHERE d.id = ").push_bind(id),
        DocumentsOf::Rows(rows) => {
            sql.push("WHERE ");
            push_rows(&mut sql, "d.id", &rows);
            &mut sql
        }
        DocumentsOf::Person(person) => sql
            .push("WHERE p.root = (SELECT root FROM person WHERE id = ")
            .push_bind(person)
            .push(")"),
    };
    sql.push(" ORDER BY d.service_date DESC, d.id DESC LIMIT CAST(")
        .push_bind(i64::from(limit))
        .push(" AS BIGINT)");
    let rows = sql.build().fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(document).collect()
}

/// A document's row.
pub(super) fn document(row: &DbRow) -> Result<Document, IndexError> {
    let (kind, superseded): (String, i64) = (get(row, 2)?, get(row, 10)?);
    Ok(Document {
        id: get(row, 0)?,
        person: get(row, 1)?,
        kind: DocumentKind::parse(&kind),
        media_type: get(row, 3)?,
        sha256: hash(row, 4)?,
        blob_key: get(row, 5)?,
        blob_bytes: unsigned(get(row, 6)?),
        document_id: get(row, 7)?,
        set_id: get(row, 8)?,
        version: figure(row, 9)?,
        superseded_by: (superseded > 0).then_some(superseded),
        type_code: get(row, 11)?,
        title: get(row, 12)?,
        effective: get(row, 13)?,
        service_date: get(row, 14)?,
        findings: get(row, 15)?,
        name: get(row, 16)?,
        birth_date: get(row, 17)?,
        sex: get(row, 18)?,
        received_us: get(row, 19)?,
    })
}
