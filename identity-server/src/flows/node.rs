//! The parts of a form, in the order in which they are shown.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::flows::message::Message;

/// One input of a form.
///
/// Only inputs exist so far; the other node types (`text`, `img`, `a`, `script`) come with the methods that need them.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Which method or purpose the input belongs to.
    pub group: Group,
    /// The form field's name, for example `traits.email`.
    pub name: String,
    /// The HTML input type.
    pub input: InputType,
    /// What is filled in already.
    pub value: Option<Value>,
    /// Whether the form cannot be sent without it.
    pub required: bool,
    /// The browser's autofill hint.
    pub autocomplete: Option<&'static str>,
    /// The label.
    pub label: Option<Message>,
    /// What to tell the user about this input.
    pub messages: Vec<Message>,
}

/// Which method or purpose a [`Node`] belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Shared by all methods: CSRF token, identifier, traits.
    Default,
    /// The password method.
    Password,
}

/// The HTML type of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputType {
    /// Free text.
    Text,
    /// A password.
    Password,
    /// A number.
    Number,
    /// Yes or no.
    Checkbox,
    /// Not shown.
    Hidden,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Tel,
    /// A URL.
    Url,
    /// A calendar date.
    Date,
    /// A date and a time.
    #[serde(rename = "datetime-local")]
    DateTimeLocal,
    /// A button that sends the form.
    Submit,
}

impl InputType {
    /// The value of HTML's `type` attribute.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Password => "password",
            Self::Number => "number",
            Self::Checkbox => "checkbox",
            Self::Hidden => "hidden",
            Self::Email => "email",
            Self::Tel => "tel",
            Self::Url => "url",
            Self::Date => "date",
            Self::DateTimeLocal => "datetime-local",
            Self::Submit => "submit",
        }
    }
}

impl Node {
    /// An empty, optional input without a label.
    #[must_use]
    pub fn input(group: Group, name: impl Into<String>, input: InputType) -> Self {
        Self {
            group,
            name: name.into(),
            input,
            value: None,
            required: false,
            autocomplete: None,
            label: None,
            messages: Vec::new(),
        }
    }

    /// The button that sends the form with `method=<method>`.
    #[must_use]
    pub fn submit(group: Group, method: &str, label: Message) -> Self {
        Self::input(group, "method", InputType::Submit)
            .value(method)
            .label(label)
    }

    /// The hidden anti-forgery input. API flows carry an empty one.
    #[must_use]
    pub fn csrf(masked_token: &str) -> Self {
        Self::input(Group::Default, "csrf_token", InputType::Hidden)
            .value(masked_token)
            .required()
    }

    /// Fills the input in.
    #[must_use]
    pub fn value(mut self, value: impl Into<Value>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// Makes the input mandatory.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Sets the browser's autofill hint.
    #[must_use]
    pub fn autocomplete(mut self, hint: &'static str) -> Self {
        self.autocomplete = Some(hint);
        self
    }

    /// Sets the label.
    #[must_use]
    pub fn label(mut self, label: Message) -> Self {
        self.label = Some(label);
        self
    }

    /// The node as clients read it: `messages` and `meta` are always there, `required` only when true.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut attributes = json!({
            "name": self.name,
            "type": self.input,
            "disabled": false,
            "node_type": "input",
        });
        if let Some(object) = attributes.as_object_mut() {
            if let Some(value) = &self.value {
                object.insert("value".into(), value.clone());
            }
            if self.required {
                object.insert("required".into(), Value::Bool(true));
            }
            if let Some(hint) = self.autocomplete {
                object.insert("autocomplete".into(), hint.into());
            }
        }
        let meta = self
            .label
            .as_ref()
            .map_or_else(|| json!({}), |label| json!({ "label": label }));
        json!({
            "type": "input",
            "group": self.group,
            "attributes": attributes,
            "messages": self.messages,
            "meta": meta,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::message::label;

    #[test]
    fn messages_and_meta_are_present_even_when_empty() {
        let json = Node::input(Group::Default, "csrf_token", InputType::Hidden).to_json();
        assert_eq!(json["messages"], json!([]));
        assert_eq!(json["meta"], json!({}));
        assert!(json["attributes"].get("required").is_none());
        assert_eq!(json["attributes"]["disabled"], false);
        assert_eq!(json["attributes"]["node_type"], "input");
    }

    #[test]
    fn a_submit_button_carries_its_method_and_label() {
        let json = Node::submit(Group::Password, "password", label::sign_up()).to_json();
        assert_eq!(json["attributes"]["value"], "password");
        assert_eq!(json["group"], "password");
        assert_eq!(json["meta"]["label"]["id"], 1_040_001);
    }
}
