//! The real `lastra` binary, served on free ports from a temporary folder.

use std::io::BufRead;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use lastra::dimse::client::Scu;

use crate::support::objects::EXPLICIT_LITTLE;
use crate::support::objects::Object;
use crate::support::stores::Scaled;

const LASTRA: &str = env!("CARGO_BIN_EXE_lastra");

/// A running archive; killed when dropped.
pub struct Server {
    child: Child,
    pub http: SocketAddr,
    pub dicom: SocketAddr,
    /// Where HL7 messages are taken, if they are.
    pub hl7: Option<SocketAddr>,
    home: Home,
}

/// What stays when an archive's process ends; removed with its last holder.
#[derive(Clone)]
struct Home {
    folder: Arc<tempfile::TempDir>,
    scaled: Option<Arc<Scaled>>,
    arguments: Vec<String>,
}

impl Home {
    /// Embedded stores in a new folder.
    fn with(arguments: &[&str]) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let arguments = arguments.iter().map(|a| (*a).to_owned()).collect();
        Self { folder, scaled: None, arguments }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Where [`Server::start_logged`] has the log written.
    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// A command of `lastra` on these stores.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(LASTRA);
        self.complete(&mut command, name);
        command
    }

    /// Adds the command's name, where the stores are, and timers that suit tests.
    fn complete(&self, command: &mut Command, name: &str) {
        command.args([name, "--data"]).arg(self.data()).args(&self.arguments);
        if let Some(scaled) = &self.scaled {
            command.args(["--index", &scaled.index, "-c"]).arg(&scaled.config);
        }
        command
            .env("LASTRA_LOG__LEVEL", "warn")
            .env("LASTRA_ARCHIVE__QUIET_S", "1")
            .env("LASTRA_JOBS__POLL_MS", "50")
            .env("LASTRA_JOBS__LEASE_S", "5");
    }
}

impl Server {
    /// Embedded stores: SQLite and local disk.
    pub fn start() -> Self {
        Self::start_on(None, &[])
    }

    /// PostgreSQL and S3; starting another with the same stores gives a second node.
    pub fn start_scaled(stores: &Arc<Scaled>) -> Self {
        Self::start_on(Some(Arc::clone(stores)), &[])
    }

