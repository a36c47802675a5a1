//! Any bytes as a structured report's data set, and as a CDA document: a page or an error.
#![no_main]

use lastra::dicom::limits::Limits;
use lastra::dicom::scan::Scanner;
use lastra::dicom::syntax::Encoding;
use lastra::dicom::tree::Tree;
use lastra::documents::{cda, report};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for encoding in [Encoding::ImplicitLittle, Encoding::ExplicitLittle, Encoding::ExplicitBig] {
        let mut tree = Tree::new(encoding);
        let _ = Scanner::new(encoding, Limits::DEFAULT).push(bytes, &mut tree);
        let page = report::page(&tree);
        assert!(page.html().ends_with("</html>\n"));
        page.plain();
    }
    if let Ok(page) = cda::page(bytes) {
        assert!(page.html().ends_with("</html>\n"));
        page.plain();
    }
});
