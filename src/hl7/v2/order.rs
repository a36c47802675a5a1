//! Imaging orders: ORM^O01, OMG^O19 and OMI^O23 (HL7 v2.5.1 §4, IHE RAD TF-2 §4.2 to 4.4).

use crate::hl7::v2::adt::MessagePatient;
use crate::hl7::v2::examined::Examined;
use crate::hl7::v2::header::Header;
use crate::hl7::v2::message::Message;
use crate::hl7::v2::message::Segment;
use crate::hl7::v2::types::EntityId;

/// An order message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderMessage {
    /// Whom it is for.
    pub patient: MessagePatient,
    /// The orders in it.
    pub orders: Vec<Order>,
}

/// One order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// ORC-1: `NW` new, `CA` cancel, `XO` change, `SC` status, `DC` discontinue, …
    pub control: String,
    /// Placer's number (ORC-2, OBR-2).
    pub placer: Option<EntityId>,
    /// Filler's number (ORC-3, OBR-3).
    pub filler: Option<EntityId>,
    /// Accession number (IPC-1, else OBR-18).
    pub accession: Option<EntityId>,
    /// Study Instance UID (IPC-3, else ZDS-1); empty when not told.
    pub study_uid: String,
    /// Number of the electronic prescription, wherever its issuer stands.
    pub nre: Option<EntityId>,
    /// Code of what is asked (OBR-4).
    pub procedure: String,
    /// Its text.
    pub procedure_text: String,
    /// Modality (IPC-5, else OBR-24, else what the code of what is asked implies).
    pub modality: String,
    /// Body part and its side, as [`Examined`] has them.
    pub body_part: String,
    /// `L` or `R`; empty when not told.
    pub side: String,
    /// ORC-5.
    pub status: String,
    /// Why (OBR-31, OBR-13).
    pub reason: String,
}

/// Why a message is no order to be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Not one of the three.
    #[error("MSH-9 is no order message: ORM^O01, OMG^O19 and OMI^O23 are taken")]
    OtherKind,
    /// No PID.
    #[error("segment PID is missing")]
    NoPatient,
    /// No ORC.
    #[error("segment ORC is missing")]
    NoOrder,
    /// An order without any number.
    #[error("order {0} has neither a placer's nor a filler's nor an accession number")]
    NoNumber(usize),
}

impl OrderMessage {
    /// Reads an order message.
    pub fn of(message: &Message, header: &Header) -> Result<Self, OrderError> {
        let kind = (header.kind.as_str(), header.trigger.as_str());
        if !matches!(kind, ("ORM", "O01") | ("OMG", "O19") | ("OMI", "O23")) {
            return Err(OrderError::OtherKind);
        }
        let pid = message.segment("PID").ok_or(OrderError::NoPatient)?;
        let groups = message.groups("ORC");
        if groups.is_empty() {
            return Err(OrderError::NoOrder);
        }
        let mut orders = Vec::with_capacity(groups.len());
        for (number, group) in groups.iter().enumerate() {
            let order = Order::of(group);
            if order.placer.is_none() && order.filler.is_none() && order.accession.is_none() {
                return Err(OrderError::NoNumber(number.saturating_add(1)));
            }
            orders.push(order);
        }
        Ok(Self { patient: MessagePatient::of(pid), orders })
    }
}

