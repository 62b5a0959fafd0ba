//! What a person does with a page, and what they see. Everything that is looked for is waited for.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::browser::webdriver::{By, Element, Session};

const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Answers of a catalog that is busy for a moment, as the browser writes them.
const PASSING: [&str; 2] = ["status of 503", "status of 504"];
/// Where pictures of the pages are kept for people who look at them.
const SCREENSHOTS: &str = "CATALOG_SCREENSHOTS";

/// Whether the browser complains of an answer of a catalog that is away or busy for a moment. The shop asks again then.
pub(crate) fn is_passing(complaint: &str) -> bool {
    PASSING.iter().any(|status| complaint.contains(status))
}

/// Looks again and again until it sees what it looks for.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(started.elapsed() < PATIENCE, "{what}: never");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The folder for what people look at, where one is named.
fn kept() -> Option<PathBuf> {
    let folder = std::env::var_os(SCREENSHOTS).map(PathBuf::from)?;
    std::fs::create_dir_all(&folder).expect("a folder");
    Some(folder)
}

pub(crate) struct Page {
    session: Session,
}

impl Page {
    pub(crate) fn new(session: Session) -> Self {
        Self { session }
    }

    pub(crate) async fn goto(&self, address: &str) {
        let gone = self.session.post("/url", json!({"url": address})).await;
        gone.expect(address);
    }

    pub(crate) async fn back(&self) {
        self.session.post("/back", json!({})).await.expect("back");
    }

    pub(crate) async fn address(&self) -> String {
        let address = self.session.get("/url").await.expect("an address");
        address.as_str().unwrap_or_default().to_owned()
    }

    /// The element, once it is there.
    async fn wait_for(&self, by: By<'_>, name: &str) -> Element {
        let started = Instant::now();
        loop {
            match self.session.find(by).await {
                Ok(element) => return element,
                Err(_) if started.elapsed() < PATIENCE => tokio::time::sleep(LOOK_EVERY).await,
                Err(err) => panic!("{name} is never there: {err}\n{}", self.text("body").await),
            }
        }
    }

    /// The element that a person would look for, once it is there.
    pub(crate) async fn see(&self, css: &str) -> Element {
        self.wait_for(By::Css(css), css).await
    }

    /// The button, link or field of this name, once it is there and can be used.
    pub(crate) async fn named(&self, name: &str) -> Element {
        let quoted = format!("\"{name}\"");
        let path = format!(
            "//*[self::button or self::a or self::summary][normalize-space(.)={quoted} or @aria-label={quoted}][not(@disabled)] | \
             //label[starts-with(normalize-space(.), {quoted})]//*[self::input or self::select or self::textarea] | \
             //*[self::input or self::select or self::textarea][@aria-label={quoted}]"
        );
        self.wait_for(By::XPath(&path), name).await
    }

    /// Clicks on the button or link of this name. One that is drawn anew meanwhile is looked for again.
    pub(crate) async fn press(&self, name: &str) {
        let started = Instant::now();
        loop {
            let element = self.named(name).await;
            match element.click().await {
                Ok(()) => return,
                Err(_) if started.elapsed() < PATIENCE => tokio::time::sleep(LOOK_EVERY).await,
                Err(err) => panic!("{name:?} cannot be pressed: {err}"),
            }
        }
    }

    pub(crate) async fn click(&self, css: &str) {
        let started = Instant::now();
        loop {
            match self.see(css).await.click().await {
                Ok(()) => return,
                Err(_) if started.elapsed() < PATIENCE => tokio::time::sleep(LOOK_EVERY).await,
                Err(err) => panic!("{css} cannot be clicked: {err}"),
            }
        }
    }

    /// Types into the field, after what stands there.
    pub(crate) async fn type_into(&self, css: &str, text: &str) {
        let field = self.see(css).await;
        field.send_keys(text).await.expect(css);
    }

    /// Puts a text in place of what stands in the field of this name.
    pub(crate) async fn fill(&self, name: &str, text: &str) {
        let field = self.named(name).await;
        field.clear().await.expect(name);
        field.send_keys(text).await.expect(name);
    }

