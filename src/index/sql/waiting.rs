//! Orders, and what waits for a decision.

use sqlx::QueryBuilder;

use crate::index::error::IndexError;
use crate::model::document::Reference;
use crate::model::document::ReferenceKind;
use crate::model::event::EventKind;
use crate::model::link::Item;
use crate::model::link::ItemKind;
use crate::model::link::Waiting;
use crate::model::order::ImagingOrder;

use super::dialect::Db;
use super::dialect::Tx;
use super::dialect::failed;
use super::happenings::Concerned;
use super::happenings::tell;
use super::people::lock;
use super::records::get;
use super::rows::clean;

type Pool = sqlx::Pool<Db>;
type DbRow = <Db as sqlx::Database>::Row;

/// Enters an order or what is new of it; the caller commits.
pub(super) async fn put_order(
    tx: &mut Tx<'_>,
    order: &ImagingOrder,
    now_us: i64,
) -> Result<i64, IndexError> {
    lock(tx).await?;
    let mut known = None;
    for (column, assigner, number) in [
        ("filler", "filler_assigner", &order.filler),
        ("placer", "placer_assigner", &order.placer),
        ("accession", "accession_assigner", &order.accession),
    ] {
        if known.is_none() && !number.0.is_empty() {
            let mut sql = QueryBuilder::<Db>::new("SELECT id FROM imaging_order WHERE ");
            sql.push(column).push(" = ").push_bind(clean(&number.0).into_owned());
            sql.push(" AND ").push(assigner).push(" = ").push_bind(clean(&number.1).into_owned());
            sql.push(" ORDER BY id LIMIT 1");
            known = sql.build_query_scalar().fetch_optional(&mut **tx).await.map_err(failed)?;
        }
    }
    match known {
        Some(id) => update_order(tx, id, order, now_us).await,
        None => insert_order(tx, order, now_us).await,
    }
}

