//! The text of a PDF, for searching: what its pages show, letter by letter through each font's own map
//! (ISO 32000-1 §9.10). Not its layout; nothing of encrypted files, of pictures, of other filters than
//! Flate.
//!
//! A stranger's file is walked without recursion and within bounds; what cannot be read is left out.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;

use flate2::read::ZlibDecoder;
use memchr::memmem;

use crate::documents::pdf_content::Letters;
use crate::documents::pdf_content::text_of;

/// Characters of one file's text.
pub const MOST_TEXT: usize = 200_000;
const MOST_OBJECTS: usize = 200_000;
const MOST_PAGES: usize = 2_000;
const MOST_STREAMS_A_PAGE: usize = 64;
const MOST_FONTS: usize = 1_000;
/// Codes of all fonts of a file.
const MOST_LETTERS: usize = 300_000;
/// Bytes all streams of a file may inflate to.
const MOST_INFLATED: usize = 32 * 1024 * 1024;
/// Bytes of an object looked at as a dictionary.
const LONGEST_DICTIONARY: usize = 256 * 1024;
/// Bytes of dictionaries looked at, of a whole file: one that names itself again and again ends here.
const MOST_LOOKED_AT: usize = 256 * 1024 * 1024;

/// The text of a PDF's pages; empty where none can be read.
pub fn text(file: &[u8]) -> String {
    if memmem::find(file, b"/Encrypt").is_some() {
        return String::new();
    }
    let mut pdf = Pdf::read(file);
    let pages: Vec<u32> = pdf.pages();
    let everywhere = pdf.names_of_fonts(&pdf.all_fonts());
    pdf.read_fonts(&everywhere);
    let mut text = String::new();
    for page in pages {
        let mut dictionary = pdf.dictionary(page).to_vec();
        let contents = references(&dictionary, b"/Contents");
        for number in references(&dictionary, b"/Resources") {
            dictionary.extend_from_slice(pdf.dictionary(number));
        }
        let own = pdf.names_of_fonts(&dictionary);
        pdf.read_fonts(&own);
        for number in contents.into_iter().take(MOST_STREAMS_A_PAGE) {
            let Some(content) = pdf.stream(number) else { continue };
            let font = |name: &[u8]| {
                let number = own.get(name).or_else(|| everywhere.get(name))?;
                pdf.letters.get(number)
            };
            text_of(&content, &font, MOST_TEXT, &mut text);
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
        if text.len() >= MOST_TEXT {
            break;
        }
    }
    text.trim().chars().take(MOST_TEXT).collect()
}

/// Where an object lies: in the file itself (0), or in one of its inflated object streams.
struct Place {
    source: usize,
    range: Range<usize>,
}

/// A file's objects by number.
struct Pdf<'a> {
    file: &'a [u8],
    inflated: Vec<Vec<u8>>,
    objects: BTreeMap<u32, Place>,
    /// Letters of the fonts met so far.
    letters: BTreeMap<u32, Letters>,
    letters_left: usize,
    left: usize,
    looks_left: Cell<usize>,
}

impl<'a> Pdf<'a> {
    fn read(file: &'a [u8]) -> Self {
        let mut pdf = Self {
            file,
            inflated: Vec::new(),
            objects: BTreeMap::new(),
            letters: BTreeMap::new(),
            letters_left: MOST_LETTERS,
            left: MOST_INFLATED,
            looks_left: Cell::new(MOST_LOOKED_AT),
        };
        let ends: Vec<usize> = memmem::find_iter(file, b"endobj").collect();
        for at in memmem::find_iter(file, b" obj").take(MOST_OBJECTS) {
            let Some((number, from)) = number_before(file, at) else { continue };
            let start = at.saturating_add(4);
            let end = ends.get(ends.partition_point(|end| *end < start)).copied();
            let range = from.max(start)..end.unwrap_or(file.len());
            // Of an object written twice the later one counts.
            pdf.objects.insert(number, Place { source: 0, range });
        }
        pdf.open_object_streams();
        pdf
    }

