//! The state in which a step runs: shell, user, working directory, variables, distribution.

use std::sync::Arc;

use rpds::RedBlackTreeMapSync;

use super::expand::{Lookup, NoValue, expand, expand_words};
use super::image::{Distribution, Facts, ImageRef};
use super::scope::{Scope, split_arg};
use crate::syntax::{Instruction, Keyword};

/// What the builder itself puts in PATH where the base does not (`system.DefaultPathEnvUnix`).
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The state before a step. Cheap to clone: what it holds is shared.
#[derive(Debug, Clone)]
pub struct State {
    variables: RedBlackTreeMapSync<Arc<str>, Variable>,
    /// Whether the base sets no variables besides the ones above.
    complete: bool,
    shell: Option<Arc<[String]>>,
    user: Option<Arc<str>>,
    workdir: Option<Arc<str>>,
    base: Arc<Facts>,
    windows: bool,
}

/// A variable of the build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its value, where it is known. An unknown one may also be unset, if it is an ARG.
    pub value: Option<Arc<str>>,
    /// What set it last.
    pub origin: Origin,
}

/// What set a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Origin {
    /// The base image.
    Base,
    Env,
    Arg,
}

impl State {
    /// The state in which a stage starts that is built on `image`.
    pub(super) fn of_image(image: &ImageRef) -> Self {
        let facts = image.facts();
        let mut state = Self::unknown();
        if let Some(family) = facts.family {
            for (name, value) in &family.env {
                state.set(name, Some(value.as_str().into()), Origin::Base);
            }
            state.complete = family.env_complete;
        }
        state.windows = facts.distribution == Some(Distribution::Windows);
        state.user = facts.user.as_deref().map(Arc::from);
        state.workdir = facts.workdir.as_deref().map(|workdir| match workdir {
            "" => "/".into(),
            _ => workdir.into(),
        });
        state.base = Arc::new(facts);
        state
    }

    /// The state in which a stage starts that is built on nothing.
    pub(super) fn scratch() -> Self {
        let mut state = Self::unknown();
        state.set("PATH", Some(DEFAULT_PATH.into()), Origin::Base);
        Self {
            complete: true,
            user: Some("".into()),
            workdir: Some("/".into()),
            base: Arc::new(Facts::scratch()),
            ..state
        }
    }

    /// The state of which nothing is known.
    pub(super) fn unknown() -> Self {
        Self {
            variables: RedBlackTreeMapSync::new_sync(),
            complete: false,
            shell: None,
            user: None,
            workdir: None,
            base: Arc::default(),
            windows: false,
        }
    }

    pub(super) fn set_platform(&mut self, platform: &str) {
        self.windows |= platform.starts_with("windows");
    }

    /// What `SHELL` set, here or in a stage that this one is built on; `None` for the base's own, which is
    /// `/bin/sh -c`, or `cmd /S /C` on Windows, unless the base image was built with another.
    pub fn shell(&self) -> Option<&[String]> {
        self.shell.as_deref()
    }

    /// The user, as USER or the base has it; empty for root where nobody named one.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Whether the user is root.
    pub fn is_root(&self) -> Option<bool> {
        let user = self.user()?;
        let name = user.split(':').next().unwrap_or(user);
        Some(matches!(name, "" | "root" | "0"))
    }

    /// The home of the user: HOME where it is set, else what the base says of its accounts.
    pub fn home(&self) -> Option<&str> {
        match self.variables.get("HOME") {
            Some(variable) => variable.value.as_deref(),
            None => self.base.home_of(self.user()?),
        }
    }

    /// The working directory, absolute and clean.
    pub fn workdir(&self) -> Option<&str> {
        self.workdir.as_deref()
    }

    /// What is certain of the image at the bottom of the stage.
    pub fn base(&self) -> &Facts {
        &self.base
    }

    /// The distribution.
    pub fn distribution(&self) -> Option<Distribution> {
        self.base.distribution
    }

    /// The distribution's release: Debian's by code name, all others by number.
    pub fn release(&self) -> Option<&str> {
        self.base.release.as_deref()
    }

    /// Whether the base is certainly one of Windows.
    pub fn is_windows(&self) -> bool {
        self.windows
    }

