//! A small data set in memory, to be walked in any order: reports, presentation states, the texts
//! of an image's header.
//!
//! Built by a scan, whose limits hold for it too, and bounded in itself. Items lie flat and know
//! their parent by number: nothing here recurses.

use std::ops::Range;

use dicom_core::{Tag, VR};

use crate::dicom::charset::{Charset, latin1};
use crate::dicom::scan::{Element, Value, Visit};
use crate::dicom::syntax::Encoding;

/// Elements and items one tree keeps; what comes after is left out, and [`Tree::is_cut`] says so.
pub const MAX_NODES: usize = 200_000;

/// Values read of one element of numbers.
const MAX_NUMBERS: usize = 65_536;

/// A data set, kept whole but for bulk values, of which only the place is known.
#[derive(Debug)]
pub struct Tree {
    big_endian: bool,
    items: Vec<Kept>,
    /// The item that elements go into now.
    at: usize,
    nodes: usize,
    /// Sequences and items open that are not kept.
    left_out: usize,
    cut: bool,
    /// Sequences of the top level that are kept; `None`: all.
    wanted: Option<&'static [Tag]>,
}

#[derive(Debug)]
struct Kept {
    parent: usize,
    charset: Charset,
    elements: Vec<(Tag, VR, Content)>,
}

#[derive(Debug)]
enum Content {
    Inline(Vec<u8>),
    Bulk(Range<u64>),
    Items(Vec<usize>),
}

/// The data set itself, or an item of a sequence in it.
#[derive(Debug, Clone, Copy)]
pub struct Item<'t> {
    tree: &'t Tree,
    index: usize,
}

impl Tree {
    /// An empty tree for a data set of that encoding: give it to a scan.
    pub fn new(encoding: Encoding) -> Self {
        let root = Kept { parent: 0, charset: Charset::DEFAULT, elements: Vec::new() };
        Self {
            big_endian: encoding == Encoding::ExplicitBig,
            items: vec![root],
            at: 0,
            nodes: 0,
            left_out: 0,
            cut: false,
            wanted: None,
        }
    }

    /// An empty tree that keeps no sequences but these of the top level: for headers whose
    /// sequences are long and of no use.
    pub fn with_sequences(encoding: Encoding, wanted: &'static [Tag]) -> Self {
        Self { wanted: Some(wanted), ..Self::new(encoding) }
    }

    /// The data set's top level.
    pub fn root(&self) -> Item<'_> {
        Item { tree: self, index: 0 }
    }

    /// Whether there was more than is kept.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether there is room for one more node.
    fn room(&mut self) -> bool {
        if self.left_out > 0 {
            return false;
        }
        self.cut |= self.nodes >= MAX_NODES;
        self.nodes = self.nodes.saturating_add(1);
        self.nodes <= MAX_NODES
    }

    fn keep(&mut self, tag: Tag, vr: VR, content: Content) {
        if let Some(item) = self.items.get_mut(self.at) {
            item.elements.push((tag, vr, content));
        }
    }
}

impl Visit for Tree {
    fn element(&mut self, element: &Element, value: Value<'_>) {
        if !self.room() {
            return;
        }
        let content = match value {
            Value::Inline(bytes) => Content::Inline(bytes.to_vec()),
            Value::Bulk => Content::Bulk(element.value.clone()),
        };
        if let (SPECIFIC_CHARACTER_SET, Content::Inline(bytes)) = (element.tag, &content)
            && let Some(item) = self.items.get_mut(self.at)
        {
            item.charset = Charset::parse(bytes);
        }
        self.keep(element.tag, element.vr, content);
    }

