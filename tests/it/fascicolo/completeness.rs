//! Requirement 53: what each organisation feeds, in figures that equal the counted truth.

use lastra::fascicolo::completeness::Completeness;
use lastra::fascicolo::completeness::Delays;
use lastra::model::organisation::Organisation;
use lastra::model::organisation::Regime;

use crate::fascicolo::world::CHEST;
use crate::fascicolo::world::REPORT;
use crate::fascicolo::world::World;
use crate::fascicolo::world::renamed;

fn organisations() -> Vec<Organisation> {
    vec![
        Organisation {
            name: "Ospedale di Prova".to_owned(),
            oid: "2.16.840.1.113883.2.9.4.1.1.120999".to_owned(),
            ae_titles: vec!["DX1".to_owned()],
            ..Organisation::default()
        },
        Organisation {
            name: "Casa di Cura".to_owned(),
            regime: Regime::AccreditedPrivate,
            ae_titles: vec!["US1".to_owned()],
            facilities: vec!["CURA".to_owned()],
            ..Organisation::default()
        },
    ]
}

async fn fed() -> World {
    let world = World::with(|settings| settings.organisations = organisations()).await;
    let file = |name: &str| {
        let folder = env!("CARGO_MANIFEST_DIR");
        std::fs::read(format!("{folder}/sample-studies/{name}")).unwrap()
    };
    world.store_bytes(&file("dx-chest/dx-1.dcm"), "cstore:DX1@10.0.0.1").await;
    world.store_bytes(&file("us-loop/us-1.dcm"), "cstore:US1@10.0.0.2").await;
    world.store_bytes(&file("mammo/lcc.dcm"), "import").await;
    // The hospital's: one of its study, one of a study that never came, from weeks before.
    world.take(REPORT).await;
    world
        .take(
            renamed(REPORT, "OTHER")
                .replace(CHEST, "2.25.1")
                .replace("RX2600417", "RX9")
                .replace("20260302", "20260131"),
        )
        .await;
    // The clinic's, over HL7, of no day.
    let message = "MSH|^~\\&|RIS|CURA|LASTRA|PACS|20260302||ORU^R01|9|P|2.5\n\
        PID|1||X1^^^CURA||ROSSI^MARIO\nOBR|1|||ECO\nOBX|1|TX|GDT^REFERTO||Nulla di rilevante.||||||F\n";
    assert!(world.send(message).await.contains("MSA|AA|9"));
    world
}

#[tokio::test]
async fn requirement_53_the_figures_of_each_organisation_equal_what_was_fed() {
    let world = fed().await;
    let all = world.rooms.fascicolo.completeness(&world.permit, "", "").await.unwrap();
    let hospital = Completeness {
        organisation: "Ospedale di Prova".to_owned(),
        regime: "public",
        studies: 1,
        studies_without_report: 0,
        reports: 2,
        reports_without_images: 1,
        received: Delays { within_limit: 1, later: 1, unknown: 0, longest_days: 30 },
        published: Delays::default(),
        unpublished: 2,
    };
    let clinic = Completeness {
        organisation: "Casa di Cura".to_owned(),
        regime: "accredited-private",
        studies: 1,
        studies_without_report: 1,
        reports: 1,
        reports_without_images: 1,
        received: Delays { unknown: 1, ..Delays::default() },
        published: Delays::default(),
        unpublished: 1,
    };
    let nobody = Completeness { studies: 1, studies_without_report: 1, ..Completeness::default() };
    assert_eq!(all, [hospital, clinic, nobody]);
}

#[tokio::test]
async fn requirement_53_figures_can_be_bounded_by_the_day_of_the_service() {
    let world = fed().await;
    let all =
        world.rooms.fascicolo.completeness(&world.permit, "20260301", "20260303").await.unwrap();
    assert_eq!((all[0].reports, all[0].received.within_limit), (1, 1));
    assert_eq!(all[1].reports, 0);
}

#[tokio::test]
async fn a_manifest_names_the_organisation_a_study_is_known_to_be_of() {
    struct Here;
    impl lastra::fascicolo::manifest::Addresses for Here {
        fn root(&self) -> String {
            "https://here/dicom-web".to_owned()
        }
        fn series(&self, _: &lastra::dicom::uid::Uid, _: &lastra::dicom::uid::Uid) -> String {
            String::new()
        }
    }
    let world = fed().await;
    let scope = lastra::model::path::Scope::study(lastra::dicom::uid::Uid::parse(CHEST).unwrap());
    let fascicolo = &world.rooms.fascicolo;
    let outline = fascicolo.manifest_outline(&world.permit, &scope, &Here).await.unwrap();
    let manifest = fascicolo.whole_manifest(outline).await.unwrap();
    assert_eq!(manifest.organisation.name, "Ospedale di Prova");
    assert_eq!(manifest.organisation.oid, "2.16.840.1.113883.2.9.4.1.1.120999");
}
