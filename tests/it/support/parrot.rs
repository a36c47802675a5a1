//! A DICOM peer that says exactly the bytes it is told, good or bad, and hears what comes back.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than any timer the tests set.
const PATIENCE: Duration = Duration::from_secs(20);

/// PDV control header bits (PS3.8 §E.2).
pub const COMMAND: u8 = 0b01;
pub const LAST: u8 = 0b10;

/// A raw connection.
pub struct Parrot {
    stream: TcpStream,
}

impl Parrot {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    /// Connects and associates as `PARROT`; every context is expected to be accepted.
    pub async fn associated(address: SocketAddr, contexts: &[(u8, &str, &str)]) -> Self {
        let mut parrot = Self::connect(address).await;
        parrot.say(&associate_rq("PARROT", "LASTRA", contexts, &[])).await;
        let (kind, _) = parrot.hear().await.unwrap();
        assert_eq!(kind, 0x02, "not accepted");
        parrot
    }

    pub async fn say(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Says bytes until they are all said or the peer has gone; how many were.
    pub async fn say_until_cut(&mut self, bytes: &[u8], times: usize) -> usize {
        for said in 0..times {
            let write = timeout(PATIENCE, self.stream.write_all(bytes)).await;
            if write.expect("the peer neither reads nor closes").is_err() {
                return said;
            }
        }
        times
    }

    /// The next PDU: type and body; `None` when the peer has closed.
    pub async fn hear(&mut self) -> Option<(u8, Vec<u8>)> {
        timeout(PATIENCE, async {
            let mut header = [0; 6];
            self.stream.read_exact(&mut header).await.ok()?;
            let length = u32::from_be_bytes([header[2], header[3], header[4], header[5]]);
            let mut body = vec![0; length as usize];
            self.stream.read_exact(&mut body).await.ok()?;
            Some((header[0], body))
        })
        .await
        .expect("the peer said nothing")
    }

    /// The status of the next response.
    pub async fn hear_status(&mut self) -> u16 {
        self.hear_response().await.0
    }

    /// Status and Error Comment of the next response, the comment as it came, padding and all.
    pub async fn hear_response(&mut self) -> (u16, Vec<u8>) {
        let (kind, body) = self.hear().await.expect("closed instead of an answer");
        assert_eq!(kind, 0x04, "no P-DATA-TF: {body:?}");
        let status = value_of(&body, 0x0900).expect("a response without a status");
        let status = u16::from_le_bytes(status.try_into().unwrap());
        (status, value_of(&body, 0x0902).unwrap_or_default())
    }

    /// Expects an A-ASSOCIATE-AC: id and result of every context, type and body of every sub-item
    /// of the user information.
    pub async fn hear_accepted(&mut self) -> (Vec<(u8, u8)>, Vec<(u8, Vec<u8>)>) {
        let (kind, body) = self.hear().await.expect("closed instead of an answer");
        assert_eq!(kind, 0x02, "no A-ASSOCIATE-AC: {body:?}");
        let items = items_of(&body[68..]);
        let contexts = items.iter().filter(|item| item.0 == 0x21);
        let results = contexts.map(|(_, body)| (body[0], body[2])).collect();
        let user = items.iter().find(|item| item.0 == 0x50).expect("no user information");
        (results, items_of(&user.1))
    }

    /// Expects an A-ABORT and the end; its source and reason.
    pub async fn hear_abort(&mut self) -> (u8, u8) {
        let (kind, body) = self.hear().await.expect("closed without a word");
        assert_eq!(kind, 0x07, "no A-ABORT: {body:?}");
        assert_eq!(self.hear().await, None);
        (body[2], body[3])
    }
}

/// A-ASSOCIATE-RQ (PS3.8 §9.3.2) with contexts of (id, abstract syntax, transfer syntax) and
/// further user information.
pub fn associate_rq(
    calling: &str,
    called: &str,
    contexts: &[(u8, &str, &str)],
    user_items: &[u8],
) -> Vec<u8> {
    let mut body = vec![0, 1, 0, 0];
    body.extend_from_slice(format!("{called:16}{calling:16}").as_bytes());
    body.extend_from_slice(&[0; 32]);
    body.extend(item(0x10, b"1.2.840.10008.3.1.1.1"));
    for (id, class, syntax) in contexts {
        let mut context = vec![*id, 0, 0, 0];
        context.extend(item(0x30, class.as_bytes()));
        context.extend(item(0x40, syntax.as_bytes()));
        body.extend(item(0x20, &context));
    }
    body.extend(item(0x50, &[&item(0x51, &16_384_u32.to_be_bytes()), user_items].concat()));
    pdu(0x01, &body)
}

/// A PDU of one type around a body.
pub fn pdu(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap();
    [&[kind, 0][..], &length.to_be_bytes(), body].concat()
}

/// A PDV with its length.
pub fn pdv(context: u8, control: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len() + 2).unwrap();
    [&length.to_be_bytes()[..], &[context, control], bytes].concat()
}

/// A P-DATA-TF with one PDV.
pub fn p_data(context: u8, control: u8, bytes: &[u8]) -> Vec<u8> {
    pdu(0x04, &pdv(context, control, bytes))
}

/// A command set of field `field` (PS3.7 §E.1) on a SOP class and instance, with a data set or not.
pub fn command(field: u16, sop_class: &str, sop_instance: &str, has_data_set: bool) -> Vec<u8> {
    let mut body = Vec::new();
    let mut put = |element: u16, value: &[u8]| {
        body.extend_from_slice(&[0, 0]);
        body.extend_from_slice(&element.to_le_bytes());
        body.extend_from_slice(&u32::try_from(value.len()).unwrap().to_le_bytes());
        body.extend_from_slice(value);
    };
    put(0x0002, &padded(sop_class));
    put(0x0100, &field.to_le_bytes());
    put(0x0110, &1_u16.to_le_bytes());
    put(0x0800, &if has_data_set { 0_u16 } else { 0x0101 }.to_le_bytes());
    put(0x1000, &padded(sop_instance));
    body
}

fn padded(uid: &str) -> Vec<u8> {
    let mut bytes = uid.as_bytes().to_vec();
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    bytes
}

/// The value of an element (0000,`element`) in a command set, all in one PDV.
fn value_of(pdu: &[u8], element: u16) -> Option<Vec<u8>> {
    // PDV length, context and control header come first.
    let mut rest = &pdu[6..];
    while let Some((header, after)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes(header[4..].try_into().unwrap()) as usize;
        if header[..2] == [0, 0] && header[2..4] == element.to_le_bytes() {
            return Some(after[..length].to_vec());
        }
        rest = &after[length..];
    }
    None
}

fn items_of(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut items = Vec::new();
    while let Some((&[kind, _, high, low], rest)) = bytes.split_first_chunk::<4>() {
        let (body, rest) = rest.split_at(usize::from(u16::from_be_bytes([high, low])));
        items.push((kind, body.to_vec()));
        bytes = rest;
    }
    items
}

/// An item or sub-item of an association PDU.
pub fn item(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    [&[kind, 0][..], &length.to_be_bytes(), body].concat()
}
