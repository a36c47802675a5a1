//! Parameters of the URI service (PS3.18 §9.1.2, §9.4.1.2, §9.5.1.2). 400 names the one that is
//! missing, malformed or out of place.

use crate::dicom::uid::Uid;
use crate::dicomweb::accept::{MediaRange, parse};
use crate::dicomweb::media::DICOM;
use crate::dicomweb::rendered_params::{
    annotation, decimal, iccprofile, overlays, quality, subtraction, whole,
};
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::imaging::render::{RenderRequest, Window, WindowFunction};
use crate::imaging::view::{Fit, MAX_EDGE_PX, Region, View};
use crate::model::path::InstancePath;

/// Parameters of both transactions.
const BOTH: [&str; 6] =
    ["requestType", "studyUID", "seriesUID", "objectUID", "contentType", "charset"];
/// Parameters of the Retrieve DICOM Instance transaction alone.
const DICOM_ONLY: [&str; 2] = ["anonymize", "transferSyntax"];
/// Parameters of the Retrieve Rendered Instance transaction alone.
const RENDERED_ONLY: [&str; 9] = [
    "frameNumber",
    "imageQuality",
    "rows",
    "columns",
    "region",
    "windowCenter",
    "windowWidth",
    "presentationSeriesUID",
    "presentationUID",
];
/// Of both, in one way or another; the last are ours, as in WADO-RS.
const EITHER: [&str; 9] = [
    "annotation",
    "imageAnnotation",
    "iccprofile",
    "overlays",
    "subtraction",
    "PatientID",
    "IssuerOfPatientID",
    "00100020",
    "00100021",
];

/// What a rendered instance is to look like.
#[derive(Debug, Clone, PartialEq)]
pub struct UriRendering {
    /// What to draw.
    pub request: RenderRequest,
    /// The frame, from 1.
    pub frame: Option<u32>,
    /// Series and instance of a presentation state.
    pub presentation: Option<(Uid, Uid)>,
}

/// Checks the request type and reads which instance is meant.
pub fn target(query: &QueryString) -> Result<InstancePath, Problem> {
    match query.one("requestType")? {
        Some("WADO") => {}
        Some(_) => return Err(Problem::bad_parameter("requestType", "only WADO is served here")),
        None => return Err(Problem::bad_parameter("requestType", "missing; it is WADO")),
    }
    Ok(InstancePath {
        study: needed_uid(query, "studyUID")?,
        series: needed_uid(query, "seriesUID")?,
        instance: needed_uid(query, "objectUID")?,
    })
}

fn needed_uid(query: &QueryString, name: &'static str) -> Result<Uid, Problem> {
    uid(query, name)?.ok_or_else(|| Problem::bad_parameter(name, "missing; it is a UID"))
}

fn uid(query: &QueryString, name: &'static str) -> Result<Option<Uid>, Problem> {
    let uid = query.one(name)?.map(Uid::parse).transpose();
    uid.map_err(|_| Problem::bad_parameter(name, "not a UID"))
}

/// The media types asked for (PS3.18 §9.1.2.2.1): application/dicom alone, or rendered ones.
pub fn content_type(query: &QueryString) -> Result<Vec<MediaRange>, Problem> {
    let bad = |reason| Problem::bad_parameter("contentType", reason);
    let mut values = query.all_plain("contentType");
    let Some(text) = values.next() else { return Ok(Vec::new()) };
    if values.next().is_some() {
        return Err(bad("given more than once"));
    }
    let lower = text.to_ascii_lowercase();
    if lower.contains("transfer-syntax=") || lower.contains("charset=") {
        return Err(bad(
            "holds neither transfer-syntax nor charset: those are parameters of their own",
        ));
    }
    let ranges = parse(text);
    if ranges.is_empty() {
        return Err(bad("not a comma-separated list of media types"));
    }
    let dicom = ranges.iter().filter(|range| range.media == DICOM).count();
    if dicom > 0 && dicom < ranges.len() {
        return Err(bad("either application/dicom or rendered media types, not both"));
    }
    Ok(ranges)
}

