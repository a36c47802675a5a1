//! Blobs that must have a hash, beside the copies that are served.

use async_trait::async_trait;
use serde_json::Value;

use crate::dicom::layout::Layout;
use crate::index::error::IndexError;
use crate::index::kept::KeptBlob;
use crate::index::kept::KeptKind;
use crate::index::kept::KeptRows;

use super::adapter::Adapter;
use super::dialect::Db;
use super::dialect::failed;
use super::records::get;
use super::records::hash;
use super::records::unsigned;

type DbRow = <Db as sqlx::Database>::Row;

#[async_trait]
impl KeptRows for Adapter {
    async fn kept(
        &self,
        kind: KeptKind,
        after: i64,
        limit: u32,
    ) -> Result<Vec<KeptBlob>, IndexError> {
        let sql = match kind {
            KeptKind::Document => {
                "SELECT id, blob_key, sha256, blob_bytes FROM document WHERE id > $1
                 ORDER BY id LIMIT CAST($2 AS BIGINT)"
            }
            KeptKind::Sent => {
                "SELECT id, blob_key, sha256, blob_bytes FROM gateway_outbox
                 WHERE id > $1 AND blob_key <> '' ORDER BY id LIMIT CAST($2 AS BIGINT)"
            }
            KeptKind::Binned => {
                "SELECT id, blob_key, data_set_sha256, layout, facts FROM bin
                 WHERE id > $1 AND blob_key IS NOT NULL ORDER BY id LIMIT CAST($2 AS BIGINT)"
            }
        };
        let query = sqlx::query(sql).bind(after).bind(i64::from(limit));
        let rows = query.fetch_all(&self.read).await.map_err(failed)?;
        rows.iter().map(|row| blob(kind, row)).collect()
    }
}

fn blob(kind: KeptKind, row: &DbRow) -> Result<KeptBlob, IndexError> {
    let (blob_bytes, before) = match kind {
        KeptKind::Document | KeptKind::Sent => (unsigned(get(row, 3)?), 0),
        KeptKind::Binned => {
            let (layout, facts): (Vec<u8>, String) = (get(row, 3)?, get(row, 4)?);
            let facts: Value = serde_json::from_str(&facts).unwrap_or_default();
            // What cannot be read has no such hash: it shows.
            let before = Layout::from_bytes(&layout).map_or(0, |layout| layout.data_set_start);
            (facts["bytes"].as_u64().unwrap_or(0), before)
        }
    };
    Ok(KeptBlob {
        id: get(row, 0)?,
        blob_key: get(row, 1)?,
        blob_bytes,
        before,
        sha256: hash(row, 2)?,
    })
}