    /// What is known of a variable. ARG and ENV share one name space, and the later one wins.
    pub fn lookup(&self, name: &str) -> Lookup<'_> {
        match self.variables.get(name) {
            Some(Variable { value, .. }) => value.as_deref().map_or(Lookup::Unknown, Lookup::Set),
            None if self.complete => Lookup::Unset,
            None => Lookup::Unknown,
        }
    }

    /// The variable of that name, where the file or the table of images sets it.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.get(name)
    }

    /// The variables that are set, or may be, by name.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Variable)> {
        let all = self.variables.iter();
        all.map(|(name, variable)| (&**name, variable))
    }

    /// Whether no variable is set besides [`State::variables`].
    pub fn knows_all_variables(&self) -> bool {
        self.complete
    }

    /// Expands a word of an instruction as the builder does; `escape` is the file's escape character.
    ///
    /// # Errors
    /// [`NoValue`].
    pub fn expand(&self, word: &str, escape: u8) -> Result<String, NoValue> {
        expand(word, escape, &|name| self.lookup(name))
    }

    /// Expands a word that may become several (EXPOSE).
    ///
    /// # Errors
    /// [`NoValue`].
    pub fn expand_words(&self, word: &str, escape: u8) -> Result<Vec<String>, NoValue> {
        expand_words(word, escape, &|name| self.lookup(name))
    }

    /// `path` against the working directory, clean; `None` where that is not known.
    pub fn absolute(&self, path: &str) -> Option<String> {
        if path.starts_with('/') {
            return Some(clean(path));
        }
        Some(clean(&format!("{}/{path}", self.workdir()?)))
    }

    /// Changes the state as `instruction` does.
    pub(super) fn apply(&mut self, instruction: &Instruction, scope: &Scope<'_>) {
        match instruction.keyword {
            Keyword::Arg => self.apply_arg(instruction, scope),
            Keyword::Env => self.apply_env(instruction, scope),
            Keyword::User => self.user = self.only_word(instruction, scope).map(Arc::from),
            Keyword::Workdir => {
                let path = self.only_word(instruction, scope);
                let path = path.filter(|_| !self.windows);
                self.workdir = path.and_then(|path| self.absolute(&path)).map(Arc::from);
            }
            Keyword::Shell => {
                let words = instruction.words().iter().map(|word| word.text.clone());
                self.shell = Some(words.collect());
            }
            _ => {}
        }
    }

    fn only_word(&self, instruction: &Instruction, scope: &Scope<'_>) -> Option<String> {
        let word = instruction.words().first()?;
        self.value(&word.text, scope)
    }

    fn value(&self, word: &str, scope: &Scope<'_>) -> Option<String> {
        scope.expand(word, &|name| self.lookup(name))
    }

    /// All pairs of one ENV are expanded before the first is set.
    fn apply_env(&mut self, instruction: &Instruction, scope: &Scope<'_>) {
        let before = self.clone();
        for pair in instruction.pairs() {
            let value = before.value(&pair.value.text, scope).map(Arc::from);
            match before.value(&pair.key.text, scope) {
                Some(name) => self.set(&name, value, Origin::Env),
                None => self.forget_variables(),
            }
        }
    }

    /// A build argument goes first, then the default, then the global scope (BuildKit's `dispatchArg`).
    fn apply_arg(&mut self, instruction: &Instruction, scope: &Scope<'_>) {
        for word in instruction.words() {
            let (name, default) = split_arg(&word.text);
            let value = match (scope.input.build_args.get(name), default) {
                (Some(given), _) => Some(given.clone()),
                (None, Some(default)) => self.value(default, scope),
                (None, None) => match scope.global(name) {
                    Lookup::Set(value) => Some(value.to_owned()),
                    Lookup::Unset if scope.input.build_args_complete => continue,
                    Lookup::Unset | Lookup::Unknown => None,
                },
            };
            self.set(name, value.map(Arc::from), Origin::Arg);
        }
    }

    fn set(&mut self, name: &str, value: Option<Arc<str>>, origin: Origin) {
        let variable = Variable { value, origin };
        self.variables.insert_mut(name.into(), variable);
    }

    /// A variable was set of which not even the name is known.
    fn forget_variables(&mut self) {
        self.variables = RedBlackTreeMapSync::new_sync();
        self.complete = false;
    }
}

