//! Who an object is of, and by which numbers others know its examination: all of it, where
//! `dicom::header` keeps only what the index is searched by.

use std::ops::Range;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::dicom::charset::Charset;
use crate::dicom::date::date;
use crate::dicom::header_text::fact;
use crate::dicom::header_text::name;
use crate::dicom::scan::{Element, Value, Visit};

/// The most items of a sequence kept, and the most bytes of a document kept.
const MOST_ITEMS: usize = 64;

/// A number and who assigned it: a name, a universal id, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Numbered {
    /// The number.
    pub value: String,
    /// Issuer as a name.
    pub issuer: String,
    /// Issuer as a universal id.
    pub universal: String,
}

impl Numbered {
    /// Who assigned it: the universal id before the name.
    pub fn assigner(&self) -> &str {
        if self.universal.is_empty() { &self.issuer } else { &self.universal }
    }
}

/// What was collected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// Patient ID (0010,0020) with (0010,0021) and (0010,0024), then the items of Other Patient IDs
    /// Sequence (0010,1002).
    pub patient_ids: Vec<Numbered>,
    /// Patient's Name (0010,0010).
    pub name: String,
    /// Patient's Birth Date (0010,0030).
    pub birth_date: String,
    /// Patient's Sex (0010,0040).
    pub sex: String,
    /// Accession Number (0008,0050) with (0008,0051), then those of Request Attributes Sequence
    /// (0040,0275).
    pub accessions: Vec<Numbered>,
    /// Placer Order Number (0040,2016) with (0040,0026).
    pub placer: Numbered,
    /// Filler Order Number (0040,2017) with (0040,0027).
    pub filler: Numbered,
    /// MIME Type of Encapsulated Document (0042,0012).
    pub media_type: String,
    /// Encapsulated Document (0042,0011), when it is short enough to be in the header.
    pub document: Option<Vec<u8>>,
    /// Encapsulated Document Length (0042,0015); 0 when not told.
    pub document_bytes: u32,
}

/// Listens to a scan and collects an [`Identity`].
#[derive(Debug)]
pub struct IdentityCollector {
    found: Identity,
    own: Numbered,
    accession: Numbered,
    charsets: Vec<Charset>,
    /// Sequences open, outermost first.
    open: Vec<Tag>,
    big_endian: bool,
}

impl IdentityCollector {
    /// A collector.
    pub fn new(big_endian: bool) -> Self {
        Self {
            found: Identity::default(),
            own: Numbered::default(),
            accession: Numbered::default(),
            charsets: vec![Charset::DEFAULT],
            open: Vec::new(),
            big_endian,
        }
    }

    /// What was collected.
    pub fn finish(self) -> Identity {
        let mut found = self.found;
        if !self.own.value.is_empty() {
            found.patient_ids.insert(0, self.own);
        }
        if !self.accession.value.is_empty() {
            found.accessions.insert(0, self.accession);
        }
        found
    }

