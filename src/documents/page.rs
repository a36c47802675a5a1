//! A document as HTML or plain text: one page by itself, without script, every text escaped.

use std::borrow::Cow;
use std::fmt::Write;

/// A document, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// Language of its text (BCP 47), where it is known.
    pub language: String,
    /// What stands above it: whose it is, when it was made, whether it is complete.
    pub facts: Vec<(&'static str, String)>,
    /// Its body.
    pub lines: Vec<Line>,
    /// There is more than is shown.
    pub cut: bool,
}

/// One line of a body, in document order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How deep it stands, from 0.
    pub depth: usize,
    /// What it is.
    pub kind: LineKind,
}

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineKind {
    /// Begins a section.
    Heading(String),
    /// A name and its value; the name may be empty.
    Entry(String, String),
    /// A paragraph.
    Text(String),
    /// One of a list; `true` when the list is numbered.
    Item(bool, String),
    /// A row of a table: cells; `true` for heads.
    Row(Vec<(bool, String)>),
}

/// Headings of HTML go down to `h6`; the title is `h1`.
const DEEPEST_HEADING: usize = 6;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:50rem;margin:1rem auto;\
padding:0 1rem;color:#111;background:#fff}h1{font-size:1.6rem}h2{font-size:1.3rem}\
h3,h4,h5,h6{font-size:1.1rem;margin-bottom:.3rem}dl.facts{display:grid;\
grid-template-columns:max-content 1fr;gap:.1rem 1rem;border-bottom:1px solid #767676;\
padding-bottom:1rem}dt{font-weight:600}dd{margin:0}section section,.in{margin-left:1.2rem}\
p{margin:.3rem 0;white-space:pre-line}table{border-collapse:collapse}\
td,th{border:1px solid #767676;padding:.2rem .5rem;text-align:left}";

impl Page {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let mut out = String::with_capacity(4096);
        let title = escape(&self.title);
        let _ = write!(
            out,
            "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n",
            escape(&self.language)
        );
        if !self.facts.is_empty() {
            out.push_str("<dl class=\"facts\">\n");
            for (name, value) in &self.facts {
                let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(value));
            }
            out.push_str("</dl>\n");
        }
        Writer { out: &mut out, open: Vec::new() }.lines(&self.lines);
        if self.cut {
            out.push_str("<p><strong>The document is longer than is shown here.</strong></p>\n");
        }
        out.push_str("</main>\n</body>\n</html>\n");
        out
    }

    /// The page as plain text.
    pub fn plain(&self) -> String {
        let mut out = format!("{}\n{}\n\n", self.title, "=".repeat(self.title.chars().count()));
        for (name, value) in &self.facts {
            let _ = writeln!(out, "{name}: {value}");
        }
        for line in &self.lines {
            let indent = "  ".repeat(line.depth.min(40));
            let text = match &line.kind {
                LineKind::Heading(text) => format!("\n{indent}{}", text.to_uppercase()),
                LineKind::Entry(name, value) if name.is_empty() => format!("{indent}{value}"),
                LineKind::Entry(name, value) => format!("{indent}{name}: {value}"),
                LineKind::Text(text) => format!("{indent}{text}"),
                LineKind::Item(_, text) => format!("{indent}- {text}"),
                LineKind::Row(cells) => {
                    let cells: Vec<&str> = cells.iter().map(|(_, cell)| cell.as_str()).collect();
                    format!("{indent}{}", cells.join(" | "))
                }
            };
            let _ = writeln!(
                out,
                "{}",
                text.replace("\r\n", "\n").replace('\n', &format!("\n{indent}"))
            );
        }
        if self.cut {
            out.push_str("\nThe document is longer than is shown here.\n");
        }
        out
    }
}

/// An element that is open, with the depth it was opened at.
struct Open {
    depth: usize,
    end: &'static str,
}

struct Writer<'o> {
    out: &'o mut String,
    open: Vec<Open>,
}

