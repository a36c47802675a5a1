//! The archive's own address as its clients see it, for absolute URLs in answers.

use std::fmt;
use std::net::SocketAddr;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::{FORWARDED, HOST};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::problem::Problem;

/// Where the public address is taken from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublicUrl {
    /// The address itself, without a slash at its end; wins over everything a request says.
    pub url: Option<String>,
    /// Whether `Forwarded` and `X-Forwarded-*` are believed: only behind a proxy that sets them.
    pub trust_forwarded: bool,
}

/// Scheme and authority (and path, when configured) under which the client reached the archive,
/// without a slash at its end: `https://pacs.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base(pub String);

impl PublicUrl {
    /// A setting, checked: `http://` or `https://`, an authority, perhaps a path.
    pub fn new(url: Option<&str>, trust_forwarded: bool) -> Result<Self, BadUrl> {
        let url = url.map(|url| url.trim().trim_end_matches('/').to_owned());
        if let Some(url) = &url {
            let uri: Uri = url.parse().map_err(|_| BadUrl)?;
            let scheme = uri.scheme_str().ok_or(BadUrl)?;
            let authority = uri.authority().ok_or(BadUrl)?;
            if !is_scheme(scheme) || !is_authority(authority.as_str()) || uri.query().is_some() {
                return Err(BadUrl);
            }
        }
        Ok(Self { url, trust_forwarded })
    }

    /// The base of one request that came in at the address `local`.
    pub fn base(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        local: Option<SocketAddr>,
    ) -> Result<Base, Problem> {
        if let Some(url) = &self.url {
            return Ok(Base(url.clone()));
        }
        let forwarded = if self.trust_forwarded { forwarded(headers) } else { (None, None) };
        let scheme = forwarded.0.filter(|scheme| is_scheme(scheme));
        let scheme = scheme.unwrap_or_else(|| "http".to_owned());
        let host = forwarded
            .1
            .filter(|host| is_authority(host))
            .map_or_else(|| host(uri, headers, local), Ok)?;
        Ok(Base(format!("{scheme}://{host}")))
    }
}

/// The configured public address is not an absolute `http(s)://host[:port][/path]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address like https://host:port/path")]
pub struct BadUrl;

/// The address of ours a connection came in at; the listener puts it among a request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalAddress(pub SocketAddr);

/// The authority the client named: HTTP/2 `:authority` or `Host`.
///
/// The stock Python client names the host without its port; where the host is the very address
/// the connection came in at, or its loopback name, the port is the connection's.
fn host(uri: &Uri, headers: &HeaderMap, local: Option<SocketAddr>) -> Result<String, Problem> {
    let host = uri
        .authority()
        .map(Authority::as_str)
        .or_else(|| headers.get(HOST).and_then(|host| host.to_str().ok()))
        .map(str::trim)
        .unwrap_or_default();
    if !is_authority(host) {
        return Err(Problem::bad_request("the Host header names no host"));
    }
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let is_local = |local: &SocketAddr| {
        name.parse() == Ok(local.ip().to_canonical())
            || (name.eq_ignore_ascii_case("localhost") && local.ip().to_canonical().is_loopback())
    };
    Ok(match local.filter(is_local) {
        Some(local) if local.port() != 80 => format!("{host}:{}", local.port()),
        _ => host.to_owned(),
    })
}

fn is_scheme(scheme: &str) -> bool {
    matches!(scheme, "http" | "https")
}

/// A host name, IPv4 or bracketed IPv6 address, perhaps with a port; no user, no path, nothing
/// that could leave the URL it is put in.
fn is_authority(text: &str) -> bool {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (host, port) = if let Some((inside, rest)) = bracketed {
        let inside = inside.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte));
        let port = if rest.is_empty() { Some("") } else { rest.strip_prefix(':') };
        (inside, port)
    } else {
        let (host, port) = text.split_once(':').unwrap_or((text, ""));
        let named = !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        (named, Some(port))
    };
    text.len() <= 255
        && host
        && port.is_some_and(|port| port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()))
}

/// Scheme and host a proxy says the client used: `Forwarded` (RFC 7239) first, else
/// `X-Forwarded-Proto` and `X-Forwarded-Host`; of several proxies the one nearest the client.
fn forwarded(headers: &HeaderMap) -> (Option<String>, Option<String>) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(field) = text(FORWARDED.as_str()) {
        let first = field.split(',').next().unwrap_or_default();
        let part = |name: &str| {
            first.split(';').filter_map(|pair| pair.split_once('=')).find_map(|(key, value)| {
                let same = key.trim().eq_ignore_ascii_case(name);
                same.then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        return (part("proto").map(|scheme| scheme.to_ascii_lowercase()), part("host"));
    }
    let first = |name| {
        let value: Option<&str> = text(name);
        value.map(|value| value.split(',').next().unwrap_or_default().trim().to_owned())
    };
    let scheme = first("x-forwarded-proto").map(|scheme| scheme.to_ascii_lowercase());
    (scheme, first("x-forwarded-host"))
}

impl<S> FromRequestParts<S> for Base
where
    S: Send + Sync,
    PublicUrl: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let local = parts.extensions.get::<LocalAddress>().map(|local| local.0);
        PublicUrl::from_ref(state).base(&parts.uri, &parts.headers, local)
    }
}

