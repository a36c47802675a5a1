//! The routes of FHIR, all below `/fhir` (FHIR R4 §3.1.0).

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::access::record::Recorder;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fhir::capability::metadata;
use crate::fhir::delivery::transaction;
use crate::fhir::door::{Door, ROOT};
use crate::fhir::everything::everything;
use crate::fhir::outcome::Refusal;
use crate::fhir::read::{history, read, read_version};
use crate::fhir::recording::record;
use crate::fhir::search::{search, search_by_post};
use crate::fhir::settings::Settings;
use crate::fhir::subscription::{create, delete};
use crate::http::base::PublicUrl;
use crate::http::receiving::Places;

/// Routes whose request bodies have a limit of their own.
pub const LARGE_BODIES: [&str; 2] = [ROOT, "/fhir/"];

/// The most bytes of a transaction: a document of 36 MB in base64.
const MOST_BYTES: usize = 48 * 1024 * 1024;
/// The most bytes of a search sent in a body.
const MOST_FORM_BYTES: usize = 64 * 1024;

/// All routes. `HEAD` is answered wherever `GET` is.
pub fn router(
    fascicolo: Fascicolo,
    recorder: Recorder,
    public: PublicUrl,
    settings: Settings,
) -> Router {
    let door = Door {
        fascicolo,
        public,
        places: Places::of(MOST_BYTES),
        settings: Arc::new(settings),
        recorder,
    };
    // Around all of them: no route is answered without a record.
    routes().layer(from_fn_with_state(door.clone(), record)).with_state(door)
}

fn routes() -> Router<Door> {
    let below = Router::new()
        .route("/metadata", get(metadata))
        .route("/Patient/{id}/$everything", get(everything))
        .route("/{type}", get(search).post(create))
        .route("/{type}/_search", post(search_by_post))
        .route("/{type}/{id}", get(read).delete(delete))
        .route("/{type}/{id}/_history", get(history))
        .route("/{type}/{id}/_history/{version}", get(read_version))
        .fallback(nothing)
        .layer(DefaultBodyLimit::max(MOST_FORM_BYTES));
    Router::new()
        .route(LARGE_BODIES[0], post(transaction))
        .route(LARGE_BODIES[1], post(transaction))
        .nest(ROOT, below)
        .method_not_allowed_fallback(not_allowed)
}

async fn nothing() -> Refusal {
    let says = "no such interaction; see /fhir/metadata";
    Refusal::new(StatusCode::NOT_FOUND, "not-supported", says)
}

async fn not_allowed(method: Method) -> Refusal {
    let says = format!("{method} is not among this address' methods; see /fhir/metadata");
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "not-supported", says)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::routes;
    use crate::fhir::capability::statement;

    /// Where each interaction of the statement is answered.
    const ANSWERED: [(&str, &str); 9] = [
        ("read", "/fhir/{type}/{id}"),
        ("vread", "/fhir/{type}/{id}/_history/{version}"),
        ("history-instance", "/fhir/{type}/{id}/_history"),
        ("search-type", "/fhir/{type}"),
        ("create", "/fhir/{type}"),
        ("delete", "/fhir/{type}/{id}"),
        ("search-type", "/fhir/{type}/_search"),
        ("transaction", "/fhir"),
        ("everything", "/fhir/Patient/{id}/$everything"),
    ];

    #[test]
    fn every_route_is_in_the_statement_and_all_of_it_is_routed() {
        // axum tells its patterns in no other way.
        let shown = format!("{:?}", routes());
        let quoted = shown.split('"').skip(1).step_by(2);
        let mut routed: BTreeSet<&str> = quoted.filter(|text| text.starts_with("/fhir")).collect();
        routed.retain(|pattern| {
            !pattern.contains("__private") && !["/fhir/", "/fhir/metadata"].contains(pattern)
        });
        let answered: BTreeSet<&str> = ANSWERED.iter().map(|(_, pattern)| *pattern).collect();
        assert_eq!(routed, answered);
        let statement = statement("http://h/fhir");
        let rest = &statement["rest"][0];
        let mut stated: Vec<&Value> = vec![&rest["interaction"][0]["code"]];
        for resource in rest["resource"].as_array().unwrap() {
            let interactions = resource["interaction"].as_array().unwrap();
            stated.extend(interactions.iter().map(|interaction| &interaction["code"]));
            stated
                .extend(resource["operation"].as_array().into_iter().flatten().map(|o| &o["name"]));
        }
        let stated: BTreeSet<&str> =
            stated.into_iter().map(|code| code.as_str().unwrap()).collect();
        assert_eq!(stated, ANSWERED.iter().map(|(code, _)| *code).collect());
    }
}