impl Writer<'_> {
    fn lines(&mut self, lines: &[Line]) {
        for (number, line) in lines.iter().enumerate() {
            let next = lines.get(number.saturating_add(1));
            self.line(line, next.is_some_and(|next| next.depth > line.depth));
        }
        self.close(0, "");
    }

    /// Closes what is deeper, and at the same depth whatever is not the group `keep`.
    fn close(&mut self, depth: usize, keep: &str) {
        while let Some(open) = self.open.last() {
            if open.depth < depth || (open.depth == depth && open.end == keep) {
                return;
            }
            self.out.push_str(open.end);
            self.open.pop();
        }
    }

    fn begin(&mut self, depth: usize, start: &str, end: &'static str) {
        self.out.push_str(start);
        self.open.push(Open { depth, end });
    }

    /// Lists and tables: lines of one kind at one depth share an element.
    fn join(&mut self, depth: usize, start: &str, end: &'static str) {
        self.close(depth, end);
        if !self.open.last().is_some_and(|open| open.depth == depth && open.end == end) {
            self.begin(depth, start, end);
        }
    }

    /// Writes a line; `has_inner` when those after it stand deeper.
    fn line(&mut self, line: &Line, has_inner: bool) {
        let depth = line.depth;
        match &line.kind {
            LineKind::Heading(text) => {
                self.close(depth, "");
                let sections = self.open.iter().filter(|open| open.end == SECTION).count();
                let level = (sections + 2).min(DEEPEST_HEADING);
                self.begin(depth, "<section>\n", SECTION);
                let _ = writeln!(self.out, "<h{level}>{}</h{level}>", escape(text));
            }
            LineKind::Entry(name, value) => {
                self.close(depth, "");
                let (name, value) = (escape(name), escape(value));
                let _ = match name.as_ref() {
                    "" => writeln!(self.out, "<p>{value}</p>"),
                    name => writeln!(self.out, "<p><strong>{name}:</strong> {value}</p>"),
                };
                if has_inner {
                    self.begin(depth, "<div class=\"in\">\n", "</div>\n");
                }
            }
            LineKind::Text(text) => {
                self.close(depth, "");
                let _ = writeln!(self.out, "<p>{}</p>", escape(text));
            }
            LineKind::Item(true, text) => {
                self.join(depth, "<ol>\n", "</ol>\n");
                let _ = writeln!(self.out, "<li>{}</li>", escape(text));
            }
            LineKind::Item(false, text) => {
                self.join(depth, "<ul>\n", "</ul>\n");
                let _ = writeln!(self.out, "<li>{}</li>", escape(text));
            }
            LineKind::Row(cells) => {
                self.join(depth, "<table>\n", "</table>\n");
                self.out.push_str("<tr>");
                for (head, cell) in cells {
                    let tag = if *head { "th" } else { "td" };
                    let _ = write!(self.out, "<{tag}>{}</{tag}>", escape(cell));
                }
                self.out.push_str("</tr>\n");
            }
        }
    }
}

const SECTION: &str = "</section>\n";

/// A text that means nothing to HTML, in content as in attributes. Characters that HTML does not
/// allow become U+FFFD.
pub fn escape(text: &str) -> Cow<'_, str> {
    let harmless = |c: char| !matches!(c, '&' | '<' | '>' | '"' | '\'') && (c >= ' ' || c == '\n');
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\r' => {}
            '\n' | '\t' => escaped.push(c),
            c if c < ' ' => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Line, LineKind, Page};

    fn line(depth: usize, kind: LineKind) -> Line {
        Line { depth, kind }
    }

    #[test]
    fn a_page_is_nested_as_its_lines_are_and_every_text_is_escaped() {
        let page = Page {
            title: "Referto <b>".into(),
            language: "it".into(),
            facts: vec![("Patient", "O'Neil & co".into())],
            lines: vec![
                line(0, LineKind::Heading("Findings".into())),
                line(1, LineKind::Entry("Size".into(), "5 mm".into())),
                line(2, LineKind::Entry(String::new(), "<script>".into())),
                line(1, LineKind::Item(false, "one".into())),
                line(1, LineKind::Item(false, "two".into())),
                line(1, LineKind::Row(vec![(true, "a".into()), (false, "b".into())])),
                line(0, LineKind::Text("End".into())),
            ],
            cut: true,
        };
        let html = page.html();
        let body = html.split("</dl>").nth(1).unwrap();
        assert!(html.contains("<html lang=\"it\">") && html.contains("<h1>Referto &lt;b&gt;</h1>"));
        assert!(html.contains("<dt>Patient</dt><dd>O&#39;Neil &amp; co</dd>"));
        let expected = "<section><h2>Findings</h2><p><strong>Size:</strong> 5 mm</p>\
            <div class=\"in\"><p>&lt;script&gt;</p></div>\
            <ul><li>one</li><li>two</li></ul><table><tr><th>a</th><td>b</td></tr></table></section>\
            <p>End</p>";
        assert!(body.replace('\n', "").starts_with(expected), "{body}");
        let plain = page.plain();
        assert!(
            plain
                .contains("\nFINDINGS\n  Size: 5 mm\n    <script>\n  - one\n  - two\n  a | b\nEnd")
        );
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_place_and_elements_are_closed_in_turn(
            lines in proptest::collection::vec((0_usize..6, 0_u8..6, ".{0,20}"), 0..30),
        ) {
            let lines = lines.into_iter().map(|(depth, kind, text)| line(depth, match kind {
                0 => LineKind::Heading(text),
                1 => LineKind::Entry(text.clone(), text),
                2 => LineKind::Text(text),
                3 => LineKind::Item(true, text),
                4 => LineKind::Item(false, text),
                _ => LineKind::Row(vec![(false, text)]),
            }));
            let page = Page { lines: lines.collect(), ..Page::default() };
            let html = page.html();
            let mut open = Vec::new();
            let body = html.split("<body>").nth(1).unwrap();
            for tag in body.split('<').skip(1).filter_map(|piece| piece.split('>').next()) {
                let name = tag.split(' ').next().unwrap();
                match name.strip_prefix('/') {
                    Some("body" | "html") => {}
                    Some(name) => prop_assert_eq!(open.pop(), Some(name)),
                    None => open.push(name),
                }
            }
            prop_assert!(open.is_empty());
            page.plain();
        }
    }
}
