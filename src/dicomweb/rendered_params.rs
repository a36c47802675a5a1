//! Parameters of rendered resources and thumbnails (PS3.18 §8.3.5). 400 names the one that is
//! malformed, and its grammar.

use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::imaging::profile::IccProfile;
use crate::imaging::render::{RenderRequest, Window, WindowFunction};
use crate::imaging::subtraction::Subtraction;
use crate::imaging::view::{Fit, MAX_EDGE_PX, Region, View};

/// Parameters that every resource of a study understands: how to answer, and whose study.
const COMMON: [&str; 6] =
    ["accept", "charset", "PatientID", "IssuerOfPatientID", "00100020", "00100021"];
/// Parameters of rendered resources; `overlays` and `subtraction` are ours.
const RENDERED: [&str; 7] =
    ["annotation", "quality", "viewport", "window", "iccprofile", "overlays", "subtraction"];
/// Parameters of thumbnails.
const THUMBNAIL: [&str; 1] = ["viewport"];

/// Reads the parameters of a rendered resource; the format is chosen apart.
pub fn of_rendered(query: &QueryString) -> Result<RenderRequest, Problem> {
    let mut request = RenderRequest::default();
    if let Some(text) = query.one("quality")? {
        request.quality = quality("quality", text)?;
    }
    if let Some(text) = query.one("viewport")? {
        request.view = viewport(text)?;
    }
    if let Some(text) = query.one("window")? {
        request.window = Some(window(text)?);
    }
    if let Some(text) = query.one("annotation")? {
        (request.patient, request.technique) = annotation("annotation", text)?;
    }
    request.profile = iccprofile(query)?;
    request.overlays = overlays(query)?;
    request.subtraction = subtraction(query)?;
    Ok(request)
}

/// Reads the size of a thumbnail (PS3.18 §8.3.5.2): width and height, nothing else.
pub fn of_thumbnail(query: &QueryString) -> Result<Option<(u32, u32)>, Problem> {
    let Some(text) = query.one("viewport")? else { return Ok(None) };
    match viewport(text)? {
        View { fit: Fit::Within { width, height }, region: None, .. } => Ok(Some((width, height))),
        _ => Err(Problem::bad_parameter("viewport", "a thumbnail's is vw,vh and nothing else")),
    }
}

/// What PS3.18 §8.3.5.1.6 does not allow of a presentation state.
pub fn check_presentation(query: &QueryString, request: &RenderRequest) -> Result<(), Problem> {
    if request.window.is_some() {
        return Err(Problem::bad_parameter("window", "not allowed of a presentation state"));
    }
    if query.one("viewport")?.is_some_and(|text| text.split(',').count() > 2) {
        let reason = "of a presentation state it is vw,vh and nothing else";
        return Err(Problem::bad_parameter("viewport", reason));
    }
    Ok(())
}

/// Names of a rendered resource's parameters that mean nothing here, for a warning.
pub fn unknown_of_rendered(query: &QueryString) -> Vec<&str> {
    unknown(query, &RENDERED)
}

/// Names of a thumbnail's parameters that mean nothing here, for a warning.
pub fn unknown_of_thumbnail(query: &QueryString) -> Vec<&str> {
    unknown(query, &THUMBNAIL)
}

fn unknown<'q>(query: &'q QueryString, known: &[&str]) -> Vec<&'q str> {
    let names = query.iter().map(|(name, _)| name);
    let mut names: Vec<&str> =
        names.filter(|name| !known.contains(name) && !COMMON.contains(name)).collect();
    names.dedup();
    names.truncate(16);
    names
}

/// A whole number from 1 to 100 (PS3.18 §8.3.5.1.2).
pub fn quality(name: &'static str, text: &str) -> Result<u8, Problem> {
    let quality = whole(text).and_then(|quality| u8::try_from(quality).ok());
    quality
        .filter(|quality| (1..=100).contains(quality))
        .ok_or_else(|| Problem::bad_parameter(name, "not a whole number from 1 to 100"))
}

