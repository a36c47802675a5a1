//! What stands in place of a sequence that must keep a value (action D of PS3.15 Table E.1-1a: "replace
//! with a non-zero length value that may be a dummy value and consistent with the VR").
//!
//! A sequence has a non-zero length when it has an item, and it is consistent when that item is one its
//! module allows: an empty sequence in place of Type 1 would make of a valid object an invalid one. So
//! each of the eight sequences the table gives D has one item, with what its macro or module requires
//! and nothing that says anything. Of a structured report its title, its references under new UIDs, and
//! its flags stay, which the table keeps; the tree of its content becomes one line of text. To keep more of
//! it is the Clean Structured Content Option (PS3.15 §E.3.6), which looks at each concept: not done here.

use dicom_core::{Tag, VR};

use crate::dicom::deidentify::dummy;
use crate::dicom::native::tag_of;
use crate::dicom::scan::{Element, Value, Visit};

/// Part of an item, in order.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// An element with this value.
    Of(u32, VR, &'static str),
    /// An element with a value that says nothing.
    Dummy(u32, VR),
    /// The Graphic Layer of the first item that was there.
    Layer,
    /// A sequence without items.
    Empty(u32),
    /// A sequence of one item begins.
    Begin(u32),
    /// The sequence begun last ends.
    End,
}
use Part::{Begin, Dummy, Empty, End, Layer, Of};

/// A code nobody has defined (PS3.3 Table 8.8-1a); private schemes begin so (PS3.16 §8.2).
const CODE_VALUE: Part = Of(0x0008_0100, VR::SH, "REMOVED");
const CODE_SCHEME: Part = Of(0x0008_0102, VR::SH, "99REMOVED");
const CODE_MEANING: Part = Of(0x0008_0104, VR::LO, "Removed");

/// The items by the sequence's tag.
const ITEMS: &[(u32, &[Part])] = &[
    // Institution Code Sequence
    (0x0008_0082, &[CODE_VALUE, CODE_SCHEME, CODE_MEANING]),
    // Operator Identification Sequence (PS3.3 Table 10-1)
    (
        0x0008_1072,
        &[
            Dummy(0x0008_0080, VR::LO),
            Begin(0x0040_1101),
            CODE_VALUE,
            CODE_SCHEME,
            CODE_MEANING,
            End,
        ],
    ),
    // Referenced Performed Procedure Step Sequence: Modality Performed Procedure Step
    (
        0x0008_1111,
        &[Of(0x0008_1150, VR::UI, "1.2.840.10008.3.1.2.3.3"), Dummy(0x0008_1155, VR::UI)],
    ),
    // Flow Identifier Sequence (PS3.3 §C.36)
    (0x0034_0001, &[Dummy(0x0034_0002, VR::OB)]),
    // Person Identification Code Sequence
    (0x0040_1101, &[CODE_VALUE, CODE_SCHEME, CODE_MEANING]),
    // Verifying Observer Sequence (PS3.3 Table C.17-2)
    (
        0x0040_A073,
        &[
            Dummy(0x0040_A027, VR::LO),
            Dummy(0x0040_A030, VR::DT),
            Dummy(0x0040_A075, VR::PN),
            Empty(0x0040_A088),
        ],
    ),
    // Content Sequence (PS3.3 Table C.17-6): every structured report may contain a text, and a comment
    // says least of what it is.
    (
        0x0040_A730,
        &[
            Of(0x0040_A010, VR::CS, "CONTAINS"),
            Of(0x0040_A040, VR::CS, "TEXT"),
            Begin(0x0040_A043),
            Of(0x0008_0100, VR::SH, "121106"),
            Of(0x0008_0102, VR::SH, "DCM"),
            Of(0x0008_0104, VR::LO, "Comment"),
            End,
            Dummy(0x0040_A160, VR::UT),
        ],
    ),
    // Graphic Annotation Sequence (PS3.3 Table C.10-5): a text in the corner, in a layer that is there
    (
        0x0070_0001,
        &[
            Layer,
            Begin(0x0070_0008),
            Of(0x0070_0004, VR::CS, "DISPLAY"),
            Dummy(0x0070_0006, VR::ST),
            Dummy(0x0070_0014, VR::FL),
            Of(0x0070_0015, VR::CS, "N"),
            End,
        ],
    ),
];

