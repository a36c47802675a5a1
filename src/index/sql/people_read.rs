//! People as they are asked for, and the merges that make several rows one.

use sqlx::QueryBuilder;
use sqlx::Row;

use crate::index::error::IndexError;
use crate::model::event::EventKind;
use crate::model::person::Demographics;
use crate::model::person::KnownIdentifier;
use crate::model::person::Merge;
use crate::model::person::Person;
use crate::people::identifier::Identifier;
use crate::people::identifier::IdentifierKind;
use crate::people::identifier::Trust;

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

const PERSON: &str =
    "SELECT p.root, p.id, p.name, p.birth_date, p.sex FROM person p WHERE p.root IN (";

/// A person by any of their rows.
pub(super) async fn person(pool: &Pool, id: i64) -> Result<Option<Person>, IndexError> {
    let mut sql = QueryBuilder::<Db>::new(PERSON);
    sql.push("SELECT root FROM person WHERE id = ").push_bind(id).push(") ORDER BY p.root, p.id");
    Ok(people(pool, sql).await?.pop())
}

/// People by the rows that stand for them.
pub(super) async fn people_of(pool: &Pool, roots: &[i64]) -> Result<Vec<Person>, IndexError> {
    if roots.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = QueryBuilder::<Db>::new(PERSON);
    let mut list = sql.separated(", ");
    for root in roots {
        list.push_bind(*root);
    }
    sql.push(") ORDER BY p.root, p.id");
    people(pool, sql).await
}

async fn people(pool: &Pool, mut sql: QueryBuilder<Db>) -> Result<Vec<Person>, IndexError> {
    let rows = sql.build().fetch_all(pool).await.map_err(failed)?;
    let mut people: Vec<Person> = Vec::new();
    for row in &rows {
        let (root, id): (i64, i64) = (get(row, 0)?, get(row, 1)?);
        if people.last().is_none_or(|person| person.id != root) {
            people.push(Person {
                id: root,
                rows: Vec::new(),
                name: String::new(),
                birth_date: String::new(),
                sex: String::new(),
                identifiers: Vec::new(),
            });
        }
        let Some(person) = people.last_mut() else { continue };
        person.rows.push(id);
        let said: [String; 3] = [get(row, 2)?, get(row, 3)?, get(row, 4)?];
        say([&mut person.name, &mut person.birth_date, &mut person.sex], said, id == root);
    }
    identifiers(pool, &mut people).await?;
    Ok(people)
}

/// Adds what a row says of a person: the one that stands for all speaks first, the others where it is
/// silent.
fn say(own: [&mut String; 3], said: [String; 3], stands_for_all: bool) {
    for (place, said) in own.into_iter().zip(said) {
        if stands_for_all && !said.is_empty() || place.is_empty() {
            *place = said;
        }
    }
}

/// Name, birth date and sex as they are told of a person, by any of their rows.
pub(super) async fn told(tx: &mut Tx<'_>, person: i64) -> Result<[String; 3], IndexError> {
    let mut sql = QueryBuilder::<Db>::new(PERSON);
    sql.push("SELECT root FROM person WHERE id = ").push_bind(person).push(") ORDER BY p.id");
    let rows = sql.build().fetch_all(&mut **tx).await.map_err(failed)?;
    let mut told = <[String; 3]>::default();
    for row in &rows {
        let stands_for_all = get::<i64>(row, 0)? == get::<i64>(row, 1)?;
        say(told.each_mut(), [get(row, 2)?, get(row, 3)?, get(row, 4)?], stands_for_all);
    }
    Ok(told)
}

