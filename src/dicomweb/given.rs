//! In which forms stored pixels and instances can be given, the preferred first (PS3.18 §8.7.3).

#[cfg(test)]
mod tests;

use crate::dicom::syntax::{
    DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, GE_PRIVATE_IMPLICIT, IMPLICIT_LITTLE,
};
use crate::dicomweb::accept::Accept;
use crate::dicomweb::media::{DICOM, OCTETS, default_syntax, may_be_lossy, of_frame};
use crate::dicomweb::offer::{Candidate, Offer, choose_among};
use crate::imaging::decode::decodes;
use crate::imaging::transcode::Target;

/// How something stored is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// As it is stored.
    Stored,
    /// Re-encoded.
    As(Target),
}

/// A form that was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form<'a> {
    /// Media type of it or of its parts.
    pub media: &'a str,
    /// Whether it is multipart.
    pub multipart: bool,
    /// Transfer syntax to state; `None` of a file as it is stored, which states its own.
    pub syntax: Option<&'a str>,
    /// How its bytes are made.
    pub given: Given,
}

/// Transfer syntaxes that are never used over HTTP (PS3.18 §8.7.3).
fn is_shunned(syntax: &str) -> bool {
    matches!(syntax, IMPLICIT_LITTLE | EXPLICIT_BIG | GE_PRIVATE_IMPLICIT)
}

/// The form of frames stored in `syntax` that the client takes best; by itself only when there is
/// one. `None`: it takes none, which is a 406.
pub fn frames<'a>(accept: &Accept, syntax: &'a str, one: bool) -> Option<Form<'a>> {
    choose(accept, &frame_forms(syntax), one)
}

fn candidate<'a>(
    media: &'a str,
    syntax: &'a str,
    default_of_media: bool,
    default_of_all: bool,
) -> Candidate<'a> {
    let offer = Offer { media, multipart: true, syntax: Some(syntax) };
    Candidate { offer, default_of_media, default_of_all }
}

fn frame_forms(syntax: &str) -> Vec<(Candidate<'_>, Given)> {
    let native_as = match syntax {
        IMPLICIT_LITTLE | EXPLICIT_LITTLE | DEFLATED => Given::Stored,
        _ => Given::As(Target::Native),
    };
    let native = candidate(OCTETS, EXPLICIT_LITTLE, true, true);
    if native_as == Given::Stored || is_shunned(syntax) {
        let mut forms = vec![(native, native_as)];
        forms.extend(targets(syntax));
        return forms;
    }
    let own = of_frame(syntax);
    if !decodes(syntax) {
        return stored_forms(syntax);
    }
    let usual = may_be_lossy(syntax) || default_syntax(own) == Some(syntax);
    let mut forms = Vec::with_capacity(16);
    if own != OCTETS {
        forms.push((candidate(own, syntax, usual, false), Given::Stored));
    }
    forms.push((candidate(OCTETS, syntax, false, false), Given::Stored));
    forms.push((native, native_as));
    forms.extend(targets(syntax));
    forms
}

/// The only forms of what nothing else can be made of.
fn stored_forms(syntax: &str) -> Vec<(Candidate<'_>, Given)> {
    let own = of_frame(syntax);
    vec![
        (candidate(own, syntax, true, own != OCTETS), Given::Stored),
        (candidate(OCTETS, syntax, true, true), Given::Stored),
    ]
}

/// The form of a stream of no known frames, stored in `syntax`, that the client takes best.
pub fn stream<'a>(accept: &Accept, syntax: &'a str, one: bool) -> Option<Form<'a>> {
    choose(accept, &stored_forms(syntax), one)
}

/// What frames stored in `syntax` can be re-encoded to, each as its media type and as octets.
fn targets(stored: &str) -> Vec<(Candidate<'static>, Given)> {
    let lossy = may_be_lossy(stored).then(|| of_frame(stored));
    let others = Target::ALL.into_iter().filter(|target| target.is_encapsulated());
    let others = others.filter(|target| target.uid() != stored);
    let forms = others.flat_map(|target| {
        let own = of_frame(target.uid());
        let usual = lossy != Some(own) && default_syntax(own) == Some(target.uid());
        [(own, usual), (OCTETS, false)]
            .map(|(media, usual)| (candidate(media, target.uid(), usual, false), Given::As(target)))
    });
    forms.collect()
}

