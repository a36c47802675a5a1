//! Messages from pieces: joins the command set, hands the data set on, and holds peers to the
//! order PS3.8 §E.1 prescribes: command set first, then data set, both on one context.

use bytes::Bytes;
use bytes::BytesMut;

use crate::dimse::command::CommandError;
use crate::dimse::command::CommandSet;
use crate::dimse::command::MAX_BYTES;
use crate::dimse::pdu::Piece;

/// Part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The whole command set.
    Command {
        /// The presentation context it came on.
        context: u8,
        /// It.
        command: CommandSet,
    },
    /// The next bytes of the data set the last command announced.
    Data {
        /// They; may be none.
        bytes: Bytes,
        /// Whether the data set ends with them.
        ends: bool,
    },
}

/// Why pieces make no message; the association cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// A data set where a command set must come.
    #[error("a data set came on context {0} without a command that announced it")]
    Unannounced(u8),
    /// A command set where the rest of a data set must come.
    #[error("a command set came on context {0} inside a data set")]
    Interrupted(u8),
    /// A piece on another context than the message's.
    #[error("a message that began on context {began} goes on on context {came}")]
    OtherContext {
        /// Where the message began.
        began: u8,
        /// Where this piece came.
        came: u8,
    },
    /// The command set cannot be obeyed.
    #[error("{0}")]
    Command(#[from] CommandError),
}

/// Joins pieces into messages. Holds at most [`MAX_BYTES`].
#[derive(Debug, Default)]
pub struct Assembler {
    expected: Expected,
    command: BytesMut,
}

/// What the next piece must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Expected {
    /// The first of a command set, on any context.
    #[default]
    Command,
    /// The rest of a command set.
    RestOfCommand(u8),
    /// The rest of a data set.
    Data(u8),
}

impl Assembler {
    /// Takes a piece; `None` while a command set is incomplete.
    pub fn take(&mut self, piece: Piece) -> Result<Option<Part>, MessageError> {
        let Piece { context, command, bytes, ends } = piece;
        match (self.expected, command) {
            (Expected::RestOfCommand(began) | Expected::Data(began), _) if began != context => {
                Err(MessageError::OtherContext { began, came: context })
            }
            (Expected::Command | Expected::RestOfCommand(_), false) => {
                Err(MessageError::Unannounced(context))
            }
            (Expected::Data(_), true) => Err(MessageError::Interrupted(context)),
            (Expected::Data(_), false) => {
                if ends {
                    self.expected = Expected::Command;
                }
                Ok(Some(Part::Data { bytes, ends }))
            }
            (Expected::Command | Expected::RestOfCommand(_), true) => {
                self.take_command(context, &bytes, ends)
            }
        }
    }

    fn take_command(
        &mut self,
        context: u8,
        bytes: &[u8],
        ends: bool,
    ) -> Result<Option<Part>, MessageError> {
        if self.command.len() + bytes.len() > MAX_BYTES {
            return Err(CommandError::TooLong.into());
        }
        self.command.extend_from_slice(bytes);
        self.expected = Expected::RestOfCommand(context);
        if !ends {
            return Ok(None);
        }
        let command = CommandSet::parse(&self.command.split().freeze())?;
        let has_data_set = command.has_data_set()?;
        self.expected = if has_data_set { Expected::Data(context) } else { Expected::Command };
        Ok(Some(Part::Command { context, command }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dimse::command::C_STORE;
    use crate::dimse::command::COMMAND_FIELD;
    use crate::dimse::command::DATA_SET;
    use crate::dimse::command::DATA_SET_TYPE;
    use crate::dimse::command::NO_DATA_SET;

    fn command(data_set_type: u16) -> Vec<u8> {
        let command = CommandSet::default()
            .with_number(COMMAND_FIELD, C_STORE)
            .with_number(DATA_SET_TYPE, data_set_type);
        command.to_bytes()
    }

    fn piece(context: u8, command: bool, bytes: &[u8], ends: bool) -> Piece {
        Piece { context, command, bytes: Bytes::copy_from_slice(bytes), ends }
    }

    #[test]
    fn a_command_in_pieces_of_one_byte_is_joined_and_its_data_set_handed_on() {
        let mut assembler = Assembler::default();
        let bytes = command(DATA_SET);
        let mut parts = Vec::new();
        for (at, byte) in bytes.iter().enumerate() {
            let last = at + 1 == bytes.len();
            parts.extend(assembler.take(piece(5, true, &[*byte], last)).unwrap());
        }
        parts.extend(assembler.take(piece(5, false, b"ab", false)).unwrap());
        parts.extend(assembler.take(piece(5, false, b"", true)).unwrap());
        let [Part::Command { context: 5, command }, first, last] = &parts[..] else {
            panic!("{parts:?}");
        };
        assert_eq!(command.number(COMMAND_FIELD), Some(C_STORE));
        assert_eq!(*first, Part::Data { bytes: Bytes::from_static(b"ab"), ends: false });
        assert_eq!(*last, Part::Data { bytes: Bytes::new(), ends: true });
        // The next message may come on another context.
        assert!(assembler.take(piece(7, true, &command_without_data(), true)).is_ok());
    }

    fn command_without_data() -> Vec<u8> {
        command(NO_DATA_SET)
    }

    #[test]
    fn pieces_out_of_order_are_refused() {
        let begun = |data_set_type| {
            let mut assembler = Assembler::default();
            assembler.take(piece(1, true, &command(data_set_type), true)).unwrap();
            assembler
        };
        let half = || {
            let mut assembler = Assembler::default();
            assembler.take(piece(1, true, &command(DATA_SET)[..9], false)).unwrap();
            assembler
        };
        for (mut assembler, piece, error) in [
            (Assembler::default(), piece(1, false, b"x", true), MessageError::Unannounced(1)),
            (half(), piece(1, false, b"x", true), MessageError::Unannounced(1)),
            (half(), piece(3, true, b"x", true), MessageError::OtherContext { began: 1, came: 3 }),
            (begun(NO_DATA_SET), piece(1, false, b"x", true), MessageError::Unannounced(1)),
            (begun(DATA_SET), piece(1, true, b"x", true), MessageError::Interrupted(1)),
            (
                begun(DATA_SET),
                piece(3, false, b"x", true),
                MessageError::OtherContext { began: 1, came: 3 },
            ),
        ] {
            assert_eq!(assembler.take(piece), Err(error));
        }
    }

    #[test]
    fn a_command_without_end_is_cut_off() {
        let mut assembler = Assembler::default();
        let result = (0..=MAX_BYTES / 1024)
            .map(|_| assembler.take(piece(1, true, &[0; 1024], false)))
            .find(Result::is_err);
        assert_eq!(result, Some(Err(CommandError::TooLong.into())));
    }
}