    pub(crate) async fn choose(&self, name: &str, value: &str) {
        let field = self.named(name).await;
        field.choose(value).await.expect(name);
    }

    pub(crate) async fn choose_in(&self, css: &str, value: &str) {
        let field = self.see(css).await;
        field.choose(value).await.expect(css);
    }

    /// The text of an element as it is seen; nothing where there is no such element.
    pub(crate) async fn text(&self, css: &str) -> String {
        match self.session.find(By::Css(css)).await {
            Ok(element) => element.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// The texts of all elements.
    pub(crate) async fn texts(&self, css: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText.trim());";
        let found = self.run(script, vec![json!(css)]).await;
        serde_json::from_value(found).expect("texts")
    }

    /// Waits until the element shows this text.
    pub(crate) async fn reads(&self, css: &str, text: &str) {
        let started = Instant::now();
        loop {
            let shown = self.text(css).await;
            if shown.contains(text) {
                return;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "{css} never reads {text:?}: {shown:?}\n{}",
                self.text("body").await
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until a condition in the page holds.
    pub(crate) async fn until(&self, what: &str, condition: &str) {
        let started = Instant::now();
        while self
            .run(&format!("return Boolean({condition});"), Vec::new())
            .await
            != json!(true)
        {
            assert!(
                started.elapsed() < PATIENCE,
                "{what}: never\n{}",
                self.text("body").await
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    pub(crate) async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        let ran = self.session.run(script, arguments, false).await;
        ran.unwrap_or_else(|err| panic!("{script}: {err}"))
    }

    /// Runs a script that calls the function of its last argument with what it found.
    pub(crate) async fn run_long(&self, script: &str, arguments: Vec<Value>) -> Value {
        let ran = self.session.run(script, arguments, true).await;
        ran.unwrap_or_else(|err| panic!("{err}"))
    }

    /// What the browser complained of since the last time.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let logged = self.own("/se/log", json!({"type": "browser"})).await;
        let entries = logged.as_array().expect("a log").iter();
        let bad = entries.filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        bad.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Shows the page in this size, and in the dark or not.
    pub(crate) async fn look_as(&self, (width, height): (u32, u32), dark: bool) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await;
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", media).await;
    }

    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        self.own("/goog/cdp/execute", body).await
    }

    async fn own(&self, path: &'static str, body: Value) -> Value {
        let answer = self.session.post(path, body).await;
        answer.unwrap_or_else(|err| panic!("{path}: {err}"))
    }

    /// Drags one element to another, as a hand does with a mouse.
    pub(crate) async fn drag(&self, from: &str, to: &str) {
        let [from, to] = [self.see(from).await, self.see(to).await].map(|one| one.reference());
        let at = |origin: Value| json!({"type": "pointerMove", "duration": 200, "origin": origin, "x": 0, "y": 0});
        let nudge =
            json!({"type": "pointerMove", "duration": 100, "origin": "pointer", "x": 0, "y": -6});
        let moves = [
            at(from),
            json!({"type": "pointerDown", "button": 0}),
            nudge.clone(),
            at(to),
            nudge,
            json!({"type": "pointerUp", "button": 0}),
        ];
        let hand = json!({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": moves});
        self.own("/actions", json!({"actions": [hand]})).await;
    }

    /// Keeps figures for people who want to read them.
    pub(crate) fn figures(&self, name: &str, figures: &Value) {
        if let Some(folder) = kept() {
            std::fs::write(folder.join(format!("{name}.json")), figures.to_string())
                .expect("write");
        }
    }

    /// Keeps a picture of the page for people who want to look at it.
    pub(crate) async fn picture(&self, name: &str) {
        let Some(folder) = kept() else {
            return;
        };
        let picture = self.session.get("/screenshot").await.expect("a picture");
        let picture = BASE64_STANDARD.decode(picture.as_str().unwrap_or_default());
        let picture = picture.expect("base64");
        std::fs::write(folder.join(format!("{name}.png")), picture).expect("write");
    }
}