/// `vw,vh[,[sx],[sy],[sw],[sh]]` (PS3.18 §8.3.5.1.3). The signs of `sx` and `sy` mean nothing, those
/// of `sw` and `sh` flip the picture.
fn viewport(text: &str) -> Result<View, Problem> {
    let bad = |reason: &str| {
        Problem::bad_parameter("viewport", format!("{reason}; it is vw,vh[,[sx],[sy],[sw],[sh]]"))
    };
    let parts: Vec<&str> = text.splitn(8, ',').map(str::trim).collect();
    let edge = |text: &str| whole(text).filter(|px| (1..=MAX_EDGE_PX).contains(px));
    let [vw, vh, source @ ..] = parts.as_slice() else {
        return Err(bad("both vw and vh are needed"));
    };
    let Some((width, height)) = edge(vw).zip(edge(vh)) else {
        return Err(bad(&format!("vw and vh are whole numbers from 1 to {MAX_EDGE_PX}")));
    };
    let mut view = View::within(width, height);
    if source.len() > 4 {
        return Err(bad("more than six values"));
    }
    if source.last().is_some_and(|last| last.is_empty()) {
        return Err(bad("commas behind the last value are left out"));
    }
    let mut numbers = [None; 4];
    for (number, text) in numbers.iter_mut().zip(source) {
        if !text.is_empty() {
            let Some(value) = decimal(text) else {
                return Err(bad("sx, sy, sw and sh are decimal numbers"));
            };
            *number = Some(value);
        }
    }
    if source.is_empty() {
        return Ok(view);
    }
    let [left, top, width, height] = numbers;
    if [width, height].into_iter().flatten().any(|size| size == 0.0) {
        return Err(bad("sw and sh are not zero"));
    }
    view.flip_across = width.is_some_and(|width| width < 0.0);
    view.flip_down = height.is_some_and(|height| height < 0.0);
    view.region = Some(Region::Pixels {
        left: left.map_or(0.0, f64::abs),
        top: top.map_or(0.0, f64::abs),
        width: width.map(f64::abs),
        height: height.map(f64::abs),
    });
    Ok(view)
}

/// `center,width,function`, all three (PS3.18 §8.3.5.1.4).
fn window(text: &str) -> Result<Window, Problem> {
    let bad = |reason: &str| {
        Problem::bad_parameter("window", format!("{reason}; it is center,width,function"))
    };
    let parts: Vec<&str> = text.splitn(4, ',').map(str::trim).collect();
    let [center, width, function] = parts.as_slice() else {
        return Err(bad("three values are needed"));
    };
    let center = decimal(center).ok_or_else(|| bad("center is a decimal number"))?;
    let width = decimal(width).ok_or_else(|| bad("width is a decimal number"))?;
    let function = match *function {
        "linear" => WindowFunction::Linear,
        "linear-exact" => WindowFunction::LinearExact,
        "sigmoid" => WindowFunction::Sigmoid,
        _ => return Err(bad("function is one of linear, linear-exact, sigmoid")),
    };
    // PS3.3 §C.11.2.1.2.1 and §C.11.2.1.3: below these the function is not defined.
    let least = if function == WindowFunction::Linear { 1.0 } else { f64::MIN_POSITIVE };
    if width < least {
        return Err(bad("width is at least 1 of linear, and above 0 of the others"));
    }
    Ok(Window { center, width, function })
}

/// `patient`, `technique` or both (PS3.18 §8.3.5.1.1): whether each is asked for.
pub fn annotation(name: &'static str, text: &str) -> Result<(bool, bool), Problem> {
    let (mut patient, mut technique) = (false, false);
    for value in text.split(',').map(str::trim) {
        match value {
            "patient" => patient = true,
            "technique" => technique = true,
            _ => {
                let reason = "a comma-separated list of patient, technique";
                return Err(Problem::bad_parameter(name, reason));
            }
        }
    }
    Ok((patient, technique))
}

