//! Zip archives, written as they are read (PKWARE APPNOTE 6.3).
//!
//! Files are not compressed, but framed as deflate's stored blocks, so that readers that cannot
//! seek find where each ends: its length and checksum follow it. Zip64 where 32 bits do not do.

use bytes::Bytes;

/// Longest stored block (RFC 1951 §3.2.4).
const BLOCK_BYTES: usize = 65_535;
/// The last block, empty.
const LAST_BLOCK: [u8; 5] = [1, 0, 0, 0xFF, 0xFF];
/// A file as long as this is written with 64-bit lengths. Blocks of single bytes, the worst there
/// could be, make six bytes of one: even those keep a shorter one within 32 bits.
const ZIP64_FROM_BYTES: u64 = 512 * 1024 * 1024;
/// Flag bit 3: lengths and checksum follow the file.
const FLAGS: u16 = 1 << 3;
const DEFLATE: u16 = 8;
const PLAIN_VERSION: u16 = 20;
const ZIP64_VERSION: u16 = 45;
const ZIP64_FIELD: u16 = 1;

/// Writes one archive; what its functions return is the archive, piece by piece.
#[derive(Debug, Default)]
pub struct ZipWriter {
    offset: u64,
    entries: Vec<Entry>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    /// Date and time of MS-DOS.
    modified: [u16; 2],
    crc: u32,
    packed: u64,
    bytes: u64,
    offset: u64,
}

#[derive(Debug)]
struct Open {
    name: String,
    modified: [u16; 2],
    crc: crc32fast::Hasher,
    packed: u64,
    bytes: u64,
    offset: u64,
    zip64: bool,
}

impl ZipWriter {
    /// A file of about `bytes` begins. `modified_us`: µs since 1970.
    pub fn begin(&mut self, name: String, modified_us: i64, bytes: u64) -> Bytes {
        let zip64 = bytes >= ZIP64_FROM_BYTES;
        let modified = dos_time(modified_us);
        let mut head = Writer::default();
        head.u32(0x0403_4B50).u16(version(zip64)).u16(FLAGS).u16(DEFLATE);
        head.u16(modified[1]).u16(modified[0]).u32(0);
        let unknown = if zip64 { u32::MAX } else { 0 };
        head.u32(unknown).u32(unknown);
        head.u16(short(name.len())).u16(if zip64 { 20 } else { 0 }).bytes(name.as_bytes());
        if zip64 {
            head.u16(ZIP64_FIELD).u16(16).u64(0).u64(0);
        }
        let (crc, offset) = (crc32fast::Hasher::new(), self.offset);
        self.open = Some(Open { name, modified, crc, packed: 0, bytes: 0, offset, zip64 });
        self.wrote(head)
    }

    /// Bytes of the open file, framed.
    pub fn piece(&mut self, piece: &Bytes) -> Vec<Bytes> {
        let Some(open) = &mut self.open else { return Vec::new() };
        open.crc.update(piece);
        open.bytes = open.bytes.saturating_add(length(piece.len()));
        let mut framed = Vec::new();
        let mut rest = piece.clone();
        while !rest.is_empty() {
            let block = rest.split_to(rest.len().min(BLOCK_BYTES));
            let (size, mut head) = (short(block.len()), Writer::default());
            head.bytes(&[0]).u16(size).u16(!size);
            framed.extend([Bytes::from(head.0), block]);
        }
        let packed = framed.iter().map(|bytes| length(bytes.len())).sum::<u64>();
        open.packed = open.packed.saturating_add(packed);
        self.offset = self.offset.saturating_add(packed);
        framed
    }

    /// The open file ends.
    pub fn end(&mut self) -> Bytes {
        let Some(open) = self.open.take() else { return Bytes::new() };
        let Open { name, modified, crc, packed, bytes, offset, zip64 } = open;
        let (crc, packed) = (crc.finalize(), packed.saturating_add(length(LAST_BLOCK.len())));
        let mut tail = Writer::default();
        tail.bytes(&LAST_BLOCK).u32(0x0807_4B50).u32(crc);
        if zip64 {
            tail.u64(packed).u64(bytes);
        } else {
            tail.u32(narrow(packed)).u32(narrow(bytes));
        }
        self.entries.push(Entry { name, modified, crc, packed, bytes, offset });
        self.wrote(tail)
    }

    /// The archive ends: its directory.
    pub fn finish(&mut self) -> Bytes {
        let begin = self.offset;
        let mut directory = Writer::default();
        for entry in &self.entries {
            push_entry(&mut directory, entry);
        }
        let (count, size) = (length(self.entries.len()), length(directory.0.len()));
        if count >= 0xFFFF || begin.saturating_add(size) >= u64::from(u32::MAX) {
            let end = begin.saturating_add(size);
            directory.u32(0x0606_4B50).u64(44).u16(ZIP64_VERSION).u16(ZIP64_VERSION);
            directory.u32(0).u32(0).u64(count).u64(count).u64(size).u64(begin);
            directory.u32(0x0706_4B50).u32(0).u64(end).u32(1);
        }
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        directory.u32(0x0605_4B50).u16(0).u16(0).u16(count).u16(count);
        directory.u32(narrow(size)).u32(narrow(begin)).u16(0);
        self.wrote(directory)
    }

