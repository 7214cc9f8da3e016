//! The commands that build: what each works on, makes and installs.

use super::makefile::Makefile;
use super::{At, C, OF_BASE, autotools, cmake, parts};
use crate::context::path;
use crate::pass::project_place::first_words;
use crate::pass::runs::Stage;
use crate::syntax::shell::Command;

const MAKEFILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];

/// What builds in a directory.
#[derive(Clone)]
pub(super) enum Tool {
    /// A makefile of the build context, which makes files of these names.
    Make(Vec<String>),
    /// What CMake or `configure` writes, which installs below this prefix.
    Generated(String),
}

/// Where something is installed.
pub(super) enum Install {
    /// Below a prefix.
    Prefix(String),
    /// These files, among those of others.
    Files(Vec<String>),
}

impl Install {
    /// What is taken over, as absolute paths.
    ///
    /// # Errors
    /// The base has files there too, or the build.
    pub(super) fn carried<'d>(
        &self,
        stage: &Stage<'_>,
        mut works: impl Iterator<Item = &'d String>,
    ) -> Result<Vec<String>, String> {
        let prefix = match self {
            Self::Files(files) => return Ok(files.clone()),
            Self::Prefix(prefix) => prefix,
        };
        // The images of GCC have the compiler there.
        let is_compiler = stage.model.end.base().is_family("gcc") && prefix == "/usr/local";
        if OF_BASE.contains(&prefix.as_str()) || is_compiler {
            return Err(format!(
                "what is installed into `{prefix}` lies among files of the base"
            ));
        }
        match works.any(|directory| path::is_at_or_below(directory, prefix)) {
            true => Err(format!(
                "what is installed into `{prefix}` lies among files of the build"
            )),
            false => Ok(vec![prefix.clone()]),
        }
    }
}

