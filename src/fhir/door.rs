//! What the FHIR routes share, and whoever consults the fascicolo through them.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::access::permit::Access;
use crate::access::permit::Permit;
use crate::access::record::Recorder;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fhir::outcome::Refusal;
use crate::fhir::settings::Settings;
use crate::http::base::Base;
use crate::http::base::PublicUrl;
use crate::http::caller::Caller;
use crate::http::query_string::QueryString;
use crate::http::receiving::Places;

/// Where the routes begin.
pub const ROOT: &str = "/fhir";

/// State of the FHIR routes.
#[derive(Debug, Clone)]
pub struct Door {
    /// The fascicolo.
    pub fascicolo: Fascicolo,
    /// Where absolute URLs begin.
    pub public: PublicUrl,
    /// The door's settings.
    pub settings: Arc<Settings>,
    /// Places for transactions.
    pub places: Places,
    /// Who asks for what is told here.
    pub recorder: Recorder,
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

/// Somebody who may read, and where they read from.
#[derive(Debug, Clone)]
pub struct Consultation {
    /// The fascicolo.
    pub fascicolo: Fascicolo,
    /// What lets them.
    pub permit: Permit,
    /// Base URL of FHIR.
    pub base: String,
    /// Base URL of DICOMweb.
    pub dicomweb: String,
}

/// A request to read, decided: what it asks, and what lets it.
#[derive(Debug)]
pub struct Visit {
    /// Who reads, and from where.
    pub consultation: Consultation,
    /// What stands behind the address.
    pub query: QueryString,
    /// Its fields.
    pub headers: HeaderMap,
}

impl FromRequestParts<Door> for Visit {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Refusal> {
        let query = QueryString::from_request_parts(parts, door).await?;
        let base = Base::from_request_parts(parts, door).await?;
        let Ok(caller) = Caller::from_request_parts(parts, door).await;
        let consultation = door.consult(&caller, &base)?;
        Ok(Self { consultation, query, headers: parts.headers.clone() })
    }
}

impl Door {
    /// Lets a caller read, if they may.
    pub fn consult(&self, caller: &Caller, base: &Base) -> Result<Consultation, Refusal> {
        Ok(Consultation {
            fascicolo: self.fascicolo.clone(),
            permit: caller.may_consult()?,
            base: format!("{}{ROOT}", base.0),
            dicomweb: format!("{}/dicom-web", base.0),
        })
    }
}
