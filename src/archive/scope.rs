//! Telling apart studies that share a UID under two patients, before anything of them is read.

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::index::port::Located;
use crate::index::port::SeriesState;
use crate::model::path::InstancePath;
use crate::model::path::Scope;
use crate::people::patient_id::PatientId;

impl Archive {
    /// The scope with its patient named where the study UID alone would not tell: each patient
    /// who has something at the scope is a candidate, and only one may.
    pub(in crate::archive) async fn resolve(
        &self,
        permit: &Permit,
        scope: &Scope,
    ) -> Result<Scope, ArchiveError> {
        if !permit.covers_study(&scope.study) {
            return Err(ArchiveError::Denied);
        }
        if scope.patient.is_some() {
            return Ok(scope.clone());
        }
        let patients = self.inner.index.patients_of_study(scope.study.as_str()).await?;
        match patients.as_slice() {
            [] => Err(unknown(scope)),
            [_] => Ok(scope.clone()),
            _ => self.resolve_among(scope, patients).await,
        }
    }

    async fn resolve_among(
        &self,
        scope: &Scope,
        patients: Vec<PatientId>,
    ) -> Result<Scope, ArchiveError> {
        let mut holders = Vec::new();
        for patient in patients {
            let of_patient = Scope { patient: Some(patient.clone()), ..scope.clone() };
            if !self.inner.index.list(&of_patient, None, 1).await?.is_empty() {
                holders.push((patient, of_patient));
            }
        }
        match holders.len() {
            0 => Err(unknown(scope)),
            1 => holders.pop().map(|(_, scope)| scope).ok_or_else(|| unknown(scope)),
            _ => Err(ArchiveError::Ambiguous {
                study: scope.study.clone(),
                patients: holders.into_iter().map(|(patient, _)| patient).collect(),
            }),
        }
    }

    /// One instance, its patient resolved.
    pub(in crate::archive) async fn locate(
        &self,
        permit: &Permit,
        path: &InstancePath,
    ) -> Result<Located, ArchiveError> {
        self.locate_scope(permit, &Scope::instance(path.clone())).await
    }

    /// One instance named by a scope, its patient resolved.
    pub(in crate::archive) async fn locate_scope(
        &self,
        permit: &Permit,
        scope: &Scope,
    ) -> Result<Located, ArchiveError> {
        let scope = self.resolve(permit, scope).await?;
        self.inner.index.locate(&scope).await?.ok_or_else(|| unknown(&scope))
    }

    /// The series of a scope, its patient resolved; at least one.
    pub async fn series_states(
        &self,
        permit: &Permit,
        scope: &Scope,
    ) -> Result<Vec<SeriesState>, ArchiveError> {
        let scope = self.resolve(permit, scope).await?;
        let series = self.inner.index.series_of(&scope).await?;
        if series.is_empty() { Err(unknown(&scope)) } else { Ok(series) }
    }
}

/// What to say of a scope that is not there: its kind only, so that logs hold no identifiers.
pub(in crate::archive) fn unknown(scope: &Scope) -> ArchiveError {
    let what = match (&scope.series, &scope.instance) {
        (_, Some(_)) => "this instance",
        (Some(_), None) => "this series",
        (None, None) => "this study",
    };
    ArchiveError::Unknown(what.to_owned())
}
