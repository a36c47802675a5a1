//! De-identification by the Basic Application Level Confidentiality Profile (PS3.15 §E.2), without
//! options: pixel data stays as it is.
//!
//! A [`Deidentifier`] stands between a scan and whoever writes the new data set, and passes on only
//! what may leave, at every depth. Iterative; memory: one value. What the table does not name stays,
//! as the profile says, but for private attributes and values nobody can tell the meaning of (UN).

use std::ops::Range;

use dicom_core::{Tag, VR};
use ring::hmac;

use crate::dicom::deidentify_items;
use crate::dicom::deidentify_items::GRAPHIC_LAYER;
use crate::dicom::deidentify_table::TABLE;
use crate::dicom::scan::{Element, Value, Visit};

/// What becomes of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// X: it is left out.
    Remove,
    /// Z: it has no value.
    Empty,
    /// D: it has a value that says nothing; a sequence has one such item (`deidentify_items`).
    Dummy,
    /// U: its UIDs are replaced.
    Uid,
    /// U*: the UIDs in its items are replaced.
    Inside,
}

/// Makes UIDs of UIDs: the same of the same, and no way back without the secret.
#[derive(Debug, Clone)]
pub struct UidKey(hmac::Key);

impl UidKey {
    /// By that secret.
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The UID in place of another: `2.25.` and a UUID (PS3.5 §B.2) made of its keyed hash. UIDs of
    /// the standard name no person and stay.
    pub fn replace(&self, uid: &str) -> String {
        if uid.is_empty() || uid.starts_with("1.2.840.10008.") {
            return uid.to_owned();
        }
        let tag = hmac::sign(&self.0, uid.as_bytes());
        let number =
            tag.as_ref().iter().take(16).fold(0_u128, |n, byte| (n << 8) | u128::from(*byte));
        // Version 8 and the variant of RFC 9562 §5.8.
        let number = number & !(0xF << 76) | (0x8 << 76);
        let number = number & !(0x3 << 62) | (0x2 << 62);
        format!("2.25.{number}")
    }
}

/// See the module.
#[derive(Debug)]
pub struct Deidentifier<V> {
    to: V,
    key: UidKey,
    /// Sequences, items and encapsulated values open that are left out.
    left_out: usize,
    /// The sequence that is left out for an item that says nothing, if that is so.
    replaced: Option<Replaced>,
    shows_identity: bool,
}

/// A sequence in whose place another stands.
#[derive(Debug)]
struct Replaced {
    element: Element,
    /// Whether it had an item: an empty one says nothing already.
    had_items: bool,
    /// Graphic Layer of the first item that has one.
    layer: Vec<u8>,
}

impl<V> Deidentifier<V> {
    /// Passes on to `to` what may leave.
    pub fn new(to: V, key: UidKey) -> Self {
        Self { to, key, left_out: 0, replaced: None, shows_identity: false }
    }

    /// Who was told, or `None` when the pixels themselves show whose they are: Burned In Annotation
    /// (0028,0301) or Recognizable Visual Features (0028,0302) is YES.
    pub fn finish(self) -> Option<V> {
        (!self.shows_identity).then_some(self.to)
    }

    fn replaced(&self, bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(bytes);
        let uids = text.split('\\').map(|uid| self.key.replace(uid.trim_matches([' ', '\0'])));
        uids.collect::<Vec<_>>().join("\\").into_bytes()
    }
}

/// What becomes of an attribute; `None`: it stays.
pub fn action(tag: Tag, vr: VR) -> Option<Action> {
    let group = tag.group();
    // Private; curves and overlays, which without their data are of no use (PS3.15 Table E.1-1).
    if group % 2 == 1 || matches!(group, 0..=3 | 0x5000..=0x50FF | 0x6000..=0x60FF) {
        return Some(Action::Remove);
    }
    // The content is no longer what its template says (PS3.3 §C.18.8).
    if tag == CONTENT_TEMPLATE {
        return Some(Action::Remove);
    }
    let number = (u32::from(group) << 16) | u32::from(tag.element());
    match TABLE.binary_search_by_key(&number, |(tag, _)| *tag) {
        Ok(at) => TABLE.get(at).map(|(_, action)| *action),
        Err(_) => (vr == VR::UN).then_some(Action::Remove),
    }
}

