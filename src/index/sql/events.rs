//! The change feed: numbered while the counter's row is locked, so that commit order is the order
//! of the numbers, on every node.

use std::collections::BTreeMap;
use std::collections::HashSet;

use sqlx::QueryBuilder;

use crate::index::error::IndexError;
use crate::model::event::Event;
use crate::model::event::EventKind;
use crate::model::event::Follower;
use crate::model::study::NewInstance;

use super::condition::push_between;
use super::dialect::COUNT_BEFORE;
use super::dialect::COUNT_BEHIND;
use super::dialect::COUNTED;
use super::dialect::Db;
use super::dialect::LOCK_ROWS;
use super::dialect::Tx;
use super::dialect::failed;
use super::dialect::lost_a_race;
use super::records::get;
use super::records::path;
use super::rows::clean;
use super::rows::pieces;
use super::rows::values;
use super::store::signed;
use super::tail::Tail;

/// An event to be written.
struct New<'a> {
    kind: EventKind,
    study: &'a str,
    series: &'a str,
    instance: &'a str,
    concerns: &'a str,
}

/// Writes events of instances in their order; done when the caller has sent `tail`. With `notes`, the
/// number of rejection notes the caller knew of, it fails as a lost race when there are more by now.
pub(super) async fn write(
    tx: &mut Tx<'_>,
    tail: &mut Tail,
    happened: &[(EventKind, &NewInstance)],
    notes: Option<i64>,
    now_us: i64,
) -> Result<(), IndexError> {
    let all = happened.iter().map(|(kind, new)| New {
        kind: *kind,
        study: new.study.uid.as_str(),
        series: new.series.uid.as_str(),
        instance: new.instance.uid.as_str(),
        concerns: "",
    });
    // One writer never meets another.
    let notes = notes.filter(|_| LOCK_ROWS.is_some());
    write_all(tx, tail, &all.collect::<Vec<_>>(), notes, now_us).await
}

/// Writes an event of the fascicolo. The last thing a transaction does but for others of these: the
/// counter is held until its end.
pub(super) async fn write_one(
    tx: &mut Tx<'_>,
    kind: EventKind,
    concerns: &str,
    now_us: i64,
) -> Result<(), IndexError> {
    let new = New { kind, study: "", series: "", instance: "", concerns };
    let mut tail = Tail::new();
    write_all(tx, &mut tail, &[new], None, now_us).await?;
    tail.send(tx).await
}

