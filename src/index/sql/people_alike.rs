//! People who are alike. However common a name is, no more rows are read than are asked for: two indexes
//! are walked from where somebody would stand, either way, nearest first.

use sqlx::QueryBuilder;

use crate::index::error::IndexError;
use crate::index::fascicolo::Alike;
use crate::index::fascicolo::Likeness;
use crate::people::identifier::IdentifierKind;

use super::dialect::Db;
use super::dialect::LATERAL;
use super::dialect::failed;
use super::records::get;
use super::rows::clean;
use super::rows::pieces;
use super::rows::values;

/// For each of several: people who sound alike or were born on the same day.
pub(super) async fn people_alike(
    pool: &sqlx::Pool<Db>,
    wanted: &[Likeness],
    limit: u32,
) -> Result<Vec<Alike>, IndexError> {
    let mut alike = Vec::new();
    let known = |like: &Likeness| !like.sound.is_empty() || !like.birth_date.is_empty();
    let numbered: Vec<Wanted<'_>> =
        wanted.iter().enumerate().filter(|(_, like)| known(like)).collect();
    for piece in pieces(&numbered) {
        let mut sql = alike_to(piece, limit);
        // Written anew for each, it is no statement to be kept.
        let rows = sql.build().persistent(LATERAL).fetch_all(pool).await.map_err(failed)?;
        for row in &rows {
            alike.push(Alike {
                number: usize::try_from(get::<i64>(row, 0)?).unwrap_or(usize::MAX),
                person: get(row, 1)?,
                name: get(row, 2)?,
                birth_date: get(row, 3)?,
                sex: get(row, 4)?,
                code: get(row, 5)?,
            });
        }
    }
    alike.sort_by_key(|found| found.number);
    Ok(alike)
}

/// Which of those wanted, and whom they are like.
type Wanted<'a> = (usize, &'a Likeness);

fn number(of: &Wanted<'_>) -> i64 {
    i64::try_from(of.0).unwrap_or(i64::MAX)
}

fn alike_to(piece: &[Wanted<'_>], limit: u32) -> QueryBuilder<Db> {
    let mut sql = QueryBuilder::<Db>::new("");
    if LATERAL {
        sql.push("WITH k (number, sound, birth_date) AS (");
        values(&mut sql, piece, |row, of| {
            row.whole(number(of)).text(&of.1.sound).text(&of.1.birth_date);
        });
        sql.push(") ");
    }
    sql.push(
        "SELECT f.number, q.id, q.name, q.birth_date, q.sex, coalesce((SELECT min(i.value)
             FROM person r JOIN person_identifier i ON i.person = r.id
             WHERE r.root = f.root AND i.kind = ",
    );
    sql.push_bind(IdentifierKind::CodiceFiscale.as_str());
    // Those who are alike in both first, however many are in one.
    sql.push(
        "), '') FROM (
             SELECT c.number, c.root,
               row_number() OVER (PARTITION BY c.number ORDER BY c.other, c.away, c.root) AS place
             FROM (SELECT o.number, o.root, min(o.other) AS other, min(o.away) AS away FROM (",
    );
    if LATERAL {
        sql.push("SELECT k.number, w.root, w.other, w.away FROM k CROSS JOIN LATERAL (");
        for (at, way) in Way::ALL.into_iter().enumerate() {
            sql.push(if at > 0 { " UNION ALL " } else { "" });
            way.write_lateral(&mut sql, limit);
        }
        sql.push(") AS w");
    } else {
        let all = piece.iter().flat_map(|of| Way::ALL.map(|way| (of, way)));
        for (at, (of, way)) in all.enumerate() {
            sql.push(if at > 0 { " UNION ALL " } else { "" });
            way.write_of(&mut sql, of, limit);
        }
    }
    sql.push(
        ") AS o GROUP BY o.number, o.root) AS c) AS f
           JOIN person q ON q.id = f.root WHERE f.place <= ",
    );
    sql.push_bind(i64::from(limit)).push(" ORDER BY f.number, f.place");
    sql
}

/// A way along an index to people who are alike: what is the same, and from where the other is walked.
/// Nobody is alike in what nobody knows.
#[derive(Debug, Clone, Copy)]
struct Way {
    same: &'static str,
    near: &'static str,
    from: &'static str,
    order: &'static str,
}

impl Way {
    const ALL: [Self; 4] = [
        Self { same: "sound", near: "birth_date", from: " >= ", order: "" },
        Self { same: "sound", near: "birth_date", from: " < ", order: " DESC" },
        Self { same: "birth_date", near: "sound", from: " >= ", order: "" },
        Self { same: "birth_date", near: "sound", from: " < ", order: " DESC" },
    ];

    /// Of the row `k` beside it.
    fn write_lateral(self, sql: &mut QueryBuilder<Db>, limit: u32) {
        let Self { same, near, from, .. } = self;
        sql.push(format_args!(
            "(SELECT p.root, CASE WHEN p.{near} = k.{near} THEN 0 ELSE 1 END AS other, {} AS away
               FROM person p WHERE k.{same} <> '' AND p.{same} = k.{same} AND p.{near}{from}k.{near}",
            self.away()
        ));
        self.end(sql, limit);
        sql.push(")");
    }

    /// Of one of those wanted: one select each, since no list here may look at the row beside it. At
    /// most 500 selects are joined, and a piece has 64 of four ways.
    fn write_of(self, sql: &mut QueryBuilder<Db>, of: &Wanted<'_>, limit: u32) {
        let Self { same, near, from, .. } = self;
        let value = |column: &str| {
            let text = if column == "sound" { &of.1.sound } else { &of.1.birth_date };
            clean(text).into_owned()
        };
        sql.push("SELECT * FROM (SELECT CAST(").push_bind(number(of));
        sql.push(format_args!(" AS BIGINT) AS number, p.root AS root, CASE WHEN p.{near} = "));
        sql.push_bind(value(near)).push(" THEN 0 ELSE 1 END AS other, ").push(self.away());
        sql.push(" AS away FROM person p WHERE ");
        sql.push_bind(value(same)).push(format_args!(" <> '' AND p.{same} = "));
        sql.push_bind(value(same)).push(format_args!(" AND p.{near}{from}"));
        sql.push_bind(value(near));
        self.end(sql, limit);
        sql.push(") AS w");
    }

    /// How many are nearer that way.
    fn away(self) -> String {
        let Self { near, order, .. } = self;
        format!("row_number() OVER (ORDER BY p.{near}{order}, p.id{order})")
    }

    fn end(self, sql: &mut QueryBuilder<Db>, limit: u32) {
        let Self { near, order, .. } = self;
        sql.push(format_args!(" ORDER BY p.{near}{order}, p.id{order} LIMIT CAST("));
        sql.push_bind(i64::from(limit)).push(" AS BIGINT)");
    }
}
