//! The fascicolo: whose studies and documents are, which belong together, what a person has.
//!
//! Links are made by shared numbers only, never by person and date: those suggest. Nothing is given to
//! anybody in a conflict; it waits in the reconciliation queue. Never here: HTML, FHIR, a protocol.
//! Start at [`fascicolo`]; [`identity`] says whose something is, [`link`] what belongs together.

pub mod already_done;
pub mod completeness;
pub mod consult;
pub mod decide;
pub mod error;
pub mod fascicolo;
pub mod identity;
pub mod intake;
pub mod issuers;
pub mod link;
pub mod manifest;
pub mod manifest_name;
pub mod messages;
pub mod outbox;
pub mod priors;
pub mod queue;
pub mod reading;
pub mod recognise;
pub mod search;
pub mod subscriptions;
pub mod timeline;
pub mod told;
