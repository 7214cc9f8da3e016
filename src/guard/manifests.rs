//! Which files of the project an install reads, package manager by package manager. Knows only installs that read
//! nothing but manifests, lock files and what they name; of all others it knows nothing.

use crate::model::managers::{Flag, Invocation, Kind, Role};
use crate::syntax::shell::Word;

/// Files of which one must be there, the last component perhaps a pattern; relative to where the install works.
pub(super) type Need = Vec<String>;

/// What an install asks of the project.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) needs: Vec<Need>,
    /// The directory that it works in, where it is told to go to one.
    pub(super) directory: Option<String>,
    /// Files that it writes for a later one to read.
    pub(super) made: Vec<String>,
}

/// What an install asks; `None` where it may read more than manifests, or is no install.
pub(super) fn read(one: &Invocation, words: &[Word]) -> Option<Asked> {
    let says_version = has(one, &["--version", "-V", "-v"]) && one.subcommand.is_empty();
    if says_version && rest(one, words).next().is_none() {
        return Some(Asked::default());
    }
    match one.manager.name.as_str() {
        "pip" => pip(one, words),
        "uv" => uv(one, words),
        "poetry" => poetry(one, words),
        "pipenv" => pipenv(one, words),
        "conda" => conda(one, words),
        "npm" | "yarn" | "pnpm" | "bun" => node(one, words),
        "bundler" => bundler(one, words),
        "gem" => gem(one, words),
        "composer" => composer(one, words),
        "go" => go(one, words),
        "dotnet" => dotnet(one, words),
        "maven" | "gradle" => java(one, words),
        "cargo" => {
            named(one, words).filter(|_| one.subcommand_name == "install" && !has(one, &["--path"]))
        }
        _ => None,
    }
}

/// Whether what a command prints is a list of packages that another one reads.
pub(super) fn writes_list(one: &Invocation) -> bool {
    matches!(
        (one.manager.name.as_str(), one.subcommand_name.as_str()),
        ("poetry", "export") | ("pipenv", "requirements" | "lock") | ("uv", "export")
    )
}

/// The words behind the sub-command that are neither options nor their values.
pub(super) fn rest<'w>(one: &'w Invocation, words: &'w [Word]) -> impl Iterator<Item = &'w Word> {
    let is_option = |index: usize| {
        one.flags.iter().any(|flag| {
            flag.word == index || flag.value.as_ref().is_some_and(|value| value.word == index)
        })
    };
    let behind = words.iter().enumerate().skip(one.command + 1);
    let rest =
        behind.filter(move |(index, _)| !one.subcommand.contains(index) && !is_option(*index));
    rest.map(|(_, word)| word)
}

/// Whether a word names a package of an archive, and not a file or directory of the project.
pub(super) fn is_archived(word: &Word, one: &Invocation) -> bool {
    const FILES: [&str; 12] = [
        ".whl", ".tgz", ".gz", ".zip", ".bz2", ".xz", ".tar", ".deb", ".rpm", ".apk", ".gem",
        ".nupkg",
    ];
    // A version may be a variable: what stands before it is the package.
    let text = match (&word.literal, word.text.trim_matches('"')) {
        (Some(text), _) => text.clone(),
        (None, text) => {
            let end = text.find('$').unwrap_or(text.len());
            let name = text[..end].trim_end_matches(['=', '~', '<', '>', '@', ':', 'v', '-']);
            let is_version = name.len() < end && text[end..].starts_with('$');
            let is_set = text.contains(['*', '`', '(', '?', '{', '~']) && !text.contains("${");
            if !is_version || is_set {
                return false;
            }
            name.to_owned()
        }
    };
    let is_remote = text.contains("://");
    let is_scoped = text.starts_with('@') && text.matches('/').count() == 1;
    let is_module = one.manager.kind == Kind::Go && text.contains('.') && !text.starts_with('.');
    // apk's names for groups of packages start with a dot.
    let is_group = one.manager.kind == Kind::System && !text.contains('/');
    let plain = !text.is_empty()
        && (is_group || !text.starts_with('.'))
        && !text.starts_with(['~', '/', '$'])
        && !text.contains("file:")
        && !text.contains("link:")
        && !text.contains("workspace:");
    let has_place = text.contains('/') && !is_scoped && !is_module;
    plain && (is_remote || !has_place && !FILES.iter().any(|ending| text.ends_with(ending)))
}

fn has(one: &Invocation, flags: &[&str]) -> bool {
    one.flags
        .iter()
        .any(|flag| flags.contains(&flag.name.as_str()))
}

