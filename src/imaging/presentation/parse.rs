//! A presentation state's data set, read.

use dicom_core::Tag;

use crate::dicom::tree::Item;
use crate::imaging::overlay::overlays;
use crate::imaging::pixels::{Lut, LutState};
use crate::imaging::presentation::{
    Align, Anchor, Area, COLOR, Drawing, GraphicKind, Presentation, Reference, Shape, Shutter,
    Targets, Units, Voi,
};
use crate::imaging::render::WindowFunction;
use crate::imaging::shapes::Point;
use crate::imaging::subtraction::Masks;

/// Things drawn that are kept of one state; the rest is left out.
const MAX_DRAWINGS: usize = 2000;

/// Points kept of one graphic.
const MAX_POINTS: usize = 4000;

/// Furthest an edge of a displayed area lies from the image's, in pixels.
const FAR: f64 = 65_535.0;

/// Reads a state. What it does not say, or says wrongly, is left as it is without it.
pub fn parse(state: Item<'_>) -> Presentation {
    let sop_class = state.text(Tag(0x0008, 0x0016)).unwrap_or_default();
    let layers: Vec<Layer> = state.items(Tag(0x0070, 0x0060)).map(layer).collect();
    let mut found = Presentation {
        references: references(state),
        grey: sop_class != COLOR,
        rescale: rescale(state),
        modality_lut: state.first(Tag(0x0028, 0x3000)).map_or(LutState::Absent, table),
        voi: state.items(Tag(0x0028, 0x3110)).map(|item| (targets(item), voi(item))).collect(),
        inverse: is(state, Tag(0x2050, 0x0020), "INVERSE"),
        output_lut: match state.first(Tag(0x2050, 0x0010)).map(table) {
            Some(LutState::Read(lut)) => Some(lut),
            _ => None,
        },
        shutters: shutters(state),
        shutter_group: shutter_group(state),
        shutter_level: level(state.whole(Tag(0x0018, 0x1622)).unwrap_or(0)),
        quarters: match state.whole(Tag(0x0070, 0x0042)) {
            Some(90) => 1,
            Some(180) => 2,
            Some(270) => 3,
            _ => 0,
        },
        flip: is(state, Tag(0x0070, 0x0041), "Y"),
        areas: state
            .items(Tag(0x0070, 0x005A))
            .filter_map(|item| Some((targets(item), area(item)?)))
            .collect(),
        profile: state.bytes(Tag(0x0028, 0x2000)).map(<[u8]>::to_vec),
        masks: Masks::of(state),
        ..Presentation::default()
    };
    for annotation in state.items(Tag(0x0070, 0x0001)) {
        draw_all(&mut found, annotation, &layers);
    }
    let shown = |group: u16| {
        let layer = state.text(Tag(group, 0x1001));
        layer.is_some_and(|layer| layers.iter().any(|known| known.name == layer))
    };
    found.shown_groups = (0x6000..=0x601E_u16).step_by(2).filter(|group| shown(*group)).collect();
    found.overlays = overlays(state);
    let kept = |group: u16| shown(group) || found.shutter_group == Some(group);
    found.overlays.retain(|overlay| kept(overlay.group));
    found
}

struct Layer {
    name: String,
    order: i64,
    color: [u8; 3],
}

fn layer(item: Item<'_>) -> Layer {
    let grey = item.whole(Tag(0x0070, 0x0066)).map_or(255, level);
    Layer {
        name: item.text(Tag(0x0070, 0x0002)).unwrap_or_default(),
        order: item.whole(Tag(0x0070, 0x0062)).unwrap_or(0).into(),
        color: [grey; 3],
    }
}

/// A level of 16 bits as one of 8.
fn level(value: u32) -> u8 {
    u8::try_from(value >> 8).unwrap_or(u8::MAX)
}

fn is(item: Item<'_>, tag: Tag, value: &str) -> bool {
    item.text(tag).is_some_and(|text| text == value)
}

fn references(state: Item<'_>) -> Vec<Reference> {
    let mut found = Vec::new();
    for series in state.items(Tag(0x0008, 0x1115)) {
        let uid = series.text(Tag(0x0020, 0x000E)).unwrap_or_default();
        let images = targets(series).0;
        if images.is_empty() && !uid.is_empty() {
            found.push(Reference { series: uid, instance: String::new(), frames: Vec::new() });
            continue;
        }
        found.extend(images.into_iter().map(|(instance, frames)| Reference {
            series: uid.clone(),
            instance,
            frames,
        }));
    }
    found
}

