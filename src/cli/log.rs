//! The log of a server, on standard error. Whoever reads it may stop reading at any moment, so lines wait in a bounded queue
//! for a thread of their own; what finds the queue full is dropped and counted, and no request ever waits (F-34).

use crate::config::{Config, LogFormat};
use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// How many lines wait for the reader.
const WAITING: usize = 4096;
/// How long the reader may take for what still waits at the end.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A log that is written; dropped, it writes what waits, if somebody reads it.
pub struct Log {
    lines: Lines,
}

/// Starts the log. What other crates say is held to `info`: their traces may hold what passes through.
pub fn start(config: &Config) -> io::Result<Log> {
    let level = config.log.level.as_str();
    let others = if matches!(level, "trace" | "debug") { "info" } else { level };
    let filter = EnvFilter::new(format!("{others},sqlx=warn,portreeve={level}"));
    // Not by the handle of the library: it is locked while a reader stalls, and others want a word too.
    let lines = Lines::into(File::from(io::stderr().as_fd().try_clone_to_owned()?), WAITING)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(lines.clone());
    // A second start in one process keeps the first's.
    let _ = match config.log.format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    Ok(Log { lines })
}

impl Log {
    /// Tells how many lines were dropped since the last call, in a line.
    pub fn tell_of_dropped_lines(&self) {
        let dropped = self.lines.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(lines = dropped, "lines of the log were dropped: nobody read them in time");
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.lines.flush(LAST_WORDS);
    }
}

enum Message {
    Line(Vec<u8>),
    /// Everything before this is written.
    Written(SyncSender<()>),
}

/// The queue of lines; cheap to clone.
#[derive(Clone)]
struct Lines {
    queue: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

impl Lines {
    fn into(output: impl Write + Send + 'static, waiting: usize) -> io::Result<Self> {
        let (queue, lines) = sync_channel(waiting);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || write(output, &lines))?;
        Ok(Self { queue, dropped: Arc::default() })
    }

    fn flush(&self, patience: Duration) {
        let step = Duration::from_millis(5);
        let (written, all_written) = sync_channel(1);
        let mut word = Message::Written(written);
        let mut waited = Duration::ZERO;
        while waited < patience {
            match self.queue.try_send(word) {
                Ok(()) => {
                    let _ = all_written.recv_timeout(patience.saturating_sub(waited));
                    return;
                }
                Err(TrySendError::Full(back)) => word = back,
                Err(TrySendError::Disconnected(_)) => return,
            }
            // Nothing else is sent on this one: it only serves to wait.
            if all_written.recv_timeout(step) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
            waited += step;
        }
    }
}

/// An error of the output is nobody's: there is no other place to tell it.
fn write(mut output: impl Write, lines: &Receiver<Message>) {
    while let Ok(message) = lines.recv() {
        match message {
            Message::Line(line) => drop(output.write_all(&line)),
            Message::Written(told) => {
                let _ = output.flush();
                let _ = told.try_send(());
            }
        }
    }
}

impl Write for Lines {
    /// Takes a whole line, as the log hands it over.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.queue.try_send(Message::Line(line.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("portreeve_log_lines_dropped_total").increment(1);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panicked").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_waits_at_the_end_is_written() {
        let page = Page::default();
        let mut lines = Lines::into(page.clone(), 100).expect("a thread");
        for number in 0..50 {
            lines.write_all(format!("{number}\n").as_bytes()).expect("it takes everything");
        }
        Log { lines }.lines.flush(Duration::from_secs(10));
        let written = String::from_utf8(page.0.lock().expect("nobody panicked").clone()).expect("text");
        assert_eq!(written.lines().count(), 50);
        assert!(written.ends_with("49\n"));
    }

    #[test]
    fn what_nobody_reads_is_dropped_and_counted_and_holds_nobody_up() {
        // F-34: a pipe holds 64 KiB, then writing to it waits
        let (unread, pipe) = io::pipe().expect("a pipe");
        let mut lines = Lines::into(pipe, 16).expect("a thread");
        for _ in 0..1000 {
            lines.write_all(&[b'x'; 1024]).expect("it takes everything");
        }
        lines.flush(Duration::from_millis(20));
        let dropped = lines.dropped.load(Ordering::Relaxed);
        assert!((900..1000).contains(&dropped), "{dropped}");
        drop(unread);
    }
}
