//! The frames messages travel in over TCP: MLLP release 1 (VT, message, FS, CR).
//!
//! Bytes in, messages out; nothing is read from a socket here.

use crate::hl7::v2::message::MAX_BYTES;

/// Begins a frame.
pub const START: u8 = 0x0B;
/// Ends a frame, with a carriage return behind.
pub const END: [u8; 2] = [0x1C, 0x0D];

/// Cuts a stream of bytes into messages.
#[derive(Debug)]
pub struct Decoder {
    /// The message under way, once its start was seen.
    message: Option<Vec<u8>>,
    /// Whether the last byte was a frame's end whose carriage return is awaited.
    ending: bool,
    /// Bytes seen between frames since the last one.
    between: usize,
    longest: usize,
}

/// Why a connection cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Something that is no frame.
    #[error("bytes between frames: a message begins with 0x0B")]
    NoStart,
    /// A frame within a frame, or an end without its carriage return.
    #[error("the frame is broken: 0x1C 0x0D ends it, and neither 0x0B nor 0x1C may be inside")]
    Broken,
    /// Longer than a message may be.
    #[error("the message is longer than {0} bytes")]
    TooLong(usize),
    /// The connection ended within a message.
    #[error("the connection ended within a message")]
    Cut,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(MAX_BYTES)
    }
}

impl Decoder {
    /// A decoder of messages of at most `longest` bytes.
    pub fn new(longest: usize) -> Self {
        Self { message: None, ending: false, between: 0, longest }
    }

    /// Takes the next bytes; adds the messages they end to `messages`, those before an error too.
    /// After an error the connection is lost.
    pub fn push(&mut self, bytes: &[u8], messages: &mut Vec<Vec<u8>>) -> Result<(), FrameError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match (&mut self.message, self.ending) {
                (None, _) => self.begin(rest)?,
                (Some(message), true) => {
                    let (first, behind) = rest.split_first().ok_or(FrameError::Broken)?;
                    if *first != 0x0D {
                        return Err(FrameError::Broken);
                    }
                    messages.push(std::mem::take(message));
                    self.message = None;
                    self.ending = false;
                    behind
                }
                (Some(message), false) => {
                    let end = memchr::memchr2(START, 0x1C, rest);
                    let (piece, behind) = rest.split_at(end.unwrap_or(rest.len()));
                    if message.len().saturating_add(piece.len()) > self.longest {
                        return Err(FrameError::TooLong(self.longest));
                    }
                    message.extend_from_slice(piece);
                    match behind.split_first() {
                        None => behind,
                        Some((0x1C, behind)) => {
                            self.ending = true;
                            behind
                        }
                        Some(_) => return Err(FrameError::Broken),
                    }
                }
            };
        }
        Ok(())
    }

    /// Whether a message is under way.
    pub fn is_within(&self) -> bool {
        self.message.is_some()
    }

    /// The connection ended.
    pub fn finish(self) -> Result<(), FrameError> {
        if self.message.is_some() { Err(FrameError::Cut) } else { Ok(()) }
    }

    /// Looks for a start; line breaks and spaces between frames are forgiven.
    fn begin<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], FrameError> {
        let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace() && **byte != START);
        let blank = blank.count();
        self.between = self.between.saturating_add(blank);
        let behind = bytes.get(blank..).unwrap_or_default();
        match behind.split_first() {
            _ if self.between > MOST_BETWEEN => Err(FrameError::NoStart),
            None => Ok(behind),
            Some((&START, behind)) => {
                self.message = Some(Vec::new());
                self.between = 0;
                Ok(behind)
            }
            Some(_) => Err(FrameError::NoStart),
        }
    }
}

/// A message in its frame.
pub fn frame(message: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(message.len().saturating_add(3));
    framed.push(START);
    framed.extend_from_slice(message);
    framed.extend(END);
    framed
}

/// White space between frames that is forgiven.
const MOST_BETWEEN: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Decoder, FrameError, frame};

    #[test]
    fn broken_frames_are_errors_and_half_ones_are_never_messages() {
        for (bytes, error) in [
            (&b"MSH|"[..], FrameError::NoStart),
            (b"\x0BMSH\x0BMSH", FrameError::Broken),
            (b"\x0BMSH\x1CX", FrameError::Broken),
            (b"\x0BMSH|too long", FrameError::TooLong(8)),
            (&[b' '; 2000], FrameError::NoStart),
        ] {
            assert_eq!(Decoder::new(8).push(bytes, &mut vec![]), Err(error));
        }
        for bytes in [&b"\x0BMSH"[..], b"\x0BMSH\x1C", b"\x0B"] {
            let (mut decoder, mut messages) = (Decoder::default(), vec![]);
            assert_eq!(decoder.push(bytes, &mut messages), Ok(()));
            assert_eq!((decoder.finish(), messages.len()), (Err(FrameError::Cut), 0));
        }
        let (mut decoder, mut messages) = (Decoder::default(), vec![]);
        decoder.push(b"\r\n\x0BA\x1C\r\n\x0BB\x1C\r\n", &mut messages).unwrap();
        assert_eq!(
            (messages.as_slice(), decoder.finish()),
            (&[b"A".to_vec(), b"B".to_vec()][..], Ok(()))
        );
    }

    #[test]
    fn what_came_whole_before_a_broken_frame_is_not_lost() {
        let mut messages = vec![];
        let pushed = Decoder::default().push(b"\x0BA\x1C\r\x0BB\x1CX", &mut messages);
        assert_eq!((pushed, messages), (Err(FrameError::Broken), vec![b"A".to_vec()]));
    }

    proptest! {
        #[test]
        fn messages_come_out_however_the_network_cuts_them(
            messages in proptest::collection::vec("[^\u{b}\u{1c}]{0,20}", 0..6), cut in 1..9_usize,
        ) {
            let bytes: Vec<u8> = messages.iter().flat_map(|text| frame(text.as_bytes())).collect();
            let mut decoder = Decoder::default();
            let mut seen = Vec::new();
            for piece in bytes.chunks(cut) {
                decoder.push(piece, &mut seen).unwrap();
            }
            let seen: Vec<String> = seen.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect();
            prop_assert_eq!(seen, messages);
        }

        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Decoder::new(10).push(&bytes, &mut vec![]);
        }
    }
}
