//! The narrative of a CDA document (HL7 CDA R2 §4.3.5) as a page: a plain reading, not a style sheet.
//!
//! Markup is never passed on: its text is taken out and written anew. The document is read as the
//! fascicolo reads it: without a document type declaration, within limits.

use crate::documents::page::{Line, LineKind, Page};
use crate::hl7::cda::narrative::{self, Step};
use crate::hl7::cda::xml::{Document, Element, Limits, XmlError};

/// Lines taken of one document.
const MAX_LINES: usize = 50_000;

/// Longest document read, in bytes.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// What is read of a stranger's document.
const LIMITS: Limits = Limits { bytes: 16 * 1024 * 1024, ..Limits::DEFAULT };

/// Reads the title and the narrative of every section.
pub fn page(xml: &[u8]) -> Result<Page, XmlError> {
    // A value of odd length was padded with one byte (PS3.5 §6.2).
    let xml = xml.strip_suffix(&[0]).unwrap_or(xml);
    let document = Document::parse_within(xml, LIMITS)?;
    let mut walk = Walk::default();
    walk.start(document.root());
    narrative::walk(document.root(), |step| match step {
        Step::Enter(element) => walk.start(element),
        Step::Text(text) => walk.text(text),
        Step::Leave(_) => walk.end(),
    });
    walk.end();
    Ok(walk.finish())
}

/// What an open element is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Section,
    /// `title` of the document or of a section.
    Title,
    /// `text` of a section: the narrative.
    Narrative,
    Paragraph,
    List(bool),
    Item,
    Row,
    Cell(bool),
    Caption,
    /// Its text belongs to what is around it.
    Inline,
    /// Not shown.
    Other,
}

#[derive(Debug, Default)]
struct Walk {
    open: Vec<Role>,
    page: Page,
    sections: usize,
    /// Text that has not become a line yet.
    pending: String,
    cells: Vec<(bool, String)>,
}

