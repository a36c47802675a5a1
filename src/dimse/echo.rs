//! C-ECHO: are you there? (PS3.7 §9.1.5, PS3.4 §A).

use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;

use crate::dimse::association::Association;
use crate::dimse::command::CommandSet;
use crate::dimse::end::End;
use crate::dimse::message::MessageError;
use crate::dimse::negotiate::Context;
use crate::dimse::status::Status;

/// Answers a C-ECHO, on whatever context it comes: who asks whether we are there is told so.
pub(in crate::dimse) async fn serve<S>(
    association: &mut Association<S>,
    context: &Context,
    command: &CommandSet,
) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    // It has no data set; one that comes all the same is not taken for the next message.
    if command.has_data_set().map_err(MessageError::Command)? {
        while !association.next_data().await?.1 {}
    }
    association.respond(context, command, &Status::success()).await
}
