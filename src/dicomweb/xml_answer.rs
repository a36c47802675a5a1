//! Answers in the Native DICOM Model: what is written as an array of DICOM JSON objects becomes one
//! XML document a part (PS3.18 §F.2.1, Table 8.7.3-3).

use axum::response::Response;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use serde::Deserialize;

use crate::archive::error::ArchiveError;
use crate::archive::retrieve::ByteStream;
use crate::dicom::json_split::JsonSplit;
use crate::dicom::limits::Limits;
use crate::dicom::uid::Uid;
use crate::dicom::xml;
use crate::dicomweb::address::Urls;
use crate::dicomweb::media::DICOM_XML;
use crate::dicomweb::multipart::{Part, related};
use crate::http::problem::Problem;

/// The objects of a JSON array as parts. With `urls` each part says which instance's metadata it
/// is; results of a search are no representation of a resource and have no place.
pub async fn related_xml(json: ByteStream, urls: Option<Urls>) -> Result<Response, Problem> {
    let objects = json
        .scan(JsonSplit::default(), |split, piece| {
            let mut objects = Vec::new();
            let cut = piece.map(|bytes| split.push(&bytes, |object| objects.push(Ok(object))));
            objects.extend(cut.err().map(Err));
            std::future::ready(Some(stream::iter(objects)))
        })
        .flatten();
    let parts = objects.then(move |object| {
        let urls = urls.clone();
        async move {
            // One object at a time, and others get their turn between them.
            tokio::task::yield_now().await;
            part(&object?, urls.as_ref())
        }
    });
    related(DICOM_XML, parts).await
}

/// The same of an array that is here whole.
pub async fn related_xml_of(json: Vec<u8>) -> Result<Response, Problem> {
    related_xml(stream::iter([Ok(Bytes::from(json))]).boxed(), None).await
}

fn part(object: &[u8], urls: Option<&Urls>) -> Result<Part, ArchiveError> {
    let broken = |_| ArchiveError::Unknown("metadata as XML".to_owned());
    let document = xml::from_json(object, Limits::DEFAULT).map_err(broken)?;
    let location = urls.and_then(|urls| location(object, urls)).unwrap_or_default();
    Ok(Part::of_bytes(DICOM_XML.to_owned(), location, document.into()))
}

/// Where an instance's metadata is.
fn location(object: &[u8], urls: &Urls) -> Option<String> {
    let names: Names = serde_json::from_slice(object).ok()?;
    let uid = |name: Option<Named>| Uid::parse(name?.value.first()?).ok();
    let (study, series, instance) = (uid(names.study)?, uid(names.series)?, uid(names.instance)?);
    Some(format!("{}/metadata", urls.instance(&study, &series, &instance)))
}

#[derive(Deserialize)]
struct Names {
    #[serde(rename = "0020000D")]
    study: Option<Named>,
    #[serde(rename = "0020000E")]
    series: Option<Named>,
    #[serde(rename = "00080018")]
    instance: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "Value", default)]
    value: Vec<String>,
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt, stream};
    use http_body_util::BodyExt;

    use super::related_xml;
    use crate::dicomweb::address::Urls;
    use crate::http::base::Base;

    #[tokio::test]
    async fn each_object_is_a_part_that_says_whose_it_is() {
        let json = r#"[{"00080018":{"vr":"UI","Value":["1.3"]},"0020000D":{"vr":"UI","Value":["1"]},
            "0020000E":{"vr":"UI","Value":["1.2"]}},{"00100020":{"vr":"LO","Value":["<}"]}}]"#;
        let pieces: Vec<_> = json.as_bytes().chunks(7).map(|c| Ok(c.to_vec().into())).collect();
        let urls = Urls::new(&Base("http://h".to_owned()));
        let response = related_xml(stream::iter(pieces).boxed(), Some(urls)).await.unwrap();
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(kind.starts_with(r#"multipart/related; type="application/dicom+xml""#), "{kind}");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert_eq!(body.matches("<NativeDicomModel").count(), 2, "{body}");
        let location = "http://h/dicom-web/studies/1/series/1.2/instances/1.3/metadata\r\n";
        assert_eq!(body.matches("Content-Location").count(), 1, "{body}");
        assert!(body.contains(location) && body.contains("&lt;}"), "{body}");
    }
}
