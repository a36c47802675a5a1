//! Protocol data units: from values to bytes (PS3.8 §9.3).

use dicom_ul::pdu::AssociationAC;
use dicom_ul::pdu::AssociationRQ;
use dicom_ul::pdu::Pdu;
use dicom_ul::pdu::write_pdu;

use crate::dimse::pdu::VALUE_HEADER_BYTES;
use crate::dimse::pdu::kind;
use crate::dimse::refusal::Abort;
use crate::dimse::refusal::Rejection;

/// The largest PDV we send, whatever the peer allows.
pub const LARGEST_VALUE: usize = 128 * 1024;
/// Control header of a command set's only or last fragment (PS3.8 §E.2).
const COMMAND: u8 = 0b01;
const LAST: u8 = 0b10;

/// An association PDU that cannot be written: an AE title over 16 characters, or one that is not
/// of the default repertoire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the association cannot be described: {0}")]
pub struct EncodeError(pub String);

/// A-ASSOCIATE-RQ.
pub fn associate_request(request: AssociationRQ) -> Result<Vec<u8>, EncodeError> {
    written(&Pdu::AssociationRQ(request))
}

/// A-ASSOCIATE-AC.
pub fn associate_accept(accept: AssociationAC) -> Result<Vec<u8>, EncodeError> {
    written(&Pdu::AssociationAC(accept))
}

fn written(pdu: &Pdu) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::with_capacity(4096);
    write_pdu(&mut out, pdu).map_err(|error| EncodeError(error.to_string()))?;
    Ok(out)
}

/// A-ASSOCIATE-RJ.
pub fn associate_reject(rejection: Rejection) -> [u8; 10] {
    let Rejection { result, source, reason } = rejection;
    [kind::ASSOCIATE_RJ, 0, 0, 0, 0, 4, 0, result, source, reason]
}

/// A-RELEASE-RQ.
pub fn release_request() -> [u8; 10] {
    [kind::RELEASE_RQ, 0, 0, 0, 0, 4, 0, 0, 0, 0]
}

/// A-RELEASE-RP.
pub fn release_response() -> [u8; 10] {
    [kind::RELEASE_RP, 0, 0, 0, 0, 4, 0, 0, 0, 0]
}

/// A-ABORT.
pub fn abort(abort: Abort) -> [u8; 10] {
    [kind::ABORT, 0, 0, 0, 0, 4, 0, 0, abort.source, abort.reason]
}

/// How many bytes of a message go into one PDV for a peer that takes P-DATA-TF of
/// `peer_max_bytes`, 0 meaning any (PS3.8 §D.1).
pub fn value_bytes(peer_max_bytes: u32) -> usize {
    match usize::try_from(peer_max_bytes) {
        Ok(0) | Err(_) => LARGEST_VALUE,
        // Even, as every part of a data set is. A peer that takes less than a PDV with two
        // bytes takes nothing; two is the least we can do.
        Ok(max) => (max.saturating_sub(VALUE_HEADER_BYTES) & !1).clamp(2, LARGEST_VALUE),
    }
}

/// Appends a P-DATA-TF with one PDV of at most [`LARGEST_VALUE`] bytes.
pub fn put_data(out: &mut Vec<u8>, context: u8, command: bool, last: bool, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let control = if command { COMMAND } else { 0 } | if last { LAST } else { 0 };
    out.extend_from_slice(&[kind::DATA, 0]);
    out.extend_from_slice(&length.saturating_add(6).to_be_bytes());
    // A PDV's length counts all but itself.
    out.extend_from_slice(&length.saturating_add(2).to_be_bytes());
    out.extend_from_slice(&[context, control]);
    out.extend_from_slice(bytes);
}

/// A command set as P-DATA-TF PDUs of at most `value_bytes` each.
pub fn command(context: u8, command: &[u8], value_bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(command.len() + 64);
    let mut pieces = command.chunks(value_bytes.max(1)).peekable();
    while let Some(piece) = pieces.next() {
        put_data(&mut out, context, true, pieces.peek().is_none(), piece);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip]
    fn a_command_is_cut_to_what_the_peer_takes() {
        assert_eq!(command(3, b"abcde", 2), [
            4, 0, 0, 0, 0, 8,  0, 0, 0, 4,  3, 0b01,  b'a', b'b',
            4, 0, 0, 0, 0, 8,  0, 0, 0, 4,  3, 0b01,  b'c', b'd',
            4, 0, 0, 0, 0, 7,  0, 0, 0, 3,  3, 0b11,  b'e',
        ]);
    }

    #[test]
    fn a_peer_without_a_limit_gets_large_values_and_one_with_a_silly_limit_small_ones() {
        for (limit, bytes) in [
            (0, LARGEST_VALUE),
            (16_384, 16_378),
            (16_383, 16_376),
            (7, 2),
            (u32::MAX, LARGEST_VALUE),
        ] {
            assert_eq!(value_bytes(limit), bytes);
        }
    }
}
