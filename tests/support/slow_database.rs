//! A line between a server and its PostgreSQL that a test slows down, cuts or lets fall silent. Beside it the test itself keeps
//! the straight way to the database.

use crate::support::database::TestDatabase;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

/// How the line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Every message takes this long.
    Open(Duration),
    /// Every connection ends, and new ones end at once.
    Cut,
    /// Connections stand, and nothing comes through.
    Silent,
}

/// The line now, and how often it was cut: a connection does not outlive a cut, however short.
type State = (Line, u64);

/// The line; gone when this is dropped.
pub struct SlowDatabase {
    url: String,
    line: watch::Sender<State>,
    ports: Arc<Mutex<BTreeSet<u16>>>,
    task: JoinHandle<()>,
}

impl SlowDatabase {
    /// A line to a PostgreSQL on which every message takes `delay`.
    pub async fn new(database: &TestDatabase, delay: Duration) -> Self {
        Self::before(database.url(), delay).await
    }

    /// A line to whatever `url` names.
    pub async fn before(url: &str, delay: Duration) -> Self {
        let mut url = Url::parse(url).expect("a URL");
        let port = url.port().unwrap_or(5432);
        let there = format!("{}:{port}", url.host_str().expect("a host"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        url.set_port(Some(listener.local_addr().expect("an address").port())).expect("a port");
        url.set_host(Some("127.0.0.1")).expect("a host");
        let (line, lines) = watch::channel((Line::Open(delay), 0));
        let ports = Arc::<Mutex<BTreeSet<u16>>>::default();
        let task = tokio::spawn(accept(listener, there, lines, ports.clone()));
        Self { url: url.into(), line, ports, task }
    }

    /// The URL that leads over this line.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Changes the line, for open connections too.
    pub fn set(&self, line: Line) {
        self.line.send_modify(|(now, cuts)| {
            *now = line;
            *cuts += u64::from(line == Line::Cut);
        });
    }

    /// The ports that PostgreSQL knows the line's connections by (`client_port` in pg_stat_activity), as a list in SQL.
    pub fn ports(&self) -> String {
        let ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        // a list has to hold something
        ports.iter().map(u16::to_string).chain(["-2".to_owned()]).collect::<Vec<_>>().join(", ")
    }
}

impl Drop for SlowDatabase {
    fn drop(&mut self) {
        self.set(Line::Cut);
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    there: String,
    line: watch::Receiver<State>,
    ports: Arc<Mutex<BTreeSet<u16>>>,
) {
    while let Ok((near, _)) = listener.accept().await {
        let (now, cuts) = *line.borrow();
        if now == Line::Cut {
            continue;
        }
        let Ok(far) = TcpStream::connect(&there).await else { continue };
        // What is to be measured is our delay, not the kernel's.
        let _ = (near.set_nodelay(true), far.set_nodelay(true));
        if let Ok(address) = far.local_addr() {
            ports.lock().unwrap_or_else(PoisonError::into_inner).insert(address.port());
        }
        let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
        tokio::spawn(pump(near_in, far_out, (line.clone(), cuts), Direction::There));
        tokio::spawn(pump(far_in, near_out, (line.clone(), cuts), Direction::Back));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    There,
    Back,
}

/// Carries what comes, each piece late on its way there. Ending, it closes its half on either side.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    (mut line, born): (watch::Receiver<State>, u64),
    direction: Direction,
) {
    let mut cut = line.clone();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let came = tokio::select! {
            came = from.read(&mut piece) => came.unwrap_or(0),
            _ = cut.wait_for(|(_, cuts)| *cuts != born) => return,
        };
        if came == 0 {
            return;
        }
        let delay = loop {
            let (now, cuts) = *line.borrow_and_update();
            match now {
                _ if cuts != born => return,
                Line::Open(delay) => break delay,
                Line::Cut => return,
                Line::Silent => {
                    if line.changed().await.is_err() {
                        return;
                    }
                }
            }
        };
        if direction == Direction::There && !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&piece[..came]).await.is_err() {
            return;
        }
    }
}
