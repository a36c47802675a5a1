//! Lines and areas in pictures: white with a dark edge, so that they show on any ground.
//!
//! Work is bounded: a [`Pen`] has so much ink, and what is drawn after it is used up is left out.

use crate::imaging::encode::Raster;

/// A place in a picture, in pixels from its top left corner.
pub type Point = (f64, f64);

/// Pixels one pen may touch: a few pictures' worth.
const INK: u64 = 50_000_000;

/// Points a curve is broken into between two of its own.
const STEPS: u32 = 12;

/// Draws strokes of one width.
#[derive(Debug)]
pub struct Pen {
    /// Half the width of a stroke, in pixels.
    half: f64,
    left: u64,
}

impl Pen {
    /// A pen that suits a picture of that size.
    pub fn of(raster: &Raster) -> Self {
        let shorter = f64::from(raster.width.min(raster.height));
        Self { half: (shorter / 700.0).clamp(0.6, 6.0), left: INK }
    }

    /// A line through all points, in a colour, with its dark edge.
    pub fn line(&mut self, raster: &mut Raster, points: &[Point], color: [u8; 3]) {
        for (half, color) in [(self.half + 1.0, [0; 3]), (self.half, color)] {
            for pair in points.windows(2) {
                if let [from, to] = pair {
                    self.segment(raster, *from, *to, half, color);
                }
            }
        }
    }

    /// A cross at a point.
    pub fn cross(&mut self, raster: &mut Raster, (x, y): Point, color: [u8; 3]) {
        let arm = self.half * 6.0;
        self.line(raster, &[(x - arm, y), (x + arm, y)], color);
        self.line(raster, &[(x, y - arm), (x, y + arm)], color);
    }

    /// Fills the area within a closed line, where it crosses itself by turns.
    pub fn fill(&mut self, raster: &mut Raster, points: &[Point], color: [u8; 3]) {
        for y in 0..raster.height {
            // Looking for crossings takes ink too.
            self.left = self.left.saturating_sub(points.len() as u64);
            if self.left == 0 {
                return;
            }
            for (from, to) in crossings(points, f64::from(y) + 0.5) {
                let (from, to) = clipped(from, to, raster.width);
                for x in from..to {
                    if self.spend() {
                        raster.set(x, y, color);
                    }
                }
            }
        }
    }

    /// A stroke between two points: along its longer axis, pixel by pixel.
    fn segment(&mut self, raster: &mut Raster, from: Point, to: Point, half: f64, color: [u8; 3]) {
        if !self.spend() {
            return;
        }
        let Some((from, to)) = within(from, to, raster, half + 2.0) else { return };
        let (across, down) = (to.0 - from.0, to.1 - from.1);
        let length = across.hypot(down);
        let steep = down.abs() > across.abs();
        let slope = if length > 0.0 { across.abs().max(down.abs()) / length } else { 1.0 };
        // How far the stroke reaches along the shorter axis.
        let reach = (half + 1.0) / slope.max(0.5);
        let (start, end) = if steep { (from.1, to.1) } else { (from.0, to.0) };
        let (first, last) = (start.min(end) - half - 1.0, start.max(end) + half + 1.0);
        let mut step = first.floor();
        while step <= last {
            let part =
                if (end - start).abs() > 1e-9 { (step + 0.5 - start) / (end - start) } else { 0.0 };
            let part = part.clamp(0.0, 1.0);
            let middle = if steep { from.0 + across * part } else { from.1 + down * part };
            let mut side = (middle - reach).floor();
            while side <= middle + reach {
                if !self.spend() {
                    return;
                }
                let (x, y) = if steep { (side, step) } else { (step, side) };
                let apart = distance((x + 0.5, y + 0.5), from, to);
                let cover = (half + 0.5 - apart).clamp(0.0, 1.0);
                if cover > 0.0 && x >= 0.0 && y >= 0.0 {
                    raster.mix(pixel(x), pixel(y), color, narrow(cover));
                }
                side += 1.0;
            }
            step += 1.0;
        }
    }

    fn spend(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left > 0
    }
}

/// The circle around a center through another point.
pub fn circle(center: Point, through: Point) -> Vec<Point> {
    let radius = (through.0 - center.0).hypot(through.1 - center.1);
    ellipse([
        (center.0 - radius, center.1),
        (center.0 + radius, center.1),
        (center.0, center.1 - radius),
        (center.0, center.1 + radius),
    ])
}

/// The ellipse with these ends of its major and minor axis.
pub fn ellipse([major_from, major_to, minor_from, minor_to]: [Point; 4]) -> Vec<Point> {
    let center = (major_from.0.midpoint(major_to.0), major_from.1.midpoint(major_to.1));
    let major = (major_to.0 - center.0, major_to.1 - center.1);
    let minor = ((minor_to.0 - minor_from.0) / 2.0, (minor_to.1 - minor_from.1) / 2.0);
    let around = (0..=96).map(|step| f64::from(step) * std::f64::consts::TAU / 96.0);
    let place = |angle: f64| {
        let (sin, cos) = angle.sin_cos();
        (center.0 + major.0 * cos + minor.0 * sin, center.1 + major.1 * cos + minor.1 * sin)
    };
    around.map(place).collect()
}

