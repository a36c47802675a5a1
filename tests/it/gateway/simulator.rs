//! The national gateway as its documentation describes it ("Interfaccia REST Gateway" of
//! it-fse-support): mutual TLS, both tokens, the form, the hash, the order of calls, one publication a
//! document. It remembers everything it should never have been asked.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use axum::routing::put;
use lastra::clock::SharedClock;
use lastra::hl7::cda::document::ClinicalDocument;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificates::Certificates;
use super::claims::Wrong;
use super::claims::about;
use super::claims::verified;

/// What goes wrong with one call.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// It answers that, and does nothing.
    Refuse(u16, &'static str),
    /// It takes the request and never answers.
    Mute,
    /// It never answers and does nothing.
    Deaf,
    /// It forgets all validations, then goes on.
    Forget,
    /// It takes the request and cannot hand it to the national index.
    IndexFails,
}

/// A document as the national index has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Published {
    pub(super) times: u32,
    pub(super) replaced: Option<String>,
    pub(super) deleted: bool,
    /// Rules of access, one list an update of its metadata.
    pub(super) rules: Vec<Value>,
    pub(super) file: Vec<u8>,
    pub(super) request: Value,
}

#[derive(Default)]
pub(super) struct Memory {
    /// Transactions: hash of the CDA that was found valid.
    validated: BTreeMap<String, String>,
    events: BTreeMap<String, Vec<Value>>,
    pub(super) published: BTreeMap<String, Published>,
    /// Calls in their order: `POST /documents`.
    pub(super) calls: Vec<String>,
    /// What it should never have been asked.
    pub(super) violations: Vec<String>,
    faults: BTreeMap<&'static str, VecDeque<Fault>>,
    tokens: HashSet<String>,
    transactions: u64,
}

pub(super) struct Simulator {
    pub(super) url: String,
    pub(super) certificates: Arc<Certificates>,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    memory: Mutex<Memory>,
    url: String,
    clock: SharedClock,
    certificates: Arc<Certificates>,
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Simulator {
    pub(super) async fn start(clock: SharedClock) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificates = Arc::new(Certificates::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/gateway/v1", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            memory: Mutex::default(),
            url: url.clone(),
            clock,
            certificates: Arc::clone(&certificates),
        });
        let routes = Router::new()
            .route("/documents/validation", post(validation))
            .route("/documents", post(create))
            .route("/documents/{id}", put(replace).delete(delete))
            .route("/documents/{id}/metadata", put(metadata))
            .route("/status/{workflow}", get(status));
        let router = Router::new().nest("/gateway/v1", routes).with_state(Arc::clone(&shared));
        let tls = Tls { listener, acceptor: acceptor(&certificates) };
        let task = tokio::spawn(async move { axum::serve(tls, router).await.unwrap() });
        Self { url, certificates, shared, task }
    }

    /// The next calls of that name go wrong so; `validation`, `create`, `replace`, `delete`,
    /// `metadata`, `status`.
    pub(super) fn fault(&self, call: &'static str, fault: Fault) {
        self.with(|memory| memory.faults.entry(call).or_default().push_back(fault));
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Memory) -> T) -> T {
        look(&mut self.shared.memory.lock().unwrap())
    }

    /// Calls of that kind so far.
    pub(super) fn calls(&self, call: &str) -> usize {
        self.with(|memory| memory.calls.iter().filter(|made| *made == call).count())
    }

    /// Nothing was asked that should not have been.
    pub(super) fn expect_no_violation(&self) {
        self.with(|memory| assert!(memory.violations.is_empty(), "{:#?}", memory.violations));
    }
}

type Answer = Result<Response, Refusal>;

struct Refusal(u16, &'static str, &'static str, String);

