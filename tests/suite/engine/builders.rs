//! buildah and podman: their verdicts are those of docker, and they leave nothing behind.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::verify::{PAIRS, wrong};
use super::{docker, engine};
use crate::cli::sandbox::{Ran, Sandbox};

/// Pairs that need no container, and nothing but what builders of every kind know.
const FOR_ALL: &[&str] = &[
    "joined steps",
    "a file is lost",
    "a mode, an owner, a link",
    "the other one does not build",
];
/// Pairs that are run, too.
const FOR_PODMAN: &[&str] = &["the same answer", "it no longer starts"];

#[test]
fn buildah_finds_the_same_and_leaves_nothing() {
    finds_the_same_and_leaves_nothing("buildah", FOR_ALL);
}

#[test]
fn podman_finds_the_same_and_leaves_nothing() {
    finds_the_same_and_leaves_nothing("podman", &[FOR_ALL, FOR_PODMAN].concat());
}

fn finds_the_same_and_leaves_nothing(program: &'static str, names: &[&str]) {
    let Some(store) = engine().and_then(|_| Store::with(program, "debian:bookworm-slim")) else {
        return;
    };
    let pairs = PAIRS.iter().filter(|pair| names.contains(&pair.name));
    assert_eq!(pairs.clone().count(), names.len());
    let wrong: Vec<String> = pairs
        .filter_map(|pair| wrong(pair, program, &store.settings()))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    store.holds_nothing_of_ours();
    interrupt(&store);
    store.holds_nothing_of_ours();
}

/// Stops a build in the midst of a step.
fn interrupt(store: &Store) {
    // No other process sleeps as long.
    let step = format!("sleep 300.{}", std::process::id());
    let sandbox = Sandbox::with(&[(
        "Dockerfile",
        &format!("FROM debian:bookworm-slim\nENV A b\nRUN {step}\n"),
    )]);
    let mut command = sandbox.command();
    command.envs(store.settings()).env_remove("DOCKER_CONFIG");
    command.args(["verify", &format!("--engine={}", store.program)]);
    command.stdin(Stdio::null());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = command.spawn().unwrap();
    let sleeps = || {
        let mut search = Command::new("pgrep");
        let found = search.args(["-f", &format!("^{step}")]).output();
        !found.unwrap().stdout.is_empty()
    };
    assert!(within_a_minute(&sleeps), "the step does not start");
    let mut kill = Command::new("kill");
    let killed = kill.args(["-INT", &run.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let ran = Ran::new(run.wait_with_output().unwrap()).ended(2);
    assert!(ran.err.contains("interrupted"), "{ran:#?}");
    assert!(within_a_minute(&|| !sleeps()), "the step goes on");
}

fn within_a_minute(holds: &dyn Fn() -> bool) -> bool {
    (0..600).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        holds()
    })
}

/// A store of images for one of them alone.
struct Store {
    program: &'static str,
    folder: tempfile::TempDir,
}

impl Store {
    /// With the Docker engine's image of that name; `None`, with a message, where the program is not installed.
    fn with(program: &'static str, image: &str) -> Option<Self> {
        if Command::new(program).arg("--version").output().is_err() {
            println!("skipped: {program} is not installed");
            return None;
        }
        let store = Self {
            program,
            folder: tempfile::tempdir().unwrap(),
        };
        let archive = store.path("image.tar");
        let saved = docker(&["save", "--output", &archive, image]);
        assert!(saved.status.success());
        // Not every file system can be the lower one of an overlay.
        let holds = ["overlay", "vfs"].iter().any(|driver| {
            store.set_up(driver);
            let from = format!("docker-archive:{archive}");
            let pulled = store.command().args(["pull", "--quiet", &from]).output();
            pulled.unwrap().status.success()
        });
        assert!(holds, "{program} takes no image");
        Some(store)
    }

    fn set_up(&self, driver: &str) {
        let (run, graph) = (self.path("run"), self.path(driver));
        let text =
            format!("[storage]\ndriver = '{driver}'\nrunroot = '{run}'\ngraphroot = '{graph}'\n");
        std::fs::write(self.path("storage.conf"), text).unwrap();
        // Limits above those of this process, and a manager of processes, need not be had here.
        let text = "[containers]\ndefault_ulimits = []\n\
                    [engine]\ncgroup_manager = 'cgroupfs'\nevents_logger = 'file'\nruntime = 'runc'\n";
        std::fs::write(self.path("containers.conf"), text).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("CONTAINERS_STORAGE_CONF", self.path("storage.conf")),
            ("CONTAINERS_CONF", self.path("containers.conf")),
            ("BUILDAH_ISOLATION", "chroot".to_owned()),
        ]
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.envs(self.settings()).env_remove("DOCKER_CONFIG");
        command
    }

    fn said(&self, args: &[&str]) -> String {
        let output = self.command().args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn holds_nothing_of_ours(&self) {
        let (images, containers): (&[&str], &[&str]) = match self.program {
            "podman" => (
                &["images", "--format={{.Repository}}"],
                &["ps", "--all", "--quiet", "--external"],
            ),
            _ => (
                &["images", "--format={{.Name}}"],
                &["containers", "--quiet"],
            ),
        };
        let left = self.said(images);
        assert!(!left.contains("dockeropt-"), "{left}");
        assert_eq!(self.said(containers), "", "a container is left");
    }
}
