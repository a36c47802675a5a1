//! The routes: documented in the OpenAPI document under the tag `Fascicolo`.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use axum::routing::post;

use crate::api::completeness::completeness;
use crate::api::documents::bring;
use crate::api::documents::content;
use crate::api::documents::document;
use crate::api::documents::rendered;
use crate::api::door::Door;
use crate::api::links::link;
use crate::api::links::links;
use crate::api::links::unlink;
use crate::api::people::alike;
use crate::api::people::fascicolo;
use crate::api::people::find;
use crate::api::people::merge;
use crate::api::people::person;
use crate::api::people::unmerge;
use crate::api::priors::priors;
use crate::api::queue::decide;
use crate::api::queue::queue;
use crate::api::reports::reports;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::intake::MAX_BYTES;
use crate::http::base::PublicUrl;
use crate::http::receiving::Places;

/// Routes whose request bodies have a limit of their own.
pub const LARGE_BODIES: [&str; 1] = ["/documents"];

/// The most bytes of a decision.
const MOST_SAID: usize = 64 * 1024;

/// All routes. `HEAD` is answered wherever `GET` is.
pub fn router(fascicolo: Fascicolo, public: PublicUrl) -> Router {
    routes().with_state(Door { fascicolo, public, places: Places::of(MAX_BYTES) })
}

fn routes() -> Router<Door> {
    Router::new()
        .route("/people", get(find))
        .route("/people/{person}", get(person))
        .route("/people/{person}/fascicolo", get(fascicolo))
        .route("/people/{person}/alike", get(alike))
        .route("/people/{person}/merges", post(merge))
        .route("/merges/{merge}/undo", post(unmerge))
        .route("/links", get(links).post(link))
        .route("/links/{link}/undo", post(unlink))
        .route("/queue", get(queue))
        .route("/queue/{item}", post(decide))
        .route("/documents/{document}", get(document))
        .route("/documents/{document}/content", get(content))
        .route("/documents/{document}/rendered", get(rendered))
        .route("/completeness", get(completeness))
        .route("/priors", get(priors))
        .route("/reports", get(reports))
        .layer(DefaultBodyLimit::max(MOST_SAID))
        .route(LARGE_BODIES[0], post(bring))
}

#[cfg(test)]
mod tests {
    use super::routes;
    use crate::http::openapi::{documented, patterns};

    #[test]
    fn every_route_is_documented_and_nothing_else_is() {
        let served = patterns(&routes());
        assert!(served.len() > 10, "axum shows no patterns: {served:?}");
        assert_eq!(served, documented(|tag| tag == "Fascicolo"));
    }
}
