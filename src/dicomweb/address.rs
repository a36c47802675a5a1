//! Addresses of DICOM resources: read from paths, written into answers (PS3.18 §8.2, §10.1.1).

use axum::extract::{FromRef, FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use crate::dicom::uid::Uid;
use crate::http::base::{Base, PublicUrl, Segment};
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::model::path::{InstancePath, Scope};
use crate::people::patient_id::PatientId;

/// Path of the service below the public address.
pub const ROOT: &str = "/dicom-web";

/// What a request's path names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// `{study}`
    pub study: Option<Uid>,
    /// `{series}`
    pub series: Option<Uid>,
    /// `{instance}`
    pub instance: Option<Uid>,
    /// `{frames}`, unread.
    pub frames: Option<String>,
    /// `{*value}`: path of a bulk value below its instance.
    pub value: Option<String>,
}

impl Place {
    /// The study, series or instance named.
    pub fn scope(&self) -> Result<Scope, Problem> {
        Ok(Scope {
            study: self.study.clone().ok_or_else(Problem::not_found)?,
            series: self.series.clone(),
            instance: self.instance.clone(),
            patient: None,
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parameters = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::bad_request("the address is not UTF-8"))?;
        let mut place = Self::default();
        for (name, value) in &parameters {
            // What cannot be an identifier is no resource's name.
            let uid = || Uid::parse(value).map(Some).map_err(|_| Problem::not_found());
            match name {
                "study" => place.study = uid()?,
                "series" => place.series = uid()?,
                "instance" => place.instance = uid()?,
                "frames" => place.frames = Some(value.to_owned()),
                "value" => place.value = Some(value.to_owned()),
                _ => {}
            }
        }
        Ok(place)
    }
}

/// The instance a scope names, or 404.
pub fn instance_path(scope: &Scope) -> Result<InstancePath, Problem> {
    match (&scope.series, &scope.instance) {
        (Some(series), Some(instance)) => Ok(InstancePath {
            study: scope.study.clone(),
            series: series.clone(),
            instance: instance.clone(),
        }),
        _ => Err(Problem::not_found()),
    }
}

/// The patient a request names beside its path, `?PatientID=…&IssuerOfPatientID=…`: which of two
/// studies is meant that share a Study Instance UID. Values with wildcards name nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AskedPatient {
    value: Option<String>,
    issuer: Option<String>,
}

impl AskedPatient {
    /// Reads it from the query.
    pub fn of(query: &QueryString) -> Self {
        let exact = |keyword: &str, tag: &str| {
            let value = query.all(keyword).next().or_else(|| query.all(tag).next());
            let value = value.map(str::trim).filter(|value| !value.contains(['*', '?']));
            value.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        Self {
            value: exact("PatientID", "00100020"),
            issuer: exact("IssuerOfPatientID", "00100021"),
        }
    }

    /// Whether the request names anybody.
    pub fn is_given(&self) -> bool {
        self.value.is_some() || self.issuer.is_some()
    }

    /// Whether it means this patient.
    pub fn is(&self, patient: &PatientId) -> bool {
        self.value.as_ref().is_none_or(|value| *value == patient.value)
            && self.issuer.as_ref().is_none_or(|issuer| *issuer == patient.issuer)
    }
}

/// Writes absolute URLs of resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urls {
    root: String,
}

impl Urls {
    /// URLs below `base`.
    pub fn new(base: &Base) -> Self {
        Self { root: format!("{}{ROOT}", base.0) }
    }

    /// The service itself: `http://host/dicom-web`.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// A study's.
    pub fn study(&self, study: &Uid) -> String {
        format!("{}/studies/{}", self.root, Segment(study.as_str()))
    }

    /// A series'.
    pub fn series(&self, study: &Uid, series: &Uid) -> String {
        format!("{}/series/{}", self.study(study), Segment(series.as_str()))
    }

    /// An instance's.
    pub fn instance(&self, study: &Uid, series: &Uid, instance: &Uid) -> String {
        format!("{}/instances/{}", self.series(study, series), Segment(instance.as_str()))
    }

    /// An instance's, by its path.
    pub fn of(&self, path: &InstancePath) -> String {
        self.instance(&path.study, &path.series, &path.instance)
    }
}

/// The query that tells a study from another of the same UID: `?PatientID=…&IssuerOfPatientID=…`.
pub fn patient_query(patient: &PatientId) -> String {
    let mut query = format!("?PatientID={}", Segment(&patient.value));
    if !patient.issuer.is_empty() {
        query.push_str("&IssuerOfPatientID=");
        query.push_str(&Segment(&patient.issuer).to_string());
    }
    query
}

impl<S> FromRequestParts<S> for Urls
where
    S: Send + Sync,
    PublicUrl: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self::new(&Base::from_request_parts(parts, state).await?))
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::get;
    use http_body_util::BodyExt;
    use proptest::prelude::*;
    use tower::ServiceExt;

    use super::{AskedPatient, Place, Urls, patient_query};
    use crate::dicom::uid::Uid;
    use crate::http::base::Base;
    use crate::http::query_string::QueryString;
    use crate::people::patient_id::PatientId;

    async fn place_of(uri: &str) -> (u16, String) {
        let router = Router::new().route(
            "/dicom-web/studies/{study}/series/{series}",
            get(|place: Place| async move {
                format!("{}|{}", place.study.unwrap(), place.series.unwrap())
            }),
        );
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn odd_identifiers_go_out_and_come_back() {
        let urls = Urls::new(&Base(String::new()));
        let uid = |text: &str| Uid::parse(text).unwrap();
        for (study, series) in [("1.2.3", "1.2"), ("not a uid/%?#", "ü&=+"), ("a.b", "~_-")] {
            let url = urls.series(&uid(study), &uid(series));
            assert_eq!(place_of(&url).await, (200, format!("{study}|{series}")), "{url}");
        }
        let long = format!("/dicom-web/studies/{}/series/1", "1".repeat(200));
        assert_eq!(place_of(&long).await.0, 404);
        assert_eq!(place_of("/dicom-web/studies/%FF/series/1").await.0, 400);
    }

    #[test]
    fn a_patient_is_named_by_id_and_issuer() {
        let patient = PatientId { issuer: "A&B".into(), value: "7 ü".into() };
        let query = patient_query(&patient);
        assert_eq!(query, "?PatientID=7%20%C3%BC&IssuerOfPatientID=A%26B");
        let asked = AskedPatient::of(&QueryString::parse(query.trim_start_matches('?')).unwrap());
        assert!(asked.is_given() && asked.is(&patient));
        assert!(!asked.is(&PatientId { issuer: "C".into(), value: "7 ü".into() }));
        let wild = AskedPatient::of(&QueryString::parse("PatientID=7*").unwrap());
        assert!(!wild.is_given());
    }

    proptest! {
        #[test]
        fn a_segment_has_no_reserved_characters(text in "[^\\x00-\\x1f\\x7f-\\x9f\\\\]{1,20}") {
            if let Ok(uid) = Uid::parse(&text) {
                let url = Urls::new(&Base(String::new())).study(&uid);
                let segment = url.strip_prefix("/dicom-web/studies/").unwrap();
                prop_assert!(segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
            }
        }
    }
}
