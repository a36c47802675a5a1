//! What the fascicolo knows of a study that goes into the bin: whose it is and what it has in common
//! with documents is found out anew when it comes back; links, and what somebody decided about them,
//! wait for it.

use sqlx::QueryBuilder;

use crate::index::error::IndexError;
use crate::model::path::Scope;

use super::dialect::Db;
use super::dialect::Tx;
use super::dialect::failed;

const LINK: &str = "document, method, evidence, actor, made_us, undone_us, undone_by";

/// Takes away what hangs from a study, when nothing of it is left.
pub(super) async fn put_aside(tx: &mut Tx<'_>, study: i64) -> Result<(), IndexError> {
    let empty = " AND NOT EXISTS (SELECT 1 FROM series s WHERE s.study = $1)";
    let mut keep = QueryBuilder::<Db>::new("INSERT INTO bin_link (study, issuer, patient_id, ");
    keep.push(LINK).push(") SELECT st.uid, p.issuer, p.patient_id, ");
    keep.push(LINK.split(", ").map(|column| format!("l.{column}")).collect::<Vec<_>>().join(", "));
    keep.push(" FROM document_link l JOIN study st ON st.id = l.study");
    keep.push(" JOIN patient p ON p.id = st.patient WHERE l.study = ").push_bind(study);
    keep.push(" AND NOT EXISTS (SELECT 1 FROM series s WHERE s.study = l.study) ORDER BY l.id");
    keep.build().execute(&mut **tx).await.map_err(failed)?;
    for sql in [
        "DELETE FROM document_link WHERE study = $1",
        "DELETE FROM person_study WHERE study = $1",
        "DELETE FROM shared_reference WHERE owner = 'study' AND owner_id = $1",
        "DELETE FROM origin_mark WHERE owner = 'study' AND owner_id = $1",
        "DELETE FROM reconciliation WHERE waiting = 'study' AND waiting_id = $1",
    ] {
        let mut sql = QueryBuilder::<Db>::new(sql);
        sql.push(empty);
        let sql = sql.into_sql();
        sqlx::query(sql).bind(study).execute(&mut **tx).await.map_err(failed)?;
    }
    Ok(())
}

/// Gives a study that came back its links.
pub(super) async fn bring_back(tx: &mut Tx<'_>, scope: &Scope) -> Result<(), IndexError> {
    let of_scope = |sql: &mut QueryBuilder<Db>| {
        sql.push(" WHERE b.study = ").push_bind(scope.study.as_str().to_owned());
        if let Some(patient) = &scope.patient {
            sql.push(" AND b.patient_id = ").push_bind(patient.value.clone());
            sql.push(" AND b.issuer = ").push_bind(patient.issuer.clone());
        }
    };
    let mut sql = QueryBuilder::<Db>::new("INSERT INTO document_link (study, ");
    sql.push(LINK).push(") SELECT st.id, ");
    sql.push(LINK.split(", ").map(|column| format!("b.{column}")).collect::<Vec<_>>().join(", "));
    sql.push(
        " FROM bin_link b JOIN patient p ON p.patient_id = b.patient_id AND p.issuer = b.issuer
         JOIN study st ON st.uid = b.study AND st.patient = p.id",
    );
    of_scope(&mut sql);
    sql.push(" ORDER BY b.id");
    sql.build().execute(&mut **tx).await.map_err(failed)?;
    let mut sql = QueryBuilder::<Db>::new(
        "DELETE FROM bin_link WHERE id IN (SELECT b.id FROM bin_link b
           JOIN patient p ON p.patient_id = b.patient_id AND p.issuer = b.issuer
           JOIN study st ON st.uid = b.study AND st.patient = p.id",
    );
    of_scope(&mut sql);
    sql.push(")");
    sql.build().execute(&mut **tx).await.map_err(failed)?;
    Ok(())
}
