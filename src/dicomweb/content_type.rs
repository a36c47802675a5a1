//! What a request or a part of it says its bytes are (RFC 9110 §8.3).

use crate::dicomweb::accept::{media_type, split, unquote};

/// A `Content-Type`, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContentType {
    /// Media type in lower case; empty when there is none or it makes no sense.
    pub media: String,
    /// `type` parameter in lower case: what the parts of a multipart body are.
    pub of_parts: String,
    /// `boundary` parameter, as written.
    pub boundary: String,
    /// `transfer-syntax` parameter (PS3.18 §8.7.3.5.2); empty when there is none.
    pub transfer_syntax: String,
}

impl ContentType {
    /// Reads a field's value; what makes no sense in it is passed over.
    pub fn parse(text: &str) -> Self {
        let mut pieces = split(text, ';');
        let media = pieces.next().and_then(media_type).unwrap_or_default();
        let mut read = Self { media, ..Self::default() };
        for piece in pieces {
            let Some((name, value)) = piece.split_once('=') else { continue };
            let value = unquote(value.trim());
            match name.trim().to_ascii_lowercase().as_str() {
                "type" => read.of_parts = media_type(&value).unwrap_or_default(),
                "boundary" => read.boundary = value,
                "transfer-syntax" => value.trim().clone_into(&mut read.transfer_syntax),
                _ => {}
            }
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::ContentType;

    #[test]
    fn content_types_seen_in_the_field_are_understood() {
        for (text, media, of_parts, boundary) in [
            (
                r#"multipart/related; type="application/dicom"; boundary="a b""#,
                "multipart/related",
                "application/dicom",
                "a b",
            ),
            (
                "Multipart/Related;boundary=Xy=;TYPE=application/DICOM",
                "multipart/related",
                "application/dicom",
                "Xy=",
            ),
            ("application/dicom; transfer-syntax=1.2.3", "application/dicom", "", ""),
            ("nonsense", "", "", ""),
            ("", "", "", ""),
        ] {
            let expected = ContentType {
                media: media.into(),
                of_parts: of_parts.into(),
                boundary: boundary.into(),
                transfer_syntax: if text.contains("1.2.3") {
                    "1.2.3".into()
                } else {
                    String::new()
                },
            };
            assert_eq!(ContentType::parse(text), expected, "{text}");
        }
    }
}
