//! The two ways to say no: A-ASSOCIATE-RJ and A-ABORT, with their reasons in words.

use std::fmt;

/// Why an association was not accepted (PS3.8 §9.3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// 1: permanent, 2: transient.
    pub result: u8,
    /// 1: the service user, 2: the association layer, 3: the presentation layer.
    pub source: u8,
    /// Reason, by source.
    pub reason: u8,
}

impl Rejection {
    /// The application context is not DICOM's.
    pub const APPLICATION_CONTEXT: Self = Self { result: 1, source: 1, reason: 2 };
    /// We do not know who calls.
    pub const CALLING_AE_TITLE: Self = Self { result: 1, source: 1, reason: 3 };
    /// We are not who is called.
    pub const CALLED_AE_TITLE: Self = Self { result: 1, source: 1, reason: 7 };
    /// A protocol version other than 1.
    pub const PROTOCOL_VERSION: Self = Self { result: 1, source: 2, reason: 2 };
    /// As many associations as we take are open: later may work.
    pub const LIMIT_EXCEEDED: Self = Self { result: 2, source: 3, reason: 2 };

    /// Whether the same request may be accepted later.
    pub fn is_transient(&self) -> bool {
        self.result == 2
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lasting = if self.is_transient() { "transient" } else { "permanent" };
        let reason = match (self.source, self.reason) {
            (1, 2) => "application context name not supported",
            (1, 3) => "calling AE title not recognised",
            (1, 7) => "called AE title not recognised",
            (2, 2) => "protocol version not supported",
            (3, 1) => "temporary congestion",
            (3, 2) => "local limit exceeded",
            (1 | 2, 1) => "no reason given",
            (source, reason) => {
                return write!(f, "{lasting}: source {source}, reason {reason}");
            }
        };
        write!(f, "{lasting}: {reason}")
    }
}

/// Why an association was broken off (PS3.8 §9.3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abort {
    /// 0: the service user, 2: the service provider.
    pub source: u8,
    /// Reason, where the provider aborts.
    pub reason: u8,
}

impl Abort {
    /// By whoever uses the association, who need not say why.
    pub const BY_USER: Self = Self { source: 0, reason: 0 };
    /// A timer ran out, or the reason has no name.
    pub const UNSPECIFIED: Self = Self { source: 2, reason: 0 };
    /// A PDU type nobody knows.
    pub const UNRECOGNISED_PDU: Self = Self { source: 2, reason: 1 };
    /// A PDU that may not come now.
    pub const UNEXPECTED_PDU: Self = Self { source: 2, reason: 2 };
    /// A PDU whose fields do not hold.
    pub const INVALID_PARAMETER: Self = Self { source: 2, reason: 6 };
}

impl fmt::Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.source, self.reason) {
            (0, _) => "by the service user",
            (2, 0) => "by the service provider",
            (2, 1) => "unrecognised PDU",
            (2, 2) => "unexpected PDU",
            (2, 4) => "unrecognised PDU parameter",
            (2, 5) => "unexpected PDU parameter",
            (2, 6) => "invalid PDU parameter value",
            (source, reason) => return write!(f, "source {source}, reason {reason}"),
        })
    }
}
