//! Protocol data units (PS3.8 §9.3), read in pieces: a P-DATA-TF is handed on as it arrives, whatever
//! length it announces.

use bytes::Buf;
use bytes::Bytes;
use bytes::BytesMut;
use dicom_ul::pdu::AssociationAC;
use dicom_ul::pdu::AssociationRJ;
use dicom_ul::pdu::AssociationRQ;
use dicom_ul::pdu::Pdu;
use dicom_ul::pdu::read_pdu;
use dicom_ul::pdu::write_pdu;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;

/// Bytes of the header of every PDU: type, reserved, length (PS3.8 §9.3.1).
const HEADER_BYTES: usize = 6;

/// The longest PDU that is not P-DATA-TF: 128 presentation contexts of 40 transfer syntaxes each
/// fit well.
const MAX_CONTROL_BYTES: u32 = 512 * 1024;

/// Bytes asked of the socket at a time.
const READ_BYTES: usize = 256 * 1024;

/// The longest piece of a data value handed on at once.
const PIECE_BYTES: usize = 256 * 1024;

/// What a peer sent.
#[derive(Debug)]
pub enum Event {
    /// A-ASSOCIATE-RQ.
    Request(Box<AssociationRQ>),
    /// A-ASSOCIATE-AC.
    Accept(Box<AssociationAC>),
    /// A-ASSOCIATE-RJ.
    Reject(AssociationRJ),
    /// A piece of a presentation data value.
    Data(Piece),
    /// A-RELEASE-RQ.
    ReleaseRequest,
    /// A-RELEASE-RP.
    ReleaseReply,
    /// A-ABORT.
    Abort,
    /// The connection ended between two PDUs.
    End,
}

/// A piece of a presentation data value (PS3.8 §9.3.5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Presentation context.
    pub context: u8,
    /// Command or data set (PS3.8 §E.2: bit 0).
    pub command: bool,
    /// The last piece of the command or data set (bit 1, and the end of its value).
    pub last: bool,
    /// Its bytes; may be none.
    pub bytes: Bytes,
}

/// Why what a peer sent cannot be read; the association is over.
#[derive(Debug, thiserror::Error)]
pub enum PduError {
    /// The connection broke.
    #[error("connection: {0}")]
    Io(#[from] std::io::Error),
    /// The connection ended inside a PDU.
    #[error("the connection ended inside a PDU")]
    Cut,
    /// A PDU longer than was agreed or makes sense.
    #[error("a PDU of type {kind:#04x} announces {bytes} bytes")]
    TooLong {
        /// PDU type.
        kind: u8,
        /// Bytes announced.
        bytes: u32,
    },
    /// A presentation data value that does not fit its PDU.
    #[error("a presentation data value does not fit its PDU")]
    BadValue,
    /// A PDU whose fields make no sense.
    #[error("a PDU of type {0:#04x} cannot be read")]
    Malformed(u8),
    /// A PDU of a type PS3.8 does not know.
    #[error("a PDU of unknown type {0:#04x}")]
    Unknown(u8),
}

/// The value that is open.
#[derive(Debug, Clone, Copy)]
struct Open {
    context: u8,
    control: u8,
    left: usize,
}

/// Reads PDUs. Its memory is one read's worth of bytes, whatever the peer announces.
#[derive(Debug)]
pub struct PduReader<R> {
    io: R,
    buffer: BytesMut,
    /// The most bytes a P-DATA-TF may announce: what we told the peer.
    max_data_bytes: u32,
    /// Bytes left of the open P-DATA-TF.
    pdu_left: usize,
    open: Option<Open>,
}

impl<R: AsyncRead + Unpin> PduReader<R> {
    /// A reader that accepts P-DATA-TF of up to `max_data_bytes`.
    pub fn new(io: R, max_data_bytes: u32) -> Self {
        Self { io, buffer: BytesMut::new(), max_data_bytes, pdu_left: 0, open: None }
    }

    /// The next event. Cancel-safe: a dropped call loses nothing.
    pub async fn next(&mut self) -> Result<Event, PduError> {
        loop {
            if let Some(event) = self.take()? {
                return Ok(event);
            }
            self.buffer.reserve(READ_BYTES);
            if self.io.read_buf(&mut self.buffer).await? == 0 {
                let between = self.buffer.is_empty() && self.pdu_left == 0;
                return if between { Ok(Event::End) } else { Err(PduError::Cut) };
            }
        }
    }

    /// The stream itself, for writing.
    pub fn io(&mut self) -> &mut R {
        &mut self.io
    }