async fn identifiers(pool: &Pool, people: &mut [Person]) -> Result<(), IndexError> {
    if people.is_empty() {
        return Ok(());
    }
    let mut sql = QueryBuilder::<Db>::new(
        "SELECT p.root, i.person, i.kind, i.assigner, i.value, i.trust, i.origin, i.first_us
         FROM person p JOIN person_identifier i ON i.person = p.id WHERE p.root IN (",
    );
    let mut list = sql.separated(", ");
    for person in &*people {
        list.push_bind(person.id);
    }
    sql.push(") ORDER BY i.id");
    for row in sql.build().persistent(false).fetch_all(pool).await.map_err(failed)? {
        let root: i64 = get(&row, 0)?;
        let known = known_identifier(&row)?;
        if let Some(person) = people.iter_mut().find(|person| person.id == root) {
            person.identifiers.push(known);
        }
    }
    Ok(())
}

fn known_identifier(row: &DbRow) -> Result<KnownIdentifier, IndexError> {
    let (kind, trust): (String, String) = (get(row, 2)?, get(row, 5)?);
    let unknown = || IndexError::Inconsistent("an unknown kind of identifier".to_owned());
    Ok(KnownIdentifier {
        person: get(row, 1)?,
        identifier: Identifier {
            kind: IdentifierKind::parse(&kind).ok_or_else(unknown)?,
            assigner: get(row, 3)?,
            value: get(row, 4)?,
            trust: Trust::parse(&trust).ok_or_else(unknown)?,
        },
        origin: get(row, 6)?,
        first_us: get(row, 7)?,
    })
}

/// The person an identifier is of.
pub(super) async fn person_of(
    pool: &Pool,
    identifier: &Identifier,
) -> Result<Option<i64>, IndexError> {
    sqlx::query_scalar(
        "SELECT p.root FROM person_identifier i JOIN person p ON p.id = i.person
         WHERE i.value = $1 AND i.assigner = $2 AND i.kind = $3",
    )
    .bind(clean(&identifier.value).into_owned())
    .bind(clean(&identifier.assigner).into_owned())
    .bind(identifier.kind.as_str())
    .fetch_optional(pool)
    .await
    .map_err(failed)
}

/// What was said of name and birth.
pub(super) async fn demographics(
    pool: &Pool,
    person: i64,
) -> Result<Vec<Demographics>, IndexError> {
    let rows = sqlx::query(
        "SELECT h.person, h.origin, h.name, h.birth_date, h.sex, h.from_us
         FROM person n JOIN person p ON p.root = n.root JOIN person_history h ON h.person = p.id
         WHERE n.id = $1 ORDER BY h.id",
    )
    .bind(person)
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    rows.iter()
        .map(|row| {
            Ok(Demographics {
                person: get(row, 0)?,
                origin: get(row, 1)?,
                name: get(row, 2)?,
                birth_date: get(row, 3)?,
                sex: get(row, 4)?,
                from_us: get(row, 5)?,
            })
        })
        .collect()
}

/// Makes two people one.
pub(super) async fn merge(
    tx: &mut Tx<'_>,
    survivor: i64,
    absorbed: i64,
    reason: &str,
    actor: &str,
    now_us: i64,
) -> Result<Option<i64>, IndexError> {
    lock(tx).await?;
    let (Some(survivor), Some(absorbed)) = (root(tx, survivor).await?, root(tx, absorbed).await?)
    else {
        return Ok(None);
    };
    if survivor == absorbed {
        return Ok(None);
    }
    sqlx::query("UPDATE person SET merged_into = $1, changed_us = $3 WHERE id = $2")
        .bind(survivor)
        .bind(absorbed)
        .bind(now_us)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    sqlx::query("UPDATE person SET root = $1 WHERE root = $2")
        .bind(survivor)
        .bind(absorbed)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    touch(tx, survivor, now_us).await?;
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO person_merge (survivor, absorbed, reason, actor, at_us, undone_us, undone_by)
         VALUES ($1, $2, $3, $4, $5, 0, '') RETURNING id",
    )
    .bind(survivor)
    .bind(absorbed)
    .bind(clean(reason).into_owned())
    .bind(clean(actor).into_owned())
    .bind(now_us)
    .fetch_one(&mut **tx)
    .await
    .map_err(failed)?;
    let merged =
        Concerned { person: Some(survivor), other: Some(absorbed), ..Concerned::default() };
    tell(tx, EventKind::PersonMerged, merged, now_us).await?;
    Ok(Some(id))
}