impl Walk {
    fn start(&mut self, element: Element<'_>) {
        let inside = self.open.contains(&Role::Narrative);
        let role = match (element.name(), inside) {
            ("section", false) => Role::Section,
            ("title", false) if self.titled() => Role::Title,
            ("text", false) if self.open.last() == Some(&Role::Section) => Role::Narrative,
            ("languageCode", false) if self.open.len() == 1 => {
                let code = element.attr("code");
                code.filter(|code| code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
                    .unwrap_or_default()
                    .clone_into(&mut self.page.language);
                Role::Other
            }
            ("paragraph", true) => Role::Paragraph,
            ("list", true) => Role::List(element.attr("listType") == Some("ordered")),
            ("item", true) => Role::Item,
            ("tr", true) => Role::Row,
            ("td", true) => Role::Cell(false),
            ("th", true) => Role::Cell(true),
            ("caption", true) => Role::Caption,
            ("br", true) => {
                self.pending.push(BREAK);
                Role::Inline
            }
            (_, true) => Role::Inline,
            (_, false) => Role::Other,
        };
        match role {
            Role::Section => self.sections = self.sections.saturating_add(1),
            Role::Paragraph | Role::List(_) | Role::Item | Role::Row | Role::Caption => {
                self.flush();
            }
            Role::Cell(_) => self.pending.clear(),
            _ => {}
        }
        self.open.push(role);
    }

    /// A title counts right below the document or a section.
    fn titled(&self) -> bool {
        self.open.len() == 1 || self.open.last() == Some(&Role::Section)
    }

    fn end(&mut self) {
        let Some(role) = self.open.pop() else { return };
        match role {
            Role::Section => self.sections = self.sections.saturating_sub(1),
            Role::Title if self.sections == 0 => {
                self.page.title = normal(&std::mem::take(&mut self.pending));
            }
            Role::Title => {
                let heading = normal(&std::mem::take(&mut self.pending));
                self.line(self.sections.saturating_sub(1), LineKind::Heading(heading));
            }
            Role::Cell(head) => {
                let cell = normal(&std::mem::take(&mut self.pending));
                self.cells.push((head, cell));
            }
            Role::Row => {
                let cells = std::mem::take(&mut self.cells);
                self.pending.clear();
                if !cells.is_empty() {
                    self.line(self.sections, LineKind::Row(cells));
                }
            }
            Role::Paragraph | Role::Item | Role::Narrative | Role::Caption => {
                // An item's text may end behind a list within it.
                self.open.push(role);
                self.flush();
                self.open.pop();
            }
            Role::List(_) | Role::Inline | Role::Other => {}
        }
    }

    fn text(&mut self, text: &str) {
        let shown = |role: &Role| matches!(role, Role::Title | Role::Narrative);
        if self.open.iter().any(shown) {
            self.pending.push_str(text);
        }
    }

    /// Pending text becomes a line of the kind that the innermost element gives it.
    fn flush(&mut self) {
        if self.open.iter().any(|role| matches!(role, Role::Cell(_))) {
            self.pending.push(BREAK);
            return;
        }
        let text = normal(&std::mem::take(&mut self.pending));
        if text.is_empty() {
            return;
        }
        let lists = self.open.iter().filter(|role| matches!(role, Role::List(_))).count();
        let ordered = self.open.iter().rev().find_map(|role| match role {
            Role::List(ordered) => Some(*ordered),
            _ => None,
        });
        let in_item = self.open.contains(&Role::Item);
        match ordered.filter(|_| in_item) {
            Some(ordered) => {
                let depth = self.sections.saturating_add(lists).saturating_sub(1);
                self.line(depth, LineKind::Item(ordered, text));
            }
            None => self.line(self.sections, LineKind::Text(text)),
        }
    }

    fn line(&mut self, depth: usize, kind: LineKind) {
        if self.page.lines.len() < MAX_LINES {
            self.page.lines.push(Line { depth, kind });
        } else {
            self.page.cut = true;
        }
    }

    fn finish(mut self) -> Page {
        if self.page.title.is_empty() {
            "Clinical document".clone_into(&mut self.page.title);
        }
        if self.page.lines.is_empty() {
            let text = "The document has no narrative to show.".to_owned();
            self.page.lines.push(Line { depth: 0, kind: LineKind::Text(text) });
        }
        self.page
    }
}

/// Stands for a `br` in pending text: line breaks of the file itself mean nothing.
const BREAK: char = '\u{2028}';

/// Runs of white space as one space, in lines where `br` or a new paragraph broke them.
fn normal(text: &str) -> String {
    let lines = text.split(BREAK).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{XmlError, page};
    use crate::documents::page::LineKind;

    const DOCUMENT: &str = r#"<?xml version="1.0" encoding="ISO-8859-1"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><languageCode code="it-IT"/><title>Referto</title>
<recordTarget><patientRole><patient><name>Secret</name></patient></patientRole></recordTarget>
<component><structuredBody><component><section><title>Esame</title><text>
  <paragraph>Torace, <content styleCode="Bold">due</content> proiezioni<br/>eseguite</paragraph>
  <list listType="ordered"><item>uno</item><item>due<list><item>sotto</item></list></item></list>
  <table><caption>Misure</caption><tbody><tr><th>Lato</th><td>5&#160;mm &lt;img src=x onerror=alert(1)&gt;</td></tr></tbody></table>
  <renderMultiMedia referencedObject="x"/><script>alert(2)</script>
</text><component><section><title>Dettaglio</title><text>testo sciolto: perch&#233;</text></section></component>
</section></component></structuredBody></component></ClinicalDocument>"#;

    #[test]
    fn requirement_36_the_narrative_is_read_and_nothing_of_its_markup_passed_on() {
        let (latin, ..) = encoding_rs::WINDOWS_1252.encode(DOCUMENT);
        let page = page(&latin).unwrap();
        assert_eq!((page.title.as_str(), page.language.as_str()), ("Referto", "it-IT"));
        let kinds: Vec<_> = page.lines.iter().map(|line| (line.depth, line.kind.clone())).collect();
        let text = |text: &str| LineKind::Text(text.to_owned());
        let expected = [
            (0, LineKind::Heading("Esame".into())),
            (1, text("Torace, due proiezioni\neseguite")),
            (1, LineKind::Item(true, "uno".into())),
            (1, LineKind::Item(true, "due".into())),
            (2, LineKind::Item(false, "sotto".into())),
            (1, text("Misure")),
            (
                1,
                LineKind::Row(vec![
                    (true, "Lato".into()),
                    (false, "5 mm <img src=x onerror=alert(1)>".into()),
                ]),
            ),
            (1, LineKind::Heading("Dettaglio".into())),
            (2, text("testo sciolto: perché")),
        ];
        assert_eq!(kinds, expected);
        let html = page.html();
        for hidden in ["<script", "<img", "alert(2)", "Secret"] {
            assert!(!html.contains(hidden), "{hidden}");
        }
    }

    #[test]
    fn a_document_type_is_refused_whatever_is_in_it() {
        let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY f SYSTEM "file:///etc/passwd">]>
            <ClinicalDocument><component><section><text>&a;&f;</text></section></component></ClinicalDocument>"#;
        assert_eq!(page(bomb.as_bytes()), Err(XmlError::Dtd));
        let entity = "<ClinicalDocument><title>&a;</title></ClinicalDocument>";
        assert!(matches!(page(entity.as_bytes()), Err(XmlError::Entity(_))));
    }

    #[test]
    fn what_is_no_xml_or_too_deep_is_refused_and_padding_is_none_of_it() {
        assert!(matches!(page(b"<a><b></a>"), Err(XmlError::Malformed(_))));
        assert!(matches!(page(b"<a>"), Err(XmlError::Malformed(_))));
        assert!(matches!(page("<a>".repeat(1000).as_bytes()), Err(XmlError::TooDeep(_))));
        assert!(page(b"<a></a>\0").is_ok());
    }

    proptest! {
        #[test]
        fn no_document_panics(
            pieces in proptest::collection::vec(
                "(<(section|text|list|item|tr|td|title|br/)>|</(section|text|list|item|tr|td|title)>|[ -~]{0,5}|&[a-z#0-9]{0,4};)",
                0..40,
            ),
        ) {
            if let Ok(page) = page(pieces.concat().as_bytes()) {
                page.html();
                page.plain();
            }
        }
    }
}
