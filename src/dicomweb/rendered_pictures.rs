//! Answers of pictures: one, one that moves, or many in parts.

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, future, stream};

use crate::archive::error::ArchiveError;
use crate::archive::picture::Picture;
use crate::archive::rendered::{Applied, picture_tag};
use crate::dicomweb::multipart::{Part, put, related};
use crate::dicomweb::offer::{Offer, choose};
use crate::dicomweb::wado::{Retrieval, vary};
use crate::http::caching::{ETag, PRIVATE};
use crate::http::problem::Problem;
use crate::imaging::profile::IccProfile;
use crate::imaging::render::{Format, RenderRequest};
use crate::index::port::Located;

/// Pictures drawn ahead of the one being sent.
const PICTURES_AHEAD: usize = 3;

/// Formats in the order we like them.
const FORMATS: [Format; 4] = [Format::Jpeg, Format::Png, Format::Gif, Format::Jp2];

/// Which pictures.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The instance that is shown when one picture is wanted.
    pub located: Located,
    /// Its frames, as listed; none: all.
    pub frames: Vec<u32>,
    /// The frame shown when one picture is wanted of many.
    pub lone: u32,
}

/// How they are drawn.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What the parameters say.
    pub request: RenderRequest,
    /// A presentation state over it.
    pub applied: Option<Applied>,
}

/// The form an answer takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    format: Format,
    multipart: bool,
}

/// Pictures of an image, or of all images of a series or study.
pub async fn pictures(asked: &Retrieval, shown: Shown, how: Asked) -> Result<Response, Problem> {
    let several = shown.frames.len() > 1;
    let form = form(asked, several)?;
    let mut how = how;
    how.request.format = form.format;
    check_profile(&how.request)?;
    if form.multipart {
        return many(asked, shown, how).await;
    }
    let of_instance = asked.scope.instance.is_some() && shown.frames.is_empty();
    if form.format == Format::Gif && (several || (of_instance && shown.located.frames > 1)) {
        return moving(asked, &shown, &how).await;
    }
    let frame = shown.frames.first().copied().unwrap_or(shown.lone);
    one(asked, &shown.located, frame, &how).await
}

/// The form the client takes best.
fn form(asked: &Retrieval, several: bool) -> Result<Form, Problem> {
    let forms: Vec<Form> = [false, true]
        .into_iter()
        .flat_map(|multipart| FORMATS.map(|format| Form { format, multipart }))
        .filter(|form| form.multipart || !several || form.format == Format::Gif)
        .collect();
    let offers: Vec<Offer<'_>> = forms
        .iter()
        .map(|form| {
            let (media, multipart) = (form.format.media_type(), form.multipart);
            Offer { media, multipart, syntax: None }
        })
        .collect();
    let chosen = choose(&asked.accept, &offers).and_then(|chosen| forms.get(chosen));
    chosen.copied().ok_or_else(|| {
        let mut reason =
            "pictures are given as image/jpeg, image/png, image/gif or image/jp2, one by \
                          itself or all in multipart/related"
                .to_owned();
        if several {
            reason.push_str("; several frames need multipart/related or image/gif");
        }
        Problem::not_acceptable(reason)
    })
}

/// GIF has no place for a colour profile (PS3.18 §8.3.5.1.5).
pub fn check_profile(request: &RenderRequest) -> Result<(), Problem> {
    let asked = !matches!(request.profile, IccProfile::Unsaid | IccProfile::No);
    if request.format == Format::Gif && asked {
        let reason = "image/gif holds no profile: leave it out, or say no";
        return Err(Problem::bad_parameter("iccprofile", reason));
    }
    Ok(())
}

async fn one(
    asked: &Retrieval,
    located: &Located,
    frame: u32,
    how: &Asked,
) -> Result<Response, Problem> {
    let etag = ETag::strong(&picture_tag(located, frame, &how.request, how.applied.as_ref()));
    if let Some(response) = etag.not_modified(&asked.headers) {
        return Ok(vary(response));
    }
    let (archive, permit, request) = (&asked.archive, &asked.permit, &how.request);
    let picture = archive.rendered(permit, located, frame, request, how.applied.as_ref()).await?;
    Ok(whole(&asked.headers, picture))
}

async fn moving(asked: &Retrieval, shown: &Shown, how: &Asked) -> Result<Response, Problem> {
    let frames = frames_of(&shown.located, &shown.frames);
    let (archive, permit, located) = (&asked.archive, &asked.permit, &shown.located);
    let applied = how.applied.as_ref();
    let picture = archive.cine(permit, located, &frames, &how.request, applied).await?;
    Ok(whole(&asked.headers, picture))
}

async fn many(asked: &Retrieval, shown: Shown, how: Asked) -> Result<Response, Problem> {
    let media = how.request.format.media_type();
    let instances: BoxStream<'static, Result<(Located, Vec<u32>), ArchiveError>> =
        if asked.scope.instance.is_some() {
            let frames = frames_of(&shown.located, &shown.frames);
            stream::iter([Ok((shown.located, frames))]).boxed()
        } else {
            let instances = asked.archive.instances(&asked.permit, &asked.scope).await?;
            // What has no pixels has no picture; it is not left out by mistake.
            let images = instances.try_filter(|located| future::ready(located.frames > 0));
            images.map_ok(|located| (located.clone(), frames_of(&located, &[]))).boxed()
        };
    parts(asked, media, instances, how).await
}

/// Frames of these images as parts, in order, drawn a few ahead.
pub async fn parts(
    asked: &Retrieval,
    media: &'static str,
    instances: BoxStream<'static, Result<(Located, Vec<u32>), ArchiveError>>,
    how: Asked,
) -> Result<Response, Problem> {
    let (archive, permit, urls) = (asked.archive.clone(), asked.permit.clone(), asked.urls.clone());
    let opener = archive.clone();
    let drawables = instances.and_then(move |(located, frames)| {
        let (archive, permit, how) = (opener.clone(), permit.clone(), how.clone());
        async move {
            let applied = how.applied.as_ref();
            let drawable = archive.drawable(&permit, &located, &how.request, applied).await?;
            let each = frames.into_iter().map(move |frame| Ok((drawable.clone(), frame)));
            Ok(stream::iter(each.collect::<Vec<Result<_, ArchiveError>>>()))
        }
    });
    let drawn = drawables.try_flatten().map(move |next| {
        let (archive, urls) = (archive.clone(), urls.clone());
        async move {
            let (drawable, frame) = next?;
            let picture = archive.draw(&drawable, frame).await?;
            let instance = urls.of(&drawable.located.path);
            let location = format!("{instance}/frames/{frame}/rendered");
            Ok(Part::of_bytes(media.to_owned(), location, picture.bytes))
        }
    });
    let mut response = related(media, drawn.buffered(PICTURES_AHEAD)).await?;
    response.headers_mut().insert(CACHE_CONTROL, PRIVATE);
    Ok(vary(response))
}

/// The frames listed, else all.
fn frames_of(located: &Located, listed: &[u32]) -> Vec<u32> {
    if listed.is_empty() { (1..=located.frames).collect() } else { listed.to_vec() }
}

/// An answer of one picture or document that is here already.
pub fn whole(headers: &HeaderMap, picture: Picture) -> Response {
    let etag = ETag::strong(&picture.etag);
    if let Some(response) = etag.not_modified(headers) {
        return vary(response);
    }
    let length = picture.bytes.len();
    let mut response = Body::from(picture.bytes).into_response();
    put(&mut response, CONTENT_TYPE, picture.media_type);
    put(&mut response, CONTENT_LENGTH, &length.to_string());
    etag.write(response.headers_mut());
    vary(response)
}
