//! A browser without JavaScript: keeps cookies, follows nothing by itself, fills in forms.

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use serde_json::Value;

use crate::harness::{Answer, Door, ISSUER, form};

/// Cookies, and the door that they belong to.
pub struct Browser<'a> {
    door: &'a Door,
    cookies: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    pub fn new(door: &'a Door) -> Self {
        Self {
            door,
            cookies: Vec::new(),
        }
    }

    pub async fn get(&mut self, url: &str) -> Answer {
        self.send(
            Request::get(path(url))
                .header(header::ACCEPT, "text/html")
                .body(Body::empty())
                .unwrap(),
        )
        .await
    }

    pub async fn get_json(&mut self, url: &str) -> Answer {
        self.send(
            Request::get(path(url))
                .header(header::ACCEPT, "application/json")
                .body(Body::empty())
                .unwrap(),
        )
        .await
    }

    pub async fn post_form(&mut self, url: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(form(path(url), fields)).await
    }

    pub async fn post_json(&mut self, url: &str, body: &Value) -> Answer {
        let request = Request::post(path(url))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    pub async fn send(&mut self, mut request: Request<Body>) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request
                .headers_mut()
                .insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        let answer = self.door.send(request).await;
        self.keep_cookies(&answer.headers);
        answer
    }

    /// Opens a page and follows redirects on our own server until there is one to look at.
    pub async fn open(&mut self, url: &str) -> Answer {
        let mut answer = self.get(url).await;
        for _ in 0..6 {
            if !answer.status.is_redirection() {
                return answer;
            }
            let next = answer.header("location").to_owned();
            answer = self.get(&next).await;
        }
        panic!("too many redirects from {url}");
    }

    /// Fills the page's form in and sends it, as a person would.
    pub async fn fill_in(
        &mut self,
        page: &Answer,
        values: &[(&str, &str)],
        button: &str,
    ) -> Answer {
        let html = HtmlForm::containing(&page.text(), button);
        let mut fields = html.fields.clone();
        for (name, value) in values {
            let field = fields.iter_mut().find(|(known, _)| known == name);
            field
                .unwrap_or_else(|| panic!("no field `{name}` in {:?}", html.fields))
                .1 = (*value).to_owned();
        }
        fields.push(html.button);
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.post_form(&html.action, &fields).await
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies
            .iter()
            .find(|(known, _)| known.starts_with(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.retain(|(known, _)| !known.starts_with(name));
        self.cookies.push((name.to_owned(), value.to_owned()));
    }

    pub fn forget_cookie(&mut self, name: &str) {
        self.cookies.retain(|(known, _)| !known.starts_with(name));
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !line.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

/// The path of one of our URLs; anything else would leave the server.
pub fn path(url: &str) -> &str {
    let path = url.strip_prefix(ISSUER).unwrap_or(url);
    assert!(path.starts_with('/'), "{url} is not ours");
    path
}

/// A form as a browser reads it.
struct HtmlForm {
    action: String,
    fields: Vec<(String, String)>,
    button: (String, String),
}

impl HtmlForm {
    /// The form with the button of this label or value.
    fn containing(html: &str, wanted: &str) -> Self {
        for form in html.split("<form ").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let button = form.split("<button ").skip(1).find(|button| {
                let (tag, rest) = button.split_once('>').unwrap();
                rest.split('<').next().unwrap() == wanted
                    || attribute(tag, "value").as_deref() == Some(wanted)
            });
            let Some(button) = button else { continue };
            let tag = button.split_once('>').unwrap().0;
            assert_eq!(attribute(form, "method").as_deref(), Some("post"));
            let inputs = form
                .split("<input ")
                .skip(1)
                .map(|input| input.split_once('>').unwrap().0);
            return Self {
                action: attribute(form, "action").unwrap(),
                fields: inputs
                    .filter(|input| attribute(input, "type").as_deref() != Some("checkbox"))
                    .map(|input| {
                        (
                            attribute(input, "name").unwrap(),
                            attribute(input, "value").unwrap_or_default(),
                        )
                    })
                    .collect(),
                button: (
                    attribute(tag, "name").unwrap(),
                    attribute(tag, "value").unwrap(),
                ),
            };
        }
        panic!("no form with a button `{wanted}` in {html}");
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = format!(" {tag}")
        .split_once(&format!(" {name}=\""))
        .map(|(before, rest)| (before.to_owned(), rest.to_owned()))?;
    Some(unescape(rest.split('"').next().unwrap()))
}

fn unescape(text: &str) -> String {
    text.replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#38;", "&")
}

/// The value of a node of a flow.
pub fn node<'a>(flow: &'a Value, name: &str) -> &'a Value {
    let nodes = flow["ui"]["nodes"].as_array().unwrap();
    nodes
        .iter()
        .find(|node| node["attributes"]["name"] == name)
        .unwrap_or_else(|| panic!("no `{name}` in {flow}"))
}

pub fn csrf_token(flow: &Value) -> String {
    node(flow, "csrf_token")["attributes"]["value"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The ids of all messages of a flow.
pub fn message_ids(flow: &Value) -> Vec<u64> {
    let of = |list: &Value| -> Vec<u64> {
        list.as_array()
            .into_iter()
            .flatten()
            .map(|message| message["id"].as_u64().unwrap())
            .collect()
    };
    let mut ids = of(&flow["ui"]["messages"]);
    for node in flow["ui"]["nodes"].as_array().unwrap() {
        ids.extend(of(&node["messages"]));
    }
    ids
}
