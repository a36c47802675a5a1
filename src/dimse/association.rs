//! An association from its first byte to its last, on the accepting side (PS3.8 §9.2).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::archive::archive::Archive;
use crate::dimse::command::C_CANCEL;
use crate::dimse::command::C_ECHO;
use crate::dimse::command::C_STORE;
use crate::dimse::command::COMMAND_FIELD;
use crate::dimse::command::CommandSet;
use crate::dimse::command::RESPONSE;
use crate::dimse::echo;
use crate::dimse::encode;
use crate::dimse::end::End;
use crate::dimse::end::count;
use crate::dimse::end::note_unopened;
use crate::dimse::end::unexpected;
use crate::dimse::message::Assembler;
use crate::dimse::message::MessageError;
use crate::dimse::message::Part;
use crate::dimse::negotiate::Accepted;
use crate::dimse::negotiate::Answer;
use crate::dimse::negotiate::Context;
use crate::dimse::negotiate::Rules;
use crate::dimse::negotiate::answer;
use crate::dimse::pdu::Event;
use crate::dimse::pdu::Piece;
use crate::dimse::refusal::Abort;
use crate::dimse::refusal::Rejection;
use crate::dimse::status::Status;
use crate::dimse::status::UNRECOGNISED_OPERATION;
use crate::dimse::store;
use crate::dimse::waiting::Waiting;
use crate::dimse::wire::Wire;

/// What all associations of a listener share.
#[derive(Debug)]
pub struct Door {
    /// Where objects go.
    pub archive: Archive,
    /// Our own AE title.
    pub ae_title: String,
    /// What is accepted.
    pub rules: Rules,
    /// How long is waited.
    pub timers: Timers,
    /// One permit an association.
    pub associations: Arc<Semaphore>,
    /// Finish the message under way, then end.
    pub stop: CancellationToken,
    /// End now.
    pub cut: CancellationToken,
}

/// How long peers are waited for.
#[derive(Debug, Clone, Copy)]
pub struct Timers {
    /// For the whole A-ASSOCIATE-RQ (ARTIM, PS3.8 §9.1.5).
    pub artim: Duration,
    /// For the next message.
    pub idle: Duration,
    /// For the next bytes inside a message, and for what we send to be taken.
    pub stall: Duration,
}

/// A conversation with an accepted peer.
#[derive(Debug)]
pub struct Association<S> {
    wire: Wire<S>,
    assembler: Assembler,
    timers: Timers,
    value_bytes: usize,
    /// What was agreed.
    pub(in crate::dimse) accepted: Accepted,
    /// Where the peer is.
    pub(in crate::dimse) peer: SocketAddr,
    /// What it has done so far.
    pub(in crate::dimse) tally: Tally,
}

/// What an association has done.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::dimse) struct Tally {
    /// Objects answered with success.
    pub(in crate::dimse) stored: u64,
    /// Objects answered with another status.
    pub(in crate::dimse) refused: u64,
    /// Bytes of their data sets.
    pub(in crate::dimse) bytes: u64,
}

/// Serves a connection until it ends; it is `waiting` until it has asked for an association.
pub(in crate::dimse) async fn serve<S>(stream: S, peer: SocketAddr, waiting: Waiting, door: &Door)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut wire = Wire::new(stream, door.rules.max_pdu_bytes, door.timers.stall);
    let (accepted, permit) = match greet(&mut wire, waiting, door).await {
        Ok(greeted) => greeted,
        Err(end) => {
            note_unopened(&end, peer);
            part(wire, &end, false).await;
            return;
        }
    };
    wire.expect_data_sets();
    let mut association = Association {
        wire,
        assembler: Assembler::default(),
        timers: door.timers,
        value_bytes: encode::value_bytes(accepted.peer_max_bytes),
        accepted,
        peer,
        tally: Tally::default(),
    };
    let began = Instant::now();
    let end = {
        let _active = Active::begin();
        tokio::select! {
            end = association.converse(door) => end,
            () = door.cut.cancelled() => End::Stopped,
        }
    };
    association.note_end(&end, began.elapsed());
    drop(permit);
    part(association.wire, &end, true).await;
}

/// Reads the request and answers it.
async fn greet<S>(
    wire: &mut Wire<S>,
    waiting: Waiting,
    door: &Door,
) -> Result<(Accepted, OwnedSemaphorePermit), End>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let artim = door.timers.artim;
    let first = tokio::select! {
        first = timeout(artim, wire.next(artim)) => first.map_err(|_| End::Silent)??,
        () = door.stop.cancelled() => return Err(End::Stopped),
        () = waiting.pushed_out() => return Err(End::PushedOut),
    };
    drop(waiting);
    let request = match first {
        Event::AssociateRequest(request) => request,
        other => return Err(unexpected(&other)),
    };
    let accepted = match answer(&request, &door.rules) {
        Answer::Accept(accepted) => accepted,
        Answer::Reject(rejection) => return Err(End::Rejected(rejection)),
        Answer::Abort(abort) => {
            let reason = "presentation context ids are even or repeated";
            return Err(End::Violation(abort, reason.to_owned()));
        }
    };
    // Only who has made a request counts: silent connections keep nobody out.
    let permit = Arc::clone(&door.associations).try_acquire_owned();
    let permit = permit.map_err(|_| End::Rejected(Rejection::LIMIT_EXCEEDED))?;
    let reply = encode::associate_accept(accepted.reply.clone())
        .map_err(|error| End::Violation(Abort::INVALID_PARAMETER, error.to_string()))?;
    wire.send(&reply).await?;
    if accepted.called != door.ae_title {
        let (calling, called) = (&accepted.calling, &accepted.called);
        tracing::info!(calling, called, "accepted under another called ae title");
    }
    Ok((*accepted, permit))
}

