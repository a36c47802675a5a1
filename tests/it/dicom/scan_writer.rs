//! Random data sets, written in every encoding together with what a scan of them must tell.
#![expect(clippy::cast_possible_truncation, reason = "the numbers of small test data")]

use dicom_core::{Tag, VR};
use lastra::dicom::limits::Limits;
use lastra::dicom::scan::Element;
use lastra::dicom::syntax::Encoding;
use proptest::collection::vec;
use proptest::prelude::*;

use super::scan_events::Event;

/// A data element to be written.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// A value, by its row in [`ATTRIBUTES`].
    Value(usize, Vec<u8>),
    /// A sequence, by its row in [`SEQUENCES`].
    Sequence { row: usize, undefined: bool, unknown: bool, items: Vec<Item> },
    /// Encapsulated pixel data.
    Fragments { table: Vec<u8>, fragments: Vec<Vec<u8>> },
}

/// An item to be written; `flip` in the other VR form than its sequence.
#[derive(Debug, Clone)]
pub(super) struct Item {
    undefined: bool,
    flip: bool,
    nodes: Vec<Node>,
}

/// Tag, VR written, VR when none is written, size of its numbers.
const ATTRIBUTES: [(Tag, VR, VR, usize); 14] = [
    (Tag(0x0008, 0x0018), VR::UI, VR::UI, 1),
    (Tag(0x0008, 0x0060), VR::CS, VR::CS, 1),
    (Tag(0x0009, 0x0010), VR::LO, VR::LO, 1),
    (Tag(0x0009, 0x1001), VR::FD, VR::UN, 8),
    (Tag(0x0009, 0x1002), VR::UN, VR::UN, 1),
    (Tag(0x0009, 0x1003), VR::SV, VR::UN, 8),
    (Tag(0x0010, 0x0010), VR::PN, VR::PN, 1),
    (Tag(0x0018, 0x9073), VR::FD, VR::FD, 8),
    (Tag(0x0028, 0x0000), VR::UL, VR::UL, 4),
    (Tag(0x0028, 0x0010), VR::US, VR::US, 2),
    (Tag(0x0028, 0x0106), VR::US, VR::US, 2),
    (Tag(0x0040, 0xA160), VR::UT, VR::UT, 1),
    (Tag(0x6002, 0x3000), VR::OW, VR::OW, 2),
    (Tag(0xFFFC, 0xFFFC), VR::OB, VR::OB, 1),
];

const SEQUENCES: [Tag; 3] = [Tag(0x0008, 0x1140), Tag(0x0040, 0xA730), Tag(0x0088, 0x0200)];

/// Limits small enough that random values go over them.
pub(super) const LIMITS: Limits =
    Limits { inline_bytes: 40, offset_table_bytes: 24, depth: 8, ..Limits::DEFAULT };

/// Random data sets, up to four sequences deep.
pub(super) fn data_sets() -> impl Strategy<Value = Vec<Node>> {
    vec(nodes(), 0..6)
}

fn nodes() -> impl Strategy<Value = Node> {
    let value = (0..ATTRIBUTES.len(), vec(any::<u8>(), 0..60)).prop_map(|(row, mut bytes)| {
        let size = ATTRIBUTES[row].3;
        bytes.truncate(bytes.len() / size * size);
        Node::Value(row, bytes)
    });
    let fragments = (vec(any::<u8>(), 0..32), vec(vec(any::<u8>(), 0..40), 0..4))
        .prop_map(|(table, fragments)| Node::Fragments { table, fragments });
    prop_oneof![8 => value, 1 => fragments].prop_recursive(4, 40, 4, |inner| {
        let item = (any::<bool>(), prop::bool::weighted(0.2), vec(inner, 0..4))
            .prop_map(|(undefined, flip, nodes)| Item { undefined, flip, nodes });
        let row = 0..SEQUENCES.len();
        (row, any::<bool>(), prop::bool::weighted(0.2), vec(item, 0..4)).prop_map(
            |(row, undefined, unknown, items)| Node::Sequence { row, undefined, unknown, items },
        )
    })
}

/// Writes a data set, and tells what a scan of it must tell.
pub(super) fn write(nodes: &[Node], encoding: Encoding) -> (Vec<u8>, Vec<Event>) {
    let big = encoding == Encoding::ExplicitBig;
    let explicit = encoding != Encoding::ImplicitLittle;
    let mut writer = Writer { bytes: Vec::new(), events: Vec::new(), big, fixed: !explicit };
    writer.nodes(nodes, Form { explicit, big }, 0);
    (writer.bytes, writer.events)
}

#[derive(Clone, Copy)]
struct Form {
    explicit: bool,
    big: bool,
}

struct Writer {
    bytes: Vec<u8>,
    events: Vec<Event>,
    big: bool,
    fixed: bool,
}

const UNDEFINED: u32 = u32::MAX;

impl Writer {
    fn nodes(&mut self, nodes: &[Node], form: Form, depth: u16) {
        for node in nodes {
            match node {
                Node::Value(row, bytes) => self.value(*row, bytes, form, depth),
                Node::Sequence { row, undefined, unknown, items } => {
                    self.sequence(SEQUENCES[*row], (*undefined, *unknown), items, form, depth);
                }
                Node::Fragments { table, fragments } => {
                    self.fragments(table, fragments, form, depth);
                }
            }
        }
    }

