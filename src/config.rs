//! Configuration: flags over environment over file over defaults, and where each value came from.
//!
//! Every room owns its `Settings`; this room composes them. An unknown key is an error that names
//! the nearest known one. Environment: `LASTRA_SECTION__KEY`, or `LASTRA_SECTION__KEY_FILE` naming
//! a file that holds the value (for secrets).

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use toml::Table;
use toml::Value;

use crate::archive::archive::Settings as ArchiveSettings;
use crate::archive::extended::Declaration;
use crate::blobs::open::Settings as BlobSettings;
use crate::dicomweb::door::Settings as DicomwebSettings;
use crate::dicomweb::webhooks::Webhook;
use crate::dimse::listener::Settings as DicomSettings;
use crate::fascicolo::issuers::Settings as FascicoloSettings;
use crate::fhir::settings::Settings as FhirSettings;
use crate::gateway::settings::Settings as GatewaySettings;
use crate::http::listener::Settings as HttpSettings;
use crate::imaging::pool::Settings as ImagingSettings;
use crate::index::open::Settings as IndexSettings;
use crate::jobs::runner::Settings as JobSettings;
use crate::mllp::listener::Settings as MllpSettings;
use crate::model::node::Node;
use crate::model::organisation::Organisation;
use crate::telemetry::Settings as LogSettings;
use crate::web::viewer::Settings as WebSettings;

/// Everything that can be set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Folder for the embedded index and the local blob store.
    pub data: PathBuf,
    /// Access control; `off` is the only mode yet: everyone who reaches a port may do everything.
    pub auth: Auth,
    /// The HTTP port.
    pub http: HttpSettings,
    /// The DICOMweb door.
    pub dicomweb: DicomwebSettings,
    /// Pages.
    pub web: WebSettings,
    /// The DICOM door.
    pub dicom: DicomSettings,
    /// The HL7 version 2 door.
    pub mllp: MllpSettings,
    /// Rows.
    pub index: IndexSettings,
    /// Bytes.
    pub blobs: BlobSettings,
    /// What the archive does with both.
    pub archive: ArchiveSettings,
    /// Whose studies and reports are.
    pub fascicolo: FascicoloSettings,
    /// The FHIR door.
    pub fhir: FhirSettings,
    /// How reports are published at the national gateway.
    pub gateway: GatewaySettings,
    /// Pixel work.
    pub imaging: ImagingSettings,
    /// Background work.
    pub jobs: JobSettings,
    /// Log.
    pub log: LogSettings,
    /// DICOM nodes the archive may send to.
    pub nodes: Vec<Node>,
    /// Attributes to be searched beside those the index always keeps.
    pub attributes: Vec<Declaration>,
    /// Organisations that feed the archive.
    pub organisations: Vec<Organisation>,
    /// Receivers of the change feed.
    pub webhooks: Vec<Webhook>,
}

/// Who may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// Everyone may do everything.
    #[default]
    Off,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data: PathBuf::from("lastra-data"),
            auth: Auth::default(),
            http: HttpSettings::default(),
            dicomweb: DicomwebSettings::default(),
            web: WebSettings::default(),
            dicom: DicomSettings::default(),
            mllp: MllpSettings::default(),
            index: IndexSettings::default(),
            blobs: BlobSettings::default(),
            archive: ArchiveSettings::default(),
            fascicolo: FascicoloSettings::default(),
            fhir: FhirSettings::default(),
            gateway: GatewaySettings::default(),
            imaging: ImagingSettings::default(),
            jobs: JobSettings::default(),
            log: LogSettings::default(),
            nodes: Vec::new(),
            attributes: Vec::new(),
            organisations: Vec::new(),
            webhooks: Vec::new(),
        }
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A command-line flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// Settings with the origin of every value that is not a default.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings in force.
    pub settings: Settings,
    origins: BTreeMap<String, Origin>,
}

/// Why the configuration cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A value is unknown or unusable.
    #[error("{origin}: {reason}")]
    Value {
        /// Where it stands.
        origin: Origin,
        /// What is wrong, with the nearest known key where a key is unknown.
        reason: String,
    },
}

/// A value given on the command line.
#[derive(Debug, Clone)]
pub struct Flag {
    /// As typed, `--http`.
    pub name: &'static str,
    /// Key it sets, `http.address`.
    pub key: &'static str,
    /// Its text.
    pub value: String,
}

