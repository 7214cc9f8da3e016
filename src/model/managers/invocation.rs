//! One command as an invocation of a package manager: sub-command, packages, flags, manifests.

use super::{Manager, Role, reader};
use crate::syntax::shell::Word;

/// What a command asks of a package manager. All indexes are of the command's words, which have the spans.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Whom it asks.
    pub manager: &'static Manager,
    /// What it asks for.
    pub role: Role,
    /// The words of the commands around it (`sudo`, `env`, …), with their options.
    pub wrappers: Vec<usize>,
    /// Whether a wrapper runs it as another user than the step's (`sudo`).
    pub other_user: bool,
    /// The manager's own word; in `python -m pip` that is `pip`.
    pub command: usize,
    /// The sub-command's words: `install`, or `mod` and `download`; the goals of Maven and Gradle. Empty without one.
    pub subcommand: Vec<usize>,
    /// The sub-command's words joined by blanks, as the table lists it.
    pub subcommand_name: String,
    /// Options, in order; several of one word where it is a cluster (`-qqy`).
    pub flags: Vec<Flag>,
    /// Words behind the sub-command that name packages or paths, literal ones only.
    pub packages: Vec<usize>,
    /// The other words behind the sub-command that are no options, where it takes no packages (`npm run build`).
    pub arguments: Vec<usize>,
    /// Values of the options that name a manifest (`-r requirements.txt`).
    pub manifests: Vec<Value>,
    /// Values of the options that name a directory to install into or to work in.
    pub targets: Vec<Value>,
    /// Some word is not literal: there may be packages, flags or (before the sub-command) a sub-command that is not
    /// seen.
    pub dynamic: bool,
}

/// An option of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Its word.
    pub word: usize,
    /// With its dashes, without a value.
    pub name: String,
    /// Its value, behind `=`, in the same word or in the next one.
    pub value: Option<Value>,
}

/// The value of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The word that it stands in.
    pub word: usize,
    /// The value, where it is literal.
    pub text: Option<String>,
}

/// Reads the words of a command as an invocation of a package manager; `None` where it is none, or where a shell,
/// `eval` or `xargs` stands between.
pub fn invocation(words: &[Word]) -> Option<Invocation> {
    let mut invocation = reader::read(words)?;
    invocation.settle();
    Some(invocation)
}

impl Invocation {
    /// The flags of that name, dashes included.
    pub fn flags_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Flag> {
        self.flags.iter().filter(move |flag| flag.name == name)
    }

    /// Whether one of these flags is given, each as the table writes it: `--name`, or `--name=value`. A flag that is
    /// switched off (`--name=false`) is not given.
    pub fn has_any(&self, listed: &[String]) -> bool {
        listed.iter().any(|one| match one.split_once('=') {
            None => self.flags_named(one).any(|flag| !flag.is_off()),
            Some((name, value)) => self.flags_named(name).any(|flag| flag.is(value)),
        })
    }

    /// Whether it answers prompts with yes by a flag.
    pub fn assumes_yes(&self) -> bool {
        self.has_any(&self.manager.yes)
    }

    /// Whether it keeps no cache by a flag.
    pub fn keeps_no_cache(&self) -> bool {
        self.has_any(&self.manager.no_cache)
    }

    /// Whether it leaves out recommended or development packages by a flag.
    pub fn is_lean(&self) -> bool {
        self.has_any(&self.manager.lean)
    }

    /// Whether it is told to work for the whole image and not for a project (`npm install -g`, `yarn global add`).
    pub fn is_global(&self) -> bool {
        let mut flags = self.flags.iter();
        self.subcommand_name.starts_with("global")
            || flags.any(|flag| matches!(flag.name.as_str(), "-g" | "--global"))
    }

    /// Whether it may be: `--location` says so by its value.
    pub fn may_be_global(&self) -> bool {
        self.is_global() || self.flags_named("--location").next().is_some()
    }

    /// Whether packages are named, or may be by a word that is not literal.
    pub fn names_packages(&self) -> bool {
        self.dynamic || !self.packages.is_empty()
    }

