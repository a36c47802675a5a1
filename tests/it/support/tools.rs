//! Tools `./dev test` installs: the Python environment, PostgreSQL, DCMTK.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `./dev` keeps what it installs for the tests.
pub fn dev_dir() -> PathBuf {
    std::env::var_os("LASTRA_DEV_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".dev"), PathBuf::from)
}

/// The Python of the test environment (pydicom, pynetdicom, dicomweb-client, moto).
pub fn python() -> PathBuf {
    let python = dev_dir().join("venv/bin/python");
    assert!(python.exists(), "{} is missing: run ./dev test", python.display());
    python
}

/// Runs a Python script with arguments and returns what it prints.
pub fn run_python(script: &str, arguments: &[&str]) -> String {
    let output = Command::new(python()).arg("-c").arg(script).args(arguments).output().unwrap();
    assert!(output.status.success(), "python failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
