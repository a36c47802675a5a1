//! A private PostgreSQL for the tests: one server a test process, a fresh database each time.

use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

/// Ends the server and removes its folder when the test process is gone: statics are never dropped,
/// but the pipe to this shell closes however the process ends.
const WATCHDOG: &str = r#"
dir="$1"; bin="$2"; port="$3"; as="$4"
mkdir -p "$dir/socket"
[ -z "$as" ] || chown -R postgres "$dir"
run() { if [ -z "$as" ]; then "$@"; else runuser -u postgres -- "$@"; fi; }
run "$bin/initdb" -D "$dir/data" -U lastra -A trust -E UTF8 --no-sync --locale=C >"$dir/log" 2>&1
run "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -o "-c fsync=off -c listen_addresses=127.0.0.1 \
  -c port=$port -c unix_socket_directories=$dir/socket -c max_connections=300" start >>"$dir/log" 2>&1
cat >/dev/null
run "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1
rm -rf "$dir"
"#;

struct Postgres {
    port: u16,
    bin: PathBuf,
    databases: AtomicU32,
}

static SERVER: OnceLock<Postgres> = OnceLock::new();

/// The URL of a new, empty database.
pub fn fresh_database() -> String {
    let server = SERVER.get_or_init(start);
    let name = format!("lastra{}", server.databases.fetch_add(1, Ordering::Relaxed));
    let port = server.port.to_string();
    let made = Command::new(server.bin.join("createdb"))
        .args(["-h", "127.0.0.1", "-p", &port, "-U", "lastra", "-T", "template0", &name])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    format!("postgres://lastra@127.0.0.1:{port}/{name}")
}

#[expect(clippy::zombie_processes, reason = "the watchdog outlives us on purpose")]
fn start() -> Postgres {
    let bin = binaries();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dir = tempfile::Builder::new().prefix("lastra-pg-").tempdir().unwrap().keep();
    // initdb refuses to run as root.
    let run_as = if rustix::process::getuid().is_root() { "postgres" } else { "" };
    let mut watchdog = Command::new("bash")
        .args(["-c", WATCHDOG, "watchdog"])
        .arg(&dir)
        .arg(&bin)
        .args([&port.to_string(), run_as])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut pipe = watchdog.stdin.take().unwrap();
    pipe.write_all(b"\n").unwrap();
    std::mem::forget(pipe);
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() || !answers(&bin, port) {
        let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
        assert!(begun.elapsed() < Duration::from_secs(60), "PostgreSQL does not start: {log}");
        std::thread::sleep(Duration::from_millis(50));
    }
    Postgres { port, bin, databases: AtomicU32::new(0) }
}

fn answers(bin: &std::path::Path, port: u16) -> bool {
    let ready = Command::new(bin.join("pg_isready"))
        .args(["-h", "127.0.0.1", "-p", &port.to_string()])
        .output();
    ready.is_ok_and(|output| output.status.success())
}

/// Debian keeps each version's binaries in a folder of their own.
fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL: run ./dev test");
    let mut found: Vec<PathBuf> = versions.map(|entry| entry.unwrap().path().join("bin")).collect();
    found.retain(|bin| bin.join("initdb").exists());
    found.sort();
    found.pop().expect("PostgreSQL: run ./dev test")
}
