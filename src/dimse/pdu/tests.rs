//! PDUs as annotated bytes, made by hand from the tables of PS3.8 §9.3.

use dicom_ul::pdu::AssociationRQ;
use dicom_ul::pdu::UserVariableItem;
use proptest::prelude::*;

use super::*;

/// A-ASSOCIATE-RQ of "STORESCU" to "LASTRA": Verification, Implicit VR Little Endian.
#[rustfmt::skip]
fn request_bytes() -> Vec<u8> {
    [
        &[0x01, 0, 0, 0, 0, 155][..],       // PDU type, reserved, length
        &[0, 1, 0, 0],                      // protocol version 1, reserved
        b"LASTRA          ",                // called AE title
        b"STORESCU        ",                // calling AE title
        &[0; 32],                           // reserved
        &[0x10, 0, 0, 21],                  // application context
        b"1.2.840.10008.3.1.1.1",
        &[0x20, 0, 0, 46, 1, 0, 0, 0],      // presentation context 1
        &[0x30, 0, 0, 17],                  // abstract syntax
        b"1.2.840.10008.1.1",
        &[0x40, 0, 0, 17],                  // transfer syntax
        b"1.2.840.10008.1.2",
        &[0x50, 0, 0, 8],                   // user information
        &[0x51, 0, 0, 4, 0, 0, 0x40, 0],    // maximum length 16384
    ].concat()
}

/// P-DATA-TF with two PDVs on context 3: a whole command, and the beginning of a data set.
#[rustfmt::skip]
const DATA: &[u8] = &[
    0x04, 0, 0, 0, 0, 17,                           // PDU type, reserved, length
    0, 0, 0, 5,  3, 0b11,  b'c', b'm', b'd',        // PDV: length, context, control, bytes
    0, 0, 0, 4,  3, 0b00,  b'd', b'a',
];
/// P-DATA-TF with the end of that data set.
#[rustfmt::skip]
const REST: &[u8] = &[
    0x04, 0, 0, 0, 0, 8,
    0, 0, 0, 4,  3, 0b10,  b't', b'a',
];
const RELEASE: &[u8] = &[0x05, 0, 0, 0, 0, 4, 0, 0, 0, 0];

/// Events of bytes that arrive in pieces of the lengths `cuts`, over and over; data joined.
fn events(bytes: &[u8], cuts: &[usize]) -> Result<Vec<Event>, PduError> {
    let mut decoder = Decoder::new(16_384);
    let (mut events, mut rest) = (Vec::new(), bytes);
    for cut in cuts.iter().cycle() {
        let (now, later) = rest.split_at((*cut).min(rest.len()));
        decoder.buffer().extend_from_slice(now);
        while let Some(event) = decoder.decode()? {
            join(&mut events, event);
        }
        rest = later;
        if rest.is_empty() {
            return Ok(events);
        }
    }
    Ok(events)
}

/// Adds an event; data of one PDV that was only cut by the network is put together.
fn join(events: &mut Vec<Event>, event: Event) {
    if let (Some(Event::Data(before)), Event::Data(piece)) = (events.last_mut(), &event)
        && !before.ends
        && (before.context, before.command) == (piece.context, piece.command)
    {
        before.bytes = [&before.bytes[..], &piece.bytes].concat().into();
        before.ends = piece.ends;
        return;
    }
    events.push(event);
}

fn whole(bytes: &[u8]) -> Result<Vec<Event>, PduError> {
    events(bytes, &[bytes.len().max(1)])
}

fn data(context: u8, command: bool, bytes: &'static [u8], ends: bool) -> Event {
    Event::Data(Piece { context, command, bytes: Bytes::from_static(bytes), ends })
}

