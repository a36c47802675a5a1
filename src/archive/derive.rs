//! Work done after arrival, from the durable queue: series thumbnails and series metadata.
//!
//! Every job here is idempotent: done twice, by two nodes at once, it leaves the same.

use crate::access::actor::Actor;
use crate::access::actor::Purpose;
use crate::access::permit::Subject;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::imaging::error::ImagingError;
use crate::model::job::Job;
use crate::model::job::JobKind;

impl Archive {
    /// Does one job; `base` is the public base URL metadata is precomputed for.
    pub async fn do_job(&self, job: &Job, base: &str) -> Result<(), ArchiveError> {
        if job.kind == JobKind::Attributes {
            return self.index_attributes_of_page(&job.subject).await;
        }
        if job.kind == JobKind::Commitment {
            return self.look_at_commitment(&job.subject).await;
        }
        let Some(id) = job.subject.parse().ok() else { return Ok(()) };
        let Some(series) = self.inner.index.series(id).await? else { return Ok(()) };
        match job.kind {
            JobKind::SeriesThumbnail => match self.series_thumbnail(&series).await {
                // A video has none, however often it is tried.
                Ok(_) | Err(ArchiveError::Imaging(ImagingError::Video(_))) => Ok(()),
                Err(error) => Err(error),
            },
            JobKind::SeriesMetadata => {
                let subject = Subject::Study(series.scope.study.clone());
                let permit = self.access().permit(&Actor::System, Purpose::Operation, subject);
                let permit = permit.map_err(|_| ArchiveError::Denied)?;
                self.precompute_metadata(&permit, &series, base).await
            }
            // Done above; and the work of rooms above, which does not come here.
            JobKind::Attributes
            | JobKind::Commitment
            | JobKind::Webhook
            | JobKind::Subscription
            | JobKind::SeriesFascicolo
            | JobKind::Gateway => Ok(()),
        }
    }
}
