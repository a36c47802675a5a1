//! What the store did, counted: for the metrics, and for tests that hold promises about bytes.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// A store's counts at one moment. Counters only grow; the `_in_flight` two rise and fall.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Reads that went to the store: shared and merged ones count once, a stream counts once.
    pub reads: u64,
    /// Bytes those reads brought.
    pub read_bytes: u64,
    /// Blobs made durable.
    pub writes: u64,
    /// Their bytes.
    pub written_bytes: u64,
    /// Files and folders synced (local disk only).
    pub syncs: u64,
    /// Reads and streams open now.
    pub reads_in_flight: u64,
    /// Writers open now.
    pub writes_in_flight: u64,
}

/// The counters behind [`Counts`]; each also goes to the metrics under its name.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    reads: AtomicU64,
    read_bytes: AtomicU64,
    writes: AtomicU64,
    written_bytes: AtomicU64,
    syncs: AtomicU64,
    reads_in_flight: AtomicU64,
    writes_in_flight: AtomicU64,
}

impl Stats {
    /// The counts now.
    pub(crate) fn counts(&self) -> Counts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            reads: of(&self.reads),
            read_bytes: of(&self.read_bytes),
            writes: of(&self.writes),
            written_bytes: of(&self.written_bytes),
            syncs: of(&self.syncs),
            reads_in_flight: of(&self.reads_in_flight),
            writes_in_flight: of(&self.writes_in_flight),
        }
    }

    /// A read or stream begins; it lasts as long as the answer is kept.
    pub(crate) fn read_begins(self: &Arc<Self>) -> InFlight {
        self.reads.fetch_add(1, Ordering::Relaxed);
        metrics::counter!(READS).increment(1);
        InFlight::new(self, |stats| &stats.reads_in_flight)
    }

    /// Bytes came from the store.
    pub(crate) fn bytes_read(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.read_bytes.fetch_add(bytes, Ordering::Relaxed);
        metrics::counter!(READ_BYTES).increment(bytes);
    }

    /// A writer opens; it lasts as long as the answer is kept.
    pub(crate) fn write_begins(self: &Arc<Self>) -> InFlight {
        InFlight::new(self, |stats| &stats.writes_in_flight)
    }

    /// A blob is durable.
    pub(crate) fn written(&self, bytes: u64) {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.written_bytes.fetch_add(bytes, Ordering::Relaxed);
        metrics::counter!(WRITES).increment(1);
        metrics::counter!(WRITTEN_BYTES).increment(bytes);
    }

    /// A file or folder was synced.
    pub(crate) fn synced(&self) {
        self.syncs.fetch_add(1, Ordering::Relaxed);
    }
}

/// One of the things in flight, counted until dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    stats: Arc<Stats>,
    gauge: fn(&Stats) -> &AtomicU64,
}

impl InFlight {
    fn new(stats: &Arc<Stats>, gauge: fn(&Stats) -> &AtomicU64) -> Self {
        gauge(stats).fetch_add(1, Ordering::Relaxed);
        Self { stats: Arc::clone(stats), gauge }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        (self.gauge)(&self.stats).fetch_sub(1, Ordering::Relaxed);
    }
}

/// Metric: reads that went to the store.
pub const READS: &str = "lastra_blob_reads_total";
/// Metric: bytes they brought.
pub const READ_BYTES: &str = "lastra_blob_read_bytes_total";
/// Metric: blobs made durable.
pub const WRITES: &str = "lastra_blob_writes_total";
/// Metric: their bytes.
pub const WRITTEN_BYTES: &str = "lastra_blob_written_bytes_total";