fn targets(item: Item<'_>) -> Targets {
    let images = item.items(Tag(0x0008, 0x1140)).filter_map(|image| {
        let frames = image.numbers(Tag(0x0008, 0x1160)).into_iter().filter(|frame| *frame >= 1.0);
        let frames = frames.map(whole).collect();
        Some((image.text(Tag(0x0008, 0x1155))?, frames))
    });
    Targets(images.collect())
}

fn rescale(item: Item<'_>) -> Option<(f64, f64)> {
    let slope = item.number(Tag(0x0028, 0x1053));
    let intercept = item.number(Tag(0x0028, 0x1052));
    match (slope, intercept) {
        (None, None) | (Some(0.0), _) => None,
        (slope, intercept) => Some((slope.unwrap_or(1.0), intercept.unwrap_or(0.0))),
    }
}

fn voi(item: Item<'_>) -> Voi {
    let center = item.number(Tag(0x0028, 0x1050));
    let width = item.number(Tag(0x0028, 0x1051)).filter(|width| *width > 0.0);
    Voi {
        window: center.zip(width),
        function: match item.text(Tag(0x0028, 0x1056)).as_deref() {
            Some("LINEAR_EXACT") => Some(WindowFunction::LinearExact),
            Some("SIGMOID") => Some(WindowFunction::Sigmoid),
            _ => None,
        },
        lut: item.first(Tag(0x0028, 0x3010)).map_or(LutState::Absent, table),
    }
}

/// LUT Descriptor and LUT Data (PS3.3 §C.11.1.1.1).
fn table(item: Item<'_>) -> LutState {
    let descriptor = item.numbers(Tag(0x0028, 0x3002));
    let [count, first, bits] = descriptor.as_slice() else { return LutState::Unusable };
    let count = if *count < 1.0 { 65_536 } else { whole(*count) };
    let mut entries = item.table(Tag(0x0028, 0x3006));
    entries.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    let Some(largest) = entries.iter().copied().max() else { return LutState::Unusable };
    let needed = u16::try_from(u16::BITS - largest.leading_zeros()).unwrap_or(16);
    let bits = u16::try_from(whole(*bits)).unwrap_or(16).clamp(8, 16).max(needed);
    LutState::Read(Lut { first: signed(*first), bits, entries })
}

/// The group of the plane that is a shutter of shape BITMAP (PS3.3 §C.7.6.15).
fn shutter_group(state: Item<'_>) -> Option<u16> {
    let bitmap = state.texts(Tag(0x0018, 0x1600)).iter().any(|shape| shape == "BITMAP");
    let group = state.whole(Tag(0x0018, 0x1623)).filter(|_| bitmap)?;
    u16::try_from(group).ok()
}

fn shutters(state: Item<'_>) -> Vec<Shutter> {
    let number = |element| state.number(Tag(0x0018, element));
    let mut shutters = Vec::new();
    for shape in state.texts(Tag(0x0018, 0x1600)) {
        let shutter = match shape.as_str() {
            "RECTANGULAR" => rectangle([0x1602, 0x1606, 0x1604, 0x1608].map(number)),
            "CIRCULAR" => match (state.numbers(Tag(0x0018, 0x1610)).as_slice(), number(0x1612)) {
                // Row\Column, from 1, of the pixel in the middle.
                ([row, column], Some(radius)) => {
                    Some(Shutter::Circle { center: (column - 0.5, row - 0.5), radius })
                }
                _ => None,
            },
            "POLYGONAL" => {
                let places = state.numbers(Tag(0x0018, 0x1620));
                let (pairs, _) = places.as_chunks::<2>();
                let corner = |[row, column]: &[f64; 2]| (column - 0.5, row - 0.5);
                let corners: Vec<Point> = pairs.iter().take(MAX_POINTS).map(corner).collect();
                (corners.len() > 2).then_some(Shutter::Polygon(corners))
            }
            _ => None,
        };
        shutters.extend(shutter);
    }
    shutters
}

/// Edges are the first columns and rows that are not shown (PS3.3 §C.7.6.11), from 1.
fn rectangle([left, top, right, bottom]: [Option<f64>; 4]) -> Option<Shutter> {
    let (left, top, right, bottom) = (left?, top?, right?, bottom?);
    Some(Shutter::Rectangle { left, top, right: right - 1.0, bottom: bottom - 1.0 })
}

