//! The operator's own signature: the published PDF is signed (`PAdES`) by a command, because keys and
//! devices of qualified signatures are not an archive's.

use std::io::Read;
use std::io::Write;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;

/// The longest signed PDF taken.
const MAX_BYTES: u64 = 128 * 1024 * 1024;

/// Why a PDF was not signed; fit for a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The command cannot be run.
    #[error("sign-command-not-run: {0}")]
    NotRun(String),
    /// It ended with an error, or not in time.
    #[error("sign-command-failed")]
    Failed,
    /// What it gave is no PDF.
    #[error("sign-command-gave-no-pdf")]
    NoPdf,
}

/// Signs a PDF, on a thread that may wait.
#[expect(clippy::disallowed_methods, reason = "waits for a process, neither pixels nor files")]
pub async fn sign(command: &[String], pdf: Bytes, within: Duration) -> Result<Bytes, SignError> {
    let command = command.to_vec();
    let signing = tokio::task::spawn_blocking(move || run(&command, &pdf, within));
    signing.await.map_err(|_| SignError::Failed)?
}

fn run(command: &[String], pdf: &Bytes, within: Duration) -> Result<Bytes, SignError> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(SignError::NotRun("it is empty".to_owned()));
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| SignError::NotRun(error.to_string()))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let unsigned = pdf.clone();
    let writer = std::thread::spawn(move || {
        // A command that reads no more ends by itself; what it gives decides.
        stdin.map(|mut stdin| stdin.write_all(&unsigned))
    });
    let reader = std::thread::spawn(move || {
        let mut signed = Vec::new();
        let read = stdout.map(|out| out.take(MAX_BYTES).read_to_end(&mut signed));
        read.and_then(Result::ok).map(|_| signed)
    });
    let ended = wait(&mut child, within);
    let _ = writer.join();
    let signed = reader.join().ok().flatten();
    if !ended {
        return Err(SignError::Failed);
    }
    let signed = signed.ok_or(SignError::Failed)?;
    if !signed.starts_with(b"%PDF") {
        return Err(SignError::NoPdf);
    }
    Ok(signed.into())
}

/// Waits for the command; whether it ended well and in time. Else it is ended.
fn wait(child: &mut Child, within: Duration) -> bool {
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if begun.elapsed() < within => std::thread::sleep(Duration::from_millis(20)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{SignError, sign};

    async fn signed(script: &str) -> Result<bytes::Bytes, SignError> {
        let command = ["sh", "-c", script].map(str::to_owned);
        sign(&command, "%PDF-1.7 ".repeat(100_000).into(), Duration::from_secs(5)).await
    }

    #[tokio::test]
    async fn what_the_command_gives_is_taken_when_it_is_a_pdf() {
        assert!(signed("cat; echo signed").await.unwrap().ends_with(b" signed\n"));
        assert_eq!(signed("echo no").await, Err(SignError::NoPdf));
        assert_eq!(signed("cat; exit 1").await, Err(SignError::Failed));
        let command = ["/nowhere/at/all".to_owned()];
        let not_run = sign(&command, "%PDF".into(), Duration::from_secs(5)).await;
        assert!(matches!(not_run, Err(SignError::NotRun(_))));
    }

    #[tokio::test]
    async fn a_command_that_never_ends_is_ended() {
        let command = ["sh", "-c", "exec sleep 60"].map(str::to_owned);
        let late = sign(&command, "%PDF".into(), Duration::from_millis(50)).await;
        assert_eq!(late, Err(SignError::Failed));
    }
}
