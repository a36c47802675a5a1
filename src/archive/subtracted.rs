//! Frames less their masks: each operand is read by its own range and decoded on the pool, one after
//! the other; an average that many frames are taken from is kept.

use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::Semaphore;

use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::flights::Flights;
use crate::archive::kept::Kept;
use crate::archive::rendered::Drawable;
use crate::imaging::decode;
use crate::imaging::pixels::PixelAttributes;
use crate::imaging::presentation::draw::instead;
use crate::imaging::render::StoredFrame;
use crate::imaging::subtraction::Operands;
use crate::imaging::subtraction::difference::Average;
use crate::imaging::subtraction::difference::Difference;
use crate::imaging::subtraction::difference::Plane;
use crate::imaging::subtraction::difference::Space;

/// Bytes of averaged masks kept in memory; a fourth of it holds one of 2048 by 2048.
const MASKS_KEPT_BYTES: u64 = 80 * 1024 * 1024;

/// Pictures subtracted at once: each holds a sum, a mask and a difference of floats between its
/// turns on the pool.
const SUBTRACTED_AT_ONCE: usize = 4;

/// Masks made a moment ago, and those being made.
#[derive(Debug)]
pub(in crate::archive) struct MaskCache {
    kept: Kept<Arc<Plane>>,
    flights: Flights<Arc<Plane>>,
    places: Semaphore,
}

impl Default for MaskCache {
    fn default() -> Self {
        Self {
            kept: Kept::new(MASKS_KEPT_BYTES).told_by("lastra_mask_cache_bytes"),
            flights: Flights::default(),
            places: Semaphore::new(SUBTRACTED_AT_ONCE),
        }
    }
}

/// Whose values are averaged, and how.
#[derive(Debug, Clone)]
struct Values {
    drawable: Drawable,
    attributes: Arc<PixelAttributes>,
    space: Space,
}

impl Archive {
    /// A frame (from 1), whose bytes were read, less its mask; `None` where it is shown as it is.
    pub(in crate::archive) async fn subtracted(
        &self,
        drawable: &Drawable,
        stored: &StoredFrame,
        frame: u32,
    ) -> Result<Option<Arc<Difference>>, ArchiveError> {
        let Some(operands) = drawable.operands(frame)? else { return Ok(None) };
        let Operands { contrast, mask, shift } = operands;
        // Never closed. A mask others wait for too is made without a place of its own.
        let _place = self.inner.masks.places.acquire().await;
        let (attributes, space) = match drawable.presented(frame) {
            Some(presented) => {
                (Arc::new(instead(&drawable.attributes, &presented)), Space::Modality)
            }
            None => (Arc::clone(&drawable.attributes), Space::Own),
        };
        let values = Values { drawable: drawable.clone(), attributes, space };
        let mask = self.mask(&values, mask).await?;
        let contrast = self.average(&values, &contrast, Some(stored.clone())).await?;
        let bytes = contrast.bytes().saturating_mul(2);
        let work = move || contrast.less(&mask, shift);
        Ok(Some(Arc::new(self.inner.pool.run(bytes, work).await?)))
    }

    /// The average of an image's mask frames: kept, or made once for all who wait.
    async fn mask(&self, values: &Values, frames: Vec<u32>) -> Result<Arc<Plane>, ArchiveError> {
        let cache = &self.inner.masks;
        let name = format!("{}-{frames:?}", values.drawable.content());
        if let Some(kept) = cache.kept.get(&name) {
            return Ok(kept);
        }
        let (archive, values, key) = (self.clone(), values.clone(), name.clone());
        let work = || {
            let work = async move {
                let plane = Arc::new(archive.average(&values, &frames, None).await?);
                archive.inner.masks.kept.put(key, Arc::clone(&plane), plane.bytes());
                Ok::<_, ArchiveError>(plane)
            };
            work.boxed()
        };
        cache.flights.join(&name, work).await
    }

    /// The average of some frames; the first may be here already.
    async fn average(
        &self,
        values: &Values,
        frames: &[u32],
        mut here: Option<StoredFrame>,
    ) -> Result<Plane, ArchiveError> {
        let Values { drawable, attributes, space } = values;
        let mut average = Average::default();
        for frame in frames {
            let stored = match here.take() {
                Some(stored) => stored,
                None => self.stored_frame(&drawable.located, &drawable.layout, *frame).await?,
            };
            // What is decoded, its values and the sum they go into.
            let cost = decode::cost(attributes, &stored)
                .saturating_add(attributes.pixels().saturating_mul(8));
            let (attributes, space, sum) = (Arc::clone(attributes), *space, average);
            let work = move || sum.add(&attributes, &stored, space);
            average = self.inner.pool.run(cost, work).await?;
        }
        Ok(average.finish()?)
    }
}
