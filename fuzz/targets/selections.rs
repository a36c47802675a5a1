//! Any data set as a key object selection, de-identified, and as a record of a directory: references
//! are whole and bounded, sequences end as they begin, and a directory can be read.
#![no_main]

use std::ops::Range;

use lastra::dicom::deidentify::{Action, Deidentifier, UidKey, action};
use lastra::dicom::dicomdir::{Directory, Facts, Referenced, heard};
use lastra::dicom::key_objects::{KEY_OBJECT_SELECTION, KeyObjects, MAX_REFERENCES};
use lastra::dicom::limits::Limits;
use lastra::dicom::scan::{Element, Scanner, Value, Visit};
use lastra::dicom::syntax::Encoding;
use lastra::dicom::tree::Tree;
use libfuzzer_sys::fuzz_target;

const CLASSES: [&str; 4] = [
    KEY_OBJECT_SELECTION,
    "1.2.840.10008.5.1.4.1.1.11.4",
    "1.2.840.10008.5.1.4.1.1.4.2",
    "1.2.840.10008.5.1.4.1.1.88.11",
];

/// What leaves: nested as promised, nothing that may not.
#[derive(Default)]
struct Leaving {
    sequences: usize,
    items: usize,
}

impl Visit for Leaving {
    fn element(&mut self, element: &Element, _: Value<'_>) {
        assert_ne!(action(element.tag, element.vr), Some(Action::Remove), "{element:?}");
        assert_eq!(usize::from(element.depth), self.sequences);
    }
    fn begin_sequence(&mut self, _: &Element) {
        self.sequences += 1;
    }
    fn begin_item(&mut self) {
        self.items += 1;
        assert_eq!(self.items, self.sequences);
    }
    fn end_item(&mut self) {
        self.items -= 1;
    }
    fn end_sequence(&mut self) {
        self.sequences -= 1;
        assert_eq!(self.items, self.sequences);
    }
    fn begin_fragments(&mut self, _: &Element) {}
    fn offset_table(&mut self, _: &[u8]) {}
    fn fragment(&mut self, _: u64, _: Range<u64>, _: &[u8]) {}
    fn end_fragments(&mut self, _: u64) {}
}

fn scanned(bytes: &[u8], visit: &mut dyn Visit) -> bool {
    let limits = Limits { depth: 8, elements: 10_000, inline_bytes: 4096, ..Limits::DEFAULT };
    let mut scanner = Scanner::new(Encoding::ExplicitLittle, limits);
    scanner.push(bytes, visit).is_ok() && scanner.finish(visit).is_ok()
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, body)) = bytes.split_first() else { return };
    let class = CLASSES[usize::from(*first) % CLASSES.len()];
    // (0008,0016), as every object begins.
    let mut data_set = vec![8, 0, 0x16, 0, b'U', b'I'];
    data_set.extend(u16::try_from(class.len().next_multiple_of(2)).unwrap().to_le_bytes());
    data_set.extend(class.bytes());
    data_set.resize(data_set.len().next_multiple_of(2), 0);
    data_set.extend(body);

    let mut selection = KeyObjects::default();
    scanned(&data_set, &mut selection);
    if let Some(selection) = selection.finish() {
        assert!(selection.references.len() <= MAX_REFERENCES);
    }

    let mut leaving = Deidentifier::new(Leaving::default(), UidKey::new(b"secret"));
    if scanned(&data_set, &mut leaving)
        && let Some(leaving) = leaving.finish()
    {
        assert_eq!((leaving.sequences, leaving.items), (0, 0));
    }

    let mut tree = Tree::with_sequences(Encoding::ExplicitLittle, heard(class));
    scanned(&data_set, &mut tree);
    let mut directory = Directory::default();
    let file_id = ["IM1".to_owned()];
    let referenced = Referenced {
        file_id: &file_id,
        sop_class: class,
        sop_instance: "1.2",
        transfer_syntax: "1.2.840.10008.1.2.1",
    };
    directory.add(1, Facts::of(tree.root(), class, false), &referenced);
    let file = directory.finish().expect("UIDs that are ours");
    // Behind preamble and meta header, whose length stands at 140.
    let length = u32::from_le_bytes(file[140..144].try_into().unwrap()) as usize;
    let mut read = Tree::new(Encoding::ExplicitLittle);
    assert!(scanned(&file[144 + length..], &mut read), "a directory nobody can read");
});
