//! What the DICOMweb routes share: the archive, the public address, the limits of answers.

use std::sync::Arc;

use axum::extract::FromRef;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::access::permit::Access;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::dicom::uid::Uid;
use crate::dicomweb::address::AskedPatient;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::http::base::PublicUrl;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::index::query::{Key, Level, Match, Query, Rule};
use crate::people::patient_id::PatientId;

/// Limits of DICOMweb answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Most studies one search answers with.
    pub max_studies: u32,
    /// Most series one search answers with.
    pub max_series: u32,
    /// Most instances one search answers with.
    pub max_instances: u32,
    /// How far the rest of a cut search is counted for its warning; more is reported as this many.
    pub count_at_most: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { max_studies: 1000, max_series: 5000, max_instances: 5000, count_at_most: 10_000 }
    }
}

impl Settings {
    /// Most answers at a level.
    pub fn max_results(&self, level: Level) -> u32 {
        match level {
            Level::Study => self.max_studies,
            Level::Series => self.max_series,
            Level::Instance => self.max_instances,
        }
    }
}

/// State of the DICOMweb routes.
#[derive(Debug, Clone)]
pub struct Door {
    /// The archive.
    pub archive: Archive,
    /// Whose studies are: manifests name people.
    pub fascicolo: Fascicolo,
    /// Where absolute URLs begin.
    pub public: PublicUrl,
    /// Limits.
    pub settings: Arc<Settings>,
    /// Places for those who listen to the change feed.
    pub listeners: Arc<Semaphore>,
}

impl FromRef<Door> for Access {
    fn from_ref(door: &Door) -> Self {
        door.archive.access().clone()
    }
}

impl FromRef<Door> for PublicUrl {
    fn from_ref(door: &Door) -> Self {
        door.public.clone()
    }
}

impl Door {
    /// Whose study `study` is, when the request named a patient: the one of that id (and issuer),
    /// among several if need be. 404 when that patient has no such study.
    pub async fn patient_of(
        &self,
        caller: &Caller,
        study: &Uid,
        asked: &AskedPatient,
    ) -> Result<Option<PatientId>, Problem> {
        if !asked.is_given() {
            return Ok(None);
        }
        let query = Query {
            level: Level::Study,
            study: None,
            series: None,
            patient: None,
            matches: vec![Match {
                key: Key::StudyInstanceUid,
                rule: Rule::AnyOf(vec![study.as_str().to_owned()]),
            }],
            order: Vec::new(),
            limit: 64,
            offset: 0,
        };
        let found = self.archive.search(&caller.may_search()?, &query).await?;
        let mut patients: Vec<PatientId> =
            found.into_iter().map(|found| found.patient_id).collect();
        patients.retain(|patient| asked.is(patient));
        match patients.len() {
            0 => Err(Problem::not_found()),
            1 => Ok(patients.pop()),
            _ => Err(ArchiveError::Ambiguous { study: study.clone(), patients }.into()),
        }
    }
}
