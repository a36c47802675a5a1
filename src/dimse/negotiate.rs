//! What an association may do: a request and our rules, to an answer (PS3.8 §7.1, PS3.7 §D.3).

use dicom_ul::pdu::AssociationAC;
use dicom_ul::pdu::AssociationRJ;
use dicom_ul::pdu::AssociationRJResult;
use dicom_ul::pdu::AssociationRJServiceProviderASCEReason;
use dicom_ul::pdu::AssociationRJServiceUserReason;
use dicom_ul::pdu::AssociationRJSource;
use dicom_ul::pdu::AssociationRQ;
use dicom_ul::pdu::PresentationContextProposed;
use dicom_ul::pdu::PresentationContextResult;
use dicom_ul::pdu::PresentationContextResultReason;
use dicom_ul::pdu::UserVariableItem;

use crate::dicom::part10::IMPLEMENTATION_CLASS;
use crate::dicom::part10::IMPLEMENTATION_VERSION;
use crate::dicom::syntax;

/// The DICOM application context (PS3.7 §A.2.1).
pub const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";
/// Verification SOP Class (PS3.4 §A.4).
pub const VERIFICATION: &str = "1.2.840.10008.1.1";

/// Abstract syntaxes that are services other than storage (PS3.4, PS3.6 Table A-1), by the UIDs
/// themselves or the roots they share. Everything else, private or unknown, is taken as storage.
const OTHER_SERVICES: [&str; 17] = [
    "1.2.840.10008.1.9",        // basic study content notification
    "1.2.840.10008.1.20.",      // storage commitment
    "1.2.840.10008.1.40",       // procedural event logging
    "1.2.840.10008.1.42",       // substance administration logging
    "1.2.840.10008.3.1.",       // modality performed procedure step and older
    "1.2.840.10008.5.1.1.1.",   // print
    "1.2.840.10008.5.1.1.2",    // print
    "1.2.840.10008.5.1.1.4.",   // print
    "1.2.840.10008.5.1.1.9",    // print
    "1.2.840.10008.5.1.1.1",    // print: film session
    "1.2.840.10008.5.1.4.1.2.", // query/retrieve
    "1.2.840.10008.5.1.4.31",   // modality worklist
    "1.2.840.10008.5.1.4.32",   // worklist management
    "1.2.840.10008.5.1.4.33",   // instance availability notification
    "1.2.840.10008.5.1.4.34.",  // unified procedure step, beams delivery instruction
    "1.2.840.10008.5.1.4.37.",  // relevant patient information query
    "1.2.840.10008.5.1.4.41",   // product characteristics query
];

/// Storage SOP classes below one of those roots.
const STORED_NEVERTHELESS: [&str; 1] = ["1.2.840.10008.5.1.4.34.7"];

/// How we decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Our AE title.
    pub ae_title: String,
    /// Refuse associations that call another title.
    pub check_called_aet: bool,
    /// The longest P-DATA-TF we take (PS3.8 §D.1.1).
    pub max_pdu_bytes: u32,
}

/// A presentation context that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Its id.
    pub id: u8,
    /// SOP class.
    pub abstract_syntax: String,
    /// Transfer syntax chosen.
    pub transfer_syntax: String,
}

/// An association as agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// What is answered.
    pub answer: AssociationAC,
    /// The contexts accepted.
    pub contexts: Vec<Context>,
    /// The longest P-DATA-TF the peer takes; `None`: any.
    pub peer_max_pdu_bytes: Option<u32>,
}

