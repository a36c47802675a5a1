//! The record of accesses searched: as page by page as everything else, newest first.

use crate::fhir::asked::Asked;
use crate::fhir::audit_event::{ACTION, EVENT_TYPE, OUTCOME, RESTFUL, subtypes};
use crate::fhir::bundle::Answer;
use crate::fhir::dates::micros;
use crate::fhir::door::Consultation;
use crate::fhir::include::Rows;
use crate::fhir::kind::Kind;
use crate::fhir::outcome::Refusal;
use crate::fhir::rules::{Given, given};
use crate::fhir::search::cut;
use crate::fhir::tokens::{Token, typed};
use crate::index::accesses::AccessRule;
use crate::index::pages::{Counted, Place};
use crate::model::access::{Access, Interaction};
use crate::model::ids;

impl Consultation {
    /// Accesses that meet all that is asked.
    pub async fn search_accesses(&self, asked: &Asked) -> Result<Answer, Refusal> {
        let rules = self.access_rules(asked).await?;
        let total = self.total(asked, Counted::Accesses(&rules)).await?;
        if asked.count == 0 {
            return Ok(Answer { total, ..Answer::default() });
        }
        let found = self.fascicolo.accesses_page(&self.permit, &rules, &asked.page()).await?;
        let place =
            |found: &Access| Place { row: found.row, changed_us: found.at_us, ..Place::default() };
        let (found, next) = cut(found, asked.count, place);
        let matches = found.iter().map(|found| self.event(found)).collect();
        self.answer(asked, matches, next, total, &Rows::default()).await
    }

    async fn access_rules(&self, asked: &Asked) -> Result<Vec<AccessRule>, Refusal> {
        let mut rules = Vec::new();
        for given in given(asked)? {
            if let Some(people) = self.people_of(&given).await? {
                rules.push(AccessRule::Person(people));
                continue;
            }
            let tokens = given.tokens();
            rules.push(match given.name {
                "_id" => {
                    AccessRule::Row(given.values.iter().filter_map(|id| ids::link(id)).collect())
                }
                "type" if tokens.iter().any(|one| one.is_of(EVENT_TYPE) && one.code == "rest") => {
                    continue;
                }
                "type" => AccessRule::Row(Vec::new()),
                "subtype" => interactions(&tokens, RESTFUL, is_subtype),
                "action" => interactions(&tokens, ACTION, is_action),
                "outcome" => {
                    let of = tokens.iter().filter(|one| one.is_of(OUTCOME));
                    let spans = of.filter_map(|one| match one.code.as_str() {
                        "0" => Some(0..=399),
                        "4" => Some(400..=499),
                        "8" => Some(500..=u16::MAX),
                        _ => None,
                    });
                    AccessRule::Status(spans.collect())
                }
                "entity" => entity(&given)?,
                "address" => AccessRule::Address(given.values.clone()),
                _ => AccessRule::At(given.each(micros)?),
            });
        }
        Ok(rules)
    }
}

/// The interactions tokens of a system ask for.
fn interactions(
    tokens: &[Token],
    system: &str,
    is_it: impl Fn(Interaction, &str) -> bool,
) -> AccessRule {
    let asked = |one: &Interaction| {
        tokens.iter().any(|token| token.is_of(system) && is_it(*one, &token.code))
    };
    AccessRule::Interaction(Interaction::ALL.into_iter().filter(asked).collect())
}

/// `search` stands above all searches (FHIR R4 restful-interaction).
fn is_subtype(interaction: Interaction, code: &str) -> bool {
    let is_search = interaction == Interaction::SearchType && code == "search";
    is_search || subtypes(interaction).contains(&code)
}

fn is_action(interaction: Interaction, code: &str) -> bool {
    interaction.action().as_str() == code
}

/// Accesses to one thing; to a patient all that concern them.
fn entity(given: &Given) -> Result<AccessRule, Refusal> {
    let says = "one reference, with its type before the id, such as ImagingStudy/id";
    let one = match given.values.as_slice() {
        [value] => typed(value),
        _ => None,
    };
    let (kind, id) = one.ok_or_else(|| Refusal::parameter(given.name, says))?;
    Ok(match ids::person(id).filter(|_| kind == Kind::Patient) {
        Some(row) => AccessRule::Person(vec![row]),
        None => AccessRule::Item(vec![(kind.name().to_owned(), id.to_owned())]),
    })
}

#[cfg(test)]
mod tests {
    use super::{Given, entity, interactions, is_action, is_subtype};
    use crate::fhir::audit_event::RESTFUL;
    use crate::fhir::tokens::Token;
    use crate::index::accesses::AccessRule;
    use crate::model::access::Interaction;

    #[test]
    fn codes_are_read_in_their_system_and_searches_by_either_name() {
        let asked = |text: &str| interactions(&[Token::parse(text)], RESTFUL, is_subtype);
        let one = |interaction| AccessRule::Interaction(vec![interaction]);
        assert_eq!(asked("read"), one(Interaction::Read));
        assert_eq!(asked("search"), one(Interaction::SearchType));
        assert_eq!(asked(&format!("{RESTFUL}|search-type")), one(Interaction::SearchType));
        assert_eq!(asked("http://loinc.org|read"), AccessRule::Interaction(Vec::new()));
        let creates = [Interaction::Create, Interaction::Transaction];
        assert_eq!(asked("create"), AccessRule::Interaction(creates.to_vec()));
        let reads = interactions(&[Token::parse("R")], RESTFUL, is_action);
        assert!(matches!(reads, AccessRule::Interaction(all) if all.len() == 3));
    }

    #[test]
    fn an_entity_is_one_reference_with_its_type() {
        let read = |values: &[&str]| {
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            entity(&Given { name: "entity", values })
        };
        let person = format!("Patient/{}", crate::model::ids::of_person(7));
        assert_eq!(read(&[&person]).unwrap(), AccessRule::Person(vec![7]));
        let study = AccessRule::Item(vec![("ImagingStudy".to_owned(), "u1".to_owned())]);
        assert_eq!(read(&["http://h/fhir/ImagingStudy/u1"]).unwrap(), study);
        for bad in [&["u1"][..], &["Observation/1"], &["ImagingStudy/a", "ImagingStudy/b"]] {
            assert_eq!(read(bad).unwrap_err().status.as_u16(), 400);
        }
    }
}
