//! A message as segments, fields, repetitions, components and subcomponents (HL7 v2.5.1 §2.5).
//!
//! The text is kept whole and cut only where it is asked, so that a message costs no more memory
//! than its length. Numbers count from 1 as in the standard; what is absent is empty.

use std::fmt;
use std::ops::Range;

use encoding_rs::Encoding;

/// The most bytes of a message: reports travel inside as PDF.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;
/// The most segments of a message.
pub const MAX_SEGMENTS: usize = 20_000;

/// A message.
#[derive(Clone)]
pub struct Message {
    text: String,
    separators: Separators,
    segments: Vec<Range<usize>>,
}

/// The characters that cut a message (MSH-1 and MSH-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Separators {
    /// Between fields.
    pub field: char,
    /// Between components.
    pub component: char,
    /// Between repetitions.
    pub repetition: char,
    /// Around escapes; `None` where the sender has none.
    pub escape: Option<char>,
    /// Between subcomponents.
    pub subcomponent: Option<char>,
}

/// A segment.
#[derive(Clone, Copy)]
pub struct Segment<'m> {
    text: &'m str,
    separators: Separators,
}

/// One repetition of a field.
#[derive(Clone, Copy)]
pub struct Repetition<'m> {
    text: &'m str,
    separators: Separators,
}

/// Why bytes are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Longer than [`MAX_BYTES`].
    #[error("the message is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// More than [`MAX_SEGMENTS`].
    #[error("the message has more than {MAX_SEGMENTS} segments")]
    TooMany,
    /// It does not begin with MSH.
    #[error("the message does not begin with MSH")]
    NoHeader,
    /// MSH-1 or MSH-2 name no usable separators.
    #[error("MSH-1 and MSH-2 name no usable separators")]
    Separators,
    /// MSH-18 names a character set that is not read here, or the bytes do not fit it.
    #[error("the text does not fit the character set {0} (MSH-18)")]
    Charset(String),
    /// A segment without a name of three letters and digits.
    #[error("segment {0} has no name")]
    Segment(usize),
}

impl Message {
    /// Reads a message; `\r`, `\n` and both end segments.
    pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        if bytes.len() > MAX_BYTES {
            return Err(MessageError::TooLong);
        }
        if !bytes.starts_with(b"MSH") {
            return Err(MessageError::NoHeader);
        }
        let separators = Separators::read(bytes).ok_or(MessageError::Separators)?;
        let text = decode(bytes, separators)?;
        let mut segments = Vec::new();
        let mut start = 0_usize;
        for line in text.split(['\r', '\n']) {
            let end = start.saturating_add(line.len());
            if !line.trim().is_empty() {
                if segments.len() >= MAX_SEGMENTS {
                    return Err(MessageError::TooMany);
                }
                if !is_name(line, separators.field) {
                    return Err(MessageError::Segment(segments.len().saturating_add(1)));
                }
                segments.push(start..end);
            }
            start = end.saturating_add(1);
        }
        Ok(Self { text, separators, segments })
    }

    /// Its separators.
    pub fn separators(&self) -> Separators {
        self.separators
    }

    /// Its segments in order.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        self.segments.iter().filter_map(|range| {
            Some(Segment { text: self.text.get(range.clone())?, separators: self.separators })
        })
    }

    /// The first segment of that name.
    pub fn segment(&self, name: &str) -> Option<Segment<'_>> {
        self.segments().find(|segment| segment.name() == name)
    }

    /// Segments in groups, each beginning with a segment named `first`; what comes before is in none.
    pub fn groups(&self, first: &str) -> Vec<Vec<Segment<'_>>> {
        let mut groups: Vec<Vec<Segment<'_>>> = Vec::new();
        for segment in self.segments() {
            if segment.name() == first {
                groups.push(vec![segment]);
            } else if let Some(group) = groups.last_mut() {
                group.push(segment);
            }
        }
        groups
    }
}

