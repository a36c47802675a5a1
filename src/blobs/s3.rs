//! S3 by address: `s3://bucket/prefix?endpoint=…&region=…`.

use std::sync::Arc;
use std::time::Duration;

use object_store::BackoffConfig;
use object_store::ClientConfigKey;
use object_store::ObjectStore;
use object_store::RetryConfig;
use object_store::aws::AmazonS3Builder;
use object_store::aws::AmazonS3ConfigKey;
use object_store::aws::S3ConditionalPut;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use percent_encoding::percent_decode_str;

use crate::blobs::error::BlobError;
use crate::blobs::error::plain;
use crate::blobs::open::Settings;

/// A bucket, ready to be asked.
#[derive(Debug)]
pub(crate) struct S3 {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) conditional_put: bool,
    pub(crate) secrets: Vec<String>,
}

/// Builds the client; asks nobody yet.
pub(crate) fn build(settings: &Settings) -> Result<S3, BlobError> {
    let address = Address::parse(&settings.url).map_err(BlobError::Unavailable)?;
    // Only ring is compiled in, and reqwest wants to be told; a second time is no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = address.apply(patient(AmazonS3Builder::from_env()));
    let builder = credentials(builder, settings);
    let secrets: Vec<String> = [
        AmazonS3ConfigKey::AccessKeyId,
        AmazonS3ConfigKey::SecretAccessKey,
        AmazonS3ConfigKey::Token,
    ]
    .iter()
    .filter_map(|key| builder.get_config_value(key))
    .collect();
    let store = builder
        .with_retry(retry())
        .build()
        .map_err(|error| BlobError::Unavailable(plain(&error.to_string(), &secrets)))?;
    let store: Arc<dyn ObjectStore> = if address.prefix.is_empty() {
        Arc::new(store)
    } else {
        Arc::new(PrefixStore::new(store, Path::from(address.prefix)))
    };
    Ok(S3 { store, conditional_put: address.conditional_put, secrets })
}

fn credentials(mut builder: AmazonS3Builder, settings: &Settings) -> AmazonS3Builder {
    if !settings.access_key_id.reveal().is_empty() {
        builder = builder.with_access_key_id(settings.access_key_id.reveal());
    }
    if !settings.secret_access_key.reveal().is_empty() {
        builder = builder.with_secret_access_key(settings.secret_access_key.reveal());
    }
    if !settings.session_token.reveal().is_empty() {
        builder = builder.with_token(settings.session_token.reveal());
    }
    builder
}

/// Practically no limit on a whole request: a large blob on its way to a slow reader may take
/// long. What counts is that bytes keep coming. Set one by one, since replacing the client's
/// options whole would drop what the environment says of proxies and plain HTTP.
fn patient(builder: AmazonS3Builder) -> AmazonS3Builder {
    [
        (ClientConfigKey::Timeout, "24h"),
        (ClientConfigKey::ConnectTimeout, "5s"),
        (ClientConfigKey::ReadTimeout, "30s"),
    ]
    .into_iter()
    .fold(builder, |builder, (key, value)| {
        builder.with_config(AmazonS3ConfigKey::Client(key), value)
    })
}

/// Few and soon: whoever waits for us has a time-out of their own.
fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        },
        max_retries: 4,
        retry_timeout: Duration::from_secs(20),
    }
}

/// What an address says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Address {
    bucket: String,
    prefix: String,
    endpoint: Option<String>,
    region: Option<String>,
    allow_http: Option<bool>,
    virtual_hosted: bool,
    conditional_put: bool,
}

impl Address {
    fn parse(url: &str) -> Result<Self, String> {
        let rest = url.trim().strip_prefix("s3://").ok_or("not an s3:// address")?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        if bucket.contains('@') || bucket.contains(':') {
            return Err("keys and ports do not belong before the bucket's name".to_owned());
        }
        if bucket.is_empty() {
            return Err("the address names no bucket".to_owned());
        }
        let mut address = Self {
            bucket: bucket.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            conditional_put: true,
            ..Self::default()
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8().map_err(|_| "not UTF-8")?;
            address.set(name, &value)?;
        }
        Ok(address)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let flag = || value.parse::<bool>().map_err(|_| format!("{name} is true or false"));
        match name {
            "endpoint" => self.endpoint = Some(value.to_owned()),
            "region" => self.region = Some(value.to_owned()),
            "allow_http" => self.allow_http = Some(flag()?),
            "virtual_hosted" => self.virtual_hosted = flag()?,
            "conditional_put" => self.conditional_put = flag()?,
            // The name alone: someone may have put a key into the value.
            _ => return Err(format!("no such part of an S3 address: {name}")),
        }
        Ok(())
    }

    fn apply(&self, builder: AmazonS3Builder) -> AmazonS3Builder {
        let mut builder = builder
            .with_bucket_name(&self.bucket)
            .with_virtual_hosted_style_request(self.virtual_hosted);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        if let Some(allow) = self.allow_http {
            builder = builder.with_allow_http(allow);
        }
        if self.conditional_put {
            builder = builder.with_conditional_put(S3ConditionalPut::ETagMatch);
        }
        builder
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blobs::open::Secret;

    #[test]
    fn an_address_says_where_and_how() {
        let full = "s3://images/site%20a/x/?endpoint=http%3A%2F%2F127.0.0.1:9000&region=eu-south-1&allow_http=true";
        assert_eq!(
            Address::parse(full),
            Ok(Address {
                bucket: "images".into(),
                prefix: "site%20a/x".into(),
                endpoint: Some("http://127.0.0.1:9000".into()),
                region: Some("eu-south-1".into()),
                allow_http: Some(true),
                virtual_hosted: false,
                conditional_put: true,
            })
        );
        for wrong in [
            "s3://",
            "s3:///prefix",
            "s3://key:secret@images",
            "s3://images?allow_http=perhaps",
            "s3://images?secret_access_key=hush",
        ] {
            let error = Address::parse(wrong).unwrap_err();
            assert!(!error.contains("hush") && !error.contains("secret@"), "{error}");
        }
    }

    #[test]
    fn a_client_is_built_without_asking_anyone_and_shows_no_secret() {
        let settings = Settings {
            url: "s3://images/a?endpoint=http://127.0.0.1:1&region=x&allow_http=true".into(),
            access_key_id: Secret::new("AKIAEXAMPLE"),
            secret_access_key: Secret::new("hush"),
            ..Settings::default()
        };
        let s3 = build(&settings).unwrap();
        assert!(s3.secrets.contains(&"AKIAEXAMPLE".to_owned()));
        assert!(s3.secrets.contains(&"hush".to_owned()));
    }
}
