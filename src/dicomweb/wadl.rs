//! Web Application Description Language: one tree, written as XML or as the JSON of PS3.18 Annex G.
//!
//! The tree is drawn from `openapi.json`: resources by their paths (PS3.18 Table H-1), with
//! the methods, parameters and representations of each.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::dicomweb::address::ROOT;
use crate::http::openapi::{DOCUMENT, resolved};

/// One element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Element>,
    /// Of `doc` elements only.
    text: String,
}

impl Element {
    fn new(name: &'static str, attributes: Vec<(&'static str, String)>) -> Self {
        Self { name, attributes, children: Vec::new(), text: String::new() }
    }

    fn doc(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::new("doc", vec![("xml:lang", "en".to_owned())]) }
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The child resource at `path`, made where there is none.
    fn resource(&mut self, path: &str) -> Option<&mut Self> {
        let known =
            |child: &Self| child.name == "resource" && child.attribute("path") == Some(path);
        let at = self.children.iter().position(known).unwrap_or_else(|| {
            let mut resource = Self::new("resource", vec![("path", path.to_owned())]);
            if let Some(name) = path.strip_prefix('{').and_then(|path| path.strip_suffix('}')) {
                resource.children.push(template(name));
            }
            self.children.push(resource);
            self.children.len().saturating_sub(1)
        });
        self.children.get_mut(at)
    }
}

/// The service below `base` (`http://host/dicom-web`).
pub fn application(base: &str) -> Element {
    let mut resources = Element::new("resources", vec![("base", base.to_owned())]);
    for (path, item) in DOCUMENT.get("paths").and_then(Value::as_object).into_iter().flatten() {
        let below = path.strip_prefix(ROOT).map(|path| path.trim_matches('/'));
        // The description does not describe itself (PS3.18 Annex H).
        let Some(below) = below.filter(|below| !below.is_empty()) else { continue };
        let mut place = Some(&mut resources);
        for segment in below.split('/') {
            let segment = segment.replace("{*", "{");
            place = place.and_then(|place| place.resource(&segment));
        }
        let Some(place) = place else { continue };
        for method in ["get", "post", "put", "delete"] {
            if let Some(operation) = item.get(method) {
                place.children.push(method_of(method, operation));
            }
        }
    }
    let mut application = Element::new("application", Vec::new());
    application.children.push(resources);
    application
}

fn template(name: &str) -> Element {
    let string = "xs:string".to_owned();
    let attributes = vec![("name", name.to_owned()), ("style", "template".to_owned())];
    let mut param = Element::new("param", attributes);
    param.attributes.push(("type", string));
    param
}

fn method_of(name: &str, operation: &Value) -> Element {
    let text = |key: &str| operation.get(key).and_then(Value::as_str).unwrap_or_default();
    let id = text("operationId").to_owned();
    let mut method = Element::new("method", vec![("name", name.to_uppercase()), ("id", id)]);
    method.children.push(Element::doc(text("summary")));
    let mut request = Element::new("request", Vec::new());
    request.children.push(accept(operation));
    for parameter in operation.get("parameters").and_then(Value::as_array).into_iter().flatten() {
        parameters_of(resolved(parameter), &mut request.children);
    }
    let body = operation.pointer("/requestBody/content").and_then(Value::as_object);
    request
        .children
        .extend(body.into_iter().flat_map(|body| body.keys()).map(|media| representation(media)));
    method.children.push(request);
    for (status, response) in
        operation.get("responses").and_then(Value::as_object).into_iter().flatten()
    {
        let mut element = Element::new("response", vec![("status", status.clone())]);
        let content = resolved(response).get("content").and_then(Value::as_object);
        let media = content.into_iter().flat_map(|content| content.keys());
        element.children.extend(media.map(|media| representation(media)));
        method.children.push(element);
    }
    method
}

/// The media types that can be asked for.
fn accept(operation: &Value) -> Element {
    let attributes = vec![("name", "Accept".to_owned()), ("style", "header".to_owned())];
    let mut accept = Element::new("param", attributes);
    let content = operation.pointer("/responses/200/content").and_then(Value::as_object);
    for media in content.into_iter().flat_map(|content| content.keys()) {
        accept.children.push(Element::new("option", vec![("value", media.clone())]));
    }
    accept
}

