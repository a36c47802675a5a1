//! Parameters of rendered resources and thumbnails (PS3.18 §8.3.5).

use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::imaging::render::{Format, RenderRequest, Window, WindowFunction};

/// JPEG quality when the client names none.
const QUALITY: u8 = 90;

/// Largest width and height of a viewport.
const MAX_VIEWPORT_PX: u32 = 16_384;

/// Parameters of a rendered resource, checked; the format is chosen apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendering {
    /// What to draw.
    pub request: RenderRequest,
    /// Values of `annotation` that cannot be followed, for the warning the standard wants.
    pub unsupported_annotations: Vec<String>,
}

/// Reads the parameters of a rendered resource. 400 names the one that is malformed.
pub fn of_rendered(query: &QueryString) -> Result<Rendering, Problem> {
    check_iccprofile(query)?;
    let quality = query.one("quality")?.map_or(Ok(QUALITY), quality)?;
    let viewport = query.one("viewport")?.map(viewport).transpose()?;
    let window = query.one("window")?.map(window).transpose()?;
    let unsupported_annotations = annotations(query)?;
    let request = RenderRequest { format: Format::Jpeg, quality, viewport, window };
    Ok(Rendering { request, unsupported_annotations })
}

/// Reads the viewport of a thumbnail (PS3.18 §8.3.5.2): width and height, nothing else.
pub fn of_thumbnail(query: &QueryString) -> Result<Option<RenderRequest>, Problem> {
    let viewport = query.one("viewport")?.map(viewport).transpose()?;
    Ok(viewport.map(|viewport| RenderRequest {
        format: Format::Jpeg,
        quality: QUALITY,
        viewport: Some(viewport),
        window: None,
    }))
}

fn quality(text: &str) -> Result<u8, Problem> {
    let quality = digits(text).and_then(|quality| u8::try_from(quality).ok());
    quality
        .filter(|quality| (1..=100).contains(quality))
        .ok_or_else(|| Problem::bad_parameter("quality", "not a whole number from 1 to 100"))
}

/// `vw,vh`. The region parts `sx,sy,sw,sh` are not supported, which is a 400 too.
fn viewport(text: &str) -> Result<(u32, u32), Problem> {
    let edge = |text: &str| digits(text).filter(|px| (1..=MAX_VIEWPORT_PX).contains(px));
    let parts: Vec<&str> = text.splitn(7, ',').collect();
    match parts.as_slice() {
        [width, height] => edge(width).zip(edge(height)).ok_or_else(|| {
            let reason = format!("not width,height, each from 1 to {MAX_VIEWPORT_PX} pixels");
            Problem::bad_parameter("viewport", reason)
        }),
        [_, _, ..] => {
            Err(Problem::bad_parameter("viewport", "regions (sx,sy,sw,sh) are not supported"))
        }
        _ => Err(Problem::bad_parameter("viewport", "not width,height")),
    }
}

/// `center,width,function`, all three (PS3.18 §8.3.5.1.4).
fn window(text: &str) -> Result<Window, Problem> {
    let bad = |reason| Problem::bad_parameter("window", reason);
    let mut parts = text.splitn(4, ',').map(str::trim);
    let (Some(center), Some(width), Some(function), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(bad("not center,width,function"));
    };
    let center = decimal(center).ok_or_else(|| bad("center is no decimal number"))?;
    let width = decimal(width).ok_or_else(|| bad("width is no decimal number"))?;
    let function = match function {
        "linear" => WindowFunction::Linear,
        "linear-exact" => WindowFunction::LinearExact,
        "sigmoid" => WindowFunction::Sigmoid,
        _ => return Err(bad("function is none of linear, linear-exact, sigmoid")),
    };
    // PS3.3 §C.11.2.1.2.1 and §C.11.2.1.3: below these the function is not defined.
    let least = if function == WindowFunction::Linear { 1.0 } else { f64::MIN_POSITIVE };
    if width < least {
        return Err(bad("width is too small"));
    }
    Ok(Window { center, width, function })
}

