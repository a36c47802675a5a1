//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::cli::fascicolo_args::Fascicolo;
use crate::config::Flag;

/// DICOM imaging archive: receives studies, keeps them bit-exact, serves them over DICOMweb.
#[derive(Debug, Parser)]
#[command(name = "lastra", version, propagate_version = true)]
#[command(
    after_help = "Examples:\n  lastra demo                     try it with sample studies\n  \
    lastra serve --data /srv/lastra\n  lastra import /media/cdrom\n  lastra check --hashes\n\n\
    Exit codes: 0 done, 1 failed, 2 usage, 3 some items failed, 4 not found, 5 refused, \
    6 findings, 11 locked, 12 configuration, 130 interrupted (run again to go on).\n\
    Not a medical device."
)]
pub struct Cli {
    /// Results as JSON, one value a line.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the archive.
    #[command(after_help = "Examples:\n  lastra serve\n  \
        lastra serve --data /srv/lastra --http 0.0.0.0:8042 --dicom 0.0.0.0:11112\n  \
        lastra serve --index postgres://lastra@db/lastra --blobs s3://images/lastra\n\n\
        Prints one line `ready http=… dicom=… ae=…` once both ports answer.")]
    Serve(Stores),
    /// Start an archive in a temporary folder and send it the sample studies.
    #[command(after_help = "Examples:\n  lastra demo\n  lastra demo --dir demo-data\n  \
        lastra demo --for 10s --json")]
    Demo(Demo),
    /// Import folders, zip files, DICOM media and single files; can be run again to go on.
    #[command(after_help = "Examples:\n  lastra import /media/cdrom\n  \
        lastra import --data /srv/lastra old-archive/ study.zip\n\n\
        A file that cannot be imported is reported and the rest goes on; then the exit code is 3.")]
    Import(Import),
    /// Send files to a DICOM node (C-STORE).
    #[command(after_help = "Examples:\n  lastra send LASTRA@127.0.0.1:11112 study/")]
    Send(Send),
    /// Ask a DICOM node whether it is there (C-ECHO).
    #[command(after_help = "Examples:\n  lastra echo LASTRA@127.0.0.1:11112")]
    Echo(Echo),
    /// Check the archive: every row has its blob, every blob its row, hashes hold.
    #[command(after_help = "Examples:\n  lastra check\n  lastra check --hashes\n  \
        lastra check --sweep          remove blobs no row names\n\n\
        Exit code 6 when something was found.")]
    Check(Check),
    /// Add the OHIF viewer to the archive, or take it away.
    #[command(after_help = "Examples:\n  npm pack @ohif/app\n  \
        lastra viewer add ohif-app-3.13.2.tgz --data /srv/lastra\n  lastra viewer remove\n\n\
        A running server shows it at /ohif at once.")]
    Viewer(Viewer),
    /// What was deleted: list it, take it back, or give it up for good.
    #[command(after_help = "Examples:\n  lastra bin list\n  lastra bin restore 1.2.840.1\n  \
        lastra bin put 1.2.840.1 --series 1.2.840.1.2\n  lastra bin purge --older 720h")]
    Bin(Bin),
    /// People, their studies and reports, and what waits for a decision.
    #[command(after_help = "Examples:\n  lastra fascicolo show RSSMRA79B11C566R\n  \
        lastra fascicolo show 'OSPEDALE|P0001042'\n  lastra fascicolo add referto.xml\n  \
        lastra fascicolo queue --json\n  lastra fascicolo link 12 1.2.840.113619.2.62.9\n  \
        lastra fascicolo unlink 7\n\n\
        A person is named by an identifier, ISSUER|IDENTIFIER, or #ID.")]
    Fascicolo(Fascicolo),
    /// What of the standard is held to, line by line.
    #[command(after_help = "Examples:\n  lastra conformance\n  \
        lastra conformance --report          with the test that shows each line\n  \
        lastra conformance --report --json\n\n\
        Sections are those of PS3.18 2024e unless another part is named.")]
    Conformance(Conformance),
    /// Show the configuration.
    Config(Config),
}

