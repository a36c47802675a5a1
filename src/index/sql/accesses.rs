//! The record of accesses.

use async_trait::async_trait;
use sqlx::QueryBuilder;

use crate::index::accesses::AccessRows;
use crate::index::accesses::AccessRule;
use crate::index::error::IndexError;
use crate::index::pages::Page;
use crate::index::pages::SortBy;
use crate::model::access::Access;
use crate::model::access::Interaction;
use crate::model::access::NewAccess;
use crate::model::access::Who;

use super::adapter::Adapter;
use super::dialect::Db;
use super::dialect::TELL_BEFORE;
use super::dialect::TELL_BEHIND;
use super::dialect::TOLD;
use super::dialect::Tx;
use super::dialect::begin;
use super::dialect::failed;
use super::dialect::within;
use super::pages::Columns;
use super::pages::push_any;
use super::pages::push_micros;
use super::pages::push_page;
use super::pages::push_people;
use super::pages::push_rows;
use super::pages::push_texts;
use super::records::get;
use super::rows::clean;
use super::rows::values;

type DbRow = <Db as sqlx::Database>::Row;

/// Up to how many people a statement that enters them stays prepared.
const MOST_PREPARED: usize = 64;

const PLACE: Columns = Columns { date: None, time: None, changed: "s.at_us", row: "s.id" };

const COLUMNS: &str =
    "SELECT s.id, s.at_us, a.actor, a.name, a.address, a.user_agent, a.interaction,
  a.kind, a.item, a.version, a.query, a.request, a.status, coalesce(p.root, s.person)";

/// That nobody stands before who is the same person now.
const ONCE: &str = "NOT EXISTS (SELECT 1 FROM access_subject o JOIN person q ON q.id = o.person
  WHERE o.access = s.access AND o.id < s.id AND q.root = p.root)";

#[async_trait]
impl AccessRows for Adapter {
    async fn put_accesses(&self, told: &[NewAccess], now_us: i64) -> Result<(), IndexError> {
        let mut tx = begin(&self.write).await?;
        for access in told {
            put(&mut tx, access, now_us).await?;
        }
        tx.commit().await.map_err(failed)
    }

    async fn accesses_page(
        &self,
        rules: &[AccessRule],
        page: &Page,
    ) -> Result<Vec<Access>, IndexError> {
        let mut sql = QueryBuilder::<Db>::new(COLUMNS);
        push_access_rules(&mut sql, rules);
        let sort = if page.sort == SortBy::Row { SortBy::Row } else { SortBy::Changed };
        push_page(&mut sql, &Page { sort, ..page.clone() }, PLACE);
        let rows = within(&self.read, sql, Some(self.search_within)).await?;
        rows.iter().map(access).collect()
    }
}

/// Enters an access and whom it concerns in one trip to the database.
async fn put(tx: &mut Tx<'_>, told: &NewAccess, now_us: i64) -> Result<(), IndexError> {
    let mut sql = QueryBuilder::<Db>::new(TELL_BEFORE);
    sql.push(
        "INSERT INTO access (actor, name, address, user_agent, interaction, kind, item, version,
           query, request, status) ",
    );
    values(&mut sql, std::slice::from_ref(told), |row, told| {
        row.text(&told.who.kind).text(&told.who.name).text(&told.who.address);
        row.text(&told.user_agent).text(told.interaction.as_str()).text(&told.kind);
        row.text(&told.item).text(&told.version).text(&told.query).text(&told.request);
        row.whole(told.status.into());
    });
    sql.push(TELL_BEHIND);
    // Where nobody is found, one row says so.
    sql.push("INSERT INTO access_subject (access, at_us, person) SELECT DISTINCT a.id, CAST(");
    sql.push_bind(now_us).push(" AS BIGINT), o.id FROM ").push(TOLD);
    sql.push(" AS a LEFT JOIN person n ON ");
    push_rows(&mut sql, "n.id", &padded(told));
    sql.push(" LEFT JOIN person o ON o.root = n.root ORDER BY 3");
    let kept = told.people.len() <= MOST_PREPARED;
    sql.build().persistent(kept).execute(&mut **tx).await.map_err(failed)?;
    Ok(())
}

/// The people of an access, the last repeated so often that few lengths occur: for each of them the
/// statement is another.
fn padded(told: &NewAccess) -> Vec<i64> {
    let mut people: Vec<i64> = told.people.iter().copied().collect();
    if let Some(last) = people.last().copied() {
        people.resize(people.len().next_power_of_two(), last);
    }
    people
}

/// Writes which accesses a search looks at.
pub(super) fn push_access_rules(sql: &mut QueryBuilder<Db>, rules: &[AccessRule]) {
    // The plus keeps SQLite from going through all accesses first: only what was asked for has an
    // index there.
    let by_item = rules.iter().any(|rule| matches!(rule, AccessRule::Item(_)));
    sql.push(" FROM access_subject s JOIN access a ON a.id = ");
    sql.push(if by_item { "s.access" } else { "+s.access" });
    sql.push(" LEFT JOIN person p ON p.id = s.person WHERE ");
    let by_row = rules.iter().any(|rule| matches!(rule, AccessRule::Row(_)));
    sql.push(if by_row { "1 = 1" } else { ONCE });
    for rule in rules {
        sql.push(" AND ");
        match rule {
            AccessRule::Row(rows) => push_rows(sql, "s.id", rows),
            AccessRule::Person(people) => {
                // Said so that the index of those that concern somebody serves.
                sql.push("s.person IS NOT NULL AND ");
                push_people(sql, "s.person", people);
            }
            AccessRule::At(spans) => push_micros(sql, "s.at_us", spans),
            AccessRule::Interaction(asked) => {
                let codes: Vec<String> = asked.iter().map(|one| one.as_str().to_owned()).collect();
                push_texts(sql, "a.interaction", &codes);
            }
            AccessRule::Status(spans) => push_any(sql, spans, |sql, span| {
                sql.push("a.status BETWEEN ").push_bind(i64::from(*span.start()));
                sql.push(" AND ").push_bind(i64::from(*span.end()));
            }),
            AccessRule::Item(items) => push_any(sql, items, |sql, (kind, item)| {
                sql.push("(a.item <> '' AND a.item = ").push_bind(clean(item).into_owned());
                sql.push(" AND a.kind = ").push_bind(clean(kind).into_owned()).push(")");
            }),
            AccessRule::Address(texts) => push_any(sql, texts, |sql, text| {
                sql.push("substr(a.address, 1, length(CAST(").push_bind(clean(text).into_owned());
                sql.push(" AS TEXT))) = ").push_bind(clean(text).into_owned());
            }),
        }
    }
}

fn access(row: &DbRow) -> Result<Access, IndexError> {
    let interaction: String = get(row, 6)?;
    let interaction = Interaction::parse(&interaction)
        .ok_or_else(|| IndexError::Inconsistent("an access of an unknown kind".to_owned()))?;
    let person: Option<i64> = get(row, 13)?;
    Ok(Access {
        row: get(row, 0)?,
        at_us: get(row, 1)?,
        told: NewAccess {
            who: Who { kind: get(row, 2)?, name: get(row, 3)?, address: get(row, 4)? },
            user_agent: get(row, 5)?,
            interaction,
            kind: get(row, 7)?,
            item: get(row, 8)?,
            version: get(row, 9)?,
            query: get(row, 10)?,
            request: get(row, 11)?,
            status: u16::try_from(get::<i64>(row, 12)?).unwrap_or(u16::MAX),
            people: person.into_iter().collect(),
        },
    })
}
