//! The Native DICOM Model, written (PS3.19 §A.1).
//!
//! [`XmlWriter`] is a [`Native`], so that what is told of one object as DICOM JSON becomes one XML
//! document (PS3.18 §F.3.1). Private attributes carry their creator and no block, as the model has
//! it; creators themselves are written too, so that nothing is lost on the way back. Characters
//! that XML has not become U+FFFD.

use std::collections::HashMap;
use std::fmt::Write;

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;

use crate::dicom::json_read::{JsonReadError, JsonReader};
use crate::dicom::limits::Limits;
use crate::dicom::native::Native;
use crate::dicom::person_name::Groups;

/// What stands before the attributes of every document.
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<NativeDicomModel \
     xmlns=\"http://dicom.nema.org/PS3.19/models/NativeDICOM\" xml:space=\"preserve\">";
const TAIL: &str = "</NativeDicomModel>\n";

/// One object of DICOM JSON as an XML document.
pub fn from_json(object: &[u8], limits: Limits) -> Result<String, JsonReadError> {
    let mut reader = JsonReader::new(object, limits)?;
    let mut writer = XmlWriter::default();
    reader.object(&mut writer)?;
    Ok(writer.finish())
}

/// Writes one document.
#[derive(Debug)]
pub struct XmlWriter {
    out: String,
    /// The object and the open items: private creators, and items of the sequence within.
    levels: Vec<Level>,
    now: Option<Now>,
}

#[derive(Debug, Default)]
struct Level {
    creators: HashMap<Tag, String>,
    items: u32,
}

/// The open attribute.
#[derive(Debug)]
struct Now {
    tag: Tag,
    vr: VR,
    start: usize,
    values: u32,
}

impl Default for XmlWriter {
    fn default() -> Self {
        Self { out: HEAD.to_owned(), levels: vec![Level::default()], now: None }
    }
}

impl XmlWriter {
    /// The document.
    pub fn finish(mut self) -> String {
        self.out.push_str(TAIL);
        self.out
    }

    fn open(&mut self, tag: Tag, vr: VR) {
        let creator = self.creator(tag).map(str::to_owned);
        let block = if creator.is_some() { 0x00FF } else { 0xFFFF };
        let out = &mut self.out;
        out.push_str("<DicomAttribute tag=\"");
        // A String takes all.
        let _ = write!(out, "{:04X}{:04X}", tag.group(), tag.element() & block);
        out.push_str("\" vr=\"");
        out.push_str(vr.to_string());
        if let Some(creator) = creator {
            out.push_str("\" privateCreator=\"");
            push_escaped(out, &creator);
        } else if tag.group() & 1 == 0
            && let Some(entry) = StandardDataDictionary.by_tag(tag)
        {
            out.push_str("\" keyword=\"");
            out.push_str(entry.alias());
        }
        out.push_str("\">");
    }

    /// Who reserved a private attribute's block (PS3.5 §7.8.1).
    fn creator(&self, tag: Tag) -> Option<&str> {
        let block = tag.element() >> 8;
        if tag.group() & 1 == 0 || block < 0x10 {
            return None;
        }
        self.levels.last()?.creators.get(&Tag(tag.group(), block)).map(String::as_str)
    }

    fn close(&mut self) {
        self.out.push_str("</DicomAttribute>");
    }

    fn person_name(&mut self, name: &str) {
        let groups = Groups::split(name);
        for (element, group) in [
            ("Alphabetic", groups.alphabetic),
            ("Ideographic", groups.ideographic),
            ("Phonetic", groups.phonetic),
        ] {
            if group.is_empty() {
                continue;
            }
            push_all(&mut self.out, &["<", element, ">"]);
            // What a name has behind a fifth `^` stays in its last component.
            for (component, text) in COMPONENTS.iter().zip(group.splitn(COMPONENTS.len(), '^')) {
                if !text.is_empty() {
                    push_all(&mut self.out, &["<", component, ">"]);
                    push_escaped(&mut self.out, text);
                    push_all(&mut self.out, &["</", component, ">"]);
                }
            }
            push_all(&mut self.out, &["</", element, ">"]);
        }
    }
}

impl Native for XmlWriter {
    fn begin(&mut self, tag: Tag, vr: VR) {
        self.now = Some(Now { tag, vr, start: self.out.len(), values: 0 });
        self.open(tag, vr);
    }

    fn value(&mut self, text: Option<&str>) {
        let Some(now) = &mut self.now else { return };
        now.values = now.values.saturating_add(1);
        let (tag, vr, number) = (now.tag, now.vr, now.values.to_string());
        let creator = tag.group() & 1 == 1 && (0x10..0x100).contains(&tag.element());
        if let (true, Some(level), Some(text)) = (creator, self.levels.last_mut(), text) {
            level.creators.insert(tag, text.trim().to_owned());
        }
        let element = if vr == VR::PN { "PersonName" } else { "Value" };
        push_all(&mut self.out, &["<", element, " number=\"", &number, "\">"]);
        match text {
            Some(name) if vr == VR::PN => self.person_name(name),
            Some(text) => push_escaped(&mut self.out, text),
            None => {}
        }
        push_all(&mut self.out, &["</", element, ">"]);
    }

    fn binary(&mut self, bytes: &[u8]) {
        let mut text = Vec::with_capacity(bytes.len().saturating_mul(4) / 3);
        crate::dicom::json_value::write_base64(&mut text, bytes);
        let text = String::from_utf8(text).unwrap_or_default();
        push_all(&mut self.out, &["<InlineBinary>", &text, "</InlineBinary>"]);
    }

    fn bulk(&mut self, uri: &str) {
        self.out.push_str("<BulkData uri=\"");
        push_escaped(&mut self.out, uri);
        self.out.push_str("\"/>");
    }

    fn unusable(&mut self, _: &str) {
        // Nothing can be said of it: it is there, and empty.
        if let Some(now) = &self.now {
            let (tag, vr) = (now.tag, now.vr);
            self.out.truncate(now.start);
            self.open(tag, vr);
        }
    }

    fn end(&mut self) {
        self.now = None;
        self.close();
    }

    fn begin_sequence(&mut self, tag: Tag) {
        self.open(tag, VR::SQ);
        self.levels.push(Level::default());
    }

    fn begin_item(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.items = level.items.saturating_add(1);
            level.creators.clear();
            let number = level.items.to_string();
            push_all(&mut self.out, &["<Item number=\"", &number, "\">"]);
        }
    }

    fn end_item(&mut self) {
        self.out.push_str("</Item>");
    }

    fn end_sequence(&mut self) {
        self.levels.pop();
        self.close();
    }
}

fn push_all(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
}

fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Line ends would be made one, and in attributes a blank (XML 1.0 §2.11, §3.3.3).
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\0'..='\x1F' | '\u{FFFE}' | '\u{FFFF}' => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
}

/// The components of a name's group (PS3.5 §6.2.1).
pub(crate) const COMPONENTS: [&str; 5] =
    ["FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"];

#[cfg(test)]
mod tests;