    fn top(&mut self, element: &Element, bytes: &[u8]) {
        let charset = self.charsets.last().copied().unwrap_or_default();
        let text = || fact(&charset.values(bytes));
        let found = &mut self.found;
        match element.tag {
            tags::PATIENT_ID => keep(&mut self.own.value, text),
            tags::ISSUER_OF_PATIENT_ID => keep(&mut self.own.issuer, text),
            tags::PATIENT_NAME => keep(&mut found.name, || name(&charset.names(bytes))),
            tags::PATIENT_BIRTH_DATE => keep(&mut found.birth_date, || date(&text())),
            tags::PATIENT_SEX => keep(&mut found.sex, text),
            tags::ACCESSION_NUMBER => keep(&mut self.accession.value, text),
            tags::PLACER_ORDER_NUMBER_IMAGING_SERVICE_REQUEST => {
                keep(&mut found.placer.value, text);
            }
            tags::FILLER_ORDER_NUMBER_IMAGING_SERVICE_REQUEST => {
                keep(&mut found.filler.value, text);
            }
            tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT => keep(&mut found.media_type, text),
            tags::ENCAPSULATED_DOCUMENT if found.document.is_none() => {
                found.document = Some(bytes.to_vec());
            }
            tags::ENCAPSULATED_DOCUMENT_LENGTH => {
                if let Ok(four) = <[u8; 4]>::try_from(bytes) {
                    let big = self.big_endian;
                    found.document_bytes =
                        if big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) };
                }
            }
            _ => {}
        }
    }

    /// An attribute inside sequences: issuers hang from what they qualify.
    fn nested(&mut self, tag: Tag, bytes: &[u8]) {
        let charset = self.charsets.last().copied().unwrap_or_default();
        let found = &mut self.found;
        let (holder, qualifier) = match self.open.as_slice() {
            [tags::ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE] => (Some(&mut self.own), true),
            [tags::ISSUER_OF_ACCESSION_NUMBER_SEQUENCE] => (Some(&mut self.accession), true),
            [tags::ORDER_PLACER_IDENTIFIER_SEQUENCE] => (Some(&mut found.placer), true),
            [tags::ORDER_FILLER_IDENTIFIER_SEQUENCE] => (Some(&mut found.filler), true),
            [tags::OTHER_PATIENT_I_DS_SEQUENCE] => (found.patient_ids.last_mut(), false),
            [tags::OTHER_PATIENT_I_DS_SEQUENCE, tags::ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE] => {
                (found.patient_ids.last_mut(), true)
            }
            [tags::REQUEST_ATTRIBUTES_SEQUENCE] => (found.accessions.last_mut(), false),
            [tags::REQUEST_ATTRIBUTES_SEQUENCE, tags::ISSUER_OF_ACCESSION_NUMBER_SEQUENCE] => {
                (found.accessions.last_mut(), true)
            }
            _ => return,
        };
        let Some(holder) = holder else { return };
        let text = || fact(&charset.values(bytes));
        match (tag, qualifier) {
            (tags::PATIENT_ID | tags::ACCESSION_NUMBER, false) => keep(&mut holder.value, text),
            (tags::ISSUER_OF_PATIENT_ID, false) | (tags::LOCAL_NAMESPACE_ENTITY_ID, true) => {
                keep(&mut holder.issuer, text);
            }
            (tags::UNIVERSAL_ENTITY_ID, true) => keep(&mut holder.universal, text),
            _ => {}
        }
    }
}

impl Visit for IdentityCollector {
    fn element(&mut self, element: &Element, value: Value<'_>) {
        let Value::Inline(bytes) = value else { return };
        if element.tag == tags::SPECIFIC_CHARACTER_SET {
            if let Some(charset) = self.charsets.last_mut() {
                *charset = Charset::parse(bytes);
            }
        } else if self.open.is_empty() {
            self.top(element, bytes);
        } else {
            self.nested(element.tag, bytes);
        }
    }

    fn begin_sequence(&mut self, element: &Element) {
        self.open.push(element.tag);
    }

    fn begin_item(&mut self) {
        self.charsets.push(self.charsets.last().copied().unwrap_or_default());
        let found = &mut self.found;
        let list = match self.open.as_slice() {
            [tags::OTHER_PATIENT_I_DS_SEQUENCE] => &mut found.patient_ids,
            [tags::REQUEST_ATTRIBUTES_SEQUENCE] => &mut found.accessions,
            _ => return,
        };
        if list.len() < MOST_ITEMS {
            list.push(Numbered::default());
        }
    }

    fn end_item(&mut self) {
        if self.charsets.len() > 1 {
            self.charsets.pop();
        }
    }

    fn end_sequence(&mut self) {
        self.open.pop();
    }

    fn begin_fragments(&mut self, _: &Element) {}

    fn offset_table(&mut self, _: &[u8]) {}