    fn begin_sequence(&mut self, element: &Element) {
        let wanted = self.wanted.is_none_or(|wanted| self.at > 0 || wanted.contains(&element.tag));
        if wanted && self.room() {
            self.keep(element.tag, VR::SQ, Content::Items(Vec::new()));
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    fn begin_item(&mut self) {
        if !self.room() {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let (number, parent) = (self.items.len(), self.at);
        let charset = self.items.get_mut(parent).map_or(Charset::DEFAULT, |item| {
            if let Some((_, _, Content::Items(items))) = item.elements.last_mut() {
                items.push(number);
            }
            item.charset
        });
        self.items.push(Kept { parent, charset, elements: Vec::new() });
        self.at = number;
    }

    fn end_item(&mut self) {
        if self.left_out > 0 {
            self.left_out -= 1;
        } else {
            self.at = self.items.get(self.at).map_or(0, |item| item.parent);
        }
    }

    fn end_sequence(&mut self) {
        self.left_out = self.left_out.saturating_sub(1);
    }

    fn begin_fragments(&mut self, element: &Element) {
        if self.room() {
            self.keep(element.tag, element.vr, Content::Bulk(element.value.clone()));
        }
    }
    fn offset_table(&mut self, _: &[u8]) {}
    fn fragment(&mut self, _: u64, _: Range<u64>, _: &[u8]) {}
    fn end_fragments(&mut self, _: u64) {}
}

impl<'t> Item<'t> {
    fn kept(self) -> Option<&'t Kept> {
        self.tree.items.get(self.index)
    }

    fn find(self, tag: Tag) -> Option<(VR, &'t Content)> {
        let element = self.kept()?.elements.iter().find(|(known, ..)| *known == tag)?;
        Some((element.1, &element.2))
    }

    /// Whether the element is there, empty or not.
    pub fn has(self, tag: Tag) -> bool {
        self.find(tag).is_some()
    }

    /// The items of a sequence; none when it is absent.
    pub fn items(self, tag: Tag) -> impl DoubleEndedIterator<Item = Item<'t>> {
        let items = match self.find(tag) {
            Some((_, Content::Items(items))) => items.as_slice(),
            _ => &[],
        };
        items.iter().map(move |index| Item { tree: self.tree, index: *index })
    }

    /// The first item of a sequence.
    pub fn first(self, tag: Tag) -> Option<Item<'t>> {
        self.items(tag).next()
    }

