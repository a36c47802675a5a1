//! DICOM JSON, read (PS3.18 Annex F): one object after the other told to a [`Native`].
//!
//! Iterative; depth, attributes and work are bounded. What is no JSON ends the reading with the byte
//! it happened at; an attribute that is JSON and yet no DICOM attribute is told as unusable, and the
//! reading goes on. Taken beside what the standard writes: `Value` before `vr`, a single object
//! without an array, a value without an array, names as plain strings.

mod cursor;
#[cfg(test)]
pub(in crate::dicom) mod tests;

use std::borrow::Cow;

use dicom_core::{Tag, VR};

use crate::dicom::limits::Limits;
use crate::dicom::native::{Native, base64, parse_tag, parse_vr};
use cursor::{Cursor, Scalar};

/// Why a text is not read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonReadError {
    /// It is no JSON.
    #[error("{problem} at byte {offset} of the JSON")]
    Syntax {
        /// Where.
        offset: usize,
        /// What is wrong there.
        problem: &'static str,
    },
    /// It is no UTF-8.
    #[error("the JSON is not UTF-8 at byte {0}")]
    NotUtf8(usize),
    /// Nested deeper than the limit.
    #[error("the JSON is nested too deep")]
    TooDeep,
    /// More attributes than the limit, or more back and forth than a real text needs.
    #[error("the JSON has too many attributes")]
    TooMany,
}

/// Reads a text with one object, or an array of them.
#[derive(Debug)]
pub struct JsonReader<'t> {
    cursor: Cursor<'t>,
    limits: Limits,
    place: Place,
    elements: u64,
    /// Bytes that may still be looked at twice.
    again: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// Behind an object of an array.
    Between,
    End,
}

/// What is open around the cursor.
enum Open {
    /// An object or item: a name or its end comes next.
    DataSet { first: bool },
    /// The array of a sequence's items.
    Items { first: bool, resume: Option<usize> },
}

/// Stands for a name that is no tag.
const NO_TAG: Tag = Tag(0xFFFF, 0xFFFF);

type Result<T> = std::result::Result<T, JsonReadError>;

impl<'t> JsonReader<'t> {
    /// A reader of `text`.
    pub fn new(text: &'t [u8], limits: Limits) -> Result<Self> {
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        let text = str::from_utf8(text).map_err(|e| JsonReadError::NotUtf8(e.valid_up_to()))?;
        let again = text.len().saturating_mul(4);
        let cursor = Cursor::new(text);
        Ok(Self { cursor, limits, place: Place::Start, elements: 0, again })
    }

    /// Tells the next object to `to`; false when there is none. After an error there is no more.
    pub fn object(&mut self, to: &mut dyn Native) -> Result<bool> {
        let more = self.begin();
        let read =
            more.and_then(|more| if more { self.read(to).map(|()| true) } else { Ok(false) });
        if read != Ok(true) {
            self.place = Place::End;
        }
        read
    }

    /// Moves to the next object.
    fn begin(&mut self) -> Result<bool> {
        let cursor = &mut self.cursor;
        match self.place {
            Place::Start if cursor.take(b'[') => {
                self.place = Place::Between;
                if cursor.take(b']') {
                    return self.end();
                }
            }
            Place::Start => {
                // One object by itself.
                self.place = Place::End;
                return if cursor.peek() == Some(b'{') {
                    Ok(true)
                } else {
                    cursor.error("an array of objects must stand here")
                };
            }
            Place::Between if cursor.take(b']') => return self.end(),
            Place::Between => {
                cursor.expect(b',', "a comma or the end of the array must stand here")?;
            }
            Place::End => return self.end(),
        }
        match self.cursor.peek() {
            Some(b'{') => Ok(true),
            _ => self.cursor.error("an object must stand here"),
        }
    }

    fn end(&mut self) -> Result<bool> {
        self.place = Place::End;
        match self.cursor.peek() {
            None => Ok(false),
            Some(_) => self.cursor.error("nothing may follow"),
        }
    }