fn need(files: &[&str]) -> Need {
    files.iter().map(|file| (*file).to_owned()).collect()
}

fn asks(needs: Vec<Need>) -> Option<Asked> {
    Some(Asked {
        needs,
        ..Asked::default()
    })
}

/// Packages that are named, and nothing else.
fn named(one: &Invocation, words: &[Word]) -> Option<Asked> {
    let mut rest = rest(one, words).peekable();
    rest.peek()?;
    rest.all(|word| is_archived(word, one)).then(Asked::default)
}

/// The values of options, each literal.
fn values(one: &Invocation, names: &[&str]) -> Option<Vec<String>> {
    let flags = one.flags.iter();
    let flags = flags.filter(|flag| names.contains(&flag.name.as_str()));
    flags
        .map(|flag: &Flag| flag.text().map(str::to_owned))
        .collect()
}

/// The files that options name, but for those that are fetched.
fn files(one: &Invocation, names: &[&str]) -> Option<Vec<Need>> {
    let values = values(one, names)?.into_iter();
    let files = values.filter(|file| !file.contains("://"));
    Some(files.map(|file| vec![file]).collect())
}

fn pip(one: &Invocation, words: &[Word]) -> Option<Asked> {
    const LISTS: [&str; 4] = ["-r", "--requirement", "-c", "--constraint"];
    const LOCAL: [&str; 4] = ["-e", "--editable", "--group", "--config-settings"];
    if matches!(
        one.subcommand_name.as_str(),
        "config" | "config set" | "--version" | "uninstall"
    ) {
        return asks(Vec::new());
    }
    let installs = matches!(
        one.subcommand_name.as_str(),
        "install" | "wheel" | "download"
    );
    let links = values(one, &["-f", "--find-links"])?;
    let local = has(one, &LOCAL) || links.iter().any(|link| !link.contains("://"));
    let archived = rest(one, words).all(|word| is_archived(word, one));
    let named = rest(one, words).next().is_some();
    let needs = files(one, &LISTS)?;
    let listed = has(one, &LISTS[..2]);
    (installs && !local && archived && (named || listed)).then_some(())?;
    asks(needs)
}

fn uv(one: &Invocation, words: &[Word]) -> Option<Asked> {
    match one.subcommand_name.as_str() {
        "pip install" => {
            let lists = [
                "-r",
                "--requirements",
                "--requirement",
                "-c",
                "--constraints",
                "--constraint",
            ];
            let archived = rest(one, words).all(|word| is_archived(word, one));
            let local = has(one, &["-e", "--editable", "--group", "-f", "--find-links"]);
            (archived && !local).then_some(())?;
            asks(files(one, &lists)?)
        }
        "pip sync" => {
            let listed = rest(one, words).map(|word| word.literal.clone());
            let listed: Vec<String> = listed.collect::<Option<_>>()?;
            (!listed.is_empty()).then_some(())?;
            asks(listed.into_iter().map(|file| vec![file]).collect())
        }
        "sync" => {
            has(one, &["--no-install-project", "--no-install-workspace"]).then_some(())?;
            let stray = rest(one, words).next().is_some();
            let moved = has(
                one,
                &["--directory", "--project", "--package", "--config-file"],
            );
            (!stray && !moved).then_some(())?;
            let mut needs = vec![need(&["pyproject.toml"])];
            if has(one, &["--frozen", "--locked"]) {
                needs.push(need(&["uv.lock"]));
            }
            asks(needs)
        }
        "export" => {
            let mut asked = asks(vec![need(&["pyproject.toml"]), need(&["uv.lock"])])?;
            asked.made = values(one, &["-o", "--output-file"])?;
            Some(asked)
        }
        "venv" => asks(Vec::new()),
        "tool install" | "python install" => named(one, words),
        _ => None,
    }
}

fn poetry(one: &Invocation, words: &[Word]) -> Option<Asked> {
    let moved = has(
        one,
        &["-C", "--directory", "-P", "--project", "--only-root"],
    );
    let stray = || rest(one, words).next().is_some();
    match one.subcommand_name.as_str() {
        _ if moved => None,
        "install" | "sync" => {
            (has(one, &["--no-root"]) && !stray()).then_some(())?;
            asks(vec![need(&["pyproject.toml"])])
        }
        "self add" => named(one, words),
        "export" => {
            let mut asked = asks(vec![need(&["pyproject.toml"])])?;
            asked.made = values(one, &["-o", "--output"])?;
            Some(asked)
        }
        "config" => (!has(one, &["--local"])).then(Asked::default),
        "" if has(one, &["--version"]) => asks(Vec::new()),
        _ => None,
    }
}

