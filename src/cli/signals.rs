//! The signals that a server obeys. They are heard from the very beginning: until somebody listens, the system's own answer to
//! each is to kill the process, also one that is only starting.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals of one process.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens to what ends a server.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits until the server is to stop.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Listens to what asks for the configuration to be read again.
pub fn reload() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}