impl C<'_> {
    /// What `make`, or `ninja`, makes and installs.
    pub(super) fn make(&mut self, at: &At<'_, '_>) -> Result<(), String> {
        self.started(at)?;
        let (words, mut directory) = plain(at)?;
        let unknown = unknown(at);
        let mut given = Vec::new();
        let mut goals = Vec::new();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            match *word {
                "-C" => directory = path::absolute(&directory, rest.next().ok_or_else(&unknown)?),
                "-s" | "-B" | "-k" | "V=1" | "VERBOSE=1" => {}
                word if word.starts_with("-j") => {}
                word if word.bytes().all(|byte| byte.is_ascii_digit()) => {}
                word if word.starts_with('-') => return Err(unknown()),
                word => match word.split_once('=') {
                    Some((name, value)) => given.push((name.to_owned(), value.to_owned())),
                    None => goals.push(word),
                },
            }
        }
        for (_, value) in &given {
            self.links.text(value)?;
        }
        let installs = goals.iter().any(|goal| goal.starts_with("install"));
        if let Some(Tool::Generated(prefix)) = self.tools.get(&directory).cloned() {
            let is_known = goals
                .iter()
                .all(|goal| matches!(*goal, "all" | "clean" | "install" | "install/strip"));
            let staged = given.iter().find(|(name, _)| name == "DESTDIR");
            let others = given.iter().any(|(name, _)| {
                name.to_lowercase().ends_with("dir") && name != "DESTDIR" || name == "prefix"
            });
            if !is_known || others {
                return Err(unknown());
            }
            if installs {
                let staged = staged.map_or("", |(_, to)| to.trim_end_matches('/'));
                self.installs
                    .push(Install::Prefix(format!("{staged}{prefix}")));
            }
            return Ok(());
        }
        let mut files = MAKEFILES.iter();
        let text = files.find_map(|name| at.place.text(&path::join(&directory, name)));
        let text = text.ok_or_else(&unknown)?;
        self.links.text(&text)?;
        let makefile = Makefile::parse(&text, &given)?;
        let state = at.place.step().before;
        let is_set = |name: &str| state.variable(name).is_some();
        if installs {
            if goals != ["install"]
                || ["DESTDIR", "PREFIX", "prefix"]
                    .iter()
                    .any(|name| is_set(name))
            {
                return Err(unknown());
            }
            self.installs.push(installed(&makefile)?);
        } else {
            makefile.check(&goals)?;
        }
        self.said.push_str(&text);
        let mut made = makefile.made(&goals, |name| {
            at.place.source(&path::join(&directory, name)).is_some()
        });
        if let Some(Tool::Make(before)) = self.tools.get(&directory) {
            made.extend(before.iter().cloned());
        }
        self.tools.insert(directory, Tool::Make(made));
        Ok(())
    }

    /// What `cmake` configures, builds and installs.
    pub(super) fn cmake(&mut self, at: &At<'_, '_>) -> Result<(), String> {
        self.started(at)?;
        let (words, directory) = plain(at)?;
        let unknown = unknown(at);
        match words.as_slice() {
            ["--build", build, options @ ..] => {
                let build = path::absolute(&directory, build);
                let Some(Tool::Generated(prefix)) = self.tools.get(&build) else {
                    return Err(unknown());
                };
                let target = options
                    .iter()
                    .position(|word| matches!(*word, "--target" | "-t"));
                match target.map(|at| options.get(at + 1).copied().unwrap_or_default()) {
                    Some("install") => self.installs.push(Install::Prefix(prefix.clone())),
                    None | Some("all") => {}
                    Some(_) => return Err(unknown()),
                }
            }
            ["--install", build, options @ ..] => {
                let build = path::absolute(&directory, build);
                let Some(Tool::Generated(prefix)) = self.tools.get(&build) else {
                    return Err(unknown());
                };
                let named = options.iter().position(|word| *word == "--prefix");
                let named = named.and_then(|at| options.get(at + 1));
                let prefix =
                    named.map_or_else(|| prefix.clone(), |to| path::absolute(&directory, to));
                if options
                    .iter()
                    .any(|word| word.starts_with("--prefix=") || word.starts_with("--component"))
                {
                    return Err(unknown());
                }
                self.installs.push(Install::Prefix(prefix));
            }
            options => self.generate(at, options, &directory)?,
        }
        Ok(())
    }

    fn generate(
        &mut self,
        at: &At<'_, '_>,
        options: &[&str],
        directory: &str,
    ) -> Result<(), String> {
        let unknown = unknown(at);
        let (mut source, mut build) = (None, None);
        let mut prefix = "/usr/local".to_owned();
        let mut rest = options.iter();
        while let Some(word) = rest.next() {
            let mut value = |flag: &str| match word.strip_prefix(flag) {
                Some("") => rest.next().copied(),
                value => value,
            };
            match word {
                word if word.starts_with("-D") => {
                    let defined = value("-D").ok_or_else(&unknown)?;
                    let (name, value) = defined.split_once('=').ok_or_else(&unknown)?;
                    let name = name.split(':').next().unwrap_or(name);
                    if name == "CMAKE_INSTALL_PREFIX" {
                        prefix = path::absolute("/", value);
                    } else if name.starts_with("CMAKE_INSTALL_")
                        || value.starts_with('/')
                        || name == "BUILD_SHARED_LIBS" && value != "OFF"
                    {
                        return Err(unknown());
                    }
                    self.links.text(value)?;
                }
                word if word.starts_with("-S") => source = value("-S"),
                word if word.starts_with("-B") => build = value("-B"),
                word if word.starts_with("-G") => drop(value("-G")),
                word if word.starts_with("-W") => {}
                word if word.starts_with('-') => return Err(unknown()),
                word => source = Some(word),
            }
        }
        let source = path::absolute(directory, source.unwrap_or("."));
        let build = path::absolute(directory, build.unwrap_or("."));
        let said = &mut self.said;
        cmake::check(&mut self.links, &mut |file| read(at, file, said), &source)?;
        self.tools.insert(build, Tool::Generated(prefix));
        Ok(())
    }

    /// What `configure` prepares.
    pub(super) fn configure(&mut self, at: &At<'_, '_>) -> Result<(), String> {
        self.started(at)?;
        let (words, directory) = plain(at)?;
        let mut prefix = "/usr/local".to_owned();
        for word in words {
            match word.split_once('=') {
                Some(("--prefix", value)) if value.starts_with('/') => prefix = path::clean(value),
                Some((name, value)) if !value.contains('/') && !name.ends_with("dir") => {
                    self.links.text(value)?
                }
                None if word.starts_with("--enable-")
                    || word.starts_with("--disable-")
                    || word.starts_with("--with") => {}
                _ => return Err(unknown(at)()),
            }
        }
        let said = &mut self.said;
        autotools::check(
            &mut self.links,
            &mut |file| read(at, file, said),
            &directory,
        )?;
        self.tools.insert(directory, Tool::Generated(prefix));
        Ok(())
    }

    /// Notes a directory that is made, most often to build in.
    pub(super) fn directory(&mut self, at: &At<'_, '_>) -> Result<(), String> {
        let (words, directory) = plain(at)?;
        for word in words {
            match word.starts_with('-') {
                true if word == "-p" => {}
                true => return Err(unknown(at)()),
                false => self.directories.push(path::absolute(&directory, word)),
            }
        }
        Ok(())
    }

    /// Each directory that was made is one to build in, or is taken over.
    ///
    /// # Errors
    /// One that is neither.
    pub(super) fn directories_are_built_in(&self, carried: &[String]) -> Result<(), String> {
        let is_built_in = |directory: &String| {
            let mut works = self.tools.keys();
            works.any(|work| path::is_at_or_below(work, directory))
                || carried
                    .iter()
                    .any(|one| path::is_at_or_below(directory, one))
        };
        match self
            .directories
            .iter()
            .find(|directory| !is_built_in(directory))
        {
            Some(directory) => Err(format!("the program may need the directory `{directory}`")),
            None => Ok(()),
        }
    }

    /// Something builds that links what the environment says too.
    fn started(&mut self, at: &At<'_, '_>) -> Result<(), String> {
        self.builds = true;
        self.loads = true;
        let state = at.place.step().before;
        let set = state
            .variables()
            .filter(|(name, _)| self.rule.c.compiler_variables.iter().any(|one| one == name));
        for (name, variable) in set {
            let value = variable.value.as_deref();
            let value = value.ok_or_else(|| format!("what `{name}` is set to is not known"))?;
            self.links.text(value)?;
        }
        Ok(())
    }
}

