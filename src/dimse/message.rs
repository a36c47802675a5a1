//! Messages (PS3.7 §6.3, §9): a command set, then the pieces of its data set.

use crate::dimse::command::Command;
use crate::dimse::command::CommandError;
use crate::dimse::command::MAX_BYTES;
use crate::dimse::pdu::Piece;

/// What a piece adds to the message that is being received.
#[derive(Debug)]
pub enum Heard {
    /// Part of a command set; more is to come.
    More,
    /// A command set, whole, in this presentation context.
    Command(u8, Command),
    /// A piece of the data set of the last command.
    Data(Piece),
}

/// Why the pieces make no message; the association is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The command set cannot be read.
    #[error("{0}")]
    Command(#[from] CommandError),
    /// The command set is longer than any is.
    #[error("the command set is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// A piece of a command where one of a data set must be, or in another context.
    #[error("pieces of two messages are mixed")]
    Mixed,
    /// A piece of a data set without a command that announced it.
    #[error("a data set without a command")]
    NoCommand,
}

/// Joins pieces to messages.
#[derive(Debug, Default)]
pub struct Joiner {
    command: Vec<u8>,
    /// The context of the command that is being received.
    receiving: Option<u8>,
    /// The context whose data set is being received.
    data_set: Option<u8>,
}

impl Joiner {
    /// Takes a piece.
    pub fn take(&mut self, piece: Piece) -> Result<Heard, MessageError> {
        if !piece.command {
            return match self.data_set {
                Some(context) if context == piece.context => {
                    self.data_set = (!piece.last).then_some(context);
                    Ok(Heard::Data(piece))
                }
                Some(_) => Err(MessageError::Mixed),
                None => Err(MessageError::NoCommand),
            };
        }
        let other = self.receiving.is_some_and(|context| context != piece.context);
        if other || self.data_set.is_some() {
            return Err(MessageError::Mixed);
        }
        if self.command.len() + piece.bytes.len() > MAX_BYTES {
            return Err(MessageError::TooLong);
        }
        self.receiving = Some(piece.context);
        self.command.extend_from_slice(&piece.bytes);
        if !piece.last {
            return Ok(Heard::More);
        }
        let command = Command::parse(&std::mem::take(&mut self.command))?;
        self.receiving = None;
        self.data_set = command.has_data_set.then_some(piece.context);
        Ok(Heard::Command(piece.context, command))
    }

    /// Whether a message is under way.
    pub fn is_open(&self) -> bool {
        self.receiving.is_some() || self.data_set.is_some()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Heard, Joiner, MessageError, Piece};
    use crate::dimse::command::{Command, field};

    fn piece(context: u8, command: bool, last: bool, bytes: &[u8]) -> Piece {
        Piece { context, command, last, bytes: Bytes::copy_from_slice(bytes) }
    }

    #[test]
    fn a_command_in_single_bytes_is_joined_and_its_data_follows() {
        let command =
            Command { field: field::C_STORE_RQ, has_data_set: true, ..Command::default() };
        let bytes = command.to_bytes();
        let mut joiner = Joiner::default();
        for (n, byte) in bytes.iter().enumerate() {
            let heard = joiner.take(piece(1, true, n + 1 == bytes.len(), &[*byte])).unwrap();
            assert_eq!(matches!(heard, Heard::Command(1, _)), n + 1 == bytes.len());
        }
        assert!(matches!(joiner.take(piece(1, false, false, b"ab")), Ok(Heard::Data(_))));
        assert!(joiner.is_open());
        assert_eq!(joiner.take(piece(3, false, true, b"")).unwrap_err(), MessageError::Mixed);
        assert!(matches!(joiner.take(piece(1, false, true, b"")), Ok(Heard::Data(_))));
        assert!(!joiner.is_open());
        assert_eq!(joiner.take(piece(1, false, true, b"")).unwrap_err(), MessageError::NoCommand);
    }
}
