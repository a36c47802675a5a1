//! What happens in the fascicolo, as events of the one feed: written within the transaction that makes
//! it so, and naming what it concerns by ids that say nothing of anybody.

use crate::index::error::IndexError;
use crate::model::document::REPORT_TYPES;
use crate::model::event::EventKind;
use crate::model::ids;
use crate::people::patient_id::PatientId;

use super::dialect::Db;
use super::dialect::Tx;
use super::dialect::failed;
use super::events;
use super::records::get;
use super::records::hash;

type DbRow = <Db as sqlx::Database>::Row;

/// What an event concerns, by rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Concerned {
    /// A study.
    pub(super) study: Option<i64>,
    /// A document.
    pub(super) document: Option<i64>,
    /// The document that takes its place.
    pub(super) replaced_by: Option<i64>,
    /// The person; unless said, whose the document or else the study is.
    pub(super) person: Option<i64>,
    /// Another person, by the row itself.
    pub(super) other: Option<i64>,
}

impl Concerned {
    /// A document.
    pub(super) fn document(id: i64) -> Self {
        Self { document: Some(id), ..Self::default() }
    }

    /// A study.
    pub(super) fn study(id: i64) -> Self {
        Self { study: Some(id), ..Self::default() }
    }
}

/// Writes an event; see [`events::write_one`] for when.
pub(super) async fn tell(
    tx: &mut Tx<'_>,
    kind: EventKind,
    concerned: Concerned,
    now_us: i64,
) -> Result<(), IndexError> {
    let concerns = concerns(tx, concerned).await?;
    events::write_one(tx, kind, &concerns, now_us).await
}

/// What an event says it concerns.
pub(super) async fn concerns(tx: &mut Tx<'_>, concerned: Concerned) -> Result<String, IndexError> {
    let row = sqlx::query(
        "SELECT st.uid, pa.issuer, pa.patient_id, d.sha256, d.type_code,
           (SELECT f.sha256 FROM document f WHERE f.set_id = d.set_id AND d.set_id <> ''
             ORDER BY f.id LIMIT 1),
           r.sha256, p.root
         FROM (SELECT 1 AS one) x
           LEFT JOIN study st ON st.id = $1 LEFT JOIN patient pa ON pa.id = st.patient
           LEFT JOIN person_study s ON s.study = st.id
           LEFT JOIN document d ON d.id = $2 LEFT JOIN document r ON r.id = $3
           LEFT JOIN person p ON p.id = coalesce($4, d.person, s.person)",
    )
    .bind(concerned.study)
    .bind(concerned.document)
    .bind(concerned.replaced_by)
    .bind(concerned.person)
    .fetch_one(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(named(&row, concerned.other)?.join(" "))
}

/// The ids, in the order the feed promises: people, study, report, documents.
fn named(row: &DbRow, other: Option<i64>) -> Result<Vec<String>, IndexError> {
    let person: Option<i64> = get(row, 7)?;
    let people = person.into_iter().chain(other);
    let mut named: Vec<String> =
        people.map(|row| format!("Patient/{}", ids::of_person(row))).collect();
    if let Some(uid) = get::<Option<String>>(row, 0)? {
        let text = |at| Ok::<_, IndexError>(get::<Option<String>>(row, at)?.unwrap_or_default());
        let patient = PatientId { issuer: text(1)?, value: text(2)? };
        named.push(format!("ImagingStudy/{}", ids::of_study(&uid, &patient)));
    }
    if get::<Option<Vec<u8>>>(row, 3)?.is_some() {
        let own = hash(row, 3)?;
        let code: Option<String> = get(row, 4)?;
        // One of no type is a report once it is linked to a study (`pages_documents`).
        if code.is_some_and(|code| code.is_empty() || REPORT_TYPES.contains(&code.as_str())) {
            let first = if get::<Option<Vec<u8>>>(row, 5)?.is_some() { hash(row, 5)? } else { own };
            named.push(format!("DiagnosticReport/{}", ids::of_document(&first)));
        }
        named.push(format!("DocumentReference/{}", ids::of_document(&own)));
    }
    if get::<Option<Vec<u8>>>(row, 6)?.is_some() {
        named.push(format!("DocumentReference/{}", ids::of_document(&hash(row, 6)?)));
    }
    Ok(named)
}
