//! Prior studies relevant to an order: an explicit answer whether it was done already.

use lastra::fascicolo::priors::Asked;
use lastra::fascicolo::priors::Priors;
use lastra::fascicolo::priors::SamePart;

use crate::fascicolo::world::ANNA;
use crate::fascicolo::world::CHEST;
use crate::fascicolo::world::REPORT;
use crate::fascicolo::world::World;

fn asked(modality: &str, body_part: &str, within_days: u16) -> Asked {
    Asked {
        modality: modality.to_owned(),
        body_part: body_part.to_owned(),
        within_days,
        ..Asked::default()
    }
}

async fn priors(world: &World, asked: &Asked) -> Priors {
    let fascicolo = &world.rooms.fascicolo;
    let anna = fascicolo.find(&world.permit, ANNA).await.unwrap().id;
    fascicolo.priors(&world.permit, anna, asked).await.unwrap()
}

#[tokio::test]
async fn an_examination_of_the_same_part_was_done_already_and_another_was_not() {
    let world = World::new().await;
    world.store("dx-chest/dx-1.dcm").await;
    world.take(REPORT).await;
    // The world stands at 2 March, the day of the examination.
    for (modality, part, days, done, found) in [
        ("DX", "CHEST", 90, true, 1),
        ("CR", "torace", 0, true, 1),
        ("DX", "HAND", 90, false, 0),
        ("DX", "", 90, false, 1),
        ("CT", "CHEST", 90, false, 0),
    ] {
        let priors = priors(&world, &asked(modality, part, days)).await;
        assert_eq!((priors.already_done, priors.studies.len()), (done, found), "{modality} {part}");
    }
    let found = priors(&world, &asked("DX", "CHEST", 90)).await;
    let [prior] = found.studies.as_slice() else { panic!("{found:?}") };
    assert_eq!((prior.study.as_str(), prior.images, prior.reports), (CHEST, "ready", 1));
    assert_eq!((prior.body_part, prior.days_ago), (SamePart::Same, 0));
    // Its own study is no prior of itself.
    let own = Asked { study_uid: CHEST.to_owned(), ..asked("DX", "CHEST", 90) };
    assert!(!priors(&world, &own).await.already_done);
}

#[tokio::test]
async fn an_order_that_is_kept_says_of_whom_and_which_modality() {
    let world = World::new().await;
    world.store("dx-chest/dx-1.dcm").await;
    let order = format!(
        "MSH|^~\\&|CUP|OSP|LASTRA|PACS|20260301||ORM^O01|1|P|2.5\nPID|1||{ANNA}^^^MEF||ESEMPI^ANNA\n\
         ORC|NW|X9^CUP\nOBR|1|X9^CUP||87.44||||||||||||||||||||DX\n"
    );
    assert!(world.send(&order).await.contains("MSA|AA|1"));
    let fascicolo = &world.rooms.fascicolo;
    let (person, mut asked) = fascicolo.asked_by_order(&world.permit, "CUP|X9").await.unwrap();
    assert_eq!(asked.modality, "DX");
    (asked.body_part, asked.within_days) = ("CHEST".to_owned(), 30);
    assert!(fascicolo.priors(&world.permit, person, &asked).await.unwrap().already_done);
    assert!(fascicolo.asked_by_order(&world.permit, "X10").await.is_err());
}
