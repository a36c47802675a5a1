//! Rejection notes (IHE RAD TF-1 §Imaging Object Change Management): key object selections whose title says that the
//! instances they refer to are not to be used, and why.

use crate::model::path::InstancePath;

/// Why instances are rejected: the codes of PS3.16 §CID 7011 that reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Not good enough; may be shown to whoever asks for it.
    Quality,
    /// Dangerous for the patient: of somebody else, of the wrong side.
    PatientSafety,
    /// Made under the wrong worklist entry; corrected ones come under other UIDs.
    WorklistEntry,
    /// Older than it must be kept: to be deleted.
    RetentionExpired,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 4] =
        [Self::Quality, Self::PatientSafety, Self::WorklistEntry, Self::RetentionExpired];

    /// Code Value (0008,0100), of Coding Scheme Designator DCM; the stored form too.
    pub fn code(self) -> &'static str {
        match self {
            Self::Quality => "113001",
            Self::PatientSafety => "113037",
            Self::WorklistEntry => "113038",
            Self::RetentionExpired => "113039",
        }
    }

    /// Code Meaning (0008,0104).
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Quality => "Rejected for Quality Reasons",
            Self::PatientSafety => "Rejected for Patient Safety Reasons",
            Self::WorklistEntry => "Incorrect Modality Worklist Entry",
            Self::RetentionExpired => "Data Retention Policy Expired",
        }
    }

    /// The reason of a code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The reasons a later note for this one takes the place of. Quality and expiry do not lift what
    /// was rejected because it harms: its instances are refused for ever after.
    pub fn replaces(self) -> &'static [Self] {
        match self {
            Self::Quality => &[Self::Quality],
            Self::RetentionExpired => &[Self::Quality, Self::RetentionExpired],
            Self::PatientSafety | Self::WorklistEntry => &Self::ALL,
        }
    }

    /// Whether an instance rejected for it is refused when it is sent again (IHE RAD TF-3
    /// §4.66.4.2.3.1, §4.66.4.3.3).
    pub fn refuses(self) -> bool {
        matches!(self, Self::PatientSafety | Self::WorklistEntry)
    }
}

/// What a note says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Why.
    pub reason: Reason,
    /// What.
    pub instances: Vec<InstancePath>,
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn a_code_is_a_reason_and_other_titles_are_none() {
        for reason in Reason::ALL {
            assert_eq!(Reason::of_code(reason.code()), Some(reason));
            assert!(reason.replaces().contains(&reason), "a later note of the same kind counts");
        }
        // Of Interest; For Teaching; Quality Issue, which says so and rejects nothing.
        for code in ["113000", "113004", "113010", ""] {
            assert_eq!(Reason::of_code(code), None, "{code}");
        }
    }

    #[test]
    fn what_harms_is_not_lifted_by_a_milder_note() {
        assert!(!Reason::Quality.replaces().contains(&Reason::PatientSafety));
        assert!(!Reason::RetentionExpired.replaces().contains(&Reason::WorklistEntry));
        assert!(Reason::PatientSafety.replaces().contains(&Reason::Quality));
    }
}
