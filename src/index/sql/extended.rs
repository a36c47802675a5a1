//! Attributes the administrator declared: their values, one row each.

use std::collections::BTreeMap;
use std::collections::HashMap;

use sqlx::QueryBuilder;

use crate::dicom::extended::Owner;
use crate::dicom::person_name::fold;
use crate::index::error::IndexError;
use crate::index::port::Extension;
use crate::index::query::ExtendedKey;
use crate::index::query::Rule;
use crate::model::study::ExtendedFact;

use super::bin::push_ids;
use super::condition::push_rule;
use super::dialect::Db;
use super::dialect::Tx;
use super::dialect::failed;
use super::rows::clean;
use super::rows::pieces;
use super::rows::values;

/// The rows an object hangs from, and its own: patient, study, series, instance.
pub(super) type Owners = [i64; 4];

/// The column of an owner, the owner's row in a search, and its table.
fn names(owner: Owner) -> (&'static str, &'static str, &'static str) {
    match owner {
        Owner::Patient => ("patient", "p.id", "patient"),
        Owner::Study => ("study", "st.id", "study"),
        Owner::Series => ("series", "se.id", "series"),
        Owner::Instance => ("instance", "i.id", "instance"),
    }
}

/// Enters what objects say. Of a patient, study or series the first object that says an attribute
/// speaks; later ones add nothing.
pub(super) async fn enter(
    tx: &mut Tx<'_>,
    objects: &[(Owners, &[ExtendedFact])],
) -> Result<(), IndexError> {
    let mut rows: BTreeMap<(Owner, i64, &str), Vec<&str>> = BTreeMap::new();
    for (owners, facts) in objects {
        let mut of_object: BTreeMap<(Owner, i64, &str), Vec<&str>> = BTreeMap::new();
        for fact in *facts {
            let Some(owner) = owners.get(fact.owner as usize) else { continue };
            let values = of_object.entry((fact.owner, *owner, &fact.name)).or_default();
            values.push(&fact.value);
        }
        for (key, values) in of_object {
            rows.entry(key).or_insert(values);
        }
    }
    for owner in Owner::ALL {
        let of_owner: Vec<(i64, &str, &str)> = rows
            .iter()
            .filter(|((of, ..), _)| *of == owner)
            .flat_map(|((_, row, name), values)| values.iter().map(|value| (*row, *name, *value)))
            .collect();
        for piece in pieces(&of_owner) {
            insert(tx, owner, piece).await?;
        }
    }
    Ok(())
}

async fn insert(
    tx: &mut Tx<'_>,
    owner: Owner,
    rows: &[(i64, &str, &str)],
) -> Result<(), IndexError> {
    let column = names(owner).0;
    let mut sql = QueryBuilder::<Db>::new("WITH k (owner, attribute, value) AS (");
    values(&mut sql, rows, |row, (owner, name, value)| {
        row.whole(*owner).text(name).text(value);
    });
    sql.push(") INSERT INTO extended (attribute, value, ").push(column);
    sql.push(") SELECT k.attribute, k.value, k.owner FROM k WHERE NOT EXISTS (");
    sql.push("SELECT 1 FROM extended x WHERE x.");
    sql.push(column).push(" = k.owner AND x.attribute = k.attribute)");
    sql.build().execute(&mut **tx).await.map_err(failed)?;
    Ok(())
}

/// What the rows above and of some instances hold, by instance row.
pub(super) async fn kept(
    tx: &mut Tx<'_>,
    instances: &[i64],
) -> Result<HashMap<i64, Vec<ExtendedFact>>, IndexError> {
    let mut kept: HashMap<i64, Vec<ExtendedFact>> = HashMap::new();
    for owner in Owner::ALL {
        let (column, row, _) = names(owner);
        let mut sql = QueryBuilder::<Db>::new(
            "SELECT i.id, x.attribute, x.value FROM instance i JOIN series se ON se.id = i.series
             JOIN study st ON st.id = se.study JOIN patient p ON p.id = st.patient
             JOIN extended x ON x.",
        );
        sql.push(column).push(" = ").push(row).push(" WHERE i.id IN (");
        push_ids(&mut sql, instances);
        let rows: Vec<(i64, String, String)> =
            sql.build_query_as().fetch_all(&mut **tx).await.map_err(failed)?;
        for (instance, name, value) in rows {
            kept.entry(instance).or_default().push(ExtendedFact { name, owner, value });
        }
    }
    Ok(kept)
}