/// A smooth line through all points (Catmull and Rom's spline).
pub fn smooth(points: &[Point]) -> Vec<Point> {
    let mut line = Vec::new();
    let at = |index: usize| points.get(index.min(points.len().saturating_sub(1))).copied();
    for index in 0..points.len().saturating_sub(1) {
        let (Some(before), Some(from), Some(to), Some(after)) =
            (at(index.saturating_sub(1)), at(index), at(index + 1), at(index + 2))
        else {
            continue;
        };
        for step in 0..STEPS {
            let t = f64::from(step) / f64::from(STEPS);
            let blend = |a: f64, b: f64, c: f64, d: f64| {
                let (t2, t3) = (t * t, t * t * t);
                0.5 * (2.0 * b
                    + (c - a) * t
                    + (2.0 * a - 5.0 * b + 4.0 * c - d) * t2
                    + (3.0 * b - a - 3.0 * c + d) * t3)
            };
            line.push((
                blend(before.0, from.0, to.0, after.0),
                blend(before.1, from.1, to.1, after.1),
            ));
        }
    }
    line.extend(points.last());
    line
}

/// Where a horizontal line enters and leaves an area.
pub(in crate::imaging) fn crossings(points: &[Point], y: f64) -> Vec<(f64, f64)> {
    let closing = points.last().into_iter().chain(points);
    let mut places: Vec<f64> = closing
        .zip(points)
        .filter(|(from, to)| (from.1 <= y) != (to.1 <= y))
        .map(|(from, to)| from.0 + (y - from.1) / (to.1 - from.1) * (to.0 - from.0))
        .collect();
    places.sort_by(f64::total_cmp);
    places.as_chunks::<2>().0.iter().map(|[from, to]| (*from, *to)).collect()
}

fn clipped(from: f64, to: f64, width: u32) -> (u32, u32) {
    let edge = f64::from(width);
    (pixel(from.round().clamp(0.0, edge)), pixel(to.round().clamp(0.0, edge)))
}

/// The part of a segment that can touch the picture; `None` when none does.
fn within(from: Point, to: Point, raster: &Raster, margin: f64) -> Option<(Point, Point)> {
    let (right, bottom) = (f64::from(raster.width) + margin, f64::from(raster.height) + margin);
    let (across, down) = (to.0 - from.0, to.1 - from.1);
    let (mut begin, mut end) = (0.0_f64, 1.0_f64);
    // Liang and Barsky: each edge cuts off a part of the segment.
    for (toward, room) in [
        (-across, from.0 + margin),
        (across, right - from.0),
        (-down, from.1 + margin),
        (down, bottom - from.1),
    ] {
        if toward.abs() < 1e-12 {
            if room < 0.0 {
                return None;
            }
        } else if toward < 0.0 {
            begin = begin.max(room / toward);
        } else {
            end = end.min(room / toward);
        }
    }
    let at = |part: f64| (from.0 + across * part, from.1 + down * part);
    (begin <= end).then(|| (at(begin), at(end)))
}

fn distance(point: Point, from: Point, to: Point) -> f64 {
    let (across, down) = (to.0 - from.0, to.1 - from.1);
    let length = across * across + down * down;
    let along = (point.0 - from.0) * across + (point.1 - from.1) * down;
    let part = if length > 0.0 { (along / length).clamp(0.0, 1.0) } else { 0.0 };
    (point.0 - from.0 - across * part).hypot(point.1 - from.1 - down * part)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not below zero")]
fn pixel(place: f64) -> u32 {
    place as u32
}

#[expect(clippy::cast_possible_truncation, reason = "between 0 and 1")]
fn narrow(part: f64) -> f32 {
    part as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Pen, circle, smooth};
    use crate::imaging::encode::Raster;

    fn grey(level: u8) -> Raster {
        Raster { width: 40, height: 20, channels: 1, data: vec![level; 800] }
    }

    fn level(raster: &Raster, x: usize, y: usize) -> u8 {
        raster.data[y * 40 + x]
    }

    #[test]
    fn a_line_is_white_with_a_dark_edge_on_any_ground() {
        for ground in [0, 128, 255] {
            let mut raster = grey(ground);
            Pen::of(&raster).line(&mut raster, &[(5.0, 10.5), (35.0, 10.5)], [255; 3]);
            assert_eq!(level(&raster, 20, 10), 255, "on {ground}");
            assert!(level(&raster, 20, 9) < 30 && level(&raster, 20, 11) < 30, "edge on {ground}");
            assert_eq!(level(&raster, 20, 14), ground, "elsewhere");
        }
    }

    #[test]
    fn areas_are_filled_inside_and_only_there() {
        let mut raster = grey(0);
        let square = [(5.0, 5.0), (15.0, 5.0), (15.0, 15.0), (5.0, 15.0)];
        Pen::of(&raster).fill(&mut raster, &square, [200; 3]);
        let lit: u32 = raster.data.iter().map(|level| u32::from(*level == 200)).sum();
        assert_eq!(lit, 100);
        assert_eq!(
            (level(&raster, 5, 5), level(&raster, 14, 14), level(&raster, 15, 15)),
            (200, 200, 0)
        );
    }

    #[test]
    fn circles_are_round_and_curves_pass_through_their_points() {
        for (x, y) in circle((10.0, 10.0), (13.0, 14.0)) {
            assert!(((x - 10.0).hypot(y - 10.0) - 5.0).abs() < 1e-9);
        }
        let points = [(0.0, 0.0), (10.0, 5.0), (20.0, 0.0)];
        let line = smooth(&points);
        for point in points {
            assert!(line.contains(&point));
        }
        assert!(smooth(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn no_points_panic_or_take_long(
            points in proptest::collection::vec((-1e9_f64..1e9, -1e9_f64..1e9), 0..20),
        ) {
            let mut raster = grey(3);
            let mut pen = Pen::of(&raster);
            pen.line(&mut raster, &smooth(&points), [255; 3]);
            pen.fill(&mut raster, &points, [255; 3]);
            prop_assert_eq!(raster.data.len(), 800);
        }
    }
}
