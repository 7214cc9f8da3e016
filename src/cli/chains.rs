//! Which rules run on which file: the built-in ones and a team's own, as the nearest `dockeropt.toml` and the command
//! line leave them.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::inputs::Selection;
use crate::chain::Chain;
use crate::config::{self, Budget, Config, ConfigError, Decision, Place, Taken};
use crate::rule::{self, Rule};
use crate::walk::{self, PathError};

/// The chains of a run. Each configuration is read once, and what is wrong with it is said once.
pub(super) struct Chains {
    /// The current folder, absolute.
    here: PathBuf,
    flags: Config,
    /// By folder, as far as files were seen in them.
    folders: HashMap<PathBuf, File>,
    /// By configuration file; `None`: what is decided where there is none, and where that is bad.
    read: HashMap<File, Option<Rc<Decided>>>,
    /// By configuration file, and which of its overrides hold.
    loaded: HashMap<(File, Vec<usize>), Option<Arc<Chain>>>,
}

/// How many configurations may extend each other, the first one included.
const MAX_EXTENDED: usize = 8;

/// A configuration file; `None` where there is none.
type File = Option<Rc<Path>>;

/// What a configuration says, and the rules that there are.
struct Decided {
    config: Config,
    rules: Vec<Rule>,
}

/// What holds for one Dockerfile.
struct Near {
    file: File,
    decided: Rc<Decided>,
    /// Which of the overrides hold.
    overrides: Vec<usize>,
}

/// What is in force for one Dockerfile, and where that was decided.
pub(super) struct InForce {
    /// The configuration file, if there is one.
    pub(super) file: Option<PathBuf>,
    /// What it and the command line say.
    pub(super) config: Config,
    /// Which of its overrides hold.
    pub(super) overrides: Vec<usize>,
    pub(super) rules: Vec<Decision>,
}

impl Chains {
    /// # Errors
    /// Where the current folder is gone.
    pub(super) fn new(selection: &Selection) -> io::Result<Self> {
        let flags = Config::from_flags(selection.select.clone(), selection.ignore.clone());
        Ok(Self {
            here: std::env::current_dir()?,
            flags,
            folders: HashMap::new(),
            read: HashMap::new(),
            loaded: HashMap::new(),
        })
    }

    /// The chain for a file of the current folder.
    ///
    /// # Errors
    /// As [`Chains::of`].
    pub(super) fn here(selection: &Selection) -> Result<Arc<Chain>> {
        let chain = Self::new(selection)?.of(Path::new("Dockerfile"))?;
        // Asked once, it is there or an error.
        chain.context("no configuration")
    }

    /// Every rule that a file of the current folder could have, as it ships: those of a team among them.
    ///
    /// # Errors
    /// What is wrong with the configuration or with a rule of it.
    pub(super) fn known_here() -> Result<Vec<Rule>> {
        let here = std::env::current_dir()?;
        let mut rules = rule::builtin().to_vec();
        if let Some((_, config)) = nearest_config(&here, Path::new("Dockerfile"))? {
            extended(&here, &config, &mut rules)?;
        }
        Ok(rules)
    }

    /// What is in force for the file at `path`, and where that was decided.
    ///
    /// # Errors
    /// As [`Chains::of`].
    pub(super) fn in_force(selection: &Selection, path: &Path) -> Result<InForce> {
        let mut chains = Self::new(selection)?;
        // Asked once, it is there or an error.
        let near = chains.near(path)?.context("no configuration")?;
        let file = near.file.as_deref();
        let config = chains.config(&near);
        let rules = config.decide(near.decided.rules.clone());
        Ok(InForce {
            file: file.map(|file| file.strip_prefix(&chains.here).unwrap_or(file).to_owned()),
            rules: rules.map_err(config_error)?,
            config,
            overrides: near.overrides,
        })
    }

