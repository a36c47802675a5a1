//! WADO-RS: the pixel data of instances (PS3.18 §10.4.1.1.6): uncompressed as one value, compressed
//! frame by frame.

use std::sync::Arc;

use axum::response::Response;
use futures::stream;
use futures::{StreamExt, TryStreamExt};

use crate::archive::error::ArchiveError;
use crate::archive::frame::FramePlan;
use crate::dicom::syntax::EXPLICIT_LITTLE;
use crate::dicomweb::given::{self, Form, Given};
use crate::dicomweb::media::stated_syntax;
use crate::dicomweb::multipart::{Part, primed, related_as_first, related_one, single};
use crate::dicomweb::qido::warn;
use crate::dicomweb::wado::{ENCODERS, Retrieval, hex, vary};
use crate::dicomweb::wado_bulk::{cut, partial, unsatisfiable};
use crate::dicomweb::wado_frames::{bytes_of, content_type, told_colours};
use crate::http::caching::{ETag, PRIVATE};
use crate::http::problem::Problem;
use crate::http::range::Asked;
use crate::imaging::error::ImagingError;
use crate::index::port::Located;

/// Parts made ahead of the one being sent.
const PARTS_AHEAD: usize = 4;

type Parts = stream::BoxStream<'static, Result<Part, ArchiveError>>;

/// Retrieve Pixel Data of a study or series: `GET …/pixeldata`. Objects without any are passed over.
pub async fn retrieve_pixels(asked: Retrieval) -> Result<Response, Problem> {
    let instances = asked.archive.instances(&asked.permit, &asked.scope).await?;
    let asked = Arc::new(asked);
    let parts = instances
        .try_filter(|located| std::future::ready(located.frames > 0))
        .map(move |located| {
            let asked = Arc::clone(&asked);
            async move { of_instance(&asked, &located?).await }
        })
        .buffered(PARTS_AHEAD)
        .try_flatten();
    let mut response = related_as_first(parts).await?;
    response.headers_mut().insert(axum::http::header::CACHE_CONTROL, PRIVATE);
    Ok(vary(response))
}

/// Retrieve Pixel Data of an instance; what is one thing (a value, a single frame) also by itself,
/// with `Range`.
pub async fn retrieve_instance_pixels(asked: Retrieval) -> Result<Response, Problem> {
    let path = asked.instance()?;
    let plan = Arc::new(asked.archive.frames(&asked.permit, &path, &[]).await?);
    let located = plan.located.clone();
    let form = form(&asked, &plan).ok_or_else(|| Problem::not_acceptable(refusal(&located)))?;
    let etag = etag(&located, &form);
    if let Some(response) = etag.not_modified(&asked.headers) {
        return Ok(vary(response));
    }
    let mut response = if is_native(&form) && form.given == Given::Stored {
        stored_value(&asked, &plan, &form, &etag).await?
    } else {
        let mut parts = of_instance(&asked, &located).await?;
        if is_one(&plan, &form) {
            let part = parts.try_next().await?.ok_or_else(Problem::not_found)?;
            one(&asked, part, &form, &etag).await?
        } else {
            related_as_first(parts).await?
        }
    };
    etag.write(response.headers_mut());
    if let Some(colours) = told_colours(&asked, &plan, Some(1), form.given).await? {
        warn(&mut response, &asked.urls, &colours);
    }
    Ok(vary(response))
}

/// Whether it is one thing: a value, a frame, or a stream of no known frames.
fn is_one(plan: &FramePlan, form: &Form<'_>) -> bool {
    is_native(form) || plan.located.frames == 1 || plan.is_one_stream()
}

/// What is one thing, by itself with `Range`, or in a part.
async fn one(
    asked: &Retrieval,
    part: Part,
    form: &Form<'_>,
    etag: &ETag,
) -> Result<Response, Problem> {
    let body = primed(part.body).await?;
    let part = Part { body, ..part };
    if form.multipart {
        return Ok(related_one(form.media, part));
    }
    let Some(length) = part.bytes else { return Ok(single(part)) };
    let wanted = Asked::of(&asked.headers, length, etag);
    Ok(match wanted {
        Asked::Whole => partial(part, wanted, length),
        Asked::Unsatisfiable => unsatisfiable(length),
        Asked::Part { from, to } => {
            let body = cut(part.body, from, to);
            let bytes = Some(to.saturating_sub(from));
            partial(Part { bytes, body, ..part }, wanted, length)
        }
    })
}

