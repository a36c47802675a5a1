//! What these routes share: the fascicolo, the public address, places for documents that come.

use axum::extract::FromRef;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::access::permit::Access;
use crate::access::permit::Permit;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::http::base::PublicUrl;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::receiving::Places;

/// State of the routes.
#[derive(Debug, Clone)]
pub struct Door {
    /// The fascicolo.
    pub fascicolo: Fascicolo,
    /// Where absolute URLs begin.
    pub public: PublicUrl,
    /// Places for documents that come.
    pub places: Places,
}

impl FromRef<Door> for Access {
    fn from_ref(door: &Door) -> Self {
        door.fascicolo.access().clone()
    }
}

impl FromRef<Door> for PublicUrl {
    fn from_ref(door: &Door) -> Self {
        door.public.clone()
    }
}

/// Somebody who may look after fascicoli, at their desk.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The fascicolo.
    pub fascicolo: Fascicolo,
    /// What lets them.
    pub permit: Permit,
}

impl FromRequestParts<Door> for Desk {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let Ok(caller) = Caller::from_request_parts(parts, door).await;
        Ok(Self { fascicolo: door.fascicolo.clone(), permit: caller.may_consult()? })
    }
}
