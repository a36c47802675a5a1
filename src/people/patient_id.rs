//! A patient identifier with its issuer.

/// What makes a patient one patient: PS3.3 §C.7.1.1 says a Patient ID is unique only within its
/// issuer, so two issuers' equal ids are two people.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PatientId {
    /// Issuer of Patient ID (0010,0021), else the Universal Entity ID of (0010,0024); empty when
    /// the object names none.
    pub issuer: String,
    /// Patient ID (0010,0020); empty when the object has none.
    pub value: String,
}

impl PatientId {
    /// Whether the object said whom it is about at all.
    pub fn is_known(&self) -> bool {
        !self.value.is_empty()
    }
}