/// Where the makefile's `install` puts files: below one prefix, or as programs among others.
fn installed(makefile: &Makefile) -> Result<Install, String> {
    let installed = makefile.installed()?;
    let places = || installed.iter().map(|(_, to)| to.trim_end_matches('/'));
    let variable = |name: &str| {
        makefile
            .expand(&format!("$(DESTDIR)$({name})"))
            .map(|value| path::clean(&value))
    };
    let mut prefixes = vec!["/usr/local".to_owned()];
    prefixes.extend(["PREFIX", "prefix"].into_iter().filter_map(variable));
    prefixes.retain(|prefix| !OF_BASE.contains(&prefix.as_str()));
    let holds = |prefix: &String| places().all(|to| path::is_at_or_below(to, prefix));
    if let Some(prefix) = prefixes.into_iter().find(holds) {
        return Ok(Install::Prefix(prefix));
    }
    let directories: Vec<&str> = installed
        .iter()
        .filter(|(sources, _)| sources.is_empty())
        .map(|(_, to)| to.trim_end_matches('/'))
        .collect();
    let mut files = Vec::new();
    for (sources, to) in installed.iter().filter(|(sources, _)| !sources.is_empty()) {
        let is_marked = to.ends_with('/') || to.ends_with("/bin") || to.ends_with("/sbin");
        let to = to.trim_end_matches('/');
        let names = sources.iter().map(|source| path::file_name(source));
        match is_marked || sources.len() > 1 || directories.contains(&to) {
            true => files.extend(names.map(|name| format!("{to}/{name}"))),
            false => files.push(to.to_owned()),
        }
    }
    let is_filled = |directory: &&str| {
        let mut files = files.iter();
        OF_BASE.contains(directory) || files.any(|file| path::is_at_or_below(file, directory))
    };
    if let Some(empty) = directories.iter().find(|directory| !is_filled(directory)) {
        return Err(format!("the program may need the directory `{empty}`"));
    }
    match files.iter().any(|file| file.contains(['*', '?', '$', ' '])) {
        true => Err("which files are installed is not known".to_owned()),
        false => Ok(Install::Files(files)),
    }
}

fn read(at: &At<'_, '_>, file: &str, said: &mut String) -> Option<String> {
    let text = at.place.text(file)?;
    said.push_str(&text);
    Some(text)
}

/// Whether a text says a word, not as a part of another.
pub(super) fn names(text: &str, word: &str) -> bool {
    let is_letter = |ch: char| ch.is_alphanumeric() || "_-".contains(ch);
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(is_letter) && !text[at + word.len()..].starts_with(is_letter)
    })
}

fn unknown(at: &At<'_, '_>) -> impl Fn() -> String {
    let shown = first_words(&at.place.cx.shown(at.found.command.span));
    move || format!("what `{shown}` makes is not known")
}

/// The directory that a command is started in, where it only has words behind its name.
fn place(at: &At<'_, '_>) -> Result<String, String> {
    let command: &Command = at.found.command;
    let directory = at.place.started_in(at.script, &at.found);
    let directory = directory.filter(|_| !parts::writes(command) && command.assignments.is_empty());
    directory.ok_or_else(unknown(at))
}

/// The literal words behind a command's name, and the directory that it is started in.
fn plain<'a>(at: &'a At<'_, '_>) -> Result<(Vec<&'a str>, String), String> {
    let words = at.found.command.words.iter().skip(1);
    let words = words.map(|word| match word.text.starts_with("-j") {
        // As many at once as there are processors.
        true => Some("-j"),
        false => word.literal.as_deref(),
    });
    let words: Option<Vec<&str>> = words.collect();
    Ok((words.ok_or_else(unknown(at))?, place(at)?))
}

/// The words of a compiler: sources may be patterns, and `pkg-config` may say what is linked.
pub(super) fn compiled(at: &At<'_, '_>) -> Result<(Vec<String>, String), String> {
    let words = at.found.command.words.iter().skip(1);
    let words = words.map(|word| match &word.literal {
        Some(literal) => Some(literal.clone()),
        None if word.text.starts_with("$(pkg-config ") || word.text.starts_with('`') => {
            Some(word.text.clone())
        }
        None => (!word.text.contains(['$', '`'])).then(|| word.text.clone()),
    });
    let words: Option<Vec<String>> = words.collect();
    Ok((words.ok_or_else(unknown(at))?, place(at)?))
}
