//! The client side: associate, C-ECHO, C-STORE, release (PS3.8 §9.2, PS3.7 §9.1).

use std::io;
use std::time::Duration;

use dicom_ul::pdu::AssociationAC;
use dicom_ul::pdu::AssociationRQ;
use dicom_ul::pdu::PresentationContextProposed;
use dicom_ul::pdu::PresentationContextResultReason as Reason;
use dicom_ul::pdu::UserVariableItem;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::dicom::part10::IMPLEMENTATION_CLASS;
use crate::dicom::part10::IMPLEMENTATION_VERSION;
use crate::dimse::command::AFFECTED_SOP_CLASS;
use crate::dimse::command::AFFECTED_SOP_INSTANCE;
use crate::dimse::command::C_ECHO;
use crate::dimse::command::C_STORE;
use crate::dimse::command::COMMAND_FIELD;
use crate::dimse::command::CommandSet;
use crate::dimse::command::DATA_SET;
use crate::dimse::command::DATA_SET_TYPE;
use crate::dimse::command::ERROR_COMMENT;
use crate::dimse::command::MESSAGE_ID;
use crate::dimse::command::NO_DATA_SET;
use crate::dimse::command::PRIORITY;
use crate::dimse::command::RESPONDED_TO;
use crate::dimse::command::RESPONSE;
use crate::dimse::command::STATUS;
use crate::dimse::encode;
use crate::dimse::message::Assembler;
use crate::dimse::message::MessageError;
use crate::dimse::message::Part;
use crate::dimse::negotiate::APPLICATION_CONTEXT;
use crate::dimse::negotiate::VERIFICATION;
use crate::dimse::pdu::Event;
use crate::dimse::refusal::Abort;
use crate::dimse::refusal::Rejection;
use crate::dimse::socket::EagerStream;
use crate::dimse::status::Status;
use crate::dimse::wire::Wire;
use crate::dimse::wire::WireError;

/// Presentation contexts an association can propose: ids are odd and of one byte.
pub const MAX_CONTEXTS: usize = 128;

/// The longest P-DATA-TF we take; responses are short.
const MAX_PDU_BYTES: u32 = 128 * 1024;
/// For the connection, and for answers to association and release requests.
const SHORT_WAIT: Duration = Duration::from_secs(30);
/// For the answer to a command: the peer may have a whole object to write.
const LONG_WAIT: Duration = Duration::from_mins(5);
/// For what a peer said last before it broke off.
const LAST_WORDS_WAIT: Duration = Duration::from_millis(200);

/// An open association, ours.
#[derive(Debug)]
pub struct Scu {
    wire: Wire<EagerStream>,
    assembler: Assembler,
    contexts: Vec<Proposed>,
    value_bytes: usize,
    message: u16,
}

/// A context proposed, and what became of it.
#[derive(Debug)]
struct Proposed {
    id: u8,
    sop_class: String,
    transfer_syntax: String,
    result: Reason,
}

