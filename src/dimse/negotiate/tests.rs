//! Requests of real and unreal peers, and what they are answered.

use dicom_ul::pdu::UserIdentity;
use proptest::prelude::*;

use super::*;

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const JPEG_2000: &str = "1.2.840.10008.1.2.4.90";

fn rules() -> Rules {
    Rules { accept_called: Vec::new(), accept_calling: Vec::new(), max_pdu_bytes: 1 << 20 }
}

fn context(id: u8, sop_class: &str, syntaxes: &[&str]) -> PresentationContextProposed {
    PresentationContextProposed {
        id,
        abstract_syntax: sop_class.to_owned(),
        transfer_syntaxes: syntaxes.iter().map(|uid| (*uid).to_owned()).collect(),
    }
}

fn request(contexts: Vec<PresentationContextProposed>) -> AssociationRQ {
    AssociationRQ {
        protocol_version: 1,
        calling_ae_title: "CT1".to_owned(),
        called_ae_title: "LASTRA".to_owned(),
        application_context_name: APPLICATION_CONTEXT.to_owned(),
        presentation_contexts: contexts,
        user_variables: vec![UserVariableItem::MaxLength(16_384)],
    }
}

fn accepted(request: &AssociationRQ) -> Accepted {
    match answer(request, &rules()) {
        Answer::Accept(accepted) => *accepted,
        other => panic!("{other:?}"),
    }
}

/// The transfer syntax accepted for a context that offers these.
fn chosen(syntaxes: &[&str]) -> String {
    let accepted = accepted(&request(vec![context(1, CT, syntaxes)]));
    accepted.contexts[0].transfer_syntax.as_str().to_owned()
}

#[test]
fn the_peers_order_decides_but_explicit_little_endian_beats_implicit_and_big() {
    assert_eq!(chosen(&[JPEG_2000, EXPLICIT_LITTLE]), JPEG_2000);
    assert_eq!(chosen(&[EXPLICIT_LITTLE, JPEG_2000]), EXPLICIT_LITTLE);
    assert_eq!(chosen(&[IMPLICIT_LITTLE, EXPLICIT_BIG, EXPLICIT_LITTLE]), EXPLICIT_LITTLE);
    assert_eq!(chosen(&[EXPLICIT_BIG, EXPLICIT_LITTLE]), EXPLICIT_LITTLE);
    assert_eq!(chosen(&[IMPLICIT_LITTLE, JPEG_2000]), IMPLICIT_LITTLE);
    assert_eq!(chosen(&[EXPLICIT_BIG]), EXPLICIT_BIG);
}

#[test]
fn unknown_and_private_classes_and_syntaxes_are_accepted() {
    let private = "1.3.12.2.1107.5.9.1";
    let accepted = accepted(&request(vec![context(3, private, &["1.2.840.113619.5.2\0"])]));
    let [only] = &accepted.contexts[..] else { panic!("{:?}", accepted.contexts) };
    assert_eq!((only.id, only.service), (3, Service::Storage));
    assert_eq!(only.abstract_syntax.as_str(), private);
    assert_eq!(only.transfer_syntax.as_str(), "1.2.840.113619.5.2");
}

#[test]
fn services_we_do_not_serve_are_refused_beside_what_we_do() {
    let find = "1.2.840.10008.5.1.4.1.2.2.1";
    let accepted = accepted(&request(vec![
        context(1, find, &[IMPLICIT_LITTLE]),
        context(3, VERIFICATION, &[IMPLICIT_LITTLE]),
        context(5, CT, &[]),
        context(7, "", &[IMPLICIT_LITTLE]),
    ]));
    let reasons: Vec<_> = accepted.reply.presentation_contexts.iter().map(|c| &c.reason).collect();
    assert_eq!(
        reasons,
        [
            &Reason::AbstractSyntaxNotSupported,
            &Reason::Acceptance,
            &Reason::TransferSyntaxesNotSupported,
            &Reason::AbstractSyntaxNotSupported,
        ]
    );
    assert_eq!(accepted.contexts.len(), 1);
    assert_eq!(accepted.contexts[0].service, Service::Verification);
}

#[test]
fn a_hundred_and_twenty_eight_contexts_are_answered_one_by_one() {
    let contexts: Vec<_> = (1..=255)
        .step_by(2)
        .map(|id| context(id, &format!("1.2.3.{id}"), &[EXPLICIT_LITTLE]))
        .collect();
    assert_eq!(contexts.len(), 128);
    let accepted = accepted(&request(contexts));
    assert_eq!(accepted.contexts.len(), 128);
    assert_eq!(accepted.reply.presentation_contexts.len(), 128);
}

