//! Sign-up and sign-in: the form of a flow as HTML.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use super::page::{self, Chrome};
use super::{Person, error};
use crate::config::Settings;
use crate::flows::exchange::{Exchange, see_other};
use crate::flows::form::Form;
use crate::flows::message::{Message, Severity};
use crate::flows::node::{InputType, Node};
use crate::flows::{Flow, FlowKind, dispatch, logout};
use crate::identity::policy;
use crate::sessions::current;

#[derive(Template)]
#[template(path = "form.html")]
struct FormPage {
    chrome: Chrome,
    heading: &'static str,
    lead: Option<String>,
    action: String,
    messages: Vec<Notice>,
    person: Option<Person>,
    hidden: Vec<Hidden>,
    fields: Vec<Field>,
    buttons: Vec<Button>,
    other: Option<OtherWay>,
}

struct Notice {
    class: &'static str,
    role: &'static str,
    text: String,
}

struct Hidden {
    name: String,
    value: String,
}

struct Button {
    name: String,
    value: String,
    label: String,
}

/// The link to the other flow.
struct OtherWay {
    question: &'static str,
    url: String,
    label: &'static str,
}

struct Field {
    id: String,
    name: String,
    kind: &'static str,
    value: String,
    label: String,
    required: bool,
    autocomplete: Option<&'static str>,
    inputmode: Option<&'static str>,
    focus: bool,
    is_checkbox: bool,
    checked: bool,
    problems: Vec<String>,
    note: Option<String>,
}

impl Field {
    fn invalid(&self) -> bool {
        !self.problems.is_empty()
    }

    fn noted(&self) -> bool {
        self.invalid() || self.note.is_some()
    }
}

/// `GET /login`: the form of `?flow=`, or a fresh flow with the same query (`return_to`, `login_challenge`, …).
pub async fn login(exchange: Exchange) -> Response {
    show(exchange, FlowKind::Login).await
}

/// `GET /registration`
pub async fn registration(exchange: Exchange) -> Response {
    show(exchange, FlowKind::Registration).await
}

async fn show(exchange: Exchange, kind: FlowKind) -> Response {
    let Some(id) = exchange.query("flow") else {
        return see_other(&init_url(&exchange, kind));
    };
    let (flow, form) = match dispatch::form(&exchange, kind, &id).await {
        Ok(found) => found,
        Err(refusal) => return error::for_refusal(&refusal),
    };
    if flow.is_over(exchange.app.clock().now()) {
        return see_other(&restart_url(&exchange, &flow));
    }
    let destinations = destinations(&flow, exchange.app.settings());
    match page::render(
        StatusCode::OK,
        &form_page(&exchange, &flow, form),
        &destinations,
    ) {
        Ok(response) => response,
        Err(refusal) => error::for_refusal(&refusal),
    }
}

/// Opens a flow with the query that the page was asked for with: a proxy sends browsers here with `return_to`.
fn init_url(exchange: &Exchange, kind: FlowKind) -> String {
    let query = exchange
        .uri
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    exchange
        .app
        .settings()
        .public_url(&format!("/self-service/{}/browser{query}", kind.name()))
}

fn restart_url(exchange: &Exchange, flow: &Flow) -> String {
    exchange.app.settings().public_url(&format!(
        "/self-service/{}/browser{}",
        flow.kind.name(),
        carried(flow)
    ))
}

/// The query that makes another flow lead to the same place.
fn carried(flow: &Flow) -> String {
    let query = flow.carried();
    if query.is_empty() {
        query
    } else {
        format!("?{query}")
    }
}

/// Where the browser may end up after sending the form.
fn destinations(flow: &Flow, settings: &Settings) -> Vec<String> {
    let pages = [
        &settings.selfservice.default_browser_return_url,
        &settings.urls.consent,
        &settings.urls.error,
    ];
    let redirect_uris = flow
        .login_request
        .as_ref()
        .and_then(|request| request.pointer("/client/redirect_uris"));
    let redirect_uris = redirect_uris
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    redirect_uris
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .chain(flow.return_to.clone())
        .chain(pages.into_iter().flatten().cloned())
        .collect()
}

