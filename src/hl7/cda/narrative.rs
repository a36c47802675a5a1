//! The narrative of a document as plain text and as accessible HTML.
//!
//! HTML is written from a table of what may appear; everything else gives its text, and script and
//! style give nothing. No attribute is copied but those named here, no style sheet of the document
//! is run.

use std::fmt::Write;

use crate::hl7::cda::document::ClinicalDocument;
use crate::hl7::cda::xml::Child;
use crate::hl7::cda::xml::Document;
use crate::hl7::cda::xml::Element;

/// The narrative of a section's `text` as plain text: a line a paragraph, item or row.
pub fn plain(text: Element<'_>) -> String {
    let mut out = String::new();
    walk(text, |step| match step {
        Step::Text(part) => push_words(&mut out, part),
        Step::Enter(element) | Step::Leave(element) => match element.name() {
            "td" | "th" => push_gap(&mut out, '\t'),
            name if BREAKS.contains(&name) => push_gap(&mut out, '\n'),
            _ => {}
        },
    });
    out.trim().to_owned()
}

/// The document's title and sections as an HTML `article`, headings from level 2.
pub fn html(document: &Document, facts: &ClinicalDocument) -> String {
    let mut out = String::from("<article class=\"cda\"");
    if is_language(&facts.language) {
        let _ = write!(out, " lang=\"{}\"", facts.language);
    }
    out.push_str(">\n<h2>");
    escape(&facts.title, &mut out);
    out.push_str("</h2>\n");
    let sections = document.root().first("component/structuredBody");
    for section in sections.into_iter().flat_map(Element::descendants) {
        if section.name() == "section" {
            section_html(section, &mut out);
        }
    }
    out.push_str("</article>\n");
    out
}

fn section_html(section: Element<'_>, out: &mut String) {
    let (title, text) = (section.first("title"), section.first("text"));
    if title.is_none() && text.is_none() {
        return;
    }
    // A section within a section.
    let depth = std::iter::successors(section.parent(), |element| element.parent())
        .filter(|element| element.name() == "section")
        .count();
    let level = depth.saturating_add(3).min(6);
    out.push_str("<section>\n");
    if let Some(title) = title {
        let _ = write!(out, "<h{level}>");
        escape(&title.text(), out);
        let _ = writeln!(out, "</h{level}>");
    }
    if let Some(text) = text {
        narrative_html(text, out);
    }
    out.push_str("</section>\n");
}

fn narrative_html(text: Element<'_>, out: &mut String) {
    walk(text, |step| match step {
        Step::Text(part) => escape(part, out),
        Step::Enter(element) => enter(element, out),
        Step::Leave(element) => leave(element, out),
    });
    out.push('\n');
}

