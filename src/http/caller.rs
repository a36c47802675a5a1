//! Who asks: turns a request into an [`Actor`], and asks access for its permits.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::request::Parts;

use crate::access::actor::{Actor, Purpose};
use crate::access::permit::{Access, Permit, Subject};
use crate::dicom::uid::Uid;
use crate::http::problem::Problem;

/// Whoever sent the request, and who decides what they may.
#[derive(Debug, Clone)]
pub struct Caller {
    actor: Actor,
    access: Access,
}

impl Caller {
    /// May they read (part of) this study? 404 when not: as if it were not there.
    pub fn may_read(&self, study: &Uid) -> Result<Permit, Problem> {
        self.ask(Subject::Study(study.clone()))
    }

    /// May they search? What they find is limited to what they may know of.
    pub fn may_search(&self) -> Result<Permit, Problem> {
        self.ask(Subject::Searching)
    }

    /// May they store?
    pub fn may_store(&self) -> Result<Permit, Problem> {
        self.ask(Subject::Storing)
    }

    /// May they delete?
    pub fn may_delete(&self) -> Result<Permit, Problem> {
        self.ask(Subject::Archive)
    }

    /// May they follow what happens in the archive?
    pub fn may_follow(&self) -> Result<Permit, Problem> {
        self.ask(Subject::Archive)
    }

    /// May they consult fascicoli, and bring documents to them?
    pub fn may_consult(&self) -> Result<Permit, Problem> {
        self.ask(Subject::Archive)
    }

    /// Who they are.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Where they ask from, when it is known.
    pub fn address(&self) -> Option<SocketAddr> {
        match self.actor {
            Actor::Anonymous { address } | Actor::Node { address, .. } => address,
            Actor::Operator | Actor::System => None,
        }
    }

    fn ask(&self, subject: Subject) -> Result<Permit, Problem> {
        Ok(self.access.permit(&self.actor, Purpose::Care, subject)?)
    }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Access: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
        Ok(Self { actor: Actor::Anonymous { address }, access: Access::from_ref(state) })
    }
}
