//! Permits: the proof that an access was decided.

use crate::access::actor::{Actor, Purpose};
use crate::dicom::uid::Uid;

/// What an access is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Storing objects.
    Storing,
    /// Searching: the answer is limited to what the actor may know of.
    Searching,
    /// Reading a study or part of it.
    Study(Uid),
    /// The archive as a whole: checks, feeds, figures.
    Archive,
}

/// Decides accesses.
///
/// Until access control arrives every access is permitted; the seam is here so that no reading
/// path can be written without it.
#[derive(Debug, Clone, Default)]
pub struct Access {}

impl Access {
    /// Decides whether `actor` may, for `purpose`, access `subject`.
    pub fn permit(
        &self,
        actor: &Actor,
        purpose: Purpose,
        subject: Subject,
    ) -> Result<Permit, Denied> {
        let (Actor::Node { .. } | Actor::Anonymous { .. } | Actor::Operator | Actor::System) =
            actor;
        Ok(Permit { purpose, subject })
    }
}

/// Proof of a decided access; cannot be made elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    purpose: Purpose,
    subject: Subject,
}

impl Permit {
    /// What it is for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// What it is about.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Whether it covers reading `study`.
    pub fn covers_study(&self, study: &Uid) -> bool {
        match &self.subject {
            Subject::Study(of) => of == study,
            Subject::Archive => true,
            Subject::Storing | Subject::Searching => false,
        }
    }
}

/// The access was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("access denied")]
pub struct Denied;
