//! The collector, heard by hand.

use dicom_core::{Tag, VR};

use super::{LutState, Palette, Photometric, PixelAttributes, PixelCollector, PixelKind, PixelVr};
use crate::dicom::scan::{Element, Value, Visit};
use crate::dicom::syntax::Encoding;
use crate::imaging::render::WindowFunction;

fn element(tag: Tag, vr: VR) -> Element {
    Element { tag, vr, start: 0, value: 0..0, depth: 0 }
}

struct Header(PixelCollector);

impl Header {
    fn little() -> Self {
        Self(PixelCollector::new(Encoding::ExplicitLittle))
    }
    fn text(mut self, tag: Tag, text: &str) -> Self {
        self.0.element(&element(tag, VR::CS), Value::Inline(text.as_bytes()));
        self
    }
    fn word(self, tag: Tag, word: u16) -> Self {
        self.words(tag, VR::US, &[word])
    }
    fn words(mut self, tag: Tag, vr: VR, words: &[u16]) -> Self {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.0.element(&element(tag, vr), Value::Inline(&bytes));
        self
    }
    fn bulk(mut self, tag: Tag, vr: VR) -> Self {
        self.0.element(&element(tag, vr), Value::Bulk);
        self
    }
    fn begin(mut self, tag: Tag) -> Self {
        self.0.begin_sequence(&element(tag, VR::SQ));
        self
    }
    fn item(mut self) -> Self {
        self.0.begin_item();
        self
    }
    fn end_item(mut self) -> Self {
        self.0.end_item();
        self
    }
    fn end(mut self) -> Self {
        self.0.end_sequence();
        self
    }
    /// A functional group sequence of one item that holds `inner`.
    fn group(self, tag: Tag, inner: impl FnOnce(Self) -> Self) -> Self {
        inner(self.begin(tag).item()).end_item().end()
    }
    fn finish(self) -> PixelAttributes {
        self.0.finish()
    }
}

const ROWS: Tag = Tag(0x0028, 0x0010);
const ALLOCATED: Tag = Tag(0x0028, 0x0100);
const STORED: Tag = Tag(0x0028, 0x0101);
const HIGH: Tag = Tag(0x0028, 0x0102);
const SIGNED: Tag = Tag(0x0028, 0x0103);
const CENTER: Tag = Tag(0x0028, 0x1050);
const WIDTH: Tag = Tag(0x0028, 0x1051);
const INTERCEPT: Tag = Tag(0x0028, 0x1052);
const SLOPE: Tag = Tag(0x0028, 0x1053);
const FUNCTION: Tag = Tag(0x0028, 0x1056);
const SPACING: Tag = Tag(0x0028, 0x0030);
const SHARED: Tag = Tag(0x5200, 0x9229);
const PER_FRAME: Tag = Tag(0x5200, 0x9230);
const TRANSFORMATION: Tag = Tag(0x0028, 0x9145);
const FRAME_VOI: Tag = Tag(0x0028, 0x9132);

#[test]
fn a_plain_header_is_heard_in_both_byte_orders() {
    let little = Header::little()
        .word(ROWS, 512)
        .text(Tag(0x0028, 0x0004), "MONOCHROME1 ")
        .word(ALLOCATED, 16)
        .word(STORED, 12)
        .word(HIGH, 11)
        .word(SIGNED, 1)
        .words(Tag(0x0028, 0x0120), VR::SS, &[0xF830])
        .text(CENTER, "40\\400")
        .text(WIDTH, "350\\1500 ")
        .bulk(Tag(0x7FE0, 0x0010), VR::OW)
        .finish();
    assert_eq!((little.rows, little.bits_allocated), (512, 16));
    assert_eq!((little.bits_stored, little.high_bit, little.signed), (12, 11, true));
    assert_eq!(little.photometric, Photometric::Monochrome1);
    assert_eq!(little.padding, Some((-2000, -2000)));
    assert_eq!(little.values.window, Some((40.0, 350.0)));
    assert_eq!((little.frames, little.samples_per_pixel), (1, 1));

    let mut big = PixelCollector::new(Encoding::ExplicitBig);
    big.element(&element(ROWS, VR::US), Value::Inline(&[2, 0]));
    assert_eq!(big.finish().rows, 512);
}

