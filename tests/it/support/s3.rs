//! S3 servers: one in this process over a temporary folder, and moto, another's reading of S3.

use std::io::BufRead;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::Builder;
use lastra::blobs::open::Secret;
use lastra::blobs::open::Settings;
use s3s::auth::SimpleAuth;
use s3s::service::S3Service;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::tools::dev_dir;

const ACCESS_KEY: &str = "AKIATESTTESTTEST";
const SECRET_KEY: &str = "not-to-be-shown";
const BUCKET: &str = "images";

/// An S3 server inside this process, on a thread of its own; it ends when dropped.
pub struct InProcessS3 {
    address: SocketAddr,
    stop: CancellationToken,
    root: TempDir,
}

impl InProcessS3 {
    /// Starts one with an empty bucket on a free port.
    pub fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join(BUCKET)).unwrap();
        let files = s3s_fs::FileSystem::new(root.path()).unwrap();
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let service = service.build();
        // Tests wait for child processes that wait for this server: it needs its own thread.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let serving = stopped.run_until_cancelled(serve(listener, service));
            runtime.unwrap().block_on(serving);
        });
        Self { address, stop, root }
    }

    /// Where its objects lie as files.
    pub fn folder(&self) -> PathBuf {
        self.root.path().join(BUCKET)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Settings for a store in its bucket.
    pub fn settings(&self) -> Settings {
        settings(self.address, BUCKET)
    }

    /// Its keys as environment variables.
    pub fn environment() -> [(&'static str, &'static str); 2] {
        [
            ("LASTRA_BLOBS__ACCESS_KEY_ID", ACCESS_KEY),
            ("LASTRA_BLOBS__SECRET_ACCESS_KEY", SECRET_KEY),
        ]
    }

    /// Settings with a wrong secret.
    pub fn settings_with_wrong_secret(&self) -> Settings {
        Settings { secret_access_key: Secret::new("wrong"), ..self.settings() }
    }
}

impl Drop for InProcessS3 {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn serve(listener: std::net::TcpListener, service: S3Service) {
    let listener = TcpListener::from_std(listener).unwrap();
    while let Ok((socket, _)) = listener.accept().await {
        let _ = socket.set_nodelay(true);
        let service = service.clone();
        tokio::spawn(async move {
            let http = Builder::new(TokioExecutor::new());
            let _ = http.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

/// A moto server; it ends when dropped.
pub struct Moto {
    address: SocketAddr,
    process: Child,
}

impl Moto {
    /// Starts one with an empty bucket on a free port.
    pub async fn start() -> Self {
        let mut process = Command::new(dev_dir().join("venv/bin/moto_server"))
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("moto_server is missing: run ./dev test");
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split("http://").nth(1)?.trim().parse().ok())
            .expect("moto_server says where it listens");
        // Its log goes on; a full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        let _ = rustls::crypto::ring::default_provider().install_default();
        let made = reqwest::Client::new().put(format!("http://{address}/{BUCKET}")).send().await;
        assert!(made.unwrap().status().is_success());
        Self { address, process }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Settings for a store in its bucket.
    pub fn settings(&self) -> Settings {
        settings(self.address, BUCKET)
    }

    /// Settings for a bucket that is not there.
    pub fn settings_for_no_bucket(&self) -> Settings {
        settings(self.address, "nowhere")
    }
}

/// A configuration file for the bucket of the store reached at `address`: its own, or that of a
/// proxy before it.
pub fn config(address: SocketAddr) -> String {
    let url = settings(address, BUCKET).url;
    let keys = format!("access_key_id = '{ACCESS_KEY}'\nsecret_access_key = '{SECRET_KEY}'");
    format!("[blobs]\nurl = '{url}'\n{keys}\npart_bytes = 5242880\n")
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn settings(address: SocketAddr, bucket: &str) -> Settings {
    Settings {
        url: format!(
            "s3://{bucket}/site/a?endpoint=http://{address}&region=us-east-1&allow_http=true"
        ),
        access_key_id: Secret::new(ACCESS_KEY),
        secret_access_key: Secret::new(SECRET_KEY),
        part_bytes: 5 * 1024 * 1024,
        ..Settings::default()
    }
}