/// The form of an instance's pixel data. Frames of several need parts, a value does not.
fn form<'a>(asked: &Retrieval, plan: &'a FramePlan) -> Option<Form<'a>> {
    let syntax = plan.located.transfer_syntax.as_str();
    let alone = asked.scope.instance.is_some();
    if plan.is_one_stream() {
        return given::stream(&asked.accept, syntax, alone);
    }
    let form = given::frames(&asked.accept, syntax, alone)?;
    if form.multipart || is_one(plan, &form) {
        return Some(form);
    }
    given::frames(&asked.accept, syntax, false)
}

fn is_native(form: &Form<'_>) -> bool {
    form.syntax == Some(EXPLICIT_LITTLE)
}

fn refusal(located: &Located) -> String {
    format!(
        "this pixel data is stored in transfer syntax {}; it is given so, or re-encoded to what \
         the archive has encoders for; transfer-syntax=* takes any",
        stated_syntax(&located.transfer_syntax)
    )
}

fn etag(located: &Located, form: &Form<'_>) -> ETag {
    let hash = hex(&located.data_set_sha256);
    let syntax = form.syntax.unwrap_or_default();
    let opaque = format!("{hash}-pixels-{}-{syntax}-{ENCODERS}", form.media);
    if form.multipart { ETag::weak(&opaque) } else { ETag::strong(&opaque) }
}

/// Native pixel data as it is stored, whole or a range of it.
async fn stored_value(
    asked: &Retrieval,
    plan: &FramePlan,
    form: &Form<'_>,
    etag: &ETag,
) -> Result<Response, Problem> {
    let bulk = asked.archive.bulk(&asked.permit, &plan.located.path, &value_path(plan)).await?;
    let length = bulk.bytes;
    let wanted =
        if form.multipart { Asked::Whole } else { Asked::of(&asked.headers, length, etag) };
    let (from, to) = match wanted {
        Asked::Part { from, to } => (from, to),
        Asked::Whole => (0, length),
        Asked::Unsatisfiable => return Ok(unsatisfiable(length)),
    };
    let body = primed(asked.archive.read_bulk(&asked.permit, &bulk.place, from, to)?).await?;
    let location = location(asked, plan);
    let bytes = Some(to.saturating_sub(from));
    let part = Part { content_type: content_type(form), location, bytes, body };
    Ok(if form.multipart { related_one(form.media, part) } else { partial(part, wanted, length) })
}

/// The pixel data element's bulk path.
pub fn value_path(plan: &FramePlan) -> String {
    let tag =
        plan.layout.pixels.as_ref().map_or((0x7FE0, 0x0010), |pixels| (pixels.tag.0, pixels.tag.1));
    format!("{:04X}{:04X}", tag.0, tag.1)
}

fn location(asked: &Retrieval, plan: &FramePlan) -> String {
    format!("{}/bulkdata/{}", asked.urls.of(&plan.located.path), value_path(plan))
}

/// An instance's parts: its value, or its frames.
async fn of_instance(asked: &Retrieval, located: &Located) -> Result<Parts, ArchiveError> {
    let unsupported = || ImagingError::Unsupported(refusal(located));
    let plan = Arc::new(asked.archive.plan(&asked.permit, located)?);
    let form = form(asked, &plan).ok_or_else(unsupported)?;
    if is_native(&form) {
        let (bytes, body) = asked.archive.native_pixels(&asked.permit, &plan).await?;
        let location = location(asked, &plan);
        let part = Part { content_type: content_type(&form), location, bytes: Some(bytes), body };
        return Ok(stream::iter([Ok(part)]).boxed());
    }
    if plan.is_one_stream() {
        let body = asked.archive.one_stream(&asked.permit, &plan)?;
        let location = location(asked, &plan);
        let part = Part { content_type: content_type(&form), location, bytes: None, body };
        return Ok(stream::iter([Ok(part)]).boxed());
    }
    let (archive, given) = (asked.archive.clone(), form.given);
    let (content_type, instance) = (content_type(&form), asked.urls.of(&located.path));
    let parts = stream::iter(1..=located.frames).map(move |frame| {
        let (archive, plan) = (archive.clone(), Arc::clone(&plan));
        let (content_type, location) = (content_type.clone(), format!("{instance}/frames/{frame}"));
        async move {
            let bytes = bytes_of(&archive, &plan, frame, given).await?;
            Ok(Part::of_bytes(content_type, location, bytes))
        }
    });
    Ok(parts.buffered(PARTS_AHEAD).boxed())
}