    /// Objects that lie in compressed streams (ISO 32000-1 §7.5.7).
    fn open_object_streams(&mut self) {
        let numbers: Vec<u32> = self.objects.keys().copied().collect();
        for number in numbers {
            let dictionary = self.dictionary(number);
            if memmem::find(dictionary, b"/ObjStm").is_none() {
                continue;
            }
            let count = figure(dictionary, b"/N").unwrap_or(0).min(MOST_OBJECTS);
            let first = figure(dictionary, b"/First").unwrap_or(0);
            let Some(stream) = self.stream(number) else { continue };
            let head = stream.get(..first).unwrap_or_default();
            let figures: Vec<usize> = head
                .split(u8::is_ascii_whitespace)
                .filter_map(|word| std::str::from_utf8(word).ok()?.parse().ok())
                .take(count.saturating_mul(2))
                .collect();
            let source = self.inflated.len().saturating_add(1);
            for (at, pair) in figures.chunks_exact(2).enumerate() {
                let &[object, offset] = pair else { continue };
                let next = figures.get(at.saturating_mul(2).saturating_add(3)).copied();
                let start = first.saturating_add(offset);
                let end = next.map_or(stream.len(), |next| first.saturating_add(next));
                let Ok(object) = u32::try_from(object) else { continue };
                let range = start..end.max(start);
                self.objects.entry(object).or_insert(Place { source, range });
            }
            self.inflated.push(stream);
        }
    }

    fn bytes(&self, number: u32) -> &[u8] {
        let Some(place) = self.objects.get(&number) else { return &[] };
        let source = match place.source.checked_sub(1) {
            None => self.file,
            Some(at) => self.inflated.get(at).map(Vec::as_slice).unwrap_or_default(),
        };
        source.get(place.range.clone()).unwrap_or_default()
    }

    /// What stands before an object's stream, if it has one.
    fn dictionary(&self, number: u32) -> &[u8] {
        let bytes = self.bytes(number);
        let bytes = bytes.get(..bytes.len().min(LONGEST_DICTIONARY)).unwrap_or_default();
        let Some(left) = self.looks_left.get().checked_sub(bytes.len()) else { return &[] };
        self.looks_left.set(left);
        let end = memmem::find(bytes, b"stream").unwrap_or(bytes.len());
        bytes.get(..end).unwrap_or_default()
    }

    /// An object's stream, inflated within what is left.
    fn stream(&mut self, number: u32) -> Option<Vec<u8>> {
        if self.left == 0 {
            return None;
        }
        let dictionary = self.dictionary(number);
        let (at, bytes) = (dictionary.len(), self.bytes(number));
        if !bytes.get(at..)?.starts_with(b"stream") {
            return None;
        }
        let body = bytes.get(at.checked_add(6)?..)?;
        let body = body.strip_prefix(b"\r\n").or_else(|| body.strip_prefix(b"\n")).unwrap_or(body);
        let left = self.left;
        let out = if memmem::find(dictionary, b"/FlateDecode").is_some() {
            let mut out = Vec::new();
            let limit = u64::try_from(left).unwrap_or(0);
            // What was inflated before damage is looked at all the same.
            let _ = ZlibDecoder::new(body).take(limit).read_to_end(&mut out);
            out
        } else if memmem::find(dictionary, b"/Filter").is_some() {
            return None;
        } else {
            let end = memmem::rfind(body, b"endstream").unwrap_or(body.len());
            body.get(..end.min(left))?.to_vec()
        };
        self.left = left.saturating_sub(out.len());
        Some(out)
    }

