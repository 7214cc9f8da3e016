//! Which differences of two images the effects of the applied rules declare, and which any two builds of one Dockerfile
//! have.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use dockeropt::model::managers;
use dockeropt::rule::Effect;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::tree::{Difference, Tree};
use crate::files::files_under;

/// Files whose content tells when or where it was written. Found by building every application twice: see
/// `builds_of_one_file_differ_in_noise_only`. What package managers keep in their caches is of that kind too.
const NOISE: [&str; 9] = [
    // When packages were installed.
    "/var/log/{dpkg,alternatives}.log",
    "/var/log/apt/*.log",
    // Inodes and times of libraries.
    "/var/cache/ldconfig/aux-cache",
    // The time of the source.
    "**/*.pyc",
    // When crates were used, as a database.
    "/usr/local/cargo/.global-cache",
    // What rustc said, in any order.
    "**/target/.rustc_info.json",
    // When pnpm last pruned, and when it last looked for a newer one of itself.
    "**/node_modules/.modules.yaml",
    "/root/.local/state/pnpm/pnpm-state.json",
    // When go counted what it was used for.
    "/root/.config/go/telemetry/**",
];

/// The same of folders of which not even the names are always the same: compiled JavaScript.
const NOISY_FOLDERS: [&str; 1] = ["/tmp/v8-compile-cache-*/**"];

/// What package managers and the scripts of packages make out of the set of installed packages.
const PACKAGE_STATE: [&str; 21] = [
    "/var/lib/dpkg/status",
    "/var/lib/dpkg/status-old",
    // Which packages were installed for others.
    "/var/lib/apt/extended_states",
    // Which of several programs of one kind is the one to use.
    "/etc/alternatives/*",
    "/var/lib/dpkg/alternatives/*",
    "/var/log/alternatives.log",
    // Groups, such as the one of OpenSSH's agent.
    "/etc/group",
    "/etc/group-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/run/adduser",
    // Which libraries there are.
    "/etc/ld.so.cache",
    // What packages ask when they are installed.
    "/var/cache/debconf/*.dat",
    "/var/cache/debconf/*.dat-old",
    // What the scripts of netbase and fontconfig-config make.
    "/etc/networks",
    "/etc/fonts/conf.d/*",
    "/usr/local/share/fonts",
    // Which packages npm and composer installed, and bundler is to leave out.
    "**/node_modules/.package-lock.json",
    "**/vendor/composer/*",
    "**/.bundle",
    "**/.bundle/config",
];

/// Where packages stand, and how many folders name one.
const LIBRARIES: [(&str, usize); 3] = [
    ("/node_modules/", 1),
    ("/site-packages/", 1),
    ("/vendor/", 2),
];

/// What gem writes for readers.
const GEM_DOCUMENTS: [&str; 1] = ["/var/lib/gems/*/doc/**"];

/// What apt asked its solver: another question where there are no package lists, or fewer packages.
const SOLVER_LOG: &str = "/var/log/apt/eipp.log.xz";

static NOISY: LazyLock<GlobSet> = LazyLock::new(|| globs(&NOISE));
static NOISY_BELOW: LazyLock<GlobSet> = LazyLock::new(|| globs(&NOISY_FOLDERS));
static STATE: LazyLock<GlobSet> = LazyLock::new(|| globs(&PACKAGE_STATE));
static DOCUMENTS: LazyLock<GlobSet> = LazyLock::new(|| globs(&GEM_DOCUMENTS));

fn globs(patterns: &[&str]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        set.add(glob.unwrap());
    }
    set.build().unwrap()
}

/// The trees of one application before and after, and what the applied rules may change between them.
pub(crate) struct Declared<'t> {
    before: &'t Tree,
    after: &'t Tree,
    effects: &'t [Effect],
    /// The rewritten Dockerfile.
    text: &'t str,
    /// The build context.
    context: &'t Path,
    /// The folders of the caches and indexes of package managers.
    caches: Vec<String>,
    /// The files of the Debian packages that are no longer there.
    dropped: BTreeSet<String>,
}

