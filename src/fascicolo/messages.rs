//! HL7 version 2 messages taken: people, orders, reports. What is answered is durable.

use bytes::Bytes;

use crate::access::permit::Permit;
use crate::fascicolo::already_done::NewOrder;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::fascicolo::may;
use crate::fascicolo::intake::Arriving;
use crate::fascicolo::recognise::NRE;
use crate::hl7::v2::ack;
use crate::hl7::v2::ack::ErrorCode;
use crate::hl7::v2::ack::Notice;
use crate::hl7::v2::ack::Outcome;
use crate::hl7::v2::ack::Trouble;
use crate::hl7::v2::adt::AdtError;
use crate::hl7::v2::adt::EventSubject;
use crate::hl7::v2::adt::Meaning;
use crate::hl7::v2::adt::MessagePatient;
use crate::hl7::v2::adt::PatientEvent;
use crate::hl7::v2::header::Header;
use crate::hl7::v2::message::Message;
use crate::hl7::v2::order::Order;
use crate::hl7::v2::order::OrderMessage;
use crate::hl7::v2::report::Report;
use crate::hl7::v2::report::ResultMessage;
use crate::hl7::v2::types::EntityId;
use crate::model::document::DocumentSubject;
use crate::model::document::Reference;
use crate::model::document::ReferenceKind;
use crate::model::order::ImagingOrder;
use crate::model::person::Attached;
use crate::model::person::Origin;
use crate::model::person::Sighted;
use crate::model::person::Sighting;
use crate::people::identifier::Identifier;

/// Why a message was not taken.
enum Refusal {
    /// It will not do; here is why.
    Trouble(Outcome),
    /// We could not now.
    Failed(FascicoloError),
}

impl From<FascicoloError> for Refusal {
    fn from(error: FascicoloError) -> Self {
        Self::Failed(error)
    }
}

impl From<crate::index::error::IndexError> for Refusal {
    fn from(error: crate::index::error::IndexError) -> Self {
        Self::Failed(error.into())
    }
}

impl Fascicolo {
    /// Takes a message and gives the acknowledgement to send, if the sender wants one. What it says
    /// is durable before this returns; sent again it changes nothing more. A new order is answered with
    /// what was done already within so many days; 0: with nothing of the kind.
    pub async fn take_message(
        &self,
        permit: &Permit,
        bytes: &[u8],
        within_days: u16,
    ) -> Result<Option<String>, FascicoloError> {
        may(permit)?;
        let id = uuid::Uuid::now_v7().simple().to_string();
        let moment = jiff::Timestamp::from_microsecond(self.now_us()).unwrap_or_default();
        let now = moment.strftime("%Y%m%d%H%M%S+0000").to_string();
        // MSH-10 has twenty characters in the older versions.
        let id = id.get(12..).unwrap_or_default();
        let message = match Message::parse(bytes) {
            Ok(message) => message,
            Err(error) => {
                let outcome = rejected(ErrorCode::SegmentSequence, "MSH", &error.to_string());
                return Ok(ack::answer(None, &outcome, id, &now));
            }
        };
        let Some(header) = Header::of(&message) else {
            let outcome = rejected(ErrorCode::SegmentSequence, "MSH", "MSH is missing");
            return Ok(ack::answer(None, &outcome, id, &now));
        };
        let outcome = match self.apply(permit, &message, &header, within_days).await {
            Ok(notices) => Outcome::Taken(notices),
            Err(Refusal::Trouble(outcome)) => outcome,
            Err(Refusal::Failed(error)) => {
                tracing::warn!(%error, kind = header.kind, "message cannot be taken now");
                failed(ErrorCode::Internal, "", "it cannot be taken now: send it again later")
            }
        };
        Ok(ack::answer(Some(&header), &outcome, id, &now))
    }

    async fn apply(
        &self,
        permit: &Permit,
        message: &Message,
        header: &Header,
        within_days: u16,
    ) -> Result<Vec<Notice>, Refusal> {
        let silent = |()| Vec::new();
        match header.kind.as_str() {
            "ADT" => self.apply_event(message, header).await.map(silent),
            "ORM" | "OMG" | "OMI" => {
                let new = self.apply_orders(message, header, within_days).await?;
                Ok(self.already_done(permit, &new).await)
            }
            "ORU" => self.apply_reports(message, header).await.map(silent),
            _ => Err(Refusal::Trouble(rejected(
                ErrorCode::MessageType,
                "MSH^1^9",
                "ADT, ORM, OMG, OMI and ORU are taken",
            ))),
        }
    }