#[test]
fn impossible_bits_are_put_right() {
    for (allocated, stored, high, expected) in [
        (16, 12, 11, (12, 11)),
        (16, 12, 15, (12, 15)), // left-aligned, as old CTs write
        (16, 0, 0, (16, 15)),
        (8, 12, 11, (8, 7)),
        (16, 12, 3, (12, 11)),
        (16, 12, 40, (12, 11)),
    ] {
        let header = Header::little()
            .word(ALLOCATED, allocated)
            .word(STORED, stored)
            .word(HIGH, high)
            .finish();
        assert_eq!((header.bits_stored, header.high_bit), expected, "{allocated} {stored} {high}");
    }
    let absent = Header::little().word(ALLOCATED, 16).finish();
    assert_eq!((absent.bits_stored, absent.high_bit), (16, 15));
}

#[test]
fn windows_without_center_or_width_are_passed_over() {
    let header = Header::little().text(CENTER, "x\\50\\60").text(WIDTH, "10\\0\\70").finish();
    assert_eq!(header.values.window, Some((60.0, 70.0)));
    let header = Header::little().text(CENTER, "40").finish();
    assert_eq!(header.values.window, None);
}

#[test]
fn a_slope_of_zero_is_no_rescale() {
    let header = Header::little().text(SLOPE, "0").text(INTERCEPT, "5").finish();
    assert_eq!(header.values.rescale, None);
    let header = Header::little().text(INTERCEPT, "-1024").finish();
    assert_eq!(header.values.rescale, Some((1.0, -1024.0)));
}

#[test]
fn items_elsewhere_are_not_the_objects_own() {
    let icon = Header::little()
        .word(ROWS, 512)
        .group(Tag(0x0088, 0x0200), |icon| icon.word(ROWS, 64).text(CENTER, "1").text(WIDTH, "1"))
        .finish();
    assert_eq!((icon.rows, icon.values.window), (512, None));
}

#[test]
fn lookup_tables_of_the_first_item_are_kept() {
    let table = |header: Header, entries: &[u16]| {
        header.words(Tag(0x0028, 0x3002), VR::SS, &[3, 0xFFFF, 16]).words(
            Tag(0x0028, 0x3006),
            VR::OW,
            entries,
        )
    };
    let header = Header::little().begin(Tag(0x0028, 0x3010)).item();
    let header = table(header, &[5, 6, 700]).end_item().item();
    let header = table(header, &[1, 1, 1]).end_item().end().finish();
    let LutState::Read(lut) = header.voi_lut else { panic!("{:?}", header.voi_lut) };
    assert_eq!((lut.first, lut.bits, lut.entries.as_slice()), (-1, 16, &[5, 6, 700][..]));
    assert_eq!(header.modality_lut, LutState::Absent);
}

#[test]
fn a_table_of_the_shared_functional_groups_is_the_objects() {
    let table = |item: Header| {
        item.begin(Tag(0x0028, 0x3010))
            .item()
            .words(Tag(0x0028, 0x3002), VR::US, &[2, 0, 8])
            .words(Tag(0x0028, 0x3006), VR::OW, &[9, 8])
            .end_item()
            .end()
    };
    let header = Header::little().group(SHARED, |item| item.group(FRAME_VOI, table)).finish();
    let LutState::Read(lut) = header.voi_lut else { panic!("{:?}", header.voi_lut) };
    assert_eq!(lut.entries, [9, 8]);
}

/// A table of one item that maps from 0 on.
fn a_table(sequence: Tag, entries: &'static [u16]) -> impl Fn(Header) -> Header {
    move |item| {
        let count = u16::try_from(entries.len()).unwrap();
        item.begin(sequence)
            .item()
            .words(Tag(0x0028, 0x3002), VR::US, &[count, 0, 16])
            .words(Tag(0x0028, 0x3006), VR::OW, entries)
            .end_item()
            .end()
    }
}

fn entries(state: &LutState) -> &[u16] {
    let LutState::Read(lut) = state else { panic!("{state:?}") };
    &lut.entries
}

const MODALITY_LUT: Tag = Tag(0x0028, 0x3000);
const VOI_LUT: Tag = Tag(0x0028, 0x3010);