/// The transfer syntax asked for (PS3.18 §9.4.1.2.3).
pub fn transfer_syntax(query: &QueryString) -> Result<Option<String>, Problem> {
    let Some(text) = query.one("transferSyntax")? else { return Ok(None) };
    let strict = !text.is_empty()
        && text.len() <= 64
        && text.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if strict {
        Ok(Some(text.to_owned()))
    } else {
        Err(Problem::bad_parameter("transferSyntax", "not a UID"))
    }
}

/// Whether the instance is to be de-identified (PS3.18 §9.4.2.3).
pub fn anonymize(query: &QueryString) -> Result<bool, Problem> {
    match query.one("anonymize")? {
        None => Ok(false),
        Some("yes") => Ok(true),
        Some(_) => Err(Problem::bad_parameter("anonymize", "it is yes, or left out")),
    }
}

/// What may not stand beside application/dicom: how pixels are drawn (PS3.18 §9.5.1.2.6).
pub fn check_dicom(query: &QueryString) -> Result<(), Problem> {
    let stray = query.iter().map(|(name, _)| name).find(|name| RENDERED_ONLY.contains(name));
    match stray {
        Some(name) => Err(Problem::bad_parameter(name, "not allowed with application/dicom")),
        None => Ok(()),
    }
}

/// Reads how a rendered instance is to look.
pub fn rendering(query: &QueryString) -> Result<UriRendering, Problem> {
    if let Some(name) = query.iter().map(|(name, _)| name).find(|name| DICOM_ONLY.contains(name)) {
        return Err(Problem::bad_parameter(name, "needs contentType=application/dicom"));
    }
    let mut request = RenderRequest::default();
    if let Some(text) = query.one("imageQuality")? {
        request.quality = quality("imageQuality", text)?;
    }
    for name in ["annotation", "imageAnnotation"] {
        if let Some(text) = query.one(name)? {
            let (patient, technique) = annotation(name, text)?;
            request.patient |= patient;
            request.technique |= technique;
        }
    }
    request.profile = iccprofile(query)?;
    request.overlays = overlays(query)?;
    request.subtraction = subtraction(query)?;
    request.window = window(query)?;
    request.view = View { fit: fit(query)?, region: region(query)?, ..View::default() };
    let frame =
        match query.one("frameNumber")? {
            None => None,
            Some(text) => Some(whole(text).filter(|frame| *frame > 0).ok_or_else(|| {
                Problem::bad_parameter("frameNumber", "not a whole number from 1")
            })?),
        };
    let presentation = presentation(query)?;
    if presentation.is_some() {
        let stray = ["windowCenter", "windowWidth", "frameNumber"];
        if let Some(name) = query.iter().map(|(name, _)| name).find(|name| stray.contains(name)) {
            let reason = "not allowed with a presentation state";
            return Err(Problem::bad_parameter(name, reason));
        }
    }
    Ok(UriRendering { request, frame, presentation })
}

/// Both or neither (PS3.18 §9.5.1.2.6); the function is linear.
fn window(query: &QueryString) -> Result<Option<Window>, Problem> {
    let number = |name: &'static str| -> Result<Option<f64>, Problem> {
        let Some(text) = query.one(name)? else { return Ok(None) };
        let bad = || Problem::bad_parameter(name, "not a decimal number");
        decimal(text).map(Some).ok_or_else(bad)
    };
    match (number("windowCenter")?, number("windowWidth")?) {
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(Problem::bad_parameter("windowWidth", "missing beside windowCenter"))
        }
        (None, Some(_)) => {
            Err(Problem::bad_parameter("windowCenter", "missing beside windowWidth"))
        }
        (Some(center), Some(width)) if width >= 1.0 => {
            Ok(Some(Window { center, width, function: WindowFunction::Linear }))
        }
        // PS3.3 §C.11.2.1.2.1
        (Some(_), Some(_)) => Err(Problem::bad_parameter("windowWidth", "it is at least 1")),
    }
}

