//! The few commands of the WebDriver protocol (W3C) that the tests need, as HTTP. The libraries for it bring a client
//! and a segmenter of texts of their own, thirty crates in all, which would be compiled for this alone.

use reqwest::Method;
use serde_json::{Value, json};

/// The name under which the protocol refers to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A session of a browser.
#[derive(Clone)]
pub(crate) struct Session {
    client: reqwest::Client,
    url: String,
}

/// What the driver says is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{error}: {message}")]
pub(crate) struct Refused {
    error: String,
    message: String,
}

pub(crate) type Told<T> = Result<T, Refused>;

/// An element of the page, for as long as it is in it.
pub(crate) struct Element {
    session: Session,
    id: String,
}

/// How an element is looked for.
#[derive(Clone, Copy)]
pub(crate) enum By<'a> {
    Css(&'a str),
    XPath(&'a str),
}

impl Session {
    pub(crate) async fn begin(driver: &str, capabilities: Value) -> Told<Self> {
        let session = Self {
            client: reqwest::Client::new(),
            url: format!("{driver}/session"),
        };
        let wanted = json!({"capabilities": {"alwaysMatch": capabilities}});
        let begun = session.ask(Method::POST, "", wanted).await?;
        let id = begun["sessionId"].as_str().unwrap_or_default();
        Ok(Self {
            url: format!("{}/{id}", session.url),
            ..session
        })
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> Told<Value> {
        let request = self
            .client
            .request(method.clone(), format!("{}{path}", self.url));
        let request = if method == Method::POST {
            request.json(&body)
        } else {
            request
        };
        let answer: Value = match request.send().await {
            Ok(answer) => answer.json().await.expect("JSON"),
            Err(err) => panic!("the driver is gone: {err}"),
        };
        let value = answer["value"].clone();
        match value["error"].as_str() {
            None => Ok(value),
            Some(error) => Err(Refused {
                error: error.to_owned(),
                message: value["message"].as_str().unwrap_or_default().to_owned(),
            }),
        }
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Told<Value> {
        self.ask(Method::POST, path, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Told<Value> {
        self.ask(Method::GET, path, Value::Null).await
    }

    pub(crate) async fn find(&self, by: By<'_>) -> Told<Element> {
        let (using, value) = match by {
            By::Css(selector) => ("css selector", selector),
            By::XPath(path) => ("xpath", path),
        };
        let found = self
            .post("/element", json!({"using": using, "value": value}))
            .await?;
        let id = found[ELEMENT].as_str().unwrap_or_default();
        Ok(Element {
            session: self.clone(),
            id: id.to_owned(),
        })
    }

    /// Runs a script, and where it is `late`, until it calls the function of its last argument.
    pub(crate) async fn run(&self, script: &str, arguments: Vec<Value>, late: bool) -> Told<Value> {
        let how = if late { "async" } else { "sync" };
        let body = json!({"script": script, "args": arguments});
        self.post(&format!("/execute/{how}"), body).await
    }
}

impl Element {
    async fn post(&self, what: &str, body: Value) -> Told<()> {
        let path = format!("/element/{}/{what}", self.id);
        self.session.post(&path, body).await.map(drop)
    }

    pub(crate) async fn click(&self) -> Told<()> {
        self.post("click", json!({})).await
    }

    pub(crate) async fn clear(&self) -> Told<()> {
        self.post("clear", json!({})).await
    }

    pub(crate) async fn send_keys(&self, text: &str) -> Told<()> {
        self.post("value", json!({"text": text})).await
    }

    pub(crate) async fn text(&self) -> Told<String> {
        let path = format!("/element/{}/text", self.id);
        let text = self.session.get(&path).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// The element as commands refer to it.
    pub(crate) fn reference(&self) -> Value {
        json!({ ELEMENT: self.id })
    }

    /// Chooses the option with a value, as a person does.
    pub(crate) async fn choose(&self, value: &str) -> Told<()> {
        let script = "const [field, value] = arguments;
            field.value = value;
            field.dispatchEvent(new Event('input', {bubbles: true}));
            field.dispatchEvent(new Event('change', {bubbles: true}));
            return field.value;";
        let chosen = self
            .session
            .run(script, vec![self.reference(), json!(value)], false)
            .await?;
        assert_eq!(chosen, value, "there is no such option");
        Ok(())
    }
}
