//! XML as far as CDA needs it: elements, attributes and text in a flat arena, built under limits.
//!
//! A document type declaration is refused whatever is in it, and so is every entity but XML's own
//! five: nothing is ever fetched or expanded. Nothing here recurses.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;
use quick_xml::events::Event;
use quick_xml::name::Namespace;
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

/// The namespace of CDA elements.
pub const HL7: &str = "urn:hl7-org:v3";

/// How much of a document is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the document; reports with pictures inside are some MB.
    pub bytes: usize,
    /// Elements within elements; CDA nests about thirty deep.
    pub depth: usize,
    /// Elements, texts and attributes together.
    pub nodes: usize,
}

impl Limits {
    /// What is accepted from a stranger.
    pub const DEFAULT: Self = Self { bytes: 32 * 1024 * 1024, depth: 100, nodes: 400_000 };
}

/// Why a document was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Longer than the limit.
    #[error("the document is longer than {0} bytes")]
    TooLong(usize),
    /// Nested deeper than the limit.
    #[error("elements are nested deeper than {0}")]
    TooDeep(usize),
    /// More elements, texts and attributes than the limit.
    #[error("the document has more than {0} nodes")]
    TooMany(usize),
    /// A document type declaration.
    #[error("a document type declaration (DTD) is not accepted")]
    Dtd,
    /// An entity that is not one of XML's own.
    #[error("the entity at byte {0} is not one of XML's own and not accepted")]
    Entity(u64),
    /// Bytes that are no text in the encoding it names.
    #[error("the text does not fit its encoding {0}")]
    Encoding(String),
    /// Not well-formed.
    #[error("not well-formed XML at byte {0}")]
    Malformed(u64),
}

/// A document that was read whole.
#[derive(Debug, Clone)]
pub struct Document {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone)]
struct Node {
    kind: Kind,
    parent: Option<usize>,
    first: Option<usize>,
    last: Option<usize>,
    next: Option<usize>,
}

#[derive(Debug, Clone)]
enum Kind {
    Element { name: Box<str>, hl7: bool, attributes: Vec<(Box<str>, Box<str>)> },
    Text(String),
}

/// An element of a document.
#[derive(Debug, Clone, Copy)]
pub struct Element<'d> {
    document: &'d Document,
    at: usize,
}

/// What lies inside an element, in order.
#[derive(Debug, Clone, Copy)]
pub enum Child<'d> {
    /// An element.
    Element(Element<'d>),
    /// Text.
    Text(&'d str),
}

impl Document {
    /// Reads `bytes` within [`Limits::DEFAULT`].
    pub fn parse(bytes: &[u8]) -> Result<Self, XmlError> {
        Self::parse_within(bytes, Limits::DEFAULT)
    }

    /// Reads `bytes` within `limits`.
    pub fn parse_within(bytes: &[u8], limits: Limits) -> Result<Self, XmlError> {
        if bytes.len() > limits.bytes {
            return Err(XmlError::TooLong(limits.bytes));
        }
        let text = decode(bytes)?;
        let mut reader = NsReader::from_str(&text);
        reader.config_mut().enable_all_checks(true);
        let mut builder = Builder { nodes: Vec::new(), open: Vec::new(), count: 0, limits };
        loop {
            let at = reader.buffer_position();
            let (namespace, event) =
                reader.read_resolved_event().map_err(|_| XmlError::Malformed(at))?;
            let hl7 =
                matches!(namespace, ResolveResult::Bound(Namespace(n)) if n == HL7.as_bytes());
            if matches!(namespace, ResolveResult::Unknown(_)) {
                return Err(XmlError::Malformed(at));
            }
            match event {
                Event::Start(start) => {
                    builder.begin(&start, hl7, at)?;
                }
                Event::Empty(start) => {
                    builder.begin(&start, hl7, at)?;
                    builder.open.pop();
                }
                Event::End(_) => {
                    builder.open.pop();
                }
                Event::Text(text) => {
                    builder
                        .text(&text.xml10_content().map_err(|_| XmlError::Malformed(at))?, at)?;
                }
                Event::CData(text) => {
                    builder
                        .text(&text.xml10_content().map_err(|_| XmlError::Malformed(at))?, at)?;
                }
                Event::GeneralRef(entity) => {
                    let name = entity.decode().map_err(|_| XmlError::Malformed(at))?;
                    let character = match entity.resolve_char_ref() {
                        Ok(Some(character)) => Some(character),
                        Ok(None) => own_entity(&name),
                        Err(_) => return Err(XmlError::Malformed(at)),
                    };
                    let character = character.ok_or(XmlError::Entity(at))?;
                    builder.text(character.encode_utf8(&mut [0; 4]), at)?;
                }
                Event::DocType(_) => return Err(XmlError::Dtd),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
                Event::Eof => return builder.finish(at),
            }
        }
    }

    /// The outermost element.
    pub fn root(&self) -> Element<'_> {
        Element { document: self, at: 0 }
    }

    fn node(&self, at: usize) -> Option<&Node> {
        self.nodes.get(at)
    }
}