/// Loads the settings: defaults, then `file`, then `environment`, then `flags`.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    flags: &[Flag],
) -> Result<Loaded, ConfigError> {
    let mut table = Table::new();
    let mut origins = BTreeMap::new();
    if let Some(path) = file {
        let of_file = read_file(path)?;
        record("", &of_file, &Origin::File(path.to_owned()), &mut origins);
        table = of_file;
    }
    let defaults = default_table();
    for (name, text) in environment {
        let Some((key, text)) = environment_key(&name, text, &defaults)? else { continue };
        let origin = Origin::Environment(name);
        set(&mut table, &defaults, &key, text, origin, &mut origins)?;
    }
    for Flag { name, key, value } in flags {
        let origin = Origin::Flag((*name).to_owned());
        set(&mut table, &defaults, key, value.clone(), origin, &mut origins)?;
    }
    let settings = Settings::deserialize(table)
        .map_err(|error| bad_value(Origin::Default, error.message()))?;
    Ok(Loaded { settings, origins })
}

impl Loaded {
    /// Every key with its value as TOML and its origin, secrets masked, in the order of the keys.
    pub fn show(&self) -> Vec<(String, String, Origin)> {
        let mut flat = BTreeMap::new();
        if let Ok(table) = Table::try_from(&self.settings) {
            flatten("", &table, &mut flat);
        }
        flat.into_iter()
            .map(|(key, value)| {
                let origin = self.origins.get(&key).cloned().unwrap_or(Origin::Default);
                let shown = masked(&key, &value);
                (key, shown, origin)
            })
            .collect()
    }
}

fn read_file(path: &Path) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::File { path: path.to_owned(), reason: error.to_string() })?;
    // Read as settings first: such errors name the line.
    let as_settings: Result<Settings, toml::de::Error> = toml::from_str(&text);
    if let Err(error) = as_settings {
        let line = error.span().map_or(1, |span| text.get(..span.start).map_or(1, line_of));
        let reason = format!("line {line}: {}", with_suggestion(error.message()));
        return Err(ConfigError::Value { origin: Origin::File(path.to_owned()), reason });
    }
    let table: Result<Table, _> = toml::from_str(&text);
    table.map_err(|error| bad_value(Origin::File(path.to_owned()), error.message()))
}

fn line_of(before: &str) -> usize {
    before.matches('\n').count() + 1
}

/// The key an environment variable sets, with its text; `None` when it is none of ours.
fn environment_key(
    name: &str,
    text: String,
    defaults: &Table,
) -> Result<Option<(String, String)>, ConfigError> {
    let Some(rest) = name.strip_prefix("LASTRA_") else { return Ok(None) };
    let key = rest.to_ascii_lowercase().replace("__", ".");
    if !key.contains('.') && !defaults.contains_key(&key) {
        return Ok(None);
    }
    let Some(key_of_file) = key.strip_suffix("_file").filter(|_| lookup(defaults, &key).is_none())
    else {
        return Ok(Some((key, text)));
    };
    let secret = std::fs::read_to_string(&text).map_err(|error| ConfigError::File {
        path: PathBuf::from(&text),
        reason: error.to_string(),
    })?;
    Ok(Some((key_of_file.to_owned(), secret.trim_end().to_owned())))
}

/// Sets one key from text and checks that the settings still read.
fn set(
    table: &mut Table,
    defaults: &Table,
    key: &str,
    text: String,
    origin: Origin,
    origins: &mut BTreeMap<String, Origin>,
) -> Result<(), ConfigError> {
    let value = typed(lookup(defaults, key), text);
    let mut place = &mut *table;
    let mut parts = key.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            place.insert(part.to_owned(), value);
            break;
        }
        let inner = place.entry(part.to_owned()).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(inner) = inner else {
            return Err(bad_value(origin, &format!("{key}: {part} is not a section")));
        };
        place = inner;
    }
    if let Err(error) = Settings::deserialize(table.clone()) {
        return Err(bad_value(origin, &format!("{key}: {}", error.message())));
    }
    origins.insert(key.to_owned(), origin);
    Ok(())
}

/// Text as the type its key has by default; as text where that is unknown.
fn typed(default: Option<&Value>, text: String) -> Value {
    if matches!(default, Some(Value::String(_))) {
        return Value::String(text);
    }
    let parsed: Result<Table, _> = toml::from_str(&format!("value = {text}"));
    parsed.ok().and_then(|mut table| table.remove("value")).unwrap_or(Value::String(text))
}

fn lookup<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let (section, rest) = key.split_once('.').map_or((key, None), |(s, rest)| (s, Some(rest)));
    match (table.get(section), rest) {
        (Some(Value::Table(inner)), Some(rest)) => inner.get(rest),
        (value, None) => value,
        _ => None,
    }
}

fn default_table() -> Table {
    Table::try_from(Settings::default()).unwrap_or_default()
}

fn record(prefix: &str, table: &Table, origin: &Origin, origins: &mut BTreeMap<String, Origin>) {
    let mut flat = BTreeMap::new();
    flatten(prefix, table, &mut flat);
    origins.extend(flat.into_keys().map(|key| (key, origin.clone())));
}

