//! The Native DICOM Model, read (PS3.19 §A.1): one XML document told to a [`Native`].
//!
//! Streaming, without document type or entities of its own; depth and attributes are bounded.
//! Elements the model does not have are passed over with all they hold. Private attributes that
//! come without a block (`gggg00ee` and a creator) get the block their creator has, or the next
//! free one (PS3.18 §F.3.1, PS3.5 §7.8.1).

mod blocks;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use dicom_core::{Tag, VR};
use encoding_rs::{Encoding, UTF_8};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::dicom::limits::Limits;
use crate::dicom::native::{Native, base64, parse_tag, parse_vr};
use crate::dicom::xml::COMPONENTS;
use blocks::Blocks;

/// Why a document is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlReadError {
    /// It is no XML.
    #[error("the XML is broken at byte {offset}: {problem}")]
    Syntax {
        /// Where, about.
        offset: u64,
        /// What is wrong there.
        problem: String,
    },
    /// It declares a document type or uses an entity XML itself does not have.
    #[error("the XML has a document type or entity, which are not read")]
    Entity,
    /// In no character encoding known here, or not in the one it says.
    #[error("the XML is not in the encoding it says")]
    Encoding,
    /// No `NativeDicomModel`.
    #[error("the XML is no Native DICOM Model")]
    NotNative,
    /// Nested deeper than the limit.
    #[error("the XML is nested too deep")]
    TooDeep,
    /// More attributes than the limit.
    #[error("the XML has too many attributes")]
    TooMany,
}

/// An open element of the document.
#[derive(Debug)]
enum Open {
    /// `NativeDicomModel`, or an `Item`.
    DataSet(Blocks),
    /// A `DicomAttribute` that is no sequence.
    Attribute { tag: Tag, values: u32 },
    /// A sequence.
    Sequence,
    /// `Value`
    Value,
    /// `PersonName`, with its groups so far.
    Name([String; 3]),
    /// `Alphabetic`, `Ideographic` or `Phonetic`, with its components so far.
    Group(usize, [String; 5]),
    /// `FamilyName` and so on.
    Component(usize),
    /// `InlineBinary`
    Binary,
    /// What the model does not have, or has no place for here.
    Other,
}

type Result<T> = std::result::Result<T, XmlReadError>;

