//! The README is true: every command in it is run here, with free ports and a temporary folder for
//! the ones it names. `./dev demo` and `./dev test` are what runs these tests, or what they run.

use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use crate::support::postgres;
use crate::support::s3::InProcessS3;
use crate::support::server::Server;
use crate::support::server::until;
use crate::support::tools::dev_dir;

const README: &str = include_str!("../../../README.md");

/// The command lines in the README's shell blocks, without their comments.
fn commands() -> Vec<&'static str> {
    let blocks = README.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines).map(|line| line.split(" #").next().unwrap().trim());
    lines.filter(|line| !line.is_empty()).collect()
}

/// The line as a shell runs it, with this build's `lastra` first in the path.
fn shell(line: &str) -> Command {
    let lastra = Path::new(env!("CARGO_BIN_EXE_lastra")).parent().unwrap();
    let path = format!("{}:{}", lastra.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {line}")]).env("PATH", path);
    command.env("LASTRA_LOG__LEVEL", "warn");
    command
}

/// Runs a line to its end; what it printed.
fn run(line: &str) -> String {
    let done = shell(line).output().unwrap();
    let (said, errors) = (text(&done.stdout), text(&done.stderr));
    assert!(done.status.success(), "{line}: {} {said} {errors}", done.status);
    said
}

/// Runs a line until it says that it is ready.
fn serve(line: &str, environment: &[(&str, &str)]) {
    let mut server =
        shell(line).envs(environment.iter().copied()).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut first).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(first.starts_with("ready http=127.0.0.1:"), "{line}: {first}");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_readme_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("srv").display().to_string();
    let here = |line: &str| line.replace(" --data /srv/lastra", &format!(" --data {data}"));
    let demo = Server::start();
    let (http, dicom) = (demo.http.to_string(), demo.dicom.port().to_string());
    let there = |line: &str| {
        let line = line.replace("127.0.0.1:8042", &http);
        line.replace("127.0.0.1 11112", &format!("127.0.0.1 {dicom}"))
    };
    let studies = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-studies");
    run(&format!("lastra send LASTRA@127.0.0.1:{dicom} {studies}/ct-chest/*.dcm"));
    for line in commands() {
        match line.split_whitespace().take(2).collect::<Vec<_>>()[..] {
            ["./dev", what] => {
                let script = concat!(env!("CARGO_MANIFEST_DIR"), "/dev");
                let help = text(&Command::new(script).arg("help").output().unwrap().stdout);
                assert!(help.contains(&format!("\n  {what} ")), "{what} is not in {help}");
            }
            ["curl", _] if line.contains("/metrics") => {
                assert!(run(&there(line)).contains("lastra_store_instances_total"), "{line}");
            }
            ["curl", _] => {
                let found: serde_json::Value = serde_json::from_str(&run(&there(line))).unwrap();
                assert!(!found.as_array().unwrap().is_empty(), "{line}: {found}");
            }
            ["echoscu", _] => drop(run(&there(line))),
            ["lastra", "serve"] if line.contains("postgres://") => {
                let s3 = InProcessS3::start();
                let blobs = s3.settings();
                let line = line.replace("postgres://lastra@db/lastra", &postgres::fresh_database());
                let line = line.replace("s3://images/lastra", &format!("'{}'", blobs.url));
                let ports = "--http 127.0.0.1:0 --dicom 127.0.0.1:0";
                serve(&format!("{line} --data {data}-node {ports}"), &InProcessS3::environment());
            }
            ["lastra", "serve"] => {
                let line = line.replace(":8042", ":0").replace(":11112", ":0");
                serve(&here(&line), &[]);
            }
            ["lastra", "import"] => {
                run(&format!("{} --data {data}", line.replace("/media/cdrom", studies)));
            }
            // `./dev` fetched it in the same way, under a name of its own.
            ["npm", "pack"] => assert!(dev_dir().join("ohif.tgz").exists(), "{line}"),
            ["lastra", "viewer"] => {
                let package = dev_dir().join("ohif.tgz").display().to_string();
                let done = run(&here(&line.replace("ohif-app-*.tgz", &package)));
                assert!(done.contains("/ohif"), "{line}: {done}");
            }
            ["lastra", "fascicolo"] => {
                // A series says whose it is once it is quiet.
                until(line, || async {
                    let mut command = demo.command("fascicolo");
                    let asked = command.args(line.split_whitespace().skip(2));
                    asked.output().unwrap().status.success()
                })
                .await;
            }
            ["lastra", "check" | "bin"] => drop(run(&format!("{line} --data {data}"))),
            ["lastra", "config"] => assert!(run(line).contains("http.address"), "{line}"),
            _ => panic!("the README has a command that no test runs: {line}"),
        }
    }
}
