//! What a message says of itself (MSH).

use crate::hl7::v2::message::Message;
use crate::hl7::v2::message::Separators;

/// The header of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its separators.
    pub separators: Separators,
    /// MSH-3, as written.
    pub sending_application: String,
    /// MSH-4, as written.
    pub sending_facility: String,
    /// MSH-5, as written.
    pub receiving_application: String,
    /// MSH-6, as written.
    pub receiving_facility: String,
    /// MSH-9.1: `ADT`, `ORM`, …
    pub kind: String,
    /// MSH-9.2: `A01`, `O01`, …
    pub trigger: String,
    /// MSH-10.
    pub control_id: String,
    /// MSH-11.1: `P`, `T` or `D`.
    pub processing: String,
    /// MSH-12.1.
    pub version: String,
    /// MSH-15: when an accept acknowledgement is wanted.
    pub accept: Wanted,
    /// MSH-16: when an application acknowledgement is wanted.
    pub application: Wanted,
    /// MSH-18, as written.
    pub charset: String,
}

/// When an acknowledgement is wanted (HL7 table 0155).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing was said: the original mode, where there is always an application acknowledgement.
    Unsaid,
    /// `AL`.
    Always,
    /// `NE`.
    Never,
    /// `ER`.
    OnError,
    /// `SU`.
    OnSuccess,
}

impl Header {
    /// The header of a message.
    pub fn of(message: &Message) -> Option<Self> {
        let msh = message.segment("MSH")?;
        let cut = |number| msh.field(number).chars().take(LONGEST).collect::<String>();
        Some(Self {
            separators: message.separators(),
            sending_application: cut(3),
            sending_facility: cut(4),
            receiving_application: cut(5),
            receiving_facility: cut(6),
            kind: msh.component(9, 1),
            trigger: msh.component(9, 2),
            control_id: msh.text(10).chars().take(LONGEST).collect(),
            processing: msh.text(11),
            version: msh.text(12),
            accept: Wanted::read(&msh.text(15)),
            application: Wanted::read(&msh.text(16)),
            charset: cut(18),
        })
    }

    /// Who sent it, for provenance: application and facility.
    pub fn source(&self) -> String {
        format!("hl7:{}@{}", self.sending_application, self.sending_facility)
    }
}

impl Wanted {
    fn read(text: &str) -> Self {
        match text {
            "AL" => Self::Always,
            "NE" => Self::Never,
            "ER" => Self::OnError,
            "SU" => Self::OnSuccess,
            _ => Self::Unsaid,
        }
    }

    /// Whether one is wanted of a message that was taken, or not.
    pub fn wants(self, taken: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Unsaid | Self::Never => false,
            Self::OnError => !taken,
            Self::OnSuccess => taken,
        }
    }
}

/// Characters of a field kept.
const LONGEST: usize = 256;
