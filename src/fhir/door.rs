//! What the FHIR routes share, and whoever consults the fascicolo through them.

use std::sync::Arc;

use axum::extract::FromRef;
use tokio::sync::Semaphore;

use crate::access::permit::Access;
use crate::access::permit::Permit;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fhir::outcome::Refusal;
use crate::http::base::Base;
use crate::http::base::PublicUrl;
use crate::http::caller::Caller;

/// Where the routes begin.
pub const ROOT: &str = "/fhir";

/// State of the FHIR routes.
#[derive(Debug, Clone)]
pub struct Door {
    /// The fascicolo.
    pub fascicolo: Fascicolo,
    /// Where absolute URLs begin.
    pub public: PublicUrl,
    /// Places for transactions.
    pub deliveries: Arc<Semaphore>,
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