/// Annotations asked for: none can be drawn yet. 400 when a value is no keyword of the standard's.
fn annotations(query: &QueryString) -> Result<Vec<String>, Problem> {
    let Some(text) = query.one("annotation")? else { return Ok(Vec::new()) };
    let values = text.split(',').map(str::trim);
    values
        .map(|value| match value {
            "patient" | "technique" => Ok(value.to_owned()),
            _ => Err(Problem::bad_parameter("annotation", "neither patient nor technique")),
        })
        .collect()
}

/// Colour profiles are left to the server when it cannot follow (PS3.18 §8.3.5.1.5); a value that
/// is none of the standard's is malformed.
fn check_iccprofile(query: &QueryString) -> Result<(), Problem> {
    match query.one("iccprofile")? {
        None | Some("no" | "yes" | "srgb" | "adobergb" | "rommrgb") => Ok(()),
        Some(_) => {
            Err(Problem::bad_parameter("iccprofile", "none of no, yes, srgb, adobergb, rommrgb"))
        }
    }
}

fn digits(text: &str) -> Option<u32> {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A finite decimal number, without words such as `inf`.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{of_rendered, of_thumbnail};
    use crate::http::query_string::QueryString;
    use crate::imaging::render::{Format, RenderRequest, Window, WindowFunction};

    fn query(text: &str) -> QueryString {
        QueryString::parse(text).unwrap()
    }

    #[test]
    fn nothing_asked_draws_the_frame_as_it_is() {
        let request =
            RenderRequest { format: Format::Jpeg, quality: 90, viewport: None, window: None };
        assert_eq!(of_rendered(&query("")).unwrap().request, request);
        assert_eq!(of_thumbnail(&query("")).unwrap(), None);
    }

    #[test]
    fn parameters_are_read() {
        let rendering =
            of_rendered(&query("quality=7&viewport=512,256&window=-40.5,400,linear-exact"))
                .unwrap();
        let window = Window { center: -40.5, width: 400.0, function: WindowFunction::LinearExact };
        assert_eq!(rendering.request.quality, 7);
        assert_eq!(rendering.request.viewport, Some((512, 256)));
        assert_eq!(rendering.request.window, Some(window));
        let thumbnail = of_thumbnail(&query("viewport=64,64&x=y")).unwrap().unwrap();
        assert_eq!(thumbnail.viewport, Some((64, 64)));
        let annotated = of_rendered(&query("annotation=patient,technique")).unwrap();
        assert_eq!(annotated.unsupported_annotations, ["patient", "technique"]);
    }

    #[test]
    fn what_is_malformed_is_named() {
        for (text, name) in [
            ("quality=0", "quality"),
            ("quality=101", "quality"),
            ("quality=", "quality"),
            ("quality=5.5", "quality"),
            ("quality=5&quality=6", "quality"),
            ("viewport=512", "viewport"),
            ("viewport=0,5", "viewport"),
            ("viewport=-5,5", "viewport"),
            ("viewport=5,5,0,0,10,10", "viewport"),
            ("viewport=99999,5", "viewport"),
            ("viewport=a,b", "viewport"),
            ("window=1,2", "window"),
            ("window=1,2,LINEAR", "window"),
            ("window=1,2,linear,3", "window"),
            ("window=nan,2,linear", "window"),
            ("window=1,inf,linear", "window"),
            ("window=1,0.5,linear", "window"),
            ("window=1,0,sigmoid", "window"),
            ("window=,,", "window"),
            ("annotation=", "annotation"),
            ("annotation=patient,x", "annotation"),
            ("iccprofile=cmyk", "iccprofile"),
        ] {
            let problem = of_rendered(&query(text)).unwrap_err();
            assert_eq!(problem.status, 400, "{text}");
            assert!(problem.detail.contains(name), "{text}: {}", problem.detail);
        }
        assert_eq!(of_thumbnail(&query("viewport=1,2,3,4,5,6")).unwrap_err().status, 400);
    }

    proptest! {
        #[test]
        fn no_value_panics(name in "quality|viewport|window|annotation", value in "[-0-9a-z.,+]*") {
            if let Ok(rendering) = of_rendered(&query(&format!("{name}={value}"))) {
                prop_assert!((1..=100).contains(&rendering.request.quality));
                prop_assert!(rendering.request.window.is_none_or(|window| window.width > 0.0));
            }
        }
    }
}
