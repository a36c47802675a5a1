//! The parts of people's names: each a row, so that a name is found by how any of its parts begins.

use sqlx::QueryBuilder;

use crate::dicom::person_name::fold;
use crate::index::error::IndexError;
use crate::index::pages::NameAsked;
use crate::index::pages::NamePart;

use super::condition::push_between;
use super::dialect::Db;
use super::dialect::Tx;
use super::dialect::begin;
use super::dialect::failed;
use super::pages::push_any;
use super::people::lock;
use super::rows::clean;
use super::rows::pieces;
use super::rows::values;

/// Parts of one name that are kept, and letters of one part.
const MOST_PARTS: usize = 32;
const MOST_LETTERS: usize = 64;
/// People whose names are entered together.
const TOGETHER: i64 = 500;

/// Enters the parts of a person's name in place of those there were; the caller commits.
pub(super) async fn put(tx: &mut Tx<'_>, person: i64, name: &str) -> Result<(), IndexError> {
    sqlx::query("DELETE FROM person_name WHERE person = $1")
        .bind(person)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    for piece in pieces(&parts(name)) {
        let mut sql =
            QueryBuilder::<Db>::new("INSERT INTO person_name (text, person, part, spelled) ");
        values(&mut sql, piece, |row, (part, spelled)| {
            row.text(&fold(spelled)).whole(person).text(part.as_str()).text(spelled);
        });
        sql.push(" ON CONFLICT DO NOTHING");
        sql.build().execute(&mut **tx).await.map_err(failed)?;
    }
    sqlx::query("UPDATE person SET named = 1 WHERE id = $1 AND named = 0")
        .bind(person)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Enters the names of people from before there was a table of them.
pub(super) async fn put_missing(pool: &sqlx::Pool<Db>) -> Result<(), IndexError> {
    loop {
        let mut tx = begin(pool).await?;
        lock(&mut tx).await?;
        let unnamed: Vec<(i64, String)> = sqlx::query_as(
            "SELECT id, name FROM person WHERE named = 0 ORDER BY id LIMIT CAST($1 AS BIGINT)",
        )
        .bind(TOGETHER)
        .fetch_all(&mut *tx)
        .await
        .map_err(failed)?;
        for (person, name) in &unnamed {
            put(&mut tx, *person, name).await?;
        }
        tx.commit().await.map_err(failed)?;
        if unnamed.is_empty() {
            return Ok(());
        }
    }
}

/// The parts of a name as DICOM writes it (PS3.5 §6.2.1): of each group the family name, the given
/// names together and each by itself.
fn parts(name: &str) -> Vec<(NamePart, String)> {
    let mut parts: Vec<(NamePart, String)> = Vec::new();
    for group in name.split('=') {
        let mut components = group.split('^').map(str::trim);
        let family = components.next().unwrap_or_default();
        let given: Vec<&str> = components.take(2).filter(|given| !given.is_empty()).collect();
        let given = given.join(" ");
        let each = given.split_whitespace().map(|given| (NamePart::Given, given));
        let all = [(NamePart::Family, family), (NamePart::Given, given.as_str())];
        for (part, spelled) in all.into_iter().chain(each) {
            let spelled: String = clean(spelled).chars().take(MOST_LETTERS).collect();
            let own = (part, spelled);
            if !own.1.is_empty() && !parts.contains(&own) && parts.len() < MOST_PARTS {
                parts.push(own);
            }
        }
    }
    parts
}

/// Writes that `column` is the person some of these name.
pub(super) fn push(sql: &mut QueryBuilder<Db>, column: &'static str, asked: &[NameAsked]) {
    push_any(sql, asked, |sql, asked| {
        let folded = clean(&fold(&asked.text)).into_owned();
        sql.push(column);
        sql.push(" IN (SELECT o.root FROM person_name n JOIN person o ON o.id = n.person WHERE ");
        if asked.exact {
            sql.push("n.text = ").push_bind(folded).push(" AND n.spelled = ");
            sql.push_bind(clean(&asked.text).into_owned());
        } else {
            push_between(sql, "n.text", Some(&folded), Some(&folded));
        }
        if let Some(part) = asked.part {
            sql.push(" AND n.part = ").push_bind(part.as_str());
        }
        sql.push(")");
    });
}

#[cfg(test)]
mod tests {
    use super::parts;
    use crate::index::pages::NamePart::{Family, Given};

    #[test]
    fn a_name_is_its_parts_each_once() {
        let own = |name: &str| parts(name);
        let expected = [
            (Family, "De Luca".to_owned()),
            (Given, "Anna Lucìa Rita".to_owned()),
            (Given, "Anna".to_owned()),
            (Given, "Lucìa".to_owned()),
            (Given, "Rita".to_owned()),
        ];
        assert_eq!(own("De Luca^Anna Lucìa^Rita^Dott."), expected);
        assert_eq!(own("Rossi"), [(Family, "Rossi".to_owned())]);
        let groups = own("Yamada^Tarou=山田^太郎");
        assert!(groups.contains(&(Family, "山田".to_owned())) && groups.len() == 4);
        assert!(own("").is_empty() && own("^=^^").is_empty());
        assert!(own(&"A^B=".repeat(100_000)).len() <= 2);
        assert!(own(&format!("^{}", "ab c".repeat(100_000))).len() <= super::MOST_PARTS);
    }
}
