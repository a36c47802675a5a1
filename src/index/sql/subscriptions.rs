//! Subscriptions.

use async_trait::async_trait;
use sqlx::QueryBuilder;

use crate::index::error::IndexError;
use crate::index::subscriptions::SubscriptionRows;
use crate::model::subscription::State;
use crate::model::subscription::Subscription;

use super::adapter::Adapter;
use super::dialect::Db;
use super::dialect::begin;
use super::dialect::failed;
use super::people::lock;
use super::records::get;
use super::rows::clean;

type DbRow = <Db as sqlx::Database>::Row;

#[async_trait]
impl SubscriptionRows for Adapter {
    async fn put_subscription(&self, new: &Subscription, most: u32) -> Result<bool, IndexError> {
        let mut tx = begin(&self.write).await?;
        lock(&mut tx).await?;
        // What has ended holds no place.
        sqlx::query("DELETE FROM subscription WHERE end_us > 0 AND end_us <= $1")
            .bind(new.changed_us)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM subscription")
            .fetch_one(&mut *tx)
            .await
            .map_err(failed)?;
        if count >= i64::from(most) {
            return Ok(false);
        }
        let text = |text: &str| clean(text).into_owned();
        sqlx::query(
            "INSERT INTO subscription (id, state, criteria, endpoint, headers, reason, end_us, error,
               changed_us, made_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(text(&new.id))
        .bind(new.state.as_str())
        .bind(text(&new.criteria))
        .bind(text(&new.endpoint))
        .bind(text(&new.headers.join("\n")))
        .bind(text(&new.reason))
        .bind(new.end_us)
        .bind(text(&new.error))
        .bind(new.changed_us)
        .bind(text(&new.made_by))
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        Ok(true)
    }

    async fn subscriptions(&self, id: Option<&str>) -> Result<Vec<Subscription>, IndexError> {
        let mut sql = QueryBuilder::<Db>::new(
            "SELECT id, state, criteria, endpoint, headers, reason, end_us, error, changed_us,
               made_by FROM subscription",
        );
        if let Some(id) = id {
            sql.push(" WHERE id = ").push_bind(clean(id).into_owned());
        }
        sql.push(" ORDER BY id");
        let rows = sql.build().fetch_all(&self.read).await.map_err(failed)?;
        rows.iter().map(subscription).collect()
    }

    async fn set_subscription(
        &self,
        id: &str,
        state: State,
        error: &str,
        now_us: i64,
    ) -> Result<(), IndexError> {
        let mut tx = begin(&self.write).await?;
        sqlx::query(
            "UPDATE subscription SET state = $1, error = $2, changed_us = $3
             WHERE id = $4 AND (state <> $1 OR error <> $2)",
        )
        .bind(state.as_str())
        .bind(clean(error).into_owned())
        .bind(now_us)
        .bind(clean(id).into_owned())
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        tx.commit().await.map_err(failed)
    }

    async fn delete_subscription(&self, id: &str) -> Result<bool, IndexError> {
        let mut tx = begin(&self.write).await?;
        let done = sqlx::query("DELETE FROM subscription WHERE id = $1")
            .bind(clean(id).into_owned())
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        Ok(done.rows_affected() > 0)
    }
}

fn subscription(row: &DbRow) -> Result<Subscription, IndexError> {
    let (state, headers): (String, String) = (get(row, 1)?, get(row, 4)?);
    let unknown = || IndexError::Inconsistent("a subscription of a newer version".to_owned());
    Ok(Subscription {
        id: get(row, 0)?,
        state: State::parse(&state).ok_or_else(unknown)?,
        criteria: get(row, 2)?,
        endpoint: get(row, 3)?,
        headers: headers.lines().map(str::to_owned).collect(),
        reason: get(row, 5)?,
        end_us: get(row, 6)?,
        error: get(row, 7)?,
        changed_us: get(row, 8)?,
        made_by: get(row, 9)?,
    })
}