/// Why a peer could not be talked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScuError {
    /// Nobody listens there.
    #[error("no connection to {address}: {reason}")]
    Connect {
        /// Where.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// The peer does not want the association.
    #[error("{called} rejected the association: {rejection}")]
    Rejected {
        /// Who.
        called: String,
        /// Why.
        rejection: Rejection,
    },
    /// The peer does not take such objects.
    #[error(
        "the peer does not accept SOP class {sop_class} in transfer syntax {transfer_syntax}: {reason}"
    )]
    Refused {
        /// Of which class.
        sop_class: String,
        /// Written how.
        transfer_syntax: String,
        /// Why.
        reason: String,
    },
    /// More contexts than an association can propose.
    #[error("{0} presentation contexts are more than {MAX_CONTEXTS}")]
    TooManyContexts(usize),
    /// The association cannot be described.
    #[error("{0}")]
    Encode(#[from] encode::EncodeError),
    /// The peer aborted.
    #[error("the peer aborted the association: {0}")]
    Aborted(Abort),
    /// The connection failed.
    #[error("{0}")]
    Wire(#[from] WireError),
    /// The peer answered something else than it was asked.
    #[error("the peer broke the protocol: {0}")]
    Violation(String),
    /// The data set to be sent could not be read.
    #[error("the data set cannot be read: {0}")]
    DataSet(String),
}

impl Scu {
    /// Associates with `called` at `address` (`host:port`), proposing a context for each pair of
    /// SOP class and transfer syntax: at most [`MAX_CONTEXTS`].
    pub async fn connect(
        address: &str,
        calling: &str,
        called: &str,
        contexts: &[(String, String)],
    ) -> Result<Self, ScuError> {
        let contexts = proposed(contexts)?;
        let request = encode::associate_request(request(calling, called, &contexts))?;
        let stream = open(address).await?;
        let mut wire = Wire::new(stream, MAX_PDU_BYTES, LONG_WAIT);
        wire.send(&request).await?;
        match wire.next(SHORT_WAIT).await? {
            Event::AssociateAccept(accept) => Ok(Self::accepted(wire, contexts, &accept)),
            Event::AssociateReject(rejection) => {
                wire.close().await;
                Err(ScuError::Rejected { called: called.to_owned(), rejection })
            }
            other => Err(unexpected(&other, "the association request")),
        }
    }

    fn accepted(
        wire: Wire<EagerStream>,
        mut contexts: Vec<Proposed>,
        accept: &AssociationAC,
    ) -> Self {
        for result in &accept.presentation_contexts {
            if let Some(context) = contexts.iter_mut().find(|context| context.id == result.id) {
                context.result = result.reason.clone();
            }
        }
        let peer_max = accept.user_variables.iter().find_map(|item| match item {
            UserVariableItem::MaxLength(bytes) => Some(*bytes),
            _ => None,
        });
        let value_bytes = encode::value_bytes(peer_max.unwrap_or(16 * 1024));
        Self { wire, assembler: Assembler::default(), contexts, value_bytes, message: 0 }
    }

    /// C-ECHO.
    pub async fn echo(&mut self) -> Result<Status, ScuError> {
        let find = |context: &&Proposed| context.sop_class == VERIFICATION;
        let context = accepted_id(self.contexts.iter().find(find), VERIFICATION, "any")?;
        let command = self.command(C_ECHO, VERIFICATION, NO_DATA_SET);
        let bytes = encode::command(context, &command.to_bytes(), self.value_bytes);
        self.wire.send(&bytes).await?;
        self.response(C_ECHO).await
    }

    /// C-STORE of a data set written in `transfer_syntax`. Memory does not grow with its length.
    /// An error means that the association cannot be used any more, but for [`ScuError::Refused`].
    pub async fn store(
        &mut self,
        sop_class: &str,
        sop_instance: &str,
        transfer_syntax: &str,
        data_set: &mut (impl AsyncRead + Unpin),
    ) -> Result<Status, ScuError> {
        let find = |context: &&Proposed| {
            context.sop_class == sop_class && context.transfer_syntax == transfer_syntax
        };
        let context = accepted_id(self.contexts.iter().find(find), sop_class, transfer_syntax)?;
        let command = self
            .command(C_STORE, sop_class, DATA_SET)
            .with_number(PRIORITY, 0)
            .with_uid(AFFECTED_SOP_INSTANCE, sop_instance);
        let mut out = encode::command(context, &command.to_bytes(), self.value_bytes);
        // Read one value ahead: only the last may say that it is.
        let mut value = read_value(data_set, self.value_bytes).await?;
        loop {
            let next = if value.len() == self.value_bytes {
                read_value(data_set, self.value_bytes).await?
            } else {
                Vec::new()
            };
            encode::put_data(&mut out, context, false, next.is_empty(), &value);
            self.send(&out).await?;
            if next.is_empty() {
                return self.response(C_STORE).await;
            }
            out.clear();
            value = next;
        }
    }

    /// Releases the association and closes the connection.
    pub async fn release(mut self) -> Result<(), ScuError> {
        self.wire.send(&encode::release_request()).await?;
        let answer = self.wire.next(SHORT_WAIT).await;
        self.wire.close().await;
        match answer {
            // Some peers just close: everything sent was answered before.
            Ok(Event::ReleaseResponse) | Err(WireError::Closed) => Ok(()),
            Ok(other) => Err(unexpected(&other, "the release request")),
            Err(error) => Err(error.into()),
        }
    }

    /// Breaks the association off.
    pub async fn abort(mut self) {
        let _ = self.wire.send(&encode::abort(Abort::BY_USER)).await;
        self.wire.close().await;
    }

    fn command(&mut self, field: u16, sop_class: &str, data_set_type: u16) -> CommandSet {
        self.message = self.message.wrapping_add(1);
        CommandSet::default()
            .with_uid(AFFECTED_SOP_CLASS, sop_class)
            .with_number(COMMAND_FIELD, field)
            .with_number(MESSAGE_ID, self.message)
            .with_number(DATA_SET_TYPE, data_set_type)
    }

    /// Sends; where that fails, what the peer said last tells more than the broken connection.
    async fn send(&mut self, bytes: &[u8]) -> Result<(), ScuError> {
        let Err(error) = self.wire.send(bytes).await else { return Ok(()) };
        match self.wire.next(LAST_WORDS_WAIT).await {
            Ok(Event::Abort(abort)) => Err(ScuError::Aborted(abort)),
            _ => Err(error.into()),
        }
    }

    async fn response(&mut self, field: u16) -> Result<Status, ScuError> {
        let response = loop {
            let piece = match self.wire.next(LONG_WAIT).await? {
                Event::Data(piece) => piece,
                other => return Err(unexpected(&other, "a command")),
            };
            match self.assembler.take(piece).map_err(violation)? {
                Some(Part::Command { command, .. }) => break command,
                Some(Part::Data { .. }) | None => {}
            }
        };
        let is_ours = response.number(COMMAND_FIELD) == Some(field | RESPONSE)
            && response.number(RESPONDED_TO) == Some(self.message);
        if !is_ours {
            return Err(ScuError::Violation("the response is to another message".to_owned()));
        }
        let code = response.expect_number(STATUS).map_err(|error| violation(error.into()))?;
        Ok(Status { code, comment: response.text(ERROR_COMMENT) })
    }
}

async fn open(address: &str) -> Result<EagerStream, ScuError> {
    let failed = |reason: String| ScuError::Connect { address: address.to_owned(), reason };
    let stream = timeout(SHORT_WAIT, TcpStream::connect(address))
        .await
        .map_err(|_| failed(format!("no answer within {} s", SHORT_WAIT.as_secs())))?
        .map_err(|error| failed(error.to_string()))?;
    EagerStream::new(stream).map_err(|error| failed(error.to_string()))
}

fn proposed(contexts: &[(String, String)]) -> Result<Vec<Proposed>, ScuError> {
    if contexts.len() > MAX_CONTEXTS {
        return Err(ScuError::TooManyContexts(contexts.len()));
    }
    let ids = (1..=u8::MAX).step_by(2);
    let propose = |((sop_class, transfer_syntax), id): (&(String, String), u8)| Proposed {
        id,
        sop_class: sop_class.clone(),
        transfer_syntax: transfer_syntax.clone(),
        result: Reason::NoReason,
    };
    Ok(contexts.iter().zip(ids).map(propose).collect())
}

fn request(calling: &str, called: &str, contexts: &[Proposed]) -> AssociationRQ {
    let propose = |context: &Proposed| PresentationContextProposed {
        id: context.id,
        abstract_syntax: context.sop_class.clone(),
        transfer_syntaxes: vec![context.transfer_syntax.clone()],
    };
    AssociationRQ {
        protocol_version: 1,
        calling_ae_title: calling.to_owned(),
        called_ae_title: called.to_owned(),
        application_context_name: APPLICATION_CONTEXT.to_owned(),
        presentation_contexts: contexts.iter().map(propose).collect(),
        user_variables: vec![
            UserVariableItem::MaxLength(MAX_PDU_BYTES),
            UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS.to_owned()),
            UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION.to_owned()),
        ],
    }
}

