//! A real Chromium, driven by the chromedriver that `./tests/run` names: a driver and a profile of its own for each test,
//! gone when the value is dropped, also by a panic. Everything is waited for with a deadline.

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Where `./tests/run` says its chromedriver is.
const DRIVER: &str = "PORTREEVE_TEST_CHROMEDRIVER";

/// How long anything may take before a test gives up on it: long, because the machine may be busy with other tests.
const DEADLINE: Duration = Duration::from_secs(60);

/// At most so many browsers at once: more would only slow one another down.
static SEATS: Semaphore = Semaphore::const_new(2);

/// The pipe instead of a port is how Chromium notices that its driver has been killed, and goes too.
const ARGUMENTS: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--window-size=1280,800",
    "--remote-debugging-pipe",
];

/// A browser with one window.
pub struct Chromium {
    /// What commands go through.
    pub client: Client,
    driver: Child,
    browser: Option<u64>,
    _profile: TempDir,
    _seat: SemaphorePermit<'static>,
}

/// Whether pages may run scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JavaScript {
    /// As usual.
    On,
    /// The person switched it off.
    Off,
}

impl Chromium {
    /// A fresh browser.
    pub async fn start(javascript: JavaScript) -> Self {
        let seat = SEATS.acquire().await.expect("a seat");
        let driver = std::env::var(DRIVER).unwrap_or_else(|_| {
            panic!("{DRIVER} is not set: run ./tests/run, which finds or installs one (./tests/run NAME for one test)")
        });
        let profile = tempfile::Builder::new().prefix("portreeve-test-browser-").tempdir().expect("a folder");
        let (mut driver, port) = driver_on_a_port(&driver, profile.path());
        let url = format!("http://127.0.0.1:{port}");
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        builder.capabilities(capabilities(profile.path(), javascript));
        let session = tokio::time::timeout(DEADLINE, builder.connect(&url));
        let client = match session.await.expect("Chromium starts in time") {
            Ok(client) => client,
            Err(error) => {
                let _ = driver.kill();
                panic!("Chromium did not start: {error}");
            }
        };
        let browser = client.capabilities().and_then(|found| found.get("goog:processID")?.as_u64());
        Self { client, driver, browser, _profile: profile, _seat: seat }
    }

    /// Opens an address, as if it was typed.
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// The element with this id, as soon as the page has it.
    pub async fn find(&self, id: &str) -> Element {
        let found = self.until(id, async || self.client.find(Locator::Id(id)).await.ok()).await;
        found.expect("found")
    }

    /// Whether the page that is shown has an element with this id.
    pub async fn has(&self, id: &str) -> bool {
        self.client.find(Locator::Id(id)).await.is_ok()
    }

    /// The text that a person reads in the element with this id.
    pub async fn text(&self, id: &str) -> String {
        self.find(id).await.text().await.expect("a text")
    }

    /// Types into the field with this id, in place of what is in it.
    pub async fn fill(&self, id: &str, text: &str) {
        let field = self.find(id).await;
        field.clear().await.expect("a field");
        field.send_keys(text).await.expect("a field");
    }

    /// Presses the element with this id.
    pub async fn press(&self, id: &str) {
        self.find(id).await.click().await.unwrap_or_else(|error| panic!("{id}: {error}"));
    }

    /// Presses the element with this id, which leads to another page, and waits until that is there.
    pub async fn follow(&self, id: &str) {
        let here = self.find(id).await;
        here.click().await.unwrap_or_else(|error| panic!("{id}: {error}"));
        self.until("another page", async || here.is_displayed().await.is_err().then_some(())).await;
    }

