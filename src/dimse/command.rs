//! Command sets (PS3.7 §6.3.1, §E): group 0000 in Implicit VR Little Endian, a few short elements.

/// Command Field values (PS3.7 §E.1-1).
pub mod field {
    /// C-STORE-RQ.
    pub const C_STORE_RQ: u16 = 0x0001;
    /// C-STORE-RSP.
    pub const C_STORE_RSP: u16 = 0x8001;
    /// C-ECHO-RQ.
    pub const C_ECHO_RQ: u16 = 0x0030;
    /// C-ECHO-RSP.
    pub const C_ECHO_RSP: u16 = 0x8030;
    /// C-CANCEL-RQ.
    pub const C_CANCEL_RQ: u16 = 0x0FFF;
    /// The bit that tells a response from a request.
    pub const RESPONSE: u16 = 0x8000;
}

/// Elements of group 0000 (PS3.7 §E.1).
mod element {
    pub(super) const AFFECTED_SOP_CLASS: u16 = 0x0002;
    pub(super) const COMMAND_FIELD: u16 = 0x0100;
    pub(super) const MESSAGE_ID: u16 = 0x0110;
    pub(super) const RESPONDED_TO: u16 = 0x0120;
    pub(super) const PRIORITY: u16 = 0x0700;
    pub(super) const DATA_SET_TYPE: u16 = 0x0800;
    pub(super) const STATUS: u16 = 0x0900;
    pub(super) const ERROR_COMMENT: u16 = 0x0902;
    pub(super) const AFFECTED_SOP_INSTANCE: u16 = 0x1000;
}

/// Command Data Set Type that says there is no data set (PS3.7 §E.1).
const NO_DATA_SET: u16 = 0x0101;

/// The longest command set that is read.
pub const MAX_BYTES: usize = 64 * 1024;

/// A command set, as far as the services here need it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Command {
    /// Command Field.
    pub field: u16,
    /// Message ID, in a request.
    pub message_id: u16,
    /// Message ID Being Responded To, in a response.
    pub responded_to: u16,
    /// Affected SOP Class UID.
    pub sop_class: Option<String>,
    /// Affected SOP Instance UID.
    pub sop_instance: Option<String>,
    /// Whether a data set follows.
    pub has_data_set: bool,
    /// Status, in a response.
    pub status: Option<u16>,
    /// Error Comment.
    pub comment: Option<String>,
}

/// Why a command set cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// It ends inside an element, or an element is longer than it.
    #[error("the command set is cut short")]
    Cut,
    /// It has no Command Field.
    #[error("the command set has no Command Field (0000,0100)")]
    NoField,
}

impl Command {
    /// Reads a command set; elements it does not know are passed over, the group length is not
    /// needed.
    pub fn parse(mut bytes: &[u8]) -> Result<Self, CommandError> {
        let mut command = Self { has_data_set: true, ..Self::default() };
        let mut has_field = false;
        while let Some((&[g0, g1, e0, e1, l0, l1, l2, l3], rest)) = bytes.split_first_chunk::<8>() {
            let length = u32::from_le_bytes([l0, l1, l2, l3]);
            let length = usize::try_from(length).map_err(|_| CommandError::Cut)?;
            let (value, after) = rest.split_at_checked(length).ok_or(CommandError::Cut)?;
            bytes = after;
            if [g0, g1] == [0, 0] {
                let tag = u16::from_le_bytes([e0, e1]);
                has_field |= tag == element::COMMAND_FIELD;
                command.set(tag, value);
            }
        }
        match (bytes.is_empty(), has_field) {
            (false, _) => Err(CommandError::Cut),
            (true, false) => Err(CommandError::NoField),
            (true, true) => Ok(command),
        }
    }

    fn set(&mut self, tag: u16, value: &[u8]) {
        let number = || value.first_chunk::<2>().map_or(0, |bytes| u16::from_le_bytes(*bytes));
        let text = || {
            let text = String::from_utf8_lossy(value);
            let text = text.trim_matches(['\0', ' ']).to_owned();
            (!text.is_empty()).then_some(text)
        };
        match tag {
            element::COMMAND_FIELD => self.field = number(),
            element::MESSAGE_ID => self.message_id = number(),
            element::RESPONDED_TO => self.responded_to = number(),
            element::DATA_SET_TYPE => self.has_data_set = number() != NO_DATA_SET,
            element::STATUS => self.status = Some(number()),
            element::ERROR_COMMENT => self.comment = text(),
            element::AFFECTED_SOP_CLASS => self.sop_class = text(),
            element::AFFECTED_SOP_INSTANCE => self.sop_instance = text(),
            _ => {}
        }
    }