impl<'m> Segment<'m> {
    /// Its name.
    pub fn name(self) -> &'m str {
        self.text.get(..3).unwrap_or_default()
    }

    /// A field as it is written.
    pub fn field(self, number: usize) -> &'m str {
        // The separator itself is MSH-1.
        let ahead = usize::from(self.name() == "MSH");
        if ahead == 1 && number == 1 {
            return self
                .text
                .get(3..)
                .and_then(|rest| rest.get(..self.separators.field.len_utf8()))
                .unwrap_or_default();
        }
        let at = number.checked_sub(ahead).filter(|_| number > 0);
        at.and_then(|at| self.text.split(self.separators.field).nth(at)).unwrap_or_default()
    }

    /// The repetitions of a field; none of an empty one.
    pub fn repetitions(self, number: usize) -> impl Iterator<Item = Repetition<'m>> {
        let separators = self.separators;
        let field = self.field(number);
        let parts = field.split(separators.repetition).filter(move |_| !is_absent(field));
        parts.map(move |text| Repetition { text, separators })
    }

    /// The first component of a field's first repetition, escapes resolved.
    pub fn text(self, number: usize) -> String {
        self.component(number, 1)
    }

    /// A component of a field's first repetition, escapes resolved.
    pub fn component(self, number: usize, component: usize) -> String {
        self.repetitions(number).next().map(|first| first.component(component)).unwrap_or_default()
    }
}

impl<'m> Repetition<'m> {
    /// As it is written.
    pub fn raw(self) -> &'m str {
        self.text
    }

    /// The whole of it as one text, escapes resolved.
    pub fn whole(self) -> String {
        self.separators.unescape(self.text)
    }

    /// A component as it is written.
    pub fn raw_component(self, number: usize) -> &'m str {
        let at = number.checked_sub(1);
        at.and_then(|at| self.text.split(self.separators.component).nth(at)).unwrap_or_default()
    }

    /// A component's first subcomponent, escapes resolved.
    pub fn component(self, number: usize) -> String {
        self.subcomponent(number, 1)
    }

    /// A subcomponent, escapes resolved.
    pub fn subcomponent(self, component: usize, number: usize) -> String {
        let component = self.raw_component(component);
        let part = match (self.separators.subcomponent, number.checked_sub(1)) {
            (Some(separator), Some(at)) => component.split(separator).nth(at),
            (None, Some(0)) => Some(component),
            _ => None,
        };
        let part = part.filter(|part| !is_absent(part)).unwrap_or_default();
        self.separators.unescape(part)
    }
}

impl Separators {
    /// What the standard recommends.
    pub const RECOMMENDED: Self = Self {
        field: '|',
        component: '^',
        repetition: '~',
        escape: Some('\\'),
        subcomponent: Some('&'),
    };

    /// Reads them from the beginning of a message.
    fn read(bytes: &[u8]) -> Option<Self> {
        let usable = |byte: u8| byte.is_ascii_punctuation();
        let field = bytes.get(3).copied().filter(|byte| usable(*byte))?;
        let rest = bytes.get(4..)?;
        let others: Vec<u8> =
            rest.iter().copied().take(6).take_while(|byte| *byte != field).collect();
        let distinct =
            |at: usize, byte: &u8| others.iter().position(|other| other == byte) == Some(at);
        // A fifth, of version 2.7, cuts nothing here.
        let right = (2..=5).contains(&others.len())
            && others.iter().all(|byte| usable(*byte))
            && others.iter().enumerate().all(|(at, byte)| distinct(at, byte));
        let at = |place: usize| others.get(place).copied().map(char::from);
        right.then_some(Self {
            field: char::from(field),
            component: at(0)?,
            repetition: at(1)?,
            escape: at(2),
            subcomponent: at(3),
        })
    }

    /// MSH-2 of a message with these.
    pub fn encoding_characters(self) -> String {
        let all = [Some(self.component), Some(self.repetition), self.escape, self.subcomponent];
        all.into_iter().flatten().collect()
    }

    /// Resolves escapes (§2.7): the separators, line breaks, and characters by number; highlighting
    /// and what is not known goes.
    pub fn unescape(self, text: &str) -> String {
        let Some(escape) = self.escape.filter(|escape| text.contains(*escape)) else {
            return text.to_owned();
        };
        let mut out = String::with_capacity(text.len());
        let mut parts = text.split(escape);
        out.push_str(parts.next().unwrap_or_default());
        while let Some(sequence) = parts.next() {
            let Some(behind) = parts.next() else {
                // One that nobody closed stands for itself.
                out.push(escape);
                out.push_str(sequence);
                break;
            };
            self.resolve(sequence, escape, &mut out);
            out.push_str(behind);
        }
        out
    }

