//! Attributes the administrator wants searched beside those the index always keeps: what they are,
//! and what an object says of them.
//!
//! [`ExtendedCollector`] hears a scan beside the header's own collector and keeps values to match,
//! and DICOM JSON to answer with. Private attributes are kept under a block of their creator's own
//! (PS3.5 §7.8.1), whichever block the object gave it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use serde_json::value::RawValue;

use crate::dicom::charset::Charset;
use crate::dicom::header_text::{fact, number};
use crate::dicom::json::JsonWriter;
use crate::dicom::native::parse_tag;
use crate::dicom::scan::{Element, Value, Visit};
use crate::dicom::syntax::Encoding;

/// Most attributes one archive may declare.
pub const MAX_DECLARED: usize = 64;

/// Most values of one object that are kept for all of them.
const MAX_FACTS: usize = 256;

/// Whose attribute it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// The patient's.
    Patient,
    /// The study's.
    Study,
    /// The series'.
    Series,
    /// The instance's.
    Instance,
}

impl Owner {
    /// All, from the top.
    pub const ALL: [Self; 4] = [Self::Patient, Self::Study, Self::Series, Self::Instance];

    /// Reads a setting.
    pub fn parse(text: &str) -> Option<Self> {
        let names = ["patient", "study", "series", "instance"];
        names.iter().position(|name| *name == text).and_then(|at| Self::ALL.get(at).copied())
    }
}

/// One declared attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Its tags in hexadecimal, joined by dots, a private creator before them; as the index knows it.
    pub name: String,
    /// Its tags, the sequences' first; private ones in their canonical block.
    pub path: Vec<Tag>,
    /// The private creator of the first tag.
    pub creator: Option<String>,
    /// Whose it is.
    pub owner: Owner,
    /// Value representation of the last tag.
    pub vr: VR,
}

/// All declared attributes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extended {
    declared: Vec<Declared>,
}

/// Why an attribute cannot be declared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{attribute}: {reason}")]
pub struct BadDeclaration {
    attribute: String,
    reason: &'static str,
}

impl Extended {
    /// Adds an attribute, by keyword or tag, of a sequence path joined by dots.
    pub fn declare(
        &mut self,
        attribute: &str,
        creator: Option<&str>,
        level: &str,
        vr: Option<&str>,
    ) -> Result<(), BadDeclaration> {
        let bad = |reason| BadDeclaration { attribute: attribute.to_owned(), reason };
        if self.declared.len() == MAX_DECLARED {
            return Err(bad("too many attributes are declared"));
        }
        let owner =
            Owner::parse(level).ok_or_else(|| bad("level: patient, study, series or instance"))?;
        let mut path: Vec<Tag> = attribute
            .split('.')
            .take(8)
            .map(tag)
            .collect::<Option<_>>()
            .ok_or_else(|| bad("neither a keyword nor a tag of eight hexadecimal digits"))?;
        let first = path.first().copied().ok_or_else(|| bad("no tag"))?;
        let last = path.last().copied().unwrap_or(first);
        let creator = creator.map(str::trim).filter(|creator| !creator.is_empty());
        if is_private(first) != creator.is_some() {
            return Err(bad("creator: name it for private attributes, and only for these"));
        }
        if let (Some(creator), Some(place)) = (creator, path.first_mut()) {
            *place = self.canonical_tag(creator, first).ok_or_else(|| bad("too many creators"))?;
        }
        let vr = match vr {
            Some(vr) => vr.parse().map_err(|_| bad("vr: unknown"))?,
            None if is_private(last) => return Err(bad("vr: name it for private attributes")),
            None => {
                StandardDataDictionary.by_tag(last).map_or(VR::UN, |entry| entry.vr().relaxed())
            }
        };
        if !is_text(vr) && !is_whole(vr) {
            return Err(bad("its values are neither text nor whole numbers"));
        }
        let tags: Vec<String> =
            path.iter().map(|tag| format!("{:04X}{:04X}", tag.group(), tag.element())).collect();
        let name = tags.join(".");
        let name = creator.map_or(name.clone(), |creator| format!("{creator}:{name}"));
        if self.declared.iter().any(|known| known.name == name) {
            return Err(bad("declared twice"));
        }
        let creator = creator.map(str::to_owned);
        self.declared.push(Declared { name, path, creator, owner, vr });
        Ok(())
    }

