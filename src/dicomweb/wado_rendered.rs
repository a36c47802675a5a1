//! WADO-RS: pictures for looking at (PS3.18 §10.4.1.1.3, §10.4.1.1.4).

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::archive::picture::Picture;
use crate::dicomweb::frame_list;
use crate::dicomweb::multipart::put;
use crate::dicomweb::offer::{Offer, choose};
use crate::dicomweb::qido::warn;
use crate::dicomweb::rendered_params::{of_rendered, of_thumbnail};
use crate::dicomweb::wado::{Retrieval, vary};
use crate::http::caching::ETag;
use crate::http::problem::Problem;
use crate::imaging::render::Format;

const JPEG: Offer<'static> = Offer { media: "image/jpeg", multipart: false, syntax: None };
const PNG: Offer<'static> = Offer { media: "image/png", multipart: false, syntax: None };

/// Retrieve Rendered: `GET …/rendered` of a study, series, instance or frame: one picture, JPEG or
/// PNG. Of a study or series, the middle of it.
pub async fn retrieve_rendered(asked: Retrieval) -> Result<Response, Problem> {
    let frame = one_frame(&asked)?;
    let rendering = of_rendered(&asked.query)?;
    let mut request = rendering.request;
    request.format = match choose(&asked.accept, &[JPEG, PNG]) {
        Some(0) => Format::Jpeg,
        Some(_) => Format::Png,
        None => return Err(Problem::not_acceptable("pictures are given as image/jpeg, image/png")),
    };
    let picture = asked.archive.rendered(&asked.permit, &asked.scope, frame, &request).await?;
    let mut response = answer(&asked, picture);
    if !rendering.unsupported_annotations.is_empty() {
        let values = rendering.unsupported_annotations.join(",");
        let text = format!("The following annotation values are not supported: {values}");
        warn(&mut response, &asked.urls, &text);
    }
    Ok(response)
}

/// Retrieve Thumbnail: `GET …/thumbnail` of a study, series, instance or frame: one JPEG.
pub async fn retrieve_thumbnail(asked: Retrieval) -> Result<Response, Problem> {
    let frame = one_frame(&asked)?;
    if choose(&asked.accept, &[JPEG]).is_none() {
        return Err(Problem::not_acceptable("thumbnails are given as image/jpeg"));
    }
    let (archive, permit, scope) = (&asked.archive, &asked.permit, &asked.scope);
    let picture = match of_thumbnail(&asked.query)? {
        Some(request) => archive.rendered(permit, scope, frame, &request).await?,
        None => archive.thumbnail(permit, scope, frame).await?,
    };
    Ok(answer(&asked, picture))
}

/// The frame named, if any; pictures of several at once are not given.
fn one_frame(asked: &Retrieval) -> Result<Option<u32>, Problem> {
    let Some(list) = &asked.place.frames else { return Ok(None) };
    match frame_list::parse(list)?.as_slice() {
        [frame] => Ok(Some(*frame)),
        _ => Err(Problem::not_acceptable("pictures are given of one frame at a time")),
    }
}

fn answer(asked: &Retrieval, picture: Picture) -> Response {
    let etag = ETag::strong(&picture.etag);
    if let Some(response) = etag.not_modified(&asked.headers) {
        return vary(response);
    }
    let length = picture.bytes.len();
    let mut response = Body::from(picture.bytes).into_response();
    put(&mut response, CONTENT_TYPE, picture.media_type);
    put(&mut response, CONTENT_LENGTH, &length.to_string());
    etag.write(response.headers_mut());
    vary(response)
}
