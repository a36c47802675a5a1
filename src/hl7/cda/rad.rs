//! The national rules of the radiology report ("Referto di Radiologia", template
//! 2.16.840.1.113883.2.9.10.1.7.1, rule set 4.1), by their official numbers. They warn: a report
//! that breaks them is kept and shown all the same.

use crate::hl7::cda::rad_body::BODY;
use crate::hl7::cda::rad_header::HEADER;
use crate::hl7::cda::xml::Document;
use crate::hl7::cda::xml::Element;

/// A rule that a document breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// The rule's official number.
    pub rule: &'static str,
    /// What the rule asks for.
    pub wants: &'static str,
    /// Which of the elements it is about breaks it, from 1.
    pub occurrence: usize,
}

/// A rule: number, where it applies, what it asks for, whether it holds there.
pub(super) type Rule = (&'static str, &'static str, &'static str, fn(Element<'_>) -> bool);

/// The rules a document breaks, header first.
pub fn validate(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (rule, context, wants, holds) in HEADER.iter().chain(BODY) {
        for (number, element) in places(document.root(), context).into_iter().enumerate() {
            if !holds(element) && findings.len() < MOST {
                let occurrence = number.saturating_add(1);
                findings.push(Finding { rule, wants, occurrence });
            }
        }
    }
    findings
}

/// How many rules there are.
pub fn rules() -> usize {
    HEADER.len().saturating_add(BODY.len())
}

/// The elements a rule is about: the document itself, a path from it, or `//` and a name.
fn places<'d>(root: Element<'d>, context: &str) -> Vec<Element<'d>> {
    match context.strip_prefix("//") {
        None if context.is_empty() => vec![root],
        None => root.all(context),
        Some("*Organization") => {
            root.descendants().filter(|element| element.name().contains("Organization")).collect()
        }
        Some(name) => root.descendants().filter(|element| element.name() == name).collect(),
    }
}

/// Findings kept: who breaks more than that need not be told each.
const MOST: usize = 500;

#[cfg(test)]
mod tests;
