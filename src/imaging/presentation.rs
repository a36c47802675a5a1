//! Softcopy presentation states (PS3.3 §A.33, PS3.4 §N.2): how somebody wanted a picture to be seen.
//!
//! A grayscale state takes the place of the image's own modality, VOI and presentation LUTs; a
//! color state leaves colours alone. Both say which part is shown, turned how, behind which shutter
//! and with what drawn over it; a grayscale state also which mask is subtracted (PS3.3 §C.11.13).

pub mod draw;
mod graphics;
pub mod parse;
#[cfg(test)]
mod tests;

use crate::imaging::error::ImagingError;
use crate::imaging::overlay::Overlay;
use crate::imaging::pixels::{Lut, LutState};
use crate::imaging::render::WindowFunction;
use crate::imaging::shapes::Point;
use crate::imaging::subtraction::{Masks, Operands};

/// Grayscale Softcopy Presentation State Storage.
pub const GRAYSCALE: &str = "1.2.840.10008.5.1.4.1.1.11.1";
/// Color Softcopy Presentation State Storage.
pub const COLOR: &str = "1.2.840.10008.5.1.4.1.1.11.2";

/// Whether instances of a SOP class are presentation states of any kind.
pub fn is_presentation(sop_class: &str) -> bool {
    sop_class.strip_prefix("1.2.840.10008.5.1.4.1.1.11.").is_some()
}

/// A presentation state as it was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Presentation {
    /// Images it is of, in its order.
    pub references: Vec<Reference>,
    /// It says what grey values mean.
    grey: bool,
    rescale: Option<(f64, f64)>,
    modality_lut: LutState,
    voi: Vec<(Targets, Voi)>,
    inverse: bool,
    /// Presentation LUT Sequence (2050,0010).
    output_lut: Option<Lut>,
    shutters: Vec<Shutter>,
    /// Group of the plane whose bits are a shutter (PS3.3 §C.7.6.15).
    shutter_group: Option<u16>,
    /// Level behind the shutter.
    shutter_level: u8,
    /// Quarters turned clockwise.
    quarters: u8,
    /// Left and right exchanged, after turning.
    flip: bool,
    areas: Vec<(Targets, Area)>,
    drawings: Vec<(Targets, Drawing)>,
    /// Planes of its own that a layer shows, or that are its shutter.
    overlays: Vec<Overlay>,
    /// Groups of planes, its own or the images', that a layer shows.
    shown_groups: Vec<u16>,
    profile: Option<Vec<u8>>,
    /// Mask module; of the images' own nothing counts.
    masks: Masks,
}

/// An image a presentation state is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Series Instance UID.
    pub series: String,
    /// Referenced SOP Instance UID; empty: every image of the series.
    pub instance: String,
    /// Frames, from 1; none: all.
    pub frames: Vec<u32>,
}

/// Images a part of a state is for; none: all that it is of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Targets(Vec<(String, Vec<u32>)>);

/// Which modality values are shown.
#[derive(Debug, Clone, PartialEq)]
struct Voi {
    window: Option<(f64, f64)>,
    function: Option<WindowFunction>,
    lut: LutState,
}

/// What hides the rest of a picture, in its own pixels, from 0.
#[derive(Debug, Clone, PartialEq)]
enum Shutter {
    Rectangle { left: f64, top: f64, right: f64, bottom: f64 },
    Circle { center: Point, radius: f64 },
    Polygon(Vec<Point>),
}

/// The part shown (PS3.3 §C.10.4).
#[derive(Debug, Clone, PartialEq)]
struct Area {
    /// In pixels from 0, edges.
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    /// MAGNIFY: so many target pixels for each of the source.
    magnification: Option<f64>,
    /// How tall a pixel is by its width, when the state says.
    tallness: Option<f64>,
}

/// Something drawn over the picture.
#[derive(Debug, Clone, PartialEq)]
struct Drawing {
    /// Layers of lower order lie below.
    order: i64,
    color: [u8; 3],
    shape: Shape,
}

