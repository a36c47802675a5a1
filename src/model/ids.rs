//! Ids of resources: stable, opaque, and never holding anything about a person.
//!
//! Patients and links are numbered rows, their numbers stirred so that nobody reads an order into them.
//! Documents go by the SHA-256 of their bytes. Studies go by their UID, written in FHIR's letters, and
//! two letters that tell apart the patients it may be kept under: deleted and restored it is the same.
//! Manifests go by their study's.

use base64::Engine;
use base64::alphabet::Alphabet;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;
use sha2::Digest;
use sha2::Sha256;

use crate::people::patient_id::PatientId;

/// The letters of an id (FHIR R4 §2.24.0.1, `id`).
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";
/// The most letters of an id.
pub const MAX_LETTERS: usize = 64;

/// Whether a text may be an id.
pub fn is_id(text: &str) -> bool {
    (1..=MAX_LETTERS).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

/// The id of a person, by their row.
pub fn of_person(row: i64) -> String {
    format!("{:016x}", stirred(row.cast_unsigned()))
}

/// The row of a person.
pub fn person(id: &str) -> Option<i64> {
    let number = (id.len() == 16).then(|| u64::from_str_radix(id, 16).ok())??;
    (of_person(unstirred(number).cast_signed()) == id).then(|| unstirred(number).cast_signed())
}

/// The id of a link: its row, and when it was made, so that a row used again is another's.
pub fn of_link(row: i64, made_us: i64) -> String {
    format!("{:016x}-{:x}", stirred(row.cast_unsigned()), stirred(made_us.cast_unsigned()) >> 32)
}

/// The row of a link; whoever looks it up compares the whole id.
pub fn link(id: &str) -> Option<i64> {
    person(id.split_once('-')?.0)
}

/// The id of a document.
pub fn of_document(sha256: &[u8; 32]) -> String {
    sha256.iter().fold(String::with_capacity(64), |mut id, byte| {
        for digit in [byte >> 4, byte & 15] {
            id.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
        id
    })
}

/// The SHA-256 of a document.
pub fn document(id: &str) -> Option<[u8; 32]> {
    if id.len() != 64 || id.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut hash = [0; 32];
    for (place, pair) in hash.iter_mut().zip(id.as_bytes().chunks_exact(2)) {
        *place = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

/// The id of a study.
pub fn of_study(uid: &str, patient: &PatientId) -> String {
    let check = check_of(uid, patient);
    let digits: Option<Vec<u8>> = uid.bytes().map(nibble).collect();
    match digits {
        Some(digits) if uid.len() <= 64 => {
            let bytes: Vec<u8> = digits.chunks(2).map(packed).collect();
            format!("u{}{check}", letters().encode(bytes))
        }
        _ if uid.len() <= 45 => format!("t{}{check}", letters().encode(uid)),
        // No UID is so: its study can be found, and not be read by its id.
        _ => format!("x{}", of_document(&Sha256::digest(uid).into()).get(..40).unwrap_or_default()),
    }
}

/// The UID an id of a study says; whoever looks it up compares the whole id.
pub fn study(id: &str) -> Option<String> {
    let text = id.get(1..id.len().checked_sub(2)?)?;
    let bytes = letters().decode(text).ok()?;
    match id.as_bytes().first()? {
        b'u' => {
            let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            let digits = digits.take_while(|digit| *digit != 15);
            digits
                .map(
                    |digit| {
                        if digit == 10 { Some('.') } else { char::from_digit(digit.into(), 10) }
                    },
                )
                .collect()
        }
        b't' => String::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// The id of a study's manifest: a letter for its form before the study's id, so that no document, of
/// hexadecimal digits all through, is called so.
pub fn of_manifest(form: char, study: &str) -> String {
    format!("{form}{study}")
}

/// The form and the study's id of a manifest's; `None` when it is none.
pub fn manifest(id: &str) -> Option<(char, &str)> {
    let mut letters = id.chars();
    let form = letters.next()?;
    is_id(id).then_some((form, letters.as_str())).filter(|(_, own)| study(own).is_some())
}

/// The id of an organization, by the name its numbers are kept under.
pub fn of_organization(kept: &str) -> String {
    of_document(&Sha256::digest(kept).into()).get(..16).unwrap_or_default().to_owned()
}

fn letters() -> GeneralPurpose {
    // The letters are right, so that the standard ones never take their place.
    let alphabet = Alphabet::new(LETTERS).unwrap_or(base64::alphabet::STANDARD);
    GeneralPurpose::new(&alphabet, NO_PAD)
}

fn nibble(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'.' => Some(10),
        _ => None,
    }
}

fn packed(pair: &[u8]) -> u8 {
    let (high, low) = (pair.first().copied().unwrap_or(15), pair.get(1).copied().unwrap_or(15));
    (high << 4) | low
}

/// Two letters: enough to tell two patients apart, too few to guess one.
fn check_of(uid: &str, patient: &PatientId) -> String {
    let text = format!("{uid}\0{}\0{}", patient.issuer, patient.value);
    let hash = Sha256::digest(text);
    let letter = |at: usize| {
        let index = usize::from(hash.get(at).copied().unwrap_or(0) & 63);
        LETTERS.get(index..=index).unwrap_or("A")
    };
    format!("{}{}", letter(0), letter(1))
}

/// One to one, and far apart for neighbours (the last step of `MurmurHash3`).
fn stirred(number: u64) -> u64 {
    let number = (number ^ (number >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let number = (number ^ (number >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    number ^ (number >> 33)
}

fn unstirred(number: u64) -> u64 {
    let number = (number ^ (number >> 33)).wrapping_mul(0x9cb4_b2f8_1293_37db);
    let number = (number ^ (number >> 33)).wrapping_mul(0x4f74_430c_22a5_4005);
    number ^ (number >> 33)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        document, is_id, link, manifest, of_document, of_link, of_manifest, of_person, of_study,
        person, study,
    };
    use crate::people::patient_id::PatientId;

    fn patient(value: &str) -> PatientId {
        PatientId { issuer: "H".to_owned(), value: value.to_owned() }
    }

    #[test]
    fn ids_say_nothing_of_whom_they_are_and_tell_patients_apart() {
        let uid = "2.25.324285592026785104557929812395579159519";
        let (one, other) =
            (of_study(uid, &patient("RSSMRA79B11C566R")), of_study(uid, &patient("2")));
        assert_ne!(one, other);
        assert_eq!((study(&one), study(&other)), (Some(uid.to_owned()), Some(uid.to_owned())));
        assert_ne!(of_person(1), of_person(2));
        assert!(!of_person(1).starts_with("00000000"));
        for odd in ["", "1", "zzzzzzzzzzzzzzzz", "ffffffffffffffffff"] {
            assert_eq!((person(odd), document(odd)), (None, None), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn every_id_is_an_id_and_leads_back(
            uid in "[0-9.]{1,64}|[A-Za-z0-9 _è]{1,20}", row in any::<i64>(), hash in any::<[u8; 32]>()
        ) {
            let id = of_study(&uid, &patient("1"));
            prop_assert!(is_id(&id), "{}", id);
            let manifest_id = of_manifest('k', &id);
            prop_assert!(is_id(&manifest_id) && document(&manifest_id).is_none(), "{}", manifest_id);
            prop_assert_eq!(manifest(&manifest_id), Some(('k', id.as_str())));
            prop_assert!(manifest(&of_document(&hash)).is_none());
            prop_assert_eq!(study(&id), Some(uid));
            prop_assert_eq!(person(&of_person(row)), Some(row));
            prop_assert_eq!(link(&of_link(row, 7)), Some(row));
            prop_assert!(is_id(&of_link(row, i64::MAX)));
            prop_assert_eq!(document(&of_document(&hash)), Some(hash));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = (person(&text), link(&text), document(&text), study(&text), is_id(&text));
            let _ = manifest(&text);
        }
    }
}