    /// Writes `text` so that nothing in it cuts a message.
    pub fn escape(self, text: &str) -> String {
        let Some(escape) = self.escape else {
            return text.replace(|c: char| self.letter(c).is_some() || c == '\r' || c == '\n', " ");
        };
        let mut out = String::with_capacity(text.len());
        for character in text.chars() {
            match self.letter(character) {
                Some(letter) => out.extend([escape, letter, escape]),
                None if character == '\r' || character == '\n' => {
                    out.extend([escape]);
                    out.push_str(if character == '\r' { "X0D" } else { "X0A" });
                    out.extend([escape]);
                }
                None => out.push(character),
            }
        }
        out
    }

    fn letter(self, character: char) -> Option<char> {
        let pairs = [
            (Some(self.field), 'F'),
            (Some(self.component), 'S'),
            (self.subcomponent, 'T'),
            (Some(self.repetition), 'R'),
            (self.escape, 'E'),
        ];
        pairs.into_iter().find(|(c, _)| *c == Some(character)).map(|(_, letter)| letter)
    }

    fn resolve(self, sequence: &str, escape: char, out: &mut String) {
        match sequence {
            "F" => out.push(self.field),
            "S" => out.push(self.component),
            "T" => out.extend(self.subcomponent),
            "R" => out.push(self.repetition),
            "E" => out.push(escape),
            ".br" | ".sp" | ".BR" => out.push('\n'),
            _ => {
                if let Some(digits) = sequence.strip_prefix('X') {
                    out.push_str(&by_number(digits));
                }
            }
        }
    }
}

/// Segments and messages hold people: neither belongs into a log.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({} segments)", self.segments.len())
    }
}

impl fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Segment({})", self.name())
    }
}

impl fmt::Debug for Repetition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Repetition({} bytes)", self.text.len())
    }
}

/// `""` says that a value is to be removed: nothing to read either way.
fn is_absent(text: &str) -> bool {
    text.is_empty() || text == "\"\""
}

/// Characters written as hexadecimal bytes: UTF-8 where they are that, else Latin-1.
fn by_number(digits: &str) -> String {
    let bytes: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    let bytes = bytes.unwrap_or_default();
    String::from_utf8(bytes)
        .unwrap_or_else(|wrong| wrong.as_bytes().iter().map(|byte| char::from(*byte)).collect())
}

fn is_name(line: &str, field: char) -> bool {
    let name = line.get(..3).unwrap_or_default();
    let named = name.len() == 3 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    named && line.get(3..).is_some_and(|rest| rest.is_empty() || rest.starts_with(field))
}

/// The text by MSH-18; without it UTF-8 where it is that, else Windows' Latin-1.
fn decode(bytes: &[u8], separators: Separators) -> Result<String, MessageError> {
    let header = bytes.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
    let field = u32::from(separators.field);
    let charset = header.split(|byte| u32::from(*byte) == field).nth(17).unwrap_or_default();
    let repetition = u32::from(separators.repetition);
    let charset = charset.split(|byte| u32::from(*byte) == repetition).next().unwrap_or_default();
    let name = String::from_utf8_lossy(charset).trim().to_ascii_uppercase();
    if name.is_empty() || name == "ASCII" {
        return Ok(match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
        });
    }
    let label = CHARSETS.iter().find(|(known, _)| *known == name).map(|(_, label)| *label);
    let encoding = label.and_then(|label| Encoding::for_label(label.as_bytes()));
    let refused = || MessageError::Charset(name.chars().take(40).collect());
    let (text, broken) = encoding.ok_or_else(refused)?.decode_without_bom_handling(bytes);
    if broken { Err(refused()) } else { Ok(text.into_owned()) }
}

/// HL7 table 0211, as far as one byte is still the header's separators.
const CHARSETS: [(&str, &str); 14] = [
    ("UNICODE UTF-8", "utf-8"),
    ("UTF-8", "utf-8"),
    ("8859/1", "iso-8859-1"),
    ("8859/2", "iso-8859-2"),
    ("8859/3", "iso-8859-3"),
    ("8859/4", "iso-8859-4"),
    ("8859/5", "iso-8859-5"),
    ("8859/6", "iso-8859-6"),
    ("8859/7", "iso-8859-7"),
    ("8859/8", "iso-8859-8"),
    ("8859/9", "iso-8859-9"),
    ("8859/15", "iso-8859-15"),
    ("GB 18030-2000", "gb18030"),
    ("KS X 1001", "euc-kr"),
];

#[cfg(test)]
mod tests;
