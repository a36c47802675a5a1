//! Who asks, and what for.

use std::net::SocketAddr;

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

/// What the access is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Care of the patient.
    Care,
    /// Running the archive: storing, deriving, checking.
    Operation,
}
