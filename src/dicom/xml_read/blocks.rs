//! Which block of a private group belongs to whom, while a data set is read (PS3.5 §7.8.1).

use std::collections::{HashMap, HashSet};

use dicom_core::{Tag, VR};

use crate::dicom::native::Native;

/// The private blocks of one data set, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// Blocks by group and creator, in the order they were heard of.
    of: HashMap<(u16, String), Vec<u16>>,
    /// Blocks that are taken: (gggg,00bb).
    taken: HashSet<Tag>,
    /// Private attributes there are already.
    there: HashSet<Tag>,
}

impl Blocks {
    /// A private creator's value was read.
    pub(super) fn heard(&mut self, tag: Tag, creator: &str) {
        if tag.group() & 1 == 1 && (FIRST..=LAST).contains(&tag.element()) {
            let creator = (tag.group(), creator.trim().to_owned());
            let blocks = self.of.entry(creator).or_default();
            if self.taken.insert(tag) {
                blocks.push(tag.element());
            }
        }
    }

    /// Where an attribute goes: where it says, or, when it names its creator and no block, into that
    /// creator's. A creator that has none yet is told to `to`.
    pub(super) fn place(&mut self, tag: Tag, creator: Option<&str>, to: &mut dyn Native) -> Tag {
        let Some(creator) = creator.map(str::trim).filter(|creator| !creator.is_empty()) else {
            return tag;
        };
        if tag.group() & 1 == 0 {
            return tag;
        }
        let block = tag.element() >> 8;
        let key = (tag.group(), creator.to_owned());
        let own = self.of.get(&key).map_or(&[][..], Vec::as_slice);
        let at = |block: u16| Tag(tag.group(), (block << 8) | (tag.element() & 0xFF));
        // A second attribute of the same number is in another of its creator's blocks.
        let free = own.iter().map(|block| at(*block)).find(|tag| !self.there.contains(tag));
        let placed = match free {
            _ if block >= FIRST => {
                self.reserve(Tag(tag.group(), block), creator, to);
                tag
            }
            Some(placed) => placed,
            None => {
                let next = (FIRST..=LAST).find(|b| !self.taken.contains(&Tag(tag.group(), *b)));
                // All blocks of a group taken: it stays where it says, which is nowhere valid.
                let Some(next) = next else { return tag };
                self.reserve(Tag(tag.group(), next), creator, to);
                at(next)
            }
        };
        self.there.insert(placed);
        placed
    }

    fn reserve(&mut self, block: Tag, creator: &str, to: &mut dyn Native) {
        if self.taken.insert(block) {
            let key = (block.group(), creator.to_owned());
            self.of.entry(key).or_default().push(block.element());
            to.begin(block, VR::LO);
            to.value(Some(creator));
            to.end();
        }
    }
}

const FIRST: u16 = 0x0010;
const LAST: u16 = 0x00FF;
