//! The steps of ingest at which a debug build can be made to die, as by a power cut: so the tests
//! show, step by step, that a crash loses nothing that was acknowledged.
//!
//! `LASTRA_DEBUG__STOP_AT=blob-written` ends the process when it first comes to that step,
//! `blob-written:5` when it comes there the fifth time. A release build knows no such key.

#[cfg(debug_assertions)]
use std::sync::atomic::AtomicU32;
#[cfg(debug_assertions)]
use std::sync::atomic::Ordering;

#[cfg(debug_assertions)]
use serde::{Deserialize, Serialize};

/// A step on an object's way in, in their order; the last two belong to the jobs that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A piece of the data set was handed to the blob's writer.
    PieceTaken,
    /// Every byte is here, the blob is not durable yet.
    AllTaken,
    /// The blob is durable, no row names it.
    BlobWritten,
    /// The rows are committed, nobody was told.
    Committed,
    /// A resent object's second blob was removed, nobody was told.
    CopyRemoved,
    /// A thumbnail's or metadata's blob is durable, no row names it.
    DerivedWritten,
    /// Its row is committed, the object it replaces is there still, the job is not done.
    DerivedEntered,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::PieceTaken,
        Self::AllTaken,
        Self::BlobWritten,
        Self::Committed,
        Self::CopyRemoved,
        Self::DerivedWritten,
        Self::DerivedEntered,
    ];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::PieceTaken => "piece-taken",
            Self::AllTaken => "all-taken",
            Self::BlobWritten => "blob-written",
            Self::Committed => "committed",
            Self::CopyRemoved => "copy-removed",
            Self::DerivedWritten => "derived-written",
            Self::DerivedEntered => "derived-entered",
        }
    }
}

/// Counts the steps up to the one to die at; in a release build, nothing.
#[derive(Debug, Default)]
pub struct Steps {
    #[cfg(debug_assertions)]
    stop: Option<(Step, AtomicU32)>,
}

impl Steps {
    /// Called where the step is reached.
    #[cfg(debug_assertions)]
    pub(in crate::archive) fn come_to(&self, step: Step) {
        if let Some((stop, left)) = &self.stop
            && *stop == step
            && left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            std::process::abort();
        }
    }

    /// Called where the step is reached.
    #[cfg(not(debug_assertions))]
    #[expect(clippy::unused_self, reason = "a release build stops nowhere")]
    pub(in crate::archive) fn come_to(&self, _: Step) {}
}

/// Help for the tests; debug builds only.
#[cfg(debug_assertions)]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The step to die at, `name` or `name:times`; empty: none.
    pub stop_at: StopAt,
}

#[cfg(debug_assertions)]
impl Settings {
    /// Steps that end the process where the settings say.
    pub fn steps(&self) -> Steps {
        Steps { stop: self.stop_at.0.map(|(step, times)| (step, AtomicU32::new(times))) }
    }
}

/// A step and the how-manieth time it is reached, from 1.
#[cfg(debug_assertions)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StopAt(Option<(Step, u32)>);

#[cfg(debug_assertions)]
impl TryFrom<String> for StopAt {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let (name, times) = text.split_once(':').unwrap_or((&text, "1"));
        let step = Step::ALL.into_iter().find(|step| step.name() == name);
        let times = times.parse().ok().filter(|times| *times > 0);
        step.zip(times).map(|stop| Self(Some(stop))).ok_or_else(|| format!("no such step: {text}"))
    }
}

#[cfg(debug_assertions)]
impl From<StopAt> for String {
    fn from(StopAt(stop): StopAt) -> Self {
        stop.map_or_else(Self::new, |(step, times)| format!("{}:{times}", step.name()))
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::{Step, StopAt};

    #[test]
    fn every_step_is_read_from_its_name_and_nothing_else_is() {
        for step in Step::ALL {
            assert_eq!(StopAt::try_from(step.name().to_owned()), Ok(StopAt(Some((step, 1)))));
            let third = format!("{}:3", step.name());
            assert_eq!(String::from(StopAt::try_from(third.clone()).unwrap()), third);
        }
        for wrong in ["blob", "blob-written:", "blob-written:0", "blob-written:x", ":1"] {
            assert!(StopAt::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