/// The form of an instance's file that the client takes best; `pixels`: it has any. By itself also
/// as octets: the very file that is stored, whatever its transfer syntax.
pub fn file<'a>(accept: &Accept, syntax: &'a str, pixels: bool, one: bool) -> Option<Form<'a>> {
    let mut forms = file_forms(syntax, pixels);
    if one {
        let offer = Offer { media: OCTETS, multipart: false, syntax: None };
        let file = Candidate { offer, default_of_media: true, default_of_all: false };
        if let Some(form) = choose(accept, &forms, true) {
            return Some(form);
        }
        forms = vec![(file, Given::Stored)];
        // As octets only when they are named: `*/*` was answered above.
    }
    choose(accept, &forms, one)
}

fn file_forms(syntax: &str, pixels: bool) -> Vec<(Candidate<'_>, Given)> {
    fn candidate(syntax: Option<&str>, default: bool) -> Candidate<'_> {
        let offer = Offer { media: DICOM, multipart: true, syntax };
        Candidate { offer, default_of_media: default, default_of_all: default }
    }
    if !pixels {
        // Of what is no image there is one form (PS3.18 Table 8.7.3-2), whatever is asked for
        // (PS3.18 §8.7.3.1).
        let given =
            if syntax == EXPLICIT_LITTLE { Given::Stored } else { Given::As(Target::Native) };
        let mut forms = vec![(candidate(None, true), given)];
        if !is_shunned(syntax) {
            let stored = (candidate(Some(syntax), false), Given::Stored);
            forms.insert(0, stored);
        }
        return forms;
    }
    if syntax != DEFLATED && !is_shunned(syntax) && !decodes(syntax) {
        return vec![(candidate(Some(syntax), true), Given::Stored)];
    }
    let mut forms = Vec::with_capacity(10);
    if !is_shunned(syntax) {
        let default = syntax == EXPLICIT_LITTLE;
        forms.push((candidate(Some(syntax), default), Given::Stored));
    }
    for target in Target::ALL.into_iter().filter(|target| target.uid() != syntax) {
        let default = target == Target::Native;
        forms.push((candidate(Some(target.uid()), default), Given::As(target)));
    }
    forms
}

/// Whether a client that asked for no transfer syntax, or for any, takes what is stored: then what
/// cannot be re-encoded is given so (PS3.18 §8.7.3.4).
pub fn takes_stored(accept: &Accept, media: &str, syntax: &str, multipart: bool) -> bool {
    let offer = Offer { media, multipart, syntax: Some(syntax) };
    let candidate = Candidate { offer, default_of_media: true, default_of_all: true };
    !is_shunned(syntax) && choose_among(accept, &[candidate]).is_some()
}

/// Whether the client takes a file in whatever transfer syntax it can be had.
pub fn takes_any_file(accept: &Accept) -> bool {
    takes_stored(accept, DICOM, "", true)
}

/// Chooses among multipart forms, and the same by themselves when there is `one` thing to give.
fn choose<'a>(accept: &Accept, forms: &[(Candidate<'a>, Given)], one: bool) -> Option<Form<'a>> {
    let mut all = Vec::with_capacity(forms.len().saturating_mul(2));
    for (candidate, given) in forms {
        let alone =
            Candidate { offer: Offer { multipart: false, ..candidate.offer }, ..*candidate };
        // Frames and bulk data go by themselves where the client does not mind, files in a part
        // (PS3.18 Table 10.4.4-1).
        let pair = match (one, candidate.offer.media == DICOM) {
            (false, _) => vec![*candidate],
            (true, true) => vec![*candidate, alone],
            (true, false) => vec![alone, *candidate],
        };
        all.extend(pair.into_iter().map(|candidate| (candidate, *given)));
    }
    let candidates: Vec<Candidate<'a>> = all.iter().map(|(candidate, _)| *candidate).collect();
    let chosen = choose_among(accept, &candidates)?;
    all.get(chosen).map(|(candidate, given)| {
        let Offer { media, multipart, syntax } = candidate.offer;
        Form { media, multipart, syntax, given: *given }
    })
}