/// Where the archive keeps things and where it listens.
#[derive(Debug, Clone, Default, Args)]
pub struct Stores {
    /// Configuration file (TOML).
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder for index and blobs.
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<String>,
    /// HTTP address and port.
    #[arg(long, global = true, value_name = "ADDR:PORT")]
    pub http: Option<String>,
    /// DICOM address and port.
    #[arg(long, global = true, value_name = "ADDR:PORT")]
    pub dicom: Option<String>,
    /// Our AE title.
    #[arg(long, global = true, value_name = "TITLE")]
    pub aet: Option<String>,
    /// Index: `sqlite`, or `postgres://…`.
    #[arg(long, global = true, value_name = "URL")]
    pub index: Option<String>,
    /// Blobs: a folder, or `s3://bucket/prefix`.
    #[arg(long, global = true, value_name = "URL")]
    pub blobs: Option<String>,
    /// OHIF package (`.tgz`) or unpacked `dist` folder to serve at /ohif.
    #[arg(long, global = true, value_name = "DIR")]
    pub ohif_dir: Option<String>,
    /// Access control: `off` is the only mode yet.
    #[arg(long, global = true, value_name = "MODE")]
    pub auth: Option<String>,
}

impl Stores {
    /// The flags given, by the keys they set.
    pub fn flags(&self) -> Vec<Flag> {
        [
            ("--data", "data", &self.data),
            ("--http", "http.address", &self.http),
            ("--dicom", "dicom.address", &self.dicom),
            ("--aet", "dicom.ae_title", &self.aet),
            ("--index", "index.url", &self.index),
            ("--blobs", "blobs.url", &self.blobs),
            ("--ohif-dir", "web.ohif_dir", &self.ohif_dir),
            ("--auth", "auth", &self.auth),
        ]
        .into_iter()
        .filter_map(|(name, key, value)| value.clone().map(|value| Flag { name, key, value }))
        .collect()
    }
}

/// `lastra conformance`.
#[derive(Debug, Args)]
pub struct Conformance {
    /// Name the tests that show each line.
    #[arg(long)]
    pub report: bool,
}

/// `lastra viewer`.
#[derive(Debug, Args)]
pub struct Viewer {
    /// What to do.
    #[command(subcommand)]
    pub action: ViewerAction,
    /// Which archive.
    #[command(flatten)]
    pub stores: Stores,
}

/// What `lastra viewer` does.
#[derive(Debug, Subcommand)]
pub enum ViewerAction {
    /// Unpack OHIF into the data folder, in place of an older one.
    Add {
        /// npm's package of `@ohif/app`, or an unpacked `dist` folder.
        #[arg(value_name = "FILE.tgz|DIR")]
        package: PathBuf,
    },
    /// Remove it.
    Remove,
}

/// `lastra demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// HTTP port; the next free one when it is taken.
    #[arg(long, default_value_t = 8042)]
    pub http: u16,
    /// DICOM port; the next free one when it is taken.
    #[arg(long, default_value_t = 11112)]
    pub dicom: u16,
    /// Keep the data in this folder instead of a temporary one.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Stop after this long (`10s`, `5m`) instead of at Ctrl-C.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Start empty: send nothing.
    #[arg(long)]
    pub empty: bool,
}

/// `lastra import`.
#[derive(Debug, Args)]
pub struct Import {
    /// Folders, zip files, DICOMDIR files, single files.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Import everything again, also what an earlier run of this import finished.
    #[arg(long)]
    pub again: bool,
    /// Where to.
    #[command(flatten)]
    pub stores: Stores,
}