    async fn apply_event(&self, message: &Message, header: &Header) -> Result<(), Refusal> {
        let event = PatientEvent::of(message, header).map_err(|error| {
            let text = error.to_string();
            Refusal::Trouble(match error {
                AdtError::OtherEvent(_) | AdtError::OtherKind => {
                    rejected(ErrorCode::EventCode, "MSH^1^9", &text)
                }
                AdtError::NoPatient => failed(ErrorCode::SegmentSequence, "PID", &text),
                AdtError::NoPrior => failed(ErrorCode::RequiredField, "MRG^1^1", &text),
            })
        })?;
        for subject in &event.subjects {
            match event.trigger.meaning() {
                Meaning::Person => {
                    self.person_of_message(&subject.patient).await?;
                }
                // A changed identifier is one person's under both: the old one stays theirs.
                Meaning::Merge | Meaning::ChangeIdentifier => {
                    self.merge_subject(subject, &header.source()).await?;
                }
            }
        }
        Ok(())
    }

    async fn merge_subject(&self, subject: &EventSubject, actor: &str) -> Result<(), Refusal> {
        let survivor = self.person_of_message(&subject.patient).await?;
        let prior =
            MessagePatient { identifiers: subject.prior.clone(), ..MessagePatient::default() };
        let named = self.inner.issuers.identifiers(&prior.identifiers);
        if !named.iter().any(Identifier::identifies) {
            let text = "MRG-1 names no identifier with its issuer";
            return Err(Refusal::Trouble(failed(ErrorCode::RequiredField, "MRG^1^1", text)));
        }
        let absorbed = self.person_of_message(&prior).await?;
        let reason = "merged by the registry";
        // One already: the message came again.
        let now = self.now_us();
        self.inner.index.merge(survivor, absorbed, reason, actor, now).await?;
        Ok(())
    }

    /// The person of a message's patient, made when not known.
    async fn person_of_message(&self, patient: &MessagePatient) -> Result<i64, Refusal> {
        let sighting = Sighting {
            subject: Sighted::Person,
            identifiers: self.inner.issuers.identifiers(&patient.identifiers),
            name: patient.name.clone(),
            birth_date: patient.birth_date.clone(),
            sex: patient.sex.clone(),
            origin: Origin::Registry,
        };
        match self.inner.index.attach(&sighting, self.now_us()).await? {
            Attached::Person(person) => Ok(person),
            Attached::Nobody => {
                let text = "PID-3 names no identifier with its issuer";
                Err(Refusal::Trouble(failed(ErrorCode::RequiredField, "PID^1^3", text)))
            }
            Attached::Conflict(_) => {
                let text = "the identifiers are of different people here";
                Err(Refusal::Trouble(failed(ErrorCode::DuplicateKey, "PID^1^3", text)))
            }
        }
    }

    /// Keeps the orders; gives those that are new.
    async fn apply_orders(
        &self,
        message: &Message,
        header: &Header,
        within_days: u16,
    ) -> Result<Vec<NewOrder>, Refusal> {
        let orders = OrderMessage::of(message, header).map_err(|error| {
            Refusal::Trouble(failed(ErrorCode::RequiredField, "ORC", &error.to_string()))
        })?;
        // An order whose patient nobody can tell is kept all the same.
        let person = match self.person_of_message(&orders.patient).await {
            Ok(person) => Some(person),
            Err(Refusal::Trouble(_)) => None,
            Err(error @ Refusal::Failed(_)) => return Err(error),
        };
        let mut new = Vec::new();
        for (number, order) in (1..).zip(&orders.orders) {
            let mut kept = kept_order(order, person);
            self.keep_issuer(&mut kept.accession);
            self.inner.index.put_order(&kept, self.now_us()).await?;
            // Reports and images that came before may be joined by it.
            let numbers = self.inner.issuers.references(&order_references(order));
            for shared in self.inner.index.studies_sharing(&numbers).await? {
                self.link_study(shared.id).await?;
            }
            new.extend(NewOrder::of(order, number, person, &numbers, within_days));
        }
        Ok(new)
    }

