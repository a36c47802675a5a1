//! Protocol data units: from bytes to events, without I/O (PS3.8 §9.3).
//!
//! A P-DATA-TF is never gathered: its values are handed on in the pieces the network delivers, as
//! slices of the read buffer, so a PDU costs no more memory than one read. All other PDUs are
//! small and read whole, each under its own limit, checked before its bytes are waited for.

use bytes::Buf;
use bytes::Bytes;
use bytes::BytesMut;
use dicom_ul::pdu::AssociationAC;
use dicom_ul::pdu::AssociationRQ;
use dicom_ul::pdu::Pdu;
use dicom_ul::pdu::read_pdu;

use crate::dimse::items;
use crate::dimse::refusal::Abort;
use crate::dimse::refusal::Rejection;

/// The most bytes an A-ASSOCIATE-RQ or -AC may have: 128 presentation contexts with fifty
/// transfer syntaxes each take 200 KiB.
pub const MAX_ASSOCIATE_BYTES: u32 = 512 * 1024;
/// PDU type and length (PS3.8 §9.3.1).
pub const HEADER_BYTES: usize = 6;
/// Length, presentation context and control header of a PDV (PS3.8 §9.3.5.1, §E.2).
pub const VALUE_HEADER_BYTES: usize = 6;

/// PDU types (PS3.8 §9.3).
pub(in crate::dimse) mod kind {
    pub(in crate::dimse) const ASSOCIATE_RQ: u8 = 0x01;
    pub(in crate::dimse) const ASSOCIATE_AC: u8 = 0x02;
    pub(in crate::dimse) const ASSOCIATE_RJ: u8 = 0x03;
    pub(in crate::dimse) const DATA: u8 = 0x04;
    pub(in crate::dimse) const RELEASE_RQ: u8 = 0x05;
    pub(in crate::dimse) const RELEASE_RP: u8 = 0x06;
    pub(in crate::dimse) const ABORT: u8 = 0x07;
}

/// Part of a presentation data value, as much of it as has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Presentation context.
    pub context: u8,
    /// Whether it belongs to a command set; else to a data set.
    pub command: bool,
    /// The bytes; may be none.
    pub bytes: Bytes,
    /// Whether the command set or data set ends here.
    pub ends: bool,
}

/// What a decoder finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A-ASSOCIATE-RQ.
    AssociateRequest(Box<AssociationRQ>),
    /// A-ASSOCIATE-AC.
    AssociateAccept(Box<AssociationAC>),
    /// A-ASSOCIATE-RJ.
    AssociateReject(Rejection),
    /// Part of a P-DATA-TF.
    Data(Piece),
    /// A-RELEASE-RQ.
    ReleaseRequest,
    /// A-RELEASE-RP.
    ReleaseResponse,
    /// A-ABORT.
    Abort(Abort),
}

/// Why bytes are no PDU; the association cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PduError {
    /// A PDU type the standard does not know.
    #[error("PDU type {0:02X}H is unknown")]
    UnknownType(u8),
    /// Longer than allowed: for P-DATA-TF, than the maximum length we announced.
    #[error("PDU of type {kind:02X}H announces {bytes} bytes, allowed are {allowed}")]
    TooLong {
        /// PDU type.
        kind: u8,
        /// Bytes announced.
        bytes: u32,
        /// Bytes allowed.
        allowed: u32,
    },
    /// A PDU of fixed length that announces another.
    #[error("PDU of type {kind:02X}H announces {bytes} bytes instead of 4")]
    WrongLength {
        /// PDU type.
        kind: u8,
        /// Bytes announced.
        bytes: u32,
    },
    /// A PDV that is shorter than its header or reaches past its PDU.
    #[error("a PDV announces {bytes} bytes where its PDU has {left} left")]
    WrongValueLength {
        /// Bytes announced.
        bytes: u32,
        /// Bytes the PDU still has.
        left: u32,
    },
    /// An association PDU whose fields contradict each other or are missing.
    #[error("PDU of type {kind:02X}H cannot be read: {reason}")]
    Unreadable {
        /// PDU type.
        kind: u8,
        /// What the codec said.
        reason: String,
    },
}

impl PduError {
    /// The abort that answers it (PS3.8 §9.3.8).
    pub fn abort(&self) -> Abort {
        match self {
            Self::UnknownType(_) => Abort::UNRECOGNISED_PDU,
            Self::TooLong { .. }
            | Self::WrongLength { .. }
            | Self::WrongValueLength { .. }
            | Self::Unreadable { .. } => Abort::INVALID_PARAMETER,
        }
    }
}

/// Turns bytes into events; what the cut of the input is makes no difference but in how pieces of
/// data are cut.
#[derive(Debug)]
pub struct Decoder {
    buffer: BytesMut,
    max_data_bytes: u32,
    place: Place,
}

/// What the next bytes are.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// A PDU's header.
    Header,
    /// The rest of a PDU that is read whole.
    Whole { kind: u8, bytes: u32 },
    /// A PDV's header, or the next PDU when nothing is left of this one.
    Values { left: u32 },
    /// A PDV's bytes; `after` of the PDU follow it.
    Value { after: u32, bytes: u32, context: u8, control: u8 },
}

/// Control header bit: command set (PS3.8 §E.2).
const COMMAND: u8 = 0b01;
/// Control header bit: last fragment.
const LAST: u8 = 0b10;

impl Decoder {
    /// A decoder that allows P-DATA-TF of `max_data_bytes`, the maximum length we announce.
    pub fn new(max_data_bytes: u32) -> Self {
        Self { buffer: BytesMut::new(), max_data_bytes, place: Place::Header }
    }

