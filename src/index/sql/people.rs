//! Who is who: sightings become people, and things become theirs.

use sqlx::QueryBuilder;

use crate::dicom::person_name::fold;
use crate::index::error::IndexError;
use crate::model::event::EventKind;
use crate::model::link::Waiting;
use crate::model::person::Attached;
use crate::model::person::Origin;
use crate::model::person::Sighted;
use crate::model::person::Sighting;
use crate::people::identifier::Identifier;
use crate::people::identifier::IdentifierKind;
use crate::people::identifier::Trust;
use crate::people::phonetic;

use super::dialect::Db;
use super::dialect::LOCK_ROWS;
use super::dialect::Tx;
use super::dialect::failed;
use super::happenings::Concerned;
use super::happenings::tell;
use super::names;
use super::people_read::told;
use super::people_read::touch;
use super::rows::clean;
use super::rows::values;

/// The most identifiers of one sighting that are looked at.
const MOST_IDENTIFIERS: usize = 64;

/// An identifier found: its person's row and root, and which of the sighting's it is.
struct Match {
    person: i64,
    root: i64,
    number: usize,
}

/// One writer of who is who at a time: under it, what is read stays true until the commit.
pub(super) async fn lock(tx: &mut Tx<'_>) -> Result<(), IndexError> {
    if let Some(lock) = LOCK_ROWS {
        let mut sql = QueryBuilder::<Db>::new("SELECT one FROM fascicolo_lock WHERE one = 1");
        sql.push(lock);
        sql.build().execute(&mut **tx).await.map_err(failed)?;
    }
    Ok(())
}

/// Finds or makes the person of a sighting; the caller commits.
pub(super) async fn attach(
    tx: &mut Tx<'_>,
    sighting: &Sighting,
    now_us: i64,
) -> Result<Attached, IndexError> {
    lock(tx).await?;
    let identifying: Vec<&Identifier> = sighting
        .identifiers
        .iter()
        .filter(|identifier| identifier.identifies())
        .take(MOST_IDENTIFIERS)
        .collect();
    let owned = owner(tx, sighting.subject).await?;
    if let Some((person, _, origin)) = &owned
        && origin == Origin::Operator.as_str()
    {
        // Somebody said whose it is.
        return Ok(Attached::Person(*person));
    }
    if identifying.is_empty() {
        return Ok(owned.map_or(Attached::Nobody, |(person, _, _)| Attached::Person(person)));
    }
    let matches = matches(tx, &identifying).await?;
    let mut roots: Vec<i64> = matches.iter().map(|found| found.root).collect();
    roots.extend(owned.iter().map(|(_, root, _)| *root));
    roots.sort_unstable();
    roots.dedup();
    if roots.len() > 1 || contradicts(tx, &identifying, roots.first().copied()).await? {
        return Ok(Attached::Conflict(roots));
    }
    let strongest = matches.iter().max_by_key(|found| {
        (identifying.get(found.number).map(|id| id.trust), std::cmp::Reverse(found.number))
    });
    let (person, mut changed) = match (strongest, &owned) {
        (Some(found), _) => (found.person, false),
        (None, Some((person, _, _))) => (*person, false),
        (None, None) => (make(tx, sighting, now_us).await?, true),
    };
    let known: Vec<usize> = matches.iter().map(|found| found.number).collect();
    for (number, identifier) in identifying.iter().enumerate() {
        if !known.contains(&number) {
            changed |= add_identifier(tx, person, identifier, sighting.origin, now_us).await?;
        }
    }
    changed |= remember(tx, person, sighting, now_us).await?;
    if owned.is_none() {
        give(tx, sighting.subject, Some(person), sighting.origin, now_us).await?;
    }
    if changed {
        let whose = Concerned { person: Some(person), ..Concerned::default() };
        tell(tx, EventKind::PersonChanged, whose, now_us).await?;
    }
    if owned.is_none() {
        moved(tx, sighting.subject, [Some(person), None], now_us).await?;
    }
    Ok(Attached::Person(person))
}

/// Gives a study or document to somebody because somebody said so, or to nobody.
pub(super) async fn assign(
    tx: &mut Tx<'_>,
    waiting: Waiting,
    person: Option<i64>,
    now_us: i64,
) -> Result<(), IndexError> {
    lock(tx).await?;
    let subject = match waiting {
        Waiting::Study(id) => Sighted::Study(id),
        Waiting::Document(id) => Sighted::Document(id),
    };
    let before = owner(tx, subject).await?;
    give(tx, subject, person, Origin::Operator, now_us).await?;
    if before.as_ref().map(|(row, ..)| *row) == person {
        return Ok(());
    }
    moved(tx, subject, [before.map(|(row, ..)| row), person], now_us).await
}

