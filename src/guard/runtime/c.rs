//! C and C++ in a stage that is split in two: the stage that ships is built on the same release of the distribution, has
//! the libraries that are linked, and takes over all that is installed with the program.

use super::image;
use crate::model::{Stage, Step};
use crate::syntax::Keyword;

/// Libraries that the small images have, as `-l` and the packages to build with them name them.
const OF_IMAGE: [&str; 21] = [
    "asio", "bz2", "c", "c6", "crypt", "dl", "gcc", "gcc_s", "linux", "lz4", "lzma", "m",
    "pthread", "rt", "stdc++", "stdc++fs", "tinfo", "util", "uuid", "z", "zstd",
];

/// Whether the old base is there to compile, or for nothing: on those only programs of C and C++ are split.
pub(super) fn is_old(shipped: &Stage<'_>) -> bool {
    let base = shipped.end.base();
    ["buildpack-deps", "debian", "gcc", "ubuntu"]
        .iter()
        .any(|family| base.is_family(family))
}

/// Whether the new base has the libraries that the old one had without what was installed.
pub(super) fn keeps_release(shipped: &Stage<'_>, runtime: &Stage<'_>) -> bool {
    let (old, new) = (image(shipped), image(runtime));
    let (before, after) = (&shipped.end, &runtime.end);
    // The libraries of an own compiler are newer.
    let has_compiler = before.base().is_family("gcc");
    if has_compiler
        && !is_static(shipped)
        && says(shipped, |word| {
            word.ends_with("++") || word.ends_with(".cpp")
        })
    {
        return false;
    }
    if old == new {
        return true;
    }
    if before.base().is_family("ubuntu")
        || !after.base().is_family("debian")
        || !new.ends_with("-slim")
    {
        return false;
    }
    match before.release() {
        Some(release) => after.release() == Some(release),
        None => {
            new == "debian:stable-slim"
                && (has_compiler
                    || ["debian", "debian:latest", "debian:stable"].contains(&old.as_str()))
        }
    }
}

/// Whether the stage that ships installs what the builder links: each library that a compiler is told of, and one for each
/// package that is there to build with.
pub(super) fn has_libraries(builder: &Stage<'_>, runtime: &Stage<'_>) -> bool {
    let mut needed: Vec<String> = Vec::new();
    let mut loads = false;
    for text in commands(builder) {
        for command in text.split(['&', ';', '|', '\n']) {
            let is_linked = starts_build(command) && !command.contains(" -static ");
            loads |= is_linked;
            for word in command.split([' ', '\t', '=', '"', '\'']) {
                let linked = match word {
                    "-fopenmp" => Some("gomp"),
                    word => word.strip_prefix("-l"),
                };
                let package = word.strip_suffix("-dev");
                let package = package.filter(|name| name.contains("lib"));
                needed.extend(linked.filter(|_| is_linked).or(package).map(stem));
            }
        }
    }
    let installed: Vec<String> = commands(runtime).collect();
    let has = |name: &String| {
        let library = format!(" lib{name}");
        OF_IMAGE.contains(&name.as_str()) || installed.iter().any(|text| text.contains(&library))
    };
    !loads || needed.iter().all(has)
}

/// Whether the directory is taken over below which the builder says that it installs.
pub(super) fn takes_installed(builder: &Stage<'_>, carried: &[String]) -> bool {
    const PREFIXES: [&str; 4] = ["PREFIX=", "--prefix=", "--prefix ", " prefix="];
    let text: String = commands(builder).collect();
    let value = |(at, option): (usize, &str)| {
        let value = text[at + option.len()..]
            .split([' ', ';', '\n', '&'])
            .next();
        value.unwrap_or_default().trim_end_matches('/').to_owned()
    };
    let mut prefixes: Vec<String> = PREFIXES
        .iter()
        .flat_map(|one| text.match_indices(one))
        .map(value)
        .collect();
    if prefixes.is_empty()
        && (text.contains("cmake --install") || text.contains("--target install"))
    {
        prefixes.push("/usr/local".to_owned());
    }
    let staged = text.match_indices("DESTDIR=").map(value).next();
    let staged = staged.unwrap_or_default();
    let is_taken = |prefix: &String| {
        let is_of_base = prefix.is_empty() || prefix == "/usr";
        is_of_base && staged.is_empty() || carried.contains(&format!("{staged}{prefix}"))
    };
    prefixes.is_empty()
        || !text.contains("install ") && !text.contains("--install")
        || prefixes.iter().any(is_taken)
}

/// Whether the builder installs something, and the place lies below a directory that is taken over.
pub(super) fn is_installed(builder: &Stage<'_>, carried: &[String], place: &str) -> bool {
    let mut texts = commands(builder);
    let mut carried = carried.iter();
    texts.any(|text| text.contains(" install ") || text.contains("--install"))
        && carried.any(|one| place.starts_with(&format!("{one}/")))
}

/// The name of a library without what a version may change, of a package or behind `-l`.
fn stem(name: &str) -> String {
    let name = name.strip_prefix("lib").unwrap_or(name);
    match name {
        "crypto" => "ssl".to_owned(),
        "default-libmysqlclient" | "mysqlclient" => "mariadb".to_owned(),
        "zlib1g" => "z".to_owned(),
        name => {
            let known = OF_IMAGE.contains(&name);
            let end = if known {
                None
            } else {
                name.find(|ch: char| ch.is_ascii_digit() || ch == '-')
            };
            let plain = &name[..end.filter(|end| *end > 0).unwrap_or(name.len())];
            plain.to_owned()
        }
    }
}

/// What the RUNs of a stage say.
fn commands(stage: &Stage<'_>) -> impl Iterator<Item = String> {
    let is_run = |step: &&Step<'_>| step.instruction.keyword == Keyword::Run;
    let runs = stage.steps.iter().filter(is_run);
    runs.map(|step| {
        format!(
            " {} ",
            String::from_utf8_lossy(step.instruction.args_text())
        )
    })
}

fn says(stage: &Stage<'_>, is_it: impl Fn(&str) -> bool) -> bool {
    commands(stage).any(|text| text.split_whitespace().any(&is_it))
}

fn is_static(stage: &Stage<'_>) -> bool {
    says(stage, |word| {
        matches!(word, "-static" | "-static-libstdc++")
    })
}

/// Whether a command compiles, or starts what does.
fn starts_build(command: &str) -> bool {
    const NAMES: [&str; 10] = [
        "c++",
        "cc",
        "clang",
        "clang++",
        "cmake",
        "configure",
        "g++",
        "gcc",
        "make",
        "ninja",
    ];
    let name = command.split_whitespace().next().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or(name);
    NAMES.contains(&name)
}