    /// All of them, in their order.
    pub fn declared(&self) -> &[Declared] {
        &self.declared
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.declared.is_empty()
    }

    /// The tag a private attribute is kept under: each creator of a group has the next block, from
    /// 10 on.
    pub fn canonical_tag(&self, creator: &str, tag: Tag) -> Option<Tag> {
        let mut creators: Vec<&str> = Vec::new();
        for known in &self.declared {
            let of_group = known.path.first().is_some_and(|first| first.group() == tag.group());
            if let Some(name) = known.creator.as_deref().filter(|_| of_group)
                && !creators.contains(&name)
            {
                creators.push(name);
            }
        }
        let place = creators.iter().position(|known| *known == creator).unwrap_or(creators.len());
        let block = u16::try_from(place).ok()?.checked_add(0x10).filter(|block| *block <= 0xFF)?;
        Some(Tag(tag.group(), (block << 8) | (tag.element() & 0xFF)))
    }
}

fn tag(name: &str) -> Option<Tag> {
    parse_tag(name).or_else(|| StandardDataDictionary.by_name(name).map(DataDictionaryEntry::tag))
}

fn is_private(tag: Tag) -> bool {
    tag.group() % 2 == 1
}

fn is_text(vr: VR) -> bool {
    matches!(
        vr,
        VR::AE
            | VR::AS
            | VR::CS
            | VR::DA
            | VR::DS
            | VR::DT
            | VR::IS
            | VR::LO
            | VR::LT
            | VR::PN
            | VR::SH
            | VR::ST
            | VR::TM
            | VR::UC
            | VR::UI
            | VR::UR
            | VR::UT
    )
}

fn is_whole(vr: VR) -> bool {
    matches!(vr, VR::US | VR::SS | VR::UL | VR::SL)
}

/// What one object says of the declared attributes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// Values to match: number of the declared attribute, and the value.
    pub values: Vec<(usize, String)>,
    /// DICOM JSON to answer with, of patient, study, series and instance.
    pub attributes: [String; 4],
}

/// Hears a scan and keeps what is said of the declared attributes.
#[derive(Debug)]
pub struct ExtendedCollector {
    set: Arc<Extended>,
    big_endian: bool,
    charsets: Vec<Charset>,
    open: Vec<Tag>,
    /// Whose the outermost open sequence is, when it is declared or leads to what is.
    hearing: Option<Owner>,
    /// Creators of the private blocks seen: group and block.
    creators: BTreeMap<(u16, u16), String>,
    writers: Vec<JsonWriter>,
    values: Vec<(usize, String)>,
}

impl ExtendedCollector {
    /// A collector for a data set of that encoding.
    pub fn new(set: Arc<Extended>, encoding: Encoding) -> Self {
        Self {
            big_endian: encoding == Encoding::ExplicitBig,
            charsets: vec![Charset::DEFAULT],
            open: Vec::new(),
            hearing: None,
            creators: BTreeMap::new(),
            writers: Owner::ALL.iter().map(|_| JsonWriter::attributes(encoding)).collect(),
            values: Vec::new(),
            set,
        }
    }

    /// What was heard.
    pub fn finish(self) -> Said {
        let mut texts = self.writers.into_iter().map(|writer| {
            let text = writer.finish().ok().and_then(|bytes| String::from_utf8(bytes).ok());
            text.unwrap_or_else(|| "{}".to_owned())
        });
        let attributes = std::array::from_fn(|_| texts.next().unwrap_or_else(|| "{}".to_owned()));
        Said { values: self.values, attributes }
    }

    fn tell(&mut self, owner: Owner, tell: impl FnOnce(&mut JsonWriter)) {
        if let Some(writer) = self.writers.get_mut(owner as usize) {
            tell(writer);
        }
    }