/// One keyword (PS3.18 §8.3.5.1.5).
pub fn iccprofile(query: &QueryString) -> Result<IccProfile, Problem> {
    Ok(match query.one("iccprofile")? {
        None => IccProfile::Unsaid,
        Some("no") => IccProfile::No,
        Some("yes") => IccProfile::Yes,
        Some("srgb") => IccProfile::Srgb,
        Some("adobergb") => IccProfile::AdobeRgb,
        Some("rommrgb") => IccProfile::RommRgb,
        Some(_) => {
            let reason = "one of no, yes, srgb, adobergb, rommrgb";
            return Err(Problem::bad_parameter("iccprofile", reason));
        }
    })
}

/// Whether overlay planes are drawn: `overlays=yes`. Ours; the standard has no word for it.
pub fn overlays(query: &QueryString) -> Result<bool, Problem> {
    match query.one("overlays")? {
        None | Some("no") => Ok(false),
        Some("yes") => Ok(true),
        Some(_) => Err(Problem::bad_parameter("overlays", "one of yes, no")),
    }
}

/// Whether masks are subtracted: `subtraction=yes` where there are any, `no` never; else as
/// Recommended Viewing Mode (0028,1090) says. Ours; the standard has no word for it.
pub fn subtraction(query: &QueryString) -> Result<Subtraction, Problem> {
    match query.one("subtraction")? {
        None => Ok(Subtraction::Recommended),
        Some("yes") => Ok(Subtraction::Yes),
        Some("no") => Ok(Subtraction::No),
        Some(_) => Err(Problem::bad_parameter("subtraction", "one of yes, no")),
    }
}