impl<'t> Declared<'t> {
    /// `env` is that of the image, which may move caches; `text` is the rewritten Dockerfile, and `context` the build
    /// context.
    pub(crate) fn new(
        trees: [&'t Tree; 2],
        effects: &'t [Effect],
        env: &[&str],
        text: &'t str,
        context: &'t Path,
    ) -> Self {
        let [before, after] = trees;
        Self {
            before,
            after,
            effects,
            text,
            context,
            caches: caches(&before.folders_in("/home"), env),
            dropped: dropped(before, after),
        }
    }

    /// Whether two builds of one Dockerfile may differ so.
    pub(crate) fn is_noise(&self, difference: &Difference) -> bool {
        let path = &difference.path;
        let both = |cache: &str| self.before.has_below(cache) && self.after.has_below(cache);
        NOISY_BELOW.is_match(path)
            || (difference.is_content() && NOISY.is_match(path))
            || self.cache_of(path).is_some_and(both)
    }

    /// Whether some effect declares it.
    pub(crate) fn covers(&self, difference: &Difference) -> bool {
        self.effects.iter().any(|effect| match effect {
            Effect::Caches => self.is_cache(difference),
            Effect::Packages => self.is_package(difference),
            Effect::Temp => self.is_download(difference),
            Effect::BuildCache => is_left_in_target(difference),
            Effect::File(name) => self.is_left_out(difference, name),
            _ => false,
        })
    }

    /// Something in a cache, or a folder that stands for nothing but caches: `~/.cache` above `~/.cache/pip`.
    fn is_cache(&self, difference: &Difference) -> bool {
        let path = &difference.path;
        let above = format!("{path}/");
        let is_above = self.caches.iter().any(|cache| cache.starts_with(&above));
        // The setting which deletes the archives that a cache mount is to keep.
        let deletes_archives = path == "/etc/apt/apt.conf.d/docker-clean";
        self.cache_of(path).is_some()
            || (is_above && difference.is_directory())
            || (deletes_archives && difference.is_gone())
            || path == SOLVER_LOG
            || self.is_compiled(path)
    }

    /// Python keeps what it compiles of the modules that it runs, and a cache that is off runs fewer.
    fn is_compiled(&self, path: &str) -> bool {
        source_of(path).is_some_and(|source| self.before.has(&source) && self.after.has(&source))
    }

    /// A file of a package that is no longer there, or of what is made out of the set of packages.
    fn is_package(&self, difference: &Difference) -> bool {
        let path = source_of(&difference.path).unwrap_or(difference.path.clone());
        let is_made = STATE.is_match(&path) || path == SOLVER_LOG;
        is_made || (difference.is_gone() && self.is_dropped(&path))
    }

    /// Whether a path belongs to a package that is no longer there.
    fn is_dropped(&self, path: &str) -> bool {
        let libraries = LIBRARIES.iter();
        let mut packages =
            libraries.filter_map(|(library, names)| package_of(path, library, *names));
        self.dropped.contains(path)
            || packages.any(|package| !self.after.has(&package))
            || DOCUMENTS.is_match(path)
    }

    /// A file that the Dockerfile names, and that is gone.
    fn is_download(&self, difference: &Difference) -> bool {
        let name = last_component(&difference.path);
        let mut named = self.text.split_whitespace().map(last_component);
        difference.is_gone() && difference.was_file() && named.any(|one| one == name)
    }

    /// An ignore file that the context did not hold, a file of the context that it keeps out, or a folder of such files.
    fn is_left_out(&self, difference: &Difference, ignore: &str) -> bool {
        let name = last_component(&difference.path);
        if name == ignore {
            return !difference.is_gone();
        }
        let mut files = files_under(self.context).into_iter();
        difference.is_gone()
            && files.any(|file| match difference.is_directory() {
                true => file.parent().unwrap().iter().any(|one| one == name),
                false => file.ends_with(name) && difference.was(&std::fs::read(&file).unwrap()),
            })
    }

    /// The folder of the cache that a path lies in.
    fn cache_of(&self, path: &str) -> Option<&str> {
        let is_in = |cache: &&String| path.strip_prefix(*cache).is_some_and(is_end_or_below);
        self.caches.iter().find(is_in).map(String::as_str)
    }
}

/// What cargo leaves beside the programs, which then stay in the mount.
fn is_left_in_target(difference: &Difference) -> bool {
    difference.is_gone() && difference.path.split('/').any(|part| part == "target")
}

fn last_component(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_end_or_below(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

/// The caches of all package managers, for the superuser and those who have one of these homes.
fn caches(homes: &[&str], env: &[&str]) -> Vec<String> {
    let homes = || homes.iter().copied().chain(["/root"]);
    let mut caches = Vec::new();
    for manager in managers::all() {
        for path in manager.index_paths.iter().chain(&manager.cache_paths) {
            match path.strip_prefix('~') {
                Some(rest) => caches.extend(homes().map(|home| format!("{home}{rest}"))),
                None => caches.push(path.clone()),
            }
        }
        let moved = env.iter().filter_map(|pair| pair.split_once('='));
        for (name, value) in moved {
            let below = manager.cache_env.get(name).into_iter().flatten();
            caches.extend(
                below.map(|rest| format!("{value}/{rest}").trim_end_matches('/').to_owned()),
            );
        }
    }
    caches
}

/// The files of the Debian packages that are no longer there, with what dpkg knows of those packages.
fn dropped(before: &Tree, after: &Tree) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for (list, text) in before.package_lists() {
        if after.has(list) {
            continue;
        }
        let info = list.trim_end_matches("list");
        files.extend(before.starting_with(info).map(str::to_owned));
        files.extend(text.lines().map(resolved));
    }
    files
}

/// A path as dpkg has it, where `/bin`, `/sbin` and `/lib` are links into `/usr`.
fn resolved(path: &str) -> String {
    let is_link = |folder: &&str| path.strip_prefix(*folder).is_some_and(is_end_or_below);
    match ["/bin", "/sbin", "/lib", "/lib64"].iter().any(is_link) {
        true => format!("/usr{path}"),
        false => path.to_owned(),
    }
}

/// The module that a file of compiled Python is made of.
fn source_of(compiled: &str) -> Option<String> {
    let (folder, name) = compiled
        .strip_suffix(".pyc")?
        .rsplit_once("/__pycache__/")?;
    let (module, _) = name.split_once('.')?;
    Some(format!("{folder}/{module}.py"))
}

/// The folder of the package that a path below such a library belongs to: `/a/node_modules/@scope/b/c.js` to
/// `/a/node_modules/@scope/b`. What `.bin` links to goes with it.
fn package_of(path: &str, library: &str, names: usize) -> Option<String> {
    let start = path.rfind(library)? + library.len();
    let (root, rest) = path.split_at(start);
    let is_scope = rest.starts_with('@') || rest.starts_with(".bin/");
    let names = rest.split('/').take(names + usize::from(is_scope));
    Some(format!("{root}{}", names.collect::<Vec<_>>().join("/")))
}

#[cfg(test)]
mod tests {
    use dockeropt::rule::Effect;

    use super::super::tree::{Tree, differences};
    use super::Declared;

    /// The paths that differ, and that neither these effects nor noise account for.
    fn undeclared(
        before: &[(&str, &str)],
        after: &[(&str, &str)],
        effects: &[Effect],
    ) -> Vec<String> {
        let trees = [before, after].map(Tree::of_files);
        let env = ["GOPATH=/elsewhere"];
        let context = tempfile::tempdir().unwrap();
        std::fs::write(context.path().join("a.log"), "one").unwrap();
        let declared = Declared::new(
            [&trees[0], &trees[1]],
            effects,
            &env,
            "RUN rm /opt/a.tar.gz",
            context.path(),
        );
        let all = differences(&trees[0], &trees[1]).into_iter();
        let wrong = all.filter(|one| !declared.is_noise(one) && !declared.covers(one));
        wrong.map(|one| one.path).collect()
    }

    #[test]
    fn caches_go_where_caches_are_declared() {
        let before = [
            ("/var/lib/apt/lists/a", ""),
            ("/root/.cache/pip/b", ""),
            ("/home/ada/", ""),
            ("/home/ada/.npm/c", ""),
            ("/elsewhere/pkg/mod/d", ""),
        ];
        let all = [
            "/elsewhere/pkg/mod/d",
            "/home/ada/.npm/c",
            "/root/.cache/pip/b",
            "/var/lib/apt/lists/a",
        ];
        assert_eq!(undeclared(&before, &[("/home/ada/", "")], &[]), all);
        assert_eq!(
            undeclared(&before, &[("/home/ada/", "")], &[Effect::Packages]),
            all
        );
        let none: [&str; 0] = [];
        assert_eq!(
            undeclared(&before, &[("/home/ada/", "")], &[Effect::Caches]),
            none
        );
    }

    #[test]
    fn other_files_do_not_go_with_caches() {
        let before = [
            ("/root/.cache/", ""),
            ("/root/.cache/mine", ""),
            ("/var/lib/apt/periodic", ""),
        ];
        let left = ["/root/.cache/mine", "/var/lib/apt/periodic"];
        assert_eq!(undeclared(&before, &[], &[Effect::Caches]), left);
    }

    #[test]
    fn caches_that_both_have_may_hold_other_things() {
        let (before, after) = ([("/root/.npm/_logs/1", "")], [("/root/.npm/_logs/2", "")]);
        assert!(undeclared(&before, &after, &[]).is_empty());
    }

    #[test]
    fn files_of_packages_go_with_their_package_only() {
        let before = [
            (
                "/var/lib/dpkg/info/less.list",
                "/bin/less\n/usr/share/doc/less",
            ),
            ("/var/lib/dpkg/info/less.md5sums", ""),
            ("/var/lib/dpkg/info/bc.list", "/usr/bin/bc"),
            ("/usr/bin/less", ""),
            ("/usr/bin/bc", ""),
            ("/app/node_modules/@a/b/c.js", ""),
            ("/app/node_modules/d/", ""),
            ("/app/node_modules/d/e.js", ""),
            ("/app/node_modules/d/f.js", ""),
        ];
        let after = [
            ("/var/lib/dpkg/info/bc.list", "/usr/bin/bc"),
            ("/app/node_modules/d/e.js", ""),
            ("/app/node_modules/d/", ""),
        ];
        let left = undeclared(&before, &after, &[Effect::Packages]);
        assert_eq!(left, ["/app/node_modules/d/f.js", "/usr/bin/bc"]);
    }

    #[test]
    fn logs_may_say_other_things_and_not_go() {
        let (before, after) = (
            [("/var/log/dpkg.log", "one")],
            [("/var/log/dpkg.log", "two")],
        );
        assert!(undeclared(&before, &after, &[]).is_empty());
        assert_eq!(undeclared(&before, &[], &[]), ["/var/log/dpkg.log"]);
        assert_eq!(
            undeclared(
                &[("/srv/a", "one")],
                &[("/srv/a", "two")],
                &[Effect::Caches]
            ),
            ["/srv/a"]
        );
    }

    #[test]
    fn what_cargo_leaves_beside_the_program_stays_in_the_mount() {
        let before = [
            ("/app/target/release/deps/a.d", ""),
            ("/app/target/release/a", "one"),
            ("/app/src/main.rs", ""),
        ];
        let after = [("/app/target/release/a", "two")];
        let left = undeclared(&before, &after, &[Effect::BuildCache]);
        assert_eq!(left, ["/app/src/main.rs", "/app/target/release/a"]);
    }

    #[test]
    fn a_download_goes_that_the_dockerfile_names() {
        let before = [
            ("/opt/a.tar.gz", ""),
            ("/opt/b.tar.gz", ""),
            ("/opt/tar", ""),
        ];
        assert_eq!(
            undeclared(&before, &[], &[Effect::Temp]),
            ["/opt/b.tar.gz", "/opt/tar"]
        );
        assert_eq!(
            undeclared(&before, &[], &[]),
            ["/opt/a.tar.gz", "/opt/b.tar.gz", "/opt/tar"]
        );
    }

    #[test]
    fn files_of_the_context_go_where_an_ignore_file_is_declared() {
        let before = [
            ("/srv/a.log", "one"),
            ("/srv/b.log", "one"),
            ("/opt/a.log", "two"),
        ];
        let after = [("/srv/.dockerignore", "*.log")];
        let all = [
            "/opt/a.log",
            "/srv/.dockerignore",
            "/srv/a.log",
            "/srv/b.log",
        ];
        assert_eq!(undeclared(&before, &after, &[]), all);
        let ignore = Effect::File(".dockerignore".to_owned());
        let left = ["/opt/a.log", "/srv/b.log"];
        assert_eq!(undeclared(&before, &after, &[ignore]), left);
    }
}
