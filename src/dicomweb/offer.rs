//! Chooses among the representations a resource can give what the client takes best
//! (PS3.18 §8.7.8).

use crate::dicomweb::accept::{Accept, MediaRange, Syntax, Wrapping};

/// A representation a resource can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer<'a> {
    /// Media type of it, or of its parts.
    pub media: &'a str,
    /// Whether it is multipart.
    pub multipart: bool,
    /// Transfer syntax of its bytes; `None` where the notion does not apply.
    pub syntax: Option<&'a str>,
}

/// A representation of DICOM media types, whose transfer syntax is chosen with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// What it is.
    pub offer: Offer<'a>,
    /// Its transfer syntax is the one given of its media type when none is named (PS3.18 Tables
    /// 8.7.3-2, 8.7.3-4, 8.7.3-5).
    pub default_of_media: bool,
    /// It is what is given when neither media type nor transfer syntax is named.
    pub default_of_all: bool,
}

/// The index of the offer the client takes best: the `accept` parameter is asked first, then the
/// header; among equals the earlier offer wins. `None`: it takes none of them, which is a 406.
pub fn choose(accept: &Accept, offers: &[Offer<'_>]) -> Option<usize> {
    let candidates: Vec<Candidate<'_>> = offers
        .iter()
        .map(|offer| Candidate { offer: *offer, default_of_media: true, default_of_all: true })
        .collect();
    choose_among(accept, &candidates)
}

/// The same, of representations whose transfer syntax is part of the choice (PS3.18 §8.7.8.2).
pub fn choose_among(accept: &Accept, candidates: &[Candidate<'_>]) -> Option<usize> {
    best(&accept.parameter, candidates).or_else(|| best(&accept.header, candidates))
}

fn best(ranges: &[MediaRange], candidates: &[Candidate<'_>]) -> Option<usize> {
    let weights = candidates.iter().map(|candidate| weight(ranges, candidate));
    let (index, weight) = weights
        .enumerate()
        .fold((0, 0), |best, (index, weight)| if weight > best.1 { (index, weight) } else { best });
    (weight > 0).then_some(index)
}

/// The weight of the most specific range a candidate falls in; 0 when it falls in none.
fn weight(ranges: &[MediaRange], candidate: &Candidate<'_>) -> u16 {
    ranges
        .iter()
        .filter(|range| takes(range, candidate))
        .max_by_key(|range| (specificity(range), range.weight))
        .map_or(0, |range| range.weight)
}

fn takes(range: &MediaRange, candidate: &Candidate<'_>) -> bool {
    let offer = &candidate.offer;
    let wrapped = match range.wrapping {
        Wrapping::Either => true,
        Wrapping::Multipart => offer.multipart,
        Wrapping::Single => !offer.multipart,
    };
    let syntax = match (&range.transfer_syntax, offer.syntax) {
        (Syntax::Any, _) | (_, None) => true,
        (Syntax::Default, Some(_)) if range.media == "*/*" => candidate.default_of_all,
        (Syntax::Default, Some(_)) => candidate.default_of_media,
        (Syntax::Only(wanted), Some(syntax)) => wanted == syntax,
    };
    wrapped && syntax && covers(&range.media, offer.media)
}

fn covers(range: &str, media: &str) -> bool {
    match range.strip_suffix('*') {
        Some("*/") => true,
        Some(kind) => media.get(..kind.len()).is_some_and(|m| m.eq_ignore_ascii_case(kind)),
        None => range.eq_ignore_ascii_case(media),
    }
}

fn specificity(range: &MediaRange) -> u8 {
    let media = match range.media.as_str() {
        "*/*" => 0,
        media if media.ends_with("/*") => 2,
        _ => 4,
    };
    let syntax = u8::from(matches!(range.transfer_syntax, Syntax::Only(_)));
    let wrapping = u8::from(range.wrapping != Wrapping::Either);
    media + syntax + wrapping
}

#[cfg(test)]
mod tests {
    use super::{Offer, choose};
    use crate::dicomweb::accept::Accept;

    const JPEG_LOSSLESS: &str = "1.2.840.10008.1.2.4.70";

    fn chosen(header: &str, parameter: &str, offers: &[Offer<'_>]) -> Option<usize> {
        let parameter = (!parameter.is_empty()).then_some(parameter);
        choose(&Accept::new([header].into_iter(), parameter.into_iter()), offers)
    }

    #[test]
    fn a_frame_goes_out_as_the_client_takes_it() {
        let syntax = Some(JPEG_LOSSLESS);
        let offers = [
            Offer { media: "image/jpeg", multipart: false, syntax },
            Offer { media: "image/jpeg", multipart: true, syntax },
            Offer { media: "application/octet-stream", multipart: false, syntax },
            Offer { media: "application/octet-stream", multipart: true, syntax },
        ];
        for (header, expected) in [
            ("*/*", Some(0)),
            ("", Some(0)),
            ("image/*", Some(0)),
            (r#"multipart/related; type="*/*""#, Some(1)),
            (r#"multipart/related; type="image/jpeg""#, Some(1)),
            (
                r#"multipart/related; type="image/jpeg"; transfer-syntax=1.2.840.10008.1.2.4.70"#,
                Some(1),
            ),
            (
                r#"multipart/related; type="image/jpeg"; transfer-syntax=1.2.840.10008.1.2.4.50"#,
                None,
            ),
            ("multipart/related; type=application/octet-stream; transfer-syntax=*", Some(3)),
            ("application/octet-stream", Some(2)),
            ("application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1", None),
            (r#"multipart/related; type="image/jls""#, None),
            (
                r#"multipart/related; type="image/jls", multipart/related; type="image/jpeg";q=0.1"#,
                Some(1),
            ),
            ("image/jpeg;q=0.5, application/octet-stream;q=0.6", Some(2)),
            ("image/jpeg;q=0, */*;q=0.5", Some(1)),
            ("text/html", None),
        ] {
            assert_eq!(chosen(header, "", &offers), expected, "{header}");
        }
    }

    #[test]
    fn the_parameter_wins_over_the_header_when_it_can_be_met() {
        let offers = [
            Offer { media: "image/jpeg", multipart: false, syntax: None },
            Offer { media: "image/png", multipart: false, syntax: None },
        ];
        assert_eq!(chosen("image/jpeg", "image/png", &offers), Some(1));
        assert_eq!(chosen("image/jpeg", "image/gif", &offers), Some(0));
        assert_eq!(chosen("text/html", "image/gif", &offers), None);
        assert_eq!(chosen("text/html,image/webp,*/*;q=0.8", "", &offers), Some(0));
    }

    #[test]
    fn the_most_specific_range_decides() {
        // After the example of PS3.18 Table 8.7.8-1.
        let header = "text/*; q=0.5, text/html; q=0.4, image/png, */*; q=0.3";
        let of = |media| Offer { media, multipart: false, syntax: None };
        assert_eq!(chosen(header, "", &[of("text/html"), of("text/plain")]), Some(1));
        assert_eq!(chosen(header, "", &[of("text/html"), of("video/mp4")]), Some(0));
    }
}
