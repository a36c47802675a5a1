//! "Already done", for whoever sends a new order: what [`priors`](crate::fascicolo::priors) answers, as
//! notices of the acknowledgement. The order is kept all the same: who ordered it decides.

use crate::access::permit::Permit;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::priors::Asked;
use crate::fascicolo::priors::Prior;
use crate::fascicolo::priors::SamePart;
use crate::hl7::v2::ack::Notice;
use crate::hl7::v2::order::Order;
use crate::model::document::Reference;

/// Examinations told of in one acknowledgement.
const MOST_NOTICES: usize = 5;
/// New orders of one message that are looked at.
const MOST_ORDERS: usize = 20;

/// A new order of a message.
pub(in crate::fascicolo) struct NewOrder {
    /// Which of the message's orders, from 1.
    number: usize,
    person: i64,
    asked: Asked,
}

impl NewOrder {
    /// What is to be asked of an order; `None` of one that asks for nothing new, or does not say of whom or
    /// of what: an examination whose body part nobody can compare is no reason to warn anybody.
    pub(in crate::fascicolo) fn of(
        order: &Order,
        number: usize,
        person: Option<i64>,
        numbers: &[Reference],
        within_days: u16,
    ) -> Option<Self> {
        let says = !order.modality.is_empty() && !order.body_part.is_empty();
        let asked = Asked {
            modality: order.modality.clone(),
            body_part: order.body_part.clone(),
            side: order.side.clone(),
            within_days,
            study_uid: order.study_uid.clone(),
            numbers: numbers.to_vec(),
        };
        (order.control == NEW && says && within_days > 0)
            .then_some(person)
            .flatten()
            .map(|person| Self { number, person, asked })
    }
}

impl Fascicolo {
    /// What the sender of these orders should know. Nothing when it cannot be looked up now: the orders
    /// are kept, and sent again they would be the same.
    pub(in crate::fascicolo) async fn already_done(
        &self,
        permit: &Permit,
        orders: &[NewOrder],
    ) -> Vec<Notice> {
        let mut notices = Vec::new();
        for NewOrder { number, person, asked } in orders.iter().take(MOST_ORDERS) {
            let found = match self.priors(permit, *person, asked).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(%error, "whether it was done already cannot be told now");
                    break;
                }
            };
            let same = found.studies.iter().filter(|prior| prior.body_part == SamePart::Same);
            notices.extend(same.map(|prior| notice(*number, prior)));
            if notices.len() >= MOST_NOTICES {
                break;
            }
        }
        notices.truncate(MOST_NOTICES);
        if !notices.is_empty() {
            tracing::info!(notices = notices.len(), "what is ordered was done already");
        }
        notices
    }
}

/// One examination that was done. Its description is left out: people write into it what they like.
fn notice(order: usize, prior: &Prior) -> Notice {
    let date = dashed(&prior.date);
    let modalities = plain(&prior.modalities.replace('\\', "/"));
    let accession = plain(&prior.accession);
    let reports = match prior.reports {
        0 => "no report yet".to_owned(),
        1 => "with 1 report".to_owned(),
        some => format!("with {some} reports"),
    };
    let ago = match prior.days_ago {
        0 => "today".to_owned(),
        1 => "1 day ago".to_owned(),
        days => format!("{days} days ago"),
    };
    let text = format!(
        "Already done: {modalities} of the same body part on {date}, {ago}, {reports}. \
         The order is kept."
    );
    let by = if accession.is_empty() { String::new() } else { format!(", accession {accession}") };
    let known = [&prior.study, &prior.date, &modalities, &accession];
    Notice {
        place: format!("ORC^{order}^1"),
        code: CODE,
        meaning: "Examination already done",
        parameters: known.into_iter().filter(|text| !text.is_empty()).cloned().collect(),
        text,
        short: format!("Already done: {modalities} on {date}{by}"),
    }
}

/// Without what a character set could change: the acknowledgement is in the sender's.
fn plain(text: &str) -> String {
    let plain = text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ');
    plain.take(LONGEST).collect::<String>().trim().to_owned()
}

/// A date of DICOM's as people read it.
fn dashed(date: &str) -> String {
    match (date.get(..4), date.get(4..6), date.get(6..)) {
        (Some(year), Some(month), Some(day)) if day.len() == 2 => format!("{year}-{month}-{day}"),
        _ => plain(date),
    }
}

/// ORC-1 of a new order (HL7 table 0119).
const NEW: &str = "NW";
/// Our code for it.
const CODE: &str = "already-done";
/// Characters of one value told: an accession number has 16, a study few modalities.
const LONGEST: usize = 20;

#[cfg(test)]
mod tests {
    use super::{NewOrder, notice};
    use crate::fascicolo::priors::{Prior, SamePart};
    use crate::hl7::v2::order::Order;

    fn prior() -> Prior {
        Prior {
            study: "1.2.3".to_owned(),
            date: "20260226".to_owned(),
            days_ago: 4,
            modalities: "DX\\SR".to_owned(),
            description: "Torace di Rossi Mario".to_owned(),
            accession: "RX|26^00417".to_owned(),
            body_part: SamePart::Same,
            images: "ready",
            reports: 1,
        }
    }

    #[test]
    fn a_notice_names_the_examination_and_nobody() {
        let told = notice(2, &prior());
        assert_eq!(told.place, "ORC^2^1");
        assert_eq!(told.parameters, ["1.2.3", "20260226", "DX/SR", "RX|26^00417"]);
        assert_eq!(
            told.text,
            "Already done: DX/SR of the same body part on 2026-02-26, 4 days ago, with 1 report. \
             The order is kept."
        );
        assert_eq!(told.short, "Already done: DX/SR on 2026-02-26, accession RX|26^00417");
        let long = Prior { accession: "é".repeat(99) + &"7".repeat(99), ..prior() };
        let told = notice(1, &Prior { modalities: "CT\\".repeat(99), ..long });
        assert!(told.short.len() <= 80 && told.text.len() <= 250, "{told:?}");
        assert!(told.parameters.iter().all(|text| text.len() <= 80));
        let told = notice(1, &Prior { accession: String::new(), date: "è".to_owned(), ..prior() });
        assert_eq!((told.parameters.len(), told.short.as_str()), (3, "Already done: DX/SR on "));
    }

    #[test]
    fn only_new_orders_that_say_of_whom_and_of_what_are_asked_about() {
        let new = Order {
            control: "NW".to_owned(),
            modality: "DX".to_owned(),
            body_part: "CHEST".to_owned(),
            ..Order::default()
        };
        let changed = Order { control: "XO".to_owned(), ..new.clone() };
        let silent = Order { body_part: String::new(), ..new.clone() };
        for (order, person, days, asks) in [
            (&new, Some(1), 90, true),
            (&new, None, 90, false),
            (&new, Some(1), 0, false),
            (&changed, Some(1), 90, false),
            (&silent, Some(1), 90, false),
        ] {
            let asked = NewOrder::of(order, 1, person, &[], days);
            assert_eq!(asked.is_some(), asks, "{order:?} {person:?} {days}");
        }
    }
}