/// A parameter under its keyword and, for attributes, under its tag too (PS3.18 §B.26).
fn parameters_of(parameter: &Value, params: &mut Vec<Element>) {
    let text = |key: &str| parameter.get(key).and_then(Value::as_str);
    let style = if text("in") == Some("header") { "header" } else { "query" };
    let kind = match parameter.pointer("/schema/type").and_then(Value::as_str) {
        Some("integer") => "xs:int",
        Some("boolean") => "xs:boolean",
        _ => "xs:string",
    };
    for name in [text("name"), text("x-dicom-tag")].into_iter().flatten() {
        let mut param = Element::new("param", vec![("name", name.to_owned())]);
        param.attributes.push(("style", style.to_owned()));
        param.attributes.push(("type", kind.to_owned()));
        if parameter.pointer("/schema/type").and_then(Value::as_str) == Some("array") {
            param.attributes.push(("repeating", "true".to_owned()));
        }
        param.children.push(Element::doc(text("description").unwrap_or_default()));
        params.push(param);
    }
}

fn representation(media: &str) -> Element {
    Element::new("representation", vec![("mediaType", media.to_owned())])
}

/// As XML.
pub fn to_xml(application: &Element) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    push_xml(application, true, &mut xml);
    xml.push('\n');
    xml
}

/// Writes an element and what it holds; the tree is as deep as the archive's own addresses.
fn push_xml(element: &Element, outermost: bool, xml: &mut String) {
    let _ = write!(xml, "<{}", element.name);
    if outermost {
        xml.push_str(
            " xmlns=\"http://wadl.dev.java.net/2009/02\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"",
        );
    }
    for (name, value) in &element.attributes {
        let _ = write!(xml, " {name}=\"{}\"", escaped(value));
    }
    if element.children.is_empty() && element.text.is_empty() {
        xml.push_str("/>");
        return;
    }
    xml.push('>');
    xml.push_str(&escaped(&element.text));
    for child in &element.children {
        push_xml(child, false, xml);
    }
    let _ = write!(xml, "</{}>", element.name);
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// As JSON (PS3.18 §G.2): attributes are `@name`, `doc` elements hold `value`, children that may
/// come again are arrays.
pub fn to_json(application: &Element) -> Value {
    json!({ application.name: members(application) })
}

fn members(element: &Element) -> Value {
    let mut members = Map::new();
    for (name, value) in &element.attributes {
        members.insert(format!("@{name}"), Value::from(value.as_str()));
    }
    if !element.text.is_empty() {
        members.insert("value".to_owned(), Value::from(element.text.as_str()));
    }
    for child in &element.children {
        let value = self::members(child);
        if matches!(child.name, "resources" | "request") {
            members.insert(child.name.to_owned(), value);
            continue;
        }
        let list = members.entry(child.name).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(value);
        }
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::{application, to_json, to_xml};

    #[test]
    fn the_tree_follows_the_addresses() {
        let json = to_json(&application("http://h/dicom-web"));
        let resources = &json["application"]["resources"];
        assert_eq!(resources["@base"], "http://h/dicom-web");
        let by_path = |list: &serde_json::Value, path: &str| {
            let found = list.as_array().unwrap().iter().find(|resource| resource["@path"] == path);
            found.unwrap_or_else(|| panic!("no resource {path}")).clone()
        };
        let studies = by_path(&resources["resource"], "studies");
        let names: Vec<_> =
            studies["method"].as_array().unwrap().iter().map(|m| m["@id"].clone()).collect();
        assert_eq!(names, ["searchForStudies", "storeInstances"]);
        let params = studies["method"][0]["request"]["param"].as_array().unwrap();
        for name in ["StudyDate", "00080020", "fuzzymatching", "includefield"] {
            assert!(params.iter().any(|param| param["@name"] == name), "{name}");
        }
        let study = by_path(&studies["resource"], "{study}");
        let series = by_path(&by_path(&study["resource"], "series")["resource"], "{series}");
        let instance =
            by_path(&by_path(&series["resource"], "instances")["resource"], "{instance}");
        by_path(&by_path(&instance["resource"], "frames")["resource"], "{frames}");
        assert_eq!(study["param"][0]["@style"], "template");
    }

    #[test]
    fn the_same_tree_is_xml_that_is_escaped() {
        let xml = to_xml(&application("http://h/?a=\"<&"));
        assert!(xml.contains("base=\"http://h/?a=&quot;&lt;&amp;\""));
        assert!(xml.contains("<method name=\"GET\" id=\"searchForStudies\">"));
        assert!(
            xml.contains("mediaType=\"multipart/related; type=&quot;application/dicom&quot;\"")
        );
        assert!(!xml.contains("\"\"multipart"));
    }
}