    /// Presses and lets go of keys one after another, wherever the focus is.
    pub async fn type_keys(&self, keys: impl IntoIterator<Item = char>) {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for value in keys {
            actions = actions.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.client.perform_actions(actions).await.expect("a keyboard");
    }

    /// The id of what has the focus; empty without one.
    pub async fn focused(&self) -> String {
        self.read("return document.activeElement?.id ?? ''").await.as_str().unwrap_or_default().to_owned()
    }

    /// What a script says of the page that is shown.
    pub async fn read(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until a script says yes.
    pub async fn wait_until(&self, script: &str) {
        self.until(script, async || {
            let said = self.client.execute(script, vec![]).await;
            said.is_ok_and(|said| said == Value::Bool(true)).then_some(())
        })
        .await;
    }

    /// The address that is shown.
    pub async fn address(&self) -> url::Url {
        self.client.current_url().await.expect("an address")
    }

    /// Waits until the address begins like this, and yields it.
    pub async fn arrive_at(&self, beginning: &str) -> url::Url {
        let arrived = self.until(beginning, async || {
            self.client.current_url().await.ok().filter(|url| url.as_str().starts_with(beginning))
        });
        arrived.await.expect("arrived")
    }

    /// The back button.
    pub async fn back(&self) {
        self.client.back().await.expect("there is a page before this one");
    }

    /// A command of the Chrome DevTools Protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({"cmd": command, "params": parameters}).to_string();
        let answer = self.client.issue_cmd(DevTools(body)).await;
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// A window of this size, as a phone's when it is narrow.
    pub async fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// What the person's system says of `prefers-color-scheme`; colours change at once, because it asks for no motion.
    pub async fn prefer(&self, scheme: &str) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    /// Polls until there is something, or panics with where the browser stands.
    async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> Option<T> {
        let looking = async {
            loop {
                match look().await {
                    Some(found) => return found,
                    None => tokio::time::sleep(Duration::from_millis(40)).await,
                }
            }
        };
        match tokio::time::timeout(DEADLINE, looking).await {
            Ok(found) => Some(found),
            Err(_) => {
                let (url, page) = (self.client.current_url().await, self.client.source().await);
                panic!("waited in vain for {what}, at {}:\n{}", told(url), told(page));
            }
        }
    }
}

fn told<T: std::fmt::Display>(what: Result<T, CmdError>) -> String {
    what.map_or_else(|error| error.to_string(), |what| what.to_string())
}

impl Drop for Chromium {
    /// The driver first: its browser follows when the pipe breaks. One that does not is killed, so that the profile's folder
    /// can go.
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let Some(browser) = self.browser else { return };
        let lives = || std::fs::read(format!("/proc/{browser}/cmdline")).is_ok_and(|line| !line.is_empty());
        for _ in 0..200 {
            if !lives() {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        let _ = Command::new("kill").args(["-KILL", &browser.to_string()]).status();
    }
}

/// A driver, and its port. It takes a free one of IPv4 and gives up when that is taken on IPv6: then another may do better.
fn driver_on_a_port(program: &str, home: &Path) -> (Child, u16) {
    for _ in 0..5 {
        let mut driver = Command::new(program)
            .arg("--port=0")
            .env("HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        if let Some(port) = port_of(&mut driver) {
            return (driver, port);
        }
        let _ = driver.kill();
        let _ = driver.wait();
    }
    panic!("chromedriver did not say which port it listens on");
}

/// The port that the driver says it listens on; none when it ends before it says so. What else it says is read and dropped.
fn port_of(driver: &mut Child) -> Option<u16> {
    let lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
    let (found, port) = mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let said =
                line.split_once(" on port ").map(|(_, rest)| rest.trim_end_matches('.').parse::<u16>());
            if let Some(Ok(port)) = said.filter(|_| line.contains("started successfully")) {
                let _ = found.send(port);
            }
        }
    });
    port.recv_timeout(DEADLINE).ok()
}

fn capabilities(profile: &Path, javascript: JavaScript) -> serde_json::Map<String, Value> {
    let mut arguments: Vec<String> = ARGUMENTS.map(str::to_owned).into();
    arguments.push(format!("--user-data-dir={}", profile.join("profile").display()));
    let preferences = match javascript {
        JavaScript::On => json!({}),
        JavaScript::Off => json!({"profile.managed_default_content_settings.javascript": 2}),
    };
    let options = json!({"args": arguments, "prefs": preferences});
    let Value::Object(capabilities) = json!({"goog:chromeOptions": options}) else { unreachable!() };
    capabilities
}

/// A command that WebDriver does not have.
#[derive(Debug)]
struct DevTools(String);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (axum::http::Method, Option<String>) {
        (axum::http::Method::POST, Some(self.0.clone()))
    }
}