/// Decides a request; `Err` holds the rejection.
pub fn negotiate(request: &AssociationRQ, rules: &Rules) -> Result<Agreed, AssociationRJ> {
    // Only bit 0 is tested (PS3.8 §9.3.2).
    if request.protocol_version & 1 == 0 {
        let reason = AssociationRJServiceProviderASCEReason::ProtocolVersionNotSupported;
        return Err(refused(AssociationRJSource::ServiceProviderASCE(reason)));
    }
    if trimmed(&request.application_context_name) != APPLICATION_CONTEXT {
        let reason = AssociationRJServiceUserReason::ApplicationContextNameNotSupported;
        return Err(refused(AssociationRJSource::ServiceUser(reason)));
    }
    if rules.check_called_aet && trimmed(&request.called_ae_title) != rules.ae_title {
        let reason = AssociationRJServiceUserReason::CalledAETitleNotRecognized;
        return Err(refused(AssociationRJSource::ServiceUser(reason)));
    }
    let results: Vec<(PresentationContextResult, Option<Context>)> =
        request.presentation_contexts.iter().map(decide).collect();
    let contexts = results.iter().filter_map(|(_, context)| context.clone()).collect();
    let answer = AssociationAC {
        protocol_version: 1,
        // These are returned as they came (PS3.8 §9.3.3).
        calling_ae_title: request.calling_ae_title.clone(),
        called_ae_title: request.called_ae_title.clone(),
        application_context_name: APPLICATION_CONTEXT.to_owned(),
        presentation_contexts: results.into_iter().map(|(result, _)| result).collect(),
        user_variables: user_variables(request, rules),
    };
    Ok(Agreed { answer, contexts, peer_max_pdu_bytes: peer_max(request) })
}

/// Text of a fixed-length field or UID without padding.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\0'])
}

fn refused(source: AssociationRJSource) -> AssociationRJ {
    AssociationRJ { result: AssociationRJResult::Permanent, source }
}

fn decide(proposed: &PresentationContextProposed) -> (PresentationContextResult, Option<Context>) {
    let id = proposed.id;
    let abstract_syntax = trimmed(&proposed.abstract_syntax);
    let chosen = preferred(&proposed.transfer_syntaxes);
    let reason = match &chosen {
        _ if !is_served(abstract_syntax) => {
            PresentationContextResultReason::AbstractSyntaxNotSupported
        }
        None => PresentationContextResultReason::TransferSyntaxesNotSupported,
        Some(_) => PresentationContextResultReason::Acceptance,
    };
    let accepted = reason == PresentationContextResultReason::Acceptance;
    // Not tested by the peer unless accepted (PS3.8 §9.3.3.2).
    let transfer_syntax = chosen.unwrap_or(syntax::IMPLICIT_LITTLE).to_owned();
    let context = accepted.then(|| Context {
        id,
        abstract_syntax: abstract_syntax.to_owned(),
        transfer_syntax: transfer_syntax.clone(),
    });
    (PresentationContextResult { id, reason, transfer_syntax }, context)
}

/// Verification, and everything that is not known to be another service.
fn is_served(abstract_syntax: &str) -> bool {
    let is_other = OTHER_SERVICES.iter().any(|service| match service.strip_suffix('.') {
        Some(_) => abstract_syntax.starts_with(service),
        None => abstract_syntax == *service,
    });
    !abstract_syntax.is_empty() && (!is_other || STORED_NEVERTHELESS.contains(&abstract_syntax))
}

/// The first syntax offered, as the sender prefers; but Explicit VR Little Endian before Implicit
/// VR, which loses the value representations, and before Big Endian, which is retired.
fn preferred(offered: &[String]) -> Option<&str> {
    let mut offered = offered.iter().map(|syntax| trimmed(syntax)).filter(|s| !s.is_empty());
    let first = offered.clone().next()?;
    let is_lesser = matches!(first, syntax::IMPLICIT_LITTLE | syntax::EXPLICIT_BIG);
    let explicit = offered.find(|syntax| is_lesser && *syntax == syntax::EXPLICIT_LITTLE);
    Some(explicit.unwrap_or(first))
}

fn user_variables(request: &AssociationRQ, rules: &Rules) -> Vec<UserVariableItem> {
    let ours = [
        UserVariableItem::MaxLength(rules.max_pdu_bytes),
        UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS.to_owned()),
        UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION.to_owned()),
    ];
    // Roles are granted as proposed (PS3.7 §D.3.3.4); asynchronous operations are not agreed to,
    // which silence says (PS3.7 §D.3.3.3).
    let roles = request.user_variables.iter().filter_map(|item| match item {
        UserVariableItem::ScuScpRoleSelectionSubItem(class, roles) => {
            Some(UserVariableItem::ScuScpRoleSelectionSubItem(class.clone(), *roles))
        }
        _ => None,
    });
    ours.into_iter().chain(roles).collect()
}

