//! The client side: an association to another node, C-ECHO and C-STORE over it.

use std::time::Duration;

use dicom_ul::pdu::AssociationAC;
use dicom_ul::pdu::AssociationRJ;
use dicom_ul::pdu::AssociationRQ;
use dicom_ul::pdu::Pdu;
use dicom_ul::pdu::PresentationContextProposed;
use dicom_ul::pdu::PresentationContextResultReason;
use dicom_ul::pdu::UserVariableItem;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::dicom::part10::IMPLEMENTATION_CLASS;
use crate::dicom::part10::IMPLEMENTATION_VERSION;
use crate::dimse::command::Command;
use crate::dimse::command::field;
use crate::dimse::message::Heard;
use crate::dimse::message::Joiner;
use crate::dimse::message::MessageError;
use crate::dimse::negotiate::APPLICATION_CONTEXT;
use crate::dimse::negotiate::Context;
use crate::dimse::negotiate::VERIFICATION;
use crate::dimse::negotiate::trimmed;
use crate::dimse::pdu::Event;
use crate::dimse::pdu::PduError;
use crate::dimse::pdu::PduReader;
use crate::dimse::pdu::data_header;
use crate::dimse::pdu::encoded;
use crate::dimse::socket::Prompt;
use crate::dimse::status::Status;

/// The longest P-DATA-TF we send and take.
const MAX_PDU_BYTES: u32 = 256 * 1024;

