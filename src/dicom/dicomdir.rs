//! The directory of a File-set with one study (PS3.3 §F.3, PS3.10 §8.6): DICOMDIR, written record
//! by record as its files go by.
//!
//! Values are the objects' own, as UTF-8; what an object leaves empty stays empty, nothing is made
//! up for it.

use dicom_core::{Tag, VR};
use sha2::{Digest, Sha256};

use crate::dicom::dicomdir_table::{PATIENT, SERIES, STUDY, keys_of, record_type};
use crate::dicom::native::tag_of;
use crate::dicom::part10::{MetaFields, write_prefix};
use crate::dicom::syntax::EXPLICIT_LITTLE;
use crate::dicom::tree::Item;
use crate::dicom::uid::Uid;
use crate::dicom::write::{DataSet, Piece, element_header, item_header};

/// Media Storage Directory Storage.
const MEDIA_STORAGE_DIRECTORY: &str = "1.2.840.10008.1.3.10";
const FILE_SET_ID: &[u8] = b"LASTRA";
const CONCEPT_NAME: Tag = Tag(0x0040, 0xA043);
const CHARSET: Tag = Tag(0x0008, 0x0005);
const REFERENCED_SERIES: Tag = Tag(0x0008, 0x1115);
const REFERENCED_IMAGE: Tag = Tag(0x0008, 0x1140);
const BLENDING: Tag = Tag(0x0070, 0x0402);

/// The sequences of an object of this class that its records say something of.
pub fn heard(sop_class: &str) -> &'static [Tag] {
    match record_type(sop_class, false) {
        "PRESENTATION" => &[REFERENCED_SERIES, CONCEPT_NAME, BLENDING],
        _ => &[CONCEPT_NAME],
    }
}

/// What the records of an object's patient, study, series and of itself say.
#[derive(Debug, Clone)]
pub struct Facts {
    patient: DataSet,
    study: DataSet,
    series: DataSet,
    leaf: DataSet,
    kind: &'static str,
}

/// Where an object's file is, and what it holds.
#[derive(Debug, Clone, Copy)]
pub struct Referenced<'a> {
    /// Its File ID: components from the root on.
    pub file_id: &'a [String],
    /// SOP Class UID.
    pub sop_class: &'a str,
    /// SOP Instance UID.
    pub sop_instance: &'a str,
    /// Transfer syntax of the file.
    pub transfer_syntax: &'a str,
}

/// A directory being written.
#[derive(Debug, Default)]
pub struct Directory {
    records: Vec<u8>,
    /// Places in `records` that hold the place of a record.
    links: Vec<(usize, usize)>,
    study: Option<usize>,
    series: Option<(i64, usize)>,
    leaf: Option<usize>,
}

/// The place, in a record's item, of the offset of the next record, and of the first below it:
/// item header, element header, value, each known.
const NEXT_AT: usize = 16;
const LOWER_AT: usize = 38;

impl Facts {
    /// What a data set says; `pixels`: it has pixel data.
    pub fn of(root: Item<'_>, sop_class: &str, pixels: bool) -> Self {
        let kind = record_type(sop_class, pixels);
        let mut leaf = values(root, keys_of(kind));
        if let Some(concept) = root.first(CONCEPT_NAME) {
            let code = values(
                concept,
                &[(0x0008_0100, VR::SH), (0x0008_0102, VR::SH), (0x0008_0104, VR::LO)],
            );
            leaf.put(CONCEPT_NAME, VR::SQ, &item(&code));
        }
        if kind == "PRESENTATION" {
            presented(root, &mut leaf);
        }
        Self {
            patient: values(root, PATIENT),
            study: values(root, STUDY),
            series: values(root, SERIES),
            leaf,
            kind,
        }
    }
}

impl Directory {
    /// Enters a file; those of a series come one after the other. `series` tells it from others.
    pub fn add(&mut self, series: i64, facts: Facts, file: &Referenced<'_>) {
        let study = self.study.unwrap_or_else(|| {
            let patient = self.push("PATIENT", facts.patient);
            let study = self.push("STUDY", facts.study);
            self.links.push((patient.saturating_add(LOWER_AT), study));
            study
        });
        self.study = Some(study);
        let above = match self.series {
            Some((known, record)) if known == series => record,
            before => {
                let record = self.push("SERIES", facts.series);
                let link = before.map_or(study.saturating_add(LOWER_AT), |(_, before)| {
                    before.saturating_add(NEXT_AT)
                });
                self.links.push((link, record));
                self.leaf = None;
                record
            }
        };
        self.series = Some((series, above));
        let mut leaf = facts.leaf;
        leaf.put(Tag(0x0004, 0x1500), VR::CS, file.file_id.join("\\").as_bytes());
        leaf.put(Tag(0x0004, 0x1510), VR::UI, file.sop_class.as_bytes());
        leaf.put(Tag(0x0004, 0x1511), VR::UI, file.sop_instance.as_bytes());
        leaf.put(Tag(0x0004, 0x1512), VR::UI, file.transfer_syntax.as_bytes());
        if facts.kind == "PRIVATE" {
            leaf.put(Tag(0x0004, 0x1432), VR::UI, file.sop_class.as_bytes());
        }
        let record = self.push(facts.kind, leaf);
        let link = self
            .leaf
            .map_or(above.saturating_add(LOWER_AT), |before| before.saturating_add(NEXT_AT));
        self.links.push((link, record));
        self.leaf = Some(record);
    }

