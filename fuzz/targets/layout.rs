//! Any bytes: a layout or none; what is one comes back from its bytes and can be asked.
#![no_main]

use lastra::dicom::layout::Layout;
use lastra::dicom::syntax::{EXPLICIT_BIG, EXPLICIT_LITTLE};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(layout) = Layout::from_bytes(bytes) else { return };
    assert_eq!(Layout::from_bytes(&layout.to_bytes()).as_ref(), Ok(&layout));
    let _ = (
        layout.header_ranges(),
        layout.frame(0, EXPLICIT_BIG),
        layout.frame(7, EXPLICIT_LITTLE),
        layout.bulk("7FE00010"),
    );
});
