//! The log of podman and buildah, and the containers that it names: nothing else tells which ones a build makes.

use super::EngineError;
use super::child;
use super::docker::asked;

/// Whether a line is not meant for the user of the builder.
pub(super) fn is_log(line: &str) -> bool {
    line.starts_with("time=\"")
        && [" level=debug ", " level=info "]
            .iter()
            .any(|level| line.contains(level))
}

/// What a builder said, without its log.
pub(super) fn without_log(told: &[u8]) -> Vec<u8> {
    let lines = told.split_inclusive(|byte| *byte == b'\n');
    let kept = lines.filter(|line| !is_log(&String::from_utf8_lossy(line)));
    kept.collect::<Vec<_>>().concat()
}

/// The containers that steps of a build run in. One that is stopped leaves the last of them behind.
pub(super) struct Working {
    program: &'static str,
    /// Those that were there before: what a step prints must not pass for ours.
    others: String,
    ours: Vec<String>,
}

impl Working {
    /// To be asked before the build.
    pub(super) fn new(program: &'static str) -> Result<Self, EngineError> {
        let all: &[&str] = match program {
            "podman" => &["ps", "--all", "--external", "--quiet", "--no-trunc"],
            _ => &["containers", "--quiet", "--notruncate"],
        };
        let others = asked(program, all)?;
        Ok(Self {
            program,
            others: String::from_utf8_lossy(&others).into_owned(),
            ours: Vec::new(),
        })
    }

    /// Reads a line of the log.
    pub(super) fn line(&mut self, line: &str) {
        let id = line.split_once("msg=\"Container ID: ");
        let Some((id, _)) = id.and_then(|(_, rest)| rest.split_once('"')) else {
            return;
        };
        let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id && !self.others.contains(id) {
            self.ours.push(id.to_owned());
        }
    }

    /// Removes those that the log named.
    pub(super) fn remove(&self) {
        for id in &self.ours {
            let args: &[&str] = match self.program {
                "podman" => &["rm", "--force", id],
                _ => &["rm", id],
            };
            child::clean(self.program, args);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_of_others_are_none_of_ours() {
        let (theirs, ours) = ("a".repeat(64), "b".repeat(64));
        let mut working = Working {
            program: "podman",
            others: format!("{theirs}\n"),
            ours: Vec::new(),
        };
        let told = |id: &str| {
            format!("time=\"2026-01-01T00:00:00Z\" level=debug msg=\"Container ID: {id}\"")
        };
        for id in [theirs.as_str(), &ours, "--all", ""] {
            working.line(&told(id));
        }
        assert_eq!(working.ours, [ours]);
    }

    #[test]
    fn the_log_is_not_for_users() {
        let told = b"time=\"x\" level=debug msg=\"a\"\nSTEP 1/1: FROM a\ntime=\"x\" level=error msg=\"b\"\n";
        let kept = without_log(told);
        assert_eq!(
            String::from_utf8(kept).unwrap(),
            "STEP 1/1: FROM a\ntime=\"x\" level=error msg=\"b\"\n"
        );
    }
}
