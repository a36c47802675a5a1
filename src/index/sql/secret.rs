//! Secrets all nodes share.

use crate::index::error::IndexError;

use super::dialect::Tx;
use super::dialect::failed;

/// The secret of a name; the proposed one when there was none.
pub(super) async fn secret(
    tx: &mut Tx<'_>,
    name: &str,
    proposed: &[u8],
) -> Result<Vec<u8>, IndexError> {
    sqlx::query("INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(proposed.to_vec())
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    let kept = sqlx::query_scalar("SELECT value FROM secret WHERE name = $1").bind(name);
    kept.fetch_one(&mut **tx).await.map_err(failed)
}
