//! The configuration of the image that a stage becomes, as far as it is known: what `docker image inspect` shows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::state::{DEFAULT_PATH, State, clean};
use super::{Base, Model, Stage};
use crate::syntax::bytes::lossy;
use crate::syntax::{Args, Instruction, Keyword};

mod values;

pub use values::Healthcheck;

/// The configuration of an image. `None`: not known; empty: not set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// Variables in the order in which they were set first.
    pub env: Collection<Vec<(String, Option<String>)>>,
    /// The command in exec form, the shell's words put before a shell form.
    pub cmd: Option<Vec<String>>,
    /// The entrypoint, likewise.
    pub entrypoint: Option<Vec<String>>,
    /// The user.
    pub user: Option<String>,
    /// The working directory.
    pub workdir: Option<String>,
    /// Ports as `80/tcp`.
    pub exposed_ports: Collection<BTreeSet<String>>,
    /// Paths of volumes.
    pub volumes: Collection<BTreeSet<String>>,
    /// Labels.
    pub labels: Collection<BTreeMap<String, Option<String>>>,
    /// The signal that stops the container.
    pub stop_signal: Option<String>,
    /// The health check; without a test where none is set.
    pub healthcheck: Option<Healthcheck>,
    /// What `SHELL` set.
    pub shell: Option<Vec<String>>,
    /// The triggers, as written.
    pub on_build: Collection<Vec<String>>,
    /// The author, of MAINTAINER.
    pub author: Option<String>,
}

/// Several values of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Collection<T> {
    /// Those that are known.
    pub known: T,
    /// Whether there are no others.
    pub complete: bool,
}

impl Model<'_> {
    /// The configuration of the image of stage `index`; `None` where there is no such stage. Linear in the steps of
    /// the stages that it is built on.
    pub fn config(&self, index: usize) -> Option<Config> {
        let mut chain = vec![self.stages.get(index)?];
        while let Some(Base::Stage(base)) = chain.last().map(|stage| &stage.base) {
            chain.push(self.stages.get(*base)?);
        }
        let bottom = chain.last()?;
        let mut builder = Builder::on(bottom, self.scope.escape);
        for stage in chain.iter().rev() {
            builder.stage(stage, self.text);
        }
        let Builder { config, .. } = builder;
        let shell = chain.first()?.end.shell();
        let inherited = config.shell;
        Some(Config {
            shell: shell.map(<[String]>::to_vec).or(inherited),
            ..config
        })
    }
}

struct Builder {
    config: Config,
    escape: u8,
    /// Where each variable stands in `config.env`.
    places: HashMap<String, usize>,
    /// Whether this stage has a CMD so far: without one, ENTRYPOINT takes that of the base away.
    has_cmd: bool,
}

impl Builder {
    /// The configuration of the image that the lowest stage is built on.
    fn on(bottom: &Stage<'_>, escape: u8) -> Self {
        let first = bottom.triggers.iter().chain(&bottom.steps).next();
        let state = first.map_or(&bottom.end, |step| &step.before);
        let base = state.base();
        let scratch = bottom.base == Base::Scratch;
        let family = base.family;
        let mut builder = Self {
            config: Config {
                user: base.user.clone(),
                workdir: base.workdir.clone(),
                ..Config::default()
            },
            escape,
            places: HashMap::new(),
            has_cmd: false,
        };
        let config = &mut builder.config;
        config.env.complete = state.knows_all_variables();
        if base.bare {
            config.exposed_ports.complete = true;
            config.volumes.complete = true;
            config.labels.complete = true;
            config.on_build.complete = true;
            config.stop_signal = Some(String::new());
            config.healthcheck = Some(Healthcheck::default());
            config.shell = Some(Vec::new());
        }
        if scratch || family.is_some_and(|family| family.no_entrypoint) {
            config.entrypoint = Some(Vec::new());
        }
        if scratch {
            config.cmd = Some(Vec::new());
            config.author = Some(String::new());
            builder.set_env("PATH", Some(DEFAULT_PATH));
        }
        if let Some(family) = family {
            builder.config.cmd.clone_from(&family.cmd);
            for (name, value) in &family.env {
                builder.set_env(name, Some(value));
            }
        }
        builder
    }

    fn stage(&mut self, stage: &Stage<'_>, text: &[u8]) {
        self.has_cmd = false;
        // The triggers of the base run in this stage and do not go on to the next.
        self.config.on_build.known.clear();
        if matches!(stage.base, Base::Stage(_)) {
            self.config.on_build.complete = true;
        }
        for step in stage.triggers.iter().chain(&stage.steps) {
            self.step(step.instruction, &step.before, text);
        }
    }