fn pipenv(one: &Invocation, words: &[Word]) -> Option<Asked> {
    let local = has(one, &["-e", "--editable", "-r", "--requirements"]);
    let stray = rest(one, words).next().is_some();
    let locked = has(one, &["--deploy", "--ignore-pipfile"]);
    match one.subcommand_name.as_str() {
        _ if local || stray => None,
        "sync" | "requirements" => asks(vec![need(&["Pipfile.lock"])]),
        "install" if locked => asks(vec![need(&["Pipfile"]), need(&["Pipfile.lock"])]),
        "install" | "lock" => asks(vec![need(&["Pipfile"])]),
        _ => None,
    }
}

fn conda(one: &Invocation, words: &[Word]) -> Option<Asked> {
    let files = files(one, &["-f", "--file"])?;
    let archived = rest(one, words).all(|word| is_archived(word, one));
    let is_empty = files.is_empty();
    match one.subcommand_name.as_str() {
        _ if !archived => None,
        "env create" | "env update" if is_empty => asks(vec![need(&["environment.yml"])]),
        "env create" | "env update" => asks(files),
        "install" | "create" | "update" => asks(files),
        "config" => asks(Vec::new()),
        _ => None,
    }
}

fn node(one: &Invocation, words: &[Word]) -> Option<Asked> {
    let name = one.manager.name.as_str();
    let sub = one.subcommand_name.as_str();
    let is_global = has(one, &["-g", "--global"])
        || sub.starts_with("global ")
        || values(one, &["--location"])?
            .iter()
            .any(|place| place == "global");
    let stray = rest(one, words).next().is_some();
    if is_global {
        return named(one, words).filter(|_| one.role == Role::Install);
    }
    if name == "npm" && matches!(sub, "config" | "config set" | "set" | "--version") {
        return asks(Vec::new());
    }
    let installs = match name {
        "yarn" => matches!(sub, "" | "install"),
        "pnpm" => matches!(sub, "install" | "i" | "fetch"),
        "bun" => matches!(sub, "install" | "i" | "ci"),
        _ => matches!(
            sub,
            "install" | "i" | "ci" | "clean-install" | "install-clean"
        ),
    };
    (installs && !stray && !has(one, &["--global-folder", "-h", "--help", "-v", "--version"]))
        .then_some(())?;
    let is_strict = matches!(sub, "ci" | "clean-install" | "install-clean" | "fetch")
        || has(
            one,
            &["--frozen-lockfile", "--immutable", "--immutable-cache"],
        );
    let locks: &[&str] = match name {
        "yarn" => &["yarn.lock"],
        "pnpm" => &["pnpm-lock.yaml"],
        "bun" => &["bun.lock", "bun.lockb"],
        _ => &["package-lock.json", "npm-shrinkwrap.json"],
    };
    let mut asked = Asked::default();
    if sub != "fetch" {
        asked.needs.push(need(&["package.json"]));
    }
    if is_strict {
        asked.needs.push(need(locks));
    }
    let directories = values(one, &["--prefix", "-C", "--cwd", "--dir"])?;
    (directories.len() < 2).then_some(())?;
    asked.directory = directories.into_iter().next();
    Some(asked)
}

fn bundler(one: &Invocation, words: &[Word]) -> Option<Asked> {
    if one.subcommand_name == "config"
        || words
            .get(one.command + 1)
            .is_some_and(|word| word.text == "config")
    {
        return asks(Vec::new());
    }
    let installs = matches!(one.subcommand_name.as_str(), "" | "install" | "i");
    // `--without` and `--with` take the names of groups, as many as there are.
    let grouped = has(one, &["--without", "--with"]);
    let is_group = |word: &Word| {
        let name = word.literal.as_deref().unwrap_or("/");
        name.chars()
            .all(|ch| ch.is_alphanumeric() || "_-:".contains(ch))
    };
    let stray = rest(one, words).any(|word| !grouped || !is_group(word));
    (installs && !stray).then_some(())?;
    let files = files(one, &["--gemfile"])?;
    let mut needs = match files.is_empty() {
        true => vec![need(&["Gemfile"])],
        false => files,
    };
    if has(one, &["--deployment", "--frozen"]) {
        needs.push(need(&["Gemfile.lock"]));
    }
    asks(needs)
}

