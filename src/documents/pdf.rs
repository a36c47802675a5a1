//! A report as a PDF/A-3 file (ISO 19005-3, level B) with its CDA attached: what the national gateway
//! takes. One embedded font, one output intent, no compression of what checkers read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use sha2::Digest;
use sha2::Sha256;

use crate::documents::letter::FILE;
use crate::documents::letter::Glyph;
use crate::documents::letter::glyphs;
use crate::documents::letter::lines;
use crate::imaging::profile;

/// Points: A4 and its margins.
const PAGE: (u32, u32) = (595, 842);
const MARGIN: u32 = 56;
/// Points: letters of text and of titles, and the distance of lines for each.
const TEXT: (u32, u32) = (10, 14);
const TITLE: (u32, u32) = (13, 20);
/// Lines set at most: reports are of pages, not of books.
const MOST_LINES: usize = 20_000;
/// The name the gateway looks for.
const ATTACHED: &str = "cda.xml";

/// Why no PDF could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the font or the colour profile cannot be read")]
pub struct NoPdf;

/// A report to be set.
#[derive(Debug, Clone, Default)]
pub struct Sheet<'a> {
    /// Its title.
    pub title: &'a str,
    /// When it was made, as HL7 writes times.
    pub made: &'a str,
    /// What stands below its title: of whom, by whom.
    pub heading: Vec<String>,
    /// Its sections: title and text.
    pub sections: Vec<(&'a str, &'a str)>,
}

/// A line and how large it is set.
struct Line {
    text: String,
    size: (u32, u32),
}

/// The PDF of a report: its sections to read, its CDA attached. The same report gives the same bytes.
pub fn with_cda(sheet: &Sheet<'_>, bytes: &[u8]) -> Result<Vec<u8>, NoPdf> {
    let lines = set(sheet);
    let pages = pages(&lines);
    let mut used: BTreeMap<u16, Glyph> = BTreeMap::new();
    for line in &lines {
        used.extend(glyphs(&line.text).into_iter().map(|glyph| (glyph.id, glyph)));
    }
    let profile = profile::srgb().map_err(|_| NoPdf)?;
    if used.is_empty() {
        return Err(NoPdf);
    }
    let made = Moment::of(sheet.made);
    let mut file = File::new();
    let pages_start = FIRST_PAGE;
    let kids: Vec<String> =
        (0..pages.len()).map(|n| format!("{} 0 R", pages_start + 2 * n)).collect();
    let title = sheet.title;
    file.object(&format!(
        "<</Type/Catalog/Pages 2 0 R/Metadata 3 0 R/OutputIntents[4 0 R]/Lang(it-IT)\
         /ViewerPreferences<</DisplayDocTitle true>>\
         /Names<</EmbeddedFiles<</Names[({ATTACHED}) 6 0 R]>>>>/AF[6 0 R]>>"
    ));
    file.object(&format!("<</Type/Pages/Count {}/Kids[{}]>>", pages.len(), kids.join(" ")));
    file.stream("/Type/Metadata/Subtype/XML", metadata(title, &made).as_bytes());
    file.object(
        "<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)/Info(sRGB)\
         /DestOutputProfile 5 0 R>>",
    );
    file.deflated("/N 3", &profile);
    file.object(&format!(
        "<</Type/Filespec/F({ATTACHED})/UF({ATTACHED})/AFRelationship/Source/Desc(CDA)\
         /EF<</F 7 0 R/UF 7 0 R>>>>"
    ));
    let embedded = format!(
        "/Type/EmbeddedFile/Subtype/text#2Fxml/Params<</Size {}/ModDate({})>>",
        bytes.len(),
        made.pdf
    );
    file.deflated(&embedded, bytes);
    file.object(
        "<</Type/Font/Subtype/Type0/BaseFont/LASTRA+DejaVuSans/Encoding/Identity-H\
         /DescendantFonts[9 0 R]/ToUnicode 12 0 R>>",
    );
    let widths: Vec<String> =
        used.values().map(|glyph| format!("{}[{}]", glyph.id, glyph.advance)).collect();
    file.object(&format!(
        "<</Type/Font/Subtype/CIDFontType2/BaseFont/LASTRA+DejaVuSans/CIDToGIDMap/Identity\
         /CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor 10 0 R\
         /DW 600/W[{}]>>",
        widths.join(" ")
    ));
    file.object(
        "<</Type/FontDescriptor/FontName/LASTRA+DejaVuSans/Flags 32/FontBBox[-1021 -463 1793 1232]\
         /ItalicAngle 0/Ascent 928/Descent -236/CapHeight 729/StemV 80/FontFile2 11 0 R>>",
    );
    file.deflated(&format!("/Length1 {}", FILE.len()), FILE);
    file.deflated("", to_unicode(used.values()).as_bytes());
    file.object(&format!(
        "<</Title {}/Producer(Lastra)/CreationDate({})/ModDate({})>>",
        hex_text(title),
        made.pdf,
        made.pdf
    ));
    for page in &pages {
        let contents = file.next() + 1;
        file.object(&format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {} {}]/Resources<</Font<</F1 8 0 R>>>>\
             /Contents {contents} 0 R>>",
            PAGE.0, PAGE.1
        ));
        file.deflated("", drawn(page).as_bytes());
    }
    let identifier = hex(&Sha256::digest(bytes).as_slice()[..16]);
    Ok(file.end(&identifier))
}

