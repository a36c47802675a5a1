//! Documents as people read them: what a CDA says, alone or inside a PDF, and texts.

use crate::access::permit::Permit;
use crate::archive::document::Reading;
use crate::documents::cda;
use crate::documents::page::Line;
use crate::documents::page::LineKind;
use crate::documents::page::Page;
use crate::documents::pdf_text;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::recognise::cda_within;
use crate::model::document::Document;
use crate::model::document::DocumentKind;

/// Lines of a text that are shown.
const MOST_LINES: usize = 50_000;

impl Fascicolo {
    /// A document as a page. `Refused` where only its own bytes can be given.
    pub async fn page_of(
        &self,
        permit: &Permit,
        document: &Document,
        reading: Reading,
    ) -> Result<String, FascicoloError> {
        let bytes = self.document_bytes(permit, document.id).await?;
        let weight = document.blob_bytes.saturating_mul(6);
        let (kind, title) = (document.kind, document.title.clone());
        let written = move || page(kind, &title, &bytes).map(|page| reading.write(&page));
        let page = self.compute(weight, written).await?;
        page.ok_or(FascicoloError::Refused("the document has no reading: take its content"))
    }
}

fn page(kind: DocumentKind, title: &str, bytes: &[u8]) -> Option<Page> {
    match kind {
        DocumentKind::Cda => cda::page(bytes).ok(),
        DocumentKind::Pdf => match cda_within(bytes) {
            Some(xml) => cda::page(&xml).ok(),
            None => text(title, &pdf_text::text(bytes)),
        },
        DocumentKind::Text => text(title, std::str::from_utf8(bytes).ok()?),
        // The archive shows a structured report where its instance is; a FHIR report is in /fhir.
        DocumentKind::Sr | DocumentKind::Fhir | DocumentKind::Other => None,
    }
}

fn text(title: &str, text: &str) -> Option<Page> {
    let said = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let mut lines: Vec<Line> = said
        .take(MOST_LINES.saturating_add(1))
        .map(|line| Line { depth: 0, kind: LineKind::Text(line.to_owned()) })
        .collect();
    let cut = lines.len() > MOST_LINES;
    lines.truncate(MOST_LINES);
    let page = Page { title: title.to_owned(), lines, cut, ..Page::default() };
    (!page.lines.is_empty()).then_some(page)
}
