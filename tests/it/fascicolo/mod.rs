//! The fascicolo over real stores: objects and documents in, links, conflicts and people out.

mod already_done;
mod completeness;
mod documents;
mod linking;
mod messages;
#[expect(clippy::print_stdout, reason = "what is skipped says so")]
mod official;
mod priors;
mod reports;
pub(crate) mod world;