    /// On these stores, else embedded ones; the process with more environment.
    pub fn start_on(scaled: Option<Arc<Scaled>>, environment: &[(&str, &str)]) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::spawn(Home { folder, scaled, arguments: Vec::new() }, environment)
    }

    /// More arguments for `lastra serve`.
    pub fn start_with(arguments: &[&str]) -> Self {
        Self::start_in(arguments, &[])
    }

    /// The same, the process with more environment.
    pub fn start_in(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::spawn(Home::with(arguments), environment)
    }

    /// As [`Self::start_with`], its log at level `info` in the file [`Self::log`] reads.
    pub fn start_logged(arguments: &[&str]) -> Self {
        let home = Home::with(arguments);
        let log = std::fs::File::create(home.log()).unwrap();
        let mut command = home.command("serve");
        command.env("LASTRA_LOG__LEVEL", "info").stderr(log);
        Self::spawn_as(command, home)
    }

    /// What [`Self::start_logged`] has written so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.log()).unwrap()
    }

    /// As [`Self::start_with`], its data folder on a disk of so many MiB, seen by itself only.
    /// `None` where the system lets nobody but an administrator mount.
    pub fn start_on_a_disk_of(mib: u32, arguments: &[&str]) -> Option<Self> {
        if !Command::new("unshare").args(["-rm", "true"]).status().ok()?.success() {
            return None;
        }
        let home = Home::with(arguments);
        std::fs::create_dir(home.data()).unwrap();
        let mount = format!("mount -t tmpfs -o size={mib}m tmpfs \"$0\" && exec \"$@\"");
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", &mount]).arg(home.data()).arg(LASTRA);
        home.complete(&mut command, "serve");
        Some(Self::spawn_as(command, home))
    }

    fn spawn(home: Home, environment: &[(&str, &str)]) -> Self {
        let mut command = home.command("serve");
        command.envs(environment.iter().copied());
        Self::spawn_as(command, home)
    }

    fn spawn_as(mut command: Command, home: Home) -> Self {
        let mut child = command
            .args(["--http", "127.0.0.1:0", "--dicom", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("ready "), "lastra serve did not start: {line:?}");
        let field = |name: &str| -> Option<SocketAddr> {
            let found = line.split_whitespace().find_map(|word| word.strip_prefix(name));
            found.map(|address| address.parse().unwrap())
        };
        let (http, dicom) = (field("http=").unwrap(), field("dicom=").unwrap());
        Self { http, dicom, hl7: field("hl7="), child, home }
    }

    /// Kills the process at once, as a power cut would, and starts another on the same data.
    pub fn kill_and_restart(mut self) -> Self {
        self.child.kill().unwrap();
        self.restart()
    }

    /// Waits for the process that ended or was killed, and starts another on the same data.
    pub fn restart(mut self) -> Self {
        self.child.wait().unwrap();
        Self::spawn(self.home.clone(), &[])
    }

    /// Asks the process to stop, waits until it has, and starts another on the same data.
    pub fn stop_and_restart(mut self) -> Self {
        assert!(self.stop().success());
        Self::spawn(self.home.clone(), &[])
    }

    /// Waits until the process has ended by itself.
    pub async fn ended(&mut self) -> std::process::ExitStatus {
        let child = &mut self.child;
        let mut status = None;
        until("the process ends", || {
            status = child.try_wait().unwrap();
            std::future::ready(status.is_some())
        })
        .await;
        status.unwrap()
    }

    /// Asks the process to stop and waits until it has.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }

    /// Folder for the embedded index and the local blobs.
    pub fn data(&self) -> PathBuf {
        self.home.data()
    }

    /// `lastra <name> --json` on this archive's stores.
    pub fn command(&self, name: &str) -> Command {
        let mut command = self.home.command(name);
        command.arg("--json");
        command
    }

    /// Imports these folders of sample studies.
    pub fn import(&self, folders: &[&str]) {
        let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-studies");
        let folders = folders.iter().map(|folder| format!("{samples}/{folder}"));
        let done = self.command("import").args(folders).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    }

    /// `lastra check --json`: its last line.
    pub fn check(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.command("check").args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str(text.lines().last().unwrap_or_default())
            .unwrap_or_else(|_| panic!("{text} {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The blobs of instances, as the files they are on the disk or under the S3 server.
    pub fn instance_blobs(&self) -> Vec<PathBuf> {
        let folder = self.home.scaled.as_ref().map(|scaled| scaled.s3.folder());
        walkdir::WalkDir::new(folder.unwrap_or_else(|| self.home.data().join("blobs")))
            .into_iter()
            .filter_map(|entry| Some(entry.ok()?.into_path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "dcm"))
            .collect()
    }

    /// Files in the blob store, finished or not, also on a disk only the server sees.
    pub fn blob_files(&self) -> Vec<PathBuf> {
        let root = PathBuf::from(format!("/proc/{}/root", self.pid()));
        walkdir::WalkDir::new(root.join(self.data().strip_prefix("/").unwrap()).join("blobs"))
            .into_iter()
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_file())
            .map(walkdir::DirEntry::into_path)
            .collect()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Peak resident memory so far, in KiB.
    pub fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Base URL of DICOMweb.
    pub fn dicomweb(&self) -> String {
        format!("http://{}/dicom-web", self.http)
    }

    /// GET below the DICOMweb base URL.
    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.get_as(path, "*/*").await
    }

    /// GET below the DICOMweb base URL with an Accept header.
    pub async fn get_as(&self, path: &str, accept: &str) -> reqwest::Response {
        let url = format!("{}{path}", self.dicomweb());
        client().get(url).header("accept", accept).send().await.unwrap()
    }

    /// GET of JSON; an empty answer (204) is an empty array.
    pub async fn json(&self, path: &str) -> serde_json::Value {
        let response = self.get_as(path, "application/dicom+json").await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        if text.is_empty() { serde_json::json!([]) } else { serde_json::from_str(&text).unwrap() }
    }

    /// The Part 10 file of an instance as stored, whatever its transfer syntax.
    pub async fn file(&self, path: &str) -> Vec<u8> {
        let response = self.get_as(path, "application/octet-stream").await;
        assert_eq!(response.status(), 200, "{path}");
        response.bytes().await.unwrap().to_vec()
    }

    /// Stores objects over one association; the status of each.
    pub async fn store(&self, objects: &[Object]) -> Vec<u16> {
        let mut scu = self.scu(objects).await;
        let mut statuses = Vec::new();
        for object in objects {
            statuses.push(store_with(&mut scu, object).await);
        }
        scu.release().await.unwrap();
        statuses
    }

    /// An association that can store `objects`.
    pub async fn scu(&self, objects: &[Object]) -> Scu {
        let mut contexts: Vec<(String, String)> = Vec::new();
        for object in objects {
            let context = (object.sop_class.clone(), EXPLICIT_LITTLE.to_owned());
            if !contexts.contains(&context) {
                contexts.push(context);
            }
        }
        Scu::connect(&self.dicom.to_string(), "TEST", "LASTRA", &contexts).await.unwrap()
    }

    /// A figure of `/metrics`, all its labels summed; 0 when it is not there yet.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = client()
            .get(format!("http://{}/metrics", self.http))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        text.lines()
            .filter(|line| line.starts_with(name) && !line.starts_with('#'))
            .filter(|line| line[name.len()..].starts_with(['{', ' ']))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Stores one object over an open association; its status.
pub async fn store_with(scu: &mut Scu, object: &Object) -> u16 {
    let data_set = object.data_set();
    let (class, instance) = (&object.sop_class, &object.sop_instance);
    scu.store(class, instance, EXPLICIT_LITTLE, &mut &data_set[..]).await.unwrap().code
}

/// An HTTP client that follows no redirects and gives up after a minute.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap()
}

/// Waits until `condition` holds; fails after half a minute with what was waited for.
pub async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A whole answer with success, its boundaries made alike; else why it is none.
pub async fn whole(method: &str, url: &str, accept: &str) -> Result<Vec<u8>, String> {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let sent = client().request(method, url).header("accept", accept).send().await;
    let response = sent.map_err(|error| error.to_string())?;
    if !response.status().is_success() {
        return Err(response.status().to_string());
    }
    let media = response.headers().get("content-type").map(|media| media.to_str().unwrap());
    let boundary = media.unwrap_or_default().split("boundary=").nth(1);
    let boundary = boundary.map(|b| b.trim_matches('"').to_owned());
    let body = response.bytes().await.map_err(|error| error.to_string())?.to_vec();
    let Some(boundary) = boundary else { return Ok(body) };
    let mut plain = Vec::with_capacity(body.len());
    let mut rest = &body[..];
    while let Some(at) = memchr::memmem::find(rest, boundary.as_bytes()) {
        plain.extend_from_slice(&rest[..at]);
        rest = &rest[at + boundary.len()..];
    }
    plain.extend_from_slice(rest);
    Ok(plain)
}
