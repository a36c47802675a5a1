//! Why the archive could not start, by what the operator can do.

use std::path::PathBuf;

/// A failure to start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process serves this data folder.
    #[error("{} is served by another process", .0.display())]
    Locked(PathBuf),
    /// The data folder cannot be made or written.
    #[error("data folder {}: {reason}", path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A port cannot be opened.
    #[error("{door} cannot listen on {address}: {reason}")]
    Listen {
        /// `HTTP` or `DICOM`.
        door: &'static str,
        /// The address.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// `http.public_url` is no URL answers can begin with.
    #[error("http.public_url: {0}")]
    PublicUrl(String),
    /// `http.cors_origins` names what is no origin.
    #[error(transparent)]
    Origins(#[from] crate::http::cors::BadOrigin),
    /// A webhook cannot be served as it stands.
    #[error(transparent)]
    Webhook(#[from] crate::dicomweb::webhooks::BadWebhook),
    /// Nobody can be told of what they subscribed to.
    #[error("subscriptions: {0}")]
    Subscribers(String),
    /// Nothing can be published at the national gateway by these settings.
    #[error(transparent)]
    Gateway(#[from] crate::gateway::settings::BadSettings),
    /// `attributes` declares what cannot be searched.
    #[error("attributes: {0}")]
    Attributes(#[from] crate::dicom::extended::BadDeclaration),
    /// Background work could not be queued.
    #[error("{0}")]
    Work(#[from] crate::archive::error::ArchiveError),
    /// The outbox of the national gateway could not be queued.
    #[error("{0}")]
    Outbox(#[from] crate::fascicolo::error::FascicoloError),
    /// The index cannot be opened.
    #[error("index: {0}")]
    Index(#[from] crate::index::error::IndexError),
    /// The blob store cannot be opened.
    #[error("blob store: {0}")]
    Blobs(#[from] crate::blobs::error::BlobError),
    /// The viewer named by `web.ohif_dir` cannot be put in place.
    #[error("web.ohif_dir: {0}")]
    Viewer(#[from] crate::web::prepare::PrepareError),
    /// The imaging pool cannot be started.
    #[error("imaging pool: {0}")]
    Imaging(#[from] crate::imaging::error::ImagingError),
}