#[test]
fn tables_of_the_functional_groups_are_their_frames() {
    let header = Header::little()
        .group(SHARED, |item| {
            item.group(TRANSFORMATION, a_table(MODALITY_LUT, &[1, 2]))
                .group(FRAME_VOI, |item| item.text(CENTER, "1").text(WIDTH, "2"))
        })
        .begin(PER_FRAME)
        .item()
        .end_item()
        .item()
        .group(TRANSFORMATION, a_table(MODALITY_LUT, &[3, 4]))
        .group(FRAME_VOI, a_table(VOI_LUT, &[5, 600]))
        .end_item()
        .item()
        .group(TRANSFORMATION, |item| item.text(SLOPE, "2").text(INTERCEPT, "0"))
        .group(FRAME_VOI, a_table(VOI_LUT, &[5, 600]))
        .end_item()
        .end()
        .finish();
    assert_eq!(header.rules(0).window, Some((1.0, 2.0)));
    assert_eq!(entries(header.modality_lut_of(0)), [1, 2]);
    assert_eq!(*header.voi_lut_of(0), LutState::Absent);
    // A frame's own table stands in place of the window all share.
    assert_eq!((header.rules(1).window, header.rules(1).rescale), (None, None));
    assert_eq!(entries(header.modality_lut_of(1)), [3, 4]);
    assert_eq!(entries(header.voi_lut_of(1)), [5, 600]);
    assert_eq!(header.rules(2).rescale, Some((2.0, 0.0)));
    let tables = [&header.frame_tables[&1], &header.frame_tables[&2]];
    let [one, other] = tables.map(|tables| tables.voi.clone().unwrap());
    assert!(std::sync::Arc::ptr_eq(&one, &other), "alike tables are kept once");
}

#[test]
fn a_frames_table_that_lies_apart_can_be_given_later_and_only_a_few_are_asked_for() {
    let mut header = Header::little().begin(PER_FRAME);
    for _ in 0..40 {
        header = header
            .item()
            .group(FRAME_VOI, |item| {
                item.group(VOI_LUT, |item| {
                    item.words(Tag(0x0028, 0x3002), VR::US, &[2, 0, 8])
                        .bulk(Tag(0x0028, 0x3006), VR::OW)
                })
            })
            .end_item();
    }
    let mut header = header.end();
    let paths = header.0.missing_tables();
    assert!((1..=16).contains(&paths.len()), "{paths:?}");
    let second = "52009230/2/00289132/1/00283010/1/00283006";
    assert!(paths.iter().any(|path| path == second));
    header.0.table(second, &[7, 0, 8, 0]);
    let told = header.finish();
    assert_eq!(entries(told.voi_lut_of(1)), [7, 8]);
    assert_eq!(*told.voi_lut_of(0), LutState::Unusable);
    assert_eq!(*told.voi_lut_of(39), LutState::Unusable);
}

#[test]
fn tables_of_many_frames_are_kept_within_bounds() {
    let long: Vec<u16> = (0..60_000).collect();
    let mut header = Header::little().begin(PER_FRAME);
    for frame in 0..400 {
        header = header
            .item()
            .group(FRAME_VOI, |item| {
                item.group(VOI_LUT, |item| {
                    let first = [60_000, frame, 16];
                    item.words(Tag(0x0028, 0x3002), VR::US, &first).words(
                        Tag(0x0028, 0x3006),
                        VR::OW,
                        &long,
                    )
                })
            })
            .end_item();
    }
    let told = header.end().finish();
    let kept: usize = (0..400)
        .map(|frame| match told.voi_lut_of(frame) {
            LutState::Read(lut) => lut.entries.len() * 2,
            _ => 0,
        })
        .sum();
    assert!((1 << 20..=16 << 20).contains(&kept), "{kept}");
}

#[test]
fn a_table_too_long_for_the_header_scan_is_known_to_be_missing() {
    let header = Header::little()
        .words(Tag(0x0028, 0x1101), VR::US, &[0, 0, 16])
        .bulk(Tag(0x0028, 0x1201), VR::OW)
        .group(Tag(0x0028, 0x3000), |item| item.bulk(Tag(0x0028, 0x3006), VR::OW))
        .finish();
    assert_eq!(header.palette, Palette::Unusable);
    assert_eq!(header.modality_lut, LutState::Unusable);
}