    /// The tag an outermost attribute is declared under; private ones by their creator.
    fn canonical(&self, tag: Tag) -> Tag {
        if !is_private(tag) {
            return tag;
        }
        let creator = self.creators.get(&(tag.group(), tag.element() >> 8));
        let known = creator.filter(|creator| {
            self.set.declared.iter().any(|known| known.creator.as_ref() == Some(*creator))
        });
        // A block without a creator that is asked for holds nothing that is declared.
        known
            .and_then(|creator| self.set.canonical_tag(creator, tag))
            .unwrap_or(Tag(tag.group(), 0xFFFF))
    }

    fn outermost(&mut self, element: &Element, bytes: &[u8]) {
        let (group, number) = (element.tag.group(), element.tag.element());
        if is_private(element.tag) && (0x10..=0xFF).contains(&number) && self.creators.len() < 256 {
            let charset = self.charsets.last().copied().unwrap_or_default();
            self.creators.insert((group, number), fact(&charset.text(bytes)));
            return;
        }
        let tag = self.canonical(element.tag);
        let Some((number, declared)) = self.find(&[tag]) else { return };
        let (owner, creator, vr) = (declared.owner, declared.creator.clone(), declared.vr);
        let mut element = Element { tag, ..element.clone() };
        if element.vr == VR::UN {
            element.vr = vr;
        }
        self.keep(number, &element, bytes);
        self.name_creator(owner, creator.as_deref(), tag, &element);
        self.tell(owner, |writer| writer.element(&element, Value::Inline(bytes)));
    }

    /// Writes the creator an attribute belongs to beside it; writers keep the first of several.
    fn name_creator(&mut self, owner: Owner, creator: Option<&str>, tag: Tag, like: &Element) {
        let Some(creator) = creator else { return };
        let creator_tag = Tag(tag.group(), tag.element() >> 8);
        let element = Element { tag: creator_tag, vr: VR::LO, ..like.clone() };
        self.tell(owner, |writer| writer.element(&element, Value::Inline(creator.as_bytes())));
    }

    fn find(&self, path: &[Tag]) -> Option<(usize, &Declared)> {
        self.set.declared.iter().enumerate().find(|(_, declared)| declared.path == path)
    }

    fn keep(&mut self, number_of: usize, element: &Element, bytes: &[u8]) {
        let charset = self.charsets.last().copied().unwrap_or_default();
        let values: Vec<String> = match element.vr {
            VR::US | VR::SS | VR::UL | VR::SL => whole(element.vr, bytes, self.big_endian),
            VR::PN => charset.names(bytes).split('\\').map(fact).collect(),
            VR::LT | VR::ST | VR::UT | VR::UR => vec![fact(&charset.text(bytes))],
            VR::IS => charset.values(bytes).split('\\').map(number).collect(),
            _ => charset.values(bytes).split('\\').map(fact).collect(),
        };
        for value in values {
            if self.values.len() < MAX_FACTS && !value.is_empty() {
                self.values.push((number_of, value));
            }
        }
    }
}

fn whole(vr: VR, bytes: &[u8], big_endian: bool) -> Vec<String> {
    let size = if matches!(vr, VR::US | VR::SS) { 2 } else { 4 };
    let values = bytes.chunks_exact(size).map(|chunk| {
        let mut wide = [0_u8; 4];
        for (place, byte) in wide.iter_mut().zip(chunk) {
            *place = *byte;
        }
        if big_endian {
            wide.get_mut(..size).into_iter().for_each(<[u8]>::reverse);
        }
        let raw = u32::from_le_bytes(wide);
        match vr {
            VR::SS => i64::from(u16::try_from(raw).unwrap_or(0).cast_signed()),
            VR::SL => i64::from(raw.cast_signed()),
            _ => i64::from(raw),
        }
    });
    values.map(|value| value.to_string()).collect()
}

