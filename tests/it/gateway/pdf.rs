//! The PDF made of a CDA, as pypdf reads it.

use super::world::REPORT;
use super::world::REPORT_ID;
use super::world::World;
use crate::support::tools::run_python;

const READ: &str = "
import sys, json, pypdf
reader = pypdf.PdfReader(sys.argv[1], strict=True)
root = reader.trailer['/Root']
names = root['/Names']['/EmbeddedFiles']['/Names']
embedded = names[1].get_object()['/EF']['/F'].get_object()
text = '\\n'.join(page.extract_text() for page in reader.pages)
print(json.dumps({
  'name': names[0], 'relation': root['/AF'][0].get_object()['/AFRelationship'],
  'cda': embedded.get_data().decode(), 'text': text, 'title': reader.metadata.title,
  'intent': root['/OutputIntents'][0].get_object()['/S'],
  'xmp': root['/Metadata'].get_object().get_data().decode(),
  'fonts': [str(f.get_object()['/DescendantFonts'][0].get_object()['/FontDescriptor'].get_object().get('/FontFile2') is not None)
            for f in reader.pages[0]['/Resources']['/Font'].values()],
}))
";

#[tokio::test]
async fn the_pdf_of_a_cda_is_read_by_pypdf_with_its_text_and_its_cda() {
    let world = World::new(crate::index::Database::sqlite).await;
    world.take(REPORT).await;
    world.settle().await;
    let file = world.simulator.with(|memory| memory.published[REPORT_ID].file.clone());
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), file).unwrap();
    let read = run_python(READ, &[path.path().to_str().unwrap()]);
    let read: serde_json::Value = serde_json::from_str(&read).unwrap();
    assert_eq!(read["name"], "cda.xml");
    assert_eq!(read["cda"].as_str().unwrap(), REPORT);
    assert_eq!((&read["relation"], &read["intent"]), (&"/Source".into(), &"/GTS_PDFA1".into()));
    assert_eq!(read["title"], "Referto di radiologia: radiografia del torace");
    assert_eq!(read["fonts"], serde_json::json!(["True"]));
    assert!(read["xmp"].as_str().unwrap().contains("<pdfaid:part>3</pdfaid:part>"));
    let text = read["text"].as_str().unwrap();
    for expected in ["Anna Lucìa", "Tosse persistente da tre settimane.", "Quesito diagnostico"] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
}