#[test]
fn a_table_too_long_for_the_header_scan_can_be_given_later() {
    let mut header = Header::little()
        .words(Tag(0x0028, 0x1101), VR::US, &[2, 0, 16])
        .words(Tag(0x0028, 0x1102), VR::US, &[2, 0, 16])
        .words(Tag(0x0028, 0x1103), VR::US, &[2, 0, 16])
        .bulk(Tag(0x0028, 0x1201), VR::OW)
        .bulk(Tag(0x0028, 0x1222), VR::OW)
        .words(Tag(0x0028, 0x1203), VR::OW, &[5, 6])
        .group(Tag(0x0028, 0x3010), |item| {
            item.words(Tag(0x0028, 0x3002), VR::US, &[2, 0, 8]).bulk(Tag(0x0028, 0x3006), VR::OW)
        });
    let voi = "00283010/1/00283006";
    let paths = header.0.missing_tables();
    assert!(["00281201", "00281222", voi].iter().all(|path| paths.iter().any(|it| it == path)));
    assert!(!paths.iter().any(|path| path.ends_with("00281203") || path.contains("00283000")));
    header.0.table("00281201", &[1, 0, 2, 0]);
    header.0.table("00281222", &[0, 0, 2, 0, 3, 0, 4, 0]);
    header.0.table(voi, &[7, 0, 8, 0]);
    header.0.table("00281209", &[1, 1]);
    let told = header.finish();
    let Palette::Read(tables) = told.palette else { panic!("{:?}", told.palette) };
    assert_eq!(tables.map(|table| table.entries), [vec![1, 2], vec![3, 4], vec![5, 6]]);
    assert!(matches!(told.voi_lut, LutState::Read(lut) if lut.entries == [7, 8]));
}

#[test]
fn frames_have_the_shared_rules_until_they_have_their_own() {
    let header = Header::little()
        .text(SLOPE, "9")
        .group(SHARED, |item| {
            item.group(TRANSFORMATION, |item| item.text(SLOPE, "2").text(INTERCEPT, "-10"))
                .group(FRAME_VOI, |item| {
                    item.text(CENTER, "1").text(WIDTH, "2").text(FUNCTION, "SIGMOID")
                })
        })
        .begin(PER_FRAME)
        .item()
        .end_item()
        .item()
        .group(TRANSFORMATION, |item| item.text(SLOPE, "3").text(INTERCEPT, "7"))
        .group(FRAME_VOI, |item| item.text(CENTER, "100").text(WIDTH, "200"))
        .end_item()
        .end()
        .finish();
    let first = header.rules(0);
    assert_eq!(first.rescale, Some((2.0, -10.0)));
    assert_eq!(first.window, Some((1.0, 2.0)));
    assert_eq!(first.function, Some(WindowFunction::Sigmoid));
    let second = header.rules(1);
    assert_eq!(second.rescale, Some((3.0, 7.0)));
    assert_eq!((second.window, second.function), (Some((100.0, 200.0)), None));
    assert_eq!(header.rules(9), first, "a frame without an item");
    assert_eq!(header.per_frame.len(), 2);
}

#[test]
fn masks_are_heard_with_the_shifts_of_frames() {
    use crate::imaging::subtraction::{
        APPLICABLE_FRAMES, FRAME_SHIFT, ITEM_ID, MASK_FRAMES, MASK_OPERATION, MASK_SHIFT,
        MASK_SUBTRACTION, VIEWING_MODE,
    };
    let singles = |header: Header, down: f32, left: f32| {
        let bytes = [down.to_le_bytes(), left.to_le_bytes()].concat();
        let words: Vec<u16> =
            bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        header.words(MASK_SHIFT, VR::FL, &words)
    };
    let shift = |header: Header, id, down| {
        let item = header.begin(FRAME_SHIFT).item().word(ITEM_ID, id);
        singles(item, down, -0.5).end_item().end()
    };
    let header = Header::little()
        .group(MASK_SUBTRACTION, |item| item.text(MASK_OPERATION, "NONE"))
        .begin(MASK_SUBTRACTION)
        .item();
    let header = singles(header, 9.0, 9.0)
        .text(MASK_OPERATION, "AVG_SUB ")
        .words(APPLICABLE_FRAMES, VR::US, &[2, 4])
        .words(MASK_FRAMES, VR::US, &[1])
        .word(ITEM_ID, 100)
        .end_item()
        .end()
        .text(VIEWING_MODE, "SUB ")
        .text(Tag(0x0028, 0x1040), "LIN ")
        .begin(SHARED)
        .item();
    let header = shift(header, 100, 1.5).end_item().end().begin(PER_FRAME).item().end_item().item();
    let header = shift(shift(header, 7, 4.0), 100, 2.5).end_item().end().finish();
    assert!(header.masks.recommended && header.proportional);
    assert_eq!(header.masks.items.len(), 1, "an operation of none is none");
    let of = |frame| header.masks.operands(frame, 5).unwrap().map(|made| (made.mask, made.shift));
    let shifted =
        |down: f32| Some((vec![1], crate::imaging::subtraction::Shift { down, left: -0.5 }));
    assert_eq!([1, 2, 3, 5].map(of), [None, shifted(2.5), shifted(1.5), None]);
}

