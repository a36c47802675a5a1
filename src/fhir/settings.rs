//! Settings of the FHIR door.

use serde::{Deserialize, Serialize};

/// Settings of the FHIR door.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Beginnings of the addresses subscribers may be told at, such as `https://ris.example/`. None: no
    /// subscription is taken, so that nobody has the archive call where they please.
    pub subscribers: Vec<String>,
}

impl Settings {
    /// Whether a subscriber may be told there: the same scheme, host and port, and a path below.
    /// Without a password in it, which whoever reads the subscription would see, and without steps that
    /// some servers take for the way up.
    pub fn allows(&self, endpoint: &reqwest::Url) -> bool {
        let plain = |step: &str| {
            let step = step.to_ascii_lowercase();
            !step.starts_with("..") && !step.contains("%2f") && !step.contains("%5c")
        };
        let is_plain = endpoint.username().is_empty()
            && endpoint.password().is_none()
            && endpoint.path_segments().is_some_and(|mut steps| steps.all(plain));
        if !is_plain {
            return false;
        }
        self.subscribers.iter().filter_map(|known| reqwest::Url::parse(known).ok()).any(|known| {
            let below = endpoint.path().strip_prefix(known.path().trim_end_matches('/'));
            known.origin() == endpoint.origin()
                && known.origin().is_tuple()
                && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn subscribers_are_told_only_where_the_settings_say() {
        let settings = Settings { subscribers: vec!["https://ris.example/hook".to_owned()] };
        for (endpoint, allowed) in [
            ("https://ris.example/hook", true),
            ("https://ris.example/hook/1?a=b", true),
            ("https://ris.example:443/hook/", true),
            ("https://ris.example/hooks", false),
            ("https://ris.example/hook/../admin", false),
            ("https://ris.example:8443/hook", false),
            ("http://ris.example/hook", false),
            ("https://ris.example.evil/hook", false),
            ("https://user@ris.example.evil/hook", false),
            ("https://user@ris.example/hook", false),
            ("https://user:word@ris.example/hook", false),
            ("https://ris.example/hook/..%2fadmin", false),
            ("https://ris.example/hook/%2E%2E%5Cadmin", false),
            ("https://ris.example/hook/..;/admin", false),
            ("file:///hook", false),
        ] {
            let url = reqwest::Url::parse(endpoint).unwrap();
            assert_eq!(settings.allows(&url), allowed, "{endpoint}");
            assert!(!Settings::default().allows(&url));
        }
        let files = Settings { subscribers: vec!["file:///".to_owned()] };
        assert!(!files.allows(&reqwest::Url::parse("file:///etc").unwrap()));
    }
}