async fn write_all(
    tx: &mut Tx<'_>,
    tail: &mut Tail,
    happened: &[New<'_>],
    notes: Option<i64>,
    now_us: i64,
) -> Result<(), IndexError> {
    for piece in pieces(happened) {
        let count = signed(piece.len() as u64);
        let sql = tail.begin(COUNT_BEFORE);
        sql.push_bind(count).push(" WHERE one = 1");
        if let Some(notes) = notes {
            // Read again once the row is locked, as nothing else of this statement is.
            sql.push(" AND notes = ").push_bind(notes);
        }
        sql.push(COUNT_BEHIND);
        sql.push(
            "INSERT INTO event (sequence, at_us, kind, study, series, instance, concerns)
             SELECT c.last - ",
        );
        sql.push_bind(count);
        sql.push(
            " + v.column1, v.column2, v.column3, v.column4, v.column5, v.column6, v.column7 FROM ",
        );
        sql.push(COUNTED).push(" AS c, (");
        let mut number = 0_i64;
        values(sql, piece, |row, new| {
            number = number.saturating_add(1);
            row.whole(number).whole(now_us).text(new.kind.as_str()).text(new.study);
            row.text(new.series).text(new.instance).text(new.concerns);
        });
        sql.push(") AS v");
        if notes.is_none() {
            tail.end(tx).await?;
        } else if tail.send_counting(tx).await? == 0 {
            return Err(lost_a_race());
        }
    }
    Ok(())
}

/// Which of the studies just made have a UID that is kept under another patient too, by the number
/// of the instance that made them. Of two made together the later is in conflict.
pub(super) async fn study_conflicts(
    tx: &mut Tx<'_>,
    new_studies: &BTreeMap<i64, usize>,
) -> Result<HashSet<usize>, IndexError> {
    if new_studies.is_empty() {
        return Ok(HashSet::new());
    }
    if let Some(lock) = LOCK_ROWS {
        // Whoever made the same study at the same time has committed once this is locked.
        let mut sql = QueryBuilder::<Db>::new("SELECT last FROM event_counter WHERE one = 1");
        sql.push(lock);
        sql.build().execute(&mut **tx).await.map_err(failed)?;
    }
    let ids: Vec<i64> = new_studies.keys().copied().collect();
    let mut conflicts = HashSet::new();
    for piece in pieces(&ids) {
        let mut sql = QueryBuilder::<Db>::new("WITH k (id) AS (");
        values(&mut sql, piece, |row, id| {
            row.whole(*id);
        });
        sql.push(
            ") SELECT n.id, o.id FROM k JOIN study n ON n.id = k.id
             JOIN study o ON o.uid = n.uid AND o.id <> n.id",
        );
        let pairs: Vec<(i64, i64)> =
            sql.build_query_as().fetch_all(&mut **tx).await.map_err(failed)?;
        for (new, other) in pairs {
            let number = new_studies.get(&new);
            let earlier = match (number, new_studies.get(&other)) {
                (Some(number), Some(other)) => other < number,
                _ => true,
            };
            conflicts.extend(number.filter(|_| earlier));
        }
    }
    Ok(conflicts)
}

/// Events after one, oldest first.
pub(super) async fn after(
    pool: &sqlx::Pool<Db>,
    after: i64,
    limit: u32,
) -> Result<Vec<Event>, IndexError> {
    let rows = sqlx::query(
        "SELECT sequence, at_us, kind, concerns, study, series, instance FROM event
          WHERE sequence > $1 ORDER BY sequence LIMIT CAST($2 AS BIGINT)",
    )
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    rows.iter()
        .map(|row| {
            let (kind, concerns): (String, String) = (get(row, 2)?, get(row, 3)?);
            let study: String = get(row, 4)?;
            Ok(Event {
                sequence: get(row, 0)?,
                at_us: get(row, 1)?,
                kind: EventKind::parse(&kind).ok_or_else(|| {
                    IndexError::Inconsistent("an unknown kind of event".to_owned())
                })?,
                object: if study.is_empty() { None } else { Some(path(row, 4)?) },
                concerns: concerns.split_whitespace().map(str::to_owned).collect(),
            })
        })
        .collect()
}

/// Sequence of the newest event.
pub(super) async fn newest(pool: &sqlx::Pool<Db>) -> Result<i64, IndexError> {
    let last = sqlx::query_scalar("SELECT last FROM event_counter WHERE one = 1");
    last.fetch_one(pool).await.map_err(failed)
}

/// How far a follower has been served.
pub(super) async fn follower(
    pool: &sqlx::Pool<Db>,
    name: &str,
) -> Result<Option<Follower>, IndexError> {
    let row: Option<(i64, i64)> =
        sqlx::query_as("SELECT sequence, failures FROM follower WHERE name = $1")
            .bind(clean(name).into_owned())
            .fetch_optional(pool)
            .await
            .map_err(failed)?;
    Ok(row.map(|(sequence, failures)| Follower {
        name: name.to_owned(),
        sequence,
        failures: u32::try_from(failures).unwrap_or(u32::MAX),
    }))
}

/// Records how far a follower has been served.
pub(super) async fn put_follower(tx: &mut Tx<'_>, follower: &Follower) -> Result<(), IndexError> {
    sqlx::query(
        "INSERT INTO follower (name, sequence, failures) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence,
           failures = excluded.failures WHERE follower.sequence <= excluded.sequence",
    )
    .bind(clean(&follower.name).into_owned())
    .bind(follower.sequence)
    .bind(i64::from(follower.failures))
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Forgets followers by the beginning of their names, but for one.
pub(super) async fn forget_followers(
    tx: &mut Tx<'_>,
    prefix: &str,
    but: &str,
) -> Result<(), IndexError> {
    let mut sql = QueryBuilder::<Db>::new("DELETE FROM follower WHERE name <> ");
    sql.push_bind(clean(but).into_owned()).push(" AND ");
    push_between(&mut sql, "name", Some(prefix), Some(prefix));
    sql.build().execute(&mut **tx).await.map_err(failed)?;
    Ok(())
}
