//! A place in a JSON text (RFC 8259), moved over one token at a time; nothing is built but strings.

use std::borrow::Cow;

use super::JsonReadError;

/// A place in a text.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    pub(super) at: usize,
}

/// A value that holds no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scalar<'t> {
    Null,
    Bool,
    /// As written.
    Number(&'t str),
    Text(Cow<'t, str>),
}

type Result<T> = std::result::Result<T, JsonReadError>;

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn error<T>(&self, problem: &'static str) -> Result<T> {
        Err(JsonReadError::Syntax { offset: self.at, problem })
    }

    fn rest(&self) -> &'t [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let blanks =
            self.rest().iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.at = self.at.saturating_add(blanks);
        self.rest().first().copied()
    }

    /// Takes `byte` if it comes next.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at = self.at.saturating_add(usize::from(found));
        found
    }

    pub(super) fn expect(&mut self, byte: u8, problem: &'static str) -> Result<()> {
        if self.take(byte) { Ok(()) } else { self.error(problem) }
    }

    /// A name and its colon.
    pub(super) fn name(&mut self) -> Result<Cow<'t, str>> {
        let name = self.string()?;
        self.expect(b':', "a colon must follow a name")?;
        Ok(name)
    }

    pub(super) fn string(&mut self) -> Result<Cow<'t, str>> {
        self.expect(b'"', "a string must stand here")?;
        let from = self.at;
        let plain = self.plain()?;
        if plain == b'"' {
            return Ok(Cow::Borrowed(self.text.get(from..self.at.saturating_sub(1)).unwrap_or("")));
        }
        let until = self.at.saturating_sub(1);
        let mut text = self.text.get(from..until).unwrap_or_default().to_owned();
        loop {
            // Behind a backslash.
            let escaped = self.rest().first().copied();
            self.at = self.at.saturating_add(1);
            match escaped {
                Some(c @ (b'"' | b'\\' | b'/')) => text.push(char::from(c)),
                Some(b'b') => text.push('\u{8}'),
                Some(b'f') => text.push('\u{C}'),
                Some(b'n') => text.push('\n'),
                Some(b'r') => text.push('\r'),
                Some(b't') => text.push('\t'),
                Some(b'u') => text.push(self.unicode()?),
                _ => return self.error("an escape in a string is none"),
            }
            let from = self.at;
            let end = self.plain()?;
            text.push_str(self.text.get(from..self.at.saturating_sub(1)).unwrap_or_default());
            if end == b'"' {
                return Ok(Cow::Owned(text));
            }
        }
    }

    /// Moves behind the next quote or backslash and tells which it is.
    fn plain(&mut self) -> Result<u8> {
        let rest = self.rest();
        let Some(length) = memchr::memchr2(b'"', b'\\', rest) else {
            self.at = self.text.len();
            return self.error("a string does not end");
        };
        let inside = rest.get(..length).unwrap_or_default();
        if let Some(control) = inside.iter().position(|byte| *byte < 0x20) {
            self.at = self.at.saturating_add(control);
            return self.error("a string holds a control character");
        }
        self.at = self.at.saturating_add(length).saturating_add(1);
        Ok(rest.get(length).copied().unwrap_or_default())
    }

    /// Behind `\u`: one character, of two escapes if need be; half a pair is U+FFFD.
    fn unicode(&mut self) -> Result<char> {
        let first = self.hex()?;
        let low = self.rest().starts_with(b"\\u") && (0xD800..0xDC00).contains(&first);
        if !low {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before = self.at;
        self.at = self.at.saturating_add(2);
        let second = self.hex()?;
        if (0xDC00..0xE000).contains(&second) {
            let code = 0x1_0000 + ((first & 0x3FF) << 10) + (second & 0x3FF);
            return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        self.at = before;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Result<u32> {
        let digits = self.text.get(self.at..self.at.saturating_add(4)).unwrap_or_default();
        let valid = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let Some(number) = u32::from_str_radix(digits, 16).ok().filter(|_| valid) else {
            return self.error("an escape in a string is none");
        };
        self.at = self.at.saturating_add(4);
        Ok(number)
    }

    /// A string, number, `true`, `false` or `null`.
    pub(super) fn scalar(&mut self) -> Result<Scalar<'t>> {
        if self.peek() == Some(b'"') {
            return self.string().map(Scalar::Text);
        }
        let word = self.word();
        let scalar = match word {
            "null" => Scalar::Null,
            "true" | "false" => Scalar::Bool,
            // Not JSON, but what programs write that know no better.
            "NaN" | "Infinity" | "-Infinity" => Scalar::Number(word),
            number if is_number(number) => Scalar::Number(number),
            _ => return self.error("a value must stand here"),
        };
        self.at = self.at.saturating_add(word.len());
        Ok(scalar)
    }

    fn word(&self) -> &'t str {
        let of_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = self.rest().iter().take_while(|byte| of_word(byte)).count();
        self.text.get(self.at..self.at.saturating_add(length)).unwrap_or_default()
    }

    /// Moves over one value, whatever it is, nested at most `depth` deep.
    pub(super) fn skip(&mut self, depth: usize) -> Result<()> {
        let mut open: Vec<u8> = Vec::new();
        loop {
            // A value must stand here.
            let mut ended = true;
            match self.peek() {
                Some(bracket @ (b'{' | b'[')) => {
                    self.at = self.at.saturating_add(1);
                    if open.len() >= depth {
                        return Err(JsonReadError::TooDeep);
                    }
                    let closing = if bracket == b'{' { b'}' } else { b']' };
                    if !self.take(closing) {
                        open.push(closing);
                        ended = false;
                        if closing == b'}' {
                            self.name()?;
                        }
                    }
                }
                _ => drop(self.scalar()?),
            }
            // What may follow a value.
            while ended {
                let Some(closing) = open.last().copied() else { return Ok(()) };
                if self.take(b',') {
                    if closing == b'}' {
                        self.name()?;
                    }
                    ended = false;
                } else if self.take(closing) {
                    open.pop();
                } else {
                    return self.error("a comma or closing bracket must stand here");
                }
            }
        }
    }
}

/// RFC 8259 §6, and a plus sign before.
fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(word);
    unsigned.starts_with(|c: char| c.is_ascii_digit()) && word.parse::<f64>().is_ok()
}
