//! What a flow's form shows: its nodes in order, filled in, with messages in their places.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::message::{Message, label};
use super::node::{Group, InputType, Node};
use super::{Flow, FlowKind, Transport, instant};
use crate::config::Settings;
use crate::identity::schema::{IdentitySchema, TraitSpec};

/// What was filled in and what is wrong with it. Never a password.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FormState {
    /// Values by form field, for example `traits.email`.
    pub values: BTreeMap<String, Value>,
    /// Messages by form field.
    pub field_messages: BTreeMap<String, Vec<Message>>,
    /// Messages about the form as a whole.
    pub messages: Vec<Message>,
}

impl FormState {
    /// Fills a field in.
    pub fn fill(&mut self, field: &str, value: impl Into<Value>) {
        self.values.insert(field.to_owned(), value.into());
    }

    /// Says something about a field.
    pub fn complain(&mut self, field: &str, message: Message) {
        self.field_messages
            .entry(field.to_owned())
            .or_default()
            .push(message);
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.messages.is_empty() && self.field_messages.is_empty()
    }
}

/// A form ready to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// Where it is sent to, by POST.
    pub action: String,
    /// Its parts, in order.
    pub nodes: Vec<Node>,
    /// Messages about the form as a whole.
    pub messages: Vec<Message>,
}

impl Form {
    /// The form of `flow`. `csrf_token` is a fresh mask for a browser, and empty for an API flow.
    #[must_use]
    pub fn of(flow: &Flow, schema: &IdentitySchema, csrf_token: &str, settings: &Settings) -> Self {
        let mut nodes = vec![Node::csrf(csrf_token)];
        match flow.kind {
            FlowKind::Login => nodes.extend(login_nodes(flow)),
            FlowKind::Registration => nodes.extend(registration_nodes(schema)),
        }
        let mut messages = flow.form.messages.clone();
        fill(&mut nodes, flow);
        messages.extend(place(&mut nodes, flow));
        Self {
            action: flow.action(settings),
            nodes,
            messages,
        }
    }

    /// The `ui` object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let nodes: Vec<Value> = self.nodes.iter().map(Node::to_json).collect();
        let mut ui = json!({ "action": self.action, "method": "POST", "nodes": nodes });
        if let (false, Some(object)) = (self.messages.is_empty(), ui.as_object_mut()) {
            object.insert("messages".into(), json!(self.messages));
        }
        ui
    }
}

/// The flow as the API shows it.
#[must_use]
pub fn flow_json(flow: &Flow, form: &Form) -> Value {
    let mut view = Map::new();
    let mut put = |name: &str, value: Value| view.insert(name.to_owned(), value);
    put("id", flow.id.to_string().into());
    put("type", json!(flow.transport));
    put("expires_at", instant::format(flow.expires_at).into());
    put("issued_at", instant::format(flow.issued_at).into());
    put("request_url", flow.request_url.clone().into());
    put("ui", form.to_json());
    put("state", json!(flow.state));
    put("organization_id", Value::Null);
    if let Some(return_to) = &flow.return_to {
        put("return_to", return_to.clone().into());
    }
    if let Some(active) = &flow.active {
        put("active", active.clone().into());
    }
    if let Some(challenge) = &flow.login_challenge {
        put("oauth2_login_challenge", challenge.clone().into());
    }
    if let Some(request) = &flow.login_request {
        put("oauth2_login_request", request.clone());
    }
    if let Some(payload) = &flow.transient_payload {
        put("transient_payload", payload.clone());
    }
    if flow.kind == FlowKind::Login {
        put("created_at", instant::format(flow.issued_at).into());
        put("updated_at", instant::format(flow.updated_at).into());
        put("refresh", flow.refresh.is_some().into());
        put("requested_aal", "aal1".into());
    }
    Value::Object(view)
}

fn login_nodes(flow: &Flow) -> Vec<Node> {
    let (identifier, submit) = if flow.refresh.is_some() {
        (
            Node::input(Group::Default, "identifier", InputType::Hidden).value(""),
            label::sign_in(),
        )
    } else {
        let identifier = Node::input(Group::Default, "identifier", InputType::Text)
            .value("")
            .required();
        (
            identifier.label(label::identifier()),
            label::sign_in_with_password(),
        )
    };
    vec![
        identifier,
        password("current-password"),
        Node::submit(Group::Password, "password", submit),
    ]
}

fn registration_nodes(schema: &IdentitySchema) -> Vec<Node> {
    let mut nodes: Vec<Node> = schema.traits().iter().map(trait_node).collect();
    nodes.push(password("new-password"));
    nodes.push(Node::submit(Group::Password, "password", label::sign_up()));
    nodes
}

fn password(autocomplete: &'static str) -> Node {
    Node::input(Group::Password, "password", InputType::Password)
        .required()
        .autocomplete(autocomplete)
        .label(label::password())
}

fn trait_node(spec: &TraitSpec) -> Node {
    let field = spec.field();
    let mut node = Node::input(Group::Default, field.clone(), spec.input);
    node.required = spec.required;
    node.autocomplete = spec.autocomplete;
    node.label = spec
        .title
        .as_ref()
        .map(|title| label::trait_title(title, &field));
    node
}

fn fill(nodes: &mut [Node], flow: &Flow) {
    for node in nodes {
        if let Some(value) = flow.form.values.get(&node.name) {
            node.value = Some(value.clone());
        }
    }
    debug_assert!(
        !flow.form.values.contains_key("password"),
        "passwords are never kept"
    );
}

/// Puts messages on their nodes; what has no node is about the form.
fn place(nodes: &mut [Node], flow: &Flow) -> Vec<Message> {
    let mut homeless = Vec::new();
    for (field, messages) in &flow.form.field_messages {
        match nodes
            .iter_mut()
            .find(|node| node.name == *field && node.input != InputType::Hidden)
        {
            Some(node) => node.messages.extend(messages.iter().cloned()),
            None => homeless.extend(messages.iter().cloned()),
        }
    }
    homeless
}

impl Transport {
    /// Whether the client keeps cookies.
    #[must_use]
    pub fn is_browser(self) -> bool {
        self == Self::Browser
    }
}
