//! The fascicolo over real stores: objects and documents in, links, conflicts and people out.

mod documents;
mod linking;
mod messages;
mod official;
mod world;