    /// The chain for the file at `path`. `None` where its configuration is bad, which was said before.
    ///
    /// # Errors
    /// What is wrong with its configuration, or with the command line, the first time.
    pub(super) fn of(&mut self, path: &Path) -> Result<Option<Arc<Chain>>, PathError> {
        let Some(near) = self.near(path)? else {
            return Ok(None);
        };
        let key = (near.file.clone(), near.overrides.clone());
        if let Some(chain) = self.loaded.get(&key) {
            return Ok(chain.clone());
        }
        let chain = self.load(&near);
        let known = chain.as_ref().ok().cloned();
        self.loaded.insert(key, known);
        chain.map(Some)
    }

    /// What holds for the file at `path`. `None` where its configuration is bad, which was said before.
    fn near(&mut self, path: &Path) -> Result<Option<Near>, PathError> {
        let path = walk::absolute(&self.here, path);
        let file = self.file_for(path.parent().unwrap_or(&path));
        let Some(decided) = self.decided(file.as_ref())? else {
            return Ok(None);
        };
        let overrides = decided.config.covering(&self.here, &path);
        Ok(Some(Near {
            file,
            decided,
            overrides,
        }))
    }

    /// The configuration file for what is in `folder`.
    fn file_for(&mut self, folder: &Path) -> File {
        if let Some(known) = self.folders.get(folder) {
            return known.clone();
        }
        let own = folder.join(config::FILE_NAME);
        let file = match own.symlink_metadata() {
            Ok(_) => Some(Rc::from(own)),
            Err(_) => folder.parent().and_then(|above| self.file_for(above)),
        };
        self.folders.insert(folder.to_owned(), file.clone());
        file
    }

    /// Whether the file at `path`, which a walk found, is taken for a Dockerfile. Where its configuration is bad, which
    /// is said the first time, its name decides.
    ///
    /// # Errors
    /// As [`Chains::of`].
    pub(super) fn takes(&mut self, path: &Path) -> Result<Taken, PathError> {
        let near = self.near(path)?;
        let taken = near.map(|near| near.decided.config.takes(&self.here, path));
        Ok(taken.unwrap_or(Taken::ByName))
    }

    /// What the file at `config` decides. `None` where it is bad, which was said before.
    fn decided(&mut self, config: Option<&Rc<Path>>) -> Result<Option<Rc<Decided>>, PathError> {
        let key = config.cloned();
        if let Some(decided) = self.read.get(&key) {
            return Ok(decided.clone());
        }
        let mut rules = rule::builtin().to_vec();
        let read = match config {
            Some(path) => self.read(path, &mut rules),
            None => Ok(Config::default()),
        };
        let decided = read.map(|config| Rc::new(Decided { config, rules }));
        self.read.insert(key, decided.as_ref().ok().cloned());
        decided.map(Some)
    }

    fn config(&self, near: &Near) -> Config {
        let config = near.decided.config.with(&near.overrides);
        config.overlay(self.flags.clone())
    }

    fn load(&self, near: &Near) -> Result<Arc<Chain>, PathError> {
        let rules = self.config(near).apply(near.decided.rules.clone());
        let chain = Chain::new(rules.map_err(config_error)?);
        Ok(Arc::new(
            chain.map_err(|error| PathError::new("rules", error))?,
        ))
    }

    /// The decisions of the file at `path`; the rules that it brings are added to `rules`.
    fn read(&self, path: &Path, rules: &mut Vec<Rule>) -> Result<Config, PathError> {
        let shown = path.strip_prefix(&self.here).unwrap_or(path);
        let config = read_config(&self.here, shown)?;
        extended(&self.here, &config, rules)?;
        // What is wrong with an override is said even where no file of the run is one of its.
        for at in 0..config.overrides.len() {
            let rules = config.with(&[at]).apply(rules.clone());
            rules.map_err(config_error)?;
        }
        Ok(config)
    }
}

