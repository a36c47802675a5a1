//! A page's content stream: which strings it shows in which font, and the letters they are of
//! (ISO 32000-1 §9.4, §9.10.3).

use std::collections::BTreeMap;

/// Operands kept before an operator: more are none of a text operator.
const MOST_OPERANDS: usize = 4_096;
/// In an array of strings a shift to the left by this many thousandths is a space.
const SPACE: f32 = -180.0;

/// How a font's codes are letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::documents) struct Letters {
    /// Bytes of one code.
    width: usize,
    /// The map; without one a code is Latin-1.
    map: Option<BTreeMap<u32, String>>,
}

impl Letters {
    /// A font without a map of its own.
    pub(in crate::documents) fn latin() -> Self {
        Self { width: 1, map: None }
    }

    /// How many codes have letters of their own.
    pub(in crate::documents) fn count(&self) -> usize {
        self.map.as_ref().map_or(0, BTreeMap::len)
    }

    /// A font's `ToUnicode` map, of at most so many codes.
    pub(in crate::documents) fn of_map(map: &[u8], most: usize) -> Self {
        let mut tokens = Tokens::of(map);
        let mut waiting: Vec<Token> = Vec::new();
        let (mut width, mut letters) = (1, BTreeMap::new());
        while let Some(token) = tokens.next_one() {
            let Token::Word(word) = &token else {
                if waiting.len() < MOST_OPERANDS {
                    waiting.push(token);
                }
                continue;
            };
            match word.as_slice() {
                b"endcodespacerange" => {
                    if let Some(Token::Text(code)) = waiting.first() {
                        width = code.len().clamp(1, 4);
                    }
                }
                b"endbfchar" => {
                    for pair in waiting.chunks_exact(2) {
                        let [Token::Text(code), Token::Text(letter)] = pair else { continue };
                        insert(&mut letters, most, number(code), utf16(letter));
                    }
                }
                b"endbfrange" => ranges(&waiting, most, &mut letters),
                _ => {}
            }
            waiting.clear();
        }
        Self { width, map: Some(letters) }
    }

    fn read(&self, codes: &[u8], to: &mut String) {
        for code in codes.chunks(self.width) {
            match &self.map {
                None => {
                    let letters = code.iter().map(|byte| char::from(*byte));
                    to.extend(letters.filter(|letter| !letter.is_control()));
                }
                Some(map) => to.push_str(map.get(&number(code)).map_or("", String::as_str)),
            }
        }
    }
}

fn insert(letters: &mut BTreeMap<u32, String>, most: usize, code: u32, letter: String) {
    if letters.len() < most {
        letters.insert(code, letter);
    }
}

/// `<from> <to> <letter>`, or a list of letters.
fn ranges(waiting: &[Token], most: usize, letters: &mut BTreeMap<u32, String>) {
    let mut waiting = waiting.iter();
    while let (Some(Token::Text(from)), Some(Token::Text(to)), Some(letter)) =
        (waiting.next(), waiting.next(), waiting.next())
    {
        let (from, to) = (number(from), number(to));
        match letter {
            Token::Text(letter) => {
                let first = utf16(letter);
                let mut units = first.chars();
                let last = units.next_back();
                let Some(last) = last.map(u32::from) else { continue };
                let head: String = units.collect();
                for code in (from..=to).take(most.saturating_sub(letters.len())) {
                    let letter = char::from_u32(last.saturating_add(code.saturating_sub(from)));
                    let letter = letter.map(|letter| format!("{head}{letter}"));
                    insert(letters, most, code, letter.unwrap_or_default());
                }
            }
            Token::Open => {
                let mut code = from;
                for letter in waiting.by_ref() {
                    let Token::Text(letter) = letter else { break };
                    insert(letters, most, code, utf16(letter));
                    code = code.saturating_add(1);
                }
            }
            _ => return,
        }
    }
}

fn number(code: &[u8]) -> u32 {
    code.iter().take(4).fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok());
    let units: Vec<u16> = units.map(u16::from_be_bytes).collect();
    String::from_utf16_lossy(&units)
}

/// Adds what a content stream shows, until `text` is so long; `fonts` gives the letters of a font by the
/// name the page calls it.
pub(in crate::documents) fn text_of<'f>(
    content: &[u8],
    fonts: &dyn Fn(&[u8]) -> Option<&'f Letters>,
    most: usize,
    text: &mut String,
) {
    let latin = Letters::latin();
    let mut font = &latin;
    let mut operands: Vec<Token> = Vec::new();
    let mut tokens = Tokens::of(content);
    while let Some(token) = tokens.next_one() {
        let Token::Word(operator) = &token else {
            if operands.len() < MOST_OPERANDS {
                operands.push(token);
            }
            continue;
        };
        match operator.as_slice() {
            b"Tf" => {
                let name = operands.iter().find_map(|operand| match operand {
                    Token::Name(name) => Some(name),
                    _ => None,
                });
                font = name.and_then(|name| fonts(name)).unwrap_or(&latin);
            }
            b"Tj" | b"TJ" => show(&operands, font, text),
            b"'" | b"\"" => {
                end_line(text);
                show(&operands, font, text);
            }
            b"Td" | b"TD" | b"T*" | b"Tm" | b"ET" => end_line(text),
            _ => {}
        }
        operands.clear();
        if text.len() > most {
            return;
        }
    }
}

fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

fn show(operands: &[Token], font: &Letters, text: &mut String) {
    for operand in operands {
        match operand {
            Token::Text(codes) => font.read(codes, text),
            Token::Number(shift) if *shift < SPACE && !text.ends_with(' ') => text.push(' '),
            _ => {}
        }
    }
}

/// A token of a content stream or a map.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Text(Vec<u8>),
    Name(Vec<u8>),
    Number(f32),
    Word(Vec<u8>),
    Open,
    Other,
}

struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    fn of(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    fn next_one(&mut self) -> Option<Token> {
        self.rest = self.rest.trim_ascii_start();
        let (&first, rest) = self.rest.split_first()?;
        Some(match first {
            b'(' => {
                self.rest = rest;
                Token::Text(self.literal())
            }
            b'<' if rest.first() == Some(&b'<') => self.skip(2, Token::Other),
            b'<' => {
                self.rest = rest;
                Token::Text(self.hexadecimal())
            }
            b'[' => self.skip(1, Token::Open),
            b'>' | b']' | b'{' | b'}' | b')' => self.skip(1, Token::Other),
            b'%' => {
                let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                self.rest = rest.get(end..).unwrap_or_default();
                Token::Other
            }
            b'/' => {
                self.rest = rest;
                Token::Name(self.regular())
            }
            _ => {
                let word = self.regular();
                if word.is_empty() {
                    return Some(self.skip(1, Token::Other));
                }
                let text = std::str::from_utf8(&word).ok();
                match text.and_then(|text| text.parse::<f32>().ok()) {
                    Some(number) => Token::Number(number),
                    None => Token::Word(word),
                }
            }
        })
    }

    fn skip(&mut self, bytes: usize, token: Token) -> Token {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
        token
    }

    /// A name or word: up to white space or a delimiter.
    fn regular(&mut self) -> Vec<u8> {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"()<>[]{}/%\0".contains(byte);
        let end = self.rest.iter().position(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        self.rest = rest;
        word.to_vec()
    }

    /// `(…)` with nesting and escapes (ISO 32000-1 §7.3.4.2), its opening bracket gone.
    fn literal(&mut self) -> Vec<u8> {
        let (mut text, mut depth) = (Vec::new(), 1_usize);
        while let Some((&byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            match byte {
                b'\\' => self.escape(&mut text),
                b'(' => {
                    depth = depth.saturating_add(1);
                    text.push(byte);
                }
                b')' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                    text.push(byte);
                }
                _ => text.push(byte),
            }
        }
        text
    }

    fn escape(&mut self, text: &mut Vec<u8>) {
        let octal = self.rest.iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte));
        let digits: Vec<u8> = octal.copied().collect();
        if !digits.is_empty() {
            let value = digits.iter().fold(0_u32, |n, digit| n * 8 + u32::from(digit - b'0'));
            text.push(u8::try_from(value & 0xFF).unwrap_or(0));
            self.rest = self.rest.get(digits.len()..).unwrap_or_default();
            return;
        }
        let Some((&byte, rest)) = self.rest.split_first() else { return };
        self.rest = rest;
        match byte {
            b'n' | b'r' | b't' | b'b' | b'f' => text.push(b' '),
            b'\r' | b'\n' => {}
            other => text.push(other),
        }
    }

    /// `<…>`, its opening bracket gone; a missing last digit is 0.
    fn hexadecimal(&mut self) -> Vec<u8> {
        let end = memchr::memchr(b'>', self.rest).unwrap_or(self.rest.len());
        let (inner, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        self.rest = rest.get(1..).unwrap_or_default();
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let digits: Vec<u8> = inner.iter().filter_map(digit).collect();
        digits
            .chunks(2)
            .map(|pair| match pair {
                [high, low] => high << 4 | low,
                [high] => high << 4,
                _ => 0,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Letters, text_of};

    #[test]
    fn strings_of_every_form_are_read_in_their_fonts() {
        let map = b"1 begincodespacerange <0000> <FFFF> endcodespacerange\n\
            2 beginbfchar <0001> <0041> <0002> <00E80066> endbfchar\n\
            2 beginbfrange <0010> <0012> <0061> <0020> <0021> [<0058> <0059>] endbfrange";
        let mapped = Letters::of_map(map, 100);
        let fonts = |name: &[u8]| (name == b"F1").then_some(&mapped);
        let content = b"BT /F0 9 Tf (a\\(b\\)\\145 (c)) Tj T* /F1 9 Tf <0001 0002> Tj \
            [<00100012> -300 <0020>] TJ <0021> ' ET % (no) Tj\n";
        let mut text = String::new();
        text_of(content, &fonts, 1000, &mut text);
        assert_eq!(text, "a(b)e (c)\nAèfac X\nY\n");
    }
}