    /// The command set's bytes, elements ascending, group length first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        put_text(&mut body, element::AFFECTED_SOP_CLASS, self.sop_class.as_deref(), 0);
        put_number(&mut body, element::COMMAND_FIELD, self.field);
        let is_response = self.field & field::RESPONSE != 0;
        if is_response {
            put_number(&mut body, element::RESPONDED_TO, self.responded_to);
        } else {
            put_number(&mut body, element::MESSAGE_ID, self.message_id);
        }
        if self.field == field::C_STORE_RQ {
            // MEDIUM; nobody minds it (PS3.7 §9.1.1.1.5).
            put_number(&mut body, element::PRIORITY, 0);
        }
        let data_set_type = if self.has_data_set { 0 } else { NO_DATA_SET };
        put_number(&mut body, element::DATA_SET_TYPE, data_set_type);
        if let Some(status) = self.status {
            put_number(&mut body, element::STATUS, status);
        }
        put_text(&mut body, element::ERROR_COMMENT, self.comment.as_deref(), b' ');
        put_text(&mut body, element::AFFECTED_SOP_INSTANCE, self.sop_instance.as_deref(), 0);
        let mut bytes = vec![0, 0, 0, 0, 4, 0, 0, 0];
        bytes.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.append(&mut body);
        bytes
    }
}

fn put_number(out: &mut Vec<u8>, tag: u16, value: u16) {
    put(out, tag, &value.to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, tag: u16, text: Option<&str>, padding: u8) {
    let Some(text) = text else { return };
    let mut value = text.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(padding);
    }
    put(out, tag, &value);
}

fn put(out: &mut Vec<u8>, tag: u16, value: &[u8]) {
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&tag.to_le_bytes());
    out.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Command, CommandError, field};

    /// A C-ECHO-RQ as DCMTK sends it.
    const ECHO: &[u8] = &[
        0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x38, 0x00, 0x00,
        0x00, // group length 56
        0x00, 0x00, 0x02, 0x00, 0x12, 0x00, 0x00, 0x00, // (0000,0002) 18 bytes
        0x31, 0x2e, 0x32, 0x2e, 0x38, 0x34, 0x30, 0x2e, 0x31, 0x30, 0x30, 0x30, 0x38, 0x2e, 0x31,
        0x2e, 0x31, 0x00, // 1.2.840.10008.1.1
        0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x30, 0x00, // C-ECHO-RQ
        0x00, 0x00, 0x10, 0x01, 0x02, 0x00, 0x00, 0x00, 0x07, 0x00, // message 7
        0x00, 0x00, 0x00, 0x08, 0x02, 0x00, 0x00, 0x00, 0x01, 0x01, // no data set
    ];

    #[test]
    fn a_stock_echo_is_read_and_written_the_same() {
        let command = Command::parse(ECHO).unwrap();
        assert_eq!((command.field, command.message_id), (field::C_ECHO_RQ, 7));
        assert_eq!(command.sop_class.as_deref(), Some("1.2.840.10008.1.1"));
        assert!(!command.has_data_set);
        assert_eq!(command.to_bytes(), ECHO);
    }

    #[test]
    fn the_group_length_is_not_needed_and_a_cut_is_an_error() {
        assert!(Command::parse(ECHO.get(12..).unwrap()).is_ok());
        assert_eq!(Command::parse(ECHO.get(..ECHO.len() - 1).unwrap()), Err(CommandError::Cut));
        assert_eq!(Command::parse(&[]), Err(CommandError::NoField));
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_command_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Command::parse(&bytes);
        }

        #[test]
        fn what_is_written_is_read(id: u16, status: u16, comment in "[a-z]{0,64}", uid in "[0-9.]{1,64}") {
            let comment = Some(comment).filter(|text| !text.is_empty());
            let command = Command {
                field: field::C_STORE_RSP, responded_to: id, status: Some(status), comment,
                sop_instance: Some(uid), has_data_set: false, ..Command::default()
            };
            prop_assert_eq!(Command::parse(&command.to_bytes()), Ok(command));
        }
    }
}