/// Objects before the first page: 1 catalogue … 13 information.
const FIRST_PAGE: usize = 14;

/// The report as lines.
fn set(sheet: &Sheet<'_>) -> Vec<Line> {
    let mut set = Vec::new();
    let mut put = |text: &str, size: (u32, u32)| {
        let width = (PAGE.0 - 2 * MARGIN) * 1000 / size.0;
        for text in lines(text, width) {
            if set.len() < MOST_LINES {
                set.push(Line { text, size });
            }
        }
    };
    put(sheet.title, TITLE);
    for line in &sheet.heading {
        put(line, TEXT);
    }
    for (title, text) in sheet.sections.iter().filter(|(_, text)| !text.is_empty()) {
        put(" \n", TEXT);
        put(title, TITLE);
        put(text, TEXT);
    }
    set
}

/// Lines as they fit on pages; at least one page.
fn pages(lines: &[Line]) -> Vec<&[Line]> {
    let (mut pages, mut from, mut used) = (Vec::new(), 0, 0);
    for (at, line) in lines.iter().enumerate() {
        if used + line.size.1 > PAGE.1 - 2 * MARGIN {
            pages.extend(lines.get(from..at));
            (from, used) = (at, 0);
        }
        used += line.size.1;
    }
    pages.extend(lines.get(from..));
    pages
}

/// The operators that draw a page (ISO 32000-1 §9.4).
fn drawn(lines: &[Line]) -> String {
    let mut drawn = format!("BT 0 g {MARGIN} {} Td\n", PAGE.1 - MARGIN);
    for line in lines {
        let mut shown = String::new();
        for glyph in glyphs(&line.text) {
            let _ = write!(shown, "{:04X}", glyph.id);
        }
        let _ = writeln!(drawn, "/F1 {} Tf 0 -{} Td <{shown}> Tj", line.size.0, line.size.1);
    }
    drawn.push_str("ET\n");
    drawn
}

/// Which characters the glyphs stand for, so that the text can be found and copied (ISO 32000-1
/// §9.10.3).
fn to_unicode<'a>(used: impl Iterator<Item = &'a Glyph>) -> String {
    let mut map = String::from(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n\
         /CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n\
         /CMapName /Adobe-Identity-UCS def /CMapType 2 def\n\
         1 begincodespacerange <0000> <FFFF> endcodespacerange\n",
    );
    let used: Vec<&Glyph> = used.collect();
    for some in used.chunks(100) {
        let _ = writeln!(map, "{} beginbfchar", some.len());
        for glyph in some {
            let _ = writeln!(map, "<{:04X}> <{}>", glyph.id, utf16(&glyph.letter.to_string()));
        }
        map.push_str("endbfchar\n");
    }
    map.push_str("endcmap CMapName currentdict /CMap defineresource pop end end\n");
    map
}

fn metadata(title: &str, made: &Moment) -> String {
    let title = crate::documents::page::escape(title);
    let made = &made.xmp;
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\" \
         xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\">\
         <dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{title}</rdf:li></rdf:Alt></dc:title>\
         <xmp:CreateDate>{made}</xmp:CreateDate><xmp:ModifyDate>{made}</xmp:ModifyDate>\
         <pdf:Producer>Lastra</pdf:Producer>\
         <pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>\
         </rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>"
    )
}

/// A moment as PDF and XMP write it.
struct Moment {
    pdf: String,
    xmp: String,
}

impl Moment {
    /// Of an HL7 time; what it leaves out is the beginning of what it names.
    fn of(time: &str) -> Self {
        let digits: String = time.chars().take_while(char::is_ascii_digit).take(14).collect();
        let zone: String = time.chars().skip_while(|c| !matches!(c, '+' | '-')).take(5).collect();
        let filled: String =
            digits.chars().chain("19700101000000".chars().skip(digits.len())).collect();
        let part = |range: std::ops::Range<usize>| filled.get(range).unwrap_or("00").to_owned();
        let (hours, minutes) = match (zone.get(..3), zone.get(3..5)) {
            (Some(hours), Some(minutes)) => (hours.to_owned(), minutes.to_owned()),
            _ => ("+00".to_owned(), "00".to_owned()),
        };
        Self {
            pdf: format!("D:{filled}{hours}'{minutes}'"),
            xmp: format!(
                "{}-{}-{}T{}:{}:{}{hours}:{minutes}",
                part(0..4),
                part(4..6),
                part(6..8),
                part(8..10),
                part(10..12),
                part(12..14)
            ),
        }
    }
}