    fn pages(&self) -> Vec<u32> {
        let is_page = |number: &u32| {
            let dictionary = self.dictionary(*number);
            let after = |at: usize, length: usize| {
                let rest = dictionary.get(at.saturating_add(length)..).unwrap_or_default();
                rest.trim_ascii_start()
            };
            memmem::find_iter(dictionary, b"/Type").any(|at| {
                let kind = after(at, 5).strip_prefix(b"/Page");
                kind.is_some_and(|rest| !rest.first().is_some_and(u8::is_ascii_alphanumeric))
            })
        };
        self.objects.keys().copied().filter(is_page).take(MOST_PAGES).collect()
    }

    /// All dictionaries that name fonts, for pages whose own resources are their parents'.
    fn all_fonts(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for number in self.objects.keys() {
            let dictionary = self.dictionary(*number);
            if memmem::find(dictionary, b"/Font").is_some() && all.len() < LONGEST_DICTIONARY {
                all.extend_from_slice(dictionary);
            }
        }
        all
    }

    /// Fonts a dictionary of resources names: `/Font << /F1 8 0 R >>`, or where that lies.
    fn names_of_fonts(&self, dictionary: &[u8]) -> BTreeMap<Vec<u8>, u32> {
        let mut names = BTreeMap::new();
        for at in memmem::find_iter(dictionary, b"/Font").take(MOST_FONTS) {
            let rest =
                dictionary.get(at.saturating_add(5)..).unwrap_or_default().trim_ascii_start();
            if rest.starts_with(b"<<") {
                let end = memmem::find(rest, b">>").unwrap_or(rest.len());
                pairs(rest.get(2..end).unwrap_or_default(), &mut names);
            } else if let Some((number, _)) = reference(rest) {
                let inner = self.dictionary(number);
                let inner = inner.trim_ascii_start();
                pairs(inner.strip_prefix(b"<<").unwrap_or_default(), &mut names);
            }
        }
        names
    }

    /// Reads the fonts of these names, unless they are read.
    fn read_fonts(&mut self, names: &BTreeMap<Vec<u8>, u32>) {
        for number in names.values() {
            if self.letters.contains_key(number) || self.letters.len() >= MOST_FONTS {
                continue;
            }
            let map = references(self.dictionary(*number), b"/ToUnicode").into_iter().next();
            let letters = match map.and_then(|map| self.stream(map)) {
                Some(map) => Letters::of_map(&map, self.letters_left),
                None => Letters::latin(),
            };
            self.letters_left = self.letters_left.saturating_sub(letters.count());
            self.letters.insert(*number, letters);
        }
    }
}