/// How long the other side may be silent.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Why the other side could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ScuError {
    /// No connection.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Where to.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The association was rejected.
    #[error("association rejected: {0}")]
    Rejected(String),
    /// No presentation context accepted for a SOP class and transfer syntax.
    #[error(
        "the other side does not take SOP class {sop_class} in transfer syntax {transfer_syntax}"
    )]
    NotAccepted {
        /// SOP class.
        sop_class: String,
        /// Transfer syntax.
        transfer_syntax: String,
    },
    /// More presentation contexts than an association can have.
    #[error("{0} presentation contexts are more than an association can have")]
    TooManyContexts(usize),
    /// The other side aborted or closed the connection.
    #[error("the other side aborted")]
    Aborted,
    /// The other side was silent too long.
    #[error("the other side was silent for {} s", TIMEOUT.as_secs())]
    Silent,
    /// What came is no answer.
    #[error("the other side answered with something else")]
    Unexpected,
    /// The connection broke, or what came is no PDU.
    #[error("{0}")]
    Pdu(#[from] PduError),
    /// What came is no message.
    #[error("{0}")]
    Message(#[from] MessageError),
    /// The data set to be sent cannot be read.
    #[error("data set cannot be read: {0}")]
    DataSet(std::io::Error),
}

/// An association to another node, ours to send over.
#[derive(Debug)]
pub struct Scu {
    reader: PduReader<Prompt>,
    contexts: Vec<Context>,
    /// The most bytes of one value, its header left out.
    value_bytes: usize,
    message_id: u16,
}

impl Scu {
    /// Opens an association that proposes each (SOP class, transfer syntax) in a context of its own.
    pub async fn connect(
        address: &str,
        calling: &str,
        called: &str,
        contexts: &[(String, String)],
    ) -> Result<Self, ScuError> {
        let connecting = tokio::time::timeout(TIMEOUT, TcpStream::connect(address)).await;
        let failed = |source| ScuError::Connect { address: address.to_owned(), source };
        let stream = connecting.map_err(|_| ScuError::Silent)?.map_err(failed)?;
        let stream = Prompt::new(stream).map_err(failed)?;
        let mut scu = Self {
            reader: PduReader::new(stream, MAX_PDU_BYTES),
            contexts: Vec::new(),
            value_bytes: 0,
            message_id: 0,
        };
        let request = request(calling, called, contexts)?;
        scu.send(&encoded(&Pdu::AssociationRQ(request))).await?;
        match scu.next().await? {
            Event::Accept(accept) => scu.agree(&accept, contexts),
            Event::Reject(rejection) => return Err(ScuError::Rejected(in_words(&rejection))),
            Event::Abort | Event::End => return Err(ScuError::Aborted),
            _ => return Err(ScuError::Unexpected),
        }
        Ok(scu)
    }

    fn agree(&mut self, accept: &AssociationAC, proposed: &[(String, String)]) {
        let accepted = accept
            .presentation_contexts
            .iter()
            .filter(|context| context.reason == PresentationContextResultReason::Acceptance);
        self.contexts = accepted
            .filter_map(|context| {
                let (sop_class, _) = proposed.get(usize::from(context.id) / 2)?;
                Some(Context {
                    id: context.id,
                    abstract_syntax: sop_class.clone(),
                    transfer_syntax: trimmed(&context.transfer_syntax).to_owned(),
                })
            })
            .collect();
        let peer_max = accept.user_variables.iter().find_map(|item| match item {
            UserVariableItem::MaxLength(bytes) if *bytes > 0 => Some(*bytes),
            _ => None,
        });
        let pdu = peer_max.unwrap_or(MAX_PDU_BYTES).min(MAX_PDU_BYTES);
        self.value_bytes = usize::try_from(pdu).unwrap_or(0).saturating_sub(6).max(2) & !1;
    }

    /// C-ECHO: the other side's status.
    pub async fn echo(&mut self) -> Result<Status, ScuError> {
        let context = self.context(VERIFICATION, None)?;
        let request = Command {
            field: field::C_ECHO_RQ,
            sop_class: Some(VERIFICATION.to_owned()),
            ..self.request()
        };
        self.send_value(context, true, &request.to_bytes()).await?;
        self.response().await
    }

    /// C-STORE: sends a data set as it is read; the other side's status.
    pub async fn store(
        &mut self,
        sop_class: &str,
        sop_instance: &str,
        transfer_syntax: &str,
        data_set: &mut (impl AsyncRead + Unpin),
    ) -> Result<Status, ScuError> {
        let context = self.context(sop_class, Some(transfer_syntax))?;
        let request = Command {
            field: field::C_STORE_RQ,
            sop_class: Some(sop_class.to_owned()),
            sop_instance: Some(sop_instance.to_owned()),
            has_data_set: true,
            ..self.request()
        };
        self.send_value(context, true, &request.to_bytes()).await?;
        self.send_data_set(context, data_set).await?;
        self.response().await
    }

    /// Ends the association.
    pub async fn release(mut self) -> Result<(), ScuError> {
        self.send(&encoded(&Pdu::ReleaseRQ)).await?;
        match self.next().await? {
            Event::ReleaseReply | Event::End => Ok(()),
            _ => Err(ScuError::Aborted),
        }
    }

    fn request(&mut self) -> Command {
        self.message_id = self.message_id.wrapping_add(1);
        Command { message_id: self.message_id, ..Command::default() }
    }

    fn context(&self, sop_class: &str, transfer_syntax: Option<&str>) -> Result<u8, ScuError> {
        let fits = |context: &&Context| {
            context.abstract_syntax == sop_class
                && transfer_syntax.is_none_or(|syntax| context.transfer_syntax == syntax)
        };
        let found = self.contexts.iter().find(fits).map(|context| context.id);
        found.ok_or_else(|| ScuError::NotAccepted {
            sop_class: sop_class.to_owned(),
            transfer_syntax: transfer_syntax.unwrap_or("any").to_owned(),
        })
    }

    /// Sends a data set in as long values as the other side takes, reading one ahead to know the last.
    async fn send_data_set(
        &mut self,
        context: u8,
        data_set: &mut (impl AsyncRead + Unpin),
    ) -> Result<(), ScuError> {
        let mut piece = self.read_piece(data_set).await?;
        loop {
            let next = self.read_piece(data_set).await?;
            let last = next.is_empty();
            self.send_piece(context, false, last, &piece).await?;
            if last {
                return Ok(());
            }
            piece = next;
        }
    }

    async fn read_piece(&self, from: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, ScuError> {
        let mut piece = Vec::with_capacity(self.value_bytes);
        let mut limited = from.take(self.value_bytes as u64);
        limited.read_to_end(&mut piece).await.map_err(ScuError::DataSet)?;
        Ok(piece)
    }

    async fn send_value(
        &mut self,
        context: u8,
        command: bool,
        bytes: &[u8],
    ) -> Result<(), ScuError> {
        let mut pieces = bytes.chunks(self.value_bytes.max(1)).peekable();
        while let Some(piece) = pieces.next() {
            self.send_piece(context, command, pieces.peek().is_none(), piece).await?;
        }
        Ok(())
    }

    async fn send_piece(
        &mut self,
        context: u8,
        command: bool,
        last: bool,
        bytes: &[u8],
    ) -> Result<(), ScuError> {
        let header = data_header(context, command, last, bytes.len());
        self.send(&header.ok_or(ScuError::Unexpected)?).await?;
        self.send(bytes).await
    }

    async fn response(&mut self) -> Result<Status, ScuError> {
        let mut joiner = Joiner::default();
        loop {
            let piece = match self.next().await? {
                Event::Data(piece) => piece,
                Event::Abort | Event::End => return Err(ScuError::Aborted),
                _ => return Err(ScuError::Unexpected),
            };
            match joiner.take(piece)? {
                Heard::More => {}
                Heard::Command(_, response) => {
                    let code = response.status.ok_or(ScuError::Unexpected)?;
                    return Ok(Status { code, comment: response.comment });
                }
                Heard::Data(_) => return Err(ScuError::Unexpected),
            }
        }
    }

    async fn next(&mut self) -> Result<Event, ScuError> {
        let event = tokio::time::timeout(TIMEOUT, self.reader.next()).await;
        Ok(event.map_err(|_| ScuError::Silent)??)
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), ScuError> {
        let sent = tokio::time::timeout(TIMEOUT, self.reader.io().write_all(bytes)).await;
        sent.map_err(|_| ScuError::Silent)?.map_err(|error| PduError::Io(error).into())
    }
}

fn request(
    calling: &str,
    called: &str,
    contexts: &[(String, String)],
) -> Result<AssociationRQ, ScuError> {
    let proposed = contexts.iter().enumerate().map(|(n, (sop_class, transfer_syntax))| {
        // Odd numbers from 1 to 255 (PS3.8 §9.3.2.2).
        let id = n.checked_mul(2)?.checked_add(1).and_then(|id| u8::try_from(id).ok())?;
        Some(PresentationContextProposed {
            id,
            abstract_syntax: sop_class.clone(),
            transfer_syntaxes: vec![transfer_syntax.clone()],
        })
    });
    let proposed: Option<Vec<_>> = proposed.collect();
    Ok(AssociationRQ {
        protocol_version: 1,
        calling_ae_title: calling.to_owned(),
        called_ae_title: called.to_owned(),
        application_context_name: APPLICATION_CONTEXT.to_owned(),
        presentation_contexts: proposed.ok_or(ScuError::TooManyContexts(contexts.len()))?,
        user_variables: vec![
            UserVariableItem::MaxLength(MAX_PDU_BYTES),
            UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS.to_owned()),
            UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION.to_owned()),
        ],
    })
}

fn in_words(rejection: &AssociationRJ) -> String {
    use dicom_ul::pdu::AssociationRJSource as Source;
    match &rejection.source {
        Source::ServiceUser(reason) => reason.to_string(),
        Source::ServiceProviderASCE(reason) => reason.to_string(),
        Source::ServiceProviderPresentation(reason) => format!("{reason}; try again later"),
    }
}