/// The configuration for the file at `path`, with the path of its own, from `here` on; its rules are not looked at.
///
/// # Errors
/// What is wrong with it.
pub(super) fn nearest_config(
    here: &Path,
    path: &Path,
) -> Result<Option<(PathBuf, Config)>, PathError> {
    let found = config::nearest(&walk::absolute(here, path), &|config| {
        config.symlink_metadata().is_ok().then(|| config.to_owned())
    });
    let Some(found) = found else {
        return Ok(None);
    };
    let shown = found.strip_prefix(here).unwrap_or(&found);
    let config = read_config(here, shown)?;
    Ok(Some((shown.to_owned(), config)))
}

/// What the file at `path`, from `here` on, says, laid over what it extends.
fn read_config(here: &Path, path: &Path) -> Result<Config, PathError> {
    read_over(
        here,
        path,
        &text_of(&here.join(path), path)?,
        &mut Vec::new(),
    )
}

/// The same for its `text`, which the files `above` extend, one the next.
fn read_over(
    here: &Path,
    path: &Path,
    text: &str,
    above: &mut Vec<PathBuf>,
) -> Result<Config, PathError> {
    let own = Config::parse(path, text).map_err(config_error)?;
    above.push(path.to_owned());
    let mut below = Config::default();
    for extended in own.extend.iter().filter(|one| config::is_file(&one.value)) {
        let base = walk::from_here(here, walk::absolute(here, &extended.path()));
        let fault = |message: String| {
            config_error(ConfigError {
                place: extended.place.clone(),
                message,
            })
        };
        if above.contains(&base) {
            let round = above.iter().chain([&base]).map(|path| path.display());
            let round: Vec<String> = round.map(|path| format!("`{path}`")).collect();
            return Err(fault(format!(
                "`extend` leads in a circle: {}",
                round.join(" → ")
            )));
        }
        if above.len() == MAX_EXTENDED {
            let message = format!("more than {MAX_EXTENDED} files extend each other");
            return Err(fault(message));
        }
        let text = text_of(&here.join(&base), &base)
            .map_err(|error| fault(format!("`extend`: {error}")))?;
        let config = read_over(here, &base, &text, above)?;
        below = below.overlay(Config {
            // The images of another folder are its own affair.
            budget: Budget::default(),
            ..config
        });
    }
    above.pop();
    Ok(below.overlay(own))
}

/// Adds the rules that `config` brings.
fn extended(here: &Path, config: &Config, rules: &mut Vec<Rule>) -> Result<(), PathError> {
    for folder in config
        .extend
        .iter()
        .filter(|one| !config::is_file(&one.value))
    {
        for rule in own_rules(here, &folder.path())? {
            config::admit(rules, folder, rule).map_err(config_error)?;
        }
    }
    Ok(())
}

/// The rules of the files `*.toml` in `folder`, by name.
fn own_rules(here: &Path, folder: &Path) -> Result<Vec<Rule>, PathError> {
    let io_error = |error: io::Error| PathError::io(folder, &error);
    let entries = here.join(folder).read_dir().map_err(io_error)?;
    let names: Result<Vec<_>, _> = entries.map(|entry| Ok(entry?.file_name())).collect();
    let mut names = names.map_err(io_error)?;
    names.retain(|name| Path::new(name).extension().is_some_and(|end| end == "toml"));
    names.sort();
    let rules = names.iter().map(|name| {
        let path = folder.join(name);
        let text = text_of(&here.join(&path), &path)?;
        rule::parse_declarative(&path, &text)
            .map_err(|error| PathError::at_line(error.path, error.line, error.message))
    });
    rules.collect()
}

fn text_of(path: &Path, shown: &Path) -> Result<String, PathError> {
    let bytes = walk::read_regular(path).map_err(|error| PathError::new(shown, error.message))?;
    String::from_utf8(bytes).map_err(|_| PathError::new(shown, "is not UTF-8"))
}

fn config_error(error: ConfigError) -> PathError {
    match error.place {
        Place::File(path, line) => PathError::at_line(path, line, error.message),
        Place::Flag(flag) => PathError::new(flag, error.message),
    }
}