    /// A value's bytes, when they are kept.
    pub fn bytes(self, tag: Tag) -> Option<&'t [u8]> {
        match self.find(tag)? {
            (_, Content::Inline(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// Where a bulk value lies in the data set.
    pub fn bulk(self, tag: Tag) -> Option<Range<u64>> {
        match self.find(tag)? {
            (_, Content::Bulk(value)) => Some(value.clone()),
            _ => None,
        }
    }

    /// A text, padding gone; `None` when there is none or it is empty.
    pub fn text(self, tag: Tag) -> Option<String> {
        let (vr, content) = self.find(tag)?;
        let (Content::Inline(bytes), charset) = (content, self.kept()?.charset) else {
            return None;
        };
        let text = match vr {
            VR::PN => charset.names(bytes),
            VR::LT | VR::ST | VR::UT => charset.text(bytes),
            VR::LO | VR::SH | VR::UC | VR::UN => charset.values(bytes),
            _ => latin1(bytes),
        };
        let text = text.trim_matches([' ', '\0']);
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The values of a text of several, padding gone.
    pub fn texts(self, tag: Tag) -> Vec<String> {
        let text = self.text(tag).unwrap_or_default();
        let values = text.split('\\').map(|value| value.trim_matches([' ', '\0']).to_owned());
        if text.is_empty() { Vec::new() } else { values.collect() }
    }

    /// A value of numbers, written as text or binary; what is none is left out.
    pub fn numbers(self, tag: Tag) -> Vec<f64> {
        let Some((vr, Content::Inline(bytes))) = self.find(tag) else { return Vec::new() };
        match vr {
            VR::US | VR::OW | VR::AT => self.words::<2>(bytes, |b| u16::from_le_bytes(b).into()),
            VR::SS => self.words::<2>(bytes, |b| i16::from_le_bytes(b).into()),
            VR::UL | VR::OL => self.words::<4>(bytes, |b| u32::from_le_bytes(b).into()),
            VR::SL => self.words::<4>(bytes, |b| i32::from_le_bytes(b).into()),
            VR::FL | VR::OF => self.words::<4>(bytes, |b| f32::from_le_bytes(b).into()),
            VR::FD | VR::OD => self.words::<8>(bytes, f64::from_le_bytes),
            _ => {
                let text = latin1(bytes);
                let values = text.split('\\').take(MAX_NUMBERS);
                let values =
                    values.filter_map(|value| value.trim_matches([' ', '\0']).parse().ok());
                values.filter(|value: &f64| value.is_finite()).collect()
            }
        }
    }

    fn words<const N: usize>(self, bytes: &[u8], read: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        let (words, _) = bytes.as_chunks::<N>();
        let values = words.iter().take(MAX_NUMBERS).map(|word| {
            let mut word = *word;
            if self.tree.big_endian {
                word.reverse();
            }
            read(word)
        });
        values.filter(|value| value.is_finite()).collect()
    }

    /// The first number of a value.
    pub fn number(self, tag: Tag) -> Option<f64> {
        self.numbers(tag).first().copied()
    }

    /// The first number of a value as a whole number not below zero.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "held within u32 before"
    )]
    pub fn whole(self, tag: Tag) -> Option<u32> {
        let number = self.number(tag)?;
        (0.0..=f64::from(u32::MAX)).contains(&number).then_some(number as u32)
    }

    /// The words of a value of 16-bit words (US, SS, OW), as they are.
    pub fn table(self, tag: Tag) -> Vec<u16> {
        let Some((_, Content::Inline(bytes))) = self.find(tag) else { return Vec::new() };
        let (pairs, _) = bytes.as_chunks::<2>();
        let read = if self.tree.big_endian { u16::from_be_bytes } else { u16::from_le_bytes };
        let word = |pair: &[u8; 2]| read(*pair);
        pairs.iter().map(word).collect()
    }
}

const SPECIFIC_CHARACTER_SET: Tag = Tag(0x0008, 0x0005);

#[cfg(test)]
mod tests {
    use dicom_core::Tag;
    use proptest::prelude::*;

    use super::{MAX_NODES, Tree};
    use crate::dicom::feed::{element, scan, sequence};
    use crate::dicom::limits::Limits;
    use crate::dicom::scan::Scanner;
    use crate::dicom::syntax::Encoding;

    const NAME: Tag = Tag(0x0010, 0x0010);
    const CONTENT: Tag = Tag(0x0040, 0xA730);
    const TEXT: Tag = Tag(0x0040, 0xA160);

    fn tree(pieces: &[Vec<u8>]) -> Tree {
        let mut tree = Tree::new(Encoding::ExplicitLittle);
        scan(pieces, &mut tree);
        tree
    }

    #[test]
    fn items_are_found_where_they_stand_and_text_is_decoded_where_its_charset_holds() {
        let inner = [
            element(Tag(0x0008, 0x0005), "CS", b"ISO_IR 192"),
            element(TEXT, "UT", "è".as_bytes()),
        ];
        let leaf = element(TEXT, "UT", b"\xE8 ");
        let nested = sequence(CONTENT, &[leaf]);
        let tree = tree(&[
            element(Tag(0x0008, 0x0005), "CS", b"ISO_IR 100"),
            element(NAME, "PN", b"Rossi^Nicol\xF2 "),
            element(Tag(0x0028, 0x0010), "US", &[2, 1, 3, 0]),
            sequence(CONTENT, &[inner.concat(), nested, Vec::new()]),
            element(Tag(0x0070, 0x0022), "FL", &1.5_f32.to_le_bytes()),
        ]);
        let root = tree.root();
        assert_eq!(root.text(NAME).as_deref(), Some("Rossi^Nicolò"));
        assert_eq!(root.numbers(Tag(0x0028, 0x0010)), [258.0, 3.0]);
        assert_eq!(root.number(Tag(0x0070, 0x0022)), Some(1.5));
        let items: Vec<_> = root.items(CONTENT).collect();
        assert_eq!(items.len(), 3);
        assert_eq!(items.first().unwrap().text(TEXT).as_deref(), Some("è"), "UTF-8 in this item");
        let leaf = items.get(1).unwrap().first(CONTENT).unwrap();
        assert_eq!(leaf.text(TEXT).as_deref(), Some("è"), "Latin-1 as in the data set");
        assert_eq!(items.get(2).unwrap().text(TEXT), None);
        assert!(!tree.is_cut() && root.first(TEXT).is_none() && !root.has(TEXT));
    }

    #[test]
    fn sequences_nobody_wants_are_passed_over() {
        let mut tree = Tree::with_sequences(Encoding::ExplicitLittle, &[CONTENT]);
        let nested = sequence(TEXT, &[element(NAME, "PN", b"no")]);
        let kept = sequence(CONTENT, std::slice::from_ref(&nested));
        let elements = [kept, nested, element(NAME, "PN", b"yes ")];
        scan(&elements, &mut tree);
        assert!(tree.root().first(CONTENT).unwrap().first(TEXT).is_some());
        assert!(tree.root().first(TEXT).is_none());
        assert_eq!(tree.root().text(NAME).as_deref(), Some("yes"));
    }

    #[test]
    fn a_flood_of_items_is_cut_and_what_follows_is_left_out() {
        let items = vec![Vec::new(); MAX_NODES + 10];
        let tree = tree(&[sequence(CONTENT, &items), element(NAME, "PN", b"X ")]);
        assert!(tree.is_cut());
        assert!(tree.items.len() <= MAX_NODES + 1);
        assert_eq!(tree.root().text(NAME), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), big: bool) {
            let encoding = if big { Encoding::ExplicitBig } else { Encoding::ImplicitLittle };
            let mut tree = Tree::new(encoding);
            let mut scanner = Scanner::new(encoding, Limits::DEFAULT);
            let _ = scanner.push(&bytes, &mut tree).and_then(|()| scanner.finish(&mut tree).map(drop));
            for (tag, ..) in &tree.items.first().unwrap().elements {
                let root = tree.root();
                let _ = (root.text(*tag), root.numbers(*tag), root.table(*tag), root.first(*tag).is_some());
            }
        }
    }
}