/// A value that is valid and says nothing.
pub(in crate::dicom) fn dummy(vr: VR) -> &'static [u8] {
    match vr {
        VR::DA => b"19000101",
        VR::DT => b"19000101000000",
        VR::TM => b"000000",
        VR::AS => b"000Y",
        VR::IS | VR::DS => b"0",
        VR::PN => b"REMOVED^",
        VR::UI => b"2.25.0",
        VR::US | VR::SS | VR::OB | VR::OW => &[0; 2],
        VR::UL | VR::SL | VR::FL | VR::OF | VR::OL | VR::AT => &[0; 4],
        VR::FD | VR::OD | VR::OV | VR::UV | VR::SV => &[0; 8],
        _ => b"REMOVED",
    }
}

impl<V: Visit> Visit for Deidentifier<V> {
    fn element(&mut self, element: &Element, value: Value<'_>) {
        if element.depth == 0
            && matches!(element.tag, BURNED_IN_ANNOTATION | RECOGNIZABLE_VISUAL_FEATURES)
            && matches!(value, Value::Inline(bytes) if bytes.trim_ascii() == b"YES")
        {
            self.shows_identity = true;
        }
        if self.left_out > 0 {
            if let (Some(replaced), Value::Inline(bytes), 2) =
                (&mut self.replaced, value, self.left_out)
                && element.tag == GRAPHIC_LAYER
                && replaced.layer.is_empty()
            {
                replaced.layer = bytes.to_vec();
            }
            return;
        }
        match (action(element.tag, element.vr), value) {
            (None, value) => self.to.element(element, value),
            (Some(Action::Remove | Action::Inside), _) => {}
            (Some(Action::Empty), _) => self.to.element(element, Value::Inline(&[])),
            (Some(Action::Uid), Value::Inline(bytes)) => {
                let replaced = self.replaced(bytes);
                self.to.element(element, Value::Inline(&replaced));
            }
            (Some(Action::Dummy | Action::Uid), _) => {
                self.to.element(element, Value::Inline(dummy(element.vr)));
            }
        }
    }

    fn begin_sequence(&mut self, element: &Element) {
        if self.left_out > 0 {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        match action(element.tag, VR::SQ) {
            None | Some(Action::Inside | Action::Uid) => self.to.begin_sequence(element),
            Some(Action::Remove) => self.left_out = 1,
            Some(Action::Empty) => {
                self.to.begin_sequence(element);
                self.to.end_sequence();
                self.left_out = 1;
            }
            Some(Action::Dummy) => {
                self.to.begin_sequence(element);
                let (element, had_items) = (element.clone(), false);
                self.replaced = Some(Replaced { element, had_items, layer: Vec::new() });
                self.left_out = 1;
            }
        }
    }

    fn begin_item(&mut self) {
        if self.left_out > 0 {
            if let Some(replaced) = &mut self.replaced {
                replaced.had_items = true;
            }
            self.left_out = self.left_out.saturating_add(1);
        } else {
            self.to.begin_item();
        }
    }

    fn end_item(&mut self) {
        if self.left_out > 0 {
            self.left_out -= 1;
        } else {
            self.to.end_item();
        }
    }

    fn end_sequence(&mut self) {
        if self.left_out > 1 {
            self.left_out -= 1;
            return;
        }
        if self.left_out == 0 {
            self.to.end_sequence();
            return;
        }
        self.left_out = 0;
        if let Some(replaced) = self.replaced.take() {
            if replaced.had_items {
                deidentify_items::write(&mut self.to, &replaced.element, &replaced.layer);
            }
            self.to.end_sequence();
        }
    }

    fn begin_fragments(&mut self, element: &Element) {
        // An icon inside what is left out, or a private value, is a picture too.
        if self.left_out > 0 || action(element.tag, element.vr).is_some() {
            self.left_out = self.left_out.saturating_add(1);
        } else {
            self.to.begin_fragments(element);
        }
    }

    fn offset_table(&mut self, bytes: &[u8]) {
        if self.left_out == 0 {
            self.to.offset_table(bytes);
        }
    }

    fn fragment(&mut self, start: u64, value: Range<u64>, bytes: &[u8]) {
        if self.left_out == 0 {
            self.to.fragment(start, value, bytes);
        }
    }

    fn end_fragments(&mut self, end: u64) {
        if self.left_out > 0 {
            self.left_out -= 1;
        } else {
            self.to.end_fragments(end);
        }
    }
}

/// What a de-identified data set says of itself (PS3.15 §E.1.1, §E.3.10): tag, VR and value.
pub fn statements() -> [(Tag, VR, Vec<u8>); 4] {
    let mut code: Vec<u8> = vec![0xFE, 0xFF, 0x00, 0xE0];
    let mut item: Vec<u8> = Vec::new();
    for (element, vr, value) in [
        (0x0100_u16, b"SH", "113100"),
        (0x0102, b"SH", "DCM "),
        (0x0104, b"LO", "Basic Application Confidentiality Profile "),
    ] {
        item.extend([0x08, 0x00]);
        item.extend(element.to_le_bytes());
        item.extend(vr);
        item.extend(u16::try_from(value.len()).unwrap_or_default().to_le_bytes());
        item.extend(value.as_bytes());
    }
    code.extend(u32::try_from(item.len()).unwrap_or_default().to_le_bytes());
    code.extend(item);
    [
        (Tag(0x0012, 0x0062), VR::CS, b"YES".to_vec()),
        (
            Tag(0x0012, 0x0063),
            VR::LO,
            b"PS3.15 Basic Application Level Confidentiality Profile".to_vec(),
        ),
        (Tag(0x0012, 0x0064), VR::SQ, code),
        (Tag(0x0028, 0x0303), VR::CS, b"REMOVED".to_vec()),
    ]
}

/// Content Template Sequence.
const CONTENT_TEMPLATE: Tag = Tag(0x0040, 0xA504);
const BURNED_IN_ANNOTATION: Tag = Tag(0x0028, 0x0301);
const RECOGNIZABLE_VISUAL_FEATURES: Tag = Tag(0x0028, 0x0302);

#[cfg(test)]
mod tests {
    use dicom_core::{Tag, VR};

