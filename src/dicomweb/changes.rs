//! The change feed over HTTP: pages of JSON, or server-sent events (WHATWG HTML §9.2).
//!
//! `GET /changes?since=N&limit=M` answers what happened after event N, oldest first; `next` is what
//! to give as `since` the next time. With `Accept: text/event-stream` the answer goes on for as long
//! as the client listens, and one that lost its connection goes on where it was (`Last-Event-ID`).

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response, sse};
use futures::stream::{self, Stream};
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::dicomweb::address::Urls;
use crate::dicomweb::door::Door;
use crate::http::caching::PRIVATE;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::model::event::Event;

/// Changes of a page unless the client says otherwise, and the most of one.
const PAGE: u32 = 100;
const LARGEST_PAGE: u32 = 1000;

/// Most clients that listen at once; others are told to come back, or to ask for pages.
pub const LISTENERS: usize = 64;

/// Time between two looks at the feed for one listener.
const LOOK: Duration = Duration::from_millis(500);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A request for changes, decided.
#[derive(Debug)]
pub struct Following {
    permit: Permit,
    since: Option<i64>,
    limit: u32,
    listens: bool,
    urls: Urls,
}

impl FromRequestParts<Door> for Following {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let query = QueryString::from_request_parts(parts, door).await?;
        let urls = Urls::from_request_parts(parts, door).await?;
        let Ok(caller) = Caller::from_request_parts(parts, door).await;
        let permit = caller.may_follow()?;
        let since = query.one("since")?.map(|text| count("since", text)).transpose()?;
        let limit = match query.one("limit")?.map(|text| count("limit", text)).transpose()? {
            None => PAGE,
            Some(limit) => u32::try_from(limit).unwrap_or(u32::MAX).clamp(1, LARGEST_PAGE),
        };
        let listens = listens(&parts.headers);
        let seen = parts.headers.get(LAST_EVENT_ID).filter(|_| listens);
        let seen = seen.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Ok(Self { permit, since: seen.or(since), limit, listens, urls })
    }
}

fn count(name: &'static str, text: &str) -> Result<i64, Problem> {
    let number = text.trim().parse::<i64>().ok().filter(|number| *number >= 0);
    number.ok_or_else(|| Problem::bad_parameter(name, "not a whole number"))
}

fn listens(headers: &HeaderMap) -> bool {
    let fields = headers.get_all(ACCEPT).iter().filter_map(|field| field.to_str().ok());
    fields.flat_map(|field| field.split(',')).any(|range| {
        let media = range.split(';').next().unwrap_or_default();
        media.trim().eq_ignore_ascii_case("text/event-stream")
    })
}

/// `GET /changes`
pub async fn changes(State(door): State<Door>, following: Following) -> Result<Response, Problem> {
    if following.listens {
        return listen(door, following).await;
    }
    let (since, limit) = (following.since.unwrap_or(0), following.limit);
    let events = door.archive.changes(&following.permit, since, limit).await?;
    let next = events.last().map_or(since, |event| event.sequence);
    let more = u32::try_from(events.len()).is_ok_and(|length| length == limit);
    let changes: Vec<Value> = events.iter().map(|event| written(event, &following.urls)).collect();
    let body = json!({ "changes": changes, "next": next, "more": more }).to_string();
    let json = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, json), (CACHE_CONTROL, PRIVATE)], body).into_response())
}

/// One change as JSON: the address of an instance, or what of the fascicolo it concerns, by the ids
/// `/fhir` reads it by.
pub fn written(event: &Event, urls: &Urls) -> Value {
    let at = jiff::Timestamp::from_microsecond(event.at_us);
    let mut change = json!({
        "sequence": event.sequence,
        "at": at.map_or_else(|_| String::new(), |at| at.to_string()),
        "kind": event.kind.as_str(),
    });
    if let Some(object) = &event.object {
        change["study"] = object.study.as_str().into();
        change["series"] = object.series.as_str().into();
        change["instance"] = object.instance.as_str().into();
        change["url"] = urls.instance(&object.study, &object.series, &object.instance).into();
    } else {
        change["concerns"] = event.concerns.as_slice().into();
    }
    change
}

/// One listener: what was read and not yet sent, and where to read on.
struct Listener {
    archive: Archive,
    following: Following,
    sequence: i64,
    waiting: VecDeque<Event>,
    _place: OwnedSemaphorePermit,
}

async fn listen(door: Door, following: Following) -> Result<Response, Problem> {
    let Ok(place) = Arc::clone(&door.listeners).try_acquire_owned() else {
        return Err(Problem::unavailable("too many clients listen; ask for pages instead"));
    };
    let archive = door.archive;
    // A client that names nothing wants what happens from now on.
    let sequence = match following.since {
        Some(since) => since,
        None => archive.newest_change(&following.permit).await?,
    };
    let waiting = VecDeque::new();
    let listener = Listener { archive, following, sequence, waiting, _place: place };
    let answer = Sse::new(events(listener)).keep_alive(KeepAlive::default()).into_response();
    Ok(([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], answer).into_response())
}

/// The events, one by one, without end; the stream ends when the feed cannot be read, and the
/// client comes back with the last number it saw.
fn events(listener: Listener) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    stream::unfold(listener, |mut listener| async move {
        loop {
            if let Some(event) = listener.waiting.pop_front() {
                let text = written(&event, &listener.following.urls).to_string();
                let id = event.sequence.to_string();
                let sent = sse::Event::default().id(id).event(event.kind.as_str()).data(text);
                return Some((Ok(sent), listener));
            }
            let page = listener.following.limit;
            let permit = &listener.following.permit;
            let read = listener.archive.changes(permit, listener.sequence, page).await;
            let Ok(read) = read else { return None };
            match read.last() {
                Some(last) => listener.sequence = last.sequence,
                None => tokio::time::sleep(LOOK).await,
            }
            listener.waiting = read.into();
        }
    })
}