/// What a walk meets.
enum Step<'d> {
    Enter(Element<'d>),
    Text(&'d str),
    Leave(Element<'d>),
}

/// Walks what lies inside `top`, in order, without what only machines read.
fn walk<'d>(top: Element<'d>, mut tell: impl FnMut(Step<'d>)) {
    enum Work<'d> {
        See(Child<'d>),
        Leave(Element<'d>),
    }
    let mut work: Vec<Work<'d>> = Vec::new();
    let push = |work: &mut Vec<Work<'d>>, element: Element<'d>| {
        let start = work.len();
        work.extend(element.inside().map(Work::See));
        if let Some(new) = work.get_mut(start..) {
            new.reverse();
        }
    };
    push(&mut work, top);
    while let Some(next) = work.pop() {
        match next {
            Work::Leave(element) => tell(Step::Leave(element)),
            Work::See(Child::Text(text)) => tell(Step::Text(text)),
            Work::See(Child::Element(element)) => {
                if SILENT.iter().any(|name| name.eq_ignore_ascii_case(element.name())) {
                    continue;
                }
                tell(Step::Enter(element));
                work.push(Work::Leave(element));
                push(&mut work, element);
            }
        }
    }
}

fn enter(element: Element<'_>, out: &mut String) {
    let Some(tag) = tag(element) else { return };
    let _ = write!(out, "<{tag}");
    if let Some(id) = element.attr("ID").and_then(anchor) {
        let _ = write!(out, " id=\"{id}\"");
    }
    match element.name() {
        "th" => out.push_str(scope(element)),
        "linkHtml" => {
            if let Some(href) = element.attr("href").and_then(safe_link) {
                out.push_str(" rel=\"noopener noreferrer nofollow\" href=\"");
                escape(&href, out);
                out.push('"');
            }
        }
        _ => {}
    }
    for name in ["colspan", "rowspan"] {
        let span = element.attr(name).and_then(|span| span.trim().parse::<u16>().ok());
        if let Some(span) = span.filter(|span| (2..=1000).contains(span) && is_cell(element)) {
            let _ = write!(out, " {name}=\"{span}\"");
        }
    }
    out.push('>');
    for emphasis in emphases(element) {
        let _ = write!(out, "<{emphasis}>");
    }
}

fn leave(element: Element<'_>, out: &mut String) {
    let Some(tag) = tag(element) else { return };
    for emphasis in emphases(element).into_iter().rev() {
        let _ = write!(out, "</{emphasis}>");
    }
    if !EMPTY.contains(&tag) {
        let _ = write!(out, "</{tag}>");
    }
    if BREAKS.contains(&element.name()) {
        out.push('\n');
    }
}

/// The HTML element for one of the narrative's; `None`: only its text.
fn tag(element: Element<'_>) -> Option<&'static str> {
    if !element.is_hl7() {
        return None;
    }
    let name = element.name();
    if name == "list" {
        return Some(if element.attr("listType") == Some("ordered") { "ol" } else { "ul" });
    }
    // A caption belongs to a table; elsewhere it is a line of its own.
    let in_table = element.parent().is_some_and(|parent| parent.name() == "table");
    if name == "caption" && !in_table {
        return Some("p");
    }
    TAGS.iter().find(|(from, _)| *from == name).map(|(_, to)| *to)
}

/// What a style code asks for, in HTML's words.
fn emphases(element: Element<'_>) -> Vec<&'static str> {
    let codes = element.attr("styleCode").unwrap_or_default();
    let asked = |code: &&(&str, &str)| codes.split_whitespace().any(|c| c == code.0);
    if element.name() == "content" {
        EMPHASES.iter().filter(asked).map(|(_, tag)| *tag).collect()
    } else {
        Vec::new()
    }
}

fn scope(element: Element<'_>) -> &'static str {
    let in_head = std::iter::successors(element.parent(), |outer| outer.parent())
        .take_while(|outer| outer.name() != "table")
        .any(|outer| outer.name() == "thead");
    if in_head { " scope=\"col\"" } else { " scope=\"row\"" }
}

fn is_cell(element: Element<'_>) -> bool {
    matches!(element.name(), "td" | "th")
}

/// An anchor of the document, in a space of its own on the page.
fn anchor(id: &str) -> Option<String> {
    let right = !id.is_empty()
        && id.len() <= 64
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    right.then(|| format!("cda-{id}"))
}

/// Links people may follow: within the document, to the web, to mail.
fn safe_link(href: &str) -> Option<String> {
    let href = href.trim();
    if let Some(id) = href.strip_prefix('#') {
        return anchor(id).map(|id| format!("#{id}"));
    }
    let lower = href.to_ascii_lowercase();
    let known = ["https://", "http://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme));
    let clean = !href.chars().any(|c| c.is_control() || c.is_whitespace());
    (known && clean && href.len() <= 2000).then(|| href.to_owned())
}

fn is_language(text: &str) -> bool {
    (2..=35).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            character => out.push(character),
        }
    }
}

/// Adds text, each run of white space as one space.
fn push_words(out: &mut String, text: &str) {
    if text.starts_with(char::is_whitespace) {
        push_gap(out, ' ');
    }
    for (number, word) in text.split_whitespace().enumerate() {
        if number > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
    if text.ends_with(char::is_whitespace) {
        push_gap(out, ' ');
    }
}

/// Adds a gap unless there is one; a wider one takes a narrower one's place.
fn push_gap(out: &mut String, gap: char) {
    let width = |c: char| [' ', '\t', '\n'].iter().position(|other| *other == c);
    match out.chars().next_back().map(|last| (last, width(last))) {
        None => {}
        Some((_, Some(last))) if width(gap).is_some_and(|new| new <= last) => {}
        Some((_, Some(_))) => {
            out.pop();
            out.push(gap);
        }
        Some((_, None)) => out.push(gap),
    }
}

/// The narrative's elements and HTML's for them (CDA R2, its schema of narrative blocks).
const TAGS: [(&str, &str); 20] = [
    ("br", "br"),
    ("caption", "caption"),
    ("col", "col"),
    ("colgroup", "colgroup"),
    ("content", "span"),
    ("footnote", "small"),
    ("footnoteRef", "span"),
    ("item", "li"),
    ("linkHtml", "a"),
    ("paragraph", "p"),
    ("renderMultiMedia", "span"),
    ("sub", "sub"),
    ("sup", "sup"),
    ("table", "table"),
    ("tbody", "tbody"),
    ("td", "td"),
    ("tfoot", "tfoot"),
    ("th", "th"),
    ("thead", "thead"),
    ("tr", "tr"),
];

/// Style codes and HTML's elements for them.
const EMPHASES: [(&str, &str); 4] =
    [("Bold", "strong"), ("Emphasis", "em"), ("Italics", "i"), ("Underline", "u")];

/// Elements that begin a line.
const BREAKS: [&str; 7] = ["paragraph", "item", "list", "tr", "table", "br", "caption"];
/// HTML elements that have no end.
const EMPTY: [&str; 2] = ["br", "col"];
/// Elements whose text nobody reads.
const SILENT: [&str; 7] = ["script", "style", "object", "iframe", "svg", "template", "embed"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{html, plain};
    use crate::hl7::cda::document::ClinicalDocument;
    use crate::hl7::cda::xml::Document;

    fn report(text: &str) -> Document {
        let whole = format!(
            "<ClinicalDocument xmlns='urn:hl7-org:v3'><title>T&amp;C</title><languageCode code='it-IT'/>\
             <component><structuredBody><component><section><title>Referto</title><text>{text}</text>\
             </section></component></structuredBody></component></ClinicalDocument>"
        );
        Document::parse(whole.as_bytes()).unwrap()
    }

    fn rendered(text: &str) -> String {
        let document = report(text);
        html(&document, &ClinicalDocument::of(&document).unwrap())
    }

    fn inner(text: &str) -> String {
        let whole = rendered(text);
        let (_, rest) = whole.split_once("</h3>\n").unwrap();
        rest.rsplit_once("\n</section>").unwrap().0.to_owned()
    }

    #[test]
    fn the_narrative_becomes_html_that_screen_readers_understand() {
        let whole = rendered("<paragraph>Nulla.</paragraph>");
        assert!(
            whole.starts_with("<article class=\"cda\" lang=\"it-IT\">\n<h2>T&amp;C</h2>"),
            "{whole}"
        );
        assert!(whole.contains("<h3>Referto</h3>\n<p>Nulla.</p>"), "{whole}");
        for (text, expected) in [
            ("a &lt;b&gt; 'c'", "a &lt;b&gt; &#39;c&#39;"),
            ("<list listType='ordered'><item>1</item></list>", "<ol><li>1</li>\n</ol>\n"),
            (
                "<content styleCode='Bold Italics'>x</content>",
                "<span><strong><i>x</i></strong></span>",
            ),
            ("<content ID='A1'>x</content>", "<span id=\"cda-A1\">x</span>"),
            ("a<br/>b", "a<br>\nb"),
            (
                "<table><thead><tr><th>h</th></tr></thead><tbody><tr><th>r</th><td colspan='2'>d</td></tr></tbody></table>",
                "<table><thead><tr><th scope=\"col\">h</th></tr>\n</thead><tbody><tr><th scope=\"row\">r</th><td colspan=\"2\">d</td></tr>\n</tbody></table>\n",
            ),
            (
                "<linkHtml href='https://example.org/?a=1&amp;b=2'>x</linkHtml>",
                "<a rel=\"noopener noreferrer nofollow\" href=\"https://example.org/?a=1&amp;b=2\">x</a>",
            ),
            (
                "<linkHtml href='#A1'>x</linkHtml>",
                "<a rel=\"noopener noreferrer nofollow\" href=\"#cda-A1\">x</a>",
            ),
        ] {
            assert_eq!(inner(text), expected);
        }
    }

    #[test]
    fn requirement_36_nothing_a_narrative_holds_can_run() {
        for (text, expected) in [
            ("<script>alert(1)</script>a", "a"),
            ("<h:script xmlns:h='http://www.w3.org/1999/xhtml'>alert(1)</h:script>a", "a"),
            ("<SCRIPT>alert(1)</SCRIPT>a", "a"),
            ("<img src='x' onerror='alert(1)'/>a", "a"),
            ("<content onclick='alert(1)' style='x'>a</content>", "<span>a</span>"),
            ("<content ID='\"&gt;&lt;script&gt;'>a</content>", "<span>a</span>"),
            ("<linkHtml href='javascript:alert(1)'>a</linkHtml>", "<a>a</a>"),
            ("<linkHtml href=' java&#10;script:alert(1)'>a</linkHtml>", "<a>a</a>"),
            ("<linkHtml href='data:text/html,x'>a</linkHtml>", "<a>a</a>"),
            ("<td colspan='2\" onclick=\"x'>a</td>", "<td>a</td>"),
            ("<h:p xmlns:h='urn:x' onload='x'>a</h:p>", "a"),
            ("<iframe src='https://example.org'>b</iframe>a", "a"),
        ] {
            assert_eq!(inner(text), expected, "{text}");
        }
    }

    #[test]
    fn plain_text_has_a_line_a_paragraph_item_or_row() {
        let document = report(
            "<paragraph>Prima\n   riga.</paragraph><list><item>uno</item><item>due</item></list>\
             <table><tbody><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></tbody></table>fine<br/>qui",
        );
        let text =
            document.root().first("component/structuredBody/component/section/text").unwrap();
        assert_eq!(plain(text), "Prima riga.\nuno\ndue\na\tb\nc\nfine\nqui");
    }

    proptest! {
        #[test]
        fn whatever_the_narrative_only_known_tags_come_out(
            text in "(<(td|content|script|linkHtml|x)( (ID|href|onclick|styleCode)='[a-z:#\"]{0,6}')?/>|[a-z&lt;\"' ]{0,4}){0,10}",
        ) {
            let text = text.replace('&', "&amp;");
            let html = rendered(&text);
            for tag in html.split('<').skip(1) {
                let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
                prop_assert!(["article", "h2", "h3", "section", "td", "span", "a", "strong"].contains(&name.as_str()), "{}", html);
                let attributes = tag.split('>').next().unwrap_or_default();
                prop_assert!(!attributes.contains("onclick="), "{}", html);
            }
        }
    }
}
