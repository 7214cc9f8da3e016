//! dockeropt in a terminal: one of tmux, with a server of its own.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::sandbox::Sandbox;

/// What is waited for comes within that time, or not at all.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal in a sandbox. Dropped, it is closed.
pub(super) struct Terminal {
    socket: PathBuf,
}

impl Terminal {
    /// dockeropt with these words, of a shell, in a terminal; `None` where tmux is not installed. At its end, its status
    /// is on the screen: `status 0`.
    pub(super) fn start(sandbox: &Sandbox, words: &str) -> Option<Self> {
        Self::with(sandbox, "", words)
    }

    /// The same with variables, as a shell sets them.
    pub(super) fn with(sandbox: &Sandbox, variables: &str, words: &str) -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            eprintln!("skipped: `tmux` is not installed");
            return None;
        }
        let terminal = Self {
            socket: sandbox.path("tmux.socket"),
        };
        let program = env!("CARGO_BIN_EXE_dockeropt");
        let line = format!("{variables} '{program}' {words}; echo status $?; exec sleep 600");
        let folder = sandbox.path("");
        let folder = folder.to_str().unwrap();
        let size = ["-x", "110", "-y", "60"];
        let start = ["-f", "/dev/null", "new-session", "-d", "-c", folder];
        let ran = terminal.tmux(&[&start[..], &size, &["sh", "-c", &line]].concat());
        assert!(ran.status.success(), "{ran:?}");
        Some(terminal)
    }

    /// Types these keys, as tmux calls them.
    pub(super) fn keys(&self, keys: &[&str]) {
        let ran = self.tmux(&[&["send-keys"], keys].concat());
        assert!(ran.status.success(), "{ran:?}");
    }

    /// The screen, as soon as it holds `text` so many times.
    #[track_caller]
    pub(super) fn shows(&self, text: &str, times: usize) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen(&[]);
            if screen.matches(text).count() >= times {
                return screen;
            }
            assert!(start.elapsed() < PATIENCE, "no {text:?} in\n{screen}");
            sleep(Duration::from_millis(50));
        }
    }

    /// The screen with its colours.
    pub(super) fn coloured(&self) -> String {
        self.screen(&["-e"])
    }

    fn screen(&self, args: &[&str]) -> String {
        let all = [&["capture-pane", "-p", "-J", "-S", "-"], args].concat();
        let ran = self.tmux(&all);
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }

    fn tmux(&self, args: &[&str]) -> Output {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(&self.socket).args(args);
        for name in [
            "NO_COLOR",
            "CLICOLOR",
            "CLICOLOR_FORCE",
            "TMUX",
            "VISUAL",
            "EDITOR",
        ] {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C.UTF-8").output().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}