/// An absolute path as Go's `path.Clean` writes it.
pub(super) fn clean(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::with;
    use super::super::{Model, ModelInput};
    use super::*;

    /// The state at the end of the last stage.
    fn end_with(text: &str, input: &ModelInput) -> State {
        with(text, input, |model: &Model<'_>| {
            model.stages.last().unwrap().end.clone()
        })
    }

    fn end(text: &str) -> State {
        end_with(text, &ModelInput::default())
    }

    fn complete() -> ModelInput {
        ModelInput {
            build_args_complete: true,
            ..ModelInput::default()
        }
    }

    #[test]
    fn variables() {
        let state =
            end("FROM scratch\nENV A=1 B=\"$A x\"\nENV A=2 C=$A D='$A' E=a\\ b\nENV F v  $A\n");
        let expected = [
            ("A", "2"),
            ("B", " x"),
            ("C", "1"),
            ("D", "$A"),
            ("E", "a b"),
            ("F", "v  2"),
        ];
        for (name, value) in expected {
            assert_eq!(state.lookup(name), Lookup::Set(value), "{name}");
        }
        assert_eq!(state.lookup("PATH"), Lookup::Set(DEFAULT_PATH));
        assert_eq!(state.lookup("X"), Lookup::Unset);
        assert!(state.knows_all_variables());
    }

    #[test]
    fn what_the_base_sets() {
        let state = end("FROM golang:1.20\nENV P=$GOPATH/x Q=$GOTOOLCHAIN\n");
        assert_eq!(state.lookup("P"), Lookup::Set("/go/x"));
        assert_eq!(state.lookup("Q"), Lookup::Unknown);
        assert_eq!(state.workdir(), Some("/go"));
        assert_eq!(state.variable("GOPATH").unwrap().origin, Origin::Base);
        let debian = end("FROM debian:12\nENV HERE=$HOME\n");
        assert_eq!(debian.lookup("HERE"), Lookup::Set(""));
        assert_eq!(debian.distribution(), Some(Distribution::Debian));
        assert_eq!(debian.release(), Some("bookworm"));
        let private = end("FROM corp/x\nENV P=$PATH:/x\n");
        assert_eq!(private.lookup("P"), Lookup::Unknown);
        assert_eq!((private.workdir(), private.user()), (None, None));
    }

    #[test]
    fn build_arguments() {
        let text = "ARG G=g\nARG N\nFROM scratch\nARG G\nARG D=d$G\nARG N\nARG M\nARG TARGETARCH\n";
        let state = end(text);
        assert_eq!(state.lookup("G"), Lookup::Set("g"));
        assert_eq!(state.lookup("D"), Lookup::Set("dg"));
        for name in ["N", "M", "TARGETARCH"] {
            assert_eq!(state.lookup(name), Lookup::Unknown, "{name}");
        }
        let none = end_with(text, &complete());
        assert_eq!(none.lookup("N"), Lookup::Unset);
        assert_eq!(none.lookup("M"), Lookup::Unset);
        assert_eq!(none.lookup("TARGETARCH"), Lookup::Unknown);
        let mut given = complete();
        given.build_args = ["G", "M", "TARGETARCH"]
            .map(|name| (name.to_owned(), "given".to_owned()))
            .into();
        let given = end_with(text, &given);
        for name in ["G", "M", "TARGETARCH"] {
            assert_eq!(given.lookup(name), Lookup::Set("given"), "{name}");
        }
        assert_eq!(given.lookup("D"), Lookup::Set("dgiven"));
    }

    #[test]
    fn scopes() {
        let text = "ARG G=g\nFROM scratch AS a\nARG A=1\nENV E=2\nENV X=$G\nFROM a\nENV Y=$A$E\n\
                    FROM scratch\nENV Z=$A$E\n";
        with(text, &ModelInput::default(), |model| {
            let ends: Vec<_> = model.stages.iter().map(|stage| &stage.end).collect();
            assert_eq!(
                ends[0].lookup("X"),
                Lookup::Set(""),
                "a global ARG is not declared"
            );
            assert_eq!(
                ends[1].lookup("Y"),
                Lookup::Set("12"),
                "a stage inherits ARGs too"
            );
            assert_eq!(ends[2].lookup("Z"), Lookup::Set(""));
            let first = &model.stages[0].steps[0].before;
            assert_eq!(first.lookup("A"), Lookup::Unset, "before, not after");
        });
    }

    #[test]
    fn the_later_of_arg_and_env_wins() {
        assert_eq!(
            end("FROM scratch\nENV A=e\nARG A=a\n").lookup("A"),
            Lookup::Set("a")
        );
        assert_eq!(
            end("FROM scratch\nARG A=a\nENV A=e\n").lookup("A"),
            Lookup::Set("e")
        );
    }

    #[test]
    fn working_directories() {
        let at = |text: &str| end(text).workdir().map(str::to_owned);
        assert_eq!(at("FROM debian\n").as_deref(), Some("/"));
        assert_eq!(
            at("FROM debian\nWORKDIR a/\nWORKDIR ../b/./c\n").as_deref(),
            Some("/b/c")
        );
        assert_eq!(
            at("FROM debian\nENV D=/x\nWORKDIR $D/y\n").as_deref(),
            Some("/x/y")
        );
        assert_eq!(at("FROM corp/x\nWORKDIR a\n"), None);
        assert_eq!(
            at("FROM corp/x\nWORKDIR /a\nWORKDIR b\n").as_deref(),
            Some("/a/b")
        );
        assert_eq!(at("FROM corp/x\nWORKDIR $HOME\n"), None);
        assert_eq!(
            at("# escape=`\nFROM mcr.microsoft.com/windows/nanoserver:1809\nWORKDIR /a\n"),
            None
        );
    }

    #[test]
    fn users_and_homes() {
        let who = |text: &str| {
            let state = end(text);
            (state.is_root(), state.home().map(str::to_owned))
        };
        let home = |home: &str| Some(home.to_owned());
        assert_eq!(who("FROM node:18\n"), (Some(true), home("/root")));
        assert_eq!(
            who("FROM node:18\nUSER node\n"),
            (Some(false), home("/home/node"))
        );
        assert_eq!(
            who("FROM node:18\nUSER node\nUSER 0:0\n"),
            (Some(true), home("/root"))
        );
        assert_eq!(who("FROM node:18\nUSER app\n"), (Some(false), None));
        assert_eq!(
            who("FROM node:18\nENV HOME=/h\nUSER app\n"),
            (Some(false), home("/h"))
        );
        assert_eq!(who("FROM node:18\nARG U\nUSER $U\n"), (None, None));
        assert_eq!(who("FROM corp/x\n"), (None, None));
        assert_eq!(who("FROM corp/x\nUSER root\n"), (Some(true), None));
        assert_eq!(
            who("FROM jenkins/jenkins\n"),
            (Some(false), home("/var/jenkins_home"))
        );
    }

    #[test]
    fn shells() {
        let text = "FROM debian AS a\nSHELL [\"/bin/bash\", \"-c\"]\nFROM a\n";
        assert_eq!(end(text).shell().unwrap(), ["/bin/bash", "-c"]);
        assert_eq!(end("FROM debian\n").shell(), None);
        assert!(end("FROM --platform=windows/amd64 corp/x\n").is_windows());
        assert!(end("FROM golang:1.20-nanoserver\n").is_windows());
        assert!(!end("FROM golang:1.20\n").is_windows());
    }

    #[test]
    fn an_unknown_name_hides_all_variables() {
        let state = end("FROM scratch\nARG N\nENV A=1\nENV $N=2\n");
        assert_eq!(state.lookup("A"), Lookup::Unknown);
        assert_eq!(state.lookup("B"), Lookup::Unknown);
    }

    #[test]
    fn paths() {
        let state = end("FROM debian\nWORKDIR /app\n");
        assert_eq!(state.absolute("x/../y").as_deref(), Some("/app/y"));
        assert_eq!(state.absolute("/a//b/.").as_deref(), Some("/a/b"));
        assert_eq!(state.absolute("../..").as_deref(), Some("/"));
        assert_eq!(end("FROM x/y\n").absolute("a"), None);
    }
}