fn gem(one: &Invocation, words: &[Word]) -> Option<Asked> {
    let from_file = has(one, &["-g", "--file", "-l", "--local"]);
    let updates = one.subcommand_name == "update" && has(one, &["--system"]);
    match one.role {
        Role::Install if !from_file => named(one, words),
        Role::Upgrade if updates => asks(Vec::new()),
        _ => None,
    }
}

fn composer(one: &Invocation, words: &[Word]) -> Option<Asked> {
    let stray = || rest(one, words).next().is_some();
    match one.subcommand_name.as_str() {
        "install" | "i" => {
            let quiet = has(one, &["--no-scripts"]) && has(one, &["--no-autoloader"]);
            (quiet && !stray()).then_some(())?;
            let mut asked = asks(vec![need(&["composer.json"])])?;
            let directories = values(one, &["-d", "--working-dir"])?;
            (directories.len() < 2).then_some(())?;
            asked.directory = directories.into_iter().next();
            Some(asked)
        }
        "global require" => named(one, words),
        "self-update" | "selfupdate" | "global config" => asks(Vec::new()),
        "config" => has(one, &["-g", "--global"]).then(Asked::default),
        _ => None,
    }
}

fn go(one: &Invocation, words: &[Word]) -> Option<Asked> {
    let moved = has(one, &["-C", "-modfile"]);
    let versioned =
        || rest(one, words).all(|word| word.text.contains('@') && is_archived(word, one));
    match one.subcommand_name.as_str() {
        _ if moved => None,
        "mod download" => versioned().then(|| asks(vec![need(&["go.mod", "go.work"])]))?,
        "install" => named(one, words).filter(|_| versioned()),
        "env" | "version" => asks(Vec::new()),
        _ => None,
    }
}

fn dotnet(one: &Invocation, words: &[Word]) -> Option<Asked> {
    const PROJECTS: [&str; 5] = ["*.csproj", "*.fsproj", "*.vbproj", "*.sln", "*.slnx"];
    match one.subcommand_name.as_str() {
        "restore" => {
            let named = rest(one, words).map(|word| word.literal.clone());
            let named: Vec<String> = named.collect::<Option<_>>()?;
            let needs = match named.as_slice() {
                [] => vec![need(&PROJECTS)],
                [path] if is_project(path) => vec![vec![path.clone()]],
                [directory] => {
                    let directory = directory.trim_end_matches('/');
                    vec![
                        PROJECTS
                            .iter()
                            .map(|file| format!("{directory}/{file}"))
                            .collect(),
                    ]
                }
                _ => return None,
            };
            let configured = files(one, &["--configfile"])?;
            asks([needs, configured].concat())
        }
        "tool install" if has(one, &["-g", "--global", "--tool-path"]) => named(one, words),
        "workload install" => named(one, words),
        _ => None,
    }
}

/// Whether a path is one of a project or solution of .NET.
pub(super) fn is_project(path: &str) -> bool {
    [".csproj", ".fsproj", ".vbproj", ".sln", ".slnx"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

fn java(one: &Invocation, words: &[Word]) -> Option<Asked> {
    let goals = one
        .subcommand
        .iter()
        .map(|index| words.get(*index)?.literal.as_deref());
    let goals: Vec<&str> = goals.collect::<Option<_>>()?;
    let is_maven = one.manager.name == "maven";
    let fetches = |goal: &&str| match is_maven {
        true => {
            goal.contains("dependency")
                && goal.rsplit(':').next().is_some_and(|goal| {
                    matches!(
                        goal,
                        "go-offline" | "resolve" | "resolve-plugins" | "resolve-dependencies"
                    )
                })
        }
        false => matches!(goal.rsplit(':').next(), Some("dependencies")),
    };
    let stray = rest(one, words).next().is_some();
    (!goals.is_empty() && goals.iter().all(fetches) && !stray).then_some(())?;
    let moved = has(
        one,
        &[
            "-p",
            "--project-dir",
            "-c",
            "--settings-file",
            "-I",
            "--init-script",
        ],
    );
    (!moved).then_some(())?;
    let files = files(one, &["-f", "--file", "-b", "--build-file"])?;
    let settings = match is_maven {
        true => self::files(one, &["-s", "--settings", "-gs", "--global-settings"])?,
        false => Vec::new(),
    };
    let project = match (is_maven, files.is_empty()) {
        (_, false) => files,
        (true, true) => vec![need(&["pom.xml"])],
        (false, true) => vec![need(&[
            "build.gradle",
            "build.gradle.kts",
            "settings.gradle",
            "settings.gradle.kts",
        ])],
    };
    asks([project, settings].concat())
}