    fn step(&mut self, instruction: &Instruction, before: &State, text: &[u8]) {
        let config = &mut self.config;
        let escape = self.escape;
        let only = || {
            before
                .expand(&instruction.words().first()?.text, escape)
                .ok()
        };
        match instruction.keyword {
            Keyword::Env => self.env(instruction, before),
            Keyword::Label => label(config, instruction, before, escape),
            Keyword::User => config.user = only(),
            Keyword::Workdir => config.workdir = only().and_then(|path| workdir(&path, before)),
            Keyword::Stopsignal => config.stop_signal = only(),
            Keyword::Maintainer => {
                config.author = instruction.words().first().map(|word| word.text.clone());
            }
            Keyword::Cmd => {
                config.cmd = Some(command(instruction, before));
                self.has_cmd = true;
            }
            Keyword::Entrypoint => {
                config.entrypoint = Some(command(instruction, before));
                if !self.has_cmd {
                    config.cmd = Some(Vec::new());
                }
            }
            Keyword::Expose => {
                let words = instruction.words().iter();
                let ports = words.map(|word| before.expand_words(&word.text, escape).ok());
                add(&mut config.exposed_ports, ports, &values::ports);
            }
            Keyword::Volume => {
                let words = instruction.words().iter();
                let paths = words.map(|word| {
                    let path = before.expand(word.text.trim(), escape).ok()?;
                    Some(vec![path])
                });
                let as_it_is = |path: &str| Some(vec![path.to_owned()]);
                add(&mut config.volumes, paths, &as_it_is);
            }
            Keyword::Healthcheck => config.healthcheck = values::healthcheck(instruction),
            Keyword::Onbuild => {
                if let Args::Onbuild(trigger) = &instruction.args {
                    config
                        .on_build
                        .known
                        .push(trigger_text(instruction, trigger, text));
                }
            }
            _ => {}
        }
    }

    fn env(&mut self, instruction: &Instruction, before: &State) {
        for pair in instruction.pairs() {
            let value = before.expand(&pair.value.text, self.escape).ok();
            match before.expand(&pair.key.text, self.escape) {
                Ok(name) => self.set_env(&name, value.as_deref()),
                Err(_) => self.config.env.complete = false,
            }
        }
    }

    fn set_env(&mut self, name: &str, value: Option<&str>) {
        let env = &mut self.config.env.known;
        let value = value.map(str::to_owned);
        match self.places.get(name).and_then(|place| env.get_mut(*place)) {
            Some(variable) => variable.1 = value,
            None => {
                self.places.insert(name.to_owned(), env.len());
                env.push((name.to_owned(), value));
            }
        }
    }
}

fn label(config: &mut Config, instruction: &Instruction, before: &State, escape: u8) {
    let labels = &mut config.labels;
    for pair in instruction.pairs() {
        let value = before.expand(&pair.value.text, escape).ok();
        match before.expand(&pair.key.text, escape) {
            Ok(key) => {
                labels.known.insert(key, value);
            }
            Err(_) => labels.complete = false,
        }
    }
}

/// Adds what `read` makes of each word; one that is unknown or cannot be read leaves the collection incomplete.
fn add(
    to: &mut Collection<BTreeSet<String>>,
    words: impl Iterator<Item = Option<Vec<String>>>,
    read: &dyn Fn(&str) -> Option<Vec<String>>,
) {
    for expanded in words {
        let Some(expanded) = expanded else {
            to.complete = false;
            continue;
        };
        for word in expanded {
            match read(&word) {
                Some(values) => to.known.extend(values),
                None => to.complete = false,
            }
        }
    }
}

/// CMD or ENTRYPOINT in exec form. The shell of a base that is not known counts as `/bin/sh`.
fn command(instruction: &Instruction, before: &State) -> Vec<String> {
    if let Args::Exec(words) = &instruction.args {
        return words.iter().map(|word| word.text.clone()).collect();
    }
    let mut words = match before.shell() {
        Some(shell) => shell.to_vec(),
        None if before.is_windows() => ["cmd", "/S", "/C"].map(str::to_owned).to_vec(),
        None => ["/bin/sh", "-c"].map(str::to_owned).to_vec(),
    };
    words.push(lossy(instruction.args_text()));
    words
}

/// An absolute path stays as it is written (BuildKit's `NormalizeWorkdir`); another is joined to the directory before.
fn workdir(path: &str, before: &State) -> Option<String> {
    if before.is_windows() {
        return None;
    }
    if path.starts_with('/') {
        return Some(path.to_owned());
    }
    Some(clean(&format!("{}/{path}", before.workdir()?)))
}