#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Graphic { kind: GraphicKind, points: Vec<Point>, units: Units, filled: bool },
    Text { text: String, at: Anchor, align: Align },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GraphicKind {
    Points,
    Line,
    Curve,
    Circle,
    Ellipse,
}

/// What coordinates count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Units {
    /// Pixels of the image.
    Pixel,
    /// Parts of the area shown.
    Display,
}

/// Where a text stands.
#[derive(Debug, Clone, PartialEq)]
struct Anchor {
    /// Bounding box: top left and bottom right.
    bounds: Option<(Units, Point, Point)>,
    /// The point it is about, and whether a line leads there.
    point: Option<(Units, Point, bool)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Center,
    Right,
}

/// What a state says of one frame of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Presented {
    grey: bool,
    rescale: Option<(f64, f64)>,
    modality_lut: LutState,
    voi: Option<Voi>,
    inverse: bool,
    output_lut: Option<Lut>,
    shutters: Vec<Shutter>,
    shutter_group: Option<u16>,
    shutter_level: u8,
    quarters: u8,
    flip: bool,
    area: Option<Area>,
    drawings: Vec<Drawing>,
    overlays: Vec<Overlay>,
    shown_groups: Vec<u16>,
}

impl Targets {
    fn hold(&self, instance: &str, frame: u32) -> bool {
        self.0.is_empty()
            || self.0.iter().any(|(known, frames)| {
                known == instance && (frames.is_empty() || frames.contains(&frame))
            })
    }
}

impl Presentation {
    /// What it says of frame `frame` (from 1) of an image.
    pub fn of(&self, instance: &str, frame: u32) -> Presented {
        let mut drawings: Vec<Drawing> = self
            .drawings
            .iter()
            .filter(|(targets, _)| targets.hold(instance, frame))
            .map(|(_, drawing)| drawing.clone())
            .collect();
        drawings.sort_by_key(|drawing| drawing.order);
        Presented {
            grey: self.grey,
            rescale: self.rescale,
            modality_lut: self.modality_lut.clone(),
            voi: chosen(&self.voi, instance, frame),
            inverse: self.inverse,
            output_lut: self.output_lut.clone(),
            shutters: self.shutters.clone(),
            shutter_group: self.shutter_group,
            shutter_level: self.shutter_level,
            quarters: self.quarters,
            flip: self.flip,
            area: chosen(&self.areas, instance, frame),
            drawings,
            overlays: self.overlays.clone(),
            shown_groups: self.shown_groups.clone(),
        }
    }

    /// Of which of an image's `frames` frame `frame` (from 1) is made: its mask is for the frames it
    /// is of.
    pub fn operands(
        &self,
        instance: &str,
        frame: u32,
        frames: u32,
    ) -> Result<Option<Operands>, ImagingError> {
        let of_frame = |known: &Reference| {
            (known.instance.is_empty() || known.instance == instance)
                && (known.frames.is_empty() || known.frames.contains(&frame))
        };
        if !self.grey || !self.references.iter().any(of_frame) {
            return Ok(None);
        }
        self.masks.operands(frame, frames)
    }

    /// The colour profile it wants its pictures to have.
    pub fn profile(&self) -> Option<&[u8]> {
        self.profile.as_deref()
    }

    /// Planes of its own that are drawn, whose bits may still have to be read.
    pub fn planes(&mut self) -> &mut [Overlay] {
        &mut self.overlays
    }

    /// Whether it is about this image.
    pub fn is_of(&self, instance: &str) -> bool {
        self.references.iter().any(|known| known.instance.is_empty() || known.instance == instance)
    }
}

fn chosen<T: Clone>(rules: &[(Targets, T)], instance: &str, frame: u32) -> Option<T> {
    rules.iter().find(|(targets, _)| targets.hold(instance, frame)).map(|(_, rule)| rule.clone())
}