struct Builder {
    nodes: Vec<Node>,
    /// Elements open, outermost first.
    open: Vec<usize>,
    count: usize,
    limits: Limits,
}

impl Builder {
    fn begin(&mut self, start: &BytesStart<'_>, hl7: bool, at: u64) -> Result<(), XmlError> {
        if self.open.len() >= self.limits.depth {
            return Err(XmlError::TooDeep(self.limits.depth));
        }
        if self.open.is_empty() && !self.nodes.is_empty() {
            // A second outermost element.
            return Err(XmlError::Malformed(at));
        }
        let malformed = |_| XmlError::Malformed(at);
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| XmlError::Malformed(at))?;
            self.counted()?;
            let name = std::str::from_utf8(attribute.key.as_ref()).map_err(malformed)?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| XmlError::Entity(at))?;
            attributes.push((Box::from(name), allowed(&value).into()));
        }
        let name = start.local_name();
        let name = std::str::from_utf8(name.as_ref()).map_err(malformed)?;
        let kind = Kind::Element { name: Box::from(name), hl7, attributes };
        let number = self.add(kind)?;
        self.open.push(number);
        Ok(())
    }

    fn text(&mut self, text: &str, at: u64) -> Result<(), XmlError> {
        let text = allowed(text);
        let Some(parent) = self.open.last().copied() else {
            let blank = text.chars().all(char::is_whitespace);
            return if blank { Ok(()) } else { Err(XmlError::Malformed(at)) };
        };
        let last = self.nodes.get(parent).and_then(|node| node.last);
        if let Some(Node { kind: Kind::Text(before), .. }) =
            last.and_then(|last| self.nodes.get_mut(last))
        {
            // Text that a reference or a comment cut: its pieces joined, each counted.
            before.push_str(&text);
            return self.counted();
        }
        self.add(Kind::Text(text.into_owned())).map(drop)
    }

    fn add(&mut self, kind: Kind) -> Result<usize, XmlError> {
        self.counted()?;
        let number = self.nodes.len();
        let parent = self.open.last().copied();
        self.nodes.push(Node { kind, parent, first: None, last: None, next: None });
        if let Some(parent) = parent {
            let before = self.nodes.get(parent).and_then(|node| node.last);
            if let Some(before) = before.and_then(|before| self.nodes.get_mut(before)) {
                before.next = Some(number);
            }
            if let Some(parent) = self.nodes.get_mut(parent) {
                parent.first = parent.first.or(Some(number));
                parent.last = Some(number);
            }
        }
        Ok(number)
    }

    fn counted(&mut self) -> Result<(), XmlError> {
        self.count = self.count.saturating_add(1);
        if self.count > self.limits.nodes {
            Err(XmlError::TooMany(self.limits.nodes))
        } else {
            Ok(())
        }
    }

    fn finish(self, at: u64) -> Result<Document, XmlError> {
        if !self.open.is_empty() || self.nodes.is_empty() {
            return Err(XmlError::Malformed(at));
        }
        Ok(Document { nodes: self.nodes })
    }
}