impl From<Wrong> for Refusal {
    fn from((instance, text): Wrong) -> Self {
        Self(403, "/msg/jwt-validation", instance, text)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, kind, instance, detail) = self;
        let body = json!({ "traceID": "trace", "spanID": "span", "type": kind, "title": "Errore.",
            "detail": detail, "status": status, "instance": instance });
        let status = StatusCode::from_u16(status).unwrap();
        (status, [(CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}

fn refuse<T>(
    status: u16,
    kind: &'static str,
    instance: &'static str,
    detail: impl Into<String>,
) -> Result<T, Refusal> {
    Err(Refusal(status, kind, instance, detail.into()))
}

impl Shared {
    fn now_s(&self) -> i64 {
        self.clock.now_us() / 1_000_000
    }

    /// Notes a call and does what is to go wrong with it before it is looked at.
    async fn enter(&self, call: &'static str) -> Result<Option<Fault>, Refusal> {
        let fault = {
            let mut memory = self.memory.lock().unwrap();
            memory.calls.push(call.to_owned());
            memory.faults.get_mut(call).and_then(VecDeque::pop_front)
        };
        match fault {
            Some(Fault::Refuse(status, kind)) => refuse(status, kind, "/simulated", "Rossi Mario"),
            Some(Fault::Deaf) => std::future::pending().await,
            Some(Fault::Forget) => {
                self.memory.lock().unwrap().validated.clear();
                Ok(None)
            }
            fault => Ok(fault),
        }
    }

    /// Both tokens; gives the claims of the second.
    fn tokens(&self, headers: &HeaderMap, two: bool) -> Result<Value, Refusal> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let missing = || Refusal(403, "/msg/missing-token", "/missing-jwt", "jwt".to_owned());
        let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let authority = self.certificates.file("signatures.pem");
        let check = |token: &str, kind: &str| -> Result<Value, Refusal> {
            let claims = verified(token, kind, &self.url, &authority, self.now_s())?;
            let id = claims["jti"].as_str().unwrap_or_default().to_owned();
            if !self.memory.lock().unwrap().tokens.insert(id) {
                self.memory.lock().unwrap().violations.push("a token was used twice".to_owned());
            }
            Ok(claims)
        };
        let first = check(bearer.ok_or_else(missing)?, "auth")?;
        if !two {
            return Ok(first);
        }
        check(header("fse-jwt-signature").ok_or_else(missing)?, "integrity")
    }

    fn violation(&self, what: impl Into<String>) {
        self.memory.lock().unwrap().violations.push(what.into());
    }
}

/// The form's two parts, and the CDA of the file.
struct Form {
    request: Value,
    file: Vec<u8>,
    cda: Vec<u8>,
    facts: ClinicalDocument,
}

impl Form {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let kind = headers.get(CONTENT_TYPE).unwrap().to_str().unwrap();
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").expect(kind);
        let delimiter = format!("--{boundary}");
        let mut parts = BTreeMap::new();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let places: Vec<usize> = memchr::memmem::find_iter(body, delimiter.as_bytes()).collect();
        assert_eq!(places.first(), Some(&0));
        assert!(body.ends_with(format!("{delimiter}--\r\n").as_bytes()));
        for pair in places.windows(2) {
            let part = &body[pair[0] + delimiter.len() + 2..pair[1] - 2];
            let end = memchr::memmem::find(part, b"\r\n\r\n").unwrap();
            let head = text(&part[..end]);
            let name = head.split("name=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
            parts.insert(name, (head, part[end + 4..].to_vec()));
        }
        let (_, request) = &parts["requestBody"];
        let (head, file) = &parts["file"];
        assert_eq!(parts.len(), 2);
        let request: Value = serde_json::from_slice(request).unwrap();
        if file.is_empty() {
            return refuse(400, "/msg/empty-file", "/empty-multipart-file", "File vuoto");
        }
        if !head.contains("Content-Type: application/pdf") || !file.starts_with(b"%PDF-") {
            return refuse(415, "/msg/document-type", "/multipart-file", "Il documento non è pdf.");
        }
        let Some(cda) = attached(file) else {
            return refuse(400, "/msg/cda-element", "/cda-extraction", "CDA");
        };
        let Ok(facts) = ClinicalDocument::parse(&cda) else {
            return refuse(400, "/msg/syntax", "/validation/error", "CDA");
        };
        Ok(Self { request, file: file.clone(), cda, facts })
    }

    fn hash(&self) -> String {
        hex(&Sha256::digest(&self.file))
    }

    fn person(&self) -> &str {
        let ids = self.facts.patient.ids.iter();
        let mut own = ids.filter(|id| id.root == "2.16.840.1.113883.2.9.4.3.2");
        own.next().map(|id| id.extension.as_str()).unwrap_or_default()
    }
}

/// The file `cda.xml` of a PDF: named in the catalogue's name tree, its stream inflated.
fn attached(pdf: &[u8]) -> Option<Vec<u8>> {
    memchr::memmem::find(pdf, b"/EmbeddedFiles")?;
    let lower = pdf.to_ascii_lowercase();
    memchr::memmem::find(&lower, b"(cda.xml)")?;
    let at = memchr::memmem::find(pdf, b"/Type/EmbeddedFile/")?;
    let start = at + memchr::memmem::find(&pdf[at..], b"stream")? + 6;
    let start = start + if pdf[start..].starts_with(b"\r\n") { 2 } else { 1 };
    let mut cda = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(&pdf[start..]), &mut cda)
        .ok()?;
    Some(cda)
}

async fn validation(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Answer {
    let fault = shared.enter("validation").await?;
    let claims = shared.tokens(&headers, true)?;
    let form = Form::read(&headers, &body)?;
    let (action, purpose) = match claims["action_id"].as_str() {
        Some("UPDATE") => ("UPDATE", "UPDATE"),
        _ => ("CREATE", "TREATMENT"),
    };
    about(&claims, action, purpose, Some(&form.hash()), form.person())?;
    if form.request["activity"] != "VALIDATION" || form.request["mode"] != "ATTACHMENT" {
        return refuse(400, "/msg/mandatory-element", "/request-missing-field", "activity");
    }
    if !lastra::hl7::cda::rad::validate(&lastra::hl7::cda::xml::Document::parse(&form.cda).unwrap())
        .is_empty()
    {
        return refuse(422, "/msg/semantic", "/validation/error", "[ERRORE-x| ... Anna Esempi]");
    }
    let id = &form.facts.id;
    let workflow = {
        let mut memory = shared.memory.lock().unwrap();
        memory.transactions += 1;
        let workflow = format!(
            "{}.{}.{:010x}^^^^urn:ihe:iti:xdw:2013:workflowInstanceId",
            id.root,
            hex(&Sha256::digest(&id.extension)),
            memory.transactions
        );
        memory.validated.insert(workflow.clone(), hex(&Sha256::digest(&form.cda)));
        let event = json!({ "eventType": "VALIDATION", "eventStatus": "SUCCESS" });
        memory.events.insert(workflow.clone(), vec![event]);
        workflow
    };
    if matches!(fault, Some(Fault::Mute)) {
        std::future::pending::<()>().await;
    }
    Ok(accepted(201, &workflow, Some("[ERRORE-W1] avviso")))
}

async fn create(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Answer {
    let fault = shared.enter("create").await?;
    publish(&shared, &headers, &body, None, fault).await
}

async fn replace(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let fault = shared.enter("replace").await?;
    publish(&shared, &headers, &body, Some(id), fault).await
}

async fn publish(
    shared: &Shared,
    headers: &HeaderMap,
    body: &[u8],
    in_place_of: Option<String>,
    fault: Option<Fault>,
) -> Answer {
    let claims = shared.tokens(headers, true)?;
    let form = Form::read(headers, body)?;
    let (action, purpose) =
        if in_place_of.is_some() { ("UPDATE", "UPDATE") } else { ("CREATE", "TREATMENT") };
    about(&claims, action, purpose, Some(&form.hash()), form.person())?;
    let request = &form.request;
    for (field, wanted) in [
        ("workflowInstanceId", ""),
        ("tipologiaStruttura", "Ospedale"),
        ("identificativoDoc", ""),
        ("identificativoRep", ""),
        ("tipoDocumentoLivAlto", "REF"),
        ("assettoOrganizzativo", "AD_PSC069"),
        ("tipoAttivitaClinica", "CON"),
        ("identificativoSottomissione", ""),
    ] {
        let value = request[field].as_str().unwrap_or_default();
        if value.is_empty() || !wanted.is_empty() && value != wanted {
            return refuse(400, "/msg/mandatory-element", "/request-missing-field", field);
        }
    }
    for field in ["dataInizioPrestazione", "dataFinePrestazione"] {
        if request[field].as_str().is_some_and(|text| text.len() != 14) {
            return refuse(400, "/msg/invalid-format", "/request-invalid-date-format", field);
        }
    }
    let id = request["identificativoDoc"].as_str().unwrap().to_owned();
    if id != format!("{}^{}", form.facts.id.root, form.facts.id.extension) {
        shared.violation("identificativoDoc is not the CDA's");
    }
    let workflow = request["workflowInstanceId"].as_str().unwrap().to_owned();
    let made = form.facts.effective_time.get(..8).unwrap().to_owned();
    let today =
        jiff::Timestamp::from_second(shared.now_s()).unwrap().strftime("%Y%m%d").to_string();
    let days = days(&today) - days(&made);
    {
        let mut memory = shared.memory.lock().unwrap();
        if memory.validated.get(&workflow) != Some(&hex(&Sha256::digest(&form.cda))) {
            return refuse(400, "/msg/cda-match", "/cda-validation", "Il CDA non risulta validato");
        }
        if days > 5 {
            let detail = "Error: cannot publish documents older than 5 days";
            return refuse(400, "/msg/max-day-limit-exceed", "/msg/max-day-limit-exceed", detail);
        }
        if let Some(old) = &in_place_of {
            match memory.published.get_mut(old) {
                Some(old) if !old.deleted => old.replaced = Some(id.clone()),
                _ => return refuse(404, "/msg/record-not-found", "-", "No Record Found"),
            }
        }
        let known = memory.published.get(&id).is_some_and(|known| !known.deleted);
        if known {
            memory.violations.push(format!("{id} was published twice"));
        }
        let published = memory.published.entry(id.clone()).or_default();
        published.times += 1;
        published.deleted = false;
        published.file = form.file.clone();
        published.request = request.clone();
        let kind = if in_place_of.is_some() { "REPLACE" } else { "PUBLICATION" };
        let index = match fault {
            Some(Fault::IndexFails) => "BLOCKING_ERROR",
            _ => "SUCCESS",
        };
        let event = |kind: &str, status: &str| {
            json!({ "eventType": kind, "eventStatus": status, "identificativoDocumento": id,
                "message": "Anna Esempi" })
        };
        let events = memory.events.entry(workflow.clone()).or_default();
        events.push(event(kind, "SUCCESS"));
        events.push(event("SEND_TO_INI", index));
    }
    if matches!(fault, Some(Fault::Mute)) {
        std::future::pending::<()>().await;
    }
    Ok(accepted(if in_place_of.is_some() { 200 } else { 201 }, &workflow, None))
}

async fn delete(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let fault = shared.enter("delete").await?;
    let claims = shared.tokens(&headers, true)?;
    {
        let mut memory = shared.memory.lock().unwrap();
        let Some(published) = memory.published.get_mut(&id).filter(|found| !found.deleted) else {
            return refuse(404, "/msg/record-not-found", "-", "No Record Found");
        };
        let form = attached(&published.file).unwrap();
        let facts = ClinicalDocument::parse(&form).unwrap();
        let person = facts.patient.ids[0].extension.clone();
        about(&claims, "DELETE", "UPDATE", None, &person)?;
        published.deleted = true;
    }
    if matches!(fault, Some(Fault::Mute)) {
        std::future::pending::<()>().await;
    }
    Ok(accepted(200, "deleted", None))
}

async fn metadata(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let fault = shared.enter("metadata").await?;
    let claims = shared.tokens(&headers, true)?;
    if headers[CONTENT_TYPE] != "application/json" {
        return refuse(415, "/msg/document-type", "/content-type", "application/json");
    }
    let request: Value = serde_json::from_slice(&body).unwrap();
    {
        let mut memory = shared.memory.lock().unwrap();
        let Some(published) = memory.published.get_mut(&id).filter(|found| !found.deleted) else {
            return refuse(404, "/msg/record-not-found", "-", "No Record Found");
        };
        let form = attached(&published.file).unwrap();
        let facts = ClinicalDocument::parse(&form).unwrap();
        about(&claims, "UPDATE", "ACCESS UPDATE", None, &facts.patient.ids[0].extension)?;
        // The same as of a publication, less file, transaction, document and repository.
        let mut fields: Vec<&str> =
            request.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        let expected = [
            "assettoOrganizzativo",
            "attiCliniciRegoleAccesso",
            "dataFinePrestazione",
            "dataInizioPrestazione",
            "identificativoSottomissione",
            "tipoAttivitaClinica",
            "tipoDocumentoLivAlto",
            "tipologiaStruttura",
        ];
        if fields != expected {
            return refuse(400, "/msg/mandatory-element", "/request-missing-field", "fields");
        }
        published.rules.push(request["attiCliniciRegoleAccesso"].clone());
    }
    if matches!(fault, Some(Fault::Mute)) {
        std::future::pending::<()>().await;
    }
    Ok(accepted(200, "metadata", None))
}

async fn status(
    State(shared): State<Arc<Shared>>,
    Path(workflow): Path<String>,
    headers: HeaderMap,
) -> Answer {
    shared.enter("status").await?;
    shared.tokens(&headers, false)?;
    let memory = shared.memory.lock().unwrap();
    let Some(events) = memory.events.get(&workflow) else {
        return refuse(404, "msg/record-not-found", "", "No Record Found");
    };
    let body = json!({ "traceID": "trace", "spanID": "span", "responseStatus": 200,
        "transactionData": events });
    Ok(([(CONTENT_TYPE, "application/json")], body.to_string()).into_response())
}

fn accepted(status: u16, workflow: &str, warning: Option<&str>) -> Response {
    let mut body = json!({ "traceID": "trace", "spanID": "span", "workflowInstanceId": workflow });
    if let Some(warning) = warning {
        body["warning"] = json!(warning);
    }
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn days(date: &str) -> i64 {
    let part = |range: std::ops::Range<usize>| date[range].parse::<i16>().unwrap();
    let date = jiff::civil::Date::new(part(0..4), part(4..6) as i8, part(6..8) as i8).unwrap();
    let since = date.since(jiff::civil::Date::new(2000, 1, 1).unwrap()).unwrap();
    i64::from(since.get_days())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Connections whose peers have shown a certificate of the channel's authority.
struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

fn acceptor(certificates: &Certificates) -> TlsAcceptor {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificates.file("channel.pem")).unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
    let own = CertificateDer::from_pem_file(certificates.file("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(certificates.file("server.key")).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![own], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else { continue };
            // Who shows no certificate is not let in.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