/// A whole number without sign.
pub fn whole(text: &str) -> Option<u32> {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A finite decimal number, without words such as `inf`.
pub fn decimal(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{check_presentation, of_rendered, of_thumbnail, unknown_of_rendered};
    use crate::http::query_string::QueryString;
    use crate::imaging::profile::IccProfile;
    use crate::imaging::render::{RenderRequest, Window, WindowFunction};
    use crate::imaging::subtraction::Subtraction;
    use crate::imaging::view::{Fit, Region, View};

    fn query(text: &str) -> QueryString {
        QueryString::parse(text).unwrap()
    }

    #[test]
    fn nothing_asked_draws_the_frame_as_it_is() {
        assert_eq!(of_rendered(&query("")).unwrap(), RenderRequest::default());
        assert_eq!(of_thumbnail(&query("")).unwrap(), None);
    }

    #[test]
    fn parameters_are_read() {
        let text = "quality=7&viewport=512,256&window=-40.5,400,linear-exact&annotation=technique\
                    &iccprofile=adobergb&overlays=yes&subtraction=no";
        let request = of_rendered(&query(text)).unwrap();
        let window = Window { center: -40.5, width: 400.0, function: WindowFunction::LinearExact };
        let expected = RenderRequest {
            quality: 7,
            view: View::within(512, 256),
            window: Some(window),
            technique: true,
            profile: IccProfile::AdobeRgb,
            overlays: true,
            subtraction: Subtraction::No,
            ..RenderRequest::default()
        };
        assert_eq!(request, expected);
        assert_eq!(of_thumbnail(&query("viewport=64,32&x=y")).unwrap(), Some((64, 32)));
        let both = of_rendered(&query("annotation=patient,technique")).unwrap();
        assert!(both.patient && both.technique);
    }

    #[test]
    fn viewports_have_their_whole_grammar() {
        let region = |left, top, width, height| Some(Region::Pixels { left, top, width, height });
        for (text, region, across, down) in [
            ("8,9", None, false, false),
            ("8,9,,,512,512", region(0.0, 0.0, Some(512.0), Some(512.0)), false, false),
            ("8,9,1.5", region(1.5, 0.0, None, None), false, false),
            ("8,9,,2", region(0.0, 2.0, None, None), false, false),
            ("8,9,-3,-4,-5,6", region(3.0, 4.0, Some(5.0), Some(6.0)), true, false),
            ("8, 9, , , 5, -6", region(0.0, 0.0, Some(5.0), Some(6.0)), false, true),
        ] {
            let view = of_rendered(&query(&format!("viewport={text}"))).unwrap().view;
            let fit = Fit::Within { width: 8, height: 9 };
            let expected = View { fit, region, flip_across: across, flip_down: down };
            assert_eq!(view, expected, "{text}");
        }
    }

    #[test]
    fn what_is_malformed_is_named_with_its_grammar() {
        for (text, name) in [
            ("quality=0", "quality"),
            ("quality=101", "quality"),
            ("quality=", "quality"),
            ("quality=5.5", "quality"),
            ("quality=5&quality=6", "quality"),
            ("viewport=512", "viewport"),
            ("viewport=", "viewport"),
            ("viewport=0,5", "viewport"),
            ("viewport=-5,5", "viewport"),
            ("viewport=5.5,5", "viewport"),
            ("viewport=99999,5", "viewport"),
            ("viewport=a,b", "viewport"),
            ("viewport=5,5,", "viewport"),
            ("viewport=5,5,1,", "viewport"),
            ("viewport=5,5,,,0,5", "viewport"),
            ("viewport=5,5,,,5,-0", "viewport"),
            ("viewport=5,5,1,2,3,4,5", "viewport"),
            ("viewport=5,5,x", "viewport"),
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
            ("iccprofile=", "iccprofile"),
            ("iccprofile=yes,no", "iccprofile"),
            ("overlays=1", "overlays"),
            ("subtraction=maybe", "subtraction"),
        ] {
            let problem = of_rendered(&query(text)).unwrap_err();
            assert_eq!(problem.status, 400, "{text}");
            assert!(problem.detail.contains(name), "{text}: {}", problem.detail);
        }
        assert_eq!(of_thumbnail(&query("viewport=1,2,3,4,5,6")).unwrap_err().status, 400);
    }

    #[test]
    fn a_presentation_state_takes_no_window_and_no_region() {
        for (text, fits) in [
            ("viewport=5,5", true),
            ("annotation=patient", true),
            ("window=1,2,linear", false),
            ("viewport=5,5,1", false),
        ] {
            let query = query(text);
            let request = of_rendered(&query).unwrap();
            assert_eq!(check_presentation(&query, &request).is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn parameters_that_mean_nothing_here_are_told() {
        let query = query("quality=5&Quality=5&renderingmethod=x&accept=image/png&PatientID=1");
        assert_eq!(unknown_of_rendered(&query), ["Quality", "renderingmethod"]);
    }

    proptest! {
        #[test]
        fn no_value_panics(
            name in "quality|viewport|window|annotation|iccprofile",
            value in "[-0-9a-z.,+]*",
        ) {
            if let Ok(request) = of_rendered(&query(&format!("{name}={value}"))) {
                prop_assert!((1..=100).contains(&request.quality));
                prop_assert!(request.window.is_none_or(|window| window.width > 0.0));
            }
        }

        #[test]
        fn what_is_written_is_read(
            vw in 1_u32..16_000, vh in 1_u32..16_000,
            source in (-1e4_f64..1e4, -1e4_f64..1e4, 0.1_f64..1e4, 0.1_f64..1e4),
            flips: (bool, bool),
        ) {
            let (sx, sy, sw, sh) = source;
            let (sw, sh) = (if flips.0 { -sw } else { sw }, if flips.1 { -sh } else { sh });
            let view = of_rendered(&query(&format!("viewport={vw},{vh},{sx},{sy},{sw},{sh}"))).unwrap().view;
            prop_assert_eq!((view.flip_across, view.flip_down), flips);
            let region = Region::Pixels {
                left: sx.abs(), top: sy.abs(), width: Some(sw.abs()), height: Some(sh.abs()),
            };
            prop_assert_eq!(view.region, Some(region));
        }
    }
}