#[test]
fn an_angiograms_modality_lut_is_none_to_draw_by() {
    const MODALITY: Tag = Tag(0x0028, 0x3000);
    let read = |class: &str, relationship: &str| {
        let header = Header::little()
            .text(Tag(0x0008, 0x0016), class)
            .text(Tag(0x0028, 0x1040), relationship)
            .begin(MODALITY)
            .item()
            .words(Tag(0x0028, 0x3002), VR::US, &[2, 0, 16])
            .words(Tag(0x0028, 0x3006), VR::OW, &[1, 0])
            .end_item()
            .end();
        matches!(header.finish().modality_lut, LutState::Read(_))
    };
    let angiogram = "1.2.840.10008.5.1.4.1.1.12.1";
    assert!(!read(angiogram, "LOG") && !read(angiogram, "DISP"));
    assert!(read(angiogram, "LIN") && read("1.2.840.10008.5.1.4.1.1.7", "LOG"));
}

#[test]
fn frames_lie_where_their_own_plane_position_says() {
    const POSITION: Tag = Tag(0x0020, 0x0032);
    const PLANE: Tag = Tag(0x0020, 0x9113);
    let header = Header::little()
        .group(SHARED, |item| item.group(PLANE, |plane| plane.text(POSITION, "1\\2\\3")))
        .begin(PER_FRAME)
        .item()
        .end_item()
        .item()
        .group(PLANE, |plane| plane.text(POSITION, "-150.5\\0\\42 "))
        .end_item()
        .end()
        .finish();
    assert_eq!(header.rules(0).position, Some([1.0, 2.0, 3.0]));
    assert_eq!(header.rules(1).position, Some([-150.5, 0.0, 42.0]));
    let plain = Header::little().text(POSITION, "7\\8\\9").finish();
    assert_eq!(plain.rules(0).position, Some([7.0, 8.0, 9.0]));
    assert_eq!(Header::little().text(POSITION, "7\\8").finish().rules(0).position, None);
}

#[test]
fn pixels_that_are_not_square_are_told_and_mistakes_are_not() {
    let aspect = |text| Header::little().text(Tag(0x0028, 0x0034), text).finish().tallness;
    let spacing = |text| Header::little().text(SPACING, text).finish().tallness;
    assert!((aspect("2\\1") - 2.0).abs() < 1e-9);
    assert!((spacing("0.5\\1") - 0.5).abs() < 1e-9);
    for square in ["1\\1", "0.488\\0.489", "0\\1", "-1\\1", "1000\\1", "1", "", "a\\b"] {
        assert!((spacing(square) - 1.0).abs() < 1e-9, "{square}");
    }
}

#[test]
fn the_pixel_data_element_tells_kind_and_grouping() {
    let float = Header::little().bulk(Tag(0x7FE0, 0x0008), VR::OF).finish();
    assert_eq!(float.kind, PixelKind::Float);
    let bytes = Header::little().bulk(Tag(0x7FE0, 0x0010), VR::OB).finish();
    assert_eq!((bytes.kind, bytes.pixel_vr), (PixelKind::Integer, PixelVr::Bytes));
}

#[test]
fn padding_of_floats_and_a_supplemental_palette_are_heard() {
    let mut heard = Header::little().text(Tag(0x0008, 0x9205), "COLOR ");
    let tag = Tag(0x0028, 0x0122);
    heard.0.element(&element(tag, VR::FL), Value::Inline(&(-9.5_f32).to_le_bytes()));
    let told = heard.finish();
    assert_eq!((told.supplemental, told.real_padding), (true, Some((-9.5, -9.5))));
    let plain = Header::little().text(Tag(0x0008, 0x9205), "MONOCHROME").finish();
    assert_eq!((plain.supplemental, plain.real_padding), (false, None));
}
