//! Every request to this door on record (IHE BALP): who asked what, what became of it, and whose data the
//! answer holds. What cannot be recorded does not leave.

use std::collections::BTreeSet;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

use crate::fhir::door::{Door, ROOT};
use crate::fhir::kind::Kind;
use crate::fhir::outcome::Refusal;
use crate::fhir::resource::Resource;
use crate::http::caller::Caller;
use crate::http::layers::{REQUEST_ID, RequestId};
use crate::http::problem::{Problem, RETRY_AFTER_S};
use crate::model::access::{Interaction, MOST_NAME, MOST_QUERY, MOST_USER_AGENT};
use crate::model::access::{NewAccess, bounded, cut};
use crate::model::ids;

/// Whose data an answer holds. An answer that succeeds carries it among its extensions, or does not leave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    people: BTreeSet<i64>,
    made: Option<(Kind, String)>,
}

/// The part of a question that came in a body; among an answer's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InBody(pub String);

impl Shown {
    /// Nobody's.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// Theirs whose these resources are.
    pub fn of<'a>(resources: impl IntoIterator<Item = &'a Resource>) -> Self {
        Self::nobody().and(resources.into_iter().filter_map(|resource| resource.person))
    }

    /// And theirs.
    #[must_use]
    pub fn and(mut self, people: impl IntoIterator<Item = i64>) -> Self {
        self.people.extend(people);
        self
    }

    /// The request made this.
    #[must_use]
    pub fn made(self, kind: Kind, id: &str) -> Self {
        Self { made: Some((kind, id.to_owned())), ..self }
    }

    /// Puts it with an answer.
    pub fn on(self, mut answer: Response) -> Response {
        answer.extensions_mut().insert(self);
        answer
    }
}

/// Middleware around all routes: the record first, then the answer.
pub async fn record(
    State(door): State<Door>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Response {
    let Some(noted) = Noted::of(&request) else { return next.run(request).await };
    let mut answer = next.run(request).await;
    let told = noted.told(&caller, &mut answer);
    match door.recorder.record(told).await {
        Ok(()) => answer,
        Err(_) => unrecorded().into_response(),
    }
}

fn unrecorded() -> Refusal {
    let says =
        "the access cannot be recorded now, and nothing is given that is not on record: try again";
    let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "transient", says);
    Refusal { retry_after_s: Some(RETRY_AFTER_S), ..refusal }
}

/// What a request says of itself.
struct Noted {
    interaction: Interaction,
    kind: String,
    item: String,
    version: String,
    query: String,
    user_agent: String,
    request: String,
}

impl Noted {
    /// `None`: it asks what there is, and that is nobody's.
    fn of(request: &Request) -> Option<Self> {
        let path = request.uri().path();
        let rest = path.strip_prefix(ROOT).unwrap_or(path).trim_start_matches('/');
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let parts: Vec<String> = rest.splitn(6, '/').map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let interaction = interaction(request.method(), &parts)?;
        let part = |at: usize| bounded(parts.get(at).copied().unwrap_or_default(), MOST_NAME);
        let is_item = !matches!(interaction, Interaction::SearchType | Interaction::Create);
        let target = request.uri().path_and_query().map_or(path, |target| target.as_str());
        let says_all = !matches!(interaction, Interaction::SearchType | Interaction::Operation);
        let query = if says_all && request.uri().query().is_none() {
            String::new()
        } else {
            format!("{} {target}", request.method())
        };
        Some(Self {
            interaction,
            kind: part(0),
            item: if is_item { part(1) } else { String::new() },
            version: if interaction == Interaction::Vread { part(3) } else { String::new() },
            query,
            user_agent: bounded(&field(request, "user-agent"), MOST_USER_AGENT),
            request: request_id(request),
        })
    }

    /// The access, once its answer is known; one that does not say whose data it holds is taken back.
    fn told(self, caller: &Caller, answer: &mut Response) -> NewAccess {
        let shown = answer.extensions_mut().remove::<Shown>();
        let in_body = answer.extensions_mut().remove::<InBody>();
        let status = answer.status();
        if shown.is_none() && !status.is_client_error() && !status.is_server_error() {
            tracing::error!("an answer that does not say whose data it holds was not given");
            *answer = Refusal::from(Problem::internal()).into_response();
        }
        let Shown { mut people, made } = shown.unwrap_or_default();
        if self.kind == Kind::Patient.name() {
            people.extend(ids::person(&self.item));
        }
        let query = match in_body {
            Some(InBody(body)) if !body.is_empty() => format!("{}\n\n{body}", self.query),
            _ => self.query,
        };
        let (kind, item) =
            made.map_or((self.kind, self.item), |(kind, id)| (kind.name().to_owned(), id));
        NewAccess {
            who: caller.actor().who(),
            user_agent: self.user_agent,
            interaction: self.interaction,
            kind,
            item,
            version: self.version,
            query: cut(query, MOST_QUERY),
            request: self.request,
            status: answer.status().as_u16(),
            people,
        }
    }
}

/// What a request asks, by its method and the parts of its path below the root.
fn interaction(method: &Method, parts: &[&str]) -> Option<Interaction> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    Some(match (method, parts) {
        (_, ["metadata"]) if reads => return None,
        (_, [kind]) if reads && !kind.is_empty() => Interaction::SearchType,
        (_, [_, _]) if reads => Interaction::Read,
        (_, [_, _, "_history"]) if reads => Interaction::HistoryInstance,
        (_, [_, _, "_history", _]) if reads => Interaction::Vread,
        (&Method::POST, [""]) => Interaction::Transaction,
        (&Method::POST, [_]) => Interaction::Create,
        (&Method::POST, [_, "_search"]) => Interaction::SearchType,
        (&Method::PUT, _) => Interaction::Update,
        (&Method::PATCH, _) => Interaction::Patch,
        (&Method::DELETE, _) => Interaction::Delete,
        _ => Interaction::Operation,
    })
}

