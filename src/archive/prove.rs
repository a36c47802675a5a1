//! Whether an instance can be given in another transfer syntax to its last frame: found out before
//! its first byte goes out where that costs little, and remembered, so that the next answer can say
//! beforehand what it leaves out.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;

use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::fragments::check_form;
use crate::archive::frame::FramePlan;
use crate::archive::retrieve::hex;
use crate::archive::transcode::FRAMES_KEPT_BYTES;
use crate::imaging::error::ImagingError;
use crate::imaging::transcode::Form;
use crate::imaging::transcode::Target;
use crate::index::port::Located;

/// What became of an instance that was to be given in another transfer syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::archive) enum Outcome {
    /// All its frames decode.
    Whole,
    /// It cannot be given so, now or later.
    Unfit(ImagingError),
}

impl Outcome {
    /// Bytes of outcomes kept, some 400 each.
    pub(in crate::archive) const KEPT_BYTES: u64 = 4 * 1024 * 1024;
}

impl Archive {
    /// Decodes the frames of an instance behind the first, a few at a time, whose value is to have
    /// `bytes`, and keeps them for the stream that follows. A value too long to be kept would be
    /// decoded twice and begin late: it is only looked up, and its stream breaks off where it must.
    pub(in crate::archive) async fn prove(
        &self,
        plan: &Arc<FramePlan>,
        first: &Form,
        frames: u32,
        bytes: u64,
    ) -> Result<(), ArchiveError> {
        if frames < 2 {
            return Ok(());
        }
        let outcomes = &self.inner.transcoding.outcomes;
        let name = name(&plan.located, Target::Native);
        match outcomes.get(&name) {
            Some(Outcome::Whole) => return Ok(()),
            Some(Outcome::Unfit(error)) => return Err(error.into()),
            None => {}
        }
        if bytes > FRAMES_KEPT_BYTES / 4 {
            return Ok(());
        }
        let mut rest = self.coded_frames(plan, 2, frames, Target::Native, true);
        let all = async {
            while let Some(frame) = rest.try_next().await? {
                check_form(first, &frame)?;
            }
            Ok::<_, ArchiveError>(())
        };
        if let Ok(proven) = tokio::time::timeout(PROVEN_WITHIN, all).await {
            proven?;
            outcomes.put(name, Outcome::Whole, OUTCOME_BYTES);
        }
        Ok(())
    }

    /// Remembers that an instance cannot be given so; of trouble that may pass nothing is kept.
    pub(in crate::archive) fn note_outcome(
        &self,
        located: &Located,
        target: Target,
        error: Option<&ArchiveError>,
    ) {
        if let Some(ArchiveError::Imaging(
            error @ (ImagingError::Damaged(_) | ImagingError::Unsupported(_)),
        )) = error
        {
            let outcome = Outcome::Unfit(error.clone());
            self.inner.transcoding.outcomes.put(name(located, target), outcome, OUTCOME_BYTES);
        }
    }

    /// Whether an instance is known not to be had in a transfer syntax: somebody asked before.
    pub fn is_unfit(&self, located: &Located, target: Target) -> bool {
        let known = self.inner.transcoding.outcomes.get(&name(located, target));
        matches!(known, Some(Outcome::Unfit(_)))
    }
}

/// Nobody waits longer for the first byte; what was decoded by then is not lost.
const PROVEN_WITHIN: Duration = Duration::from_secs(2);

/// Bytes an outcome takes, about.
const OUTCOME_BYTES: u64 = 128;

fn name(located: &Located, target: Target) -> String {
    // The same bytes may be here under another transfer syntax.
    let (stored, to) = (&located.transfer_syntax, target.uid());
    format!("{}-{stored}-{to}", hex(&located.data_set_sha256))
}