    /// Reads the object the cursor stands before.
    fn read(&mut self, to: &mut dyn Native) -> Result<()> {
        self.cursor.expect(b'{', "an object must stand here")?;
        let mut open = vec![Open::DataSet { first: true }];
        while let Some(top) = open.last_mut() {
            match top {
                Open::DataSet { first } => {
                    if self.cursor.take(b'}') {
                        open.pop();
                        if !open.is_empty() {
                            to.end_item();
                        }
                        continue;
                    }
                    if !std::mem::replace(first, false) {
                        self.cursor
                            .expect(b',', "a comma or the end of the object must stand here")?;
                    }
                    if let Some(items) = self.attribute(to)? {
                        if open.len() > usize::from(self.limits.depth).saturating_mul(2) {
                            return Err(JsonReadError::TooDeep);
                        }
                        open.push(items);
                    }
                }
                Open::Items { first, resume } => {
                    if self.cursor.take(b']') {
                        let resume = *resume;
                        open.pop();
                        to.end_sequence();
                        match resume {
                            Some(at) => self.cursor.at = at,
                            None => self.rest_of_attribute()?,
                        }
                        continue;
                    }
                    if !std::mem::replace(first, false) {
                        self.cursor
                            .expect(b',', "a comma or the end of the items must stand here")?;
                    }
                    self.count()?;
                    to.begin_item();
                    match self.cursor.peek() {
                        Some(b'{') => {
                            self.cursor.at = self.cursor.at.saturating_add(1);
                            open.push(Open::DataSet { first: true });
                        }
                        // An item that is empty.
                        Some(b'n') => {
                            self.cursor.scalar()?;
                            to.end_item();
                        }
                        _ => return self.cursor.error("an item must stand here"),
                    }
                }
            }
        }
        Ok(())
    }

    fn count(&mut self) -> Result<()> {
        self.elements = self.elements.saturating_add(1);
        if self.elements > self.limits.elements { Err(JsonReadError::TooMany) } else { Ok(()) }
    }

    /// Reads one attribute; the items when it is a sequence, which the cursor then stands in.
    fn attribute(&mut self, to: &mut dyn Native) -> Result<Option<Open>> {
        self.count()?;
        let name = self.cursor.name()?;
        let tag = parse_tag(&name);
        let Some(tag) = tag.filter(|_| self.cursor.peek() == Some(b'{')) else {
            let depth = self.depth_left();
            self.cursor.skip(depth)?;
            to.begin(tag.unwrap_or(NO_TAG), VR::UN);
            to.unusable(if tag.is_some() { "is no attribute object" } else { "is no tag" });
            to.end();
            return Ok(None);
        };
        self.cursor.at = self.cursor.at.saturating_add(1);
        let mut letters = None;
        // Where a value stands that came before its representation.
        let mut waiting = None;
        let mut first = true;
        while !self.cursor.take(b'}') {
            if !std::mem::replace(&mut first, false) {
                self.cursor.expect(b',', "a comma or the end of the attribute must stand here")?;
            }
            let member = self.cursor.name()?;
            if member == "vr" && self.cursor.peek() == Some(b'"') {
                letters = Some(self.cursor.string()?);
            } else if let ("Value" | "InlineBinary" | "BulkDataURI", None) = (&*member, &waiting) {
                if let Some(letters) = &letters {
                    return self.held(to, tag, Some(letters), &member, None);
                }
                waiting = Some((member, self.cursor.at));
                self.skip()?;
            } else {
                self.skip()?;
            }
        }
        let end = self.cursor.at;
        if let Some((member, at)) = waiting {
            self.cursor.at = at;
            return self.held(to, tag, letters.as_deref(), &member, Some(end));
        }
        match parse_vr(letters.as_deref(), tag) {
            VR::SQ => {
                to.begin_sequence(tag);
                to.end_sequence();
            }
            vr => {
                to.begin(tag, vr);
                to.end();
            }
        }
        Ok(None)
    }