/// Tells of each of the fascicoli that something left or came into.
async fn moved(
    tx: &mut Tx<'_>,
    subject: Sighted,
    people: [Option<i64>; 2],
    now_us: i64,
) -> Result<(), IndexError> {
    let concerned = match subject {
        Sighted::Person => return Ok(()),
        Sighted::Study(id) => Concerned::study(id),
        Sighted::Document(id) => Concerned::document(id),
    };
    for person in people.into_iter().flatten() {
        let concerned = Concerned { person: Some(person), ..concerned };
        tell(tx, EventKind::FascicoloChanged, concerned, now_us).await?;
    }
    Ok(())
}

/// Row and root of whose the subject is, and who said so.
async fn owner(
    tx: &mut Tx<'_>,
    subject: Sighted,
) -> Result<Option<(i64, i64, String)>, IndexError> {
    let (statement, id) = match subject {
        Sighted::Person => return Ok(None),
        Sighted::Study(id) => (
            "SELECT p.id, p.root, s.origin FROM person_study s JOIN person p ON p.id = s.person
             WHERE s.study = $1",
            id,
        ),
        Sighted::Document(id) => (
            "SELECT p.id, p.root, d.person_origin FROM document d JOIN person p ON p.id = d.person
             WHERE d.id = $1",
            id,
        ),
    };
    sqlx::query_as(statement).bind(id).fetch_optional(&mut **tx).await.map_err(failed)
}

/// Which of the identifiers are known.
async fn matches(tx: &mut Tx<'_>, identifiers: &[&Identifier]) -> Result<Vec<Match>, IndexError> {
    let mut sql = QueryBuilder::<Db>::new("WITH k (number, kind, assigner, value) AS (");
    let numbered: Vec<(usize, &&Identifier)> = identifiers.iter().enumerate().collect();
    values(&mut sql, &numbered, |row, (number, id)| {
        row.whole(i64::try_from(*number).unwrap_or(i64::MAX));
        row.text(id.kind.as_str()).text(&id.assigner).text(&id.value);
    });
    sql.push(
        ") SELECT k.number, p.id, p.root FROM k
         JOIN person_identifier i ON i.value = k.value AND i.assigner = k.assigner AND i.kind = k.kind
         JOIN person p ON p.id = i.person ORDER BY k.number",
    );
    let rows: Vec<(i64, i64, i64)> =
        sql.build_query_as().persistent(false).fetch_all(&mut **tx).await.map_err(failed)?;
    Ok(rows
        .into_iter()
        .map(|(number, person, root)| Match {
            person,
            root,
            number: usize::try_from(number).unwrap_or(usize::MAX),
        })
        .collect())
}