    fn fragment(&mut self, _: u64, _: Range<u64>, _: &[u8]) {}

    fn end_fragments(&mut self, _: u64) {}
}

/// Sets `place` unless an earlier attribute did.
fn keep(place: &mut String, value: impl FnOnce() -> String) {
    if place.is_empty() {
        *place = value();
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests may panic")]
mod tests {
    use dicom_dictionary_std::tags;

    use super::{Identity, IdentityCollector, Numbered};
    use crate::dicom::feed::{element, scan, sequence};

    fn collect(pieces: &[Vec<u8>]) -> Identity {
        let mut collector = IdentityCollector::new(false);
        scan(pieces, &mut collector);
        collector.finish()
    }

    fn numbered(value: &str, issuer: &str, universal: &str) -> Numbered {
        let [value, issuer, universal] = [value, issuer, universal].map(str::to_owned);
        Numbered { value, issuer, universal }
    }

    #[test]
    fn requirement_5_identifiers_are_read_with_their_issuers_wherever_they_stand() {
        let qualifier = |oid: &[u8]| {
            sequence(
                tags::ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE,
                &[[element(tags::UNIVERSAL_ENTITY_ID, "UT", oid)].concat()],
            )
        };
        let first = [
            element(tags::PATIENT_ID, "LO", b"RSSMRA79B11C566R"),
            qualifier(b"2.16.840.1.113883.2.9.4.3.2 "),
        ];
        let second = [
            element(tags::PATIENT_ID, "LO", b"X9"),
            element(tags::ISSUER_OF_PATIENT_ID, "LO", b"OTHER "),
        ];
        let identity = collect(&[
            element(tags::PATIENT_NAME, "PN", b"Rossi^Mario "),
            element(tags::PATIENT_ID, "LO", b"P1"),
            element(tags::ISSUER_OF_PATIENT_ID, "LO", b"OSP "),
            element(tags::PATIENT_BIRTH_DATE, "DA", b"19790211"),
            sequence(tags::OTHER_PATIENT_I_DS_SEQUENCE, &[first.concat(), second.concat()]),
        ]);
        assert_eq!(
            identity.patient_ids,
            [
                numbered("P1", "OSP", ""),
                numbered("RSSMRA79B11C566R", "", "2.16.840.1.113883.2.9.4.3.2"),
                numbered("X9", "OTHER", ""),
            ]
        );
        assert_eq!(identity.patient_ids[1].assigner(), "2.16.840.1.113883.2.9.4.3.2");
        assert_eq!(
            (identity.name.as_str(), identity.birth_date.as_str()),
            ("Rossi^Mario", "19790211")
        );
    }

    #[test]
    fn order_numbers_are_read_with_their_issuers() {
        let of = |tag, namespace: &[u8]| {
            sequence(tag, &[element(tags::LOCAL_NAMESPACE_ENTITY_ID, "UT", namespace)])
        };
        let request = [
            element(tags::ACCESSION_NUMBER, "SH", b"A2"),
            of(tags::ISSUER_OF_ACCESSION_NUMBER_SEQUENCE, b"RIS2"),
        ];
        let identity = collect(&[
            element(tags::ACCESSION_NUMBER, "SH", b"A1"),
            of(tags::ISSUER_OF_ACCESSION_NUMBER_SEQUENCE, b"RIS "),
            of(tags::ORDER_PLACER_IDENTIFIER_SEQUENCE, b"CUP "),
            sequence(tags::REQUEST_ATTRIBUTES_SEQUENCE, &[request.concat()]),
            element(tags::PLACER_ORDER_NUMBER_IMAGING_SERVICE_REQUEST, "LO", b"120A4 "),
        ]);
        assert_eq!(identity.accessions, [numbered("A1", "RIS", ""), numbered("A2", "RIS2", "")]);
        assert_eq!(identity.placer, numbered("120A4", "CUP", ""));
    }
}
