//! Any bytes as a presentation state over a small picture: another picture or an error.
#![no_main]

use lastra::dicom::limits::Limits;
use lastra::dicom::scan::Scanner;
use lastra::dicom::syntax::Encoding;
use lastra::dicom::tree::Tree;
use lastra::imaging::overlay::overlays;
use lastra::imaging::pixels::{Photometric, PixelAttributes};
use lastra::imaging::presentation::parse::parse;
use lastra::imaging::render::{Dressing, RenderRequest, StoredFrame, picture};
use lastra::imaging::view::View;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut tree = Tree::new(Encoding::ExplicitLittle);
    let _ = Scanner::new(Encoding::ExplicitLittle, Limits::DEFAULT).push(bytes, &mut tree);
    let state = parse(tree.root());
    let attributes = PixelAttributes {
        rows: 4,
        columns: 4,
        samples_per_pixel: 1,
        bits_allocated: 8,
        bits_stored: 8,
        high_bit: 7,
        frames: 1,
        tallness: 1.0,
        photometric: Photometric::Monochrome2,
        ..PixelAttributes::default()
    };
    let transfer_syntax = "1.2.840.10008.1.2.1".to_owned();
    let frame = StoredFrame { transfer_syntax, bytes: vec![9; 16].into(), index: 0 };
    let presented = Some(Box::new(state.of("1.2.3", 1)));
    let dressing = Dressing { presented, overlays: overlays(tree.root()), ..Dressing::default() };
    let request = RenderRequest { view: View::within(64, 64), ..RenderRequest::default() };
    if let Ok((raster, _)) = picture(&attributes, &frame, &request, &dressing) {
        assert!(raster.width <= 64 && raster.height <= 64);
    }
});
