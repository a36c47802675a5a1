//! One association, from the request to the release (PS3.8 §7, §9.2): messages one after the other.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use std::time::Instant;

use dicom_ul::pdu::AbortRQServiceProviderReason;
use dicom_ul::pdu::AbortRQSource;
use dicom_ul::pdu::AssociationRJ;
use dicom_ul::pdu::Pdu;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::access::actor::Actor;
use crate::access::actor::Purpose;
use crate::access::permit::Permit;
use crate::access::permit::Subject;
use crate::archive::archive::Archive;
use crate::dimse::command::Command;
use crate::dimse::command::field;
use crate::dimse::listener::Settings;
use crate::dimse::message::Heard;
use crate::dimse::message::Joiner;
use crate::dimse::message::MessageError;
use crate::dimse::negotiate;
use crate::dimse::negotiate::Context;
use crate::dimse::negotiate::Rules;
use crate::dimse::pdu::Event;
use crate::dimse::pdu::PduError;
use crate::dimse::pdu::PduReader;
use crate::dimse::pdu::data_header;
use crate::dimse::pdu::encoded;
use crate::dimse::socket::Prompt;
use crate::dimse::status;
use crate::dimse::status::Status;
use crate::dimse::store::Sender;
use crate::dimse::store::Storing;

/// Why an association ended other than by release.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The peer said nothing for too long.
    #[error("the peer was silent too long")]
    Silent,
    /// The peer does not take what we send.
    #[error("the peer does not read")]
    Unread,
    /// The peer aborted, or closed the connection.
    #[error("the peer aborted")]
    Aborted,
    /// The archive is stopping.
    #[error("the archive is stopping")]
    Stopping,
    /// The request was rejected.
    #[error("the request was rejected")]
    Rejected,
    /// What the peer sent is no PDU.
    #[error("{0}")]
    Pdu(#[from] PduError),
    /// What the peer sent is no message.
    #[error("{0}")]
    Message(#[from] MessageError),
    /// What the peer sent may not come here.
    #[error("a PDU that may not come here")]
    Unexpected,
}

/// What an association did, for the log.
#[derive(Debug, Default)]
pub struct Tally {
    /// Calling AE title, once known.
    pub calling: String,
    /// Instances stored.
    pub stored: u64,
    /// Instances refused.
    pub refused: u64,
    /// Data set bytes received.
    pub bytes: u64,
}

/// One association.
pub struct Association {
    reader: PduReader<Prompt>,
    peer: SocketAddr,
    settings: Settings,
    archive: Archive,
    stop: CancellationToken,
    joiner: Joiner,
    /// What it did so far.
    pub tally: Tally,
}

impl std::fmt::Debug for Association {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Association").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// What was agreed, and who may do it.
struct Agreed {
    contexts: Vec<Context>,
    sender: Sender,
    permit: Option<Permit>,
    peer_max_pdu_bytes: Option<u32>,
}

impl Association {
    /// An association on a new connection.
    pub fn new(
        stream: TcpStream,
        peer: SocketAddr,
        settings: Settings,
        archive: Archive,
        stop: CancellationToken,
    ) -> std::io::Result<Self> {
        let reader = PduReader::new(Prompt::new(stream)?, settings.max_pdu_bytes);
        let (joiner, tally) = (Joiner::default(), Tally::default());
        Ok(Self { reader, peer, settings, archive, stop, joiner, tally })
    }

    /// Serves the association to its end; what goes wrong is answered with an abort.
    pub async fn serve(&mut self) -> Result<(), Ended> {
        let ended = match self.accept().await {
            Ok(agreed) => self.messages(&agreed).await,
            Err(ended) => Err(ended),
        };
        if let Err(error) = &ended
            && !matches!(error, Ended::Aborted | Ended::Rejected)
        {
            let _ = self.send(&abort(error)).await;
        }
        let _ = self.reader.io().shutdown().await;
        ended
    }

    /// Reads the request and answers it with a rejection.
    pub async fn reject(&mut self, rejection: AssociationRJ) -> Result<(), Ended> {
        let artim = Duration::from_secs(self.settings.artim_s.into());
        if let Ok(Ok(Event::Request(_))) = tokio::time::timeout(artim, self.reader.next()).await {
            self.send(&encoded(&Pdu::AssociationRJ(rejection))).await?;
        }
        let _ = self.reader.io().shutdown().await;
        Ok(())
    }

    async fn accept(&mut self) -> Result<Agreed, Ended> {
        // ARTIM: how long a connection may be open without a request (PS3.8 §9.1.5).
        let Event::Request(request) = self.next(self.settings.artim_s).await? else {
            return Err(Ended::Unexpected);
        };
        let calling = negotiate::trimmed(&request.calling_ae_title).to_owned();
        self.tally.calling.clone_from(&calling);
        let rules = Rules {
            ae_title: self.settings.ae_title.clone(),
            check_called_aet: self.settings.check_called_aet,
            max_pdu_bytes: self.settings.max_pdu_bytes,
        };
        let agreed = match negotiate::negotiate(&request, &rules) {
            Ok(agreed) => agreed,
            Err(rejection) => {
                self.send(&encoded(&Pdu::AssociationRJ(rejection))).await?;
                return Err(Ended::Rejected);
            }
        };
        self.send(&encoded(&Pdu::AssociationAC(agreed.answer))).await?;
        let actor = Actor::Node { ae_title: calling.clone(), address: Some(self.peer) };
        let permit = self.archive.access().permit(&actor, Purpose::Operation, Subject::Storing);
        Ok(Agreed {
            contexts: agreed.contexts,
            sender: Sender { ae_title: calling, address: self.peer },
            permit: permit.ok(),
            peer_max_pdu_bytes: agreed.peer_max_pdu_bytes,
        })
    }

    async fn messages(&mut self, agreed: &Agreed) -> Result<(), Ended> {
        loop {
            let stop = self.stop.clone();
            let event = tokio::select! {
                // Between two messages is where an association can be ended.
                () = stop.cancelled(), if !self.joiner.is_open() => return Err(Ended::Stopping),
                event = self.next(self.settings.idle_s) => event?,
            };
            match event {
                Event::Data(piece) => match self.joiner.take(piece)? {
                    Heard::More => {}
                    Heard::Command(context, command) => {
                        self.request(agreed, context, command).await?;
                    }
                    Heard::Data(_) => return Err(Ended::Unexpected),
                },
                Event::ReleaseRequest => return self.send(&encoded(&Pdu::ReleaseRP)).await,
                Event::Abort | Event::End => return Err(Ended::Aborted),
                _ => return Err(Ended::Unexpected),
            }
        }
    }

    /// Serves one request.
    async fn request(
        &mut self,
        agreed: &Agreed,
        context: u8,
        command: Command,
    ) -> Result<(), Ended> {
        let found = agreed.contexts.iter().find(|accepted| accepted.id == context);
        let Some(found) = found else { return Err(Ended::Unexpected) };
        let status = match (command.field, &agreed.permit) {
            (field::C_STORE_RQ, Some(permit)) if command.has_data_set => {
                let storing =
                    Storing::begin(&self.archive, permit, &agreed.sender, found, &command).await;
                self.receive(storing).await?
            }
            (field::C_STORE_RQ, Some(_)) => {
                Status::new(status::CANNOT_UNDERSTAND, "no data set follows")
            }
            (field::C_ECHO_RQ, _) => {
                self.pass_over(&command).await?;
                Status::success()
            }
            // Nothing here lasts long enough to be cancelled; responses were never asked for.
            (field::C_CANCEL_RQ, _) => return Ok(()),
            (other, _) if other & field::RESPONSE != 0 => return Err(Ended::Unexpected),
            (field::C_STORE_RQ, None) => {
                self.pass_over(&command).await?;
                Status::new(status::NOT_AUTHORIZED, "not authorized to store")
            }
            _ => {
                self.pass_over(&command).await?;
                Status::new(status::UNRECOGNIZED_OPERATION, "only C-ECHO and C-STORE are served")
            }
        };
        self.respond(agreed, context, command, status).await
    }

    /// Receives a data set to its end.
    async fn receive(&mut self, mut storing: Storing) -> Result<Status, Ended> {
        while self.joiner.is_open() {
            let piece = self.data().await?;
            if !piece.is_empty() {
                storing.write(piece).await;
            }
        }
        let (status, bytes) = storing.finish().await;
        self.tally.bytes += bytes;
        if status.code == status::SUCCESS {
            self.tally.stored += 1;
        } else {
            self.tally.refused += 1;
        }
        Ok(status)
    }

    /// Reads a data set nobody wants.
    async fn pass_over(&mut self, command: &Command) -> Result<(), Ended> {
        while command.has_data_set && self.joiner.is_open() {
            self.data().await?;
        }
        Ok(())
    }

    /// The next bytes of the data set that is being received.
    async fn data(&mut self) -> Result<bytes::Bytes, Ended> {
        match self.next(self.settings.read_timeout_s).await? {
            Event::Data(piece) => match self.joiner.take(piece)? {
                Heard::Data(piece) => Ok(piece.bytes),
                Heard::More | Heard::Command(..) => Err(Ended::Unexpected),
            },
            Event::Abort | Event::End => Err(Ended::Aborted),
            _ => Err(Ended::Unexpected),
        }
    }

    async fn respond(
        &mut self,
        agreed: &Agreed,
        context: u8,
        request: Command,
        status: Status,
    ) -> Result<(), Ended> {
        let response = Command {
            field: request.field | field::RESPONSE,
            responded_to: request.message_id,
            sop_class: request.sop_class,
            sop_instance: request.sop_instance,
            status: Some(status.code),
            comment: status.comment,
            has_data_set: false,
            ..Command::default()
        };
        let bytes = response.to_bytes();
        // A value's header takes six bytes of the PDU (PS3.8 §9.3.5.1).
        let most = agreed.peer_max_pdu_bytes.map_or(usize::MAX, |max| {
            usize::try_from(max).unwrap_or(usize::MAX).saturating_sub(6).max(1)
        });
        let mut out = Vec::with_capacity(bytes.len() + 12);
        let mut pieces = bytes.chunks(most).peekable();
        while let Some(piece) = pieces.next() {
            let header = data_header(context, true, pieces.peek().is_none(), piece.len());
            out.extend_from_slice(&header.ok_or(Ended::Unexpected)?);
            out.extend_from_slice(piece);
        }
        self.send(&out).await
    }

    async fn next(&mut self, within_s: u32) -> Result<Event, Ended> {
        let within = Duration::from_secs(within_s.into());
        match tokio::time::timeout(within, self.reader.next()).await {
            Ok(event) => Ok(event?),
            Err(_) => Err(Ended::Silent),
        }
    }

    fn send<'a>(
        &'a mut self,
        bytes: &'a [u8],
    ) -> impl Future<Output = Result<(), Ended>> + Send + 'a {
        let within = Duration::from_secs(self.settings.read_timeout_s.into());
        async move {
            match tokio::time::timeout(within, self.reader.io().write_all(bytes)).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(PduError::Io(error).into()),
                Err(_) => Err(Ended::Unread),
            }
        }
    }
}

