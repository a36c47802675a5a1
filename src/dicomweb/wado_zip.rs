//! WADO-RS: a study, series or instance as a zip archive of its files, beside what PS3.18 names.
//!
//! `Accept: application/zip` or `?accept=application/zip`, with `transfer-syntax` as for
//! `application/dicom`: none gives Explicit VR Little Endian, `*` the bytes as stored. With
//! `?dicomdir=true` the archive is a File-set (PS3.10 §8): names are File IDs, and a DICOMDIR is
//! its last file.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};

use crate::archive::error::ArchiveError;
use crate::archive::retrieve::ByteStream;
use crate::dicom::dicomdir::{Directory, Facts, Referenced};
use crate::dicomweb::accept::{Accept, MediaRange, Wrapping};
use crate::dicomweb::extent::{Extent, selected};
use crate::dicomweb::media::{DICOM, OCTETS, ZIP};
use crate::dicomweb::multipart::{Part, checked, put};
use crate::dicomweb::offer::{Offer, choose};
use crate::dicomweb::wado::{FILES_AHEAD, Retrieval, open_one, vary};
use crate::dicomweb::zip_format::ZipWriter;
use crate::http::caching::PRIVATE;
use crate::http::problem::Problem;
use crate::imaging::error::ImagingError;
use crate::index::port::Located;

/// Most files of an archive: what must be known of each at its end is kept till then.
const MAX_FILES: u64 = 100_000;
/// Most files of one with a DICOMDIR, whose records are kept, some 600 bytes each.
const MAX_LISTED: u64 = 20_000;

/// What the client takes of files in a zip archive, if it would rather have that than the files in
/// parts: its ranges of zip archives, as ranges of files.
pub fn zip_asked(accept: &Accept, one: bool) -> Option<Accept> {
    let mut offers = vec![
        Offer { media: DICOM, multipart: true, syntax: None },
        Offer { media: OCTETS, multipart: true, syntax: None },
        Offer { media: ZIP, multipart: false, syntax: None },
    ];
    if one {
        offers.insert(0, Offer { media: DICOM, multipart: false, syntax: None });
        offers.insert(0, Offer { media: OCTETS, multipart: false, syntax: None });
    }
    let chosen = choose(accept, &offers)?;
    if offers.get(chosen).is_none_or(|offer| offer.media != ZIP) {
        return None;
    }
    let files = |ranges: &[MediaRange]| -> Vec<MediaRange> {
        let of_zips = ranges.iter().filter(|range| matches!(&*range.media, ZIP | "application/*"));
        of_zips
            .map(|range| MediaRange {
                media: DICOM.to_owned(),
                wrapping: Wrapping::Multipart,
                ..range.clone()
            })
            .collect()
    };
    Some(Accept { parameter: files(&accept.parameter), header: files(&accept.header) })
}

/// Retrieve a study, series or instance as a zip archive; `asked.accept` is about its files.
pub async fn retrieve_zip(asked: Retrieval) -> Result<Response, Problem> {
    let listed = match asked.query.one("dicomdir")? {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Problem::bad_parameter("dicomdir", "it is true or false")),
    };
    let most = if listed { MAX_LISTED } else { MAX_FILES };
    let extent = Extent::of(&asked, most).await?;
    let name = file_name(&asked);
    let asked = Arc::new(asked);
    let mut files = files(&asked, &extent, listed).await?;
    // What fails at once is a problem and not a broken answer.
    let first = files.try_next().await?.ok_or_else(Problem::not_found)?;
    let files = stream::iter([Ok(first)]).chain(files).boxed();
    let mut response = Body::from_stream(write(files, listed)).into_response();
    put(&mut response, CONTENT_TYPE, ZIP);
    put(&mut response, CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}.zip\""));
    response.headers_mut().insert(CACHE_CONTROL, PRIVATE);
    extent.tell(&asked, &mut response);
    Ok(vary(response))
}

/// The archive's name: the identifier of what is in it.
fn file_name(asked: &Retrieval) -> String {
    let scope = &asked.scope;
    let uid = scope.instance.as_ref().or(scope.series.as_ref()).unwrap_or(&scope.study);
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    uid.as_str().chars().filter(plain).collect()
}

struct File {
    located: Located,
    /// File ID: components from the root on (PS3.10 §8.2: up to eight, of up to eight of A-Z 0-9 _).
    id: Vec<String>,
    part: Part,
    facts: Option<Facts>,
}

/// The files in order, some opened ahead.
async fn files(
    asked: &Arc<Retrieval>,
    extent: &Extent,
    listed: bool,
) -> Result<BoxStream<'static, Result<File, ArchiveError>>, Problem> {
    let instances = selected(asked, extent).await?;
    let (asked, mut names) = (Arc::clone(asked), Names::default());
    let files = instances.map(move |located| {
        let named = located.map(|located| (names.next(located.series_id), located));
        let asked = Arc::clone(&asked);
        async move {
            let (id, located) = named?;
            let facts = if listed {
                Some(asked.archive.directory_facts(&asked.permit, &located).await?)
            } else {
                None
            };
            let part = open_one(&asked, &located).await?;
            Ok(File { located, id, part, facts })
        }
    });
    Ok(files.buffered(FILES_AHEAD).boxed())
}

