//! The routes of DICOMweb, all below `/dicom-web` (PS3.18 §10.4.1.1, §10.6.1.1).

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::archive::archive::Archive;
use crate::dicomweb::address::ROOT;
use crate::dicomweb::door::{Door, Settings};
use crate::dicomweb::qido::{search_instances, search_series, search_studies};
use crate::dicomweb::stow::store_instances;
use crate::dicomweb::wado::{retrieve_instance, retrieve_instances};
use crate::dicomweb::wado_bulk::retrieve_bulkdata;
use crate::dicomweb::wado_frames::retrieve_frames;
use crate::dicomweb::wado_metadata::retrieve_metadata;
use crate::dicomweb::wado_pixels::{retrieve_instance_pixels, retrieve_pixels};
use crate::dicomweb::wado_rendered::{retrieve_rendered, retrieve_thumbnail};
use crate::http::base::PublicUrl;

/// Routes whose request bodies may have any length: STOW-RS reads them as a stream.
pub const LARGE_BODIES: &[&str] = &["/dicom-web/studies", "/dicom-web/studies/{study}"];

/// All routes. `HEAD` is answered wherever `GET` is.
pub fn router(archive: Archive, public: PublicUrl, settings: Settings) -> Router {
    let door = Door { archive, public, settings: Arc::new(settings) };
    Router::new().nest(ROOT, routes().with_state(door))
}

/// The routes below the root, still without what they answer from.
fn routes() -> Router<Door> {
    let study = "/studies/{study}";
    let series = "/studies/{study}/series/{series}";
    let instance = "/studies/{study}/series/{series}/instances/{instance}";
    let frames = "/studies/{study}/series/{series}/instances/{instance}/frames/{frames}";
    let mut routes = Router::new()
        .route("/studies", get(search_studies).merge(post(store_instances)))
        .route("/series", get(search_series))
        .route("/instances", get(search_instances))
        .route(&format!("{study}/series"), get(search_series))
        .route(&format!("{study}/instances"), get(search_instances))
        .route(&format!("{series}/instances"), get(search_instances))
        .route(study, get(retrieve_instances).merge(post(store_instances)))
        .route(series, get(retrieve_instances))
        .route(instance, get(retrieve_instance))
        .route(frames, get(retrieve_frames))
        .route(&format!("{study}/pixeldata"), get(retrieve_pixels))
        .route(&format!("{series}/pixeldata"), get(retrieve_pixels))
        .route(&format!("{instance}/pixeldata"), get(retrieve_instance_pixels))
        .route(&format!("{instance}/bulkdata/{{*value}}"), get(retrieve_bulkdata));
    for resource in [study, series, instance] {
        routes = routes.route(&format!("{resource}/metadata"), get(retrieve_metadata));
    }
    for resource in [study, series, instance, frames] {
        routes = routes
            .route(&format!("{resource}/rendered"), get(retrieve_rendered))
            .route(&format!("{resource}/thumbnail"), get(retrieve_thumbnail));
    }
    routes
}

#[cfg(test)]
mod tests {
    use super::routes;

    #[test]
    fn no_two_routes_collide() {
        assert!(routes().has_routes());
    }
}