/// `lastra send`.
#[derive(Debug, Args)]
pub struct Send {
    /// The node: `AET@host:port`, or the AE title of a `[[nodes]]` entry.
    #[arg(value_name = "NODE")]
    pub node: String,
    /// Folders, zip files, single files.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Our AE title.
    #[arg(long, default_value = "LASTRA", value_name = "TITLE")]
    pub aet: String,
    /// Configuration file with `[[nodes]]`.
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `lastra echo`.
#[derive(Debug, Args)]
pub struct Echo {
    /// The node: `AET@host:port`, or the AE title of a `[[nodes]]` entry.
    #[arg(value_name = "NODE")]
    pub node: String,
    /// Our AE title.
    #[arg(long, default_value = "LASTRA", value_name = "TITLE")]
    pub aet: String,
    /// Configuration file with `[[nodes]]`.
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `lastra check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Read every blob and compare its SHA-256.
    #[arg(long)]
    pub hashes: bool,
    /// Remove blobs that no row names and that are older than `--grace`.
    #[arg(long)]
    pub sweep: bool,
    /// Age below which a blob without a row is left alone: it may just be arriving.
    #[arg(long, default_value = "1h", value_name = "TIME", value_parser = duration)]
    pub grace: Duration,
    /// Which archive.
    #[command(flatten)]
    pub stores: Stores,
}

/// `lastra bin`.
#[derive(Debug, Args)]
pub struct Bin {
    /// What to do.
    #[command(subcommand)]
    pub action: BinAction,
    /// Which archive.
    #[command(flatten)]
    pub stores: Stores,
}

/// `lastra bin …`.
#[derive(Debug, Subcommand)]
pub enum BinAction {
    /// Studies that have something in the bin, how many copies, and why.
    List,
    /// Delete: put a study, series or instance into the bin.
    Put(BinPlace),
    /// Take it out again; what rejection notes put there only with --rejected.
    Restore {
        /// What.
        #[command(flatten)]
        place: BinPlace,
        /// Also what rejection notes put there; they count no more for it.
        #[arg(long)]
        rejected: bool,
    },
    /// Delete for good what has lain in the bin long enough; its bytes are gone then.
    Purge {
        /// Only what was deleted longer ago than this.
        #[arg(long, default_value = "720h", value_name = "TIME", value_parser = duration)]
        older: Duration,
        /// Also what rejection notes put there for another reason than that it expired.
        #[arg(long)]
        rejected: bool,
    },
}

/// A study, series or instance.
#[derive(Debug, Args)]
pub struct BinPlace {
    /// Study Instance UID.
    #[arg(value_name = "STUDY")]
    pub study: String,
    /// Only this series.
    #[arg(long, value_name = "UID")]
    pub series: Option<String>,
    /// Only this instance.
    #[arg(long, value_name = "UID")]
    pub instance: Option<String>,
}

/// `lastra config`.
#[derive(Debug, Args)]
pub struct Config {
    /// What to do with it.
    #[command(subcommand)]
    pub action: ConfigAction,
}

/// `lastra config …`.
#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Every key with the value in force.
    #[command(after_help = "Examples:\n  lastra config show --origin\n  \
        LASTRA_DICOM__AE_TITLE=PACS1 lastra config show --origin -c lastra.toml")]
    Show {
        /// Also where each value comes from.
        #[arg(long)]
        origin: bool,
        /// What to load.
        #[command(flatten)]
        stores: Stores,
    },
}

/// Reads `10s`, `5m`, `1h`, `250ms`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| format!("`{text}`: try 10s, 5m or 1h"))?;
    match text.strip_prefix(digits).unwrap_or_default() {
        "ms" => Ok(Duration::from_millis(number)),
        "s" | "" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        "h" => Ok(Duration::from_secs(number.saturating_mul(3600))),
        unit => Err(format!("`{unit}` is no unit: use ms, s, m or h")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{Cli, Duration, duration};

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, expected) in [
            ("10s", Some(Duration::from_secs(10))),
            ("250ms", Some(Duration::from_millis(250))),
            ("5m", Some(Duration::from_secs(300))),
            ("7", Some(Duration::from_secs(7))),
            ("1d", None),
            ("soon", None),
        ] {
            assert_eq!(duration(text).ok(), expected, "{text}");
        }
    }
}