/// Each is a maximum; one alone is enough (PS3.18 §9.5.2.5).
fn fit(query: &QueryString) -> Result<Fit, Problem> {
    let edge = |name: &'static str| -> Result<Option<u32>, Problem> {
        let Some(text) = query.one(name)? else { return Ok(None) };
        let edge = whole(text).filter(|edge| (1..=MAX_EDGE_PX).contains(edge));
        let reason = format!("not a whole number from 1 to {MAX_EDGE_PX}");
        edge.map(Some).ok_or_else(|| Problem::bad_parameter(name, reason))
    };
    Ok(match (edge("columns")?, edge("rows")?) {
        (None, None) => Fit::AsIs,
        (Some(width), Some(height)) => Fit::Within { width, height },
        (Some(width), None) => Fit::Across(width),
        (None, Some(height)) => Fit::Down(height),
    })
}

/// `xmin,ymin,xmax,ymax` in parts of the image (PS3.18 §9.5.1.2.5).
fn region(query: &QueryString) -> Result<Option<Region>, Problem> {
    let Some(text) = query.one("region")? else { return Ok(None) };
    let bad = || {
        let reason = "it is xmin,ymin,xmax,ymax, with 0 <= min < max <= 1";
        Problem::bad_parameter("region", reason)
    };
    let numbers: Option<Vec<f64>> = text.splitn(5, ',').map(decimal).collect();
    let numbers = numbers.ok_or_else(bad)?;
    let [left, top, right, bottom] = *numbers.as_slice() else { return Err(bad()) };
    if 0.0 <= left && left < right && right <= 1.0 && 0.0 <= top && top < bottom && bottom <= 1.0 {
        Ok(Some(Region::Parts { left, top, right, bottom }))
    } else {
        Err(bad())
    }
}

fn presentation(query: &QueryString) -> Result<Option<(Uid, Uid)>, Problem> {
    match (uid(query, "presentationSeriesUID")?, uid(query, "presentationUID")?) {
        (None, None) => Ok(None),
        (Some(series), Some(instance)) => Ok(Some((series, instance))),
        (Some(_), None) => {
            Err(Problem::bad_parameter("presentationUID", "missing beside presentationSeriesUID"))
        }
        (None, Some(_)) => {
            Err(Problem::bad_parameter("presentationSeriesUID", "missing beside presentationUID"))
        }
    }
}

