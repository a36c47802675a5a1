//! Grouped commits: many callers, one transaction.
//!
//! No delay is added: while one commit is under way the next callers gather, and go together.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::clock::SharedClock;
use crate::index::error::IndexError;
use crate::index::port::SharedIndex;
use crate::model::job::JobKind;
use crate::model::study::NewInstance;
use crate::model::study::Outcome;

/// The most instances of one transaction.
const MOST: usize = 100;

/// What the writing task is told.
enum Order {
    /// Enter an instance, and answer.
    Enter(Box<NewInstance>, oneshot::Sender<Result<Outcome, IndexError>>),
    /// Finish what is queued, take no more.
    Stop,
}

/// Enters instances, many callers' in one transaction; cheap to clone.
#[derive(Debug, Clone)]
pub struct Committer {
    queue: mpsc::Sender<Order>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Committer {
    /// Starts the one task that writes; `jobs` are queued for each series stored into.
    pub fn spawn(index: SharedIndex, jobs: Vec<(JobKind, i64)>, clock: SharedClock) -> Self {
        let (queue, waiting) = mpsc::channel(MOST);
        let task = tokio::spawn(commit_all(index, jobs, clock, waiting));
        Self { queue, task: Arc::new(Mutex::new(Some(task))) }
    }

    /// Enters one instance; durable when this returns `Ok`.
    pub async fn store(&self, instance: NewInstance) -> Result<Outcome, IndexError> {
        let stopping = || IndexError::Unavailable("the index is closing".to_owned());
        let (answer, answered) = oneshot::channel();
        self.queue.send(Order::Enter(Box::new(instance), answer)).await.map_err(|_| stopping())?;
        answered.await.map_err(|_| stopping())?
    }
}

impl Committer {
    /// Finishes what is queued and takes no more, whoever still holds a handle.
    pub async fn close(self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(task) = task else { return };
        // An error means that the task has ended already.
        let _ = self.queue.send(Order::Stop).await;
        let _ = task.await;
    }
}

async fn commit_all(
    index: SharedIndex,
    jobs: Vec<(JobKind, i64)>,
    clock: SharedClock,
    mut waiting: mpsc::Receiver<Order>,
) {
    let mut group = Vec::with_capacity(MOST);
    while waiting.recv_many(&mut group, MOST).await > 0 {
        let (mut instances, mut answers) = (Vec::new(), Vec::new());
        for order in group.drain(..) {
            match order {
                Order::Enter(instance, answer) => {
                    instances.push(*instance);
                    answers.push(answer);
                }
                // What came before is still received; what comes after is told so.
                Order::Stop => waiting.close(),
            }
        }
        if instances.is_empty() {
            continue;
        }
        metrics::counter!("lastra_index_commits_total").increment(1);
        metrics::histogram!("lastra_index_commit_instances").record(number(instances.len()));
        let outcomes = match index.store(&instances, &jobs, clock.now_us()).await {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            // One of them is to blame; the others must not suffer for it.
            Err(IndexError::Inconsistent(_)) if instances.len() > 1 => {
                one_by_one(&index, &instances, &jobs, &clock).await
            }
            Err(error) => vec![Err(error); instances.len()],
        };
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // Whoever asked may have gone meanwhile; what is entered stays entered.
            let _ = answer.send(outcome);
        }
    }
}

async fn one_by_one(
    index: &SharedIndex,
    instances: &[NewInstance],
    jobs: &[(JobKind, i64)],
    clock: &SharedClock,
) -> Vec<Result<Outcome, IndexError>> {
    let mut outcomes = Vec::with_capacity(instances.len());
    for instance in instances {
        metrics::counter!("lastra_index_commits_total").increment(1);
        let stored = index.store(std::slice::from_ref(instance), jobs, clock.now_us()).await;
        outcomes.push(stored.and_then(|outcomes| {
            let none = || IndexError::Inconsistent("no outcome".to_owned());
            outcomes.first().copied().ok_or_else(none)
        }));
    }
    outcomes
}

/// A count as a metric: exact, for it is at most [`MOST`].
fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