/// The line behind ONBUILD, and the here-documents behind that.
fn trigger_text(onbuild: &Instruction, trigger: &Instruction, text: &[u8]) -> String {
    let line = lossy(&onbuild.logical.text);
    let line = line.trim_start();
    let behind = line.get("ONBUILD".len()..).unwrap_or_default();
    let mut written = behind.trim_start().to_owned();
    for heredoc in onbuild.heredocs.iter().chain(&trigger.heredocs) {
        written.push('\n');
        written.push_str(&lossy(heredoc.body.of(text)));
        written.push_str(&heredoc.name);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::super::ModelInput;
    use super::super::tests::with;
    use super::*;

    /// The configuration of the last stage.
    fn config(text: &str) -> Config {
        with(text, &ModelInput::default(), |model| {
            model.config(model.stages.len() - 1).unwrap()
        })
    }

    fn words(words: &[&str]) -> Option<Vec<String>> {
        Some(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn scratch_is_empty() {
        let config = config("FROM scratch\n");
        let env = [("PATH".to_owned(), Some(DEFAULT_PATH.to_owned()))];
        assert_eq!(config.env.known, env);
        assert!(config.env.complete && config.labels.complete && config.on_build.complete);
        assert_eq!((config.cmd, config.entrypoint), (words(&[]), words(&[])));
        assert_eq!(
            (config.user.as_deref(), config.workdir.as_deref()),
            (Some(""), Some("/"))
        );
        assert_eq!(config.healthcheck, Some(Healthcheck::default()));
    }

    #[test]
    fn commands() {
        let of = |text: &str| {
            let config = config(text);
            (config.entrypoint, config.cmd)
        };
        let sh = |line| words(&["/bin/sh", "-c", line]);
        assert_eq!(of("FROM corp/x\n"), (None, None));
        assert_eq!(of("FROM corp/x\nCMD a \\\n  b\n"), (None, sh("a   b")));
        assert_eq!(
            of("FROM debian\nCMD [\"a\", \"b\"]\n"),
            (words(&[]), words(&["a", "b"]))
        );
        assert_eq!(of("FROM debian\nENTRYPOINT a\n"), (sh("a"), words(&[])));
        assert_eq!(of("FROM debian\nCMD a\nENTRYPOINT b\n"), (sh("b"), sh("a")));
        // A CMD of the stage below is not one of this stage.
        assert_eq!(
            of("FROM debian AS x\nCMD a\nFROM x\nENTRYPOINT b\n"),
            (sh("b"), words(&[]))
        );
        let bash = "FROM debian\nSHELL [\"bash\", \"-c\"]\nCMD a\n";
        assert_eq!(of(bash), (words(&[]), words(&["bash", "-c", "a"])));
        assert_eq!(config(bash).shell, words(&["bash", "-c"]));
    }

    #[test]
    fn variables_keep_their_place() {
        let config =
            config("FROM scratch AS x\nENV A=1 B=2\nARG C=3\nFROM x\nARG D\nENV A=$C B=$D\n");
        let env: Vec<_> = config.env.known.iter().skip(1).collect();
        let (a, b) = (
            ("A".to_owned(), Some("3".to_owned())),
            ("B".to_owned(), None),
        );
        assert_eq!(env, [&a, &b]);
    }

    #[test]
    fn collections() {
        let config = config(
            "FROM debian\nARG P\nEXPOSE 80 53/udp 1-2\nEXPOSE $P\nVOLUME /a /b\nVOLUME [\"/c d\"]\n\
             LABEL a=\"b c\" 'k x'=y\nLABEL legacy \"v\"\n",
        );
        let ports: Vec<_> = config.exposed_ports.known.iter().collect();
        assert_eq!(ports, ["1/tcp", "2/tcp", "53/udp", "80/tcp"]);
        assert!(!config.exposed_ports.complete && config.volumes.complete);
        let volumes: Vec<_> = config.volumes.known.iter().collect();
        assert_eq!(volumes, ["/a", "/b", "/c d"]);
        let label = |key: &str| config.labels.known.get(key).cloned().flatten();
        assert_eq!(label("a").as_deref(), Some("b c"));
        assert_eq!(label("k x").as_deref(), Some("y"));
        assert_eq!(label("legacy").as_deref(), Some("v"));
    }

    #[test]
    fn the_rest() {
        let config = config(
            "FROM debian\nARG S=SIGINT\nUSER a:b\nWORKDIR /x/\nSTOPSIGNAL $S\nMAINTAINER \"me\" <a@b>\n\
             HEALTHCHECK --interval=5s --retries=2 CMD curl  -f\n",
        );
        assert_eq!(config.user.as_deref(), Some("a:b"));
        assert_eq!(config.workdir.as_deref(), Some("/x/"));
        assert_eq!(config.stop_signal.as_deref(), Some("SIGINT"));
        assert_eq!(config.author.as_deref(), Some("\"me\" <a@b>"));
        let check = config.healthcheck.unwrap();
        assert_eq!(check.test, ["CMD-SHELL", "curl  -f"]);
        assert_eq!((check.interval, check.retries), (5_000_000_000, 2));
    }

    #[test]
    fn triggers() {
        let text = "FROM debian AS x\nONBUILD   COPY . /a\nOnBuild RUN <<E\nb\nE\nFROM x\nONBUILD ENV A=1\n";
        with(text, &ModelInput::default(), |model| {
            let first = model.config(0).unwrap().on_build;
            assert_eq!(first.known, ["COPY . /a", "RUN <<E\nb\nE"]);
            assert_eq!(model.config(1).unwrap().on_build.known, ["ENV A=1"]);
            assert!(model.config(2).is_none());
        });
    }
}
