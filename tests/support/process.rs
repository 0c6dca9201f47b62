//! The program as a process of its own: `portreeve serve` on free ports, which a test kills, drains and starts again.

use crate::support::clock::ManualClock;
use crate::support::configuration::TestConfiguration;
use crate::support::server::{Answer, TestServer, encode};
use axum::http::StatusCode;
use portreeve::http::app::Mode;
use portreeve::model::clock::{Clock as _, SystemClock};
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// A running server; killed when this is dropped.
pub struct Process {
    child: Child,
    log: Arc<Mutex<String>>,
    client: reqwest::Client,
    /// Where it serves everybody.
    pub address: SocketAddr,
    /// Where it serves operators.
    pub operations: SocketAddr,
}

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);

impl Process {
    /// Starts a server under a configuration, on ports that are free now; it may not be ready yet.
    pub fn start(configuration: &TestConfiguration) -> Self {
        Self::start_with(configuration, &[])
    }

    /// Starts a server with more in its environment, which is empty otherwise.
    pub fn start_with(configuration: &TestConfiguration, environment: &[(&str, &str)]) -> Self {
        let mut process = Self::start_unread_with(configuration, environment);
        keep(process.child.stdout.take().expect("an output"), process.log.clone());
        keep(process.child.stderr.take().expect("an output"), process.log.clone());
        process
    }

    /// Starts a server whose output nobody reads.
    pub fn start_unread(configuration: &TestConfiguration) -> Self {
        Self::start_unread_with(configuration, &[])
    }

    fn start_unread_with(configuration: &TestConfiguration, environment: &[(&str, &str)]) -> Self {
        let (address, operations) = (free_address(), free_address());
        let child = Command::new(env!("CARGO_BIN_EXE_portreeve"))
            .arg("serve")
            .arg("--config")
            .arg(configuration.path())
            .env_clear()
            .env("PORTREEVE_LISTEN__ADDRESS", address.to_string())
            .env("PORTREEVE_OPERATIONS__ADDRESS", operations.to_string())
            .envs(environment.iter().copied())
            .current_dir(configuration.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let log = Arc::<Mutex<String>>::default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .no_proxy()
            .build()
            .expect("a client");
        Self { child, log, client, address, operations }
    }

    /// Starts a server and waits until it says that it is ready.
    pub async fn ready(configuration: &TestConfiguration) -> Self {
        let mut process = Self::start(configuration);
        process.until_ready().await;
        process
    }

    /// Waits until it says that it is ready.
    pub async fn until_ready(&mut self) {
        let waiting = async {
            while self.readiness().await != Some(StatusCode::OK) {
                let ended = self.child.try_wait().expect("a state");
                assert!(ended.is_none(), "the server ended ({ended:?}):\n{}", self.log());
                sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(PATIENCE, waiting).await.is_err() {
            panic!("the server is not ready:\n{}", self.log());
        }
    }

    /// The status of its readiness, or nothing while it does not answer.
    pub async fn readiness(&self) -> Option<StatusCode> {
        let url = format!("http://{}/health/ready", self.operations);
        let request = self.client.get(url).timeout(Duration::from_secs(3));
        request.send().await.ok().map(|answer| answer.status())
    }

    /// Everything it printed until now.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it has printed `text`.
    pub async fn until_logged(&self, text: &str) {
        eventually(text, async || self.log().contains(text)).await;
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a lost machine would.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Sends a signal, by its name.
    pub fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &command]).status().expect("a shell").success());
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut ended = None;
        eventually("the server ends", async || {
            ended = self.child.try_wait().expect("a state");
            ended.is_some()
        })
        .await;
        ended.expect("a status")
    }

    /// GETs a path; nothing when there was no whole answer.
    pub async fn get(&self, path: &str) -> Option<Answer> {
        whole(self.client.get(format!("http://{}{path}", self.address))).await
    }

    /// GETs a path with these cookies; nothing when there was no whole answer.
    pub async fn get_with(&self, path: &str, cookies: &str) -> Option<Answer> {
        whole(self.client.get(format!("http://{}{path}", self.address)).header("cookie", cookies)).await
    }

    /// GETs a path of the operators' listener.
    pub async fn get_operations(&self, path: &str) -> Option<Answer> {
        whole(self.client.get(format!("http://{}{path}", self.operations))).await
    }

    /// POSTs a form; nothing when there was no whole answer.
    pub async fn post(
        &self,
        path: &str,
        authorization: Option<&str>,
        parameters: &[(&str, &str)],
    ) -> Option<Answer> {
        let request = self
            .client
            .post(format!("http://{}{path}", self.address))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(encode(parameters));
        whole(match authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        })
        .await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until a condition holds; it has to within [`PATIENCE`].
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(timeout(PATIENCE, waiting).await.is_ok(), "in vain: {what}");
}

async fn whole(request: reqwest::RequestBuilder) -> Option<Answer> {
    let answer = request.send().await.ok()?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    Some(Answer { status, headers, body: answer.text().await.ok()? })
}

fn keep(output: impl std::io::Read + Send + 'static, log: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push_str(&line);
            log.push('\n');
        }
    });
}

/// An address of the loopback that nobody listens on now.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

/// A server in memory beside the processes, at their time: it prepares what they are asked for, and judges what they left.
pub async fn beside(configuration: &Arc<TestConfiguration>) -> TestServer {
    let clock = ManualClock::new();
    clock.set(SystemClock.now());
    TestServer::compose(configuration.clone(), clock, Mode::Serve).await
}
