//! How associations end, and what the log says of it: one line each.

use std::net::SocketAddr;

use crate::dimse::message::MessageError;
use crate::dimse::pdu::Event;
use crate::dimse::refusal::Abort;
use crate::dimse::refusal::Rejection;
use crate::dimse::wire::WireError;

/// How an association ended, or why there was none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dimse) enum End {
    /// As it should.
    Released,
    /// The peer aborted.
    Aborted(Abort),
    /// The peer closed the connection without a word.
    Closed,
    /// The peer was silent for too long.
    Silent,
    /// The network failed.
    Broken,
    /// The peer broke the protocol; what we answer, and what it did.
    Violation(Abort, String),
    /// We did not accept it.
    Rejected(Rejection),
    /// We are stopping.
    Stopped,
    /// It had not asked for an association yet, and others came.
    PushedOut,
}

impl From<WireError> for End {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Closed => Self::Closed,
            WireError::Silent(_) => Self::Silent,
            WireError::Broken(_) => Self::Broken,
            WireError::Pdu(error) => Self::Violation(error.abort(), error.to_string()),
        }
    }
}

impl From<MessageError> for End {
    fn from(error: MessageError) -> Self {
        Self::Violation(Abort::UNEXPECTED_PDU, error.to_string())
    }
}

impl End {
    /// Its name in logs and metrics.
    pub(in crate::dimse) fn label(&self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Aborted(_) => "aborted",
            Self::Closed => "closed",
            Self::Silent => "timed_out",
            Self::Broken => "broken",
            Self::Violation(..) => "violation",
            Self::Rejected(_) => "rejected",
            Self::Stopped => "stopped",
            Self::PushedOut => "turned_away",
        }
    }
}

/// Counts an ended association, or a connection none came of.
pub(in crate::dimse) fn count(result: &'static str) {
    metrics::counter!("lastra_dicom_associations_total", "result" => result).increment(1);
}

/// Who connects and leaves without a word is a port check: no line, no count. Of those pushed out
/// there may be very many: no line.
pub(in crate::dimse) fn note_unopened(end: &End, peer: SocketAddr) {
    let peer = peer.ip();
    match end {
        End::Closed | End::Stopped => return,
        End::PushedOut => {}
        End::Rejected(rejection) => {
            tracing::warn!(%peer, reason = %rejection, "association rejected");
        }
        End::Violation(_, reason) => {
            tracing::warn!(%peer, reason, "no association: not understood");
        }
        End::Released | End::Aborted(_) | End::Silent | End::Broken => {
            tracing::info!(%peer, ended = end.label(), "no association came of a connection");
        }
    }
    count(end.label());
}

/// A PDU that may not come now.
pub(in crate::dimse) fn unexpected(event: &Event) -> End {
    let name = match event {
        Event::Abort(abort) => return End::Aborted(*abort),
        Event::AssociateRequest(_) => "A-ASSOCIATE-RQ",
        Event::AssociateAccept(_) => "A-ASSOCIATE-AC",
        Event::AssociateReject(_) => "A-ASSOCIATE-RJ",
        Event::Data(_) => "P-DATA-TF",
        Event::ReleaseRequest => "A-RELEASE-RQ",
        Event::ReleaseResponse => "A-RELEASE-RP",
    };
    End::Violation(Abort::UNEXPECTED_PDU, format!("{name} may not come now"))
}
