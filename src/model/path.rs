//! The place of an instance in the patient-study-series-instance tree (PS3.3 §A.1.2).

use crate::dicom::uid::Uid;
use crate::people::patient_id::PatientId;

/// Study, series and instance identifiers: the address of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InstancePath {
    /// Study Instance UID (0020,000D).
    pub study: Uid,
    /// Series Instance UID (0020,000E).
    pub series: Uid,
    /// SOP Instance UID (0008,0018).
    pub instance: Uid,
}

/// A study, a series of it, or an instance of that; `patient` tells studies apart that share a
/// Study Instance UID under two patients.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Study Instance UID.
    pub study: Uid,
    /// Series Instance UID; `None` means the whole study.
    pub series: Option<Uid>,
    /// SOP Instance UID; `None` means the whole series or study.
    pub instance: Option<Uid>,
    /// Only the study of this patient.
    pub patient: Option<PatientId>,
}

impl Scope {
    /// The whole study.
    pub fn study(study: Uid) -> Self {
        Self { study, series: None, instance: None, patient: None }
    }

    /// One series.
    pub fn series(study: Uid, series: Uid) -> Self {
        Self { study, series: Some(series), instance: None, patient: None }
    }

    /// One instance.
    pub fn instance(path: InstancePath) -> Self {
        Self {
            study: path.study,
            series: Some(path.series),
            instance: Some(path.instance),
            patient: None,
        }
    }
}
