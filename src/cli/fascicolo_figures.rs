//! `lastra fascicolo completeness`: what each organisation feeds, in figures.

use crate::fascicolo::completeness::Completeness;
use crate::fascicolo::completeness::LIMIT_DAYS;

/// For people.
pub(in crate::cli) fn completeness_text(one: &Completeness) -> String {
    let name = if one.organisation.is_empty() { "of nobody configured" } else { &one.organisation };
    format!(
        "{name}{}\n  studies {}, without report {}\n  reports {}, without images {}\n  \
         here within {LIMIT_DAYS} days {}, later {}, unknown {}\n  \
         in the national index within {LIMIT_DAYS} days {}, later {}, not there {}",
        if one.regime.is_empty() { String::new() } else { format!(" ({})", one.regime) },
        one.studies,
        one.studies_without_report,
        one.reports,
        one.reports_without_images,
        one.received.within_limit,
        one.received.later,
        one.received.unknown,
        one.published.within_limit,
        one.published.later,
        one.unpublished,
    )
}