impl Visit for ExtendedCollector {
    fn element(&mut self, element: &Element, value: Value<'_>) {
        let Value::Inline(bytes) = value else { return };
        if element.tag == tags::SPECIFIC_CHARACTER_SET {
            if let Some(charset) = self.charsets.last_mut() {
                *charset = Charset::parse(bytes);
            }
            let hearing = self.hearing;
            let outside = self.open.is_empty();
            for owner in Owner::ALL {
                if outside || hearing == Some(owner) {
                    self.tell(owner, |writer| writer.element(element, Value::Inline(bytes)));
                }
            }
        } else if self.open.is_empty() {
            self.outermost(element, bytes);
        } else if let Some(owner) = self.hearing {
            let mut path = self.open.clone();
            path.push(element.tag);
            if let Some((number, _)) = self.find(&path) {
                self.keep(number, element, bytes);
            }
            self.tell(owner, |writer| writer.element(element, Value::Inline(bytes)));
        }
    }

    fn begin_sequence(&mut self, element: &Element) {
        let mut element = element.clone();
        if self.open.is_empty() {
            element.tag = self.canonical(element.tag);
            let found =
                self.set.declared.iter().find(|known| known.path.first() == Some(&element.tag));
            let found = found.map(|known| (known.owner, known.creator.clone()));
            self.hearing = found.as_ref().map(|(owner, _)| *owner);
            if let Some((owner, creator)) = found {
                self.name_creator(owner, creator.as_deref(), element.tag, &element);
            }
        }
        self.open.push(element.tag);
        if let Some(owner) = self.hearing {
            self.tell(owner, |writer| writer.begin_sequence(&element));
        }
    }

    fn begin_item(&mut self) {
        self.charsets.push(self.charsets.last().copied().unwrap_or_default());
        if let Some(owner) = self.hearing {
            self.tell(owner, Visit::begin_item);
        }
    }

    fn end_item(&mut self) {
        if self.charsets.len() > 1 {
            self.charsets.pop();
        }
        if let Some(owner) = self.hearing {
            self.tell(owner, Visit::end_item);
        }
    }

    fn end_sequence(&mut self) {
        if let Some(owner) = self.hearing {
            self.tell(owner, Visit::end_sequence);
        }
        self.open.pop();
        if self.open.is_empty() {
            self.hearing = None;
        }
    }

    fn begin_fragments(&mut self, _: &Element) {}

    fn offset_table(&mut self, _: &[u8]) {}

    fn fragment(&mut self, _: u64, _: Range<u64>, _: &[u8]) {}

    fn end_fragments(&mut self, _: u64) {}
}

/// The attributes of two objects of DICOM JSON in one; of those both have the first's count.
pub fn merged(first: &str, second: &str) -> String {
    if second == "{}" {
        return first.to_owned();
    }
    let read = |text| serde_json::from_str::<BTreeMap<String, &RawValue>>(text).unwrap_or_default();
    let mut all = read(second);
    all.extend(read(first));
    serde_json::to_string(&all).unwrap_or_else(|_| first.to_owned())
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "tests may panic")]
mod tests {
    use std::sync::Arc;

    use super::{Extended, ExtendedCollector, Owner, merged};
    use crate::dicom::limits::Limits;
    use crate::dicom::scan::Scanner;
    use crate::dicom::syntax::Encoding;