    fn value(&mut self, row: usize, bytes: &[u8], form: Form, depth: u16) {
        let (tag, written, unwritten, size) = ATTRIBUTES[row];
        let vr = if form.explicit { written } else { unwritten };
        let start = self.header(tag, vr, bytes.len() as u32, form);
        let at = self.place();
        // Scans give numbers in the data set's order, wherever they lie; UN has none.
        if form.big != self.big && vr != VR::UN {
            let turned = bytes.chunks(size).flat_map(|number| number.iter().rev());
            self.bytes.extend(turned);
        } else {
            self.bytes.extend_from_slice(bytes);
        }
        let element = Element { tag, vr, start, value: at..self.place(), depth };
        self.events.push(if bytes.len() > LIMITS.inline_bytes as usize {
            Event::Bulk(element)
        } else {
            Event::Inline(element, bytes.to_vec())
        });
    }

    fn sequence(
        &mut self,
        tag: Tag,
        (undefined, unknown): (bool, bool),
        items: &[Item],
        form: Form,
        depth: u16,
    ) {
        let unknown = unknown && form.explicit;
        let undefined = undefined || unknown;
        let vr = if unknown { VR::UN } else { VR::SQ };
        let start = self.header(tag, vr, UNDEFINED, form);
        let at = self.place();
        let element = Element { tag, vr: VR::SQ, start, value: at..at, depth };
        let event = self.events.len();
        self.events.push(Event::Sequence(element.clone()));
        let inner = if unknown { Form { explicit: false, big: false } } else { form };
        for item in items {
            self.item(item, inner, depth + 1);
        }
        self.events.push(Event::EndSequence);
        if undefined {
            self.item_header(0xE0DD, 0, inner);
        } else {
            let end = self.place();
            self.patch(at, end - at, form);
            self.events[event] = Event::Sequence(Element { value: at..end, ..element });
        }
    }

    fn item(&mut self, item: &Item, form: Form, depth: u16) {
        self.item_header(0xE000, UNDEFINED, form);
        let at = self.place();
        self.events.push(Event::Item);
        // An item without elements cannot show its form.
        let flip = item.flip && !self.fixed;
        let inner = Form { explicit: form.explicit != flip, ..form };
        self.nodes(&item.nodes, inner, depth);
        self.events.push(Event::EndItem);
        if item.undefined {
            self.item_header(0xE00D, 0, form);
        } else {
            let length = self.place() - at;
            self.patch(at, length, form);
        }
    }

    fn fragments(&mut self, table: &[u8], fragments: &[Vec<u8>], form: Form, depth: u16) {
        let tag = Tag(0x7FE0, 0x0010);
        let vr = VR::OB;
        let start = self.header(tag, vr, UNDEFINED, form);
        let at = self.place();
        self.events.push(Event::Fragments(Element { tag, vr, start, value: at..at, depth }));
        self.item_header(0xE000, table.len() as u32, form);
        self.bytes.extend_from_slice(table);
        let kept = if table.len() > LIMITS.offset_table_bytes as usize { &[] } else { table };
        self.events.push(Event::OffsetTable(kept.to_vec()));
        for fragment in fragments {
            let item_start = self.place();
            self.item_header(0xE000, fragment.len() as u32, form);
            let bytes = self.place()..self.place() + fragment.len() as u64;
            self.bytes.extend_from_slice(fragment);
            let head = fragment[..fragment.len().min(16)].to_vec();
            self.events.push(Event::Fragment { item_start, bytes, head });
        }
        self.item_header(0xE0DD, 0, form);
        self.events.push(Event::EndFragments(self.place()));
    }

    fn place(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn header(&mut self, tag: Tag, vr: VR, length: u32, form: Form) -> u64 {
        let start = self.place();
        self.u16(tag.0, form);
        self.u16(tag.1, form);
        if !form.explicit {
            self.u32(length, form);
            return start;
        }
        self.bytes.extend_from_slice(vr.to_string().as_bytes());
        let short = [VR::UI, VR::CS, VR::LO, VR::FD, VR::PN, VR::UL, VR::US].contains(&vr);
        if short {
            self.u16(length as u16, form);
        } else {
            self.bytes.extend_from_slice(&[0, 0]);
            self.u32(length, form);
        }
        start
    }

    fn item_header(&mut self, element: u16, length: u32, form: Form) {
        self.u16(0xFFFE, form);
        self.u16(element, form);
        self.u32(length, form);
    }

    /// Writes the length that was not known when the header before `at` was written.
    fn patch(&mut self, at: u64, length: u64, form: Form) {
        let length = length as u32;
        let bytes = if form.big { length.to_be_bytes() } else { length.to_le_bytes() };
        self.bytes[at as usize - 4..at as usize].copy_from_slice(&bytes);
    }

    fn u16(&mut self, number: u16, form: Form) {
        let bytes = if form.big { number.to_be_bytes() } else { number.to_le_bytes() };
        self.bytes.extend_from_slice(&bytes);
    }

    fn u32(&mut self, number: u32, form: Form) {
        let bytes = if form.big { number.to_be_bytes() } else { number.to_le_bytes() };
        self.bytes.extend_from_slice(&bytes);
    }
}
