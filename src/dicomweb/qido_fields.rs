//! Which attributes a search answers with (PS3.18 §8.3.4.3, Tables 10.6.3-3, 10.6.3-4, 10.6.3-5).

use crate::dicomweb::qido_keys::{number, path};

/// Attributes asked for beside the required ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields {
    /// Every attribute the index keeps.
    pub all: bool,
    tags: Vec<u32>,
}

impl Fields {
    /// Of the values of `includefield`: each a list by commas of keywords and tags, or `all`.
    /// Names of no attribute are passed over; of a sequence path the sequence counts.
    pub fn of<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let mut fields = Self::default();
        for name in values.flat_map(|value| value.split(',')).map(str::trim) {
            if name.eq_ignore_ascii_case("all") {
                fields.all = true;
            } else {
                let first = path(name).and_then(|tags| tags.first().copied());
                fields.add(first.map(number));
            }
        }
        fields
    }

    /// Asks for one more.
    pub fn add(&mut self, tag: Option<u32>) {
        if let Some(tag) = tag
            && let Err(place) = self.tags.binary_search(&tag)
        {
            self.tags.insert(place, tag);
        }
    }

    /// Whether this one was asked for.
    pub fn wants(&self, tag: u32) -> bool {
        self.all || self.tags.binary_search(&tag).is_ok()
    }

    /// Whether anything was asked for.
    pub fn is_empty(&self) -> bool {
        !self.all && self.tags.is_empty()
    }
}

/// A required attribute kept with the objects: tag, value representation, and whether it is
/// answered empty when the object has none (types R) or left out (type C).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Required {
    /// The attribute.
    pub tag: u32,
    /// Its value representation.
    pub vr: &'static str,
    /// Answered even when the object has none.
    pub always: bool,
}

const fn always(tag: u32, vr: &'static str) -> Required {
    Required { tag, vr, always: true }
}

const fn if_known(tag: u32, vr: &'static str) -> Required {
    Required { tag, vr, always: false }
}

/// Of studies, patients included, less what is computed; ascending.
pub const STUDY: [Required; 11] = [
    always(0x0008_0020, "DA"),
    always(0x0008_0030, "TM"),
    always(0x0008_0050, "SH"),
    always(0x0008_0090, "PN"),
    if_known(0x0008_0201, "SH"),
    always(0x0010_0010, "PN"),
    always(0x0010_0020, "LO"),
    // Not in the table: without it a Patient ID is not unique (PS3.3 §C.7.1.1).
    if_known(0x0010_0021, "LO"),
    always(0x0010_0030, "DA"),
    always(0x0010_0040, "CS"),
    always(0x0020_0010, "SH"),
];

/// Of series.
pub const SERIES: [Required; 7] = [
    always(0x0008_0060, "CS"),
    if_known(0x0008_0201, "SH"),
    if_known(0x0008_103E, "LO"),
    always(0x0020_0011, "IS"),
    if_known(0x0040_0244, "DA"),
    if_known(0x0040_0245, "TM"),
    if_known(0x0040_0275, "SQ"),
];

/// Of instances.
pub const INSTANCE: [Required; 7] = [
    always(0x0008_0016, "UI"),
    if_known(0x0008_0201, "SH"),
    always(0x0020_0013, "IS"),
    if_known(0x0028_0008, "IS"),
    if_known(0x0028_0010, "US"),
    if_known(0x0028_0011, "US"),
    if_known(0x0028_0100, "US"),
];

/// Whether a table has the attribute.
pub fn requires(table: &[Required], tag: u32) -> bool {
    table.binary_search_by_key(&tag, |required| required.tag).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Fields, INSTANCE, SERIES, STUDY};

    #[test]
    fn fields_come_repeated_listed_and_mixed() {
        for (values, wanted, unwanted) in [
            (vec!["00081048,00081049", "00081060"], vec![0x0008_1048, 0x0008_1060], 0x0008_1030),
            (vec!["StudyDescription", "nonsense,,0008103e"], vec![0x0008_1030, 0x0008_103E], 1),
            (vec!["00400275.00400009"], vec![0x0040_0275], 0x0040_0009),
            (vec!["00231002"], vec![0x0023_1002], 0x0023_1003),
        ] {
            let fields = Fields::of(values.iter().copied());
            assert!(wanted.iter().all(|tag| fields.wants(*tag)), "{values:?}");
            assert!(!fields.wants(unwanted) && !fields.is_empty(), "{values:?}");
        }
        assert!(Fields::of(["00080020,All"].into_iter()).wants(0x7777_7777));
        assert!(Fields::of([""].into_iter()).is_empty());
    }

    #[test]
    fn tables_are_in_order() {
        for table in [&STUDY[..], &SERIES[..], &INSTANCE[..]] {
            assert!(table.windows(2).all(|pair| pair[0].tag < pair[1].tag));
        }
    }

    proptest! {
        #[test]
        fn no_field_panics(value in ".*") {
            Fields::of([value.as_str()].into_iter());
        }
    }
}