/// Graphic Layer.
pub(in crate::dicom) const GRAPHIC_LAYER: Tag = Tag(0x0070, 0x0002);

/// Gives `to` the item that stands in a sequence; none for a sequence the table does not name.
pub(in crate::dicom) fn write(to: &mut impl Visit, sequence: &Element, layer: &[u8]) {
    let number = (u32::from(sequence.tag.group()) << 16) | u32::from(sequence.tag.element());
    let Some((_, parts)) = ITEMS.iter().find(|(tag, _)| *tag == number) else { return };
    let mut depth = sequence.depth.saturating_add(1);
    let element = |number: u32, vr, depth| Element {
        tag: tag_of(number),
        vr,
        start: sequence.start,
        value: sequence.value.clone(),
        depth,
    };
    to.begin_item();
    for part in *parts {
        match part {
            Of(tag, vr, text) => {
                to.element(&element(*tag, *vr, depth), Value::Inline(text.as_bytes()));
            }
            // Two numbers of four bytes: a point.
            Dummy(tag, VR::FL) => to.element(&element(*tag, VR::FL, depth), Value::Inline(&[0; 8])),
            Dummy(tag, vr) => to.element(&element(*tag, *vr, depth), Value::Inline(dummy(*vr))),
            Layer => {
                let layer = if layer.is_empty() { dummy(VR::CS) } else { layer };
                to.element(&element(0x0070_0002, VR::CS, depth), Value::Inline(layer));
            }
            Empty(tag) => {
                to.begin_sequence(&element(*tag, VR::SQ, depth));
                to.end_sequence();
            }
            Begin(tag) => {
                to.begin_sequence(&element(*tag, VR::SQ, depth));
                to.begin_item();
                depth = depth.saturating_add(1);
            }
            End => {
                to.end_item();
                to.end_sequence();
                depth = depth.saturating_sub(1);
            }
        }
    }
    to.end_item();
}

#[cfg(test)]
mod tests {
    use dicom_core::VR;
    use dicom_core::dictionary::DataDictionary;
    use dicom_dictionary_std::StandardDataDictionary;

    use super::{ITEMS, Part};
    use crate::dicom::deidentify::Action;
    use crate::dicom::deidentify_table::TABLE;
    use crate::dicom::native::tag_of;

    #[test]
    fn the_parts_of_an_item_stand_in_order_and_what_begins_ends() {
        for (sequence, parts) in ITEMS {
            let mut last = vec![0];
            for part in *parts {
                match part {
                    Part::End => {
                        last.pop();
                    }
                    Part::Of(tag, ..)
                    | Part::Dummy(tag, _)
                    | Part::Empty(tag)
                    | Part::Begin(tag) => {
                        let before = last.last_mut().unwrap();
                        assert!(*before < *tag, "{sequence:08X}: {tag:08X}");
                        *before = *tag;
                        if matches!(part, Part::Begin(_)) {
                            last.push(0);
                        }
                    }
                    Part::Layer => {}
                }
            }
            assert_eq!(last.len(), 1, "{sequence:08X}");
        }
    }

    #[test]
    fn each_sequence_that_must_keep_a_value_has_an_item() {
        let is_sequence = |tag: u32| {
            StandardDataDictionary
                .by_tag(tag_of(tag))
                .is_some_and(|known| known.vr.relaxed() == VR::SQ)
        };
        for (tag, action) in TABLE {
            let needs = *action == Action::Dummy && is_sequence(*tag);
            assert_eq!(ITEMS.iter().any(|(known, _)| known == tag), needs, "{tag:08X}");
        }
        for (sequence, _) in ITEMS {
            let row = TABLE.iter().find(|(tag, _)| tag == sequence);
            assert_eq!(row.map(|(_, action)| *action), Some(Action::Dummy), "{sequence:08X}");
        }
    }
}
