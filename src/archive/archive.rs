//! The archive as the doors hold it: one handle, cheap to clone.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::access::permit::Access;
use crate::archive::error::ArchiveError;
use crate::archive::extended::Attributes;
use crate::archive::flights::Flights;
use crate::archive::kept::Kept;
use crate::archive::spool::Spools;
use crate::archive::subtracted::MaskCache;
use crate::archive::transcode::Transcoding;
use crate::blobs::store::Blobs;
use crate::clock::SharedClock;
use crate::dicom::limits::Limits;
use crate::imaging::pixels::PixelAttributes;
use crate::imaging::pool::Pool;
use crate::index::commit::Committer;
use crate::index::port::SharedIndex;
use crate::index::port::Totals;
use crate::model::job::JobKind;

/// How the archive behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Seconds without a new instance after which a series counts as quiet: then its thumbnail and
    /// its precomputed metadata are made.
    pub quiet_s: u32,
    /// Hours between sweeps for blobs that no row names; 0 never sweeps.
    pub sweep_every_h: u32,
    /// Hours a blob without a row is left alone: the object it belongs to may still be arriving.
    pub sweep_grace_h: u32,
    /// Days what was deleted lies in the bin before it is purged; 0 keeps it for ever.
    pub bin_days: u32,
    /// Whether rejection notes (IHE Imaging Object Change Management) take what they name out of
    /// what is served: a sender that hears success must be able to rely on it, and nothing is lost,
    /// for it lies in the bin and is never purged unless it expired. False stores them as any object.
    pub apply_rejection_notes: bool,
    /// Whether what notes reject for its quality stays served all the same.
    pub show_rejected_for_quality: bool,
    /// Data sets nested deeper than this are refused.
    pub max_depth: u16,
    /// MiB of rendered pictures kept in memory for whoever asks for the same again; 0 keeps none.
    pub render_cache_mib: u16,
    /// Folder where bulk data waits for the rest of its instance (STOW-RS of metadata and bulk
    /// data); empty: the system's folder for temporary files. Should not be in memory.
    pub spool_folder: String,
    /// Most bytes that may wait there, of all requests together.
    pub spool_max_bytes: u64,
}

/// Bytes of pixel attributes kept, lookup tables and frames' own rules included.
const HEADERS_KEPT_BYTES: u64 = 32 * 1024 * 1024;

impl Default for Settings {
    fn default() -> Self {
        Self {
            quiet_s: 5,
            sweep_every_h: 24,
            sweep_grace_h: 24,
            bin_days: 30,
            apply_rejection_notes: true,
            show_rejected_for_quality: false,
            max_depth: Limits::DEFAULT.depth,
            render_cache_mib: 64,
            spool_folder: String::new(),
            spool_max_bytes: 64 * 1024 * 1024 * 1024,
        }
    }
}

impl Settings {
    /// The scanner's bounds.
    pub(in crate::archive) fn limits(&self) -> Limits {
        Limits { depth: self.max_depth, ..Limits::DEFAULT }
    }

    /// Jobs queued for each series an instance was stored in, with their delay in µs.
    pub fn jobs(&self) -> Vec<(JobKind, i64)> {
        let quiet_us = i64::from(self.quiet_s) * 1_000_000;
        JobKind::OF_SERIES.map(|kind| (kind, quiet_us)).to_vec()
    }
}

/// The archive.
#[derive(Debug, Clone)]
pub struct Archive {
    pub(in crate::archive) inner: Arc<Inner>,
}

/// What the archive stands on.
#[derive(Debug)]
pub(in crate::archive) struct Inner {
    /// How it behaves.
    pub(in crate::archive) settings: Settings,
    /// Rows, for reading.
    pub(in crate::archive) index: SharedIndex,
    /// Rows, for writing: groups what many receive into one commit.
    pub(in crate::archive) committer: Committer,
    /// Bytes.
    pub(in crate::archive) blobs: Blobs,
    /// Pixel work.
    pub(in crate::archive) pool: Pool,
    /// Time.
    pub(in crate::archive) clock: SharedClock,
    /// Who may.
    pub(in crate::archive) access: Access,
    /// Attributes to be searched beside those the index always keeps.
    pub(in crate::archive) attributes: Attributes,
    /// Pictures being made now, each once for all who ask.
    pub(in crate::archive) flights: Flights,
    /// Pictures made a moment ago.
    pub(in crate::archive) renders: Kept<Bytes>,
    /// What the headers of images drawn a moment ago say of their pixels.
    pub(in crate::archive) headers: Kept<Arc<PixelAttributes>>,
    /// Masks of subtracted frames.
    pub(in crate::archive) masks: MaskCache,
    /// Bulk data of instances that are still to be made.
    pub(in crate::archive) spools: Spools,
    /// Frames and files in other transfer syntaxes: being made, and made before.
    pub(in crate::archive) transcoding: Transcoding,
}

/// The parts an archive is made of.
#[derive(Debug)]
pub struct Parts {
    /// How it behaves.
    pub settings: Settings,
    /// Rows, for reading.
    pub index: SharedIndex,
    /// Rows, for writing.
    pub committer: Committer,
    /// Bytes.
    pub blobs: Blobs,
    /// Pixel work.
    pub pool: Pool,
    /// Time.
    pub clock: SharedClock,
    /// Who may.
    pub access: Access,
    /// Attributes to be searched beside those the index always keeps.
    pub attributes: Attributes,
}

impl Archive {
    /// An archive over its parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { settings, index, committer, blobs, pool, clock, access, attributes } = parts;
        let flights = Flights::default();
        let renders = Kept::new(u64::from(settings.render_cache_mib) * 1024 * 1024);
        let renders = renders.told_by("lastra_render_cache_bytes");
        let spools = Spools::new(&settings.spool_folder, settings.spool_max_bytes);
        let inner = Inner {
            settings,
            index,
            committer,
            blobs,
            pool,
            clock,
            access,
            attributes,
            flights,
            renders,
            headers: Kept::new(HEADERS_KEPT_BYTES).told_by("lastra_header_cache_bytes"),
            masks: MaskCache::default(),
            spools,
            transcoding: Transcoding::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Who decides accesses; doors ask it for their permits.
    pub fn access(&self) -> &Access {
        &self.inner.access
    }

    /// How much the archive holds.
    pub async fn totals(&self) -> Result<Totals, ArchiveError> {
        Ok(self.inner.index.totals().await?)
    }

    /// What must work for the archive to be ready, and what is wrong with each, if anything.
    pub async fn faults(&self) -> [(&'static str, Option<String>); 3] {
        let index = self.inner.index.ping().await.err().map(|error| error.to_string());
        let blobs = self.inner.blobs.ping().await.err().map(|error| error.to_string());
        let room = self.check_room().await.err().map(|error| error.to_string());
        [("index", index), ("blobs", blobs), ("room", room)]
    }
}
