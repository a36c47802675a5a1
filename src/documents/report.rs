//! Structured reports and key object selections (PS3.3 §C.17.3) as pages.
//!
//! The tree of content items is walked with a stack of its own: however deep a report nests, nothing
//! recurses.

use dicom_core::Tag;

use crate::dicom::readable::{readable_date, readable_name, readable_time};
use crate::dicom::tree::{Item, Tree};
use crate::documents::page::{Line, LineKind, Page};

/// Content items shown of one report.
const MAX_LINES: usize = 50_000;

/// A structured report's page.
pub fn page(tree: &Tree) -> Page {
    let root = tree.root();
    let title = code(root, CONCEPT_NAME).unwrap_or_else(|| "Structured report".to_owned());
    let mut page = Page {
        title,
        language: language(root),
        facts: facts(root),
        lines: Vec::new(),
        cut: tree.is_cut(),
    };
    let mut waiting: Vec<(usize, Item<'_>)> = root.items(CONTENT).rev().map(|i| (0, i)).collect();
    while let Some((depth, item)) = waiting.pop() {
        if page.lines.len() == MAX_LINES {
            page.cut = true;
            break;
        }
        page.lines.push(Line { depth, kind: line(item) });
        waiting.extend(item.items(CONTENT).rev().map(|child| (depth.saturating_add(1), child)));
    }
    page
}

/// Facts of an object's header that stand above any document of it.
pub fn facts(root: Item<'_>) -> Vec<(&'static str, String)> {
    let text = |group, element| root.text(Tag(group, element));
    let day = |group, element| text(group, element).map(|day| readable_date(&day));
    let verified = root.items(Tag(0x0040, 0xA073)).filter_map(|observer| {
        let name = readable_name(&observer.text(Tag(0x0040, 0xA075))?);
        let when = observer.text(Tag(0x0040, 0xA030)).map(|when| readable_moment(&when));
        Some(when.map_or(name.clone(), |when| format!("{name}, {when}")))
    });
    let verified = verified.collect::<Vec<_>>().join("; ");
    let made = match (day(0x0008, 0x0023), text(0x0008, 0x0033)) {
        (Some(day), Some(time)) => Some(format!("{day} {}", readable_time(&time))),
        (day, _) => day,
    };
    let facts = [
        ("Patient", text(0x0010, 0x0010).map(|name| readable_name(&name))),
        ("Patient ID", text(0x0010, 0x0020)),
        ("Born", day(0x0010, 0x0030)),
        ("Sex", text(0x0010, 0x0040)),
        ("Study date", day(0x0008, 0x0020)),
        ("Study", text(0x0008, 0x1030)),
        ("Accession number", text(0x0008, 0x0050)),
        ("Institution", text(0x0008, 0x0080)),
        ("Referring physician", text(0x0008, 0x0090).map(|name| readable_name(&name))),
        ("Made", made),
        ("Completion", text(0x0040, 0xA491)),
        ("Verification", text(0x0040, 0xA493)),
        ("Verified by", (!verified.is_empty()).then_some(verified)),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Language of Content, or of the value it is written in.
pub fn language(root: Item<'_>) -> String {
    let of = |item: Item<'_>, tag| item.first(tag)?.text(CODE_VALUE);
    let of_text = root
        .items(CONTENT)
        .find(|item| {
            item.first(CONCEPT_NAME).and_then(|name| name.text(CODE_VALUE)).as_deref()
                == Some("121049")
        })
        .and_then(|item| of(item, CONCEPT_CODE));
    let code = of_text.or_else(|| of(root, Tag(0x0008, 0x0006))).unwrap_or_default();
    let tag = code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if tag { code } else { String::new() }
}

fn line(item: Item<'_>) -> LineKind {
    let kind = item.text(VALUE_TYPE).unwrap_or_default();
    let name = code(item, CONCEPT_NAME).unwrap_or_default();
    if kind == "CONTAINER" {
        return if name.is_empty() {
            LineKind::Entry(name, String::new())
        } else {
            LineKind::Heading(name)
        };
    }
    LineKind::Entry(name, value(item, &kind))
}

fn value(item: Item<'_>, kind: &str) -> String {
    let text = |group, element| item.text(Tag(group, element)).unwrap_or_default();
    match kind {
        "TEXT" if item.bulk(Tag(0x0040, 0xA160)).is_some() => {
            "(a text too long to be shown here)".to_owned()
        }
        "TEXT" => text(0x0040, 0xA160),
        "CODE" => code(item, CONCEPT_CODE).unwrap_or_default(),
        "NUM" => measured(item),
        "PNAME" => readable_name(&text(0x0040, 0xA123)),
        "DATE" => readable_date(&text(0x0040, 0xA121)),
        "TIME" => readable_time(&text(0x0040, 0xA122)),
        "DATETIME" => readable_moment(&text(0x0040, 0xA120)),
        "UIDREF" => text(0x0040, 0xA124),
        "IMAGE" | "COMPOSITE" | "WAVEFORM" => referenced(item, kind),
        "SCOORD" | "SCOORD3D" | "TCOORD" => place(item, kind),
        "TABLE" => "(a table, not shown here)".to_owned(),
        // By-reference relationship (PS3.3 §C.17.3.2.5).
        "" if item.has(Tag(0x0040, 0xDB73)) => {
            let path: Vec<String> =
                item.numbers(Tag(0x0040, 0xDB73)).iter().map(ToString::to_string).collect();
            format!("see item {}", path.join("."))
        }
        other => format!("({other})"),
    }
}

/// A number with its unit, or why there is none.
fn measured(item: Item<'_>) -> String {
    let Some(value) = item.first(Tag(0x0040, 0xA300)) else {
        let why = code(item, Tag(0x0040, 0xA301));
        return why.unwrap_or_else(|| "no value".to_owned());
    };
    let number = value.text(Tag(0x0040, 0xA30A)).unwrap_or_default();
    let unit = value.first(Tag(0x0040, 0x08EA));
    let unit = unit.and_then(|unit| unit.text(CODE_VALUE).or_else(|| unit.text(CODE_MEANING)));
    match unit.as_deref() {
        // UCUM: no unit.
        None | Some("1" | "{no units}") => number,
        Some(unit) => format!("{number} {unit}"),
    }
}

fn referenced(item: Item<'_>, kind: &str) -> String {
    let word = match kind {
        "IMAGE" => "image",
        "WAVEFORM" => "waveform",
        _ => "object",
    };
    let Some(reference) = item.first(Tag(0x0008, 0x1199)) else { return format!("({word})") };
    let uid = reference.text(Tag(0x0008, 0x1155)).unwrap_or_default();
    let frames: Vec<String> =
        reference.numbers(Tag(0x0008, 0x1160)).iter().map(ToString::to_string).collect();
    let frames =
        if frames.is_empty() { String::new() } else { format!(", frame {}", frames.join(", ")) };
    format!("{word} {uid}{frames}")
}

fn place(item: Item<'_>, kind: &str) -> String {
    let points = item.numbers(Tag(0x0070, 0x0022));
    let each = if kind == "SCOORD3D" { 3 } else { 2 };
    let shape = item.text(Tag(0x0070, 0x0023)).or_else(|| item.text(Tag(0x0040, 0xA130)));
    let shape = shape.unwrap_or_default().to_lowercase();
    let short = |number: &f64| {
        let text = format!("{number:.2}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let written: Vec<String> = points.iter().take(4 * each).map(short).collect();
    let more = if points.len() > 4 * each { ", …" } else { "" };
    let pairs: Vec<String> =
        written.chunks(each).map(|point| format!("({})", point.join(", "))).collect();
    format!("{shape} {}{more}", pairs.join(" ")).trim().to_owned()
}

/// What a code means in words, else the code.
fn code(item: Item<'_>, tag: Tag) -> Option<String> {
    let code = item.first(tag)?;
    code.text(CODE_MEANING)
        .or_else(|| code.text(CODE_VALUE))
        .or_else(|| code.text(Tag(0x0008, 0x0119)))
        .or_else(|| code.text(Tag(0x0008, 0x0120)))
}

/// `2026-03-01 10:15:00` of a DT value.
fn readable_moment(value: &str) -> String {
    match (value.get(0..8), value.get(8..)) {
        (Some(day), Some(time)) if !time.is_empty() => {
            format!("{} {}", readable_date(day), readable_time(time))
        }
        _ => readable_date(value),
    }
}

const CONTENT: Tag = Tag(0x0040, 0xA730);
const CONCEPT_NAME: Tag = Tag(0x0040, 0xA043);
const CONCEPT_CODE: Tag = Tag(0x0040, 0xA168);
const VALUE_TYPE: Tag = Tag(0x0040, 0xA040);
const CODE_VALUE: Tag = Tag(0x0008, 0x0100);
const CODE_MEANING: Tag = Tag(0x0008, 0x0104);

#[cfg(test)]
mod tests {
    use dicom_core::Tag;
    use proptest::prelude::*;

    use super::{CODE_MEANING, CONCEPT_NAME, CONTENT, VALUE_TYPE, page};
    use crate::dicom::feed::{element, scan, scan_within, sequence};
    use crate::dicom::limits::Limits;
    use crate::dicom::scan::Scanner;
    use crate::dicom::syntax::Encoding;
    use crate::dicom::tree::Tree;
    use crate::documents::page::LineKind;

    fn padded(tag: Tag, vr: &str, value: &str) -> Vec<u8> {
        let mut bytes = value.as_bytes().to_vec();
        bytes.resize(bytes.len().next_multiple_of(2), b' ');
        element(tag, vr, &bytes)
    }

    fn named(tag: Tag, meaning: &str) -> Vec<u8> {
        sequence(tag, &[padded(CODE_MEANING, "LO", meaning)])
    }

    fn item(kind: &str, name: &str, more: &[Vec<u8>]) -> Vec<u8> {
        [padded(VALUE_TYPE, "CS", kind), named(CONCEPT_NAME, name), more.concat()].concat()
    }

    fn read(elements: &[Vec<u8>]) -> crate::documents::page::Page {
        let mut tree = Tree::new(Encoding::ExplicitLittle);
        scan(elements, &mut tree);
        page(&tree)
    }

    #[test]
    fn each_kind_of_content_item_is_written_for_people() {
        let unit = padded(Tag(0x0008, 0x0100), "SH", "mm");
        let number =
            [padded(Tag(0x0040, 0xA30A), "DS", "5.2"), sequence(Tag(0x0040, 0x08EA), &[unit])];
        let image = padded(Tag(0x0008, 0x1155), "UI", "1.2.3");
        let children = [
            item("TEXT", "Finding", &[padded(Tag(0x0040, 0xA160), "UT", "Nodule <5>")]),
            item("NUM", "Size", &[sequence(Tag(0x0040, 0xA300), &[number.concat()])]),
            item("NUM", "Depth", &[]),
            item("CODE", "Side", &[named(Tag(0x0040, 0xA168), "Left")]),
            item("PNAME", "Reader", &[padded(Tag(0x0040, 0xA123), "PN", "Verdi^Anna")]),
            item("DATETIME", "Read", &[padded(Tag(0x0040, 0xA120), "DT", "20260301101500")]),
            item("IMAGE", "Seen in", &[sequence(Tag(0x0008, 0x1199), &[image])]),
            item("HOLOGRAM", "New", &[]),
        ];
        let section = item("CONTAINER", "Findings", &[sequence(CONTENT, &children)]);
        let page = read(&[
            padded(Tag(0x0010, 0x0010), "PN", "Rossi^Mario"),
            named(CONCEPT_NAME, "Chest CT report"),
            padded(Tag(0x0040, 0xA493), "CS", "VERIFIED"),
            sequence(CONTENT, &[section]),
        ]);
        assert_eq!(page.title, "Chest CT report");
        assert_eq!(page.facts[0], ("Patient", "Rossi, Mario".to_owned()));
        assert_eq!(page.lines[0].kind, LineKind::Heading("Findings".into()));
        let entries: Vec<(usize, String)> = page.lines[1..]
            .iter()
            .map(|line| match &line.kind {
                LineKind::Entry(name, value) => (line.depth, format!("{name}={value}")),
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = [
            "Finding=Nodule <5>",
            "Size=5.2 mm",
            "Depth=no value",
            "Side=Left",
            "Reader=Verdi, Anna",
            "Read=2026-03-01 10:15:00",
            "Seen in=image 1.2.3",
            "New=(HOLOGRAM)",
        ];
        assert_eq!(entries, expected.map(|entry| (1, entry.to_owned())));
        assert!(page.html().contains("Nodule &lt;5&gt;"));
    }

    #[test]
    fn a_report_nested_as_deep_as_can_be_is_walked() {
        let mut nested = item("TEXT", "innermost", &[]);
        for _ in 0..60 {
            nested = item("CONTAINER", "level", &[sequence(CONTENT, &[nested])]);
        }
        let mut tree = Tree::new(Encoding::ExplicitLittle);
        scan_within(Limits::DEFAULT, &[sequence(CONTENT, &[nested])], &mut tree);
        let page = page(&tree);
        assert_eq!(page.lines.last().unwrap().depth, 60);
        assert!(page.html().contains("innermost"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut tree = Tree::new(Encoding::ImplicitLittle);
            let mut scanner = Scanner::new(Encoding::ImplicitLittle, Limits::DEFAULT);
            let _ = scanner.push(&bytes, &mut tree);
            let page = page(&tree);
            page.html();
            page.plain();
        }
    }
}