    fn wrote(&mut self, bytes: Writer) -> Bytes {
        self.offset = self.offset.saturating_add(length(bytes.0.len()));
        bytes.0.into()
    }
}

/// A file's entry in the directory; what does not fit 32 bits stands in its Zip64 field.
fn push_entry(to: &mut Writer, entry: &Entry) {
    let wide: Vec<u64> = [entry.bytes, entry.packed, entry.offset]
        .into_iter()
        .filter(|value| *value >= u64::from(u32::MAX))
        .collect();
    let zip64 = !wide.is_empty() || entry.bytes >= ZIP64_FROM_BYTES;
    let extra = if wide.is_empty() { 0 } else { 4 + short(wide.len()) * 8 };
    to.u32(0x0201_4B50).u16(version(zip64)).u16(version(zip64)).u16(FLAGS).u16(DEFLATE);
    to.u16(entry.modified[1]).u16(entry.modified[0]).u32(entry.crc);
    to.u32(narrow(entry.packed)).u32(narrow(entry.bytes));
    to.u16(short(entry.name.len())).u16(extra).u16(0).u16(0).u16(0).u32(0);
    to.u32(narrow(entry.offset)).bytes(entry.name.as_bytes());
    if !wide.is_empty() {
        to.u16(ZIP64_FIELD).u16(short(wide.len()) * 8);
        for value in wide {
            to.u64(value);
        }
    }
}

fn version(zip64: bool) -> u16 {
    if zip64 { ZIP64_VERSION } else { PLAIN_VERSION }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// A number in 32 bits; all ones where it stands elsewhere.
fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Date and time of MS-DOS, in UTC; 1980 where there is none it can say.
fn dos_time(us: i64) -> [u16; 2] {
    let seconds = us.div_euclid(1_000_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years counted from March, in eras of 400.
    let since = days.saturating_add(719_468);
    let (era, of_era) = (since.div_euclid(146_097), since.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let date = ((year - 1980) << 9) | (month << 5) | day;
    let time = (second / 3600) << 11 | (second / 60 % 60) << 5 | (second % 60 / 2);
    match (u16::try_from(date), u16::try_from(time)) {
        (Ok(date), Ok(time)) if (1980..=2107).contains(&year) => [date, time],
        _ => [1 << 5 | 1, 0],
    }
}

/// Little endian numbers, one after the other.
#[derive(Debug, Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use bytes::Bytes;
    use proptest::prelude::*;

    use super::{ZipWriter, dos_time};

    fn written(files: &[(String, Vec<Bytes>)], announced: u64) -> Vec<u8> {
        let mut zip = ZipWriter::default();
        let mut all = Vec::new();
        for (name, pieces) in files {
            all.extend_from_slice(&zip.begin(name.clone(), 0, announced));
            for piece in pieces {
                for bytes in zip.piece(piece) {
                    all.extend_from_slice(&bytes);
                }
            }
            all.extend_from_slice(&zip.end());
        }
        all.extend_from_slice(&zip.finish());
        all
    }

    #[test]
    fn more_files_than_16_bits_count_are_read() {
        let files: Vec<_> =
            (0..70_000).map(|n| (n.to_string(), vec![Bytes::from_static(b"x")])).collect();
        let zip = zip::ZipArchive::new(Cursor::new(written(&files, 1))).unwrap();
        assert_eq!(zip.len(), 70_000);
    }

    #[test]
    fn times_are_those_of_ms_dos() {
        assert_eq!(dos_time(0), [33, 0]);
        // 2024-02-29T12:34:56Z
        let expected = [44 * 512 + 2 * 32 + 29, 12 * 2048 + 34 * 32 + 28];
        assert_eq!(dos_time(1_709_210_096_000_000), expected);
        assert_eq!(dos_time(i64::MAX), [33, 0]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            files in prop::collection::vec(prop::collection::vec(0..200_000_usize, 0..4), 0..4),
            wide: bool,
        ) {
            let files: Vec<(String, Vec<Bytes>)> = files.into_iter().enumerate().map(|(n, pieces)| {
                let pieces = pieces.into_iter().map(|length| Bytes::from(vec![u8::try_from(n).unwrap(); length]));
                (format!("A/{n}"), pieces.collect())
            }).collect();
            let bytes = written(&files, if wide { 1 << 33 } else { 0 });
            // Once by the directory, once from the beginning on, without seeking.
            let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
            prop_assert_eq!(zip.len(), files.len());
            for (name, pieces) in &files {
                let mut content = Vec::new();
                zip.by_name(name).unwrap().read_to_end(&mut content).unwrap();
                prop_assert_eq!(content, pieces.concat());
            }
        }
    }
}
