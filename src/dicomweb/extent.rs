//! Whether all instances of a study or series can be given as the client takes them: 200, some:
//! 206, none: 406 (PS3.18 Table 10.4.3-1), known before the first byte goes out.

use std::collections::HashSet;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use futures::{StreamExt, TryStreamExt};

use crate::archive::retrieve::InstanceStream;
use crate::dicomweb::given::{self, Form, Given};
use crate::dicomweb::media::DICOM;
use crate::dicomweb::qido::warn;
use crate::dicomweb::wado::{Retrieval, refusal};
use crate::http::problem::Problem;
use crate::index::port::Located;

/// How many instances there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    given: u64,
    /// Rows of those that are left out: what is found to be unfit later was counted as given, and
    /// breaks the answer off.
    withheld: Arc<HashSet<i64>>,
}

impl Extent {
    /// Looks the rows through. 406 when no instance can be given, 413 when there are more than
    /// `most`.
    pub async fn of(asked: &Retrieval, most: u64) -> Result<Self, Problem> {
        let (mut given, mut withheld) = (0_u64, HashSet::new());
        if most == u64::MAX && given::takes_any_file(&asked.accept) {
            return Ok(Self { given, withheld: Arc::default() });
        }
        let mut refused = None;
        let mut instances = asked.archive.instances(&asked.permit, &asked.scope).await?;
        while let Some(located) = instances.try_next().await? {
            if is_given(asked, &located) {
                given = given.saturating_add(1);
            } else {
                withheld.insert(located.id);
                refused = refused.or_else(|| Some(refusal(&located)));
            }
            if given > most {
                return Err(too_many(most));
            }
        }
        match refused {
            Some(refusal) if given == 0 => Err(Problem::not_acceptable(refusal)),
            _ => Ok(Self { given, withheld: Arc::new(withheld) }),
        }
    }

    /// Whether some are left out.
    pub fn is_partial(&self) -> bool {
        !self.withheld.is_empty()
    }

    /// Says so.
    pub fn tell(&self, asked: &Retrieval, response: &mut Response) {
        if self.is_partial() {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let text = format!(
                "{} of {} instances cannot be given in a transfer syntax the request takes and \
                 are left out; transfer-syntax=* gives all",
                self.withheld.len(),
                self.given.saturating_add(self.withheld.len() as u64)
            );
            warn(response, &asked.urls, &text);
        }
    }
}

fn too_many(most: u64) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
        "Too large",
        format!("an archive holds up to {most} files here; ask for each series by itself"),
    )
}

/// Whether an instance can be given: in a form the client takes, and not found to be unfit for it
/// when it was asked for before.
fn is_given(asked: &Retrieval, located: &Located) -> bool {
    let syntax = &located.transfer_syntax;
    match given::file(&asked.accept, syntax, located.frames > 0, false) {
        None => false,
        Some(Form { given: Given::Stored, .. }) => true,
        Some(Form { given: Given::As(target), multipart, .. }) => {
            !asked.archive.is_unfit(located, target)
                || given::takes_stored(&asked.accept, DICOM, syntax, multipart)
        }
    }
}

/// The instances to give: all but those left out. One that cannot be given and came meanwhile is an
/// error.
pub async fn selected(asked: &Retrieval, extent: &Extent) -> Result<InstanceStream, Problem> {
    let instances = asked.archive.instances(&asked.permit, &asked.scope).await?;
    let withheld = Arc::clone(&extent.withheld);
    let some =
        instances.try_filter(move |located| std::future::ready(!withheld.contains(&located.id)));
    Ok(some.boxed())
}