    fn element(tag: u32, vr: &str, value: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&((tag >> 16) as u16).to_le_bytes());
        bytes.extend_from_slice(&(tag as u16).to_le_bytes());
        bytes.extend_from_slice(vr.as_bytes());
        if vr == "SQ" {
            bytes.extend_from_slice(&[0, 0]);
            bytes.extend_from_slice(&u32::try_from(value.len()).unwrap().to_le_bytes());
        } else {
            bytes.extend_from_slice(&u16::try_from(value.len()).unwrap().to_le_bytes());
        }
        bytes.extend_from_slice(value);
        bytes
    }

    fn item(inside: &[u8]) -> Vec<u8> {
        let length = u32::try_from(inside.len()).unwrap().to_le_bytes();
        [&[0xFE, 0xFF, 0x00, 0xE0][..], &length, inside].concat()
    }

    fn set() -> Extended {
        let mut set = Extended::default();
        set.declare("InstitutionName", None, "series", None).unwrap();
        set.declare("00101002.00100020", None, "patient", None).unwrap();
        set.declare("00231001", Some("ACME"), "study", Some("LO")).unwrap();
        set.declare("00231001", Some("OTHER"), "study", Some("LO")).unwrap();
        set.declare("Rows", None, "instance", None).unwrap();
        set
    }

    #[test]
    fn values_and_json_of_declared_attributes_are_kept_at_their_level() {
        let mut data = Vec::new();
        data.extend(element(0x0008_0080, "LO", b"Ospedale"));
        data.extend(element(0x0008_1030, "LO", b"not declared"));
        let ids =
            [item(&element(0x0010_0020, "LO", b"A1")), item(&element(0x0010_0020, "LO", b"B2"))];
        data.extend(element(0x0010_1002, "SQ", &ids.concat()));
        // Blocks as the object has them: OTHER before ACME, and one nobody asked for.
        data.extend(element(0x0023_0010, "LO", b"OTHER "));
        data.extend(element(0x0023_0011, "LO", b"NOBODY"));
        data.extend(element(0x0023_0012, "LO", b"ACME"));
        data.extend(element(0x0023_1001, "LO", b"other "));
        data.extend(element(0x0023_1101, "LO", b"nobody"));
        data.extend(element(0x0023_1201, "LO", b"a\\b "));
        data.extend(element(0x0028_0010, "US", &512_u16.to_le_bytes()));
        let mut collector = ExtendedCollector::new(Arc::new(set()), Encoding::ExplicitLittle);
        let mut scanner = Scanner::new(Encoding::ExplicitLittle, Limits::DEFAULT);
        scanner.push(&data, &mut collector).unwrap();
        scanner.finish(&mut collector).unwrap();
        let said = collector.finish();
        let values: Vec<(usize, &str)> =
            said.values.iter().map(|(number, value)| (*number, value.as_str())).collect();
        let expected =
            [(0, "Ospedale"), (1, "A1"), (1, "B2"), (3, "other"), (2, "a"), (2, "b"), (4, "512")];
        assert_eq!(values, expected);
        let json = |owner: Owner| -> serde_json::Value {
            serde_json::from_str(&said.attributes[owner as usize]).unwrap()
        };
        assert_eq!(json(Owner::Series)["00080080"]["Value"][0], "Ospedale");
        assert_eq!(json(Owner::Patient)["00101002"]["Value"][1]["00100020"]["Value"][0], "B2");
        let study = json(Owner::Study);
        assert_eq!(study["00230010"]["Value"][0], "ACME");
        assert_eq!(study["00231001"]["Value"][1], "b");
        assert_eq!(study["00230011"]["Value"][0], "OTHER");
        assert_eq!(study["00231101"]["Value"][0], "other");
        assert_eq!(study.as_object().unwrap().len(), 4);
        assert_eq!(json(Owner::Instance)["00280010"]["Value"][0], 512);
    }

    #[test]
    fn what_cannot_be_searched_cannot_be_declared() {
        for (attribute, creator, level, vr, reason) in [
            ("Nonsense", None, "study", None, "neither a keyword"),
            ("InstitutionName", None, "hospital", None, "level"),
            ("InstitutionName", Some("ACME"), "study", None, "creator"),
            ("00231001", None, "study", Some("LO"), "creator"),
            ("00231001", Some("ACME"), "study", None, "vr"),
            ("00231001", Some("ACME"), "study", Some("XX"), "vr"),
            ("PixelData", None, "instance", None, "neither text"),
            ("00081111", None, "series", None, "neither text"),
        ] {
            let error = Extended::default().declare(attribute, creator, level, vr).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        }
        let mut set = set();
        let error = set.declare("00080080", None, "study", None).unwrap_err();
        assert!(error.to_string().contains("twice"), "{error}");
    }

    #[test]
    fn attributes_are_joined_and_the_first_count() {
        let joined = merged(
            r#"{"00080020":{"vr":"DA"}}"#,
            r#"{"00080080":{"vr":"LO"},"00080020":{"vr":"XX"}}"#,
        );
        assert_eq!(joined, r#"{"00080020":{"vr":"DA"},"00080080":{"vr":"LO"}}"#);
        assert_eq!(merged("{}", "{}"), "{}");
    }
}
