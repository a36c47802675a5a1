//! What a sender is told, from the real binary: status and Error Comment, byte for byte
//! (PS3.4 Table B.2-1, PS3.7 §C).

use crate::support::objects::CT_IMAGE;
use crate::support::objects::EXPLICIT_LITTLE;
use crate::support::objects::Object;
use crate::support::parrot::COMMAND;
use crate::support::parrot::LAST;
use crate::support::parrot::Parrot;
use crate::support::parrot::command;
use crate::support::parrot::p_data;
use crate::support::server::Server;

const C_STORE: u16 = 0x0001;
const MR_IMAGE: &str = "1.2.840.10008.5.1.4.1.1.4";
const CONTEXTS: [(u8, &str, &str); 2] =
    [(1, CT_IMAGE, EXPLICIT_LITTLE), (3, "1.2.840.10008.1.1", EXPLICIT_LITTLE)];

/// The answer to a C-STORE on context `context` whose command names `class` and `instance`.
async fn told(
    parrot: &mut Parrot,
    context: u8,
    class: &str,
    instance: &str,
    data_set: &[u8],
) -> (u16, String) {
    let request = command(C_STORE, class, instance, true);
    parrot.say(&p_data(context, COMMAND | LAST, &request)).await;
    parrot.say(&p_data(context, LAST, data_set)).await;
    let (status, comment) = parrot.hear_response().await;
    // A Long String: even, one value, at most 64 characters of the default repertoire.
    assert_eq!(comment.len() % 2, 0, "{comment:?}");
    assert!(comment.iter().all(|byte| (b' '..=b'~').contains(byte) && *byte != b'\\'));
    let comment = String::from_utf8(comment).unwrap().trim_end().to_owned();
    assert!(comment.len() <= 64, "{comment}");
    assert_eq!(comment.is_empty(), status == 0, "{status:04X} {comment}");
    (status, comment)
}

#[tokio::test]
async fn each_refusal_says_what_is_wrong_and_the_association_goes_on() {
    let server = Server::start();
    let mut parrot = Parrot::associated(server.dicom, &CONTEXTS).await;
    let object = Object::ct("GEHEIM", 1, 1, 1);
    let (data_set, instance) = (object.data_set(), &object.sop_instance);
    let pixels = data_set.len() - 512;

    let mut of_mr = object.clone();
    of_mr.text(0x0008_0016, b"UI", MR_IMAGE);
    let without_study = object.clone().without(0x0020_000D).data_set();
    let mut lies = data_set.clone();
    lies[pixels - 4..pixels].copy_from_slice(&0x7FFF_FFF0_u32.to_le_bytes());
    let mut bad_vr = data_set.clone();
    // The second element: after (0008,0005) CS of 10 bytes.
    bad_vr[18 + 4..18 + 6].copy_from_slice(b"\x01\x02");

    for (context, class, named, data_set, status, words) in [
        (1, CT_IMAGE, "1.2.3", &data_set, 0xA900, "(0008,0018)"),
        (1, CT_IMAGE, instance, &of_mr.data_set(), 0xA900, "(0008,0016)"),
        (1, CT_IMAGE, instance, &without_study, 0xA900, "(0020,000D)"),
        (1, CT_IMAGE, "", &data_set, 0xA900, "(0000,1000)"),
        (1, "", instance, &data_set, 0xA900, "(0000,0002)"),
        (1, CT_IMAGE, instance, &data_set[..data_set.len() - 2].to_vec(), 0xC000, "(7FE0,0010)"),
        (1, CT_IMAGE, instance, &lies, 0xC000, "byte "),
        (1, CT_IMAGE, instance, &bad_vr, 0xC000, "byte 18: element (0008,0016)"),
        (1, MR_IMAGE, instance, &of_mr.data_set(), 0x0122, "(0000,0002)"),
        (3, "1.2.840.10008.1.1", instance, &data_set, 0x0122, "(0000,0002)"),
    ] {
        let (told, comment) = told(&mut parrot, context, class, named, data_set).await;
        assert_eq!(told, status, "{comment}");
        assert!(comment.contains(words), "{told:04X} {comment}, not {words}");
        assert!(!comment.contains("GEHEIM") && !comment.contains(instance.as_str()), "{comment}");
    }
    assert_eq!(server.json("/instances").await.as_array().unwrap().len(), 0);
    assert_eq!(server.blob_files().len(), 0);

    let (status, _) = told(&mut parrot, 1, CT_IMAGE, instance, &data_set).await;
    assert_eq!(status, 0);
    assert_eq!(server.json("/instances").await.as_array().unwrap().len(), 1);
}