    /// Whether it installs a newer version of the manager itself, on an image of family `family` beside the old one: a
    /// shell that has run the old one goes on running it.
    pub fn shadows_itself(&self, words: &[Word], family: impl Fn(&str) -> bool) -> bool {
        let Some(families) = &self.manager.upgrades_in_place else {
            return false;
        };
        let name = self.manager.name.as_str();
        let is_itself = |index: &usize| {
            let rest = words
                .get(*index)
                .and_then(|word| word.text.strip_prefix(name));
            rest.is_some_and(|rest| {
                !rest.starts_with(|ch: char| ch.is_alphanumeric() || "-_".contains(ch))
            })
        };
        let installs = matches!(self.role, Role::Install | Role::Upgrade);
        installs && self.packages.iter().any(is_itself) && !families.iter().any(|one| family(one))
    }

    /// Settles the role once all words are read.
    fn settle(&mut self) {
        let manager = self.manager;
        self.role = match manager.role(&self.subcommand_name) {
            _ if manager.goals => return self.settle_goals(),
            Some(role) => role,
            None if self.subcommand.is_empty() => manager.bare.unwrap_or(Role::Other),
            None => Role::Other,
        };
        let updates = matches!(self.role, Role::UpdateIndex | Role::Upgrade);
        if let Some(named) = manager.named
            && updates
            && self.names_packages()
        {
            self.role = named;
        }
        let takes_packages = matches!(self.role, Role::Install | Role::Upgrade | Role::Remove)
            && !manager.without_packages.contains(&self.subcommand_name);
        if !takes_packages {
            self.arguments.append(&mut self.packages);
        }
    }

    /// Of several goals the one that does most gives the role: to run, to build, to install.
    fn settle_goals(&mut self) {
        let roles = self.subcommand_name.split(' ').map(|goal| {
            // Gradle's `:app:build` is the task `build` of a sub-project, and so is `app:build`.
            let of_project = goal.starts_with(':') || self.manager.name == "gradle";
            let task = goal.rsplit(':').next().filter(|_| of_project);
            self.manager.role(task.unwrap_or(goal))
        });
        self.role = roles.flatten().min().unwrap_or(Role::Other);
    }
}

impl Flag {
    fn is(&self, value: &str) -> bool {
        self.text() == Some(value)
    }

    fn is_off(&self) -> bool {
        matches!(self.text(), Some("false" | "0" | "no"))
    }

