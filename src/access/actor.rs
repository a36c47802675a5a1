//! Who asks, and what for.

use std::net::SocketAddr;

use crate::model::access::MOST_NAME;
use crate::model::access::Who;
use crate::model::access::bounded;

/// Whoever asks something of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A DICOM node, by its calling AE title and address.
    Node {
        /// Calling AE title.
        ae_title: String,
        /// Where from.
        address: Option<SocketAddr>,
    },
    /// Someone over HTTP who has not said who they are; access control gives them names.
    Anonymous {
        /// Where from.
        address: Option<SocketAddr>,
    },
    /// The operator at the command line.
    Operator,
    /// The archive itself, in background work.
    System,
}

impl Actor {
    /// How they stand in the record of accesses.
    pub fn who(&self) -> Who {
        let (kind, name, address) = match self {
            Self::Node { ae_title, address } => ("node", ae_title.as_str(), *address),
            Self::Anonymous { address } => ("anonymous", "", *address),
            Self::Operator => ("operator", "", None),
            Self::System => ("system", "", None),
        };
        let address = address.map(|address| address.ip().to_canonical().to_string());
        Who {
            kind: kind.to_owned(),
            name: bounded(name, MOST_NAME),
            address: address.unwrap_or_default(),
        }
    }
}

/// What the access is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Care of the patient.
    Care,
    /// Running the archive: storing, deriving, checking.
    Operation,
}
