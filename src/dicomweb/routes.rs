//! The routes of DICOMweb, all below `/dicom-web` (PS3.18 §10.4.1.1, §10.6.1.1), and the one of the
//! URI service (PS3.18 §9).

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, options, post};
use tokio::sync::Semaphore;

use crate::archive::archive::Archive;
use crate::dicomweb::address::ROOT;
use crate::dicomweb::bin::{BIN, list_bin, restore};
use crate::dicomweb::capabilities::capabilities;
use crate::dicomweb::changes::{LISTENERS, changes};
use crate::dicomweb::commitment::{COMMITMENT, check_commitment, request_commitment};
use crate::dicomweb::deletion::{delete, gone};
use crate::dicomweb::door::{Door, Settings};
use crate::dicomweb::manifest::retrieve_manifest;
use crate::dicomweb::qido::{search_instances, search_series, search_studies};
use crate::dicomweb::stow::store_instances;
use crate::dicomweb::wado::{retrieve_instance, retrieve_instances};
use crate::dicomweb::wado_bulk::retrieve_bulkdata;
use crate::dicomweb::wado_frames::retrieve_frames;
use crate::dicomweb::wado_metadata::retrieve_metadata;
use crate::dicomweb::wado_pixels::{retrieve_instance_pixels, retrieve_pixels};
use crate::dicomweb::wado_rendered::{retrieve_rendered, retrieve_thumbnail};
use crate::dicomweb::wado_uri::retrieve_by_uri;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::http::base::PublicUrl;
use crate::http::openapi::description;

/// Routes whose request bodies the hallway does not bound: STOW-RS reads them as a stream, and a
/// request for commitment has its own bound.
pub const LARGE_BODIES: [&str; 3] = [
    "/dicom-web/studies",
    "/dicom-web/studies/{study}",
    "/dicom-web/commitment-requests/{transaction}",
];

/// Path of the URI service (PS3.18 §9), where archives have it.
pub const WADO_URI: &str = "/wado";

/// All routes. `HEAD` is answered wherever `GET` is.
pub fn router(
    archive: Archive,
    fascicolo: Fascicolo,
    public: PublicUrl,
    settings: Settings,
) -> Router {
    let listeners = Arc::new(Semaphore::new(LISTENERS));
    let door = Door { archive, fascicolo, public, settings: Arc::new(settings), listeners };
    let routes = routes().route_layer(from_fn_with_state(door.clone(), gone));
    Router::new().nest(ROOT, routes.with_state(door.clone())).merge(beside().with_state(door))
}

/// The routes beside the root: the URI service, capabilities of the root itself, the change feed,
/// the description.
fn beside() -> Router<Door> {
    let study = format!("{BIN}/studies/{{study}}");
    let series = format!("{study}/series/{{series}}");
    let mut routes = Router::new().route(BIN, get(list_bin));
    for binned in [format!("{series}/instances/{{instance}}"), series, study] {
        routes = routes.route(&format!("{binned}/restore"), post(restore));
    }
    routes
        .route(ROOT, options(capabilities))
        .route(&format!("{ROOT}/"), options(capabilities))
        .route(WADO_URI, get(retrieve_by_uri))
        .route("/changes", get(changes))
        .route("/openapi.json", get(description))
}

/// The routes below the root, still without what they answer from.
fn routes() -> Router<Door> {
    let study = "/studies/{study}";
    let series = "/studies/{study}/series/{series}";
    let instance = "/studies/{study}/series/{series}/instances/{instance}";
    let frames = "/studies/{study}/series/{series}/instances/{instance}/frames/{frames}";
    let mut routes = Router::new()
        .route("/studies", get(search_studies).merge(post(store_instances)))
        .route(COMMITMENT, get(check_commitment).merge(post(request_commitment)))
        .route("/series", get(search_series))
        .route("/instances", get(search_instances))
        .route(&format!("{study}/series"), get(search_series))
        .route(&format!("{study}/instances"), get(search_instances))
        .route(&format!("{series}/instances"), get(search_instances))
        .route(study, get(retrieve_instances).merge(post(store_instances)))
        .route(series, get(retrieve_instances))
        .route(instance, get(retrieve_instance))
        .route(frames, get(retrieve_frames))
        .route(&format!("{study}/manifest"), get(retrieve_manifest))
        .route(&format!("{study}/pixeldata"), get(retrieve_pixels))
        .route(&format!("{series}/pixeldata"), get(retrieve_pixels))
        .route(&format!("{instance}/pixeldata"), get(retrieve_instance_pixels))
        .route(&format!("{instance}/bulkdata/{{*value}}"), get(retrieve_bulkdata));
    for resource in [study, series, instance] {
        routes = routes
            .route(&format!("{resource}/metadata"), get(retrieve_metadata))
            .route(resource, MethodRouter::new().delete(delete));
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
    use std::collections::BTreeSet;

    use super::{beside, routes};
    use crate::dicomweb::address::ROOT;
    use crate::http::openapi::{documented, patterns};

    #[test]
    fn every_route_is_documented_and_nothing_else_is() {
        let below = patterns(&routes()).into_iter().map(|pattern| format!("{ROOT}{pattern}"));
        let mut served: BTreeSet<String> = below.chain(patterns(&beside())).collect();
        // Of the hallway (`http/health.rs`).
        served.extend(["/healthz", "/readyz", "/metrics"].map(str::to_owned));
        assert!(served.len() > 20, "axum shows no patterns: {served:?}");
        assert_eq!(served, documented(|tag| tag != "Fascicolo"));
    }
}
