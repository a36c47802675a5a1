//! Graphics and texts of a presentation state (PS3.3 §C.10.5), drawn in the finished picture.

use crate::imaging::encode::Raster;
use crate::imaging::lettering::{fitted, line_height, width, write};
use crate::imaging::presentation::{Align, Anchor, Drawing, GraphicKind, Shape, Units};
use crate::imaging::shapes::{Pen, Point, circle, ellipse, smooth};
use crate::imaging::view::Rect;

/// Lines of text written for one state.
const MAX_TEXT_LINES: usize = 300;

/// Where the image's pixels come to lie in the picture.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::imaging::presentation) struct Canvas {
    /// The part of the image shown.
    pub(in crate::imaging::presentation) rect: Rect,
    /// Quarters turned clockwise.
    pub(in crate::imaging::presentation) quarters: u8,
    /// Left and right exchanged, after turning.
    pub(in crate::imaging::presentation) flip: bool,
    /// Pixels across, after turning.
    pub(in crate::imaging::presentation) width: u32,
    /// Pixels down, after turning.
    pub(in crate::imaging::presentation) height: u32,
}

impl Canvas {
    /// A place of the image, or of the area shown, in the picture.
    fn place(&self, units: Units, (x, y): Point) -> Point {
        let (across, down) = match units {
            // Parts of what is seen: already turned.
            Units::Display => (x, y),
            Units::Pixel => {
                let x = (x - self.rect.left) / self.rect.width;
                let y = (y - self.rect.top) / self.rect.height;
                let (x, y) = match self.quarters {
                    1 => (1.0 - y, x),
                    2 => (1.0 - x, 1.0 - y),
                    3 => (y, 1.0 - x),
                    _ => (x, y),
                };
                (if self.flip { 1.0 - x } else { x }, y)
            }
        };
        (across * f64::from(self.width), down * f64::from(self.height))
    }
}

/// Draws everything, lower layers first.
pub(in crate::imaging::presentation) fn draw_graphics(
    raster: &mut Raster,
    canvas: &Canvas,
    drawings: &[Drawing],
) {
    let mut pen = Pen::of(raster);
    let mut lines_left = MAX_TEXT_LINES;
    for drawing in drawings {
        let color = drawing.color;
        match &drawing.shape {
            Shape::Graphic { kind, points, units, filled } => {
                let points: Vec<Point> =
                    points.iter().map(|point| canvas.place(*units, *point)).collect();
                graphic(raster, &mut pen, *kind, &points, *filled, color);
            }
            Shape::Text { text, at, align } => {
                let lines: Vec<&str> = text.lines().map(str::trim_end).take(lines_left).collect();
                lines_left -= lines.len();
                write_text(raster, &mut pen, canvas, (&lines, at, *align), color);
            }
        }
    }
}

fn graphic(
    raster: &mut Raster,
    pen: &mut Pen,
    kind: GraphicKind,
    points: &[Point],
    filled: bool,
    color: [u8; 3],
) {
    let outline = match (kind, points) {
        (GraphicKind::Points, points) => {
            for point in points {
                pen.cross(raster, *point, color);
            }
            return;
        }
        (GraphicKind::Curve, points) => smooth(points),
        (GraphicKind::Circle, [center, through, ..]) => circle(*center, *through),
        (GraphicKind::Ellipse, [a, b, c, d, ..]) => ellipse([*a, *b, *c, *d]),
        (_, points) => points.to_vec(),
    };
    if filled {
        pen.fill(raster, &outline, color);
    }
    pen.line(raster, &outline, color);
}

fn write_text(
    raster: &mut Raster,
    pen: &mut Pen,
    canvas: &Canvas,
    (lines, at, align): (&[&str], &Anchor, Align),
    color: [u8; 3],
) {
    let px = narrow(f64::from(raster.width.min(raster.height)) / 30.0).clamp(12.0, 48.0);
    let anchor = at.point.map(|(units, point, visible)| (canvas.place(units, point), visible));
    let longest = lines.iter().map(|line| width(line, px)).fold(0.0_f32, f32::max);
    let (left, top, room) = match (&at.bounds, anchor) {
        (Some((units, from, to)), _) => {
            let (from, to) = (canvas.place(*units, *from), canvas.place(*units, *to));
            let room = narrow((to.0 - from.0).abs()).max(longest);
            (narrow(from.0.min(to.0)), narrow(from.1.min(to.1)), room)
        }
        (None, Some(((x, y), _))) => (narrow(x) + px * 0.4, narrow(y) - px * 0.6, longest),
        (None, None) => return,
    };
    // A text at the edge moves in, so that all of it can be read.
    let edge = narrow(f64::from(raster.width)) - 2.0;
    let left = left.min(edge - longest).max(2.0);
    if let (Some((point, true)), Some(_)) = (anchor, &at.bounds) {
        let from = (f64::from(left), f64::from(top + line_height(px) / 2.0));
        pen.line(raster, &[from, point], color);
    }
    for (number, line) in (0_u16..).zip(lines) {
        let line = fitted(line, px, edge - left);
        let spare = (room.min(edge - left) - width(&line, px)).max(0.0);
        let shift = match align {
            Align::Left => 0.0,
            Align::Center => spare / 2.0,
            Align::Right => spare,
        };
        let y = top + f32::from(number) * line_height(px);
        write(raster, &line, (left + shift, y), px, color);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a place in a picture")]
fn narrow(place: f64) -> f32 {
    place as f32
}