/// Tells the document `text` to `to`.
pub fn read(text: &[u8], limits: Limits, to: &mut dyn Native) -> Result<()> {
    let text = decoded(text)?;
    let mut reader = Reader::from_str(&text);
    reader.config_mut().expand_empty_elements = true;
    let mut model =
        Model { to, limits, open: Vec::new(), text: String::new(), elements: 0, seen: false };
    loop {
        let event = reader.read_event().map_err(|error| XmlReadError::Syntax {
            offset: reader.error_position(),
            problem: error.to_string(),
        })?;
        match event {
            Event::Start(element) => model.start(&element)?,
            Event::End(_) => model.end(),
            Event::Text(text) => {
                model.add(&text.xml10_content().map_err(|_| XmlReadError::Encoding)?);
            }
            Event::CData(text) => {
                model.add(&text.xml10_content().map_err(|_| XmlReadError::Encoding)?);
            }
            Event::GeneralRef(reference) => {
                let name = reference.decode().map_err(|_| XmlReadError::Encoding)?;
                let c = entity(&name).ok_or(XmlReadError::Entity)?;
                model.add(c.encode_utf8(&mut [0; 4]));
            }
            Event::DocType(_) => return Err(XmlReadError::Entity),
            Event::Eof if !model.open.is_empty() => {
                let problem = "it ends inside an element".to_owned();
                return Err(XmlReadError::Syntax { offset: reader.buffer_position(), problem });
            }
            Event::Eof if model.seen => return Ok(()),
            Event::Eof => return Err(XmlReadError::NotNative),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

struct Model<'n> {
    to: &'n mut dyn Native,
    limits: Limits,
    open: Vec<Open>,
    /// Character data of the innermost element that holds any.
    text: String,
    elements: u64,
    seen: bool,
}

impl Model<'_> {
    fn start(&mut self, element: &BytesStart<'_>) -> Result<()> {
        // Six elements of the document a level of sequences, and those below an attribute.
        if self.open.len() > usize::from(self.limits.depth).saturating_mul(2).saturating_add(6) {
            return Err(XmlReadError::TooDeep);
        }
        self.elements = self.elements.saturating_add(1);
        if self.elements > self.limits.elements {
            return Err(XmlReadError::TooMany);
        }
        self.text.clear();
        let name = element.local_name();
        let name = str::from_utf8(name.as_ref()).map_err(|_| XmlReadError::Encoding)?;
        let open = match (self.open.last_mut(), name) {
            (None, "NativeDicomModel") if !self.seen => {
                self.seen = true;
                Open::DataSet(Blocks::default())
            }
            (None, _) => return Err(XmlReadError::NotNative),
            (Some(Open::DataSet(_)), "DicomAttribute") => self.attribute(element)?,
            (Some(Open::Attribute { values, .. }), "Value" | "PersonName") => {
                let number = attribute_of(element, "number")?.and_then(|n| n.trim().parse().ok());
                let number: u32 = number.unwrap_or(values.saturating_add(1));
                // Values left out between are empty ones.
                for _ in values.saturating_add(1)..number.min(values.saturating_add(MAX_GAP)) {
                    self.to.value(None);
                }
                *values = number.max(values.saturating_add(1));
                if name == "Value" { Open::Value } else { Open::Name(Default::default()) }
            }
            (Some(Open::Attribute { .. }), "InlineBinary") => Open::Binary,
            (Some(Open::Attribute { .. }), "BulkData") => {
                let uri = attribute_of(element, "uri")?;
                let uri = match uri {
                    Some(uri) => Some(uri),
                    None => attribute_of(element, "uuid")?,
                };
                match uri {
                    Some(uri) => self.to.bulk(&uri),
                    None => self.to.unusable("has BulkData without uri"),
                }
                Open::Other
            }
            (Some(Open::Sequence), "Item") => {
                self.to.begin_item();
                Open::DataSet(Blocks::default())
            }
            (Some(Open::Name(_)), "Alphabetic" | "SingleByte") => {
                Open::Group(0, Default::default())
            }
            (Some(Open::Name(_)), "Ideographic") => Open::Group(1, Default::default()),
            (Some(Open::Name(_)), "Phonetic") => Open::Group(2, Default::default()),
            (Some(Open::Group(..)), name) => COMPONENTS
                .iter()
                .position(|component| *component == name)
                .map_or(Open::Other, Open::Component),
            _ => Open::Other,
        };
        self.open.push(open);
        Ok(())
    }

    fn attribute(&mut self, element: &BytesStart<'_>) -> Result<Open> {
        let tag = attribute_of(element, "tag")?.and_then(|tag| parse_tag(tag.trim()));
        let vr = attribute_of(element, "vr")?;
        let creator = attribute_of(element, "privateCreator")?;
        let Some(Open::DataSet(blocks)) = self.open.last_mut() else { return Ok(Open::Other) };
        let Some(tag) = tag else {
            self.to.begin(Tag(0xFFFF, 0xFFFF), VR::UN);
            self.to.unusable("is no tag");
            self.to.end();
            return Ok(Open::Other);
        };
        let tag = blocks.place(tag, creator.as_deref(), self.to);
        let vr = parse_vr(vr.as_deref(), tag);
        Ok(if vr == VR::SQ {
            self.to.begin_sequence(tag);
            Open::Sequence
        } else {
            self.to.begin(tag, vr);
            Open::Attribute { tag, values: 0 }
        })
    }

    fn add(&mut self, text: &str) {
        if matches!(self.open.last(), Some(Open::Value | Open::Component(_) | Open::Binary)) {
            self.text.push_str(text);
        }
    }

    fn end(&mut self) {
        let Some(ended) = self.open.pop() else { return };
        let text = std::mem::take(&mut self.text);
        match (ended, self.open.last_mut()) {
            (Open::DataSet(_), Some(_)) => self.to.end_item(),
            (Open::Sequence, _) => self.to.end_sequence(),
            (Open::Attribute { .. }, _) => self.to.end(),
            (Open::Value, Some(Open::Attribute { tag, .. })) => {
                let tag = *tag;
                self.to.value((!text.is_empty()).then_some(text.as_str()));
                if let Some(Open::DataSet(blocks)) = self.open.iter_mut().nth_back(1) {
                    blocks.heard(tag, &text);
                }
            }
            (Open::Binary, _) => match base64(&text) {
                Some(bytes) => self.to.binary(&bytes),
                None => self.to.unusable("has InlineBinary that is no base64"),
            },
            (Open::Component(at), Some(Open::Group(_, components))) => {
                if let Some(component) = components.get_mut(at) {
                    *component = text;
                }
            }
            (Open::Group(at, components), Some(Open::Name(groups))) => {
                if let Some(group) = groups.get_mut(at) {
                    components.join("^").trim_end_matches('^').clone_into(group);
                }
            }
            (Open::Name(groups), _) => {
                let name = groups.join("=");
                let name = name.trim_end_matches('=');
                self.to.value((!name.is_empty()).then_some(name));
            }
            _ => {}
        }
    }
}

/// An XML attribute's value, by its local name.
fn attribute_of(element: &BytesStart<'_>, name: &str) -> Result<Option<String>> {
    for attribute in element.attributes().with_checks(false) {
        let broken = |problem: String| XmlReadError::Syntax { offset: 0, problem };
        let attribute = attribute.map_err(|error| broken(error.to_string()))?;
        if attribute.key.local_name().as_ref() == name.as_bytes() {
            let raw = str::from_utf8(&attribute.value).map_err(|_| XmlReadError::Encoding)?;
            return resolved(raw).map(Some);
        }
    }
    Ok(None)
}

/// Text with its references resolved.
fn resolved(text: &str) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        let (name, behind) = behind.split_once(';').ok_or(XmlReadError::Entity)?;
        out.push_str(before);
        out.push(entity(name).ok_or(XmlReadError::Entity)?);
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

/// The character a reference stands for: one of XML's own five, or a number (XML 1.0 §4.1, §4.6).
fn entity(name: &str) -> Option<char> {
    let number = match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        name => name.strip_prefix('#')?,
    };
    let code = match number.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code).filter(|c| *c != '\0')
}

/// A document as UTF-8, by its byte order mark or the encoding it says.
fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>> {
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None => said(bytes)
            .map_or(Ok(UTF_8), |label| Encoding::for_label(label).ok_or(XmlReadError::Encoding))?,
    };
    let (text, _, damaged) = encoding.decode(bytes);
    if damaged { Err(XmlReadError::Encoding) } else { Ok(text) }
}

/// What the XML declaration says the encoding is.
fn said(bytes: &[u8]) -> Option<&[u8]> {
    let declaration = bytes.strip_prefix(b"<?xml")?;
    let end = memchr::memmem::find(declaration.get(..256.min(declaration.len()))?, b"?>")?;
    let declaration = declaration.get(..end)?;
    let at = memchr::memmem::find(declaration, b"encoding")?;
    let mut quoted = declaration.get(at..)?.split(|byte| matches!(byte, b'"' | b'\''));
    quoted.nth(1)
}

/// Most values that may be left out before one.
const MAX_GAP: u32 = 1024;