impl<'d> Element<'d> {
    /// Its name without prefix.
    pub fn name(self) -> &'d str {
        match self.document.node(self.at) {
            Some(Node { kind: Kind::Element { name, .. }, .. }) => name,
            _ => "",
        }
    }

    /// Whether it is of HL7's namespace.
    pub fn is_hl7(self) -> bool {
        matches!(
            self.document.node(self.at),
            Some(Node { kind: Kind::Element { hl7: true, .. }, .. })
        )
    }

    /// An attribute, by its name as it is written.
    pub fn attr(self, wanted: &str) -> Option<&'d str> {
        let Some(Node { kind: Kind::Element { attributes, .. }, .. }) = self.document.node(self.at)
        else {
            return None;
        };
        attributes.iter().find(|(name, _)| &**name == wanted).map(|(_, value)| &**value)
    }

    /// The element around it.
    pub fn parent(self) -> Option<Self> {
        let at = self.document.node(self.at)?.parent?;
        Some(Self { at, ..self })
    }

    /// What lies inside it, in order.
    pub fn inside(self) -> impl Iterator<Item = Child<'d>> + use<'d> {
        let document = self.document;
        let mut at = document.node(self.at).and_then(|node| node.first);
        std::iter::from_fn(move || {
            let here = at?;
            let node = document.node(here)?;
            at = node.next;
            Some(match &node.kind {
                Kind::Text(text) => Child::Text(text),
                Kind::Element { .. } => Child::Element(Self { document, at: here }),
            })
        })
    }

    /// HL7 elements directly inside it.
    pub fn elements(self) -> impl Iterator<Item = Self> + use<'d> {
        self.inside().filter_map(|child| match child {
            Child::Element(element) if element.is_hl7() => Some(element),
            _ => None,
        })
    }

    /// HL7 elements reached by a path such as `a/b[@x=1]/c`: of each step the elements of that name
    /// with all the attributes named in brackets, and with a value where one is given.
    /// `[code=X]` wants an element `code` inside whose attribute `code` is X.
    pub fn all(self, path: &str) -> Vec<Self> {
        let mut found = vec![self];
        for step in path.split('/') {
            let (name, conditions) = step.split_once('[').unwrap_or((step, ""));
            found = found
                .into_iter()
                .flat_map(Self::elements)
                .filter(|element| element.name() == name && element.fulfils(conditions))
                .collect();
        }
        found
    }

    /// How many there are of [`Self::all`].
    pub fn count(self, path: &str) -> usize {
        self.all(path).len()
    }

    /// The first of [`Self::all`].
    pub fn first(self, path: &str) -> Option<Self> {
        self.all(path).into_iter().next()
    }

    /// An attribute of the first element of a path.
    pub fn value(self, path: &str, attribute: &str) -> Option<&'d str> {
        self.first(path)?.attr(attribute)
    }

    /// All HL7 elements inside it at whatever depth, in document order.
    pub fn descendants(self) -> impl Iterator<Item = Self> + use<'d> {
        let document = self.document;
        let top = self.at;
        let mut at = self.at;
        std::iter::from_fn(move || {
            at = after(document, at, top)?;
            Some(Self { document, at })
        })
        .filter(|element| element.is_hl7())
    }

    /// The text inside it at whatever depth, runs of white space made one space.
    pub fn text(self) -> String {
        let mut text = String::new();
        let mut at = self.at;
        while let Some(next) = after(self.document, at, self.at) {
            if let Some(Node { kind: Kind::Text(part), .. }) = self.document.node(next) {
                text.push_str(part);
            }
            at = next;
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn fulfils(self, conditions: &str) -> bool {
        conditions.split('[').filter(|condition| !condition.is_empty()).all(|condition| {
            let condition = condition.trim_end_matches(']');
            match (condition.strip_prefix('@'), condition.split_once('=')) {
                (Some(attribute), None) => self.attr(attribute).is_some(),
                (Some(attribute), Some(_)) => attribute
                    .split_once('=')
                    .is_some_and(|(name, value)| self.attr(name) == Some(value)),
                (None, Some((child, code))) => self
                    .elements()
                    .any(|inner| inner.name() == child && inner.attr("code") == Some(code)),
                (None, None) => self.elements().any(|inner| inner.name() == condition),
            }
        })
    }
}

/// The node after `at` in document order, inside `top`.
fn after(document: &Document, at: usize, top: usize) -> Option<usize> {
    let node = document.node(at)?;
    if node.first.is_some() {
        return node.first;
    }
    let mut at = at;
    loop {
        if at == top {
            return None;
        }
        let node = document.node(at)?;
        if node.next.is_some() {
            return node.next;
        }
        at = node.parent?;
    }
}

/// XML's own entities.
fn own_entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

/// `text` without the characters XML does not allow (XML 1.0 §2.2).
fn allowed(text: &str) -> Cow<'_, str> {
    let wrong = |c: char| matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}');
    if text.contains(wrong) { Cow::Owned(text.replace(wrong, "")) } else { Cow::Borrowed(text) }
}

