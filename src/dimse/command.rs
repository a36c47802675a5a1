//! Command sets: the part of a DIMSE message that says what to do (PS3.7 §6.3.1, §E).
//!
//! Always Implicit VR Little Endian, always group 0000, never nested: a loop reads them.

use bytes::Bytes;

use crate::dicom::uid::Uid;
use crate::dimse::status::Status;

/// Affected SOP Class UID (0000,0002).
pub const AFFECTED_SOP_CLASS: u16 = 0x0002;
/// Command Field (0000,0100).
pub const COMMAND_FIELD: u16 = 0x0100;
/// Message ID (0000,0110).
pub const MESSAGE_ID: u16 = 0x0110;
/// Message ID Being Responded To (0000,0120).
pub const RESPONDED_TO: u16 = 0x0120;
/// Priority (0000,0700).
pub const PRIORITY: u16 = 0x0700;
/// Command Data Set Type (0000,0800).
pub const DATA_SET_TYPE: u16 = 0x0800;
/// Status (0000,0900).
pub const STATUS: u16 = 0x0900;
/// Error Comment (0000,0902).
pub const ERROR_COMMENT: u16 = 0x0902;
/// Affected SOP Instance UID (0000,1000).
pub const AFFECTED_SOP_INSTANCE: u16 = 0x1000;

/// C-STORE-RQ (PS3.7 §E.1).
pub const C_STORE: u16 = 0x0001;
/// C-ECHO-RQ.
pub const C_ECHO: u16 = 0x0030;
/// C-CANCEL-RQ.
pub const C_CANCEL: u16 = 0x0FFF;
/// This bit of the Command Field makes a request's code its response's.
pub const RESPONSE: u16 = 0x8000;

/// Command Data Set Type that says: no data set follows.
pub const NO_DATA_SET: u16 = 0x0101;
/// Command Data Set Type that says: a data set follows. Any value but [`NO_DATA_SET`] does.
pub const DATA_SET: u16 = 0x0000;

/// The most bytes a command set may have. Real ones have under 1 KiB.
pub const MAX_BYTES: usize = 64 * 1024;
/// The most elements a command set may have. The standard knows some thirty.
const MAX_ELEMENTS: usize = 128;
/// Tag and length.
const ELEMENT_HEADER: usize = 8;
const GROUP_LENGTH: u16 = 0x0000;

/// A command set: elements of group 0000, without the group length.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommandSet {
    elements: Vec<(u16, Bytes)>,
}

/// Why bytes are no command set that can be obeyed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// It ends inside the element that begins at this byte.
    #[error("the command set ends inside the element at byte {0}")]
    Truncated(usize),
    /// The element at this byte is of a group other than 0000.
    #[error("the element at byte {0} is not of group 0000")]
    OtherGroup(usize),
    /// More elements than any command has.
    #[error("the command set has more than {MAX_ELEMENTS} elements")]
    TooMany,
    /// More bytes than any command has.
    #[error("the command set has more than {MAX_BYTES} bytes")]
    TooLong,
    /// An element no command may lack is missing or unusable.
    #[error("element (0000,{0:04X}) is missing or unusable")]
    Missing(u16),
}

impl CommandSet {
    /// Reads a command set. The group length is not looked at: some peers leave it out, some
    /// count it wrongly. Elements in any order; of repeated ones the first counts.
    pub fn parse(bytes: &Bytes) -> Result<Self, CommandError> {
        if bytes.len() > MAX_BYTES {
            return Err(CommandError::TooLong);
        }
        let mut elements = Vec::with_capacity(12);
        let mut at = 0;
        while at < bytes.len() {
            let (element, value) = parse_element(bytes, at)?;
            at += ELEMENT_HEADER + value.len();
            if element == GROUP_LENGTH {
                continue;
            }
            if elements.len() == MAX_ELEMENTS {
                return Err(CommandError::TooMany);
            }
            elements.push((element, value));
        }
        Ok(Self { elements })
    }

    /// An unsigned short, when present and of that length.
    pub fn number(&self, element: u16) -> Option<u16> {
        let value = self.value(element)?;
        Some(u16::from_le_bytes(value.get(..2)?.try_into().ok()?))
    }

    /// An unsigned short no command may lack.
    pub fn expect_number(&self, element: u16) -> Result<u16, CommandError> {
        self.number(element).ok_or(CommandError::Missing(element))
    }