/// Undoes a merge.
pub(super) async fn unmerge(
    tx: &mut Tx<'_>,
    merge: i64,
    actor: &str,
    now_us: i64,
) -> Result<bool, IndexError> {
    lock(tx).await?;
    let absorbed: Option<i64> = sqlx::query_scalar(
        "UPDATE person_merge SET undone_us = $1, undone_by = $2 WHERE id = $3 AND undone_us = 0
         RETURNING absorbed",
    )
    .bind(now_us)
    .bind(clean(actor).into_owned())
    .bind(merge)
    .fetch_optional(&mut **tx)
    .await
    .map_err(failed)?;
    let Some(absorbed) = absorbed else { return Ok(false) };
    let Some(top) = root(tx, absorbed).await? else { return Ok(false) };
    // Those one with it because of what was merged into it before go with it.
    let rows: Vec<(i64, i64)> =
        sqlx::query_as("SELECT id, merged_into FROM person WHERE root = $1 ORDER BY id")
            .bind(top)
            .fetch_all(&mut **tx)
            .await
            .map_err(failed)?;
    touch(tx, top, now_us).await?;
    touch(tx, absorbed, now_us).await?;
    for row in with_all_below(absorbed, &rows) {
        sqlx::query(
            "UPDATE person SET root = $1, merged_into = CASE WHEN id = $1 THEN 0 ELSE merged_into END
             WHERE id = $2",
        )
        .bind(absorbed)
        .bind(row)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    }
    let parted = Concerned { person: Some(top), other: Some(absorbed), ..Concerned::default() };
    tell(tx, EventKind::PersonUnmerged, parted, now_us).await?;
    Ok(true)
}

/// `top` and all rows whose way up leads to it; `rows` are (id, merged into).
fn with_all_below(top: i64, rows: &[(i64, i64)]) -> Vec<i64> {
    let mut below = vec![top];
    let mut seen = 0;
    while let Some(over) = below.get(seen).copied() {
        seen = seen.saturating_add(1);
        let under = rows.iter().filter(|(_, into)| *into == over).map(|(id, _)| *id);
        let new: Vec<i64> = under.filter(|id| !below.contains(id)).collect();
        below.extend(new);
    }
    below
}

async fn root(tx: &mut Tx<'_>, person: i64) -> Result<Option<i64>, IndexError> {
    sqlx::query_scalar("SELECT root FROM person WHERE id = $1")
        .bind(person)
        .fetch_optional(&mut **tx)
        .await
        .map_err(failed)
}

/// A person changed.
pub(super) async fn touch(tx: &mut Tx<'_>, person: i64, now_us: i64) -> Result<(), IndexError> {
    sqlx::query(
        "UPDATE person SET changed_us = $1
         WHERE id = $2 OR id = (SELECT n.root FROM person n WHERE n.id = $2)",
    )
    .bind(now_us)
    .bind(person)
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Merges of a person.
pub(super) async fn merges(pool: &Pool, person: i64) -> Result<Vec<Merge>, IndexError> {
    let rows = sqlx::query(
        "SELECT DISTINCT m.id, m.survivor, m.absorbed, m.reason, m.actor, m.at_us, m.undone_us
         FROM person n JOIN person p ON p.root = n.root
           JOIN person_merge m ON m.survivor = p.id OR m.absorbed = p.id
         WHERE n.id = $1 ORDER BY m.id",
    )
    .bind(person)
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    rows.iter()
        .map(|row| {
            let undone_us: i64 = row.try_get(6).map_err(failed)?;
            Ok(Merge {
                id: get(row, 0)?,
                survivor: get(row, 1)?,
                absorbed: get(row, 2)?,
                reason: get(row, 3)?,
                actor: get(row, 4)?,
                at_us: get(row, 5)?,
                undone_us: (undone_us > 0).then_some(undone_us),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::with_all_below;

    #[test]
    fn what_was_merged_before_goes_with_its_own() {
        // 2 and 3 into 1, 4 into 3, 5 into 4.
        let rows = [(1, 0), (2, 1), (3, 1), (4, 3), (5, 4)];
        assert_eq!(with_all_below(3, &rows), [3, 4, 5]);
        assert_eq!(with_all_below(2, &rows), [2]);
    }
}
