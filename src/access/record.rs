//! Accesses recorded: durable before what they gave leaves, those of many callers in one transaction.
//!
//! No delay is added: while one commit is under way the next accesses gather, and go together.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::clock::SharedClock;
use crate::index::error::IndexError;
use crate::index::port::SharedIndex;
use crate::model::access::NewAccess;

/// The most accesses of one transaction.
const MOST: usize = 100;

/// Time a record may take: whoever asked is told by then.
const WITHIN: Duration = Duration::from_secs(20);

/// An access, and who waits for its record.
type Told = (NewAccess, oneshot::Sender<Result<(), IndexError>>);

/// Records accesses; cheap to clone. The task behind it ends with the last clone.
#[derive(Debug, Clone)]
pub struct Recorder {
    queue: mpsc::Sender<Told>,
}

impl Recorder {
    /// Starts the one task that writes.
    pub fn spawn(index: SharedIndex, clock: SharedClock) -> Self {
        let (queue, waiting) = mpsc::channel(MOST);
        tokio::spawn(record_all(index, clock, waiting));
        Self { queue }
    }

    /// Records an access; durable when this returns `Ok`. What cannot be recorded must not be given.
    pub async fn record(&self, told: NewAccess) -> Result<(), IndexError> {
        let lost = |why: &str| IndexError::Unavailable(why.to_owned());
        let (answer, answered) = oneshot::channel();
        let recorded = async {
            let sent = self.queue.send((told, answer)).await;
            sent.map_err(|_| lost("the record of accesses is closed"))?;
            answered.await.map_err(|_| lost("the record of accesses is closing"))?
        };
        let recorded = tokio::time::timeout(WITHIN, recorded).await;
        let recorded = recorded.unwrap_or_else(|_| Err(lost("no record in time")));
        let result = if recorded.is_ok() { "recorded" } else { "failed" };
        metrics::counter!("lastra_access_records_total", "result" => result).increment(1);
        recorded
    }
}

async fn record_all(index: SharedIndex, clock: SharedClock, mut waiting: mpsc::Receiver<Told>) {
    let mut group = Vec::with_capacity(MOST);
    while waiting.recv_many(&mut group, MOST).await > 0 {
        let (told, answers): (Vec<_>, Vec<_>) = group.drain(..).unzip();
        metrics::counter!("lastra_access_commits_total").increment(1);
        let done = index.put_accesses(&told, clock.now_us()).await;
        if let Err(error) = &done {
            tracing::error!(%error, accesses = told.len(), "accesses cannot be recorded");
        }
        for answer in answers {
            // Whoever asked may have gone meanwhile: that they asked stays recorded.
            let _ = answer.send(done.clone());
        }
    }
}
