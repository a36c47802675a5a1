//! The HL7 door of the real binary: a stock sender, half messages, nonsense, restarts.

use std::net::SocketAddr;
use std::process::Command;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::server::Server;
use crate::support::server::client;
use crate::support::server::until;
use crate::support::tools::dev_dir;

const OPEN: [(&str, &str); 2] =
    [("LASTRA_MLLP__ADDRESS", "127.0.0.1:0"), ("LASTRA_MLLP__READ_TIMEOUT_S", "1")];

fn registration(number: u32, local: &str) -> String {
    format!(
        "MSH|^~\\&|ADT|OSP|LASTRA|PACS|20260302||ADT^A04|{number}|P|2.5\rEVN|A04\r\
         PID|1||{local}^^^OSP~RSSMRA79B11C566R^^^MEF||ROSSI^MARIO||19790211|M\r"
    )
}

/// What `lastra fascicolo show` says of a person.
fn show(server: &Server, person: &str) -> serde_json::Value {
    let output = server.command("fascicolo").args(["show", person]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text} {}", String::from_utf8_lossy(&output.stderr)))
}

/// Sends raw bytes, then reads until `end` or the connection closes.
pub(crate) async fn say(address: SocketAddr, bytes: &[u8], end: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let read = stream.read(&mut piece).await.unwrap_or(0);
        answer.extend_from_slice(&piece[..read]);
        if read == 0 || (!end.is_empty() && answer.ends_with(end)) {
            return answer;
        }
    }
}

/// Sends messages with a stock client; what it was answered.
fn send(server: &Server, messages: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("messages.hl7");
    std::fs::write(&file, messages).unwrap();
    let output = Command::new(dev_dir().join("venv/bin/mllp_send"))
        .args(["--loose", "--file"])
        .arg(&file)
        .args(["--port", &server.hl7.unwrap().port().to_string(), "127.0.0.1"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

pub(crate) fn framed(message: &str) -> Vec<u8> {
    [b"\x0B", message.as_bytes(), b"\x1C\r"].concat()
}

#[tokio::test]
async fn a_stock_sender_is_answered_and_what_it_said_survives_a_restart() {
    let server = Server::start_in(&[], &OPEN);
    let said = send(&server, &format!("{}\r{}", registration(1, "P1"), registration(2, "P2")));
    assert!(said.contains("MSA|AA|1") && said.contains("MSA|AA|2"), "{said}");

    let server = server.kill_and_restart();
    let shown = show(&server, "RSSMRA79B11C566R");
    assert_eq!(shown["name"], "ROSSI^MARIO");
    assert_eq!(shown["identifiers"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_stock_sender_is_told_what_was_done_already() {
    let server =
        Server::start_in(&[], &[OPEN[0], OPEN[1], ("LASTRA_MLLP__ALREADY_DONE_DAYS", "36500")]);
    server.import(&["dx-chest"]);
    until("the study is somebody's", async || {
        let asked = "/priors?person=SMPNLC68H61H501I&modality=DX&days=36500";
        let answer = client().get(format!("http://{}{asked}", server.http)).send().await.unwrap();
        answer.text().await.unwrap().contains("\"date\":\"20260302\"")
    })
    .await;
    let order = "MSH|^~\\&|CUP|OSP|LASTRA|PACS|20260402||ORM^O01|3|P|2.5.1\r\
         PID|1||SMPNLC68H61H501I^^^MEF||ESEMPI^ANNA\rORC|NW|X9^CUP\r\
         OBR|1|X9^CUP||87.44.1^RX torace^ICD9||||||||||||||RX9||||||DX\r";
    let said = send(&server, order);
    let told = "MSA|AA|3\rERR||ORC^1^1|0^Message accepted^HL70357|I|already-done^";
    assert!(said.replace('\n', "\r").contains(told), "{said}");
    assert!(
        said.contains("~20260302~DX~RX2600417|") && said.contains("Already done: DX"),
        "{said}"
    );
    for personal in ["ESEMPI", "Esempi", "SMPNLC68H61H501I", "P0001042"] {
        assert!(!said.contains(personal), "{said}");
    }
}

#[tokio::test]
async fn half_messages_and_nonsense_end_their_connection_and_others_are_served() {
    let server = Server::start_in(&[], &OPEN);
    let address = server.hl7.unwrap();
    let stalled = tokio::spawn(async move { say(address, b"\x0BMSH|^~\\&|half", b"").await });
    for nonsense in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x0BMSH\x0B", &[0xFF; 4096]] {
        assert_eq!(say(address, nonsense, b"").await, b"");
    }
    let answer = say(address, &framed("MSH|^~\\&|garbage"), b"\x1C\r").await;
    assert!(String::from_utf8_lossy(&answer).contains("MSA|AR|"), "{answer:?}");
    let answer = say(address, &framed(&registration(7, "P1")), b"\x1C\r").await;
    assert!(String::from_utf8_lossy(&answer).contains("MSA|AA|7"), "{answer:?}");
    assert_eq!(stalled.await.unwrap(), b"");
}
