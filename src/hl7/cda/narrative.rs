//! The narrative of a document, walked; and as plain text. `documents/cda` makes the page people read of it.

use crate::hl7::cda::xml::Child;
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

/// What a walk meets.
#[derive(Debug, Clone, Copy)]
pub enum Step<'d> {
    /// An element begins.
    Enter(Element<'d>),
    /// Text.
    Text(&'d str),
    /// The element ends.
    Leave(Element<'d>),
}

/// Walks what lies inside `top`, in order, without what only machines read.
pub fn walk<'d>(top: Element<'d>, mut tell: impl FnMut(Step<'d>)) {
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

/// Elements that begin a line.
const BREAKS: [&str; 7] = ["paragraph", "item", "list", "tr", "table", "br", "caption"];
/// Elements whose text nobody reads.
const SILENT: [&str; 7] = ["script", "style", "object", "iframe", "svg", "template", "embed"];

#[cfg(test)]
mod tests {
    use super::plain;
    use crate::hl7::cda::xml::Document;

    fn report(text: &str) -> Document {
        let whole = format!(
            "<ClinicalDocument xmlns='urn:hl7-org:v3'><title>T&amp;C</title><languageCode code='it-IT'/>\
             <component><structuredBody><component><section><title>Referto</title><text>{text}</text>\
             </section></component></structuredBody></component></ClinicalDocument>"
        );
        Document::parse(whole.as_bytes()).unwrap()
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
}