    /// A unique identifier, when present and usable.
    pub fn uid(&self, element: u16) -> Option<Uid> {
        Uid::parse(std::str::from_utf8(self.value(element)?).ok()?).ok()
    }

    /// A text, without padding; bytes that are not UTF-8 become replacement characters.
    pub fn text(&self, element: u16) -> Option<String> {
        let text = String::from_utf8_lossy(self.value(element)?).into_owned();
        Some(text.trim_matches([' ', '\0']).to_owned())
    }

    /// Whether a data set follows (PS3.7 §E.1, Command Data Set Type).
    pub fn has_data_set(&self) -> Result<bool, CommandError> {
        Ok(self.expect_number(DATA_SET_TYPE)? != NO_DATA_SET)
    }

    /// Adds an unsigned short.
    #[must_use]
    pub fn with_number(mut self, element: u16, value: u16) -> Self {
        self.elements.push((element, Bytes::copy_from_slice(&value.to_le_bytes())));
        self
    }

    /// Adds a unique identifier, padded to even length with NUL (PS3.5 §9.4).
    #[must_use]
    pub fn with_uid(self, element: u16, uid: &str) -> Self {
        self.with_padded(element, uid, 0)
    }

    /// Adds a text, padded to even length with a space.
    #[must_use]
    pub fn with_text(self, element: u16, text: &str) -> Self {
        self.with_padded(element, text, b' ')
    }

    fn with_padded(mut self, element: u16, text: &str, padding: u8) -> Self {
        let mut value = text.as_bytes().to_vec();
        if value.len() % 2 == 1 {
            value.push(padding);
        }
        self.elements.push((element, value.into()));
        self
    }

    /// The response to this request (PS3.7 §9.3): same SOP class and instance, with the status.
    pub fn response(&self, status: &Status) -> Result<Self, CommandError> {
        let field = self.expect_number(COMMAND_FIELD)?;
        let message = self.expect_number(MESSAGE_ID)?;
        let mut response = Self::default()
            .with_number(COMMAND_FIELD, field | RESPONSE)
            .with_number(RESPONDED_TO, message)
            .with_number(DATA_SET_TYPE, NO_DATA_SET)
            .with_number(STATUS, status.code);
        for element in [AFFECTED_SOP_CLASS, AFFECTED_SOP_INSTANCE] {
            if let Some(value) = self.value(element) {
                response.elements.push((element, value.clone()));
            }
        }
        if let Some(comment) = &status.comment {
            response = response.with_text(ERROR_COMMENT, comment);
        }
        Ok(response)
    }

    /// The command set as it goes over the wire: ascending, group length first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut elements: Vec<&(u16, Bytes)> = self.elements.iter().collect();
        elements.sort_by_key(|(element, _)| *element);
        let mut body = Vec::with_capacity(256);
        for (element, value) in elements {
            put_element(&mut body, *element, value);
        }
        let mut out = Vec::with_capacity(body.len() + 12);
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        put_element(&mut out, GROUP_LENGTH, &length.to_le_bytes());
        out.append(&mut body);
        out
    }

    fn value(&self, element: u16) -> Option<&Bytes> {
        self.elements.iter().find(|(found, _)| *found == element).map(|(_, value)| value)
    }
}

fn parse_element(bytes: &Bytes, at: usize) -> Result<(u16, Bytes), CommandError> {
    let truncated = CommandError::Truncated(at);
    let rest = bytes.get(at..).unwrap_or_default();
    let Some((header, rest)) = rest.split_first_chunk::<ELEMENT_HEADER>() else {
        return Err(truncated);
    };
    let [group_low, group_high, low, high, length @ ..] = *header;
    if (group_low, group_high) != (0, 0) {
        return Err(CommandError::OtherGroup(at));
    }
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    let value = rest.get(..length).ok_or(truncated)?;
    Ok((u16::from_le_bytes([low, high]), bytes.slice_ref(value)))
}

