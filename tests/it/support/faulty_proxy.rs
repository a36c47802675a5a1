//! A proxy before an S3 server that spoils what passes through it, when told to.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// What is done to a request or to its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The store is not asked; the answer is this status.
    Status(u16),
    /// The store is not asked; the connection is reset.
    Refused,
    /// The store does what it is asked; the connection is reset before its answer.
    AnswerLost,
    /// The connection is reset after so many bytes of the answer's body.
    ResetAfter(usize),
    /// The connection ends after so many bytes of the answer's body, though more were announced.
    EndAfter(usize),
    /// The body is cut to so many bytes, and its length announced as if that were all.
    CutTo(usize),
    /// The body goes on after the range asked for, and is announced so long.
    TooLong,
    /// The whole object instead of a range.
    RangeIgnored,
    /// Another range than asked for; the answer says so.
    OtherRange,
    /// Success, an error inside: what S3 may answer at the end of an upload of several parts.
    ErrorInside,
    /// One byte of an object changed; listings are left alone.
    OtherByte,
    /// The body in pieces, with pauses between them.
    Slow,
}

/// What to spoil: requests of a method, so many times.
#[derive(Debug, Clone, Copy)]
struct Plan {
    fault: Fault,
    method: &'static str,
    left: usize,
    spoilt: usize,
}

/// The proxy; it ends when dropped.
pub struct FaultyProxy {
    address: SocketAddr,
    plan: Arc<Mutex<Option<Plan>>>,
    stop: CancellationToken,
}

impl FaultyProxy {
    /// Begins to pass everything on to the store at `store`, on a thread of its own.
    pub fn before(store: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (plan, stop) = (Arc::new(Mutex::new(None)), CancellationToken::new());
        let (plan_there, stopped) = (Arc::clone(&plan), stop.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let serving = stopped.run_until_cancelled(serve(listener, store, plan_there));
            runtime.unwrap().block_on(serving);
        });
        Self { address, plan, stop }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, spoils requests of this method, and nothing else.
    pub fn spoil(&self, method: &'static str, fault: Fault) {
        self.spoil_times(method, fault, usize::MAX);
    }

    /// Spoils so many requests of this method and then no more.
    pub fn spoil_times(&self, method: &'static str, fault: Fault, left: usize) {
        *self.plan.lock().unwrap() = Some(Plan { fault, method, left, spoilt: 0 });
    }

    /// Spoils nothing any more; how many requests it has spoilt.
    pub fn heal(&self) -> usize {
        self.plan.lock().unwrap().take().map_or(0, |plan| plan.spoilt)
    }
}

impl Drop for FaultyProxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn serve(listener: std::net::TcpListener, store: SocketAddr, plan: Arc<Mutex<Option<Plan>>>) {
    let listener = TcpListener::from_std(listener).unwrap();
    while let Ok((client, _)) = listener.accept().await {
        let _ = client.set_nodelay(true);
        let plan = Arc::clone(&plan);
        // Whoever closes early has its reasons.
        tokio::spawn(async move { exchange(client, store, &plan).await.ok() });
    }
}

