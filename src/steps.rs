//! The steps on an object's way in at which a debug build can be made to die as by `kill -9`: so
//! the tests show, step by step, that a crash loses nothing that was acknowledged.
//!
//! `LASTRA_STOP_AT=blob-durable` ends the process when it first comes to that step, nothing closed
//! or flushed; `blob-durable:5` when it comes there the fifth time. A help for the tests only: a
//! release build knows no such variable, and there [`come_to`] is empty.

#[cfg(debug_assertions)]
use std::sync::OnceLock;
#[cfg(debug_assertions)]
use std::sync::atomic::AtomicU32;
#[cfg(debug_assertions)]
use std::sync::atomic::Ordering;

/// A step on an object's way in, in their order; then those of the job that follows, and those of a
/// report on its way to the national gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A blob's file is made, empty; an upload of several parts is begun.
    BlobBegun,
    /// Some of a blob's bytes are written, more are to come.
    BytesWritten,
    /// All its bytes are written, nothing is synced; all parts are there, the upload is not ended.
    AllWritten,
    /// The file is synced, the folder that holds its entry is not. Local disk only.
    FileSynced,
    /// The instance's blob is durable, no row names it.
    BlobDurable,
    /// Its rows are entered, their transaction is not committed.
    RowsEntered,
    /// They are committed, nobody was told.
    Committed,
    /// The second blob of a resent object was removed, nobody was told.
    CopyRemoved,
    /// The answer is on its way (C-STORE only).
    Answered,
    /// The blob of a thumbnail or of precomputed metadata is durable, no row names it.
    DerivedDurable,
    /// Its row is committed; the object it replaces is there still, and the job is not done.
    DerivedEntered,
    /// The national gateway found a report valid, no row says so.
    GatewayValidated,
    /// A row says that a report is being sent, nothing was sent.
    GatewaySending,
    /// The gateway took a report, no row says so.
    GatewayTook,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::BlobBegun,
        Self::BytesWritten,
        Self::AllWritten,
        Self::FileSynced,
        Self::BlobDurable,
        Self::RowsEntered,
        Self::Committed,
        Self::CopyRemoved,
        Self::Answered,
        Self::DerivedDurable,
        Self::DerivedEntered,
        Self::GatewayValidated,
        Self::GatewaySending,
        Self::GatewayTook,
    ];

    /// Its name in the environment.
    pub fn name(self) -> &'static str {
        match self {
            Self::BlobBegun => "blob-begun",
            Self::BytesWritten => "bytes-written",
            Self::AllWritten => "all-written",
            Self::FileSynced => "file-synced",
            Self::BlobDurable => "blob-durable",
            Self::RowsEntered => "rows-entered",
            Self::Committed => "committed",
            Self::CopyRemoved => "copy-removed",
            Self::Answered => "answered",
            Self::DerivedDurable => "derived-durable",
            Self::DerivedEntered => "derived-entered",
            Self::GatewayValidated => "gateway-validated",
            Self::GatewaySending => "gateway-sending",
            Self::GatewayTook => "gateway-took",
        }
    }
}

/// Called where a step is reached; the process may end here.
#[cfg(debug_assertions)]
pub fn come_to(step: Step) {
    static STOP: OnceLock<Option<(Step, AtomicU32)>> = OnceLock::new();
    let stop = STOP.get_or_init(|| {
        let (step, times) = parse(&std::env::var("LASTRA_STOP_AT").ok()?)?;
        Some((step, AtomicU32::new(times)))
    });
    if let Some((last, left)) = stop
        && *last == step
        && left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        std::process::abort();
    }
}

/// Called where a step is reached; nothing in a release build.
#[cfg(not(debug_assertions))]
#[inline]
pub fn come_to(_: Step) {}

/// `name` or `name:times`, times from 1.
#[cfg(debug_assertions)]
fn parse(text: &str) -> Option<(Step, u32)> {
    let (name, times) = text.split_once(':').unwrap_or((text, "1"));
    let step = Step::ALL.into_iter().find(|step| step.name() == name)?;
    let times = times.parse().ok().filter(|times| *times > 0)?;
    Some((step, times))
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::{Step, parse};

    #[test]
    fn every_step_is_read_from_its_name_and_nothing_else_is() {
        for step in Step::ALL {
            assert_eq!(parse(step.name()), Some((step, 1)));
            assert_eq!(parse(&format!("{}:3", step.name())), Some((step, 3)));
        }
        for wrong in ["", "blob", "committed:", "committed:0", "committed:x", ":1"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