/// What names the request: in the client's own log where it says so, else in ours.
fn request_id(request: &Request) -> String {
    let own = field(request, REQUEST_ID.as_str());
    let is_id = (1..=MOST_NAME).contains(&own.len()) && own.bytes().all(|b| b.is_ascii_graphic());
    let ours = request.extensions().get::<RequestId>();
    if is_id { own } else { ours.map(|id| id.0.clone()).unwrap_or_default() }
}

fn field(request: &Request, name: &str) -> String {
    let value = request.headers().get(name);
    value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::FromRequestParts;
    use axum::http::{Method, Request};
    use axum::response::{IntoResponse, Response};
    use proptest::prelude::*;

    use super::{InBody, Noted, Shown};
    use crate::access::permit::Access;
    use crate::fhir::kind::Kind;
    use crate::http::caller::Caller;
    use crate::model::access::{MOST_NAME, MOST_QUERY, cut};

    fn noted(method: &str, uri: &str) -> Option<Noted> {
        let request = Request::builder().method(method).uri(uri);
        Noted::of(&request.header("user-agent", "curl").body(Body::empty()).unwrap())
    }

    #[test]
    fn what_is_asked_is_read_off_method_and_path() {
        for (method, uri, expected) in [
            ("GET", "/fhir/Patient?name=x", "search-type Patient  GET /fhir/Patient?name=x"),
            ("POST", "/fhir/Patient/_search", "search-type Patient  POST /fhir/Patient/_search"),
            ("GET", "/fhir/Patient/a%62", "read Patient ab "),
            (
                "HEAD",
                "/fhir/Binary/1?_format=json",
                "read Binary 1 HEAD /fhir/Binary/1?_format=json",
            ),
            ("GET", "/fhir/Patient/a/_history", "history-instance Patient a "),
            ("GET", "/fhir/Patient/a/_history/v", "vread Patient a "),
            (
                "GET",
                "/fhir/Patient/a/$everything",
                "operation Patient a GET /fhir/Patient/a/$everything",
            ),
            ("POST", "/fhir", "transaction   "),
            ("POST", "/fhir/", "transaction   "),
            ("POST", "/fhir/Subscription", "create Subscription  "),
            ("DELETE", "/fhir/Subscription/s", "delete Subscription s "),
            ("PUT", "/fhir/AuditEvent/s", "update AuditEvent s "),
            ("PATCH", "/fhir/AuditEvent/s", "patch AuditEvent s "),
            ("GET", "/fhir", "operation   GET /fhir"),
            ("GET", "/fhir/a/b/c/d/e/f/g/h", "operation a b GET /fhir/a/b/c/d/e/f/g/h"),
            ("OPTIONS", "/fhir/Patient", "operation Patient  OPTIONS /fhir/Patient"),
        ] {
            let noted = noted(method, uri).unwrap();
            let (kind, item, query) = (&noted.kind, &noted.item, &noted.query);
            let said = format!("{} {kind} {item} {query}", noted.interaction.as_str());
            assert_eq!(said, expected, "{method} {uri}");
            assert_eq!(noted.user_agent, "curl");
        }
        assert_eq!(noted("GET", "/fhir/Patient/a/_history/v").unwrap().version, "v");
        assert!(noted("GET", "/fhir/metadata?_format=json").is_none());
    }

    async fn told(uri: &str, mut answer: Response) -> (crate::model::access::NewAccess, u16) {
        let (mut parts, ()) = Request::new(()).into_parts();
        let Ok(caller) = Caller::from_request_parts(&mut parts, &Access::default()).await;
        let told = noted("POST", uri).unwrap().told(&caller, &mut answer);
        assert!(answer.extensions().is_empty());
        (told, answer.status().as_u16())
    }

    #[tokio::test]
    async fn an_answer_that_does_not_say_whose_data_it_holds_is_not_given() {
        let (forgotten, status) = told("/fhir/Patient/_search", "data".into_response()).await;
        assert_eq!((status, forgotten.status), (500, 500));
        let mut answer = Shown::nobody().and([7]).on("data".into_response());
        answer.extensions_mut().insert(InBody("name=x".to_owned()));
        let (searched, status) = told("/fhir/Patient/_search", answer).await;
        assert_eq!((status, searched.status, searched.people.len()), (200, 200, 1));
        assert_eq!(searched.query, "POST /fhir/Patient/_search\n\nname=x");
        let made = Shown::nobody().made(Kind::DiagnosticReport, "r");
        let (brought, _) = told("/fhir", made.on("said".into_response())).await;
        assert_eq!((brought.kind.as_str(), brought.item.as_str()), ("DiagnosticReport", "r"));
    }

    proptest! {
        #[test]
        fn no_request_panics_and_what_is_kept_is_bounded(
            path in "/fhir(/[^?# ]{0,90}){0,8}", query in "[a-z=&%0-9]{0,40}"
        ) {
            let uri: String = percent_encoding::utf8_percent_encode(&path, percent_encoding::CONTROLS)
                .to_string();
            let uri = format!("{uri}?{query}");
            for method in [Method::GET, Method::POST, Method::PUT] {
                let Ok(request) = Request::builder().method(method).uri(&uri).body(Body::empty()) else {
                    continue;
                };
                if let Some(noted) = Noted::of(&request) {
                    prop_assert!(noted.kind.len() <= MOST_NAME && noted.item.len() <= MOST_NAME);
                    prop_assert!(cut(noted.query, MOST_QUERY).len() <= MOST_QUERY);
                }
            }
        }
    }
}