/// Tables one section deep are all there are.
fn flatten(prefix: &str, table: &Table, flat: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        match value {
            Value::Table(inner) if prefix.is_empty() => {
                flat.extend(inner.iter().map(|(leaf, v)| (format!("{key}.{leaf}"), v.clone())));
            }
            value => {
                flat.insert(format!("{prefix}{key}"), value.clone());
            }
        }
    }
}

fn bad_value(origin: Origin, message: &str) -> ConfigError {
    ConfigError::Value { origin, reason: with_suggestion(message) }
}

/// Adds the nearest known key to serde's "unknown field" message.
fn with_suggestion(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let Some(unknown) = quoted.next().filter(|_| message.contains("unknown field")) else {
        return message.trim().to_owned();
    };
    let distance = |known: &&str| strsim::damerau_levenshtein(unknown, known);
    match quoted.min_by_key(distance).filter(|known| distance(known) <= 3) {
        Some(nearest) => format!("unknown key `{unknown}`: did you mean `{nearest}`?"),
        None => format!("unknown key `{unknown}`: run `lastra config show` for all keys"),
    }
}

/// A value as it may be shown: keys and passwords are not.
fn masked(key: &str, value: &Value) -> String {
    if let Value::Array(items) = value
        && items.iter().any(Value::is_table)
    {
        let shown: Vec<String> = items.iter().map(|item| masked(key, item)).collect();
        return format!("[{}]", shown.join(", "));
    }
    if let Value::Table(table) = value {
        let shown: Vec<String> =
            table.iter().map(|(key, value)| format!("{key} = {}", masked(key, value))).collect();
        return format!("{{ {} }}", shown.join(", "));
    }
    let text = value.as_str().unwrap_or_default();
    if key.contains("secret") && !text.is_empty() {
        return "\"********\"".to_owned();
    }
    if let Some((scheme, rest)) = text.split_once("://")
        && let Some((user, host)) = rest.rsplit_once('@')
    {
        let user = user.split(':').next().unwrap_or_default();
        return format!("\"{scheme}://{user}:********@{host}\"");
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::{Flag, Origin, load};

    fn write(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn flags_win_over_environment_over_file_over_defaults_and_each_origin_is_known() {
        let file =
            write("[dicom]\nae_title = 'FILE'\n[archive]\nquiet_s = 1\n[jobs]\nat_once = 1\n");
        let environment = [("LASTRA_ARCHIVE__QUIET_S".to_owned(), "2".to_owned())];
        let aet = Flag { name: "--aet", key: "dicom.ae_title", value: "FLAG".to_owned() };

        let loaded = load(Some(file.path()), environment, &[aet]).unwrap();

        assert_eq!(loaded.settings.dicom.ae_title, "FLAG");
        assert_eq!(loaded.settings.archive.quiet_s, 2);
        let shown = loaded.show();
        let origin = |key: &str| shown.iter().find(|row| row.0 == key).map(|row| row.2.clone());
        assert_eq!(origin("dicom.ae_title"), Some(Origin::Flag("--aet".to_owned())));
        let environment = Origin::Environment("LASTRA_ARCHIVE__QUIET_S".to_owned());
        assert_eq!(origin("archive.quiet_s"), Some(environment));
        assert_eq!(origin("jobs.at_once"), Some(Origin::File(file.path().to_owned())));
        assert_eq!(origin("jobs.attempts"), Some(Origin::Default));
    }

    #[test]
    fn an_unknown_key_names_its_line_and_the_nearest_known_one() {
        let file = write("[archive]\nquiet_s = 1\nmax_dept = 3\n");
        let error = load(Some(file.path()), [], &[]).unwrap_err().to_string();
        assert!(error.contains("line 3"), "{error}");
        assert!(error.contains("did you mean `max_depth`?"), "{error}");

        let environment = [("LASTRA_ARCHIVE__QUIT_S".to_owned(), "2".to_owned())];
        let error = load(None, environment, &[]).unwrap_err().to_string();
        assert!(error.contains("environment LASTRA_ARCHIVE__QUIT_S"), "{error}");
        assert!(error.contains("did you mean `quiet_s`?"), "{error}");
    }

    #[test]
    fn passwords_are_not_shown() {
        let url = "postgres://lastra:geheim@db/lastra".to_owned();
        let index = Flag { name: "--index", key: "index.url", value: url };
        let shown = load(None, [], &[index]).unwrap().show();
        let row = shown.iter().find(|row| row.0 == "index.url").unwrap();
        assert_eq!(row.1, "\"postgres://lastra:********@db/lastra\"");

        let hook = "[[webhooks]]\nname = 'a'\nurl = 'https://u:geheim@h/'\nsecret = 'geheim'";
        let shown = load(Some(write(hook).path()), [], &[]).unwrap().show();
        let row = shown.iter().find(|row| row.0 == "webhooks").unwrap();
        assert!(row.1.contains("\"a\"") && !row.1.contains("geheim"), "{}", row.1);
    }
}
