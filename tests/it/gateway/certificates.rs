//! Keys and certificates for one test: two authorities, as the gateway has one for its TLS and one for
//! signatures; made by OpenSSL.

use std::path::PathBuf;
use std::process::Command;

pub(super) struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    pub(super) fn new() -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap() };
        made.authority("channel");
        made.authority("signatures");
        made.certificate("server", "channel", "ec", "subjectAltName=IP:127.0.0.1");
        made.certificate("client", "channel", "ec", "extendedKeyUsage=clientAuth");
        made.certificate("signature", "signatures", "rsa", "keyUsage=digitalSignature");
        made.certificate("stranger", "signatures", "ec", "extendedKeyUsage=clientAuth");
        made
    }

    /// A PEM file's path: `client.pem`, `client.key`.
    pub(super) fn path(&self, name: &str) -> String {
        self.file(name).to_str().unwrap().to_owned()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn authority(&self, name: &str) {
        self.make(name, "ec", None, "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign");
    }

    fn certificate(&self, name: &str, authority: &str, key: &str, extension: &str) {
        let extensions = format!("basicConstraints=critical,CA:FALSE\n{extension}");
        self.make(name, key, Some(authority), &extensions);
    }

    fn make(&self, name: &str, key: &str, authority: Option<&str>, extensions: &str) {
        let config = format!(
            "[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\nCN={name}\n[ext]\n{extensions}\n"
        );
        std::fs::write(self.file("config"), config).unwrap();
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-nodes", "-days", "36500", "-config"]);
        command.arg(self.file("config"));
        command.arg("-keyout").arg(self.file(&format!("{name}.key")));
        command.arg("-out").arg(self.file(&format!("{name}.pem")));
        match key {
            "rsa" => command.args(["-newkey", "rsa:2048"]),
            _ => command.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]),
        };
        if let Some(authority) = authority {
            command.arg("-CA").arg(self.file(&format!("{authority}.pem")));
            command.arg("-CAkey").arg(self.file(&format!("{authority}.key")));
        }
        let made = command.output().expect("openssl: run ./dev test");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}
