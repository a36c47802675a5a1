//! Negotiation of an association: a request and our rules in, an answer out, nothing else
//! (PS3.8 §7.1, PS3.7 §D.3).
//!
//! Every storage SOP class is accepted, known or not, in every transfer syntax, known or not: the
//! bytes are kept as they come.

use std::collections::BTreeSet;

use dicom_ul::pdu::AssociationAC;
use dicom_ul::pdu::AssociationRQ;
use dicom_ul::pdu::PresentationContextProposed;
use dicom_ul::pdu::PresentationContextResult;
use dicom_ul::pdu::PresentationContextResultReason as Reason;
use dicom_ul::pdu::RequestorRoles;
use dicom_ul::pdu::UserIdentityType;
use dicom_ul::pdu::UserVariableItem;

use crate::dicom::part10::IMPLEMENTATION_CLASS;
use crate::dicom::part10::IMPLEMENTATION_VERSION;
use crate::dicom::syntax::EXPLICIT_BIG;
use crate::dicom::syntax::EXPLICIT_LITTLE;
use crate::dicom::syntax::IMPLICIT_LITTLE;
use crate::dicom::uid::Uid;
use crate::dimse::refusal::Abort;
use crate::dimse::refusal::Rejection;
use crate::dimse::services::is_other_service;

/// Verification SOP Class: C-ECHO (PS3.4 §A.4).
pub const VERIFICATION: &str = "1.2.840.10008.1.1";
/// DICOM's application context (PS3.7 §A.2.1).
pub const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";
/// What a peer takes that does not say.
const DEFAULT_PEER_MAX_BYTES: u32 = 16_384;
/// Sub-items of the user information (PS3.7 §D.3.3.3, §D.3.3.7.2).
const ASYNCHRONOUS_WINDOW: u8 = 0x53;
const USER_IDENTITY_RESPONSE: u8 = 0x59;

/// What we accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Called AE titles answered to; empty: any.
    pub accept_called: Vec<String>,
    /// Calling AE titles let in; empty: any.
    pub accept_calling: Vec<String>,
    /// The longest P-DATA-TF we take, announced as the maximum length.
    pub max_pdu_bytes: u32,
}

/// What an accepted presentation context is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// C-ECHO.
    Verification,
    /// C-STORE.
    Storage,
}

/// An accepted presentation context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Its id: odd.
    pub id: u8,
    /// Its SOP class.
    pub abstract_syntax: Uid,
    /// How its data sets are written.
    pub transfer_syntax: Uid,
    /// What it is for.
    pub service: Service,
}

/// An accepted association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What is answered.
    pub reply: AssociationAC,
    /// Contexts accepted; at most 128.
    pub contexts: Vec<Context>,
    /// Who calls, fit for a log line.
    pub calling: String,
    /// Who is called, fit for a log line.
    pub called: String,
    /// The longest P-DATA-TF the peer takes; 0: any.
    pub peer_max_bytes: u32,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A-ASSOCIATE-AC.
    Accept(Box<Accepted>),
    /// A-ASSOCIATE-RJ.
    Reject(Rejection),
    /// The request contradicts itself: A-ABORT.
    Abort(Abort),
}

/// Answers a request.
pub fn answer(request: &AssociationRQ, rules: &Rules) -> Answer {
    if let Some(rejection) = rejection(request, rules) {
        return Answer::Reject(rejection);
    }
    let mut seen = BTreeSet::new();
    let ids = request.presentation_contexts.iter().map(|context| context.id);
    // Odd and unique (PS3.8 §9.3.2.2): so there are at most 128.
    if !ids.into_iter().all(|id| id % 2 == 1 && seen.insert(id)) {
        return Answer::Abort(Abort::INVALID_PARAMETER);
    }
    let decided: Vec<_> = request
        .presentation_contexts
        .iter()
        .map(|context| (context, decide(context, &request.user_variables)))
        .collect();
    let results = decided.iter().map(|(proposed, decision)| result(proposed, decision)).collect();
    let contexts: Vec<Context> =
        decided.into_iter().filter_map(|(_, decision)| decision.ok()).collect();
    let reply = AssociationAC {
        protocol_version: 1,
        calling_ae_title: request.calling_ae_title.clone(),
        called_ae_title: request.called_ae_title.clone(),
        application_context_name: APPLICATION_CONTEXT.to_owned(),
        presentation_contexts: results,
        user_variables: user_variables(request, &contexts, rules),
    };
    let peer_max_bytes = request.user_variables.iter().find_map(|item| match item {
        UserVariableItem::MaxLength(bytes) => Some(*bytes),
        _ => None,
    });
    Answer::Accept(Box::new(Accepted {
        reply,
        contexts,
        calling: printable(&request.calling_ae_title),
        called: printable(&request.called_ae_title),
        peer_max_bytes: peer_max_bytes.unwrap_or(DEFAULT_PEER_MAX_BYTES),
    }))
}