/// The A-ABORT that fits what went wrong (PS3.8 §9.3.8).
fn abort(ended: &Ended) -> Vec<u8> {
    let reason = match ended {
        Ended::Unexpected | Ended::Message(_) => AbortRQServiceProviderReason::UnexpectedPdu,
        Ended::Pdu(PduError::Unknown(_)) => AbortRQServiceProviderReason::UnrecognizedPdu,
        Ended::Pdu(_) => AbortRQServiceProviderReason::InvalidPduParameter,
        Ended::Silent | Ended::Unread | Ended::Aborted | Ended::Stopping | Ended::Rejected => {
            AbortRQServiceProviderReason::ReasonNotSpecified
        }
    };
    encoded(&Pdu::AbortRQ { source: AbortRQSource::ServiceProvider(reason) })
}

/// One line for the log at the end of an association.
pub fn log(tally: &Tally, peer: SocketAddr, begun: Instant, ended: &Result<(), Ended>) {
    let ms = begun.elapsed().as_millis();
    let Tally { calling, stored, refused, bytes } = tally;
    let result = match ended {
        Ok(()) => "released".to_owned(),
        Err(ended) => ended.to_string(),
    };
    tracing::info!(calling, peer = %peer.ip(), stored, refused, bytes, ms, result, "association ended");
}
