//! Pictures made smaller: area averages, aspect kept, never enlarged.

use image::DynamicImage;
use image::GrayImage;
use image::RgbImage;
use image::imageops::FilterType;

use crate::imaging::error::ImagingError;

/// An 8-bit picture, grey or RGB, as an image.
pub fn image(
    width: usize,
    height: usize,
    is_grey: bool,
    bytes: Vec<u8>,
) -> Result<DynamicImage, ImagingError> {
    let wrong = || ImagingError::Damaged("fewer samples than pixels".to_owned());
    let width = u32::try_from(width).map_err(|_| wrong())?;
    let height = u32::try_from(height).map_err(|_| wrong())?;
    if is_grey {
        GrayImage::from_raw(width, height, bytes).map(Into::into).ok_or_else(wrong)
    } else {
        RgbImage::from_raw(width, height, bytes).map(Into::into).ok_or_else(wrong)
    }
}

/// The picture with square pixels that fits into `viewport`.
pub fn fit(picture: DynamicImage, aspect: f64, viewport: Option<(u32, u32)>) -> DynamicImage {
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    // Pixels that are not square: the longer side is kept, the other one made shorter.
    let (true_width, true_height) =
        if aspect >= 1.0 { (width / aspect, height) } else { (width, height * aspect) };
    let (most_width, most_height) = viewport.unwrap_or((picture.width(), picture.height()));
    let shrink =
        (f64::from(most_width) / true_width).min(f64::from(most_height) / true_height).min(1.0);
    let (to_width, to_height) = (side(true_width * shrink), side(true_height * shrink));
    if (to_width, to_height) == (picture.width(), picture.height()) {
        return picture;
    }
    if to_width * 2 <= picture.width() {
        // Much smaller: plain area averages are as good and much faster.
        return picture.thumbnail_exact(to_width, to_height);
    }
    picture.resize_exact(to_width, to_height, FilterType::Triangle)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a side")]
fn side(length: f64) -> u32 {
    length.round().clamp(1.0, 65_535.0) as u32
}

#[cfg(test)]
mod tests {
    use super::{DynamicImage, fit};

    #[test]
    fn pictures_keep_their_aspect_and_are_never_enlarged() {
        for (size, aspect, viewport, expected) in [
            ((100, 50), 1.0, Some((50, 50)), (50, 25)),
            ((100, 50), 1.0, Some((500, 500)), (100, 50)),
            ((100, 100), 2.0, None, (50, 100)),
            ((100, 100), 0.5, None, (100, 50)),
            ((1, 1000), 1.0, Some((10, 10)), (1, 10)),
        ] {
            let picture = fit(DynamicImage::new_luma8(size.0, size.1), aspect, viewport);
            assert_eq!((picture.width(), picture.height()), expected);
        }
    }
}