/// The columns that are texts, and what an order has for them.
fn columns(order: &ImagingOrder) -> [(&'static str, &str); 15] {
    [
        ("placer", &order.placer.0),
        ("placer_assigner", &order.placer.1),
        ("filler", &order.filler.0),
        ("filler_assigner", &order.filler.1),
        ("accession", &order.accession.0),
        ("accession_assigner", &order.accession.1),
        ("nre", &order.nre),
        ("study_uid", &order.study_uid),
        ("procedure_code", &order.procedure),
        ("procedure_text", &order.procedure_text),
        ("modality", &order.modality),
        ("control", &order.control),
        ("status", &order.status),
        ("body_part", &order.body_part),
        ("side", &order.side),
    ]
}

async fn insert_order(
    tx: &mut Tx<'_>,
    order: &ImagingOrder,
    now_us: i64,
) -> Result<i64, IndexError> {
    let mut sql = QueryBuilder::<Db>::new("INSERT INTO imaging_order (person, changed_us");
    for (column, _) in columns(order) {
        sql.push(", ").push(column);
    }
    sql.push(") VALUES (").push_bind(order.person).push(", ").push_bind(now_us);
    for (_, text) in columns(order) {
        sql.push(", ").push_bind(clean(text).into_owned());
    }
    sql.push(") RETURNING id");
    sql.build_query_scalar().fetch_one(&mut **tx).await.map_err(failed)
}

/// What a later message says replaces what was there; what it is silent about stays.
async fn update_order(
    tx: &mut Tx<'_>,
    id: i64,
    order: &ImagingOrder,
    now_us: i64,
) -> Result<i64, IndexError> {
    let mut sql = QueryBuilder::<Db>::new("UPDATE imaging_order SET changed_us = ");
    sql.push_bind(now_us);
    if let Some(person) = order.person {
        sql.push(", person = ").push_bind(person);
    }
    for (column, text) in columns(order) {
        if !text.is_empty() {
            sql.push(", ").push(column).push(" = ").push_bind(clean(text).into_owned());
        }
    }
    sql.push(" WHERE id = ").push_bind(id);
    sql.build().execute(&mut **tx).await.map_err(failed)?;
    Ok(id)
}

/// Orders that have one of these numbers or name one of these studies.
pub(super) async fn orders_sharing(
    pool: &Pool,
    references: &[Reference],
) -> Result<Vec<ImagingOrder>, IndexError> {
    let mut orders: Vec<ImagingOrder> = Vec::new();
    for reference in references {
        let columns: &[&str] = match reference.kind {
            ReferenceKind::Study => &["study_uid"],
            ReferenceKind::Accession => &["accession"],
            ReferenceKind::Order => &["nre", "placer", "filler"],
        };
        for column in columns {
            let mut sql = QueryBuilder::<Db>::new(
                "SELECT placer, placer_assigner, filler, filler_assigner, accession,
                   accession_assigner, nre, study_uid, procedure_code, procedure_text, modality,
                   control, status, person, body_part, side FROM imaging_order WHERE ",
            );
            sql.push(*column).push(" = ").push_bind(clean(&reference.value).into_owned());
            sql.push(" ORDER BY id LIMIT 100");
            for row in sql.build().fetch_all(pool).await.map_err(failed)? {
                let order = order(&row)?;
                if !orders.contains(&order) {
                    orders.push(order);
                }
            }
        }
    }
    Ok(orders)
}

fn order(row: &DbRow) -> Result<ImagingOrder, IndexError> {
    Ok(ImagingOrder {
        placer: (get(row, 0)?, get(row, 1)?),
        filler: (get(row, 2)?, get(row, 3)?),
        accession: (get(row, 4)?, get(row, 5)?),
        nre: get(row, 6)?,
        study_uid: get(row, 7)?,
        procedure: get(row, 8)?,
        procedure_text: get(row, 9)?,
        modality: get(row, 10)?,
        control: get(row, 11)?,
        status: get(row, 12)?,
        person: get(row, 13)?,
        body_part: get(row, 14)?,
        side: get(row, 15)?,
    })
}

/// Lets something wait.
pub(super) async fn open_item(
    tx: &mut Tx<'_>,
    kind: ItemKind,
    waiting: Waiting,
    facts: &str,
    now_us: i64,
) -> Result<(), IndexError> {
    lock(tx).await?;
    let open: Option<i64> = sqlx::query_scalar(
        "SELECT id FROM reconciliation
         WHERE kind = $1 AND waiting = $2 AND waiting_id = $3 AND closed_us = 0",
    )
    .bind(kind.as_str())
    .bind(waiting.kind())
    .bind(waiting.id())
    .fetch_optional(&mut **tx)
    .await
    .map_err(failed)?;
    // What somebody decided stays decided; what solved itself may come up again.
    let done = sqlx::query(
        "INSERT INTO reconciliation (kind, waiting, waiting_id, facts, opened_us, closed_us, decision,
           actor) VALUES ($1, $2, $3, $4, $5, 0, '', '')
         ON CONFLICT (kind, waiting, waiting_id) DO UPDATE SET facts = excluded.facts,
           closed_us = 0, decision = '' WHERE reconciliation.actor = ''",
    )
    .bind(kind.as_str())
    .bind(waiting.kind())
    .bind(waiting.id())
    .bind(clean(facts).into_owned())
    .bind(now_us)
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    let conflict = matches!(kind, ItemKind::IdentityConflict | ItemKind::PersonConflict);
    if !conflict || open.is_some() || done.rows_affected() == 0 {
        return Ok(());
    }
    let concerned = match waiting {
        Waiting::Study(id) => Concerned::study(id),
        Waiting::Document(id) => Concerned::document(id),
    };
    tell(tx, EventKind::ConflictRaised, concerned, now_us).await
}

/// It waits no longer.
pub(super) async fn close_item(
    tx: &mut Tx<'_>,
    kind: ItemKind,
    waiting: Waiting,
    decision: &str,
    actor: &str,
    now_us: i64,
) -> Result<(), IndexError> {
    sqlx::query(
        "UPDATE reconciliation SET closed_us = $1, decision = $2, actor = $3
         WHERE kind = $4 AND waiting = $5 AND waiting_id = $6 AND closed_us = 0",
    )
    .bind(now_us)
    .bind(clean(decision).into_owned())
    .bind(clean(actor).into_owned())
    .bind(kind.as_str())
    .bind(waiting.kind())
    .bind(waiting.id())
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(())
}

/// What waits.
pub(super) async fn items(pool: &Pool, after: i64, limit: u32) -> Result<Vec<Item>, IndexError> {
    let rows = sqlx::query(
        "SELECT id, kind, waiting, waiting_id, facts, opened_us FROM reconciliation
         WHERE closed_us = 0 AND id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)",
    )
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    rows.iter().map(item).collect()
}

fn item(row: &DbRow) -> Result<Item, IndexError> {
    let (kind, waiting): (String, String) = (get(row, 1)?, get(row, 2)?);
    let id: i64 = get(row, 3)?;
    let unknown = || IndexError::Inconsistent("an unknown kind of item".to_owned());
    Ok(Item {
        id: get(row, 0)?,
        kind: ItemKind::parse(&kind).ok_or_else(unknown)?,
        waiting: if waiting == "study" { Waiting::Study(id) } else { Waiting::Document(id) },
        facts: get(row, 4)?,
        opened_us: get(row, 5)?,
    })
}