impl Order {
    /// Reads the segments of one order: ORC, OBR and what follows them; also those of a result.
    pub fn of(group: &[Segment<'_>]) -> Self {
        let find = |name: &str| group.iter().copied().find(|segment| segment.name() == name);
        let id = |name: &str, field: usize| {
            find(name).and_then(|segment| segment.repetitions(field).find_map(EntityId::of))
        };
        let text = |name: &str, field: usize, component: usize| {
            find(name).map(|segment| segment.component(field, component)).unwrap_or_default()
        };
        let first = |one: String, other: String| if one.is_empty() { other } else { one };
        let examined = Examined::of(group);
        let uid = first(text("IPC", 3, 1), text("ZDS", 1, 1));
        let ids =
            [("ORC", 2), ("ORC", 3), ("ORC", 4), ("OBR", 2), ("OBR", 3), ("OBR", 18), ("OBR", 19)];
        Self {
            control: text("ORC", 1, 1),
            placer: id("ORC", 2).or_else(|| id("OBR", 2)),
            filler: id("ORC", 3).or_else(|| id("OBR", 3)),
            accession: id("IPC", 1).or_else(|| id("OBR", 18)),
            study_uid: if is_uid(&uid) { uid } else { String::new() },
            nre: ids
                .iter()
                .filter_map(|(name, field)| id(name, *field))
                .find(|id| NRE_ASSIGNERS.contains(&id.assigner.as_str())),
            procedure: text("OBR", 4, 1),
            procedure_text: text("OBR", 4, 2),
            modality: first(first(text("IPC", 5, 1), text("OBR", 24, 1)), examined.modality),
            body_part: examined.body_part,
            side: examined.side,
            status: text("ORC", 5, 1),
            reason: first(text("OBR", 31, 2), text("OBR", 13, 1)),
        }
    }
}

pub(super) fn is_uid(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.contains('.')
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Who assigns electronic prescriptions.
const NRE_ASSIGNERS: [&str; 2] = ["2.16.840.1.113883.2.9.4.3.9", "2.16.840.1.113883.2.9.4.3.8"];

#[cfg(test)]
mod tests {
    use super::{OrderError, OrderMessage};
    use crate::hl7::v2::header::Header;
    use crate::hl7::v2::message::Message;

    fn read(kind: &str, rest: &str) -> Result<OrderMessage, OrderError> {
        let text = format!("MSH|^~\\&|RIS|OSP|LASTRA|PACS|20260302||{kind}|1|P|2.5\r{rest}");
        let message = Message::parse(text.as_bytes()).unwrap();
        OrderMessage::of(&message, &Header::of(&message).unwrap())
    }

    #[test]
    fn the_older_and_the_newer_order_messages_say_the_same() {
        let older = read(
            "ORM^O01",
            "PID|1||P1^^^OSP\rORC|NW|120A4^^2.16.840.1.113883.2.9.4.3.8^ISO|F1^RIS||SC\r\
             OBR|1|120A4|F1|87.44^RX torace^ICD9|||||||||Tosse|||||RX1||||||CR\rZDS|1.2.3^^Application^DICOM",
        )
        .unwrap();
        let newer = read(
            "OMI^O23^OMI_O23",
            "PID|1||P1^^^OSP\rORC|NW|120A4^^2.16.840.1.113883.2.9.4.3.8^ISO|F1^RIS||SC\r\
             OBR|1|120A4|F1|87.44^RX torace^ICD9|||||||||Tosse\rIPC|RX1^RIS|RP1|1.2.3|S1|CR",
        )
        .unwrap();
        for (message, issuer) in [(older, ""), (newer, "RIS")] {
            let [order] = message.orders.as_slice() else { panic!("{message:?}") };
            let accession = order.accession.as_ref().unwrap();
            assert_eq!((accession.value.as_str(), accession.assigner.as_str()), ("RX1", issuer));
            assert_eq!((order.study_uid.as_str(), order.modality.as_str()), ("1.2.3", "CR"));
            assert_eq!(order.nre.as_ref().map(|nre| nre.value.as_str()), Some("120A4"));
            assert_eq!((order.control.as_str(), order.status.as_str()), ("NW", "SC"));
            assert_eq!(
                (order.procedure.as_str(), order.procedure_text.as_str()),
                ("87.44", "RX torace")
            );
            assert_eq!((order.reason.as_str(), order.body_part.as_str()), ("Tosse", "CHEST"));
        }
    }

    #[test]
    fn several_orders_are_told_apart_and_one_without_number_is_refused() {
        let two = "PID|1||P1^^^OSP\rORC|NW|1\rOBR|1|||A\rORC|CA|2\rOBR|2|||B";
        let message = read("OMG^O19", two).unwrap();
        let seen: Vec<(&str, &str)> =
            message.orders.iter().map(|o| (o.control.as_str(), o.procedure.as_str())).collect();
        assert_eq!(seen, [("NW", "A"), ("CA", "B")]);
        for (kind, rest, error) in [
            ("ORM^O02", "PID|1\rORC|NW|1", OrderError::OtherKind),
            ("ORM^O01", "ORC|NW|1", OrderError::NoPatient),
            ("ORM^O01", "PID|1", OrderError::NoOrder),
            ("ORM^O01", "PID|1\rORC|NW|1\rORC|NW", OrderError::NoNumber(2)),
        ] {
            assert_eq!(read(kind, rest), Err(error), "{kind} {rest}");
        }
    }
}