    /// An event from what is buffered, if it is enough for one.
    fn take(&mut self) -> Result<Option<Event>, PduError> {
        if self.pdu_left > 0 {
            return Ok(self.take_piece()?.map(Event::Data));
        }
        let Some(&[kind, _, a, b, c, d]) = self.buffer.first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let announced = u32::from_be_bytes([a, b, c, d]);
        // P-DATA-TF (PS3.8 §9.3.5).
        if kind == 0x04 {
            if announced > self.max_data_bytes {
                return Err(PduError::TooLong { kind, bytes: announced });
            }
            self.buffer.advance(HEADER_BYTES);
            self.pdu_left = usize::try_from(announced).map_err(|_| PduError::BadValue)?;
            return self.take();
        }
        if announced > MAX_CONTROL_BYTES {
            return Err(PduError::TooLong { kind, bytes: announced });
        }
        let whole =
            usize::try_from(announced).map_err(|_| PduError::Malformed(kind))? + HEADER_BYTES;
        if self.buffer.len() < whole {
            return Ok(None);
        }
        let bytes = self.buffer.split_to(whole).freeze();
        control(kind, bytes).map(Some)
    }

    fn take_piece(&mut self) -> Result<Option<Piece>, PduError> {
        let open = match self.open {
            Some(open) => open,
            None => match self.open_value()? {
                Some(open) => open,
                None => return Ok(None),
            },
        };
        let bytes = open.left.min(self.buffer.len()).min(PIECE_BYTES);
        if bytes == 0 && open.left > 0 {
            return Ok(None);
        }
        let left = open.left - bytes;
        self.pdu_left -= bytes;
        self.open = (left > 0).then_some(Open { left, ..open });
        Ok(Some(Piece {
            context: open.context,
            command: open.control & 1 == 1,
            last: open.control & 2 == 2 && left == 0,
            bytes: self.buffer.split_to(bytes).freeze(),
        }))
    }

    /// Reads a value's header: length, context, control (PS3.8 §9.3.5.1, §E.2).
    fn open_value(&mut self) -> Result<Option<Open>, PduError> {
        let Some(&[a, b, c, d, context, control]) = self.buffer.first_chunk::<HEADER_BYTES>()
        else {
            return if self.pdu_left < HEADER_BYTES { Err(PduError::BadValue) } else { Ok(None) };
        };
        let length =
            usize::try_from(u32::from_be_bytes([a, b, c, d])).map_err(|_| PduError::BadValue)?;
        let fits = length >= 2 && length <= self.pdu_left.saturating_sub(4);
        if !fits {
            return Err(PduError::BadValue);
        }
        self.buffer.advance(HEADER_BYTES);
        self.pdu_left -= HEADER_BYTES;
        let open = Open { context, control, left: length - 2 };
        self.open = Some(open);
        Ok(Some(open))
    }
}

/// A PDU that is whole in memory.
fn control(kind: u8, bytes: Bytes) -> Result<Event, PduError> {
    match kind {
        // The rest of these is reserved (PS3.8 §9.3.6 to §9.3.8).
        0x05 => return Ok(Event::ReleaseRequest),
        0x06 => return Ok(Event::ReleaseReply),
        0x07 => return Ok(Event::Abort),
        0x01..=0x03 => {}
        kind => return Err(PduError::Unknown(kind)),
    }
    match read_pdu(bytes, MAX_CONTROL_BYTES, true) {
        Ok(Some(Pdu::AssociationRQ(request))) => Ok(Event::Request(Box::new(request))),
        Ok(Some(Pdu::AssociationAC(accept))) => Ok(Event::Accept(Box::new(accept))),
        Ok(Some(Pdu::AssociationRJ(reject))) => Ok(Event::Reject(reject)),
        _ => Err(PduError::Malformed(kind)),
    }
}

/// A PDU's bytes; none when it cannot be written, which no PDU of ours is.
pub fn encoded(pdu: &Pdu) -> Vec<u8> {
    let mut bytes = Vec::new();
    if write_pdu(&mut bytes, pdu).is_err() {
        bytes.clear();
    }
    bytes
}

/// The header of a P-DATA-TF that holds one value of `bytes` bytes (PS3.8 §9.3.5).
pub fn data_header(context: u8, command: bool, last: bool, bytes: usize) -> Option<[u8; 12]> {
    let value = u32::try_from(bytes).ok()?.checked_add(2)?;
    let [p, q, r, s] = value.checked_add(4)?.to_be_bytes();
    let [a, b, c, d] = value.to_be_bytes();
    Some([0x04, 0, p, q, r, s, a, b, c, d, context, u8::from(command) | u8::from(last) << 1])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Event, PduError, PduReader, Piece, data_header};

