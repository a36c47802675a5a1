//! DICOM nodes the archive may send to.

use serde::{Deserialize, Serialize};

/// A DICOM application entity elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its AE title.
    pub aet: String,
    /// Where it listens, `host:port`.
    pub address: String,
}
