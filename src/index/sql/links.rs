//! Links between documents and studies, and the numbers they are found by.

use sqlx::QueryBuilder;

use crate::index::error::IndexError;
use crate::index::fascicolo::Linked;
use crate::index::fascicolo::LinksOf;
use crate::index::fascicolo::StudiesOf;
use crate::model::document::Reference;
use crate::model::document::ReferenceKind;
use crate::model::event::EventKind;
use crate::model::link::Link;
use crate::model::link::Method;
use crate::model::link::NewLink;
use crate::model::link::Shared;
use crate::model::link::StudyBrief;
use crate::model::link::Waiting;

use super::dialect::Db;
use super::dialect::MODALITIES;
use super::dialect::Tx;
use super::dialect::failed;
use super::happenings::Concerned;
use super::happenings::tell;
use super::pages::push_people;
use super::pages::push_rows;
use super::people::lock;
use super::records::figure;
use super::records::get;
use super::rows::clean;
use super::rows::pieces;
use super::rows::values;

type Pool = sqlx::Pool<Db>;
type DbRow = <Db as sqlx::Database>::Row;

/// Rows of a search by numbers that are looked at.
const MOST_SHARED: i64 = 1000;

/// Adds what a study or document may have in common with others.
pub(super) async fn add_references(
    tx: &mut Tx<'_>,
    owner: &str,
    id: i64,
    references: &[Reference],
) -> Result<(), IndexError> {
    for piece in pieces(references) {
        let mut sql = QueryBuilder::<Db>::new(
            "INSERT INTO shared_reference (owner, owner_id, kind, assigner, value) ",
        );
        values(&mut sql, piece, |row, reference| {
            row.text(owner).whole(id).text(reference.kind.as_str());
            row.text(&reference.assigner).text(&reference.value);
        });
        sql.push(" ON CONFLICT DO NOTHING");
        sql.build().execute(&mut **tx).await.map_err(failed)?;
    }
    Ok(())
}

/// What a study or document may have in common with others.
pub(super) async fn references(pool: &Pool, of: Waiting) -> Result<Vec<Reference>, IndexError> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT kind, assigner, value FROM shared_reference WHERE owner = $1 AND owner_id = $2
         ORDER BY kind, assigner, value",
    )
    .bind(of.kind())
    .bind(of.id())
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    let read = |(kind, assigner, value): (String, String, String)| {
        Some(Reference { kind: ReferenceKind::parse(&kind)?, assigner, value })
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Studies or documents that have one of these numbers.
pub(super) async fn sharing(
    pool: &Pool,
    owner: &str,
    references: &[Reference],
) -> Result<Vec<Shared>, IndexError> {
    let mut found = Vec::new();
    for piece in pieces(references) {
        let mut sql = QueryBuilder::<Db>::new("WITH k (kind, value) AS (");
        values(&mut sql, piece, |row, reference| {
            row.text(reference.kind.as_str()).text(&reference.value);
        });
        sql.push(
            ") SELECT DISTINCT r.owner_id, r.kind, r.assigner, r.value FROM k
             JOIN shared_reference r ON r.value = k.value AND r.kind = k.kind AND r.owner = ",
        );
        sql.push_bind(owner.to_owned());
        sql.push(" ORDER BY r.owner_id LIMIT CAST(").push_bind(MOST_SHARED).push(" AS BIGINT)");
        let rows: Vec<(i64, String, String, String)> =
            sql.build_query_as().fetch_all(pool).await.map_err(failed)?;
        found.extend(rows.into_iter().filter_map(|(id, kind, assigner, value)| {
            let kind = ReferenceKind::parse(&kind)?;
            Some(Shared { id, reference: Reference { kind, assigner, value } })
        }));
    }
    Ok(found)
}

/// Studies as linking sees them.
pub(super) async fn studies(
    pool: &Pool,
    of: &StudiesOf,
    limit: u32,
) -> Result<Vec<StudyBrief>, IndexError> {
    let mut sql = QueryBuilder::<Db>::new(
        "SELECT st.id, st.uid, p.root, st.date, st.description, st.accession, coalesce((SELECT ",
    );
    sql.push(MODALITIES);
    sql.push(
        " FROM study_modality x WHERE x.study = st.id), ''),
           (SELECT CAST(coalesce(sum(se.instances), 0) AS BIGINT) FROM series se
             WHERE se.study = st.id),
           pa.name_folded, pa.birth_date, pa.sex
         FROM study st JOIN patient pa ON pa.id = st.patient
           LEFT JOIN person_study ps ON ps.study = st.id LEFT JOIN person p ON p.id = ps.person
         WHERE ",
    );
    match of {
        StudiesOf::Row(id) => {
            sql.push("st.id = ").push_bind(*id);
        }
        StudiesOf::Rows(rows) => push_rows(&mut sql, "st.id", rows),
        StudiesOf::People(people) => {
            // By the people, not by all studies.
            sql.push("st.id IN (SELECT s.study FROM person_study s WHERE ");
            push_people(&mut sql, "s.person", people);
            sql.push(")");
        }
        StudiesOf::Uid(uid) => {
            sql.push("st.uid = ").push_bind(clean(uid).into_owned());
        }
        StudiesOf::Series(id) => {
            sql.push("st.id = (SELECT study FROM series WHERE id = ").push_bind(*id).push(")");
        }
        StudiesOf::Person(person, after) => {
            sql.push(
                "st.id IN (SELECT s.study FROM person n JOIN person o ON o.root = n.root
                 JOIN person_study s ON s.person = o.id WHERE n.id = ",
            );
            sql.push_bind(*person).push(")");
            if let Some((date, id)) = after {
                sql.push(" AND (st.date < ").push_bind(clean(date).into_owned());
                sql.push(" OR (st.date = ").push_bind(clean(date).into_owned());
                sql.push(" AND st.id < ").push_bind(*id).push("))");
            }
        }
    }
    sql.push(" ORDER BY st.date DESC, st.id DESC LIMIT CAST(")
        .push_bind(i64::from(limit))
        .push(" AS BIGINT)");
    let rows = sql.build().fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(study).collect()
}

fn study(row: &DbRow) -> Result<StudyBrief, IndexError> {
    Ok(StudyBrief {
        id: get(row, 0)?,
        uid: get(row, 1)?,
        person: get(row, 2)?,
        date: get(row, 3)?,
        description: get(row, 4)?,
        accession: get(row, 5)?,
        modalities: get(row, 6)?,
        instances: figure(row, 7)?,
        name: get(row, 8)?,
        birth_date: get(row, 9)?,
        sex: get(row, 10)?,
    })
}

/// Makes a link; the caller commits.
pub(super) async fn link(
    tx: &mut Tx<'_>,
    new: &NewLink,
    again: bool,
    now_us: i64,
) -> Result<Linked, IndexError> {
    lock(tx).await?;
    let known: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT id, undone_us FROM document_link WHERE document = $1 AND study = $2 ORDER BY id",
    )
    .bind(new.document)
    .bind(new.study)
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    if let Some((id, _)) = known.iter().find(|(_, undone)| *undone == 0) {
        return Ok(Linked::Known(*id));
    }
    if let Some((id, _)) = known.last()
        && !again
    {
        return Ok(Linked::Undone(*id));
    }
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO document_link (document, study, method, evidence, actor, made_us, undone_us,
           undone_by) VALUES ($1, $2, $3, $4, $5, $6, 0, '') RETURNING id",
    )
    .bind(new.document)
    .bind(new.study)
    .bind(new.method.as_str())
    .bind(clean(&new.evidence).into_owned())
    .bind(clean(&new.actor).into_owned())
    .bind(now_us)
    .fetch_one(&mut **tx)
    .await
    .map_err(failed)?;
    document_changed(tx, new.document, now_us).await?;
    let linked = Concerned { study: Some(new.study), ..Concerned::document(new.document) };
    tell(tx, EventKind::StudyLinked, linked, now_us).await?;
    Ok(Linked::Made(id))
}