/// The id of a context, when it was proposed and accepted.
fn accepted_id(
    context: Option<&Proposed>,
    sop_class: &str,
    transfer_syntax: &str,
) -> Result<u8, ScuError> {
    let reason = match context {
        Some(Proposed { id, result: Reason::Acceptance, .. }) => return Ok(*id),
        Some(context) => context.result.to_string(),
        None => "it was not proposed".to_owned(),
    };
    Err(ScuError::Refused {
        sop_class: sop_class.to_owned(),
        transfer_syntax: transfer_syntax.to_owned(),
        reason,
    })
}

/// Up to `bytes` of the data set; fewer only at its end.
async fn read_value(
    data_set: &mut (impl AsyncRead + Unpin),
    bytes: usize,
) -> Result<Vec<u8>, ScuError> {
    let mut value = Vec::with_capacity(bytes);
    let failed = |error: io::Error| ScuError::DataSet(error.to_string());
    let limit = u64::try_from(bytes).unwrap_or(u64::MAX);
    data_set.take(limit).read_to_end(&mut value).await.map_err(failed)?;
    Ok(value)
}

fn unexpected(event: &Event, to: &str) -> ScuError {
    match event {
        Event::Abort(abort) => ScuError::Aborted(*abort),
        _ => ScuError::Violation(format!("no answer to {to}")),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "shaped for `map_err`")]
fn violation(error: MessageError) -> ScuError {
    ScuError::Violation(error.to_string())
}