/// The number of the object whose ` obj` stands at `at`, and where the line of its numbers ends.
fn number_before(file: &[u8], at: usize) -> Option<(u32, usize)> {
    let before = file.get(at.saturating_sub(24)..at)?;
    let mut words = before.rsplit(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let generation = words.next()?;
    if generation.is_empty() || !generation.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let word = words.next()?;
    let digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let number = word.get(word.len().checked_sub(digits)?..)?;
    Some((std::str::from_utf8(number).ok()?.parse().ok()?, at))
}

/// `/F1 8 0 R /F2 9 0 R`.
fn pairs(mut text: &[u8], names: &mut BTreeMap<Vec<u8>, u32>) {
    while let Some(at) = memchr::memchr(b'/', text)
        && names.len() < MOST_FONTS
    {
        let rest = text.get(at.saturating_add(1)..).unwrap_or_default();
        let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        let (name, rest) = rest.split_at_checked(end).unwrap_or_default();
        if let Some((number, _)) = reference(rest.trim_ascii_start()) {
            names.entry(name.to_vec()).or_insert(number);
        }
        text = rest;
    }
}

/// `8 0 R`, and how long it is.
fn reference(text: &[u8]) -> Option<(u32, usize)> {
    let head = text.get(..text.len().min(32))?;
    let end = head.iter().position(|byte| *byte == b'R')?;
    let words: Vec<&[u8]> =
        head.get(..end)?.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    let [number, generation] = words.as_slice() else { return None };
    let digits = |word: &[u8]| word.iter().all(u8::is_ascii_digit);
    if !digits(number) || !digits(generation) {
        return None;
    }
    Some((std::str::from_utf8(number).ok()?.parse().ok()?, end.saturating_add(1)))
}

/// The objects a key names: one, or a list.
fn references(dictionary: &[u8], key: &[u8]) -> Vec<u32> {
    let mut found = Vec::new();
    let Some(at) = memmem::find(dictionary, key) else { return found };
    let rest = dictionary.get(at.saturating_add(key.len())..).unwrap_or_default();
    let rest = rest.trim_ascii_start();
    let Some(mut list) = rest.strip_prefix(b"[") else {
        found.extend(reference(rest).map(|(number, _)| number));
        return found;
    };
    while let Some((number, length)) = reference(list.trim_ascii_start())
        && found.len() < MOST_STREAMS_A_PAGE
    {
        found.push(number);
        list = list.trim_ascii_start().get(length..).unwrap_or_default();
    }
    found
}

fn figure(dictionary: &[u8], key: &[u8]) -> Option<usize> {
    memmem::find_iter(dictionary, key).find_map(|at| {
        let rest = dictionary.get(at.checked_add(key.len())?..)?;
        // `/N` begins other keys too.
        if !rest.first()?.is_ascii_whitespace() && !rest.first()?.is_ascii_digit() {
            return None;
        }
        let rest = rest.trim_ascii_start();
        let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        std::str::from_utf8(rest.get(..end)?).ok()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use proptest::prelude::*;

    use super::text;
    use crate::documents::pdf::Sheet;
    use crate::documents::pdf::with_cda;

    const REFERTO: &[u8] = include_bytes!("../../sample-studies/pdf-report/referto.pdf");

    #[test]
    fn plain_fonts_and_mapped_ones_give_their_words() {
        let read = text(REFERTO);
        for word in ["Ospedale di Prova", "risonanza magnetica", "RM2600121", "FTTZOE84S42F205X"] {
            assert!(read.contains(word), "{word}: {read}");
        }
        let sheet = Sheet {
            title: "Referto è",
            made: "2026",
            heading: Vec::new(),
            sections: vec![("Torace", "Non si osservano lesioni.")],
        };
        let read = text(&with_cda(&sheet, b"<a/>").unwrap());
        assert!(read.contains("Referto è") && read.contains("Non si osservano lesioni."), "{read}");
    }

    #[test]
    fn bombs_and_loops_are_bounded_and_encrypted_files_say_nothing() {
        let mut deflated = ZlibEncoder::new(Vec::new(), Compression::best());
        deflated.write_all(&b"BT (a) Tj ET ".repeat(20_000_000 / 13)).unwrap();
        let deflated = deflated.finish().unwrap();
        let mut bomb = b"%PDF-1.7\n1 0 obj <</Type/Page/Contents[".to_vec();
        bomb.extend(b"2 0 R ".repeat(5000));
        bomb.extend(b"]/Resources 1 0 R>> endobj\n2 0 obj <</Filter/FlateDecode>> stream\n");
        bomb.extend(deflated);
        bomb.extend(b"\nendstream endobj");
        assert!(text(&bomb).len() <= super::MOST_TEXT);
        let locked = [REFERTO, b"trailer <</Encrypt 9 0 R>>"].concat();
        assert_eq!(text(&locked), "");
    }

    proptest! {
        #[test]
        fn no_damage_makes_it_fail(at in 0..REFERTO.len(), byte: u8, cut in 0..REFERTO.len()) {
            let mut damaged = REFERTO.to_vec();
            damaged[at] = byte;
            text(&damaged);
            text(&damaged[..cut]);
        }

        #[test]
        fn nor_does_anything_else(words in proptest::collection::vec("[ -~]{0,12}| obj|stream|/Contents|\\[|BT|Tj|<<|/Font", 0..60)) {
            text(words.join(" ").as_bytes());
        }
    }
}
