//! The FHIR R4 door, below `/fhir`: people, studies, reports and documents as other systems read them,
//! and reports as they bring them.
//!
//! Never here: rows, blobs, what links what; another door. [`kind`] is the one table of what is served:
//! searches are read by it and `/fhir/metadata` is drawn from it. Start at [`routes`].

pub mod asked;
pub mod audit_event;
pub mod audit_search;
pub mod binary;
pub mod bringing;
pub mod bundle;
pub mod capability;
pub mod cursor;
pub mod dates;
pub mod delivery;
pub mod document;
pub mod door;
pub mod everything;
pub mod facts;
pub mod fixed;
pub mod imaging_study;
pub mod include;
pub mod kind;
pub mod listing;
pub mod manifest;
pub mod manifest_given;
pub mod manifest_rules;
pub mod negotiate;
pub mod notify;
pub mod outcome;
pub mod patient;
pub mod provenance;
pub mod read;
pub mod recording;
pub mod report;
pub mod resource;
pub mod routes;
pub mod rules;
pub mod search;
pub mod settings;
pub mod subscribing;
pub mod subscription;
pub mod tokens;
pub mod transaction;
pub mod values;