/// The longest P-DATA-TF the peer takes; 0 means any (PS3.8 §D.1.1).
fn peer_max(request: &AssociationRQ) -> Option<u32> {
    request.user_variables.iter().find_map(|item| match item {
        UserVariableItem::MaxLength(bytes) if *bytes > 0 => Some(*bytes),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::{
        APPLICATION_CONTEXT, AssociationRJServiceUserReason, AssociationRJSource, AssociationRQ,
        PresentationContextProposed, Rules, is_served, negotiate, preferred,
    };

    fn rules() -> Rules {
        Rules { ae_title: "LASTRA".to_owned(), check_called_aet: false, max_pdu_bytes: 1 << 20 }
    }

    fn request(contexts: usize) -> AssociationRQ {
        AssociationRQ {
            protocol_version: 1,
            calling_ae_title: "CT1".to_owned(),
            called_ae_title: "LASTRA".to_owned(),
            application_context_name: APPLICATION_CONTEXT.to_owned(),
            presentation_contexts: (0..contexts)
                .map(|n| PresentationContextProposed {
                    id: u8::try_from(n * 2 + 1).unwrap(),
                    abstract_syntax: format!("1.2.3.{n}"),
                    transfer_syntaxes: vec!["9.8.7".to_owned()],
                })
                .collect(),
            user_variables: Vec::new(),
        }
    }

    #[test]
    fn as_many_contexts_as_an_association_can_have_are_accepted_unknown_syntaxes_too() {
        let agreed = negotiate(&request(128), &rules()).unwrap();
        assert_eq!(agreed.contexts.len(), 128);
        assert!(agreed.contexts.iter().all(|context| context.transfer_syntax == "9.8.7"));
    }

    #[test]
    fn storage_and_verification_are_served_and_other_services_are_not() {
        for (class, served) in [
            ("1.2.840.10008.1.1", true),
            ("1.2.840.10008.5.1.4.1.1.2", true),
            ("1.2.840.10008.5.1.4.34.7", true),
            ("1.2.840.113619.4.27", true),
            ("1.2.3.4.5", true),
            ("1.2.840.10008.5.1.4.1.2.2.1", false),
            ("1.2.840.10008.5.1.4.31", false),
            ("1.2.840.10008.1.20.1", false),
            ("", false),
        ] {
            assert_eq!(is_served(class), served, "{class}");
        }
    }

    #[test]
    fn the_sender_s_first_syntax_wins_unless_it_loses_information() {
        let (implicit, explicit, big) =
            ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2");
        for (offered, chosen) in [
            (vec![implicit, explicit], Some(explicit)),
            (vec![big, implicit, explicit], Some(explicit)),
            (vec!["1.2.840.10008.1.2.4.90", explicit], Some("1.2.840.10008.1.2.4.90")),
            (vec![explicit, "1.2.840.10008.1.2.4.90"], Some(explicit)),
            (vec![implicit], Some(implicit)),
            (vec![], None),
        ] {
            let offered: Vec<String> = offered.into_iter().map(str::to_owned).collect();
            assert_eq!(preferred(&offered), chosen, "{offered:?}");
        }
    }

    #[test]
    fn another_called_title_is_refused_only_when_asked_for() {
        let mut other = request(1);
        other.called_ae_title = "OTHER".to_owned();
        assert!(negotiate(&other, &rules()).is_ok());
        let strict = Rules { check_called_aet: true, ..rules() };
        let rejected = negotiate(&other, &strict).unwrap_err();
        let reason = AssociationRJServiceUserReason::CalledAETitleNotRecognized;
        assert_eq!(rejected.source, AssociationRJSource::ServiceUser(reason));
    }
}
