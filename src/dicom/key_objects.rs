//! Key object selections (PS3.3 §A.35.4): their title, and the instances they refer to, heard as the
//! document comes in.
//!
//! Iterative, bounded by [`MAX_REFERENCES`]. Of other objects nothing is kept, and hearing them costs
//! one comparison an element.

use std::ops::Range;

use dicom_core::Tag;

use crate::dicom::scan::{Element, Value, Visit};
use crate::dicom::uid::Uid;

/// The most instances one document may refer to.
pub const MAX_REFERENCES: usize = 50_000;

/// What a key object selection says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Code Value and Coding Scheme Designator of its title.
    pub title: (String, String),
    /// Study, series and instance of everything in Current Requested Procedure Evidence Sequence.
    pub references: Vec<(Uid, Uid, Uid)>,
    /// Whether each item of the sequence was a whole reference, and none was too many.
    pub is_whole: bool,
}

/// Hears a data set.
#[derive(Debug, Default)]
pub struct KeyObjects {
    is_one: bool,
    /// Sequences open, while it is one.
    open: Vec<Tag>,
    title: (String, String),
    found: Vec<Found>,
    /// Items that are to refer to an instance.
    items: usize,
    /// Where in `found` the open item of the study, and of the series, begins: their UIDs come
    /// behind what is in them.
    study_from: usize,
    series_from: usize,
    study: Option<Uid>,
    series: Option<Uid>,
    cut: bool,
}

#[derive(Debug)]
struct Found {
    study: Option<Uid>,
    series: Option<Uid>,
    instance: Uid,
}

impl KeyObjects {
    /// What was heard; `None` when it was no key object selection.
    pub fn finish(self) -> Option<Selection> {
        if !self.is_one {
            return None;
        }
        let whole = |found: Found| Some((found.study?, found.series?, found.instance));
        let references: Vec<_> = self.found.into_iter().filter_map(whole).collect();
        let is_whole = !self.cut && references.len() == self.items;
        Some(Selection { title: self.title, references, is_whole })
    }

    fn value(&mut self, tag: Tag, bytes: &[u8]) {
        let text = || String::from_utf8_lossy(bytes).trim_matches([' ', '\0']).to_owned();
        let uid = || Uid::parse(&String::from_utf8_lossy(bytes)).ok();
        match (self.open.as_slice(), tag) {
            // Only the first item's count: a title is one code.
            ([CONCEPT_NAME], CODE_VALUE) if self.title.0.is_empty() => self.title.0 = text(),
            ([CONCEPT_NAME], SCHEME) if self.title.1.is_empty() => self.title.1 = text(),
            ([EVIDENCE], STUDY_UID) => self.study = uid(),
            ([EVIDENCE, SERIES], SERIES_UID) => self.series = uid(),
            ([EVIDENCE, SERIES, SOPS], REFERENCED_INSTANCE) => match uid() {
                Some(instance) if self.found.len() < MAX_REFERENCES => {
                    self.found.push(Found { study: None, series: None, instance });
                }
                _ => self.cut = true,
            },
            _ => {}
        }
    }

    fn since(&mut self, at: usize) -> &mut [Found] {
        self.found.get_mut(at..).unwrap_or_default()
    }
}

impl Visit for KeyObjects {
    fn element(&mut self, element: &Element, value: Value<'_>) {
        let Value::Inline(bytes) = value else { return };
        if self.is_one {
            self.value(element.tag, bytes);
        } else if element.tag == SOP_CLASS && element.depth == 0 {
            let class = bytes.strip_suffix(b"\0").unwrap_or(bytes).trim_ascii_end();
            self.is_one = class == KEY_OBJECT_SELECTION.as_bytes();
        }
    }

    fn begin_sequence(&mut self, element: &Element) {
        if self.is_one {
            self.open.push(element.tag);
        }
    }

    fn begin_item(&mut self) {
        match self.open.as_slice() {
            [EVIDENCE] => (self.study, self.study_from) = (None, self.found.len()),
            [EVIDENCE, SERIES] => (self.series, self.series_from) = (None, self.found.len()),
            [EVIDENCE, SERIES, SOPS] => self.items = self.items.saturating_add(1),
            _ => {}
        }
    }

