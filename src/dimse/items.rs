//! The items of an association request or its answer, made safe for the codec (PS3.8 §9.3.2, PS3.7
//! §D.3.3).
//!
//! The codec refuses items and sub-items it does not know, and trusts the lengths inside those it
//! does. PS3.8 §9.3.1 has unknown ones ignored, and nobody's association should fail over a
//! user identity that is cut short: such items are left out before the codec sees them.

/// Protocol version, AE titles and reserved bytes come before the items (PS3.8 Table 9-11).
const BEFORE_ITEMS: usize = 68;
/// Presentation context id and three reserved bytes or a result come before its sub-items.
const BEFORE_SYNTAXES: usize = 4;
/// Item type, a reserved byte, length.
const HEADER: usize = 4;

/// The body of an A-ASSOCIATE-RQ or -AC without items nobody knows and without user information
/// that contradicts itself. An item cut short by the end of the PDU is kept: the codec refuses it.
pub(in crate::dimse) fn sound(body: &[u8]) -> Vec<u8> {
    let (fixed, items) = body.split_at(BEFORE_ITEMS.min(body.len()));
    let mut kept = fixed.to_vec();
    each(items, &mut kept, |kind, body, kept| match kind {
        0x10 => put(kept, kind, body),
        0x20 | 0x21 => {
            let (fixed, syntaxes) = body.split_at(BEFORE_SYNTAXES.min(body.len()));
            let mut sound = fixed.to_vec();
            each(syntaxes, &mut sound, |kind, body, sound| {
                if matches!(kind, 0x30 | 0x40) {
                    put(sound, kind, body);
                }
            });
            put(kept, kind, &sound);
        }
        0x50 => {
            let mut sound = Vec::with_capacity(body.len());
            each(body, &mut sound, |kind, body, sound| {
                if is_sound(kind, body) {
                    put(sound, kind, body);
                }
            });
            put(kept, kind, &sound);
        }
        _ => {}
    });
    kept
}

/// Hands every item to `take`; what is left of one that is cut short goes out as it came.
fn each(mut items: &[u8], out: &mut Vec<u8>, take: impl Fn(u8, &[u8], &mut Vec<u8>)) {
    while let Some((&[kind, _, high, low], rest)) = items.split_first_chunk::<HEADER>() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some((body, rest)) = rest.split_at_checked(length) else { break };
        take(kind, body, out);
        items = rest;
    }
    out.extend_from_slice(items);
}

fn put(out: &mut Vec<u8>, kind: u8, body: &[u8]) {
    // Never longer than the item it was.
    let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&[kind, 0]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(body);
}

/// Whether a sub-item of the user information holds what its lengths say.
fn is_sound(kind: u8, body: &[u8]) -> bool {
    match kind {
        // Maximum length.
        0x51 => body.len() == 4,
        // Roles: a SOP class, two bytes.
        0x54 => after_field(body).is_some_and(|rest| rest.len() == 2),
        // Extended negotiation: a SOP class, anything.
        0x56 => after_field(body).is_some(),
        // User identity: type, response requested, two fields (PS3.7 §D.3.3.7.1).
        0x58 => {
            body.get(2..).and_then(after_field).and_then(after_field).is_some_and(<[u8]>::is_empty)
        }
        _ => true,
    }
}

/// What follows a field with its length in front.
fn after_field(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.get(usize::from(u16::from_be_bytes(*length))..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, kind, body);
        out
    }

    fn with_items(items: &[Vec<u8>]) -> Vec<u8> {
        [vec![7; BEFORE_ITEMS], items.concat()].concat()
    }

    #[test]
    fn what_nobody_knows_is_left_out_at_every_level() {
        let syntaxes = [item(0x30, b"1.2"), item(0x3F, b"?"), item(0x40, b"1.3")];
        let context = [vec![1, 0, 0, 0], syntaxes.concat()].concat();
        let body = with_items(&[item(0x10, b"1.1"), item(0x22, b"?"), item(0x20, &context)]);
        let syntaxes = [item(0x30, b"1.2"), item(0x40, b"1.3")];
        let context = [vec![1, 0, 0, 0], syntaxes.concat()].concat();
        assert_eq!(sound(&body), with_items(&[item(0x10, b"1.1"), item(0x20, &context)]));
    }

    #[test]
    fn user_information_that_contradicts_itself_is_left_out() {
        let good = [
            item(0x51, &[0, 0, 64, 0]),
            item(0x54, &[0, 3, b'1', b'.', b'2', 1, 0]),
            item(0x56, &[0, 3, b'1', b'.', b'2', 9, 9]),
            item(0x58, &[1, 1, 0, 1, b'u', 0, 0]),
            item(0x77, b"from a later edition"),
        ]
        .concat();
        let bad = [
            item(0x51, &[0, 64]),
            item(0x54, &[0, 9, b'1', b'.', b'2', 1, 0]),
            item(0x56, &[0xFF, 0xFF]),
            item(0x58, &[1, 1, 0, 1, b'u']),
            item(0x58, &[]),
        ]
        .concat();
        let both = with_items(&[item(0x50, &[bad, good.clone()].concat())]);
        assert_eq!(sound(&both), with_items(&[item(0x50, &good)]));
    }

    #[test]
    fn an_item_cut_short_is_left_for_the_codec_to_refuse() {
        let body = [with_items(&[item(0x10, b"1.1")]), vec![0x20, 0, 0xFF, 0xFF, 1]].concat();
        assert_eq!(sound(&body), body);
        assert_eq!(sound(b"short"), b"short");
    }
}