/// Says what is still to be said, and closes. Before an association is `open` a timer that runs
/// out ends the connection at once and without a word (PS3.8 §9.2, AA-2).
async fn part<S>(mut wire: Wire<S>, end: &End, open: bool)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let abort = match end {
        End::Rejected(rejection) => {
            let _ = wire.send(&encode::associate_reject(*rejection)).await;
            None
        }
        End::Violation(abort, _) => Some(*abort),
        End::Silent if open => Some(Abort::UNSPECIFIED),
        End::Stopped if open => Some(Abort::BY_USER),
        End::Released
        | End::Aborted(_)
        | End::Closed
        | End::Silent
        | End::Broken
        | End::Stopped
        | End::PushedOut => None,
    };
    if !open && matches!(end, End::Silent | End::PushedOut) {
        return;
    }
    if let Some(abort) = abort {
        // The association is over whether or not this arrives.
        let _ = wire.send(&encode::abort(abort)).await;
    }
    wire.close().await;
}

impl<S> Association<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    async fn converse(&mut self, door: &Door) -> End {
        loop {
            if let Err(end) = self.answer_message(door).await {
                return end;
            }
        }
    }

    /// Serves one message.
    async fn answer_message(&mut self, door: &Door) -> Result<(), End> {
        let (context, command) = self.next_command(door).await?;
        let found = self.accepted.contexts.iter().find(|accepted| accepted.id == context);
        let Some(context) = found.cloned() else {
            let reason = format!("presentation context {context} was not accepted");
            return Err(End::Violation(Abort::INVALID_PARAMETER, reason));
        };
        match command.expect_number(COMMAND_FIELD).map_err(MessageError::Command)? {
            C_STORE => store::serve(self, &context, &command, door).await,
            C_ECHO => echo::serve(self, &context, &command).await,
            // Nothing we serve can be cancelled, and a cancel is not answered (PS3.7 §9.3.2.3).
            C_CANCEL => Ok(()),
            field if field & RESPONSE != 0 => {
                let reason = format!("a response ({field:04X}H) to nothing we asked");
                Err(End::Violation(Abort::UNEXPECTED_PDU, reason))
            }
            field => self.decline(&context, &command, field).await,
        }
    }

    /// Answers an operation we do not serve.
    async fn decline(
        &mut self,
        context: &Context,
        command: &CommandSet,
        field: u16,
    ) -> Result<(), End> {
        if command.has_data_set().map_err(MessageError::Command)? {
            while !self.next_data().await?.1 {}
        }
        let reason = format!("command {field:04X}H is not served on this context");
        self.respond(context, command, &Status::new(UNRECOGNISED_OPERATION, &reason)).await
    }

    /// Waits for the next command; a request to stop or to release ends the wait.
    async fn next_command(&mut self, door: &Door) -> Result<(u8, CommandSet), End> {
        if door.stop.is_cancelled() {
            return Err(End::Stopped);
        }
        let first = tokio::select! {
            first = self.wire.next(self.timers.idle) => first?,
            () = door.stop.cancelled() => return Err(End::Stopped),
        };
        match first {
            Event::Data(piece) => {
                // However small its pieces: a command takes no longer than a stall.
                let whole = timeout(self.timers.stall, self.rest_of_command(piece)).await;
                whole.map_err(|_| End::Silent)?
            }
            Event::ReleaseRequest => {
                self.wire.send(&encode::release_response()).await?;
                Err(End::Released)
            }
            other => Err(unexpected(&other)),
        }
    }

    async fn rest_of_command(&mut self, first: Piece) -> Result<(u8, CommandSet), End> {
        let mut piece = first;
        loop {
            if let Some(Part::Command { context, command }) = self.assembler.take(piece)? {
                return Ok((context, command));
            }
            piece = self.next_piece().await?;
        }
    }

    /// The next bytes of the data set under way, and whether it ends with them. To be called until
    /// it does.
    pub(in crate::dimse) async fn next_data(&mut self) -> Result<(Bytes, bool), End> {
        loop {
            let piece = self.next_piece().await?;
            if let Some(Part::Data { bytes, ends }) = self.assembler.take(piece)? {
                return Ok((bytes, ends));
            }
        }
    }

    async fn next_piece(&mut self) -> Result<Piece, End> {
        match self.wire.next(self.timers.stall).await? {
            Event::Data(piece) => Ok(piece),
            other => Err(unexpected(&other)),
        }
    }

    /// Sends the response to a command.
    pub(in crate::dimse) async fn respond(
        &mut self,
        context: &Context,
        command: &CommandSet,
        status: &Status,
    ) -> Result<(), End> {
        let response = command.response(status).map_err(MessageError::Command)?;
        let bytes = encode::command(context.id, &response.to_bytes(), self.value_bytes);
        Ok(self.wire.send(&bytes).await?)
    }

    fn note_end(&self, end: &End, lasted: Duration) {
        let Tally { stored, refused, bytes } = self.tally;
        let (calling, called) = (&self.accepted.calling, &self.accepted.called);
        let ended = end.label();
        count(ended);
        let (ms, peer) = (lasted.as_millis(), self.peer.ip());
        if let End::Violation(_, reason) = end {
            tracing::warn!(
                %peer, calling, called, stored, refused, bytes, ms, ended, reason,
                "association ended"
            );
        } else {
            tracing::info!(
                %peer, calling, called, stored, refused, bytes, ms, ended,
                "association ended"
            );
        }
    }
}

/// Counts an open association while it lives.
struct Active;

impl Active {
    fn begin() -> Self {
        metrics::gauge!("lastra_dicom_associations_active").increment(1.0);
        Self
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        metrics::gauge!("lastra_dicom_associations_active").decrement(1.0);
    }
}