    fn end_item(&mut self) {
        match self.open.as_slice() {
            [EVIDENCE] => {
                let study = self.study.take();
                let from = self.study_from;
                self.since(from).iter_mut().for_each(|found| found.study.clone_from(&study));
            }
            [EVIDENCE, SERIES] => {
                let series = self.series.take();
                let from = self.series_from;
                self.since(from).iter_mut().for_each(|found| found.series.clone_from(&series));
            }
            _ => {}
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

/// Key Object Selection Document Storage (PS3.4 Table B.5-1).
pub const KEY_OBJECT_SELECTION: &str = "1.2.840.10008.5.1.4.1.1.88.59";

const SOP_CLASS: Tag = Tag(0x0008, 0x0016);
const CODE_VALUE: Tag = Tag(0x0008, 0x0100);
const SCHEME: Tag = Tag(0x0008, 0x0102);
const SERIES: Tag = Tag(0x0008, 0x1115);
const REFERENCED_INSTANCE: Tag = Tag(0x0008, 0x1155);
const SOPS: Tag = Tag(0x0008, 0x1199);
const STUDY_UID: Tag = Tag(0x0020, 0x000D);
const SERIES_UID: Tag = Tag(0x0020, 0x000E);
const CONCEPT_NAME: Tag = Tag(0x0040, 0xA043);
const EVIDENCE: Tag = Tag(0x0040, 0xA375);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dicom::feed::{element, scan, sequence};
    use crate::dicom::limits::Limits;
    use crate::dicom::scan::Scanner;
    use crate::dicom::syntax::Encoding;

    fn ui(tag: Tag, uid: &str) -> Vec<u8> {
        let pad = if uid.len() % 2 == 1 { "\0" } else { "" };
        element(tag, "UI", format!("{uid}{pad}").as_bytes())
    }

    fn series(uid: &str, instances: &[&str]) -> Vec<u8> {
        let items: Vec<_> = instances.iter().map(|i| ui(REFERENCED_INSTANCE, i)).collect();
        [sequence(SOPS, &items), ui(SERIES_UID, uid)].concat()
    }

    fn note(class: &str, studies: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let title = [element(CODE_VALUE, "SH", b"113001"), element(SCHEME, "SH", b"DCM ")].concat();
        vec![
            ui(SOP_CLASS, class),
            ui(STUDY_UID, "1.9"),
            sequence(CONCEPT_NAME, &[title]),
            sequence(EVIDENCE, studies),
        ]
    }

    fn heard(pieces: &[Vec<u8>]) -> Option<Selection> {
        let mut heard = KeyObjects::default();
        scan(pieces, &mut heard);
        heard.finish()
    }

    #[test]
    fn every_reference_has_the_series_and_study_it_stands_in() {
        let study =
            |uid: &str, all: &[Vec<u8>]| [sequence(SERIES, all), ui(STUDY_UID, uid)].concat();
        let one =
            study("1.1", &[series("1.1.1", &["1.1.1.1", "1.1.1.2"]), series("1.1.2", &["3"])]);
        let two = study("1.2", &[series("1.2.1", &["4"])]);
        let selection = heard(&note(KEY_OBJECT_SELECTION, &[one, two])).unwrap();
        assert_eq!(selection.title, ("113001".to_owned(), "DCM".to_owned()));
        let texts: Vec<String> = selection
            .references
            .iter()
            .map(|(study, series, instance)| {
                format!("{} {} {}", study.as_str(), series.as_str(), instance.as_str())
            })
            .collect();
        assert_eq!(texts, ["1.1 1.1.1 1.1.1.1", "1.1 1.1.1 1.1.1.2", "1.1 1.1.2 3", "1.2 1.2.1 4"]);
        assert!(selection.is_whole);
    }

    #[test]
    fn of_other_objects_nothing_is_kept_and_a_reference_without_its_study_is_told() {
        assert_eq!(heard(&note("1.2.840.10008.5.1.4.1.1.88.11", &[])), None);
        let lost = sequence(SERIES, &[series("1.1.1", &["1.1.1.1"])]);
        let selection = heard(&note(KEY_OBJECT_SELECTION, &[lost])).unwrap();
        assert!(!selection.is_whole && selection.references.is_empty());
    }

    #[test]
    fn an_item_that_names_nothing_is_told() {
        let nameless = sequence(SOPS, &[ui(SOP_CLASS, "1.2"), ui(REFERENCED_INSTANCE, "1.5")]);
        let series = [nameless, ui(SERIES_UID, "1.4")].concat();
        let study = [sequence(SERIES, &[series]), ui(STUDY_UID, "1.3")].concat();
        let selection = heard(&note(KEY_OBJECT_SELECTION, &[study])).unwrap();
        assert_eq!((selection.references.len(), selection.is_whole), (1, false));
    }

    #[test]
    fn a_flood_of_references_is_cut_and_told() {
        let items = vec![ui(REFERENCED_INSTANCE, "1.5"); MAX_REFERENCES + 1];
        let series = [sequence(SOPS, &items), ui(SERIES_UID, "1.4")].concat();
        let study = [sequence(SERIES, &[series]), ui(STUDY_UID, "1.3")].concat();
        let selection = heard(&note(KEY_OBJECT_SELECTION, &[study])).unwrap();
        assert_eq!((selection.references.len(), selection.is_whole), (MAX_REFERENCES, false));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(cut in 0_usize..400, bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let study = [sequence(SERIES, &[series("1.4", &["1.5"])]), ui(STUDY_UID, "1.3")].concat();
            let mut whole = note(KEY_OBJECT_SELECTION, &[study]).concat();
            whole.truncate(cut);
            whole.extend(bytes);
            let mut scanner = Scanner::new(Encoding::ExplicitLittle, Limits::DEFAULT);
            let mut heard = KeyObjects::default();
            let _ = scanner.push(&whole, &mut heard).and_then(|()| scanner.finish(&mut heard).map(drop));
            let _ = heard.finish();
        }
    }
}