    fn push(&mut self, kind: &str, mut record: DataSet) -> usize {
        let place = self.records.len();
        record.put(Tag(0x0004, 0x1400), VR::UL, &[0; 4]);
        record.put(Tag(0x0004, 0x1410), VR::US, &[0xFF, 0xFF]);
        record.put(Tag(0x0004, 0x1420), VR::UL, &[0; 4]);
        record.put(Tag(0x0004, 0x1430), VR::CS, kind.as_bytes());
        self.records.extend(item(&record));
        place
    }

    /// The file. Its SOP Instance UID is made of its content; a UID that does not parse gives none.
    pub fn finish(mut self) -> Option<Vec<u8>> {
        let hash = Sha256::digest(&self.records);
        let number = u128::from_be_bytes(*hash.first_chunk()?);
        let mut file = write_prefix(&MetaFields {
            sop_class: &Uid::parse(MEDIA_STORAGE_DIRECTORY).ok()?,
            sop_instance: &Uid::parse(&format!("2.25.{number}")).ok()?,
            transfer_syntax: &Uid::parse(EXPLICIT_LITTLE).ok()?,
            source_ae: None,
        });
        let mut root = DataSet::default();
        root.put(Tag(0x0004, 0x1130), VR::CS, FILE_SET_ID);
        for (tag, element) in [(0x1200, [0; 4]), (0x1202, [0; 4])] {
            root.put(Tag(0x0004, tag), VR::UL, &element);
        }
        root.put(Tag(0x0004, 0x1212), VR::US, &[0, 0]);
        let sequence = element_header(
            Tag(0x0004, 0x1220),
            VR::SQ,
            u64::try_from(self.records.len()).unwrap_or(u64::MAX),
        );
        let head = bytes(&root).len().saturating_add(sequence.as_ref().map_or(12, Vec::len));
        let base = file.len().saturating_add(head);
        let place = |record: usize| u32::try_from(base.saturating_add(record)).ok();
        for (at, record) in std::mem::take(&mut self.links) {
            let value = self.records.get_mut(at..at.checked_add(4)?)?;
            value.copy_from_slice(&place(record)?.to_le_bytes());
        }
        if self.study.is_some() {
            // The one patient is first and last of the root's.
            for tag in [0x1200, 0x1202] {
                root.put(Tag(0x0004, tag), VR::UL, &place(0)?.to_le_bytes());
            }
        }
        file.extend(bytes(&root));
        file.extend(sequence.ok()?);
        file.append(&mut self.records);
        Some(file)
    }
}

/// What a presentation state is of (PS3.3 §F.5.19): the series and images, or what is blended.
fn presented(root: Item<'_>, record: &mut DataSet) {
    if root.has(REFERENCED_SERIES) {
        record.put(REFERENCED_SERIES, VR::SQ, &referenced_series(root));
    }
    let mut blended = Vec::new();
    for input in root.items(BLENDING) {
        let mut one = values(input, &[(0x0020_000D, VR::UI), (0x0070_0405, VR::CS)]);
        one.put(REFERENCED_SERIES, VR::SQ, &referenced_series(input));
        blended.extend(item(&one));
    }
    if !blended.is_empty() {
        record.put(BLENDING, VR::SQ, &blended);
    }
}

/// The items of Referenced Series Sequence.
fn referenced_series(of: Item<'_>) -> Vec<u8> {
    let mut items = Vec::new();
    for series in of.items(REFERENCED_SERIES) {
        let mut images = Vec::new();
        for image in series.items(REFERENCED_IMAGE) {
            let mut one = values(image, &[(0x0008_1150, VR::UI), (0x0008_1155, VR::UI)]);
            // Only those frames, or segments.
            for (number, vr) in [(0x0008_1160, VR::IS), (0x0062_000B, VR::US)] {
                if image.has(tag_of(number)) {
                    put(image, number, vr, &mut one);
                }
            }
            images.extend(item(&one));
        }
        let mut one = values(series, &[(0x0020_000E, VR::UI)]);
        if series.has(REFERENCED_IMAGE) {
            one.put(REFERENCED_IMAGE, VR::SQ, &images);
        }
        items.extend(item(&one));
    }
    items
}

/// The values of these attributes, each there, empty or not.
fn values(of: Item<'_>, keys: &[(u32, VR)]) -> DataSet {
    let mut record = DataSet::default();
    for (number, vr) in keys {
        put(of, *number, *vr, &mut record);
    }
    record
}

fn put(of: Item<'_>, number: u32, vr: VR, record: &mut DataSet) {
    let tag = tag_of(number);
    match vr {
        VR::US => {
            let words: Vec<u8> = of.table(tag).into_iter().flat_map(u16::to_le_bytes).collect();
            record.put(tag, vr, &words);
        }
        VR::UL => {
            let word = of.whole(tag).map(u32::to_le_bytes);
            record.put(tag, vr, word.as_ref().map_or(&[], |word| word.as_slice()));
        }
        _ => {
            let text = of.text(tag).unwrap_or_default();
            if !text.is_ascii() {
                record.put(CHARSET, VR::CS, b"ISO_IR 192");
            }
            record.put(tag, vr, text.as_bytes());
        }
    }
}

fn bytes(data_set: &DataSet) -> Vec<u8> {
    let pieces = data_set.pieces();
    let bytes = pieces.iter().map(|piece| match piece {
        Piece::Bytes(bytes) => &bytes[..],
        Piece::Hole(_) => &[],
    });
    bytes.collect::<Vec<_>>().concat()
}

fn item(data_set: &DataSet) -> Vec<u8> {
    let body = bytes(data_set);
    let mut item = item_header(u32::try_from(body.len()).unwrap_or(u32::MAX)).to_vec();
    item.extend(body);
    item
}

#[cfg(test)]
mod tests;
