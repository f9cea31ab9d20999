//! The JSON Schema (draft 2020-12) of what [`super::section`] declares.

use super::reader::Value;
use serde_json::{Map, Value as Json, json};

/// The schema of an object, built member by member.
pub(crate) struct Object {
    about: &'static str,
    members: Map<String, Json>,
    required: Vec<&'static str>,
    one: Vec<&'static str>,
}

impl Object {
    pub(crate) fn new(about: &'static str) -> Self {
        Self { about, members: Map::new(), required: Vec::new(), one: Vec::new() }
    }

    pub(crate) fn member<T: Value>(
        &mut self,
        name: &str,
        doc: &str,
        unit: Option<&str>,
        limits: &T::Limits,
        default: &T,
    ) {
        let mut schema = T::schema(limits);
        if let Json::Object(object) = &mut schema {
            let unit = unit.map(|unit| format!(" Unit: {unit}.")).unwrap_or_default();
            object.insert("description".into(), format!("{}{unit}", doc.trim()).into());
            let default = default.show();
            // An absent value has no default to show; an object's defaults stand at its members.
            if !default.is_null() && !default.is_object() {
                object.insert("default".into(), default);
            }
        }
        self.members.insert(name.to_owned(), schema);
    }

    pub(crate) fn required(&mut self, names: &[&'static str]) {
        for name in names {
            // What must be there has no default.
            self.members.get_mut(*name).and_then(Json::as_object_mut).map(|member| member.remove("default"));
        }
        self.required.extend(names);
    }

    pub(crate) fn exactly_one(&mut self, names: &[&'static str]) {
        self.one.extend(names);
    }

    pub(crate) fn finish(self) -> Json {
        let mut schema = json!({
            "type": "object",
            "description": self.about.trim(),
            "properties": self.members,
            "additionalProperties": false,
        });
        if let Json::Object(object) = &mut schema {
            if !self.required.is_empty() {
                object.insert("required".into(), json!(self.required));
            }
            if !self.one.is_empty() {
                let each: Vec<Json> = self.one.iter().map(|name| json!({ "required": [name] })).collect();
                object.insert("oneOf".into(), each.into());
            }
        }
        schema
    }
}

/// Adds a member to printed defaults, unless it is absent.
pub(crate) fn show<T: Value>(object: &mut Map<String, Json>, name: &str, value: &T) {
    let value = value.show();
    if !value.is_null() {
        object.insert(name.to_owned(), value);
    }
}

/// A whole document's schema.
pub(crate) fn document<T: Value<Limits = ()>>(title: &str) -> Json {
    let mut schema = T::schema(&());
    if let Json::Object(object) = &mut schema {
        object.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        object.insert("title".into(), title.into());
    }
    schema
}