    use std::ops::Range;

    use super::{Action, Deidentifier, TABLE, UidKey, action};
    use crate::dicom::feed::{element, scan, sequence};
    use crate::dicom::scan::{Element, Value, Visit};

    /// Counts the fragments, sequences and values that come through.
    #[derive(Default)]
    struct Through(Vec<&'static str>);

    impl Visit for Through {
        fn element(&mut self, _: &Element, _: Value<'_>) {
            self.0.push("value");
        }
        fn begin_sequence(&mut self, _: &Element) {
            self.0.push("sequence");
        }
        fn begin_item(&mut self) {
            self.0.push("item");
        }
        fn end_item(&mut self) {}
        fn end_sequence(&mut self) {}
        fn begin_fragments(&mut self, _: &Element) {
            self.0.push("fragments");
        }
        fn offset_table(&mut self, _: &[u8]) {
            self.0.push("table");
        }
        fn fragment(&mut self, _: u64, _: Range<u64>, _: &[u8]) {
            self.0.push("fragment");
        }
        fn end_fragments(&mut self, _: u64) {}
    }

    #[test]
    fn pictures_inside_what_is_left_out_are_left_out_too() {
        let element = |tag, vr, depth| Element { tag, vr, start: 0, value: 0..0, depth };
        let mut filter = Deidentifier::new(Through::default(), UidKey::new(b"x"));
        let picture = |filter: &mut Deidentifier<Through>, tag, depth| {
            filter.begin_fragments(&element(tag, VR::OB, depth));
            filter.offset_table(&[]);
            filter.fragment(0, 8..12, b"face");
            filter.end_fragments(20);
        };
        let pixels = Tag(0x7FE0, 0x0010);
        // Icon Image Sequence: X.
        filter.begin_sequence(&element(Tag(0x0088, 0x0200), VR::SQ, 0));
        filter.begin_item();
        picture(&mut filter, pixels, 1);
        filter.element(&element(Tag(0x0028, 0x0010), VR::US, 1), Value::Inline(&[1, 0]));
        filter.end_item();
        filter.end_sequence();
        picture(&mut filter, Tag(0x0029, 0x1010), 0);
        assert_eq!(filter.to.0, Vec::<&str>::new());
        picture(&mut filter, pixels, 0);
        assert_eq!(filter.to.0, ["fragments", "table", "fragment"]);
    }

    /// Writes what it hears as lines: depth, tag and text.
    #[derive(Default)]
    struct Lines(Vec<String>, u16);

    impl Visit for Lines {
        fn element(&mut self, element: &Element, value: Value<'_>) {
            let Value::Inline(bytes) = value else { return };
            assert_eq!(element.depth, self.1, "{}", element.tag);
            let text = String::from_utf8_lossy(bytes).trim().to_owned();
            self.0.push(format!("{} {} {text}", self.1, element.tag));
        }
        fn begin_sequence(&mut self, element: &Element) {
            self.0.push(format!("{} {}", self.1, element.tag));
            self.1 += 1;
        }
        fn begin_item(&mut self) {
            self.0.push(format!("{} item", self.1));
        }
        fn end_item(&mut self) {}
        fn end_sequence(&mut self) {
            self.1 -= 1;
        }
        fn begin_fragments(&mut self, _: &Element) {}
        fn offset_table(&mut self, _: &[u8]) {}
        fn fragment(&mut self, _: u64, _: Range<u64>, _: &[u8]) {}
        fn end_fragments(&mut self, _: u64) {}
    }

    fn filtered(pieces: &[Vec<u8>]) -> Vec<String> {
        let mut filter = Deidentifier::new(Lines::default(), UidKey::new(b"x"));
        scan(pieces, &mut filter);
        filter.finish().unwrap().0
    }

    #[test]
    fn a_report_keeps_its_title_and_one_line_that_says_nothing() {
        let content = Tag(0x0040, 0xA730);
        let text = Tag(0x0040, 0xA160);
        let leaf = [element(text, "UT", b"SEGRETO ")].concat();
        let nested = sequence(content, &[leaf.clone(), leaf.clone()]);
        let template = element(Tag(0x0040, 0xDB00), "CS", b"2010");
        let lines = filtered(&[
            element(Tag(0x0040, 0xA040), "CS", b"CONTAINER "),
            sequence(Tag(0x0040, 0xA504), &[template]),
            sequence(content, &[[leaf, nested].concat(), Vec::new()]),
            element(Tag(0x0070, 0x0002), "CS", b"AFTER "),
        ]);
        assert_eq!(
            lines,
            [
                "0 (0040,A040) CONTAINER",
                "0 (0040,A730)",
                "1 item",
                "1 (0040,A010) CONTAINS",
                "1 (0040,A040) TEXT",
                "1 (0040,A043)",
                "2 item",
                "2 (0008,0100) 121106",
                "2 (0008,0102) DCM",
                "2 (0008,0104) Comment",
                "1 (0040,A160) REMOVED",
                "0 (0070,0002) AFTER",
            ]
        );
    }

    #[test]
    fn an_annotation_stays_in_its_layer_and_what_was_empty_stays_empty() {
        let drawn = element(Tag(0x0070, 0x0006), "ST", b"SEGRETO ");
        let layer = element(Tag(0x0070, 0x0002), "CS", b"LAYER1");
        let objects = sequence(Tag(0x0070, 0x0008), &[drawn]);
        let lines = filtered(&[
            sequence(Tag(0x0008, 0x1111), &[]),
            sequence(Tag(0x0070, 0x0001), &[[layer, objects].concat()]),
        ]);
        assert_eq!(lines.first().map(String::as_str), Some("0 (0008,1111)"));
        assert_eq!(lines.get(1..4).unwrap(), ["0 (0070,0001)", "1 item", "1 (0070,0002) LAYER1"]);
        assert!(lines.iter().all(|line| !line.contains("SEGRETO")), "{lines:?}");
        assert!(lines.contains(&"2 (0070,0006) REMOVED".to_owned()), "{lines:?}");
    }

    #[test]
    fn the_table_is_sorted_and_says_what_the_standard_says() {
        assert!(TABLE.is_sorted_by(|one, next| one.0 < next.0));
        for (tag, expected) in [
            (Tag(0x0010, 0x0010), Some(Action::Empty)),
            (Tag(0x0010, 0x1040), Some(Action::Remove)),
            (Tag(0x0008, 0x0018), Some(Action::Uid)),
            (Tag(0x0008, 0x1140), Some(Action::Inside)),
            (Tag(0x0040, 0xA730), Some(Action::Dummy)),
            (Tag(0x0028, 0x0010), None),
            (Tag(0x7FE0, 0x0010), None),
            (Tag(0x0029, 0x1010), Some(Action::Remove)),
            (Tag(0x6002, 0x3000), Some(Action::Remove)),
            (Tag(0x5000, 0x3000), Some(Action::Remove)),
        ] {
            assert_eq!(action(tag, VR::OW), expected, "{tag}");
        }
        assert_eq!(action(Tag(0x0028, 0x0010), VR::UN), Some(Action::Remove));
    }

    #[test]
    fn uids_are_replaced_alike_by_one_secret_and_otherwise_by_another() {
        let (one, two) = (UidKey::new(b"one"), UidKey::new(b"two"));
        let new = one.replace("1.2.3");
        assert_eq!(new, one.replace("1.2.3"));
        assert!(new != two.replace("1.2.3") && new != one.replace("1.2.4"));
        let number: u128 = new.strip_prefix("2.25.").unwrap().parse().unwrap();
        let uuid = uuid::Uuid::from_u128(number);
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (8, uuid::Variant::RFC4122));
        assert_eq!(one.replace("1.2.840.10008.1.2.1"), "1.2.840.10008.1.2.1");
    }
}
