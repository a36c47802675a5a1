//! The index's face for subscriptions.

use async_trait::async_trait;

use crate::index::error::IndexError;
use crate::model::subscription::State;
use crate::model::subscription::Subscription;

/// Rows of subscriptions, durable when a call returns `Ok`.
#[async_trait]
pub trait SubscriptionRows: Send + Sync {
    /// Enters a subscription unless there are `most` already; whether it was.
    async fn put_subscription(&self, new: &Subscription, most: u32) -> Result<bool, IndexError>;

    /// Subscriptions, one or all, in the order of their ids.
    async fn subscriptions(&self, id: Option<&str>) -> Result<Vec<Subscription>, IndexError>;

    /// Records how one stands.
    async fn set_subscription(
        &self,
        id: &str,
        state: State,
        error: &str,
        now_us: i64,
    ) -> Result<(), IndexError>;

    /// Removes one; whether it was there.
    async fn delete_subscription(&self, id: &str) -> Result<bool, IndexError>;
}
