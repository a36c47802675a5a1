//! Presentation states as targets: the images they are of, drawn as they say (PS3.18 §8.3.5.1.6).

use axum::response::Response;
use futures::{StreamExt, TryStreamExt, stream};

use crate::dicom::uid::Uid;
use crate::dicomweb::offer::{Offer, choose};
use crate::dicomweb::rendered_pictures::{Asked, Shown, check_profile, parts, pictures};
use crate::dicomweb::wado::Retrieval;
use crate::http::problem::Problem;
use crate::imaging::presentation::Reference;
use crate::imaging::render::{Format, RenderRequest};
use crate::index::port::Located;
use crate::model::path::Scope;

/// Images one state may bring along.
const MAX_IMAGES: usize = 5000;

/// Every image a state is of that is here: one picture by itself, several in parts.
pub async fn presented(
    asked: &Retrieval,
    state: &Located,
    request: RenderRequest,
) -> Result<Response, Problem> {
    let applied = asked.archive.presentation(&asked.permit, state).await?;
    let images = images(asked, &applied.state.references).await?;
    let how = Asked { request, applied: Some(applied) };
    if let [(located, frames)] = images.as_slice()
        && frames.len() == 1
    {
        let lone = frames.first().copied().unwrap_or(1);
        let shown = Shown { located: located.clone(), frames: frames.clone(), lone };
        return pictures(asked, shown, how).await;
    }
    let count: usize = images.iter().map(|(_, frames)| frames.len()).sum();
    let formats = [Format::Jpeg, Format::Png, Format::Jp2];
    let offers =
        formats.map(|format| Offer { media: format.media_type(), multipart: true, syntax: None });
    let chosen = choose(&asked.accept, &offers).and_then(|chosen| formats.get(chosen));
    let format = *chosen.ok_or_else(|| {
        Problem::not_acceptable(format!(
            "the presentation state is of {count} pictures: they are given in multipart/related of \
             image/jpeg, image/png or image/jp2"
        ))
    })?;
    let how = Asked { request: RenderRequest { format, ..how.request }, ..how };
    check_profile(&how.request)?;
    let images = stream::iter(images.into_iter().map(Ok)).boxed();
    parts(asked, format.media_type(), images, how).await
}

/// The images referenced that are here, with their frames, in the state's order.
async fn images(
    asked: &Retrieval,
    references: &[Reference],
) -> Result<Vec<(Located, Vec<u32>)>, Problem> {
    let mut found = Vec::new();
    for reference in references.iter().take(MAX_IMAGES) {
        let Ok(series) = Uid::parse(&reference.series) else { continue };
        let instance = Uid::parse(&reference.instance).ok();
        let scope = Scope { series: Some(series), instance, ..asked.scope.clone() };
        let Ok(instances) = asked.archive.instances(&asked.permit, &scope).await else { continue };
        let images: Vec<Located> = instances.take(MAX_IMAGES).try_collect().await?;
        for located in images.into_iter().filter(|located| located.frames > 0) {
            let frames = match reference.frames.as_slice() {
                [] => (1..=located.frames).collect(),
                some => some.iter().copied().filter(|frame| *frame <= located.frames).collect(),
            };
            found.push((located, frames));
        }
    }
    found.truncate(MAX_IMAGES);
    if found.is_empty() {
        return Err(Problem::not_acceptable(
            "none of the images the presentation state is of is in the archive",
        ));
    }
    Ok(found)
}