/// Names of files by their place: the same study has the same names.
#[derive(Debug, Default)]
struct Names {
    series_id: Option<i64>,
    series: u32,
    instance: u32,
}

impl Names {
    fn next(&mut self, series_id: i64) -> Vec<String> {
        if self.series_id != Some(series_id) {
            self.series_id = Some(series_id);
            self.series = self.series.saturating_add(1);
            self.instance = 0;
        }
        self.instance = self.instance.saturating_add(1);
        vec!["DICOM".to_owned(), format!("SE{:06}", self.series), format!("IM{:06}", self.instance)]
    }
}

struct Writing {
    files: BoxStream<'static, Result<File, ArchiveError>>,
    zip: ZipWriter,
    current: Option<ByteStream>,
    ready: VecDeque<Bytes>,
    directory: Option<Directory>,
    closed: bool,
}

/// The archive's bytes; an error ends them, before what would make them look complete.
fn write(files: BoxStream<'static, Result<File, ArchiveError>>, listed: bool) -> ByteStream {
    let writing = Writing {
        files,
        zip: ZipWriter::default(),
        current: None,
        ready: VecDeque::new(),
        directory: listed.then(Directory::default),
        closed: false,
    };
    stream::try_unfold(writing, |mut writing| async move {
        loop {
            if let Some(bytes) = writing.ready.pop_front() {
                return Ok(Some((bytes, writing)));
            }
            if writing.closed {
                return Ok(None);
            }
            writing.step().await?;
        }
    })
    .boxed()
}

impl Writing {
    /// Makes the next bytes ready.
    async fn step(&mut self) -> Result<(), ArchiveError> {
        if let Some(current) = &mut self.current {
            if let Some(piece) = current.try_next().await? {
                self.ready.extend(self.zip.piece(&piece));
            } else {
                self.current = None;
                self.ready.push_back(self.zip.end());
            }
            return Ok(());
        }
        match self.files.try_next().await? {
            Some(file) => self.begin(file),
            None => self.close()?,
        }
        Ok(())
    }

    fn begin(&mut self, file: File) {
        let File { located, id, part, facts } = file;
        let mut name = id.join("/");
        match (&mut self.directory, facts) {
            (Some(directory), Some(facts)) => directory.add(
                located.series_id,
                facts,
                &Referenced {
                    file_id: &id,
                    sop_class: &located.sop_class,
                    sop_instance: located.path.instance.as_str(),
                    transfer_syntax: syntax_of(&part).unwrap_or(&located.transfer_syntax),
                },
            ),
            // Outside of File-sets files are known by how their names end.
            _ => name.push_str(".dcm"),
        }
        let bytes = part.bytes.unwrap_or(u64::MAX);
        self.ready.push_back(self.zip.begin(name, located.received_us, bytes));
        self.current = Some(checked(part.bytes, part.body));
    }

    fn close(&mut self) -> Result<(), ArchiveError> {
        self.closed = true;
        if let Some(directory) = self.directory.take() {
            let unwritable = || ImagingError::Unsupported("the directory is too long".to_owned());
            let directory = Bytes::from(directory.finish().ok_or_else(unwritable)?);
            let bytes = u64::try_from(directory.len()).unwrap_or(u64::MAX);
            self.ready.push_back(self.zip.begin("DICOMDIR".to_owned(), 0, bytes));
            self.ready.extend(self.zip.piece(&directory));
            self.ready.push_back(self.zip.end());
        }
        self.ready.push_back(self.zip.finish());
        Ok(())
    }
}

/// The transfer syntax a part says it is in.
fn syntax_of(part: &Part) -> Option<&str> {
    part.content_type.split_once("transfer-syntax=").map(|(_, syntax)| syntax)
}

#[cfg(test)]
mod tests {
    use super::{Names, zip_asked};
    use crate::dicomweb::accept::{Accept, Syntax, Wrapping};

    #[test]
    fn a_zip_archive_goes_to_who_asks_for_one() {
        for (header, one, zip) in [
            ("application/zip", false, true),
            ("application/zip; transfer-syntax=*", true, true),
            ("*/*", false, false),
            ("", true, false),
            ("application/*", true, false),
            ("multipart/related; type=\"application/dicom\"", false, false),
            ("multipart/related; type=\"application/dicom\"; q=0.5, application/zip", false, true),
            ("application/zip; q=0.5, multipart/related; type=\"application/dicom\"", false, false),
            ("image/png", false, false),
        ] {
            let accept = Accept::new([header].into_iter(), [].into_iter());
            assert_eq!(zip_asked(&accept, one).is_some(), zip, "{header}");
        }
        let header = "application/zip; transfer-syntax=*, image/jpeg";
        let files = zip_asked(&Accept::new([header].into_iter(), [].into_iter()), false).unwrap();
        let [range] = files.header.as_slice() else { panic!("{files:?}") };
        assert_eq!((&*range.media, range.wrapping), ("application/dicom", Wrapping::Multipart));
        assert_eq!(range.transfer_syntax, Syntax::Any);
    }

    #[test]
    fn names_are_file_ids_by_place() {
        let mut names = Names::default();
        let given: Vec<String> = [7, 7, 3].map(|series| names.next(series).join("/")).to_vec();
        let expected =
            ["DICOM/SE000001/IM000001", "DICOM/SE000001/IM000002", "DICOM/SE000002/IM000001"];
        assert_eq!(given, expected);
    }
}