/// What may stand in a path segment as it is (RFC 3986 §2.3); identifiers that are no UIDs may
/// hold anything else.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path segment or query value, percent-encoded.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a>(pub &'a str);

impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        utf8_percent_encode(self.0, SEGMENT).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, Uri};
    use proptest::prelude::*;

    use super::{PublicUrl, is_authority};

    fn base(public: &PublicUrl, uri: &str, fields: &[(&str, &str)]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        public.base(&uri.parse::<Uri>().unwrap(), &headers, None).ok().map(|base| base.0)
    }

    #[test]
    fn the_host_the_client_named_is_the_base() {
        let public = PublicUrl::default();
        for (uri, host, expected) in [
            ("/x", "127.0.0.1:8042", Some("http://127.0.0.1:8042")),
            ("/x", "[::1]:8042", Some("http://[::1]:8042")),
            ("/x", "pacs.example", Some("http://pacs.example")),
            ("http://other:1/x", "pacs.example", Some("http://other:1")),
            ("/x", "a/b", None),
            ("/x", "user@host", None),
            ("/x", "a b", None),
            ("/x", "host:99999999", None),
            ("/x", "", None),
        ] {
            assert_eq!(base(&public, uri, &[("host", host)]).as_deref(), expected, "{host}");
        }
    }

    #[test]
    fn a_proxy_is_believed_only_when_trusted() {
        let fields = [
            ("host", "inner:1"),
            ("x-forwarded-proto", "HTTPS, http"),
            ("x-forwarded-host", "pacs.example, inner"),
        ];
        let trusting = PublicUrl { url: None, trust_forwarded: true };
        assert_eq!(base(&trusting, "/", &fields).unwrap(), "https://pacs.example");
        assert_eq!(base(&PublicUrl::default(), "/", &fields).unwrap(), "http://inner:1");
        let field = ("forwarded", "for=1.2.3.4;proto=https;host=\"outer:444\", for=x");
        assert_eq!(base(&trusting, "/", &[("host", "i"), field]).unwrap(), "https://outer:444");
        let evil = ("x-forwarded-host", "evil/\"><script>");
        assert_eq!(base(&trusting, "/", &[("host", "i"), evil]).unwrap(), "http://i");
    }

    #[test]
    fn a_host_without_port_that_is_this_socket_gets_its_port() {
        for (host, local, expected) in [
            ("127.0.0.1", "127.0.0.1:8042", "http://127.0.0.1:8042"),
            ("127.0.0.1", "[::ffff:127.0.0.1]:8042", "http://127.0.0.1:8042"),
            ("[::1]", "[::1]:8042", "http://[::1]:8042"),
            ("localhost", "127.0.0.1:8042", "http://localhost:8042"),
            ("127.0.0.1", "127.0.0.1:80", "http://127.0.0.1"),
            ("127.0.0.1:99", "127.0.0.1:8042", "http://127.0.0.1:99"),
            ("localhost", "10.0.0.7:8042", "http://localhost"),
            // A name may be a proxy's, whose port is not ours.
            ("pacs.example", "10.0.0.7:8042", "http://pacs.example"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("host", host.parse().unwrap());
            let local = Some(local.parse().unwrap());
            let base = PublicUrl::default().base(&Uri::from_static("/x"), &headers, local);
            assert_eq!(base.unwrap().0, expected, "{host}");
        }
    }

    #[test]
    fn a_configured_address_wins() {
        let public = PublicUrl::new(Some("https://pacs.example/archive/"), true).unwrap();
        let fields = [("host", "i"), ("x-forwarded-host", "o")];
        assert_eq!(base(&public, "/", &fields).unwrap(), "https://pacs.example/archive");
        for bad in ["pacs.example", "ftp://x", "https://", "http://a?b", "http://u@h"] {
            assert!(PublicUrl::new(Some(bad), false).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn an_authority_never_leaves_its_place(text in ".*") {
            if is_authority(&text) {
                prop_assert!(!text.contains(['/', '?', '#', '@', '"', '<', ' ', '\\', '%']));
            }
        }
    }
}