/// The text of a document: by its byte order mark, else by what it names, else UTF-8.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    let named = || {
        let head = bytes.get(..bytes.len().min(256)).unwrap_or_default();
        let head: String = head.iter().map(|byte| char::from(*byte)).collect();
        let declaration = head.strip_prefix("<?xml")?.split("?>").next()?.to_owned();
        let rest = declaration.split("encoding").nth(1)?.trim_start().strip_prefix('=')?;
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|c| *c == '"' || *c == '\'')?;
        Some(rest.strip_prefix(quote)?.split(quote).next()?.to_owned())
    };
    let name = named().unwrap_or_else(|| "UTF-8".to_owned());
    let encoding = encoding_rs::Encoding::for_label(name.as_bytes())
        .ok_or_else(|| XmlError::Encoding(name.chars().take(40).collect()))?;
    // A byte order mark wins.
    let (text, used, broken) = encoding.decode(bytes);
    if broken { Err(XmlError::Encoding(used.name().to_owned())) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Document, Limits, XmlError};

    fn read(text: &str) -> Result<Document, XmlError> {
        Document::parse(text.as_bytes())
    }

    #[test]
    fn requirement_36_what_could_expand_or_fetch_is_refused() {
        let laughs = "<!DOCTYPE a [<!ENTITY b \"ha\"><!ENTITY c \"&b;&b;&b;&b;\">]><a>&c;</a>";
        let outside = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>";
        for (text, error) in [
            (laughs, XmlError::Dtd),
            (outside, XmlError::Dtd),
            ("<!DOCTYPE a SYSTEM 'http://example.org/x.dtd'><a/>", XmlError::Dtd),
        ] {
            assert_eq!(read(text).unwrap_err(), error, "{text}");
        }
        for text in ["<a>&x;</a>", "<a b='&x;'/>"] {
            assert!(matches!(read(text), Err(XmlError::Entity(_))), "{text}");
        }
        let text = "<a b='&lt;&#65;&quot;'>&amp;&#x41;<![CDATA[<b>]]></a>";
        let document = read(text).unwrap();
        assert_eq!(document.root().attr("b"), Some("<A\""));
        assert_eq!(document.root().text(), "&A<b>");
    }

    #[test]
    fn requirement_36_size_depth_and_count_are_bounded() {
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert_eq!(read(&deep).unwrap_err(), XmlError::TooDeep(100));
        let limits = Limits { nodes: 10, ..Limits::DEFAULT };
        let many = format!("<a>{}</a>", "<b/>".repeat(10));
        assert_eq!(
            Document::parse_within(many.as_bytes(), limits).unwrap_err(),
            XmlError::TooMany(10)
        );
        let many: Vec<String> = (0..20).map(|n| format!("b{n}='' ")).collect();
        let many = format!("<a {}/>", many.concat());
        assert_eq!(
            Document::parse_within(many.as_bytes(), limits).unwrap_err(),
            XmlError::TooMany(10)
        );
        let limits = Limits { bytes: 3, ..Limits::DEFAULT };
        assert_eq!(Document::parse_within(b"<a/>", limits).unwrap_err(), XmlError::TooLong(3));
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for text in [
            "",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "text",
            "<a/>text",
            "<a b='1' b='2'/>",
            "<a b=1/>",
            "<a>&</a>",
            "<x:a/>",
            "<a>&#0;</a>",
        ] {
            assert!(matches!(read(text), Err(XmlError::Malformed(_))), "{text}: {:?}", read(text));
        }
    }

    #[test]
    fn text_is_read_in_the_encoding_it_names() {
        let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>et\xE0</a>";
        assert_eq!(Document::parse(latin).unwrap().root().text(), "età");
        let mut wide = vec![0xFF, 0xFE];
        let text = "<?xml version='1.0' encoding='UTF-16'?><a>età</a>";
        wide.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(Document::parse(&wide).unwrap().root().text(), "età");
        assert_eq!(read("\u{FEFF}<a>età</a>").unwrap().root().text(), "età");
        assert!(matches!(Document::parse(b"<a>\xE0</a>"), Err(XmlError::Encoding(_))));
        let odd = "<?xml version='1.0' encoding='x-klingon'?><a/>";
        assert!(matches!(read(odd), Err(XmlError::Encoding(_))));
    }

    #[test]
    fn paths_find_elements_of_the_hl7_namespace_by_name_and_attributes() {
        let text = "<d xmlns='urn:hl7-org:v3' xmlns:o='urn:other'>
            <s><code code='1'/><t>one</t></s><s><code code='2'/><t x='y'>t<o:w>w</o:w>o</t></s><o:s/></d>";
        let document = read(text).unwrap();
        let root = document.root();
        assert_eq!((root.count("s"), root.count("s/t"), root.count("s/t[@x]")), (2, 2, 1));
        assert_eq!(
            root.first("s[code=2]/t[@x=y]").map(super::Element::text).as_deref(),
            Some("two")
        );
        assert_eq!(root.count("s[code=3]"), 0);
        assert_eq!(root.count("s[t]"), 2);
        let names: Vec<&str> = root.descendants().map(super::Element::name).collect();
        assert_eq!(names, ["s", "code", "t", "s", "code", "t"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Document::parse(&bytes);
        }

        #[test]
        fn any_markup_is_answered_and_walked_to_its_end(
            text in "(<[abo:]{1,3}( x='[a&;#1]{0,4}')?/?>|</[ab]>|[a-z &;]{0,3}|<!--|-->|<!\\[CDATA\\[|\\]\\]>){0,20}",
        ) {
            if let Ok(document) = read(&text) {
                let _ = document.root().text();
                prop_assert!(document.root().descendants().count() < 100);
            }
        }
    }
}
