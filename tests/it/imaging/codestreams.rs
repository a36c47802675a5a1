//! Code streams of the kinds no published file here has: High-Throughput JPEG 2000 as `OpenJPH` and
//! JPEG XL as `libjxl` encoded them, of samples that are known.

use lastra::imaging::decode::{Detail, Frame, Samples, decode};
use lastra::imaging::error::ImagingError;
use lastra::imaging::pixels::{Photometric, PixelAttributes};
use lastra::imaging::render::StoredFrame;

/// Eight columns and six rows.
fn attributes(bits: u16, photometric: Photometric) -> PixelAttributes {
    PixelAttributes {
        rows: 6,
        columns: 8,
        samples_per_pixel: if photometric.is_grey() { 1 } else { 3 },
        bits_allocated: bits.next_multiple_of(8),
        bits_stored: bits,
        high_bit: bits - 1,
        photometric,
        frames: 1,
        tallness: 1.0,
        ..PixelAttributes::default()
    }
}

fn run(attributes: &PixelAttributes, syntax: &str, bytes: &[u8]) -> Result<Frame, ImagingError> {
    let transfer_syntax = format!("1.2.840.10008.1.2.4.{syntax}");
    let bytes = bytes.to_vec().into();
    decode(attributes, &StoredFrame { transfer_syntax, bytes, index: 0 }, Detail::Full)
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// 0, 87, 174 … 4089.
fn ramp() -> Samples {
    Samples::U16((0..48).map(|value| value * 87).collect())
}

/// Red rises by 5, green falls by 5, blue is 77.
fn colors() -> Samples {
    Samples::U8((0..48).flat_map(|pixel| [pixel * 5, 255 - pixel * 5, 77]).collect())
}

#[test]
fn high_throughput_jpeg_2000_gives_its_samples() {
    for syntax in ["201", "202", "203"] {
        let grey = run(&attributes(12, Photometric::Monochrome2), syntax, &bytes(HT_GREY)).unwrap();
        assert_eq!(grey.data, ramp());
        assert_eq!(grey.bits.stored, 12, "the stream says 16, all of it fits in 12");
        let color = run(&attributes(8, Photometric::YbrRct), syntax, &bytes(HT_COLOR)).unwrap();
        assert_eq!((color.data, color.photometric), (colors(), Photometric::Rgb));
    }
    // The stream undoes its colour transform itself, whatever the header calls it.
    let color = run(&attributes(8, Photometric::YbrFull), "201", &bytes(HT_COLOR)).unwrap();
    assert_eq!((color.data, color.photometric), (colors(), Photometric::Rgb));
    let lossy = run(&attributes(12, Photometric::Monochrome2), "203", &bytes(HT_LOSSY)).unwrap();
    let (Samples::U16(lossy), Samples::U16(ramp)) = (lossy.data, ramp()) else { panic!() };
    // As far from the original as OpenJPH's own decoder.
    assert!(lossy.iter().zip(ramp).all(|(one, other)| one.abs_diff(other) <= 37));
}

#[test]
fn jpeg_xl_gives_its_samples() {
    for syntax in ["110", "112"] {
        let grey = run(&attributes(16, Photometric::Monochrome2), syntax, &bytes(XL_GREY)).unwrap();
        assert_eq!(grey.data, ramp());
        let color = run(&attributes(8, Photometric::Rgb), syntax, &bytes(XL_COLOR)).unwrap();
        assert_eq!((color.data, color.photometric), (colors(), Photometric::Rgb));
    }
}

#[test]
fn jpeg_xl_of_a_jpeg_gives_what_the_jpeg_gives() {
    let header = attributes(8, Photometric::YbrFull422);
    let recompressed = run(&header, "111", &bytes(XL_OF_JPEG)).unwrap();
    let plain = run(&header, "50", &bytes(JPEG)).unwrap();
    assert_eq!(recompressed.photometric, plain.photometric);
    let (Samples::U8(recompressed), Samples::U8(plain)) = (recompressed.data, plain.data) else {
        panic!()
    };
    let differences = recompressed.iter().zip(&plain).map(|(one, other)| one.abs_diff(*other));
    assert!(differences.max().unwrap() <= 2, "{recompressed:?} {plain:?}");
}

#[test]
fn streams_cut_short_or_of_absurd_size_are_errors() {
    let grey = attributes(12, Photometric::Monochrome2);
    for (syntax, hex) in [("201", HT_GREY), ("110", XL_GREY), ("50", JPEG), ("111", XL_OF_JPEG)] {
        let whole = bytes(hex);
        for end in 0..whole.len() - 2 {
            let cut = run(&grey, syntax, &whole[..end]);
            assert!(cut.is_err() || end > whole.len() / 2, "{syntax} cut at {end}");
        }
    }
    // Columns and rows of the size segment, 2^31 each.
    let mut huge = bytes(HT_GREY);
    huge[8..16].copy_from_slice(&[0x80, 0, 0, 0, 0x80, 0, 0, 0]);
    assert!(matches!(run(&grey, "201", &huge), Err(ImagingError::Damaged(_))));
}

const HT_GREY: &str = "\
    ff4fff5100294000000000080000000600000000000000000000000800000006000000000000000000010f0101ff\
    50000800020000000aff52000c00020001000504044001ff5c00132088909090909090909090909090888888ff64\
    001700014f70656e4a50482056657220302e32362e332eff90000a00000000005a0001ff93c0002639f305077400\
    0000c00012c000130018020774001af703877400c0001340001300868601827400adad00423400c0002a60001580\
    2c16eba042310276006e75ab5bddfac05281beb600ffd9";

const HT_COLOR: &str = "\
    ff4fff51002f40000000000800000006000000000000000000000008000000060000000000000000000307010107\
    0101070101ff500008000200000003ff52000c00020001010504044001ff5c001320505858585858585858585858\
    58505050ff64001700014f70656e4a50482056657220302e32362e332eff90000a0000000000c20001ff93c01180\
    277300c01280a501077400c012808501077400000000000000c0096004a0fb00477400d300877400c0096004a0ec\
    000774005201877400c0096004c0da00877400a6fe02077400c009200480fc0ab300fc00e300c0096004804400c2\
    740099123300c009a004a08cfd0002740073fe323300c013401500ec016ca3e50073cef9c1c9beb500c013c01540\
    00fea1234275004ea7d3f9c01081beb600c013c0154022f2a323c275009e9e9e9ec02101beb600ffd9";

const HT_LOSSY: &str = "\
    ff4fff5100294000000000080000000600000000000000000000000800000006000000000000000000010f0101ff\
    500008000200000024ff52000c00020001000504044000ff5c00232287748745874587177f5c7f5c7f3d77aa77aa\
    77c2603560356078581a581a67bfff64001700014f70656e4a50482056657220302e32362e332eff90000a000000\
    00004a0001ff93c0004cb7fd048774000000c0012c001280e4000774000a01877400c004b00120c000427400ed0a\
    3300c009200550f8b3e300aa1000fe793dcfd0b600ffd9";

const XL_GREY: &str = "\
    0000000c4a584c200d0a870a00000014667479706a786c20000000006a786c20000000096a786c6c0a000000466a\
    786c63ff0a2830fc00458b08040100c0004b386818c2db5d0a129262135205104ed65a6bad3d69adb5d6da61d65a\
    6bad1d66adb5d6da61d65a6bad1d66adb5d65a";

const XL_COLOR: &str = "\
    ff0a283010090804010020014b2834161e858f828292022305aa881811a3700e638cb1315805e886182c8018bc31\
    06837c8180018651267e2d1ce356d5ffd235d409e8e5ffff3f4080780ba431c8ca7b3ff0f07f";

const JPEG: &str = "\
    ffd8ffe000104a46494600010100000100010000ffdb004300030202030202030303030403030405080505040405\
    0a070706080c0a0c0c0b0a0b0b0d0e12100d0e110e0b0b1016101113141515150c0f171816141812141514ffdb00\
    430103040405040509050509140d0b0d141414141414141414141414141414141414141414141414141414141414\
    1414141414141414141414141414141414141414ffc00011080006000803012200021101031101ffc4001f000001\
    0501010101010100000000000000000102030405060708090a0bffc400b510000201030302040305050404000001\
    7d01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25\
    262728292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a8384\
    85868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5\
    d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffc4001f0100030101010101010101010000000000\
    000102030405060708090a0bffc400b5110002010204040304070504040001027700010203110405213106124151\
    0761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738393a43\
    4445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a929394959697\
    98999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8\
    e9eaf2f3f4f5f6f7f8f9faffda000c03010002110311003f00c3bdf8a579cf0ff9d14515f230c161f97e047f4165\
    9e1b708fd5d7fc2753fb9ff99fffd9";

const XL_OF_JPEG: &str = "\
    0000000c4a584c200d0a870a00000014667479706a786c20000000006a786c20000000126a786c7000000000ff0a\
    28301009000001e06a627264c06d03088220b40c088050a340c85525000020e4a86cc1509cff1344c608659c530a\
    da8f9021cc52071966a074871aac0f194e3e66c0210715163968d881eda386fefd91650e3bee4043d1fd2fc63863\
    924b36f96494539e99e69a6dbe19e79c851e9ae8a28d3e1ae9a4a59e9aeaaaadbe1aebacc51e9becb2cd3e1bedb4\
    e59e9beebaedbe1befbc051f9cf0c20d3f1cf1c423977c72ca2bb7fc72cc330f5df4d1492fddf4d3514f3d76d967\
    a7bd76db6fc73df7e0851f9ef8e28d3f1ef9e4a3977e7aeaabb7fe7aecb3073f7cf1c727bf7cf3cf473f7df8e397\
    7f7efaebb7ff7efcf3ff57305555020020e4a86cc1509cff17444229a3ac538ac47840c866d420c3a43ad0503dd8\
    70ee21c70c28c8070d39e8b0031b8b2c73d4eff661c70dade88f3c33f824c3fb5f8c71c6259b7c32ca29d35cb3cd\
    37e39cb3d043135db4d147239db4d453535db5d557639db5d863935db6d967a39db6dc73d35db7dd77e39d77e082\
    0f4e78e1861f8e78e2914b3e39e5955b7e39e699872efae8a4976efae9a8a71ebbecb3d35ebbedb7e39e7bf0c20f\
    4f7cf1c61f8f7cf2d14b3f3df5d55b7f3df6d9872ffef8e4976ffef9e8a71fbffcf3d35fbffdf7e39fffbfc00f00\
    5416000b0880e000104a4649460001010000010001000003000000bf6a786c7080000001e05b021000b0020c640c\
    640c64feff0e000018000800010000000000808025894488bbb91e0250266b716fa05098918202e97028474444c6\
    c64636c618192363308843d5c84832924916860938809000044b3c20db42004e0031b7cb010071052a8a5fbdf4f6\
    1866d5eb2913bd9b2dfb505812bb2d04c803ef0343a8a1c2d2adb3a33357ad7adcdd0fe8a90000000000004a12a9\
    11bced4f45101744cd4f4a8a2061e4a87ab33b20d68ba7dbdd130266002013";
