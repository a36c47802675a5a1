//! Where studies and documents come from, and how complete what each organisation feeds is.

use async_trait::async_trait;
use sqlx::QueryBuilder;

use crate::index::error::IndexError;
use crate::index::origins::OriginRows;
use crate::model::link::Waiting;
use crate::model::organisation::Figures;
use crate::model::organisation::Marked;
use crate::model::organisation::ReportGroup;

use super::adapter::Adapter;
use super::dialect::Db;
use super::dialect::begin;
use super::dialect::failed;
use super::pages::push_rows;
use super::records::get;
use super::records::unsigned;
use super::rows::clean;
use super::rows::pieces;
use super::rows::values;

/// Sources of one series looked at.
const MOST_SOURCES: i64 = 16;

#[async_trait]
impl OriginRows for Adapter {
    async fn add_marks(&self, of: Waiting, marks: &[String]) -> Result<(), IndexError> {
        if marks.is_empty() {
            return Ok(());
        }
        let mut tx = begin(&self.write).await?;
        for piece in pieces(marks) {
            let mut sql =
                QueryBuilder::<Db>::new("INSERT INTO origin_mark (owner, owner_id, mark) ");
            values(&mut sql, piece, |row, mark| {
                row.text(of.kind()).whole(of.id()).text(mark);
            });
            sql.push(" ON CONFLICT DO NOTHING");
            sql.build().execute(&mut *tx).await.map_err(failed)?;
        }
        tx.commit().await.map_err(failed)
    }

    async fn marks(&self, of: &[Waiting]) -> Result<Vec<(i64, String)>, IndexError> {
        let Some(first) = of.first() else { return Ok(Vec::new()) };
        let mut sql =
            QueryBuilder::<Db>::new("SELECT owner_id, mark FROM origin_mark WHERE owner = ");
        sql.push_bind(first.kind()).push(" AND ");
        let rows: Vec<i64> = of.iter().map(|waiting| waiting.id()).collect();
        push_rows(&mut sql, "owner_id", &rows);
        sql.push(" ORDER BY owner_id, mark");
        sql.build_query_as().persistent(false).fetch_all(&self.read).await.map_err(failed)
    }

    async fn sources_of_series(&self, series: i64) -> Result<Vec<String>, IndexError> {
        sqlx::query_scalar(
            "SELECT DISTINCT c.source FROM instance i JOIN copy c ON c.instance = i.id
             WHERE i.series = $1 ORDER BY c.source LIMIT CAST($2 AS BIGINT)",
        )
        .bind(series)
        .bind(MOST_SOURCES)
        .fetch_all(&self.read)
        .await
        .map_err(failed)
    }

    async fn figures(&self, whose: &Marked, from: &str, to: &str) -> Result<Figures, IndexError> {
        let mut sql = QueryBuilder::<Db>::new(
            "SELECT count(*), CAST(coalesce(sum(CASE WHEN EXISTS (SELECT 1 FROM document_link l
               WHERE l.study = s.id AND l.undone_us = 0) THEN 1 ELSE 0 END), 0) AS BIGINT)
             FROM study s WHERE ",
        );
        owned(&mut sql, "study", "s.id", whose);
        between(&mut sql, "s.date", from, to);
        let (studies, studies_with_report): (i64, i64) =
            sql.build_query_as().fetch_one(&self.read).await.map_err(failed)?;
        let mut sql = QueryBuilder::<Db>::new(
            "SELECT r.service_date, r.received_day, r.published_day, r.linked, count(*) FROM (
               SELECT d.service_date, d.received_us / 86400000000 AS received_day,
                 (SELECT max(o.changed_us) / 86400000000 FROM gateway_outbox o
                   WHERE o.document = d.id AND o.operation = 'publish' AND o.stage = 'done')
                   AS published_day,
                 CAST(CASE WHEN EXISTS (SELECT 1 FROM document_link l WHERE l.document = d.id
                   AND l.undone_us = 0) THEN 1 ELSE 0 END AS BIGINT) AS linked
               FROM document d WHERE d.superseded_by = 0 AND ",
        );
        owned(&mut sql, "document", "d.id", whose);
        between(&mut sql, "d.service_date", from, to);
        sql.push(
            ") r GROUP BY r.service_date, r.received_day, r.published_day, r.linked
             ORDER BY r.service_date, r.received_day, r.published_day, r.linked",
        );
        let rows = sql.build().fetch_all(&self.read).await.map_err(failed)?;
        let mut reports = Vec::with_capacity(rows.len());
        for row in &rows {
            let linked: i64 = get(row, 3)?;
            reports.push(ReportGroup {
                service_date: get(row, 0)?,
                received_day: get(row, 1)?,
                published_day: get(row, 2)?,
                with_images: linked == 1,
                count: unsigned(get(row, 4)?),
            });
        }
        Ok(Figures {
            studies: unsigned(studies),
            studies_with_report: unsigned(studies_with_report),
            reports,
        })
    }
}

/// `column` is of somebody who is known by one of these marks, or by none.
fn owned(sql: &mut QueryBuilder<Db>, owner: &'static str, column: &'static str, whose: &Marked) {
    let (not, marks) = match whose {
        Marked::With(marks) => ("", marks),
        Marked::Without(marks) => ("NOT ", marks),
    };
    sql.push(not).push("EXISTS (SELECT 1 FROM origin_mark m WHERE m.owner = '").push(owner);
    sql.push("' AND m.owner_id = ").push(column).push(" AND m.mark IN (''");
    for mark in marks {
        sql.push(", ").push_bind(clean(mark).into_owned());
    }
    sql.push("))");
}

/// `column` is a date between two; an empty one bounds nothing.
fn between(sql: &mut QueryBuilder<Db>, column: &'static str, from: &str, to: &str) {
    if !from.is_empty() {
        sql.push(" AND ").push(column).push(" >= ").push_bind(clean(from).into_owned());
    }
    if !to.is_empty() {
        sql.push(" AND ").push(column).push(" <= ").push_bind(clean(to).into_owned());
    }
}