#[test]
fn context_ids_that_are_even_or_repeated_break_the_association() {
    for ids in [[1, 2], [1, 1], [0, 1]] {
        let contexts = ids.iter().map(|id| context(*id, CT, &[EXPLICIT_LITTLE])).collect();
        let answer = answer(&request(contexts), &rules());
        assert_eq!(answer, Answer::Abort(Abort::INVALID_PARAMETER), "{ids:?}");
    }
}

#[test]
fn titles_are_checked_when_there_is_a_list() {
    let strict = Rules {
        accept_called: vec!["LASTRA".to_owned()],
        accept_calling: vec!["CT1".to_owned()],
        ..rules()
    };
    let ask = |change: fn(&mut AssociationRQ)| {
        let mut request = request(vec![context(1, CT, &[EXPLICIT_LITTLE])]);
        change(&mut request);
        answer(&request, &strict)
    };
    assert!(matches!(ask(|_| {}), Answer::Accept(_)));
    for (change, rejection) in [
        (
            (|r| r.called_ae_title = "PACS".to_owned()) as fn(&mut AssociationRQ),
            Rejection::CALLED_AE_TITLE,
        ),
        (|r| r.calling_ae_title = "MR1".to_owned(), Rejection::CALLING_AE_TITLE),
        (|r| r.protocol_version = 2, Rejection::PROTOCOL_VERSION),
        (|r| r.application_context_name = "1.2.3".to_owned(), Rejection::APPLICATION_CONTEXT),
    ] {
        assert_eq!(ask(change), Answer::Reject(rejection));
    }
}

#[test]
fn roles_windows_and_identities_are_answered() {
    let mut request = request(vec![
        context(1, CT, &[EXPLICIT_LITTLE]),
        context(3, "1.2.3.4", &[EXPLICIT_LITTLE]),
    ]);
    let role = |class: &str, scu, scp| {
        UserVariableItem::ScuScpRoleSelectionSubItem(class.to_owned(), RequestorRoles { scu, scp })
    };
    let identity = UserIdentity::new(true, UserIdentityType::Username, b"u".to_vec(), Vec::new());
    request.user_variables.extend([
        role(CT, true, true),
        role("1.2.3.4", false, true),
        UserVariableItem::Unknown(0x53, vec![0, 8, 0, 8]),
        UserVariableItem::UserIdentityItem(identity),
    ]);
    let accepted = accepted(&request);
    // Who wants to be provider only would wait for us to begin.
    assert_eq!(accepted.reply.presentation_contexts[1].reason, Reason::UserRejection);
    let ours = &accepted.reply.user_variables;
    assert!(ours.contains(&UserVariableItem::MaxLength(1 << 20)));
    assert!(ours.contains(&role(CT, true, false)));
    assert!(ours.contains(&UserVariableItem::Unknown(0x53, vec![0, 1, 0, 1])));
    assert!(ours.contains(&UserVariableItem::Unknown(0x59, vec![0, 0])));
    assert_eq!(ours.len(), 6);
}

#[test]
fn a_token_nobody_checked_gets_no_positive_answer() {
    let mut request = request(vec![context(1, CT, &[EXPLICIT_LITTLE])]);
    let token = UserIdentity::new(true, UserIdentityType::Jwt, b"ey".to_vec(), Vec::new());
    request.user_variables.push(UserVariableItem::UserIdentityItem(token));
    assert_eq!(accepted(&request).reply.user_variables.len(), 3);
}

#[test]
fn titles_in_the_log_hold_nothing_but_plain_characters() {
    let mut request = request(vec![]);
    request.calling_ae_title = "CT\n1\u{e9}".to_owned();
    assert_eq!(accepted(&request).calling, "CT?1?");
}

proptest! {
    #[test]
    fn every_request_is_answered_within_its_own_contexts(
        ids in proptest::collection::vec(any::<u8>(), 0..140),
        class in "[0-9.\0 ]{0,70}",
        syntaxes in proptest::collection::vec("[0-9.\\\\]{0,70}", 0..4),
        version in any::<u16>(),
    ) {
        let syntaxes: Vec<&str> = syntaxes.iter().map(String::as_str).collect();
        let contexts = ids.iter().map(|id| context(*id, &class, &syntaxes)).collect();
        let mut request = request(contexts);
        request.protocol_version = version;
        if let Answer::Accept(accepted) = answer(&request, &rules()) {
            let answered: Vec<u8> =
                accepted.reply.presentation_contexts.iter().map(|context| context.id).collect();
            prop_assert_eq!(&answered, &ids);
            prop_assert!(accepted.contexts.iter().all(|context| ids.contains(&context.id)));
        }
    }
}