fn area(item: Item<'_>) -> Option<Area> {
    let corner = |tag| item.numbers(tag).first_chunk::<2>().copied();
    let [x1, y1] = corner(Tag(0x0070, 0x0052))?;
    let [x2, y2] = corner(Tag(0x0070, 0x0053))?;
    let edge = |value: f64| value.clamp(-FAR, 2.0 * FAR);
    // Corners are after turning: in the image's own pixels they may be any two opposite ones.
    let (left, right) = (edge(x1.min(x2) - 1.0), edge(x1.max(x2)));
    let (top, bottom) = (edge(y1.min(y2) - 1.0), edge(y1.max(y2)));
    if !(left < right && top < bottom) {
        return None;
    }
    let ratio = |tag| {
        let [tall, wide] = item.numbers(tag).first_chunk::<2>().copied()?;
        let ratio = tall / wide;
        (tall > 0.0 && wide > 0.0 && (0.05..=20.0).contains(&ratio)).then_some(ratio)
    };
    let magnify = is(item, Tag(0x0070, 0x0100), "MAGNIFY");
    let magnification = item.number(Tag(0x0070, 0x0103)).filter(|by| *by > 0.0 && magnify);
    let tallness = ratio(Tag(0x0070, 0x0101)).or_else(|| ratio(Tag(0x0070, 0x0102)));
    Some(Area { left, top, right, bottom, magnification, tallness })
}

fn draw_all(found: &mut Presentation, annotation: Item<'_>, layers: &[Layer]) {
    let targets = targets(annotation);
    let name = annotation.text(Tag(0x0070, 0x0002)).unwrap_or_default();
    let layer = layers.iter().find(|layer| layer.name == name);
    let (order, color) = layer.map_or((0, [255; 3]), |layer| (layer.order, layer.color));
    let graphics = annotation.items(Tag(0x0070, 0x0009)).filter_map(graphic);
    let texts = annotation.items(Tag(0x0070, 0x0008)).filter_map(text);
    for shape in graphics.chain(texts) {
        if found.drawings.len() < MAX_DRAWINGS {
            found.drawings.push((targets.clone(), Drawing { order, color, shape }));
        }
    }
}

fn graphic(item: Item<'_>) -> Option<Shape> {
    let kind = match item.text(Tag(0x0070, 0x0023))?.as_str() {
        "POINT" => GraphicKind::Points,
        "POLYLINE" => GraphicKind::Line,
        "INTERPOLATED" => GraphicKind::Curve,
        "CIRCLE" => GraphicKind::Circle,
        "ELLIPSE" => GraphicKind::Ellipse,
        _ => return None,
    };
    let data = item.numbers(Tag(0x0070, 0x0022));
    let (pairs, _) = data.as_chunks::<2>();
    let points: Vec<Point> = pairs.iter().take(MAX_POINTS).map(|[x, y]| (*x, *y)).collect();
    let enough = match kind {
        GraphicKind::Points => 1,
        GraphicKind::Line | GraphicKind::Curve | GraphicKind::Circle => 2,
        GraphicKind::Ellipse => 4,
    };
    let units = units(item, Tag(0x0070, 0x0005));
    let filled = is(item, Tag(0x0070, 0x0024), "Y");
    (points.len() >= enough).then_some(Shape::Graphic { kind, points, units, filled })
}

fn text(item: Item<'_>) -> Option<Shape> {
    let point = |tag| item.numbers(tag).first_chunk::<2>().map(|[x, y]| (*x, *y));
    let corners = point(Tag(0x0070, 0x0010)).zip(point(Tag(0x0070, 0x0011)));
    let box_units = units(item, Tag(0x0070, 0x0003));
    let anchor_units = units(item, Tag(0x0070, 0x0004));
    let visible = is(item, Tag(0x0070, 0x0015), "Y");
    let at = Anchor {
        bounds: corners.map(|(from, to)| (box_units, from, to)),
        point: point(Tag(0x0070, 0x0014)).map(|point| (anchor_units, point, visible)),
    };
    let align = match item.text(Tag(0x0070, 0x0012)).as_deref() {
        Some("RIGHT") => Align::Right,
        Some("CENTER") => Align::Center,
        _ => Align::Left,
    };
    let text = item.text(Tag(0x0070, 0x0006))?;
    (at.bounds.is_some() || at.point.is_some()).then_some(Shape::Text { text, at, align })
}

fn units(item: Item<'_>, tag: Tag) -> Units {
    if is(item, tag, "DISPLAY") { Units::Display } else { Units::Pixel }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of u32 before"
)]
fn whole(number: f64) -> u32 {
    number.clamp(0.0, f64::from(u32::MAX)) as u32
}

#[expect(clippy::cast_possible_truncation, reason = "US or SS: 16 bits")]
fn signed(number: f64) -> i64 {
    number as i64
}