fn the_request(bytes: &[u8]) -> AssociationRQ {
    match &whole(bytes).unwrap()[..] {
        [Event::AssociateRequest(request)] => (**request).clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_is_read_field_by_field() {
    let request = the_request(&request_bytes());
    assert_eq!(request.protocol_version, 1);
    assert_eq!(
        (&request.called_ae_title[..], &request.calling_ae_title[..]),
        ("LASTRA", "STORESCU")
    );
    assert_eq!(request.application_context_name, "1.2.840.10008.3.1.1.1");
    assert_eq!(request.presentation_contexts.len(), 1);
    assert_eq!(request.presentation_contexts[0].transfer_syntaxes, ["1.2.840.10008.1.2"]);
    assert_eq!(request.user_variables, [UserVariableItem::MaxLength(16_384)]);
}

#[test]
fn items_nobody_knows_are_skipped() {
    let mut bytes = request_bytes();
    bytes.extend_from_slice(&[0x7A, 0, 0, 3, 1, 2, 3]);
    bytes[5] += 7;
    assert_eq!(the_request(&bytes), the_request(&request_bytes()));
}

#[test]
fn values_come_as_pieces_with_their_ends() {
    let bytes = [DATA, REST, RELEASE].concat();
    let expected =
        vec![data(3, true, b"cmd", true), data(3, false, b"data", true), Event::ReleaseRequest];
    assert_eq!(whole(&bytes), Ok(expected));
}

#[test]
fn empty_values_and_empty_pdus_are_taken() {
    #[rustfmt::skip]
    let bytes = [
        0x04, 0, 0, 0, 0, 0,                            // no PDV at all
        0x04, 0, 0, 0, 0, 12,
        0, 0, 0, 2,  1, 0b00,                           // no bytes, goes on
        0, 0, 0, 2,  1, 0b10,                           // no bytes, ends
    ];
    assert_eq!(whole(&bytes), Ok(vec![data(1, false, b"", true)]));
}

#[test]
fn refusals_are_read_with_their_reasons() {
    let reject = [0x03, 0, 0, 0, 0, 4, 0, 2, 3, 2];
    assert_eq!(whole(&reject), Ok(vec![Event::AssociateReject(Rejection::LIMIT_EXCEEDED)]));
    let abort = [0x07, 0, 0, 0, 0, 4, 0, 0, 2, 99];
    assert_eq!(whole(&abort), Ok(vec![Event::Abort(Abort { source: 2, reason: 99 })]));
}

#[test]
fn lengths_are_checked_before_a_byte_is_waited_for() {
    let kind = 0x04;
    for (bytes, error) in [
        (
            &[0x01, 0, 0xFF, 0xFF, 0xFF, 0xF0][..],
            PduError::TooLong { kind: 1, bytes: 0xFFFF_FFF0, allowed: MAX_ASSOCIATE_BYTES },
        ),
        (&[0x04, 0, 0, 0, 0x40, 1][..], PduError::TooLong { kind, bytes: 16_385, allowed: 16_384 }),
        (&[0x05, 0, 0, 0, 0, 5][..], PduError::WrongLength { kind: 5, bytes: 5 }),
        (&[0x08, 0, 0, 0, 0, 5][..], PduError::UnknownType(8)),
        (b"GET / HTTP/1.1", PduError::UnknownType(b'G')),
        // A PDV one byte longer than its PDU, one without room for its own header, one too short.
        (
            &[4, 0, 0, 0, 0, 7, 0, 0, 0, 4, 1, 0][..],
            PduError::WrongValueLength { bytes: 4, left: 7 },
        ),
        (&[4, 0, 0, 0, 0, 3][..], PduError::WrongValueLength { bytes: 0, left: 3 }),
        (
            &[4, 0, 0, 0, 0, 7, 0, 0, 0, 1, 1, 0][..],
            PduError::WrongValueLength { bytes: 1, left: 7 },
        ),
    ] {
        assert_eq!(whole(bytes), Err(error));
    }
}

#[test]
fn a_large_pdu_needs_no_more_memory_than_a_read() {
    let length: u32 = 16 << 20;
    let mut decoder = Decoder::new(length);
    decoder.buffer().extend_from_slice(&[4, 0]);
    decoder.buffer().extend_from_slice(&length.to_be_bytes());
    decoder.buffer().extend_from_slice(&(length - 4).to_be_bytes());
    decoder.buffer().extend_from_slice(&[1, 0b10]);
    let mut bytes = 0;
    while bytes < length - 6 {
        decoder.buffer().reserve(65_536);
        let now = 65_536.min(length - 6 - bytes);
        decoder.buffer().extend_from_slice(&vec![0; now as usize]);
        while let Some(event) = decoder.decode().unwrap() {
            let Event::Data(piece) = event else { panic!("{event:?}") };
            bytes += u32::try_from(piece.bytes.len()).unwrap();
            assert_eq!(piece.ends, bytes == length - 6);
        }
        assert!(decoder.buffer().capacity() <= 256 * 1024);
    }
}

#[test]
fn a_request_with_contradicting_lengths_is_unreadable() {
    for at in [77, 99, 107, 145, 150] {
        let mut bytes = request_bytes();
        bytes[at] = 0xFF;
        let error = whole(&bytes).err();
        assert!(error.is_none_or(|e| e.abort() == Abort::INVALID_PARAMETER), "byte {at}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = whole(&bytes);
    }

    #[test]
    fn no_association_body_makes_the_decoder_panic(
        kind in 1_u8..=3,
        body in proptest::collection::vec(any::<u8>(), 0..400),
        keep in 0_usize..160,
    ) {
        // The beginning of a real request, then anything.
        let mut bytes = request_bytes();
        bytes.truncate(keep.max(6));
        bytes.extend_from_slice(&body);
        bytes[0] = kind;
        let length = u32::try_from(bytes.len() - 6).unwrap();
        bytes[2..6].copy_from_slice(&length.to_be_bytes());
        let _ = whole(&bytes);
    }

    #[test]
    fn the_cut_of_the_stream_makes_no_difference(
        cuts in proptest::collection::vec(1_usize..60, 1..8),
        damage in proptest::option::of((0_usize..250, any::<u8>())),
    ) {
        let mut bytes = [&request_bytes()[..], DATA, REST, DATA, REST, RELEASE].concat();
        if let Some((at, with)) = damage {
            let at = at % bytes.len();
            bytes[at] = with;
        }
        prop_assert_eq!(events(&bytes, &cuts), whole(&bytes));
        prop_assert_eq!(events(&bytes, &[1]), whole(&bytes));
    }
}