    /// The value, where there is one and it is literal.
    pub fn text(&self) -> Option<&str> {
        self.value.as_ref()?.text.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Span;

    /// Words split at blanks; one with a `$` or `*` is not literal.
    fn words(command: &str) -> Vec<Word> {
        let word = |text: &str| Word {
            span: Span::default(),
            text: text.to_owned(),
            literal: (!text.contains(['$', '*'])).then(|| text.to_owned()),
            substitutions: Vec::new(),
        };
        command.split_whitespace().map(word).collect()
    }

    fn read(command: &str) -> Option<Invocation> {
        invocation(&words(command))
    }

    /// `manager role [sub-command] packages -flags=value (manifests)`, for a table of cases.
    fn show(command: &str) -> String {
        let all = words(command);
        let Some(read) = invocation(&all) else {
            return "none".to_owned();
        };
        let text = |word: &usize| all[*word].text.clone();
        let mut out = vec![
            read.manager.name.clone(),
            format!("{:?}", read.role),
            format!("[{}]", read.subcommand_name),
        ];
        out.extend(read.packages.iter().map(text));
        out.extend(read.arguments.iter().map(|word| format!("~{}", text(word))));
        out.extend(read.flags.iter().map(|flag| match &flag.value {
            None => flag.name.clone(),
            Some(value) => format!("{}={}", flag.name, value.text.as_deref().unwrap_or("?")),
        }));
        let manifest = |value: &Value| format!("({})", value.text.as_deref().unwrap_or("?"));
        out.extend(read.manifests.iter().map(manifest));
        out.extend(read.dynamic.then(|| "dynamic".to_owned()));
        out.join(" ")
    }

    fn check(cases: &[(&str, &str)]) {
        for (command, expected) in cases {
            assert_eq!(show(command), *expected, "{command}");
        }
    }

    #[test]
    fn system_packages() {
        check(&[
            ("apt-get update", "apt UpdateIndex [update]"),
            (
                "apt-get install -y curl git",
                "apt Install [install] curl git -y",
            ),
            (
                "apt-get -qqy install curl",
                "apt Install [install] curl -q -q -y",
            ),
            ("apt-get install -qq curl", "apt Install [install] curl -qq"),
            (
                "apt-get -o Acquire::Retries=3 install -t buster-backports a",
                "apt Install [install] a -o=Acquire::Retries=3 -t=buster-backports",
            ),
            (
                "apt-get install -yt sid a --no-install-recommends",
                "apt Install [install] a -y -t=sid --no-install-recommends",
            ),
            ("apt-get install $PKGS a", "apt Install [install] a dynamic"),
            ("apt-get $OPTS install a", "apt Install [install] a dynamic"),
            ("apt-get clean", "apt Clean [clean]"),
            ("apt-get", "apt Other []"),
            (
                "apk add --no-cache -t .deps gcc",
                "apk Install [add] gcc --no-cache -t=.deps",
            ),
            ("apk --no-cache add git", "apk Install [add] git --no-cache"),
            (
                "apk --update --virtual .deps add gcc",
                "apk Install [add] gcc --update --virtual=.deps",
            ),
            ("apk del .deps", "apk Remove [del] .deps"),
            (
                "yum -y groupinstall tools",
                "dnf Install [groupinstall] tools -y",
            ),
            (
                "dnf group install tools",
                "dnf Install [group install] tools",
            ),
            ("dnf clean all", "dnf Clean [clean] ~all"),
            (
                "zypper -n in -t pattern x",
                "zypper Install [in] x -n -t=pattern",
            ),
            (
                "pacman -S --noconfirm git",
                "pacman Install [-S] git --noconfirm",
            ),
            (
                "pacman -Syu --noconfirm",
                "pacman Upgrade [-Syu] --noconfirm",
            ),
            ("pacman -Syu git", "pacman Install [-Syu] git"),
            ("pacman -Sy", "pacman UpdateIndex [-Sy]"),
        ]);
    }

    #[test]
    fn language_packages() {
        check(&[
            (
                "pip install --no-cache-dir -r requirements.txt",
                "pip Install [install] --no-cache-dir -r=requirements.txt (requirements.txt)",
            ),
            (
                "pip3.11 install -Ur a.txt -rb.txt --requirement=c.txt",
                "pip Install [install] -U -r=a.txt -r=b.txt --requirement=c.txt (a.txt) (b.txt) (c.txt)",
            ),
            ("pip install -e . flask", "pip Install [install] flask -e=."),
            (
                "pip install -r $REQS",
                "pip Install [install] -r=? (?) dynamic",
            ),
            (
                "pip install --prefix=$P x",
                "pip Install [install] x --prefix=? dynamic",
            ),
            ("uv pip install flask", "uv Install [pip install] flask"),
            (
                "uv sync --frozen --no-dev",
                "uv Install [sync] --frozen --no-dev",
            ),
            (
                "poetry install --no-root",
                "poetry Install [install] --no-root",
            ),
            (
                "conda env create -f env.yml",
                "conda Install [env create] -f=env.yml (env.yml)",
            ),
            ("conda clean -afy", "conda Clean [clean] -a -f -y"),
            ("npm ci --omit=dev", "npm Install [ci] --omit=dev"),
            (
                "npm install --unsafe-perm true -g pm2",
                "npm Install [install] pm2 --unsafe-perm=true -g",
            ),
            ("npm run build", "npm Run [run] ~build"),
            ("npm run build -- --prod", "npm Run [run] ~build ~--prod"),
            ("npm cache clean --force", "npm Clean [cache clean] --force"),
            ("npm cache ls", "npm Other [cache ls]"),
            ("yarn", "yarn Install []"),
            (
                "yarn --frozen-lockfile",
                "yarn Install [] --frozen-lockfile",
            ),
            ("yarn global add x", "yarn Install [global add] x"),
            ("yarn serve", "yarn Other [serve]"),
            (
                "bundle install --jobs 4 --without development test",
                "bundler Install [install] ~test --jobs=4 --without=development",
            ),
            (
                "composer install -d app",
                "composer Install [install] -d=app",
            ),
            ("go mod download", "go Install [mod download]"),
            (
                "go build -o /bin/x -ldflags -s ./cmd/x",
                "go Build [build] ~./cmd/x -o=/bin/x -ldflags=-s",
            ),
            ("go env", "go Other [env]"),
            (
                "cargo +nightly build --release",
                "cargo Build [build] ~+nightly --release",
            ),
            ("cargo install --path .", "cargo Install [install] --path=."),
            (
                "./mvnw -B -DskipTests clean package",
                "maven Build [clean package] -B -DskipTests",
            ),
            (
                "mvn dependency:go-offline",
                "maven Install [dependency:go-offline]",
            ),
            (
                "gradle -x test :app:bootJar",
                "gradle Build [:app:bootJar] -x=test",
            ),
            ("gradle clean", "gradle Other [clean]"),
            (
                "dotnet publish app.csproj -c Release /p:X=y:z -o /out",
                "dotnet Build [publish] ~app.csproj -c=Release /p:X=y:z -o=/out",
            ),
            (
                "dotnet tool install -g x",
                "dotnet Install [tool install] x -g",
            ),
        ]);
    }

    #[test]
    fn wrappers() {
        check(&[
            ("/usr/bin/apt-get update", "apt UpdateIndex [update]"),
            ("sudo -E -u root apt-get update", "apt UpdateIndex [update]"),
            ("env -u X A=b time npm ci", "npm Install [ci]"),
            ("timeout -k 5 300 npm ci", "npm Install [ci]"),
            ("nice -n 10 make", "none"),
            ("python3 -u -m pip install x", "pip Install [install] x"),
            ("python -m venv /v", "none"),
            ("python setup.py install", "none"),
            ("corepack yarn install", "yarn Install [install]"),
            ("corepack enable", "none"),
            ("command -v npm", "none"),
            ("command npm ci", "npm Install [ci]"),
            ("sh -c npm", "none"),
            ("xargs apt-get install", "none"),
            ("$PIP install x", "none"),
            ("sudo", "none"),
            ("", "none"),
        ]);
        let sudo = read("sudo -H pip install x").unwrap();
        assert_eq!((sudo.wrappers, sudo.command), (vec![0, 1], 2));
        assert!(sudo.other_user);
        let python = read("env python3 -m pip install x").unwrap();
        assert_eq!((python.wrappers, python.command), (vec![0], 3));
    }

    #[test]
    fn questions() {
        let read = |command| read(command).unwrap();
        assert!(read("apt-get install -qy x").assumes_yes());
        assert!(read("apt-get install -qq x").assumes_yes());
        assert!(!read("apt-get install -q x").assumes_yes());
        assert!(read("pip install --no-cache-dir x").keeps_no_cache());
        assert!(read("npm ci --omit dev").is_lean());
        assert!(read("npm ci --omit=dev").is_lean());
        assert!(!read("npm ci --omit=optional").is_lean());
        assert!(read("yarn --production").is_lean());
        assert!(read("yarn --production=true").is_lean());
        assert!(!read("yarn --production=false").is_lean());
        assert!(read("dnf --setopt=install_weak_deps=False install x").is_lean());
        assert!(read("pip install $X").names_packages());
        assert!(!read("pip install -r x").names_packages());
    }

    #[test]
    fn targets() {
        let read = read("pip install --prefix=/install -t lib x").unwrap();
        let texts: Vec<_> = read
            .targets
            .iter()
            .map(|value| value.text.as_deref())
            .collect();
        assert_eq!(texts, [Some("/install"), Some("lib")]);
        assert_eq!(read.targets[1].word, 4);
    }
}