    /// Where the next bytes go: append only.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Whether all bytes so far made whole PDUs.
    pub fn is_between_pdus(&self) -> bool {
        matches!(self.place, Place::Header | Place::Values { left: 0 }) && self.buffer.is_empty()
    }

    /// The next event, `None` when more bytes are needed. After an error the decoder is useless.
    pub fn decode(&mut self) -> Result<Option<Event>, PduError> {
        loop {
            match self.place {
                Place::Header | Place::Values { left: 0 } => match self.take::<HEADER_BYTES>() {
                    Some(header) => self.place = self.begin_pdu(header)?,
                    None => return Ok(None),
                },
                Place::Whole { kind, bytes } => {
                    let length = usize::try_from(bytes).unwrap_or(usize::MAX);
                    if self.buffer.len() < length {
                        return Ok(None);
                    }
                    self.place = Place::Header;
                    return whole_pdu(kind, &self.buffer.split_to(length)).map(Some);
                }
                Place::Values { left } if left < SMALLEST_VALUE => {
                    return Err(PduError::WrongValueLength { bytes: 0, left });
                }
                Place::Values { left } => match self.take::<VALUE_HEADER_BYTES>() {
                    Some(header) => self.place = begin_value(header, left)?,
                    None => return Ok(None),
                },
                Place::Value { after, bytes, context, control } => {
                    let (piece, left) = self.take_piece(bytes, context, control);
                    self.place = match left {
                        0 => Place::Values { left: after },
                        bytes => Place::Value { after, bytes, context, control },
                    };
                    if piece.ends || !piece.bytes.is_empty() {
                        return Ok(Some(Event::Data(piece)));
                    }
                    if left > 0 {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = *self.buffer.first_chunk::<N>()?;
        self.buffer.advance(N);
        Some(taken)
    }

    /// As much of a PDV as has arrived, and how much of it is still to come.
    fn take_piece(&mut self, bytes: u32, context: u8, control: u8) -> (Piece, u32) {
        let here = u32::try_from(self.buffer.len()).unwrap_or(u32::MAX).min(bytes);
        let left = bytes - here;
        let piece = Piece {
            context,
            command: control & COMMAND != 0,
            bytes: self.buffer.split_to(usize::try_from(here).unwrap_or(0)).freeze(),
            ends: left == 0 && control & LAST != 0,
        };
        (piece, left)
    }

    /// Checks a PDU's type and length before any of its bytes is waited for.
    fn begin_pdu(&self, header: [u8; HEADER_BYTES]) -> Result<Place, PduError> {
        let [kind, _reserved, length @ ..] = header;
        let bytes = u32::from_be_bytes(length);
        let allowed = match kind {
            kind::ASSOCIATE_RQ | kind::ASSOCIATE_AC => MAX_ASSOCIATE_BYTES,
            kind::DATA => self.max_data_bytes,
            kind::ASSOCIATE_RJ | kind::RELEASE_RQ | kind::RELEASE_RP | kind::ABORT => {
                return match bytes {
                    4 => Ok(Place::Whole { kind, bytes }),
                    bytes => Err(PduError::WrongLength { kind, bytes }),
                };
            }
            kind => return Err(PduError::UnknownType(kind)),
        };
        if bytes > allowed {
            return Err(PduError::TooLong { kind, bytes, allowed });
        }
        Ok(match kind {
            kind::DATA => Place::Values { left: bytes },
            kind => Place::Whole { kind, bytes },
        })
    }
}

/// The smallest PDV, its length field included.
const SMALLEST_VALUE: u32 = 6;

/// A PDV's place: its length counts context and control header, not itself (PS3.8 §9.3.5.1).
fn begin_value(header: [u8; VALUE_HEADER_BYTES], left: u32) -> Result<Place, PduError> {
    let [a, b, c, d, context, control] = header;
    let announced = u32::from_be_bytes([a, b, c, d]);
    let wrong = PduError::WrongValueLength { bytes: announced, left };
    let Some(bytes) = announced.checked_sub(2) else { return Err(wrong) };
    match left.checked_sub(SMALLEST_VALUE).and_then(|left| left.checked_sub(bytes)) {
        Some(after) => Ok(Place::Value { after, bytes, context, control }),
        None => Err(wrong),
    }
}

fn whole_pdu(kind: u8, body: &[u8]) -> Result<Event, PduError> {
    match (kind, body) {
        (kind::RELEASE_RQ, _) => Ok(Event::ReleaseRequest),
        (kind::RELEASE_RP, _) => Ok(Event::ReleaseResponse),
        (kind::ABORT, &[_, _, source, reason]) => Ok(Event::Abort(Abort { source, reason })),
        (kind::ASSOCIATE_RJ, &[_, result, source, reason]) => {
            Ok(Event::AssociateReject(Rejection { result, source, reason }))
        }
        _ => associate(kind, body),
    }
}

/// An A-ASSOCIATE-RQ or -AC.
fn associate(kind: u8, body: &[u8]) -> Result<Event, PduError> {
    let unreadable = |reason: String| PduError::Unreadable { kind, reason };
    let body = items::sound(body);
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut whole = BytesMut::with_capacity(HEADER_BYTES + body.len());
    whole.extend_from_slice(&[kind, 0]);
    whole.extend_from_slice(&length.to_be_bytes());
    whole.extend_from_slice(&body);
    match read_pdu(whole.freeze(), MAX_ASSOCIATE_BYTES, true) {
        Ok(Some(Pdu::AssociationRQ(request))) => Ok(Event::AssociateRequest(Box::new(request))),
        Ok(Some(Pdu::AssociationAC(accept))) => Ok(Event::AssociateAccept(Box::new(accept))),
        Ok(_) => Err(unreadable("a field is cut short".to_owned())),
        Err(error) => Err(unreadable(error.to_string())),
    }
}

#[cfg(test)]
mod tests;