/// Names that mean nothing here, for a warning.
pub fn unknown(query: &QueryString) -> Vec<&str> {
    let known = |name: &&str| {
        BOTH.contains(name)
            || DICOM_ONLY.contains(name)
            || RENDERED_ONLY.contains(name)
            || EITHER.contains(name)
    };
    query.iter().map(|(name, _)| name).filter(|name| !known(name)).take(16).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{check_dicom, content_type, rendering, target, transfer_syntax, unknown};
    use crate::http::query_string::QueryString;
    use crate::imaging::render::{RenderRequest, Window, WindowFunction};
    use crate::imaging::view::{Fit, Region, View};

    fn query(text: &str) -> QueryString {
        QueryString::parse(text).unwrap()
    }

    #[test]
    fn an_instance_is_named_by_three_uids() {
        let all = "requestType=WADO&studyUID=1.2&seriesUID=1.3&objectUID=1.4";
        assert_eq!(target(&query(all)).unwrap().instance.as_str(), "1.4");
        for name in ["requestType", "studyUID", "seriesUID", "objectUID"] {
            let without = all.replace(name, "x");
            let problem = target(&query(&without)).unwrap_err();
            assert_eq!(problem.status, 400);
            assert!(problem.detail.contains(name), "{}", problem.detail);
        }
        assert!(target(&query(&all.replace("WADO", "wado"))).is_err());
    }

    #[test]
    fn renderings_are_read() {
        let text = "frameNumber=3&imageQuality=50&annotation=patient&imageAnnotation=technique\
                    &rows=100&columns=200&region=0.1,0.2,0.5,1.0&windowCenter=-5&windowWidth=10.5";
        let read = rendering(&query(text)).unwrap();
        let region = Region::Parts { left: 0.1, top: 0.2, right: 0.5, bottom: 1.0 };
        let fit = Fit::Within { width: 200, height: 100 };
        let window = Window { center: -5.0, width: 10.5, function: WindowFunction::Linear };
        let expected = RenderRequest {
            quality: 50,
            patient: true,
            technique: true,
            window: Some(window),
            view: View { fit, region: Some(region), ..View::default() },
            ..RenderRequest::default()
        };
        assert_eq!((read.request, read.frame, read.presentation), (expected, Some(3), None));
        assert_eq!(rendering(&query("rows=7")).unwrap().request.view.fit, Fit::Down(7));
        assert_eq!(rendering(&query("columns=7")).unwrap().request.view.fit, Fit::Across(7));
        let state = rendering(&query("presentationSeriesUID=1.2&presentationUID=1.3&rows=5"));
        assert_eq!(state.unwrap().presentation.unwrap().1.as_str(), "1.3");
    }

    #[test]
    fn what_is_malformed_is_named() {
        for (text, name) in [
            ("frameNumber=0", "frameNumber"),
            ("frameNumber=1,2", "frameNumber"),
            ("imageQuality=0", "imageQuality"),
            ("imageQuality=x", "imageQuality"),
            ("annotation=", "annotation"),
            ("imageAnnotation=all", "imageAnnotation"),
            ("rows=0", "rows"),
            ("columns=-1", "columns"),
            ("columns=99999", "columns"),
            ("region=0,0,1", "region"),
            ("region=0,0,1,1,1", "region"),
            ("region=0.5,0,0.5,1", "region"),
            ("region=0,0,1,1.1", "region"),
            ("region=-0.1,0,1,1", "region"),
            ("windowCenter=5", "windowWidth"),
            ("windowWidth=5", "windowCenter"),
            ("windowCenter=a&windowWidth=5", "windowCenter"),
            ("windowCenter=5&windowWidth=0", "windowWidth"),
            ("presentationUID=1.2", "presentationSeriesUID"),
            ("presentationSeriesUID=1.2", "presentationUID"),
            (
                "presentationSeriesUID=1.2&presentationUID=1.3&windowCenter=1&windowWidth=2",
                "windowCenter",
            ),
            ("presentationSeriesUID=1.2&presentationUID=1.3&frameNumber=1", "frameNumber"),
            ("transferSyntax=1.2.3", "transferSyntax"),
            ("anonymize=yes", "anonymize"),
        ] {
            let problem = rendering(&query(text)).unwrap_err();
            assert_eq!(problem.status, 400, "{text}");
            assert!(problem.detail.contains(name), "{text}: {}", problem.detail);
        }
        assert!(check_dicom(&query("contentType=application/dicom&windowWidth=5")).is_err());
        assert!(transfer_syntax(&query("transferSyntax=1..2")).is_err());
        assert!(transfer_syntax(&query("transferSyntax=1.2&transferSyntax=1.3")).is_err());
    }

    #[test]
    fn content_types_are_dicom_or_rendered_and_without_parameters_of_their_own() {
        assert_eq!(content_type(&query("")).unwrap(), []);
        assert_eq!(content_type(&query("contentType=image/png,image/jpeg")).unwrap().len(), 2);
        for text in [
            "contentType=",
            "contentType=application/dicom,image/png",
            "contentType=application/dicom;transfer-syntax=1.2.840.10008.1.2.1",
            "contentType=text/html;charset=utf-8",
        ] {
            assert_eq!(content_type(&query(text)).unwrap_err().status, 400, "{text}");
        }
    }

    #[test]
    fn names_that_mean_nothing_are_told() {
        assert_eq!(unknown(&query("requestType=WADO&frame=1&rows=1")), ["frame"]);
    }

    proptest! {
        #[test]
        fn no_value_panics(
            name in "rows|region|windowCenter|frameNumber|contentType|imageQuality|transferSyntax",
            value in "[-0-9a-z.,+/;=]*",
        ) {
            let query = query(&format!("{name}={value}&windowWidth=5"));
            let _ = (rendering(&query), content_type(&query), transfer_syntax(&query));
        }
    }
}
