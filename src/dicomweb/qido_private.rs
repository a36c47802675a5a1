//! Private attributes of a search: each goes with its creator, whose block the client chooses as it
//! likes (PS3.18 §8.3.4.1, PS3.5 §7.8.1).

use dicom_core::Tag;

use crate::archive::extended::Attributes;
use crate::dicomweb::qido_fields::Fields;
use crate::dicomweb::qido_keys::{number, path};
use crate::http::query_string::QueryString;

/// The private creators a request names: group, block, creator.
#[derive(Debug)]
pub struct Private<'q> {
    creators: Vec<(u16, u16, &'q str)>,
    attributes: &'q Attributes,
}

impl<'q> Private<'q> {
    /// Of a request.
    pub fn of(query: &'q QueryString, attributes: &'q Attributes) -> Self {
        let named = query.iter().filter_map(|(name, value)| {
            let tags = path(name)?;
            let [tag] = tags.as_slice() else { return None };
            is_creator(*tag).then_some((tag.group(), tag.element(), value.trim()))
        });
        Self { creators: named.collect(), attributes }
    }

    /// Whether a parameter only names a creator.
    pub fn is_creator(&self, tags: &[Tag]) -> bool {
        matches!(tags, [tag] if is_creator(*tag))
    }

    /// A path whose first tag, if private, stands in the block the archive keeps it under.
    pub fn canonical(&self, mut tags: Vec<Tag>) -> Vec<Tag> {
        if let Some(tag) = tags.first_mut()
            && let Some(canonical) = self.canonical_tag(*tag)
        {
            *tag = canonical;
        }
        tags
    }

    fn canonical_tag(&self, tag: Tag) -> Option<Tag> {
        let block = tag.element() >> 8;
        let named = |known: &&(u16, u16, &str)| (known.0, known.1) == (tag.group(), block);
        let (.., creator) = self.creators.iter().find(named)?;
        self.attributes.set().canonical_tag(creator, tag)
    }

    /// Adds the private attributes of `includefield`, each with its creator.
    pub fn add_fields(&self, query: &QueryString, fields: &mut Fields) {
        for name in query.all("includefield").flat_map(|value| value.split(',')) {
            let first = path(name.trim()).and_then(|tags| tags.first().copied());
            if let Some(tag) = first.and_then(|tag| self.canonical_tag(tag)) {
                self.add_field(Some(tag), fields);
            }
        }
    }

    /// Adds an attribute, a private one with its creator.
    pub fn add_field(&self, tag: Option<Tag>, fields: &mut Fields) {
        fields.add(tag.map(number));
        let private = tag.filter(|tag| tag.group() % 2 == 1);
        fields.add(private.map(|tag| number(Tag(tag.group(), tag.element() >> 8))));
    }
}

fn is_creator(tag: Tag) -> bool {
    tag.group() % 2 == 1 && (0x10..=0xFF).contains(&tag.element())
}
