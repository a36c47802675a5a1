//! The rules of colour, and streams made here.

use crate::imaging::decode::codestream::Jpeg;
use crate::imaging::decode::jpeg::is_ybr;
use crate::imaging::pixels::Photometric;

#[test]
fn colours_follow_the_code_stream_and_then_the_header() {
    let plain = Jpeg { components: vec![1, 2, 3], ..Jpeg::default() };
    let jfif = Jpeg { jfif: true, ..plain.clone() };
    let adobe = |transform| Jpeg { adobe: Some(transform), ..plain.clone() };
    let named = Jpeg { components: b"RGB".to_vec(), ..plain.clone() };
    for (header, photometric, ybr) in [
        (&plain, Photometric::Rgb, false),
        (&plain, Photometric::YbrFull422, true),
        (&plain, Photometric::Other("?".into()), true),
        (&jfif, Photometric::Rgb, true),
        (&adobe(0), Photometric::YbrFull422, false),
        (&adobe(1), Photometric::Rgb, true),
        (&named, Photometric::YbrFull422, false),
    ] {
        assert_eq!(is_ybr(header, &photometric), ybr, "{header:?} {photometric:?}");
    }
}
