//! Deflated data sets (PS3.5 §A.5): inflated in a window's worth of memory, within limits.

use flate2::{Decompress, FlushDecompress, Status};

use crate::dicom::limits::Limits;
use crate::dicom::scan::machine::Machine;
use crate::dicom::scan::{Problem, ScanError, Visit};

/// Inflated bytes handed on at once.
const WINDOW_BYTES: usize = 32 * 1024;
/// Inflated bytes before the ratio counts: short headers full of padding inflate well.
const FREE_BYTES: u64 = 1024 * 1024;
/// The longest check sum, gzip's with the length.
const CHECK_SUM_BYTES: usize = 8;

/// A raw deflate stream (RFC 1951) on its way through.
#[derive(Debug)]
pub(super) struct Inflate {
    stream: Decompress,
    window: Vec<u8>,
    ended: bool,
    /// Bytes after its end.
    trailing: usize,
    ratio: u64,
    most: u64,
}

impl Inflate {
    /// A stream of which nothing has come yet.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            stream: Decompress::new(false),
            window: vec![0; WINDOW_BYTES],
            ended: false,
            trailing: 0,
            ratio: limits.inflate_ratio,
            most: limits.inflate_bytes,
        }
    }

    /// Inflates `bytes` into `machine`.
    pub(super) fn push(
        &mut self,
        mut bytes: &[u8],
        machine: &mut Machine,
        visit: &mut dyn Visit,
    ) -> Result<(), ScanError> {
        while !self.ended {
            let (taken, given) = (self.stream.total_in(), self.stream.total_out());
            let status = self
                .stream
                .decompress(bytes, &mut self.window, FlushDecompress::None)
                .map_err(|_| refused(machine.position(), Problem::BadDeflate))?;
            let taken = length(self.stream.total_in().saturating_sub(taken));
            let given = length(self.stream.total_out().saturating_sub(given));
            bytes = bytes.get(taken..).unwrap_or_default();
            machine.push(self.window.get(..given).unwrap_or_default(), visit)?;
            self.check_limits(machine.position())?;
            self.ended = status == Status::StreamEnd;
            if taken == 0 && given == 0 && !self.ended {
                return Ok(()); // wants bytes that have not come yet
            }
        }
        self.trailer(bytes, machine.position())
    }

    /// After the stream: PS3.5 §A.5 pads it to an even length with a zero byte. Some pad further,
    /// and some leave the check sum there that gzip (RFC 1952) or zlib (RFC 1950) append.
    fn trailer(&mut self, bytes: &[u8], position: u64) -> Result<(), ScanError> {
        let free = CHECK_SUM_BYTES.saturating_sub(self.trailing);
        if bytes.iter().skip(free).any(|&byte| byte != 0) {
            return Err(refused(position, Problem::BadDeflate));
        }
        self.trailing = self.trailing.saturating_add(bytes.len());
        Ok(())
    }

    /// Fails when the stream has not come to its end.
    pub(super) fn finish(&self, position: u64) -> Result<(), ScanError> {
        if self.ended { Ok(()) } else { Err(refused(position, Problem::BadDeflate)) }
    }

    fn check_limits(&self, position: u64) -> Result<(), ScanError> {
        let fair = self.stream.total_in().saturating_mul(self.ratio).saturating_add(FREE_BYTES);
        if self.stream.total_out() > fair.min(self.most) {
            return Err(refused(position, Problem::InflateBomb));
        }
        Ok(())
    }
}

fn refused(offset: u64, problem: Problem) -> ScanError {
    ScanError { offset, problem }
}

/// A count of bytes of a slice, which fits by nature.
fn length(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
