//! Subscriptions: kept as rows, served from the change feed like every follower of it.

use crate::access::permit::Permit;
use crate::archive::follow::Receiver;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::fascicolo::may;
use crate::model::job::JobKind;
use crate::model::subscription::State;
use crate::model::subscription::Subscription;

/// The most subscriptions: each looks at the feed once a second.
const MOST: u32 = 100;
/// How far a subscriber was told is kept under this and the subscription's id. No webhook is named so.
const FOLLOWER: &str = "subscription:";

impl Fascicolo {
    /// Makes a subscription to what happens from now on.
    pub async fn subscribe(
        &self,
        permit: &Permit,
        new: &Subscription,
    ) -> Result<(), FascicoloError> {
        may(permit)?;
        // How far it is told stands first: once it is kept, nothing is missed.
        self.inner.archive.follow(JobKind::Subscription, &named(&new.id)).await?;
        if self.inner.index.put_subscription(new, MOST).await? {
            // A job that came before its row found nothing and ended.
            return Ok(self.inner.archive.follow(JobKind::Subscription, &named(&new.id)).await?);
        }
        self.inner.index.forget_followers(&named(&new.id), "").await?;
        Err(FascicoloError::Refused("there are as many subscriptions as may be: delete one"))
    }

    /// Subscriptions, one or all.
    pub async fn subscriptions(
        &self,
        permit: &Permit,
        id: Option<&str>,
    ) -> Result<Vec<Subscription>, FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.subscriptions(id).await?)
    }

    /// Ends a subscription.
    pub async fn unsubscribe(&self, permit: &Permit, id: &str) -> Result<(), FascicoloError> {
        may(permit)?;
        if !self.inner.index.delete_subscription(id).await? {
            return Err(FascicoloError::Unknown("this subscription"));
        }
        Ok(self.inner.index.forget_followers(&named(id), "").await?)
    }

    /// Records how a subscription stands.
    pub async fn set_subscription(
        &self,
        permit: &Permit,
        id: &str,
        state: State,
        error: &str,
    ) -> Result<(), FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.set_subscription(id, state, error, self.now_us()).await?)
    }

    /// Goes on with all that are there.
    pub async fn follow_subscriptions(&self) -> Result<(), FascicoloError> {
        for one in self.inner.index.subscriptions(None).await? {
            self.inner.archive.follow(JobKind::Subscription, &named(&one.id)).await?;
        }
        Ok(())
    }

    /// One job: brings a subscriber what is new. `receiver` makes of the subscription whoever is told;
    /// one whose time is over is told no more.
    pub async fn serve_subscription<R: Receiver>(
        &self,
        follower: &str,
        receiver: impl FnOnce(Subscription) -> R,
    ) -> Result<(), FascicoloError> {
        let Some(id) = follower.strip_prefix(FOLLOWER) else { return Ok(()) };
        let found = self.inner.index.subscriptions(Some(id)).await?.pop();
        let Some(found) = found.filter(|found| found.state != State::Off) else { return Ok(()) };
        let now = self.now_us();
        if found.end_us > 0 && found.end_us <= now {
            return Ok(self.inner.index.set_subscription(id, State::Off, "", now).await?);
        }
        let receiver = receiver(found);
        Ok(self.inner.archive.serve(JobKind::Subscription, follower, &receiver).await?)
    }
}

fn named(id: &str) -> String {
    format!("{FOLLOWER}{id}")
}