/// Why the whole association is refused, if it is (PS3.8 §9.3.4).
fn rejection(request: &AssociationRQ, rules: &Rules) -> Option<Rejection> {
    let is_listed = |list: &[String], title: &str| {
        list.is_empty() || list.iter().any(|listed| listed.trim() == title.trim())
    };
    // Each bit stands for a version; ours is bit 0 (PS3.8 §9.3.2).
    if request.protocol_version & 1 == 0 {
        Some(Rejection::PROTOCOL_VERSION)
    } else if request.application_context_name.trim_end_matches('\0') != APPLICATION_CONTEXT {
        Some(Rejection::APPLICATION_CONTEXT)
    } else if !is_listed(&rules.accept_called, &request.called_ae_title) {
        Some(Rejection::CALLED_AE_TITLE)
    } else if !is_listed(&rules.accept_calling, &request.calling_ae_title) {
        Some(Rejection::CALLING_AE_TITLE)
    } else {
        None
    }
}

/// Accepts a context, or says why not.
fn decide(
    proposed: &PresentationContextProposed,
    user_variables: &[UserVariableItem],
) -> Result<Context, Reason> {
    let abstract_syntax = Uid::parse(&proposed.abstract_syntax)
        .ok()
        .filter(|uid| !is_other_service(uid.as_str()))
        .ok_or(Reason::AbstractSyntaxNotSupported)?;
    let transfer_syntax =
        preferred(&proposed.transfer_syntaxes).ok_or(Reason::TransferSyntaxesNotSupported)?;
    let gives_up_scu = user_variables.iter().any(|item| match item {
        UserVariableItem::ScuScpRoleSelectionSubItem(class, roles) => {
            !roles.scu && Uid::parse(class).is_ok_and(|class| class == abstract_syntax)
        }
        _ => false,
    });
    if gives_up_scu {
        // We send nothing yet, so nobody would be left to begin.
        return Err(Reason::UserRejection);
    }
    let service = match abstract_syntax.as_str() {
        VERIFICATION => Service::Verification,
        _ => Service::Storage,
    };
    Ok(Context { id: proposed.id, abstract_syntax, transfer_syntax, service })
}

/// The transfer syntax the peer named first: what it would rather send, most likely without
/// converting. But where Explicit VR Little Endian is offered too, Implicit VR and Big Endian lose
/// to it: they tell less of private attributes, and few readers like them.
fn preferred(offered: &[String]) -> Option<Uid> {
    let offered: Vec<Uid> = offered.iter().filter_map(|uid| Uid::parse(uid).ok()).collect();
    let first = offered.first()?;
    let explicit = offered.iter().find(|uid| uid.as_str() == EXPLICIT_LITTLE);
    match (first.as_str(), explicit) {
        (IMPLICIT_LITTLE | EXPLICIT_BIG, Some(explicit)) => Some(explicit.clone()),
        _ => Some(first.clone()),
    }
}

fn result(
    proposed: &PresentationContextProposed,
    decision: &Result<Context, Reason>,
) -> PresentationContextResult {
    match decision {
        Ok(context) => PresentationContextResult {
            id: context.id,
            reason: Reason::Acceptance,
            transfer_syntax: context.transfer_syntax.as_str().to_owned(),
        },
        // The transfer syntax means nothing here, but many readers want one (PS3.8 §9.3.3.2).
        Err(reason) => PresentationContextResult {
            id: proposed.id,
            reason: reason.clone(),
            transfer_syntax: IMPLICIT_LITTLE.to_owned(),
        },
    }
}

/// Our side of the user information (PS3.7 §D.3.3).
fn user_variables(
    request: &AssociationRQ,
    contexts: &[Context],
    rules: &Rules,
) -> Vec<UserVariableItem> {
    let mut ours = vec![
        UserVariableItem::MaxLength(rules.max_pdu_bytes),
        UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS.to_owned()),
        UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION.to_owned()),
    ];
    let mut asked_window = false;
    let mut identified = false;
    let mut roles_answered = BTreeSet::new();
    for item in &request.user_variables {
        match item {
            UserVariableItem::Unknown(ASYNCHRONOUS_WINDOW, _) if !asked_window => {
                // One operation at a time, each way (PS3.7 §D.3.3.3.2).
                ours.push(UserVariableItem::Unknown(ASYNCHRONOUS_WINDOW, vec![0, 1, 0, 1]));
                asked_window = true;
            }
            UserVariableItem::ScuScpRoleSelectionSubItem(class, asked)
                if is_accepted(class, contexts) && roles_answered.insert(class) =>
            {
                let granted = RequestorRoles { scu: asked.scu, scp: false };
                ours.push(UserVariableItem::ScuScpRoleSelectionSubItem(class.clone(), granted));
            }
            UserVariableItem::UserIdentityItem(identity)
                if !identified
                    && identity.positive_response_requested()
                    && matches!(
                        identity.identity_type(),
                        UserIdentityType::Username | UserIdentityType::UsernamePassword
                    ) =>
            {
                // A response of no bytes (PS3.7 §D.3.3.7.2). Tickets, assertions and tokens
                // nobody has checked get none: that says they were not.
                ours.push(UserVariableItem::Unknown(USER_IDENTITY_RESPONSE, vec![0, 0]));
                identified = true;
            }
            _ => {}
        }
    }
    ours
}

fn is_accepted(class: &str, contexts: &[Context]) -> bool {
    Uid::parse(class)
        .is_ok_and(|class| contexts.iter().any(|context| context.abstract_syntax == class))
}

/// An AE title as it may stand in a log line or a file's provenance.
fn printable(title: &str) -> String {
    title.trim().chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests;