/// Undoes a link.
pub(super) async fn unlink(
    tx: &mut Tx<'_>,
    link: i64,
    actor: &str,
    now_us: i64,
) -> Result<bool, IndexError> {
    lock(tx).await?;
    let undone: Option<(i64, i64)> = sqlx::query_as(
        "UPDATE document_link SET undone_us = $1, undone_by = $2 WHERE id = $3 AND undone_us = 0
         RETURNING document, study",
    )
    .bind(now_us)
    .bind(clean(actor).into_owned())
    .bind(link)
    .fetch_optional(&mut **tx)
    .await
    .map_err(failed)?;
    let Some((document, study)) = undone else { return Ok(false) };
    document_changed(tx, document, now_us).await?;
    let unlinked = Concerned { study: Some(study), ..Concerned::document(document) };
    tell(tx, EventKind::StudyUnlinked, unlinked, now_us).await?;
    Ok(true)
}

async fn document_changed(tx: &mut Tx<'_>, document: i64, now_us: i64) -> Result<(), IndexError> {
    sqlx::query("UPDATE document SET changed_us = $1 WHERE id = $2")
        .bind(now_us)
        .bind(document)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    Ok(())
}

/// The columns [`read_link`] reads.
pub(super) const COLUMNS: &str =
    "SELECT l.id, l.document, l.study, st.uid, l.method, l.evidence, l.actor, l.made_us,
       l.undone_us, l.undone_by";

/// Links.
pub(super) async fn links(pool: &Pool, of: LinksOf) -> Result<Vec<Link>, IndexError> {
    let mut sql = QueryBuilder::<Db>::new(COLUMNS);
    sql.push(" FROM document_link l JOIN study st ON st.id = l.study WHERE ");
    match of {
        LinksOf::Id(id) => sql.push("l.id = ").push_bind(id),
        LinksOf::Document(id) => sql.push("l.document = ").push_bind(id),
        LinksOf::Study(id) => sql.push("l.study = ").push_bind(id),
        LinksOf::Person(person) => sql
            .push(
                "l.study IN (SELECT s.study FROM person n JOIN person o ON o.root = n.root
                 JOIN person_study s ON s.person = o.id WHERE n.id = ",
            )
            .push_bind(person)
            .push(")"),
    };
    sql.push(" ORDER BY l.id");
    let rows = sql.build().fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(read_link).collect()
}

/// A link.
pub(super) fn read_link(row: &DbRow) -> Result<Link, IndexError> {
    let (method, undone_us): (String, i64) = (get(row, 4)?, get(row, 8)?);
    let undone_by: String = get(row, 9)?;
    Ok(Link {
        id: get(row, 0)?,
        document: get(row, 1)?,
        study: get(row, 2)?,
        study_uid: get(row, 3)?,
        method: Method::parse(&method),
        evidence: get(row, 5)?,
        actor: get(row, 6)?,
        made_us: get(row, 7)?,
        undone: (undone_us > 0).then_some((undone_us, undone_by)),
    })
}