fn utf16(text: &str) -> String {
    text.encode_utf16().fold(String::new(), |mut hex, unit| {
        let _ = write!(hex, "{unit:04X}");
        hex
    })
}

/// A text string (ISO 32000-1 §7.9.2.2).
fn hex_text(text: &str) -> String {
    format!("<FEFF{}>", utf16(text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// A file as it grows: objects numbered in their order.
struct File {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl File {
    fn new() -> Self {
        // Four bytes above 127 in the second line say that the file is binary.
        Self { bytes: b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n".to_vec(), places: Vec::new() }
    }

    /// The number of the next object.
    fn next(&self) -> usize {
        self.places.len() + 1
    }

    fn object(&mut self, text: &str) {
        let number = self.next();
        self.places.push(self.bytes.len());
        self.bytes.extend_from_slice(format!("{number} 0 obj\n{text}\nendobj\n").as_bytes());
    }

    fn stream(&mut self, entries: &str, bytes: &[u8]) {
        let number = self.next();
        self.places.push(self.bytes.len());
        let head = format!("{number} 0 obj\n<<{entries}/Length {}>>\nstream\r\n", bytes.len());
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(bytes);
        self.bytes.extend_from_slice(b"\r\nendstream\nendobj\n");
    }

    fn deflated(&mut self, entries: &str, bytes: &[u8]) {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        // Writing into memory does not fail.
        let _ = encoder.write_all(bytes);
        let deflated = encoder.finish().unwrap_or_default();
        self.stream(&format!("{entries}/Filter/FlateDecode"), &deflated);
    }

    /// Closes the file: the table of objects and what is looked at first.
    fn end(mut self, identifier: &str) -> Vec<u8> {
        let table = self.bytes.len();
        let mut end = format!("xref\n0 {}\n0000000000 65535 f \n", self.next());
        for place in &self.places {
            let _ = writeln!(end, "{place:010} 00000 n ");
        }
        let _ = write!(
            end,
            "trailer\n<</Size {}/Root 1 0 R/Info 13 0 R/ID[<{identifier}><{identifier}>]>>\n\
             startxref\n{table}\n%%EOF\n",
            self.next()
        );
        self.bytes.extend_from_slice(end.as_bytes());
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::{Moment, Sheet, with_cda};

    #[test]
    fn the_same_report_gives_the_same_file_and_its_table_is_right() {
        let text = "Non si osservano lesioni pleuroparenchimali. ".repeat(400);
        let sheet = Sheet {
            title: "Referto (è una prova)",
            made: "20260302113000+0100",
            heading: vec!["Paziente: Anna Lucìa".to_owned()],
            sections: vec![("Referto", &text), ("Vuoto", "")],
        };
        let file = with_cda(&sheet, b"<ClinicalDocument/>").unwrap();
        assert_eq!(file, with_cda(&sheet, b"<ClinicalDocument/>").unwrap());
        let text = String::from_utf8_lossy(&file);
        assert!(text.contains("<pdfaid:part>3</pdfaid:part>"), "no PDF/A-3");
        let at = memchr::memmem::rfind(&file, b"startxref\n").unwrap() + 10;
        let place: usize =
            std::str::from_utf8(&file[at..]).unwrap().lines().next().unwrap().parse().unwrap();
        assert!(file[place..].starts_with(b"xref\n"));
        let table = std::str::from_utf8(&file[place..]).unwrap();
        for (number, line) in table.lines().skip(3).take_while(|l| l.ends_with("n ")).enumerate() {
            let place: usize = line[..10].parse().unwrap();
            assert!(file[place..].starts_with(format!("{} 0 obj", number + 1).as_bytes()));
        }
    }

    #[test]
    fn times_are_written_whole_whatever_was_left_out() {
        let full = Moment::of("20260302113000+0100");
        assert_eq!(full.pdf, "D:20260302113000+01'00'");
        assert_eq!(full.xmp, "2026-03-02T11:30:00+01:00");
        assert_eq!(Moment::of("2026").xmp, "2026-01-01T00:00:00+00:00");
        assert_eq!(Moment::of("").xmp, "1970-01-01T00:00:00+00:00");
    }
}
