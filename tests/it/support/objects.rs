//! DICOM objects made byte by byte, so that tests know exactly what they send.

use lastra::dicom::part10::MetaFields;
use lastra::dicom::part10::write_prefix;
use lastra::dicom::uid::Uid;

/// A data set in Explicit VR Little Endian, elements in the order they are added.
#[derive(Debug, Clone)]
pub struct Object {
    pub sop_class: String,
    pub sop_instance: String,
    pub study: String,
    pub series: String,
    elements: Vec<(u32, [u8; 2], Vec<u8>)>,
}

pub const CT_IMAGE: &str = "1.2.840.10008.5.1.4.1.1.2";
/// Bytes of a frame of [`Object::multi_frame`].
pub const FRAME_BYTES: usize = 256 * 256 * 2;
pub const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";

impl Object {
    /// A 16×16 CT slice of patient `patient` whose identifiers end in the numbers given.
    pub fn ct(patient: &str, study: u32, series: u32, instance: u32) -> Self {
        let root = "1.2.826.0.1.3680043.10.999";
        let mut object = Self {
            sop_class: CT_IMAGE.to_owned(),
            sop_instance: format!("{root}.{study}.{series}.{instance}"),
            study: format!("{root}.{study}"),
            series: format!("{root}.{study}.{series}"),
            elements: Vec::new(),
        };
        let (sop_class, sop_instance) = (object.sop_class.clone(), object.sop_instance.clone());
        let (study_uid, series_uid) = (object.study.clone(), object.series.clone());
        let number = instance.to_string();
        object
            .text(0x0008_0005, b"CS", "ISO_IR 192")
            .text(0x0008_0016, b"UI", &sop_class)
            .text(0x0008_0018, b"UI", &sop_instance)
            .text(0x0008_0020, b"DA", "20260301")
            .text(0x0008_0030, b"TM", "101500")
            .text(0x0008_0050, b"SH", "ACC1")
            .text(0x0008_0060, b"CS", "CT")
            .text(0x0010_0010, b"PN", "Prova^Nicolò")
            .text(0x0010_0020, b"LO", patient)
            .text(0x0020_000D, b"UI", &study_uid)
            .text(0x0020_000E, b"UI", &series_uid)
            .text(0x0020_0011, b"IS", &series.to_string())
            .text(0x0020_0013, b"IS", &number)
            .number(0x0028_0002, 1)
            .text(0x0028_0004, b"CS", "MONOCHROME2")
            .number(0x0028_0010, 16)
            .number(0x0028_0011, 16)
            .number(0x0028_0100, 16)
            .number(0x0028_0101, 16)
            .number(0x0028_0102, 15)
            .number(0x0028_0103, 0);
        let pixels: Vec<u8> =
            (0..256u16).flat_map(|p| (p * 16 + instance as u16).to_le_bytes()).collect();
        object.bytes(0x7FE0_0010, b"OW", pixels);
        object
    }

    /// An enhanced CT of so many frames of 256×256 words; the bytes of each are its number.
    pub fn multi_frame(frames: usize) -> Self {
        let mut object = Self::ct("P1", 1, 1, 1);
        object.sop_class = "1.2.840.10008.5.1.4.1.1.2.1".to_owned();
        let class = object.sop_class.clone();
        let pixels = (0..frames).flat_map(|frame| vec![frame as u8; FRAME_BYTES]).collect();
        object
            .text(0x0008_0016, b"UI", &class)
            .text(0x0028_0008, b"IS", &frames.to_string())
            .number(0x0028_0010, 256)
            .number(0x0028_0011, 256)
            .bytes(0x7FE0_0010, b"OW", pixels);
        object
    }

    /// Sets a text value, padded to even length.
    pub fn text(&mut self, tag: u32, vr: &[u8; 2], value: &str) -> &mut Self {
        self.bytes(tag, vr, padded(vr, value))
    }

    /// Sets an unsigned short.
    pub fn number(&mut self, tag: u32, value: u16) -> &mut Self {
        self.bytes(tag, b"US", value.to_le_bytes().to_vec())
    }

    /// Sets a value byte for byte.
    pub fn bytes(&mut self, tag: u32, vr: &[u8; 2], value: Vec<u8>) -> &mut Self {
        self.without(tag);
        let at = self.elements.partition_point(|element| element.0 < tag);
        self.elements.insert(at, (tag, *vr, value));
        self
    }

    /// Leaves an element out.
    pub fn without(&mut self, tag: u32) -> &mut Self {
        self.elements.retain(|element| element.0 != tag);
        self
    }

    /// The data set's bytes.
    pub fn data_set(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (tag, vr, value) in &self.elements {
            out.extend(element(*tag, vr, value));
        }
        out
    }

    /// A Part 10 file (PS3.10 §7.1) of it.
    pub fn file(&self) -> Vec<u8> {
        let uid = |text: &str| Uid::parse(text).unwrap();
        let mut file = write_prefix(&MetaFields {
            sop_class: &uid(&self.sop_class),
            sop_instance: &uid(&self.sop_instance),
            transfer_syntax: &uid(EXPLICIT_LITTLE),
            source_ae: None,
        });
        file.extend(self.data_set());
        file
    }

    /// The instance's DICOMweb path below the base URL.
    pub fn path(&self) -> String {
        format!("/studies/{}/series/{}/instances/{}", self.study, self.series, self.sop_instance)
    }
}

/// Value representations whose length takes four bytes (PS3.5 §7.1.2).
const LONG: [&[u8; 2]; 13] =
    [b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UN", b"UT", b"UC", b"UR", b"SV", b"UV"];

/// A text of even length.
fn padded(vr: &[u8; 2], text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    if bytes.len() % 2 == 1 {
        bytes.push(if vr == b"UI" { 0 } else { b' ' });
    }
    bytes
}

/// An element, its value as it is.
pub fn element(tag: u32, vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 12);
    out.extend(((tag >> 16) as u16).to_le_bytes());
    out.extend((tag as u16).to_le_bytes());
    out.extend(vr);
    if LONG.contains(&vr) {
        out.extend([0, 0]);
        out.extend((value.len() as u32).to_le_bytes());
    } else {
        out.extend((value.len() as u16).to_le_bytes());
    }
    out.extend(value);
    out
}

/// The element of a text, padded to even length.
pub fn text_element(tag: u32, vr: &[u8; 2], text: &str) -> Vec<u8> {
    element(tag, vr, &padded(vr, text))
}

/// An item of a sequence, or a fragment, with this inside (PS3.5 §7.5).
pub fn item(inside: &[u8]) -> Vec<u8> {
    let length = u32::try_from(inside.len()).unwrap().to_le_bytes();
    [&[0xFE, 0xFF, 0x00, 0xE0][..], &length, inside].concat()
}

/// The data set of a Part 10 file: what follows preamble and meta header.
pub fn data_set_of(part10: &[u8]) -> &[u8] {
    assert_eq!(&part10[128..132], b"DICM");
    // (0002,0000) UL 4: the length of the rest of group 0002 (PS3.10 §7.1).
    let length = u32::from_le_bytes(part10[140..144].try_into().unwrap()) as usize;
    &part10[144 + length..]
}