    /// Reads what an attribute holds. `resume`: where its object ends, if that is known already.
    fn held(
        &mut self,
        to: &mut dyn Native,
        tag: Tag,
        letters: Option<&str>,
        member: &str,
        resume: Option<usize>,
    ) -> Result<Option<Open>> {
        let vr = parse_vr(letters, tag);
        let bracket = self.cursor.peek();
        if vr == VR::SQ && member == "Value" && bracket == Some(b'[') {
            self.cursor.at = self.cursor.at.saturating_add(1);
            to.begin_sequence(tag);
            return Ok(Some(Open::Items { first: true, resume }));
        }
        to.begin(tag, vr);
        match member {
            _ if vr == VR::SQ => {
                self.skip()?;
                to.unusable("is a sequence without items");
            }
            "Value" => self.values(to)?,
            _ if bracket != Some(b'"') => {
                self.skip()?;
                to.unusable("has a value that is no string");
            }
            "BulkDataURI" => to.bulk(&self.cursor.string()?),
            _ => match base64(&self.cursor.string()?) {
                Some(bytes) => to.binary(&bytes),
                None => to.unusable("has InlineBinary that is no base64"),
            },
        }
        to.end();
        match resume {
            Some(at) => self.cursor.at = at,
            None => self.rest_of_attribute()?,
        }
        Ok(None)
    }

    fn values(&mut self, to: &mut dyn Native) -> Result<()> {
        if !self.cursor.take(b'[') {
            return self.value(to);
        }
        if self.cursor.take(b']') {
            return Ok(());
        }
        loop {
            self.value(to)?;
            if self.cursor.take(b']') {
                return Ok(());
            }
            self.cursor.expect(b',', "a comma or the end of the values must stand here")?;
        }
    }

    fn value(&mut self, to: &mut dyn Native) -> Result<()> {
        match self.cursor.peek() {
            Some(b'{') => self.name_groups(to),
            Some(b'[') => {
                self.skip()?;
                to.unusable("has an array among its values");
                Ok(())
            }
            _ => {
                match self.cursor.scalar()? {
                    Scalar::Null => to.value(None),
                    Scalar::Bool => to.unusable("has true or false among its values"),
                    Scalar::Number(text) => to.value(Some(text)),
                    Scalar::Text(text) => to.value(Some(&text)),
                }
                Ok(())
            }
        }
    }

    /// A person name, by its component groups (PS3.18 §F.2.2).
    fn name_groups(&mut self, to: &mut dyn Native) -> Result<()> {
        self.cursor.expect(b'{', "a name must stand here")?;
        let mut groups: [Cow<'_, str>; 3] = Default::default();
        let mut first = true;
        while !self.cursor.take(b'}') {
            if !std::mem::replace(&mut first, false) {
                self.cursor.expect(b',', "a comma or the end of the name must stand here")?;
            }
            let group = match &*self.cursor.name()? {
                "Alphabetic" => 0,
                "Ideographic" => 1,
                "Phonetic" => 2,
                _ => 3,
            };
            if let (Some(b'"'), Some(group)) = (self.cursor.peek(), groups.get_mut(group)) {
                *group = self.cursor.string()?;
            } else {
                self.skip()?;
            }
        }
        let name = groups.join("=");
        to.value(Some(name.trim_end_matches('=')));
        Ok(())
    }

    /// Passes over what stands behind an attribute's value, to the end of its object.
    fn rest_of_attribute(&mut self) -> Result<()> {
        while !self.cursor.take(b'}') {
            self.cursor.expect(b',', "a comma or the end of the attribute must stand here")?;
            self.cursor.name()?;
            self.skip()?;
        }
        Ok(())
    }

    /// Passes over a value. Looking at nested values again and again is bounded.
    fn skip(&mut self) -> Result<()> {
        let from = self.cursor.at;
        let depth = self.depth_left();
        self.cursor.skip(depth)?;
        let bytes = self.cursor.at.saturating_sub(from);
        self.again = self.again.checked_sub(bytes).ok_or(JsonReadError::TooMany)?;
        Ok(())
    }

    /// Brackets that may open: three a level of sequences.
    fn depth_left(&self) -> usize {
        usize::from(self.limits.depth).saturating_mul(3).saturating_add(3)
    }
}