/// One request and its answer; then the connection ends.
async fn exchange(
    mut client: TcpStream,
    store: SocketAddr,
    plan: &Mutex<Option<Plan>>,
) -> std::io::Result<()> {
    let (mut head, mut body) = read_head(&mut client).await?;
    let length = head.number("content-length").unwrap_or(0);
    while body.len() < length {
        if client.read_buf(&mut body).await? == 0 {
            return Ok(());
        }
    }
    let fault = take(plan, &head);
    match fault {
        Some(Fault::Refused) => return reset(&client),
        Some(Fault::Status(status)) => {
            let answer = format!(
                "HTTP/1.1 {status} Fault\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            );
            return client.write_all(answer.as_bytes()).await;
        }
        Some(Fault::RangeIgnored) => head.remove("range"),
        Some(Fault::OtherRange) => head.shift_range(1, 1),
        Some(Fault::TooLong) => head.shift_range(0, 1),
        _ => {}
    }
    let (answer, body) = ask(store, &head, &body).await?;
    give(&mut client, answer, body, fault, head.first.starts_with("HEAD")).await
}

/// What the plan has for this request.
fn take(plan: &Mutex<Option<Plan>>, head: &Head) -> Option<Fault> {
    let mut plan = plan.lock().unwrap();
    let plan = plan.as_mut()?;
    if plan.left == 0 || head.first.split(' ').next() != Some(plan.method) {
        return None;
    }
    plan.left -= 1;
    plan.spoilt += 1;
    Some(plan.fault)
}

/// Asks the store; its whole answer.
async fn ask(store: SocketAddr, head: &Head, body: &[u8]) -> std::io::Result<(Head, Vec<u8>)> {
    let mut upstream = TcpStream::connect(store).await?;
    upstream.set_nodelay(true)?;
    upstream.write_all(head.text().as_bytes()).await?;
    upstream.write_all(body).await?;
    let (head, mut body) = read_head(&mut upstream).await?;
    upstream.read_to_end(&mut body).await?;
    Ok((head, body))
}

/// Gives the answer to the client, spoilt.
async fn give(
    client: &mut TcpStream,
    mut head: Head,
    mut body: Vec<u8>,
    fault: Option<Fault>,
    is_head: bool,
) -> std::io::Result<()> {
    let succeeded = head.first.contains(" 2");
    match fault.filter(|_| succeeded) {
        Some(Fault::AnswerLost) => return reset(client),
        Some(Fault::ResetAfter(bytes)) => {
            client.write_all(head.text().as_bytes()).await?;
            client.write_all(&body[..bytes.min(body.len())]).await?;
            return reset(client);
        }
        Some(Fault::EndAfter(bytes)) => body.truncate(bytes),
        Some(Fault::CutTo(bytes)) => {
            body.truncate(bytes);
            head.set("content-length", &body.len().to_string());
        }
        // The store has been asked for one byte more; the answer does not say so.
        Some(Fault::TooLong) => head.shift_range(0, -1),
        Some(Fault::ErrorInside) => {
            body = b"<Error><Code>InternalError</Code><Message>again</Message></Error>".to_vec();
            head.set("content-length", &body.len().to_string());
        }
        Some(Fault::OtherByte) if head.get("content-range").is_some() => {
            let middle = body.len() / 2;
            body[middle] ^= 0x10;
        }
        Some(Fault::Slow) => {
            client.write_all(head.text().as_bytes()).await?;
            for piece in body.chunks(body.len().div_ceil(4).max(1)) {
                tokio::time::sleep(Duration::from_millis(40)).await;
                client.write_all(piece).await?;
            }
            return Ok(());
        }
        _ => {}
    }
    client.write_all(head.text().as_bytes()).await?;
    if !is_head {
        client.write_all(&body).await?;
    }
    client.shutdown().await
}

fn reset(client: &TcpStream) -> std::io::Result<()> {
    SockRef::from(client).set_linger(Some(Duration::ZERO))
}

/// The head of a request or answer (RFC 9112).
struct Head {
    first: String,
    fields: Vec<(String, String)>,
}

/// Reads a head, and what of the body came with it.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<(Head, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let body = bytes.split_off(end + 4);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut lines = text.split("\r\n").filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default().to_owned();
    let fields = lines.filter_map(|line| line.split_once(':'));
    let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    let mut head = Head { first, fields: fields.collect() };
    head.set("connection", "close");
    Ok((head, body))
}

impl Head {
    fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.0 == name).map(|field| &*field.1)
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.get(name)?.parse().ok()
    }

    fn remove(&mut self, name: &str) {
        self.fields.retain(|field| field.0 != name);
    }

    fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    /// Moves both ends of a request's range (`bytes=0-9`) or of an answer's (`bytes 0-9/90`).
    fn shift_range(&mut self, from_by: i64, to_by: i64) {
        for (name, sign) in [("range", '='), ("content-range", ' ')] {
            let Some(value) = self.get(name) else { continue };
            let (range, total) = value.split_once('/').unwrap_or((value, ""));
            let Some((from, to)) = range.split_once(sign).and_then(|r| r.1.split_once('-')) else {
                continue;
            };
            let (Ok(from), Ok(to)) = (from.parse::<i64>(), to.parse::<i64>()) else { continue };
            let mut moved = format!("bytes{sign}{}-{}", from + from_by, to + to_by);
            if !total.is_empty() {
                let _ = write!(moved, "/{total}");
            }
            self.set(name, &moved);
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{}\r\n", self.first);
        for (name, value) in &self.fields {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text + "\r\n"
    }
}