fn put_element(out: &mut Vec<u8>, element: u16, value: &[u8]) {
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&element.to_le_bytes());
    // No value of ours nears 4 GiB.
    out.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    /// C-ECHO-RQ as PS3.7 §9.3.5.1 lists it, message 7.
    #[rustfmt::skip]
    const ECHO: &[u8] = &[
        0, 0, 0x00, 0x00, 4, 0, 0, 0, 0x38, 0, 0, 0,        // (0000,0000) group length: 56
        0, 0, 0x02, 0x00, 18, 0, 0, 0,                      // (0000,0002) affected SOP class
        b'1', b'.', b'2', b'.', b'8', b'4', b'0', b'.', b'1', b'0', b'0', b'0', b'8', b'.', b'1',
        b'.', b'1', 0,                                      // … padded with NUL
        0, 0, 0x00, 0x01, 2, 0, 0, 0, 0x30, 0,              // (0000,0100) C-ECHO-RQ
        0, 0, 0x10, 0x01, 2, 0, 0, 0, 7, 0,                 // (0000,0110) message ID
        0, 0, 0x00, 0x08, 2, 0, 0, 0, 0x01, 0x01,           // (0000,0800) no data set
    ];

    #[test]
    fn a_request_reads_back_as_it_was_written() {
        let echo = CommandSet::parse(&Bytes::from_static(ECHO)).unwrap();
        assert_eq!(echo.number(COMMAND_FIELD), Some(C_ECHO));
        assert_eq!(echo.uid(AFFECTED_SOP_CLASS).unwrap().as_str(), "1.2.840.10008.1.1");
        assert_eq!(echo.has_data_set(), Ok(false));
        assert_eq!(echo.to_bytes(), ECHO);
    }

    #[test]
    fn a_missing_or_wrong_group_length_does_no_harm() {
        let without = Bytes::from_static(&ECHO[12..]);
        let mut wrong = ECHO.to_vec();
        wrong[8] = 1;
        let echo = CommandSet::parse(&Bytes::from_static(ECHO));
        assert_eq!(CommandSet::parse(&without), echo);
        assert_eq!(CommandSet::parse(&wrong.into()), echo);
    }

    #[test]
    fn a_response_answers_the_same_message_and_says_why() {
        let echo = CommandSet::parse(&Bytes::from_static(ECHO)).unwrap();
        let response = echo.response(&Status::new(0xA700, "odd")).unwrap();
        let response = CommandSet::parse(&response.to_bytes().into()).unwrap();
        assert_eq!(response.number(COMMAND_FIELD), Some(0x8030));
        assert_eq!(response.number(RESPONDED_TO), Some(7));
        assert_eq!(response.number(STATUS), Some(0xA700));
        assert_eq!(response.text(ERROR_COMMENT).as_deref(), Some("odd"));
        assert_eq!(response.uid(AFFECTED_SOP_CLASS), echo.uid(AFFECTED_SOP_CLASS));
    }

    #[test]
    fn a_broken_command_is_refused_at_its_byte() {
        for (bytes, error) in [
            (&ECHO[..15], CommandError::Truncated(12)),
            (&ECHO[..30], CommandError::Truncated(12)),
            (&[0, 0, 2, 0, 0xFF, 0xFF, 0xFF, 0xFF][..], CommandError::Truncated(0)),
            (&[8, 0, 0x16, 0, 0, 0, 0, 0][..], CommandError::OtherGroup(0)),
        ] {
            assert_eq!(CommandSet::parse(&Bytes::from_static(bytes)), Err(error));
        }
        let many = [0, 0, 1, 0, 0, 0, 0, 0].repeat(MAX_ELEMENTS + 1);
        assert_eq!(CommandSet::parse(&many.into()), Err(CommandError::TooMany));
        let long = Bytes::from(vec![0; MAX_BYTES + 1]);
        assert_eq!(CommandSet::parse(&long), Err(CommandError::TooLong));
        let empty = CommandSet::default();
        assert_eq!(empty.has_data_set(), Err(CommandError::Missing(DATA_SET_TYPE)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(command) = CommandSet::parse(&bytes.into()) {
                let again = CommandSet::parse(&command.to_bytes().into()).unwrap();
                prop_assert_eq!(again.to_bytes(), command.to_bytes());
            }
        }

        #[test]
        fn a_cut_command_is_never_taken_for_whole_inside_an_element(cut in 1_usize..ECHO.len()) {
            let whole = CommandSet::parse(&Bytes::from_static(ECHO)).unwrap();
            match CommandSet::parse(&Bytes::from_static(&ECHO[..cut])) {
                Ok(part) => prop_assert!(part.elements.len() < whole.elements.len()),
                Err(error) => prop_assert!(matches!(error, CommandError::Truncated(_))),
            }
        }
    }
}
