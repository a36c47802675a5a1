//! Stock clients and models, unpatched: fhirpy, fhirclient, fhir.resources.

use std::process::Command;

use crate::fhir::world::World;
use crate::support::server::Server;
use crate::support::tools::python;

#[tokio::test]
async fn stock_clients_search_page_and_read_and_stock_models_take_every_resource() {
    let issuer = [("LASTRA_FASCICOLO__DEFAULT_ISSUER", "2.25.6636")];
    let world = World { server: Server::start_in(&[], &issuer) };
    world.import(&["dx-chest", "cda-report", "ct-chest", "mr-head", "pdf-report", "us-loop"]);
    world.wait_for("ImagingStudy", 4).await;
    world.wait_for("DiagnosticReport", 2).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fhir/stock_client.py");
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-studies");
    let done = Command::new(python()).arg(script).arg(world.base()).arg(samples).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    let seen: u32 = said.split_whitespace().next().unwrap().parse().unwrap();
    assert!(seen >= 15, "{said}");
}