    /// Two values in one P-DATA-TF: a command's last, a data set's first.
    const TWO_VALUES: &[u8] = &[
        0x04, 0x00, 0x00, 0x00, 0x00, 0x11, // P-DATA-TF, 17 bytes
        0x00, 0x00, 0x00, 0x05, 0x01, 0x03, // 5 bytes, context 1, command, last
        0xAA, 0xBB, 0xCC, //
        0x00, 0x00, 0x00, 0x04, 0x01, 0x00, // 4 bytes, context 1, data, not last
        0x11, 0x22,
    ];

    async fn all(bytes: &[u8], cut: usize) -> Vec<Result<Event, PduError>> {
        let mut stream = tokio_test(bytes, cut);
        let mut reader = PduReader::new(&mut stream, 1 << 20);
        let mut events = Vec::new();
        loop {
            let event = reader.next().await;
            let over = matches!(event, Err(_) | Ok(Event::End));
            events.push(event);
            if over || events.len() > 10_000 {
                return events;
            }
        }
    }

    /// A stream that gives at most `cut` bytes a read.
    fn tokio_test(bytes: &[u8], cut: usize) -> impl tokio::io::AsyncRead + Unpin {
        let pieces: Vec<std::io::Result<bytes::Bytes>> = bytes
            .chunks(cut.max(1))
            .map(|piece| Ok(bytes::Bytes::copy_from_slice(piece)))
            .collect();
        tokio_util::io::StreamReader::new(futures::stream::iter(pieces))
    }

    /// What was received, joined over cuts: (context, command, bytes, ended).
    fn joined(events: &[Result<Event, PduError>]) -> Vec<(u8, bool, Vec<u8>, bool)> {
        let mut values: Vec<(u8, bool, Vec<u8>, bool)> = Vec::new();
        for event in events {
            let Ok(Event::Data(Piece { context, command, last, bytes })) = event else { continue };
            match values.last_mut() {
                Some(open) if !open.3 && open.0 == *context && open.1 == *command => {
                    open.2.extend_from_slice(bytes);
                    open.3 = *last;
                }
                _ => values.push((*context, *command, bytes.to_vec(), *last)),
            }
        }
        values
    }

    #[tokio::test]
    async fn values_come_the_same_however_the_bytes_are_cut() {
        for cut in 1..TWO_VALUES.len() {
            let events = all(TWO_VALUES, cut).await;
            let expected =
                [(1, true, vec![0xAA, 0xBB, 0xCC], true), (1, false, vec![0x11, 0x22], false)];
            assert_eq!(joined(&events), expected, "cut {cut}");
            assert!(matches!(events.last(), Some(Ok(Event::End))));
        }
    }

    #[tokio::test]
    async fn announced_lengths_are_refused_before_anything_is_read_for_them() {
        for (bytes, what) in [
            (&[0x01, 0, 0xFF, 0xFF, 0xFF, 0xF0][..], "association request of 4 GiB"),
            (&[0x04, 0, 0x7F, 0, 0, 0], "data of 2 GiB"),
            (&[0x04, 0, 0, 0, 0, 8, 0, 0, 0, 0xFF, 1, 0], "value longer than its PDU"),
            (&[0x04, 0, 0, 0, 0, 3, 0, 0, 0], "PDU shorter than a value's header"),
            (&[0x04, 0, 0, 0, 0, 8, 0, 0, 0, 1, 1, 0], "value shorter than its header"),
            (&[0x09, 0, 0, 0, 0, 0], "unknown type"),
        ] {
            let events = all(bytes, 100).await;
            assert!(matches!(events.last(), Some(Err(_))), "{what}: {events:?}");
        }
    }

    #[test]
    fn a_data_header_is_what_the_standard_says() {
        let header = data_header(3, false, true, 10).unwrap();
        assert_eq!(header, [0x04, 0, 0, 0, 0, 16, 0, 0, 0, 12, 3, 2]);
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_events_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 1_usize..50) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let whole = runtime.block_on(all(&bytes, 1000));
            let pieces = runtime.block_on(all(&bytes, cut));
            prop_assert_eq!(joined(&whole), joined(&pieces));
            prop_assert_eq!(matches!(whole.last(), Some(Err(_))), matches!(pieces.last(), Some(Err(_))));
        }
    }
}