    /// The issuer of an accession number as it is kept.
    fn keep_issuer(&self, accession: &mut (String, String)) {
        let reference = Reference {
            kind: ReferenceKind::Accession,
            assigner: std::mem::take(&mut accession.1),
            value: String::new(),
        };
        let kept = self.inner.issuers.references(&[reference]);
        accession.1 =
            kept.into_iter().map(|reference| reference.assigner).next().unwrap_or_default();
    }

    async fn apply_reports(&self, message: &Message, header: &Header) -> Result<(), Refusal> {
        let result = ResultMessage::of(message, header).map_err(|error| {
            Refusal::Trouble(failed(ErrorCode::DataType, "OBX", &error.to_string()))
        })?;
        for report in result.reports {
            let subject = DocumentSubject {
                identifiers: result.patient.identifiers.clone(),
                name: result.patient.name.clone(),
                birth_date: result.patient.birth_date.clone(),
                sex: result.patient.sex.clone(),
            };
            let arriving = Arriving {
                source: header.source(),
                subject,
                references: report_references(&report),
                title: report.order.procedure_text.clone(),
                ..Arriving::default()
            };
            let texts = (!report.text.is_empty()).then(|| report.text.into_bytes());
            let documents = report.documents.into_iter().map(|document| document.bytes);
            for bytes in documents.chain(texts) {
                let bytes = Bytes::from(bytes);
                self.take_in(Arriving { bytes, ..arriving.clone() }).await?;
            }
        }
        Ok(())
    }
}

fn kept_order(order: &Order, person: Option<i64>) -> ImagingOrder {
    let number = |id: &Option<EntityId>| {
        id.as_ref().map(|id| (id.value.clone(), id.assigner.clone())).unwrap_or_default()
    };
    ImagingOrder {
        placer: number(&order.placer),
        filler: number(&order.filler),
        accession: number(&order.accession),
        nre: order.nre.as_ref().map(|nre| nre.value.clone()).unwrap_or_default(),
        study_uid: order.study_uid.clone(),
        procedure: order.procedure.clone(),
        procedure_text: order.procedure_text.clone(),
        modality: order.modality.clone(),
        body_part: order.body_part.clone(),
        side: order.side.clone(),
        control: order.control.clone(),
        status: order.status.clone(),
        person,
    }
}

/// The numbers of an order.
fn order_references(order: &Order) -> Vec<Reference> {
    let reference = |kind, id: &EntityId| Reference {
        kind,
        assigner: id.assigner.clone(),
        value: id.value.clone(),
    };
    let study = Reference {
        kind: ReferenceKind::Study,
        assigner: String::new(),
        value: order.study_uid.clone(),
    };
    let accession = order.accession.iter().map(|id| reference(ReferenceKind::Accession, id));
    let orders = [&order.placer, &order.filler].into_iter().flatten();
    let orders = orders.map(|id| reference(ReferenceKind::Order, id));
    let nre = order.nre.iter().map(|nre| Reference {
        kind: ReferenceKind::Order,
        assigner: NRE.to_owned(),
        value: nre.value.clone(),
    });
    accession.chain(orders).chain(nre).chain([study]).filter(|r| !r.value.is_empty()).collect()
}

/// The numbers a result names its study by.
fn report_references(report: &Report) -> Vec<Reference> {
    let studies = report.studies.iter().map(|uid| Reference {
        kind: ReferenceKind::Study,
        assigner: String::new(),
        value: uid.clone(),
    });
    studies.chain(order_references(&report.order)).collect()
}

fn failed(code: ErrorCode, place: &str, text: &str) -> Outcome {
    Outcome::Failed(Trouble { code, place: place.to_owned(), text: text.to_owned() })
}

fn rejected(code: ErrorCode, place: &str, text: &str) -> Outcome {
    Outcome::Rejected(Trouble { code, place: place.to_owned(), text: text.to_owned() })
}
