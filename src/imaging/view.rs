//! Which part of a picture is shown, how large and which way round (PS3.18 §8.3.5.1.3, §9.5.1.2.5).

use crate::imaging::error::ImagingError;

/// How much of a picture, how large, and which way round; the default is all of it, as it is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct View {
    /// How large.
    pub fit: Fit,
    /// The part shown; `None`: all of it.
    pub region: Option<Region>,
    /// Left and right change places.
    pub flip_across: bool,
    /// Top and bottom change places.
    pub flip_down: bool,
}

/// How large a picture is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fit {
    /// One pixel for each of the source, whatever shape those have.
    #[default]
    AsIs,
    /// As large as fits, shape kept.
    Within {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// So many pixels across, shape kept.
    Across(u32),
    /// So many pixels down, shape kept.
    Down(u32),
}

/// A part of the source image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Region {
    /// In pixels, from the top left corner of the source.
    Pixels {
        /// Left edge.
        left: f64,
        /// Top edge.
        top: f64,
        /// Width; `None`: to the right edge of the source.
        width: Option<f64>,
        /// Height; `None`: to the bottom of the source.
        height: Option<f64>,
    },
    /// In parts of the source's width and height, each from 0 to 1.
    Parts {
        /// Left edge.
        left: f64,
        /// Top edge.
        top: f64,
        /// Right edge.
        right: f64,
        /// Bottom edge.
        bottom: f64,
    },
}

/// A rectangle in source pixels; it may reach over the edges of the source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub left: f64,
    /// Top edge.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// Most pixels a picture has on either edge.
pub const MAX_EDGE_PX: u32 = 16_384;

impl View {
    /// A view that fits into so many pixels.
    pub fn within(width: u32, height: u32) -> Self {
        Self { fit: Fit::Within { width, height }, ..Self::default() }
    }

    /// The part of a source of that size that is shown. A region over an edge is cut there; one
    /// with nothing of the source in it is an error.
    pub fn rect(&self, source: (u32, u32)) -> Result<Rect, ImagingError> {
        let (across, down) = (f64::from(source.0), f64::from(source.1));
        let (left, top, right, bottom) = match self.region {
            None => (0.0, 0.0, across, down),
            Some(Region::Pixels { left, top, width, height }) => {
                let right = width.map_or(across, |width| left + width);
                (left, top, right, height.map_or(down, |height| top + height))
            }
            Some(Region::Parts { left, top, right, bottom }) => {
                (left * across, top * down, right * across, bottom * down)
            }
        };
        let (mut left, mut top) = (left.max(0.0), top.max(0.0));
        let (mut right, mut bottom) = (right.min(across), bottom.min(down));
        if !(left < right && top < bottom) {
            return Err(ImagingError::OutsidePicture { width: source.0, height: source.1 });
        }
        if self.fit == Fit::AsIs {
            // Whole pixels, each as it is.
            (left, top) = (left.floor(), top.floor());
            (right, bottom) = (right.ceil(), bottom.ceil());
        }
        Ok(Rect { left, top, width: right - left, height: bottom - top })
    }

    /// Size of the picture that shows `rect`, of pixels that are `tallness` times as tall as wide.
    pub fn size(&self, rect: &Rect, tallness: f64) -> (u32, u32) {
        // Pixels that are not square are made so, without losing any where a picture may grow.
        let (width, height) = (rect.width, rect.height * tallness);
        let scale = match self.fit {
            Fit::AsIs => return (whole(rect.width), whole(rect.height)),
            Fit::Within { width: across, height: down } => {
                (f64::from(across) / width).min(f64::from(down) / height)
            }
            Fit::Across(across) => f64::from(across) / width,
            Fit::Down(down) => f64::from(down) / height,
        };
        (whole(width * scale), whole(height * scale))
    }
}

/// Rounded, at least one pixel and no more than [`MAX_EDGE_PX`] or a source has.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 16 bits before"
)]
pub(in crate::imaging) fn whole(size: f64) -> u32 {
    size.round().clamp(1.0, 65_535.0) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Fit, Rect, Region, View};

    fn pixels(left: f64, top: f64, width: Option<f64>, height: Option<f64>) -> Region {
        Region::Pixels { left, top, width, height }
    }

    #[test]
    fn pictures_fill_their_viewport_on_one_edge_and_keep_their_shape() {
        for (source, tallness, fit, size) in [
            ((512, 512), 1.0, Fit::AsIs, (512, 512)),
            ((512, 512), 2.0, Fit::AsIs, (512, 512)),
            ((512, 512), 1.0, Fit::Within { width: 192, height: 192 }, (192, 192)),
            ((2500, 2048), 1.0, Fit::Within { width: 192, height: 192 }, (192, 157)),
            ((100, 50), 1.0, Fit::Within { width: 200, height: 200 }, (200, 100)),
            ((100, 50), 2.0, Fit::Within { width: 200, height: 200 }, (200, 200)),
            ((100, 50), 1.0, Fit::Across(50), (50, 25)),
            ((100, 50), 1.0, Fit::Down(100), (200, 100)),
            ((65_535, 1), 1.0, Fit::Within { width: 10, height: 10 }, (10, 1)),
        ] {
            let view = View { fit, ..View::default() };
            let rect = view.rect(source).unwrap();
            assert_eq!(view.size(&rect, tallness), size, "{source:?} {tallness} {fit:?}");
        }
    }

    #[test]
    fn regions_are_cut_at_the_edges_and_refused_outside() {
        let rect = |fit, region| View { fit, region, ..View::default() }.rect((100, 50));
        let within = Fit::Within { width: 9, height: 9 };
        let expected = Rect { left: 90.0, top: 0.0, width: 10.0, height: 50.0 };
        assert_eq!(rect(within, Some(pixels(90.0, 0.0, Some(30.0), None))), Ok(expected));
        let expected = Rect { left: 1.5, top: 2.5, width: 3.0, height: 4.0 };
        assert_eq!(rect(within, Some(pixels(1.5, 2.5, Some(3.0), Some(4.0)))), Ok(expected));
        let parts = Some(Region::Parts { left: 0.25, top: 0.5, right: 0.5, bottom: 1.0 });
        let expected = Rect { left: 25.0, top: 25.0, width: 25.0, height: 25.0 };
        assert_eq!(rect(Fit::AsIs, parts), Ok(expected));
        assert!(rect(within, Some(pixels(100.0, 0.0, None, None))).is_err());
        assert!(rect(within, Some(pixels(0.0, 0.0, Some(0.0), None))).is_err());
    }

    proptest! {
        #[test]
        fn no_view_is_larger_than_asked(
            source in (1_u32..5000, 1_u32..5000),
            (width, height) in (1_u32..2000, 1_u32..2000),
            tallness in 0.05_f64..20.0,
        ) {
            let view = View::within(width, height);
            let rect = view.rect(source).unwrap();
            let (across, down) = view.size(&rect, tallness);
            prop_assert!(across <= width && down <= height);
            prop_assert!(across == width || down == height);
        }
    }
}
