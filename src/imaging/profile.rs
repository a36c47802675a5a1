//! Colour profiles of pictures (PS3.18 §8.3.5.1.5, PS3.3 §C.11.15).

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use crate::imaging::encode::Raster;
use crate::imaging::error::ImagingError;

/// What is to be done about a picture's colour profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum IccProfile {
    /// Nothing said: the object's own goes along where there is one.
    #[default]
    Unsaid,
    /// None in the picture.
    No,
    /// One in the picture that says what its colours are.
    Yes,
    /// Colours of sRGB, and its profile.
    Srgb,
    /// Colours of Adobe RGB (1998), and its profile.
    AdobeRgb,
    /// Colours of ROMM RGB (ISO 22028-2), and its profile.
    RommRgb,
}

/// Longest profile of an object that is carried along.
pub const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The picture in the colours asked for, and the profile to put into it. `own` is the object's own
/// profile; without one its colours count as sRGB.
pub fn apply(
    raster: Raster,
    own: Option<&[u8]>,
    asked: IccProfile,
) -> Result<(Raster, Option<Vec<u8>>), ImagingError> {
    let target = match asked {
        IccProfile::No => return Ok((raster, None)),
        // A grey picture has no use for a profile of colours.
        IccProfile::Unsaid if raster.channels == 1 => return Ok((raster, None)),
        IccProfile::Unsaid => return Ok((raster, own.map(<[u8]>::to_vec))),
        IccProfile::Yes => match own {
            Some(own) => return Ok((raster.in_color(), Some(own.to_vec()))),
            None => return Ok((raster.in_color(), Some(srgb()?))),
        },
        IccProfile::Srgb => ColorProfile::new_srgb(),
        IccProfile::AdobeRgb => ColorProfile::new_adobe_rgb(),
        IccProfile::RommRgb => ColorProfile::new_pro_photo_rgb(),
    };
    let profile = encoded(&target)?;
    if own.is_none() && asked == IccProfile::Srgb {
        return Ok((raster.in_color(), Some(profile)));
    }
    let source = match own {
        Some(own) => read(own)?,
        None => ColorProfile::new_srgb(),
    };
    let raster = raster.in_color();
    let transform = source
        .create_transform_8bit(Layout::Rgb, &target, Layout::Rgb, TransformOptions::default())
        .map_err(unusable)?;
    let mut data = vec![0; raster.data.len()];
    transform.transform(&raster.data, &mut data).map_err(unusable)?;
    Ok((Raster { data, ..raster }, Some(profile)))
}

fn read(own: &[u8]) -> Result<ColorProfile, ImagingError> {
    let profile = ColorProfile::new_from_slice(own).map_err(unusable)?;
    if profile.color_space == DataColorSpace::Rgb {
        Ok(profile)
    } else {
        Err(unusable("it is not of red, green and blue"))
    }
}

/// The profile of sRGB, the same bytes always.
pub fn srgb() -> Result<Vec<u8>, ImagingError> {
    encoded(&ColorProfile::new_srgb())
}

fn encoded(profile: &ColorProfile) -> Result<Vec<u8>, ImagingError> {
    let mut bytes = profile.encode().map_err(unusable)?;
    // When it was made says nothing, and the same picture is to have the same bytes.
    if let Some(made) = bytes.get_mut(CREATED) {
        made.copy_from_slice(&[0x07, 0xD0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
    }
    Ok(bytes)
}

/// Date and time in a profile's header (ISO 15076-1 §7.2.8): set to the year 2000.
const CREATED: std::ops::Range<usize> = 24..36;

fn unusable(words: impl std::fmt::Display) -> ImagingError {
    ImagingError::Unsupported(format!("its colour profile cannot be used: {words}"))
}

#[cfg(test)]
mod tests {
    use moxcms::ColorProfile;

    use super::{IccProfile, apply};
    use crate::imaging::encode::Raster;

    fn raster(channels: u8, data: &[u8]) -> Raster {
        let width = u32::try_from(data.len()).unwrap() / u32::from(channels);
        Raster { width, height: 1, channels, data: data.to_vec() }
    }

    #[test]
    fn colours_are_turned_into_those_of_the_space_asked_for() {
        let colors = raster(3, &[255, 0, 0, 0, 255, 0, 128, 128, 128, 255, 255, 255, 0, 0, 0]);
        let (same, profile) = apply(colors.clone(), None, IccProfile::Srgb).unwrap();
        assert_eq!(same, colors);
        let profile = profile.unwrap();
        assert!(ColorProfile::new_from_slice(&profile).is_ok());
        assert_eq!(
            profile[24..36],
            [0x07, 0xD0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0],
            "no moment of today"
        );
        let (adobe, _) = apply(colors.clone(), None, IccProfile::AdobeRgb).unwrap();
        // Red and green of sRGB in Adobe RGB (1998): 219,0,0 and 144,255,60; greys stay.
        for (got, wanted) in adobe.data.iter().zip([219, 0, 0, 144, 255, 60, 128, 128, 128, 255]) {
            assert!(got.abs_diff(wanted) <= 2, "{:?}", adobe.data);
        }
        let own = ColorProfile::new_adobe_rgb().encode().unwrap();
        let (back, _) = apply(adobe, Some(&own), IccProfile::Srgb).unwrap();
        for (got, wanted) in back.data.iter().zip(&colors.data) {
            assert!(got.abs_diff(*wanted) <= 3, "{:?}", back.data);
        }
    }

    #[test]
    fn the_objects_own_profile_goes_along_unless_refused() {
        let colors = raster(3, &[1, 2, 3]);
        let carried = |asked| apply(colors.clone(), Some(b"own"), asked).unwrap().1;
        assert_eq!(carried(IccProfile::Unsaid).as_deref(), Some(&b"own"[..]));
        assert_eq!(carried(IccProfile::Yes).as_deref(), Some(&b"own"[..]));
        assert_eq!(carried(IccProfile::No), None);
        assert!(apply(colors.clone(), Some(b"no profile"), IccProfile::Srgb).is_err());
        let grey = raster(1, &[7]);
        assert_eq!(apply(grey.clone(), None, IccProfile::Unsaid).unwrap(), (grey.clone(), None));
        let (drawn, profile) = apply(grey, None, IccProfile::Yes).unwrap();
        assert_eq!(drawn.data, [7, 7, 7]);
        assert!(profile.is_some());
    }
}