/// Whether two checked codici fiscali would come to one person: an omocodic code is another's.
async fn contradicts(
    tx: &mut Tx<'_>,
    identifiers: &[&Identifier],
    root: Option<i64>,
) -> Result<bool, IndexError> {
    let code =
        |id: &&&Identifier| id.kind == IdentifierKind::CodiceFiscale && id.trust == Trust::Checked;
    let mut codes: Vec<&str> =
        identifiers.iter().filter(code).map(|id| id.value.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    let (Some(stated), Some(root)) = (codes.first(), root) else { return Ok(codes.len() > 1) };
    let kept: Vec<String> = sqlx::query_scalar(
        "SELECT i.value FROM person p JOIN person_identifier i ON i.person = p.id
         WHERE p.root = $1 AND i.kind = $2 AND i.trust = $3",
    )
    .bind(root)
    .bind(IdentifierKind::CodiceFiscale.as_str())
    .bind(Trust::Checked.as_str())
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    // After a merge a person may have two: each of them is known then.
    let stranger = !kept.is_empty() && !kept.iter().any(|kept| kept == stated);
    Ok(codes.len() > 1 || stranger)
}

async fn make(tx: &mut Tx<'_>, sighting: &Sighting, now_us: i64) -> Result<i64, IndexError> {
    let name = clean(&sighting.name).into_owned();
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO person (root, merged_into, name, sound, birth_date, sex, origin, created_us,
           changed_us) VALUES (0, 0, $1, $2, $3, $4, $5, $6, $6) RETURNING id",
    )
    .bind(&name)
    .bind(phonetic::key(&fold(&name)))
    .bind(clean(&sighting.birth_date).into_owned())
    .bind(clean(&sighting.sex).into_owned())
    .bind(sighting.origin.as_str())
    .bind(now_us)
    .fetch_one(&mut **tx)
    .await
    .map_err(failed)?;
    sqlx::query("UPDATE person SET root = id WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    names::put(tx, id, &name).await?;
    Ok(id)
}

/// Whether it is new.
async fn add_identifier(
    tx: &mut Tx<'_>,
    person: i64,
    identifier: &Identifier,
    origin: Origin,
    now_us: i64,
) -> Result<bool, IndexError> {
    let done = sqlx::query(
        "INSERT INTO person_identifier (person, kind, assigner, value, trust, origin, first_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (value, assigner, kind) DO NOTHING",
    )
    .bind(person)
    .bind(identifier.kind.as_str())
    .bind(clean(&identifier.assigner).into_owned())
    .bind(clean(&identifier.value).into_owned())
    .bind(identifier.trust.as_str())
    .bind(origin.as_str())
    .bind(now_us)
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    touch(tx, person, now_us).await?;
    Ok(done.rows_affected() > 0)
}

/// Keeps what is said of name and birth when it is not what the same origin said last; whether what is
/// told of the person changed with it.
async fn remember(
    tx: &mut Tx<'_>,
    person: i64,
    sighting: &Sighting,
    now_us: i64,
) -> Result<bool, IndexError> {
    let said =
        [&sighting.name, &sighting.birth_date, &sighting.sex].map(|text| clean(text).into_owned());
    if said.iter().all(String::is_empty) {
        return Ok(false);
    }
    let last: Option<(String, String, String)> = sqlx::query_as(
        "SELECT name, birth_date, sex FROM person_history WHERE person = $1 AND origin = $2
         ORDER BY id DESC LIMIT 1",
    )
    .bind(person)
    .bind(sighting.origin.as_str())
    .fetch_optional(&mut **tx)
    .await
    .map_err(failed)?;
    let [name, birth_date, sex] = said;
    if last == Some((name.clone(), birth_date.clone(), sex.clone())) {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO person_history (person, origin, name, birth_date, sex, from_us)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(person)
    .bind(sighting.origin.as_str())
    .bind(&name)
    .bind(&birth_date)
    .bind(&sex)
    .bind(now_us)
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    let before = told(tx, person).await?;
    // A registry is believed over objects and documents; otherwise the first word stays.
    let registry = sighting.origin == Origin::Registry;
    let named = sqlx::query(
        "UPDATE person SET origin = $1, sound = $2, name = $3,
           birth_date = CASE WHEN $4 = '' THEN birth_date ELSE $4 END,
           sex = CASE WHEN $5 = '' THEN sex ELSE $5 END
         WHERE id = $6 AND $3 <> '' AND (name = '' OR $7 = 1)",
    )
    .bind(sighting.origin.as_str())
    .bind(phonetic::key(&fold(&name)))
    .bind(&name)
    .bind(&birth_date)
    .bind(&sex)
    .bind(person)
    .bind(i64::from(registry))
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    touch(tx, person, now_us).await?;
    if named.rows_affected() == 0 {
        return Ok(false);
    }
    names::put(tx, person, &name).await?;
    Ok(told(tx, person).await? != before)
}

async fn give(
    tx: &mut Tx<'_>,
    subject: Sighted,
    person: Option<i64>,
    origin: Origin,
    now_us: i64,
) -> Result<(), IndexError> {
    let done = match (subject, person) {
        (Sighted::Person, _) => return Ok(()),
        (Sighted::Study(study), Some(person)) => {
            sqlx::query(
                "INSERT INTO person_study (study, person, origin, at_us, changed_us)
                 VALUES ($1, $2, $3, $4, $4)
                 ON CONFLICT (study) DO UPDATE SET person = excluded.person,
                   origin = excluded.origin, at_us = excluded.at_us,
                   changed_us = excluded.changed_us",
            )
            .bind(study)
            .bind(person)
            .bind(origin.as_str())
            .bind(now_us)
            .execute(&mut **tx)
            .await
        }
        (Sighted::Study(study), None) => {
            sqlx::query("DELETE FROM person_study WHERE study = $1")
                .bind(study)
                .execute(&mut **tx)
                .await
        }
        (Sighted::Document(document), person) => {
            sqlx::query(
                "UPDATE document SET person = $1, person_origin = $2, changed_us = $4
                     WHERE id = $3",
            )
            .bind(person)
            .bind(origin.as_str())
            .bind(document)
            .bind(now_us)
            .execute(&mut **tx)
            .await
        }
    };
    done.map_err(failed)?;
    Ok(())
}
