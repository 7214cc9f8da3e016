//! The engine's own program as a child process: what it prints, how it ends, and how it is stopped.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::EngineError;

/// As long may a group of processes take to end.
const GRACE: Duration = Duration::from_secs(3);

/// Whether the user wants everything to stop.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// So often is looked whether the user wants to stop, or the time is up.
const TICK: Duration = Duration::from_millis(50);

/// Makes every child process stop, now and from now on. For a signal handler.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::SeqCst);
}

/// How a child ended.
pub(super) struct Ended {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    /// `None` where a signal ended it.
    pub(super) status: Option<i32>,
}

impl Ended {
    pub(super) fn succeeded(&self) -> bool {
        self.status == Some(0)
    }

    /// What it said on standard error, else on standard output, without blanks around.
    pub(super) fn said(&self) -> String {
        let errors = String::from_utf8_lossy(&self.stderr);
        match errors.trim() {
            "" => String::from_utf8_lossy(&self.stdout).trim().to_owned(),
            errors => errors.to_owned(),
        }
    }
}

/// Why a child could not be run to its end.
pub(super) enum Stopped {
    /// There is no such program.
    Missing,
    /// Anything else, in words.
    Failed(String),
    /// The user stopped it.
    Interrupted,
}

impl Stopped {
    pub(super) fn of(program: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Failed(format!("`{program}` does not run: {error}")),
        }
    }

    /// The same as an error of the engine whose program is `program`.
    pub(super) fn error(self, program: &'static str) -> EngineError {
        match self {
            Self::Missing => EngineError::NotInstalled(program),
            Self::Failed(why) => EngineError::Failed(why),
            Self::Interrupted => EngineError::Interrupted,
        }
    }
}

/// Runs a program to its end. Each line of its standard error goes to `line`; after `limit` it is killed.
pub(super) fn run(
    program: &str,
    args: &[&str],
    limit: Option<Duration>,
    line: &mut dyn FnMut(&str),
) -> Result<Ended, Stopped> {
    watch(spawn(program, args, false)?, limit, line)
}

/// The same for a program that starts others and tidies up when it is told to end: they all are told, and have
/// [`GRACE`] for it.
pub(super) fn run_group(
    program: &str,
    args: &[&str],
    line: &mut dyn FnMut(&str),
) -> Result<Ended, Stopped> {
    watch(spawn(program, args, true)?, None, line)
}

fn watch(
    mut child: Guard,
    limit: Option<Duration>,
    line: &mut dyn FnMut(&str),
) -> Result<Ended, Stopped> {
    let (sender, receiver) = mpsc::channel();
    let stderr = child.child.stderr.take().map(BufReader::new);
    let errors = thread::spawn(move || {
        let mut all = Vec::new();
        let mut stderr = stderr;
        while let Some(line) = stderr.as_mut().and_then(next_line) {
            all.extend_from_slice(&line);
            // The other end hangs up only when nobody listens any more.
            let _ = sender.send(line);
        }
        all
    });
    let stdout = child.child.stdout.take();
    let output = thread::spawn(move || {
        let mut all = Vec::new();
        if let Some(mut stdout) = stdout {
            let _ = stdout.read_to_end(&mut all);
        }
        all
    });
    let start = Instant::now();
    loop {
        match receiver.recv_timeout(TICK) {
            Ok(bytes) => line(String::from_utf8_lossy(&bytes).trim_end()),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if INTERRUPTED.load(Ordering::SeqCst) {
            drop(child);
            // What it said until then may tell what it leaves behind.
            while let Ok(bytes) = receiver.recv_timeout(TICK) {
                line(String::from_utf8_lossy(&bytes).trim_end());
            }
            return Err(Stopped::Interrupted);
        }
        if limit.is_some_and(|limit| start.elapsed() > limit) {
            let seconds = limit.unwrap_or_default().as_secs();
            return Err(Stopped::Failed(format!("it did not end in {seconds} s")));
        }
    }
    let status = child.child.wait();
    if INTERRUPTED.load(Ordering::SeqCst) {
        return Err(Stopped::Interrupted);
    }
    Ok(Ended {
        stdout: output.join().unwrap_or_default(),
        stderr: errors.join().unwrap_or_default(),
        status: status.ok().and_then(|status| status.code()),
    })
}

/// The same for a program of which nobody reads along.
pub(super) fn ask(program: &str, args: &[&str]) -> Result<Ended, Stopped> {
    run(program, args, None, &mut |_| {})
}

/// Removes something even where the user wants to stop: nothing of ours stays behind. Nobody is told of a failure.
pub(super) fn clean(program: &str, args: &[&str]) {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
}

/// The standard output of a program as a reader; a program that fails is an error at the end.
pub(super) fn stream(program: &str, args: &[&str]) -> Result<Stream, Stopped> {
    let mut child = spawn(program, args, false)?;
    let stderr = child.child.stderr.take();
    let errors = thread::spawn(move || {
        let mut all = String::new();
        if let Some(mut stderr) = stderr {
            let _ = stderr.read_to_string(&mut all);
        }
        all
    });
    Ok(Stream {
        child,
        errors: Some(errors),
    })
}

/// What a program prints while it runs. Dropped, it ends the program.
pub(super) struct Stream {
    child: Guard,
    errors: Option<thread::JoinHandle<String>>,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if INTERRUPTED.load(Ordering::SeqCst) {
            return Err(io::Error::other("interrupted"));
        }
        let stdout = self.child.child.stdout.as_mut();
        let read = stdout.map_or(Ok(0), |stdout| stdout.read(buffer))?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        let status = self.child.child.wait()?;
        let said = self.errors.take().map(thread::JoinHandle::join);
        match status.success() {
            true => Ok(0),
            false => {
                let said = said.and_then(Result::ok).unwrap_or_default();
                Err(io::Error::other(said.trim().to_owned()))
            }
        }
    }
}

/// A child that does not outlive this.
struct Guard {
    child: Child,
    /// Whether the child leads a group of processes, which end with it.
    leads: bool,
}

impl Guard {
    /// Tells the group to end, and waits as long as it may take.
    #[cfg(unix)]
    fn end_group(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let group = Pid::from_child(&self.child);
        let _ = kill_process_group(group, Signal::TERM);
        let start = Instant::now();
        while start.elapsed() < GRACE && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(TICK);
        }
        // The child may be gone and others not.
        let _ = kill_process_group(group, Signal::KILL);
    }

    #[cfg(not(unix))]
    fn end_group(&mut self) {}
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        if self.leads {
            self.end_group();
        }
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Starts a program, which leads a group of processes of its own where `leads` says so.
fn spawn(program: &str, args: &[&str], leads: bool) -> Result<Guard, Stopped> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    #[cfg(unix)]
    if leads {
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
    }
    // What `--metadata-file` of buildx is to hold: nothing else asks for it.
    command.env("BUILDX_METADATA_PROVENANCE", "max");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command
        .spawn()
        .map_err(|error| Stopped::of(program, &error))?;
    Ok(Guard { child, leads })
}

/// The next line with its end; none at the end, or where reading fails.
fn next_line(reader: &mut BufReader<impl Read>) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let read = reader.read_until(b'\n', &mut line).unwrap_or(0);
    (read > 0).then_some(line)
}