/// Writes a condition on a declared attribute.
pub(super) fn push_match(sql: &mut QueryBuilder<Db>, key: ExtendedKey, rule: &Rule) {
    let (column, row, _) = names(key.owner);
    let rule = if key.is_name { folded(rule) } else { rule.clone() };
    if let Rule::Wildcard(pattern) = &rule
        && pattern.chars().all(|c| c == '*')
    {
        sql.push("1 = 1");
        return;
    }
    if rule == Rule::Empty {
        sql.push("NOT EXISTS (SELECT 1 FROM extended x WHERE x.").push(column);
        sql.push(" = ").push(row).push(" AND x.attribute = ").push_bind(key.name).push(")");
        return;
    }
    sql.push(row).push(" IN (SELECT x.").push(column).push(" FROM extended x WHERE x.");
    sql.push(column).push(" IS NOT NULL AND x.attribute = ").push_bind(key.name).push(" AND ");
    push_rule(sql, "x.value", &rule);
    sql.push(")");
}

fn folded(rule: &Rule) -> Rule {
    match rule {
        Rule::Equal(text) => Rule::Equal(fold(text)),
        Rule::Wildcard(text) => Rule::Wildcard(fold(text)),
        rule => rule.clone(),
    }
}

/// Enters what a kept object says, read again: values, and the attributes its rows answer with,
/// where it is the object that speaks for them.
pub(super) async fn extend(tx: &mut Tx<'_>, extension: &Extension) -> Result<(), IndexError> {
    let found: Option<(i64, i64, i64, i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT st.patient, st.id, se.id, i.id,
           CAST(CASE WHEN i.id = (SELECT min(b.id) FROM instance b WHERE b.series = se.id)
             THEN 1 ELSE 0 END AS BIGINT),
           CAST(CASE WHEN se.id = (SELECT min(b.id) FROM series b WHERE b.study = st.id)
             THEN 1 ELSE 0 END AS BIGINT),
           CAST(CASE WHEN st.id = (SELECT min(b.id) FROM study b WHERE b.patient = st.patient)
             THEN 1 ELSE 0 END AS BIGINT)
         FROM copy c JOIN instance i ON i.id = c.instance JOIN series se ON se.id = i.series
           JOIN study st ON st.id = se.study WHERE c.id = $1",
    )
    .bind(extension.copy)
    .fetch_optional(&mut **tx)
    .await
    .map_err(failed)?;
    // Gone meanwhile.
    let Some((patient, study, series, instance, of_series, of_study, of_patient)) = found else {
        return Ok(());
    };
    let owners = [patient, study, series, instance];
    enter(tx, &[(owners, &extension.facts)]).await?;
    let speaks_for_series = of_series == 1;
    let speaks_for_study = speaks_for_series && of_study == 1;
    let speaks = [speaks_for_study && of_patient == 1, speaks_for_study, speaks_for_series, true];
    for (((owner, row), speaks), text) in
        Owner::ALL.into_iter().zip(owners).zip(speaks).zip(&extension.attributes)
    {
        if speaks && !text.is_empty() {
            let mut sql = QueryBuilder::<Db>::new("UPDATE ");
            sql.push(names(owner).2).push(" SET attributes = ");
            sql.push_bind(clean(text).into_owned()).push(" WHERE id = ").push_bind(row);
            sql.build().execute(&mut **tx).await.map_err(failed)?;
        }
    }
    Ok(())
}