fn form_page(exchange: &Exchange, flow: &Flow, form: Form) -> FormPage {
    let refresh = flow.refresh.is_some();
    let heading = match (flow.kind, refresh) {
        (FlowKind::Login, false) => "Sign in",
        (FlowKind::Login, true) => "Confirm that it is you",
        (FlowKind::Registration, _) => "Create your account",
    };
    let identifier = flow.form.values.get("identifier").and_then(Value::as_str);
    let (hidden, shown): (Vec<Node>, Vec<Node>) = form
        .nodes
        .into_iter()
        .partition(|node| node.input == InputType::Hidden);
    let (buttons, inputs): (Vec<Node>, Vec<Node>) = shown
        .into_iter()
        .partition(|node| node.input == InputType::Submit);
    let focused = focus(&inputs);
    FormPage {
        chrome: Chrome::new(),
        heading,
        lead: lead(flow),
        action: form.action,
        messages: form.messages.iter().map(notice).collect(),
        person: identifier.filter(|_| refresh).map(Person::named),
        hidden: hidden
            .into_iter()
            .map(|node| Hidden {
                value: text(node.value.as_ref()),
                name: node.name,
            })
            .collect(),
        fields: inputs
            .iter()
            .enumerate()
            .map(|(index, node)| field(node, Some(index) == focused))
            .collect(),
        buttons: buttons.iter().map(button).collect(),
        other: if refresh {
            not_you(exchange)
        } else {
            Some(other_way(exchange, flow))
        },
    }
}

fn lead(flow: &Flow) -> Option<String> {
    let client = flow.login_request.as_ref()?.get("client")?;
    let text = |name: &str| {
        client
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    text("client_name")
        .or_else(|| text("client_id"))
        .map(|name| format!("to continue to {name}"))
}

fn notice(message: &Message) -> Notice {
    let (class, role) = match message.severity {
        Severity::Error => ("error", "alert"),
        Severity::Success => ("success", "status"),
        Severity::Info => ("info", "status"),
    };
    Notice {
        class,
        role,
        text: message.text.clone(),
    }
}

/// The first input that is wrong, else the first that is empty.
fn focus(inputs: &[Node]) -> Option<usize> {
    let wrong = inputs.iter().position(|node| !node.messages.is_empty());
    wrong.or_else(|| {
        inputs
            .iter()
            .position(|node| text(node.value.as_ref()).is_empty())
    })
}

fn field(node: &Node, focus: bool) -> Field {
    let is_identifier = node.name == "identifier";
    let new_password = node.autocomplete == Some("new-password");
    Field {
        id: node.name.replace('.', "-"),
        name: node.name.clone(),
        kind: node.input.as_str(),
        value: text(node.value.as_ref()),
        label: node
            .label
            .as_ref()
            .map_or_else(|| node.name.clone(), |label| label.text.clone()),
        required: node.required,
        // A browser fills in what it knows as the user name; the API cannot say so to every client.
        autocomplete: if is_identifier {
            Some("username")
        } else {
            node.autocomplete
        },
        inputmode: (is_identifier || node.input == InputType::Email).then_some("email"),
        focus,
        is_checkbox: node.input == InputType::Checkbox,
        checked: node.value == Some(Value::Bool(true)),
        problems: node
            .messages
            .iter()
            .map(|message| message.text.clone())
            .collect(),
        note: new_password.then(|| format!("At least {} characters.", policy::MIN_CHARS)),
    }
}

fn button(node: &Node) -> Button {
    Button {
        name: node.name.clone(),
        value: text(node.value.as_ref()),
        label: node
            .label
            .as_ref()
            .map_or_else(|| "Continue".to_owned(), |label| label.text.clone()),
    }
}

fn other_way(exchange: &Exchange, flow: &Flow) -> OtherWay {
    let url = |path: &str| {
        exchange
            .app
            .settings()
            .public_url(&format!("{path}{}", carried(flow)))
    };
    match flow.kind {
        FlowKind::Login => OtherWay {
            question: "New here?",
            url: url("/registration"),
            label: "Create an account",
        },
        FlowKind::Registration => OtherWay {
            question: "Have an account already?",
            url: url("/login"),
            label: "Sign in",
        },
    }
}

/// The way out for somebody else at this browser.
fn not_you(exchange: &Exchange) -> Option<OtherWay> {
    let token = current::cookie_token(&exchange.app, &exchange.headers)?;
    Some(OtherWay {
        question: "Not you?",
        url: logout::link(exchange, &token.logout_token(), None),
        label: "Sign out",
    })
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}
