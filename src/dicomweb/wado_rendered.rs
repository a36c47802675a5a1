//! WADO-RS: pictures and documents for looking at (PS3.18 §10.4.1.1.3, §10.4.1.1.4).

use axum::response::Response;

use crate::archive::picture::Picture;
use crate::archive::show::{Kind, kind_of};
use crate::dicomweb::frame_list;
use crate::dicomweb::offer::{Offer, choose};
use crate::dicomweb::qido::warn;
use crate::dicomweb::rendered_documents::{encapsulated, report};
use crate::dicomweb::rendered_params::{
    check_presentation, of_rendered, of_thumbnail, unknown_of_rendered, unknown_of_thumbnail,
};
use crate::dicomweb::rendered_pictures::{Asked, Shown, pictures, whole};
use crate::dicomweb::rendered_presentation::presented;
use crate::dicomweb::wado::Retrieval;
use crate::http::problem::Problem;

const JPEG: Offer<'static> = Offer { media: "image/jpeg", multipart: false, syntax: None };

/// Retrieve Rendered: `GET …/rendered` of a study, series, instance or frames. By itself one picture
/// (of a study or series the middle of it), one moving picture or one document; in multipart
/// everything there is to see.
pub async fn retrieve_rendered(asked: Retrieval) -> Result<Response, Problem> {
    let request = of_rendered(&asked.query)?;
    let listed = listed_frames(&asked)?;
    let located = asked.archive.to_show(&asked.permit, &asked.scope).await?;
    let mut response = match kind_of(&located) {
        Kind::Image => {
            let frames = listed.unwrap_or_default();
            let lone = asked.archive.middle_frame(&located)?;
            pictures(&asked, Shown { located, frames, lone }, Asked { request, applied: None })
                .await
        }
        Kind::Presentation => {
            check_presentation(&asked.query, &request)?;
            presented(&asked, &located, request).await
        }
        Kind::Report => report(&asked, &located).await,
        Kind::Encapsulated => encapsulated(&asked, &located).await,
        Kind::Other => Err(Problem::not_acceptable(
            "the object has neither pixels nor text that could be shown",
        )),
    }?;
    tell_unknown(&mut response, &asked, &unknown_of_rendered(&asked.query));
    Ok(response)
}

/// Retrieve Thumbnail: `GET …/thumbnail` of a study, series, instance or frame: one JPEG.
pub async fn retrieve_thumbnail(asked: Retrieval) -> Result<Response, Problem> {
    let frame = match listed_frames(&asked)?.as_deref() {
        None => None,
        Some([frame]) => Some(*frame),
        Some(_) => return Err(Problem::not_acceptable("a thumbnail is of one frame at a time")),
    };
    let viewport = of_thumbnail(&asked.query)?;
    if choose(&asked.accept, &[JPEG]).is_none() {
        return Err(Problem::not_acceptable("thumbnails are given as image/jpeg"));
    }
    let (archive, permit, scope) = (&asked.archive, &asked.permit, &asked.scope);
    let picture: Picture = archive.thumbnail(permit, scope, frame, viewport).await?;
    let mut response = whole(&asked.headers, picture);
    tell_unknown(&mut response, &asked, &unknown_of_thumbnail(&asked.query));
    Ok(response)
}

/// The frames the path names; `None` when it names none.
fn listed_frames(asked: &Retrieval) -> Result<Option<Vec<u32>>, Problem> {
    asked.place.frames.as_deref().map(frame_list::parse).transpose()
}

/// Parameters that are not supported are ignored, and told (PS3.18 §6.2).
pub fn tell_unknown(response: &mut Response, asked: &Retrieval, names: &[&str]) {
    if !names.is_empty() {
        let text = format!("The following query parameters are not supported: {}", names.join(","));
        warn(response, &asked.urls, &text);
    }
}
