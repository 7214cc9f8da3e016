//! What is certain of an image from its name and tag: the tables `images.toml` and `releases.toml`, and their lookup.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use super::{DOCKER_HUB, Distribution, ImageRef};

/// A family of images: a table of `images.toml`, which explains the fields.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[allow(missing_docs)]
pub struct Family {
    /// `python`, `debian`, …: the table's name.
    #[serde(skip)]
    pub name: String,
    pub repositories: Vec<String>,
    pub distribution: Option<Distribution>,
    pub release: Option<String>,
    pub release_parts: Option<usize>,
    pub plain_words: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub env_complete: bool,
    pub user: Option<String>,
    pub user_unless: Vec<String>,
    pub user_by_word: BTreeMap<String, String>,
    pub workdir: Option<String>,
    pub workdir_by_word: BTreeMap<String, String>,
    pub accounts: BTreeMap<String, String>,
    pub no_package_manager: Vec<String>,
    pub bare: bool,
    pub no_entrypoint: bool,
    pub cmd: Option<Vec<String>>,
}

/// What is certain of one image; `None` where nothing is.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The family.
    pub family: Option<&'static Family>,
    /// The version at the start of the tag: `3.9` of `3.9-slim`.
    pub version: Option<String>,
    /// The distribution.
    pub distribution: Option<Distribution>,
    /// Its release: Debian's by code name, all others by number.
    pub release: Option<String>,
    /// The package manager's name in `managers.toml`.
    pub package_manager: Option<&'static str>,
    /// The words of the tag behind the version: `slim`, `alpine3.18`, `jdk`.
    pub words: Vec<String>,
    /// The default user as the configuration has it; empty for root without saying so.
    pub user: Option<String>,
    /// The working directory as the configuration has it; empty for `/` without saying so.
    pub workdir: Option<String>,
    /// The configuration has no labels, ports, volumes, health check, stop signal, SHELL and triggers.
    pub bare: bool,
}

impl Facts {
    /// What is certain of `image`. A digest without a tag leaves only what all tags share.
    pub fn of(image: &ImageRef) -> Self {
        let Some(family) = family_of(image) else {
            return Self::default();
        };
        let Some(tag) = image.effective_tag() else {
            let family = Some(family);
            return Self {
                family,
                ..Self::default()
            };
        };
        let (version, words) = split_tag(tag);
        let (distribution, release) = stands_on(family, version, &words);
        let has = |listed: &[String]| {
            words
                .iter()
                .any(|word| listed.iter().any(|one| one == word))
        };
        let by_word = words
            .iter()
            .find_map(|word| family.workdir_by_word.get(*word));
        let workdir = by_word.or(family.workdir.as_ref()).cloned();
        let user = words.iter().find_map(|word| family.user_by_word.get(*word));
        let user = user.or(family.user.as_ref()).cloned();
        // The triggers of such an image set more than the table says.
        let onbuild = words.contains(&"onbuild");
        Self {
            family: Some(family),
            version: version.map(str::to_owned),
            distribution,
            release,
            package_manager: distribution
                .and_then(Distribution::package_manager)
                .filter(|_| !has(&family.no_package_manager)),
            user: user.filter(|_| !has(&family.user_unless)),
            workdir: workdir.filter(|_| !onbuild),
            bare: family.bare && !onbuild && distribution != Some(Distribution::Windows),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    /// What is certain of the empty image.
    pub fn scratch() -> Self {
        Self {
            distribution: Some(Distribution::Scratch),
            user: Some(String::new()),
            workdir: Some("/".to_owned()),
            bare: true,
            ..Self::default()
        }
    }

    /// Whether the tag has that word: `slim`, or `alpine` also for `alpine3.18`.
    pub fn has_word(&self, word: &str) -> bool {
        self.words.iter().any(|one| {
            one.strip_prefix(word)
                .is_some_and(|rest| rest.is_empty() || is_version(rest))
        })
    }

    /// Whether the family's name is `name`.
    pub fn is_family(&self, name: &str) -> bool {
        self.family.is_some_and(|family| family.name == name)
    }

    /// The home of a user that the image brings, by name or number; root's included. `None` where it is not known.
    pub fn home_of(&self, user: &str) -> Option<&'static str> {
        let family = self.family?;
        let name = user.split(':').next().unwrap_or(user);
        let linux = self.distribution != Some(Distribution::Windows);
        match name {
            "" | "root" | "0" => linux.then_some("/root"),
            _ => family.accounts.get(name).map(String::as_str),
        }
    }
}

/// The package manager that a distribution comes with.
pub(super) fn package_manager(distribution: Distribution) -> Option<&'static str> {
    let managers = &TABLE.images.package_manager;
    managers.get(&distribution).map(String::as_str)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Images {
    mirrors: Vec<String>,
    architectures: Vec<String>,
    word: BTreeMap<String, (Distribution, String)>,
    prefix: BTreeMap<String, Distribution>,
    debian: BTreeMap<String, String>,
    package_manager: BTreeMap<Distribution, String>,
    family: BTreeMap<String, Family>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Releases {
    default: BTreeMap<String, Vec<String>>,
    slim: BTreeMap<String, Vec<String>>,
    alpine: BTreeMap<String, Vec<String>>,
}

#[derive(Default)]
struct Table {
    images: Images,
    releases: Releases,
    /// Repository, without a mirror's name, to family.
    families: HashMap<String, String>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    // A test holds that both tables parse.
    let mut images: Images = serde_json::from_str(data!("images")).unwrap_or_default();
    let releases: Releases = serde_json::from_str(data!("releases")).unwrap_or_default();
    let mut families = HashMap::new();
    for (name, family) in &mut images.family {
        family.name.clone_from(name);
        let repositories = family.repositories.iter().cloned();
        families.extend(repositories.map(|repository| (repository, name.clone())));
    }
    Table {
        images,
        releases,
        families,
    }
});

fn family_of(image: &ImageRef) -> Option<&'static Family> {
    let images = &TABLE.images;
    let mut name = image.name();
    for mirror in &images.mirrors {
        let official = name.strip_prefix(mirror.as_str()).map(str::to_owned);
        if let Some(rest) = official.as_deref().and_then(|rest| rest.strip_prefix('/')) {
            name = rest.strip_prefix("library/").unwrap_or(rest).to_owned();
        }
    }
    if image.registry == DOCKER_HUB
        && let Some((namespace, rest)) = name.split_once('/')
        && images.architectures.iter().any(|one| one == namespace)
    {
        name = rest.to_owned();
    }
    images.family.get(TABLE.families.get(&name)?)
}

/// The version at the start of a tag, and the words behind it.
fn split_tag(tag: &str) -> (Option<&str>, Vec<&str>) {
    let mut words: Vec<&str> = tag.split('-').collect();
    let starts_with_version = words.first().is_some_and(|first| is_version(first));
    let version = starts_with_version.then(|| words.remove(0));
    (version, words)
}

/// The distribution and its release: what the tag says, else what the family says.
fn stands_on(
    family: &Family,
    version: Option<&str>,
    words: &[&str],
) -> (Option<Distribution>, Option<String>) {
    let said = words.iter().find_map(|word| named(word));
    match said {
        Some((Distribution::Alpine, None)) => {
            let release = frozen(&TABLE.releases.alpine, family, version, words, "alpine");
            (Some(Distribution::Alpine), release.map(str::to_owned))
        }
        Some((distribution, release)) => (Some(distribution), release),
        None => by_version(family, version, words),
    }
}

fn by_version(
    family: &Family,
    version: Option<&str>,
    words: &[&str],
) -> (Option<Distribution>, Option<String>) {
    if let (Some(parts), Some(version)) = (family.release_parts, version) {
        return (family.distribution, own_release(version, parts));
    }
    if family.release.is_some() {
        return (family.distribution, family.release.clone());
    }
    let releases = &TABLE.releases;
    let slim = words.contains(&"slim") && releases.slim.contains_key(&family.name);
    let table = if slim {
        &releases.slim
    } else {
        &releases.default
    };
    let word = frozen(table, family, version, words, "slim");
    match word.and_then(named) {
        Some((distribution, release)) => (Some(distribution), release),
        None => (family.distribution, None),
    }
}

/// What a word of a tag says: `bookworm`, `alpine3.18`, `ubi9`.
fn named(word: &str) -> Option<(Distribution, Option<String>)> {
    let images = &TABLE.images;
    if let Some((distribution, release)) = images.word.get(word) {
        return Some((*distribution, Some(release.clone())));
    }
    let mut prefixes = images.prefix.iter();
    prefixes.find_map(|(prefix, distribution)| {
        let release = word.strip_prefix(prefix.as_str())?;
        match (release, *distribution) {
            ("", distribution) => Some((distribution, None)),
            (number, _) if !is_version(number) => None,
            (number, Distribution::Debian) => Some((Distribution::Debian, own_release(number, 0))),
            (number, distribution) => Some((distribution, Some(number.to_owned()))),
        }
    })
}

/// A version as a release: its first `parts` numbers, where it has as many; Debian's code name for 0.
fn own_release(version: &str, parts: usize) -> Option<String> {
    let numbers: Vec<&str> = version.split('.').collect();
    if parts == 0 {
        return TABLE.images.debian.get(*numbers.first()?).cloned();
    }
    Some(numbers.get(..parts)?.join("."))
}

/// The entry of a table of `releases.toml`, where the tag has no word besides plain ones and `also`.
fn frozen<'t>(
    table: &'t BTreeMap<String, Vec<String>>,
    family: &Family,
    version: Option<&str>,
    words: &[&str],
    also: &str,
) -> Option<&'t str> {
    let plain = |word: &&str| *word == also || family.plain_words.iter().any(|one| one == word);
    if !words.iter().all(plain) {
        return None;
    }
    let version = numbers(version?)?;
    table.get(&family.name)?.iter().find_map(|entry| {
        let (range, release) = entry.split_once(' ')?;
        let (first, last) = range.split_once("..").unwrap_or((range, range));
        let (first, last) = (numbers(first)?, numbers(last)?);
        let inside = first.len() == version.len() && first <= version && version <= last;
        inside.then_some(release)
    })
}

fn numbers(version: &str) -> Option<Vec<u32>> {
    let parts = version.split('.').map(|part| part.parse().ok());
    parts.collect()
}

fn is_version(text: &str) -> bool {
    text.starts_with(|ch: char| ch.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> Facts {
        ImageRef::parse(text).unwrap().facts()
    }

    /// `family distribution release package-manager`.
    fn show(text: &str) -> String {
        let facts = facts(text);
        let family = facts.family.map(|family| family.name.as_str());
        let distribution = facts.distribution.map(Distribution::name);
        let release = facts.release.as_deref();
        let shown = [family, distribution, release, facts.package_manager];
        shown.map(|one| one.unwrap_or("?")).join(" ")
    }

    fn check(cases: &[(&str, &str)]) {
        for (image, expected) in cases {
            assert_eq!(show(image), *expected, "{image}");
        }
    }

    #[test]
    fn the_tables_parse() {
        let images: Result<Images, _> = serde_json::from_str(data!("images"));
        let images = images.unwrap();
        let releases: Result<Releases, _> = serde_json::from_str(data!("releases"));
        let releases = releases.unwrap();
        let all = releases.default.iter().chain(&releases.slim);
        for (family, entries) in all {
            assert!(images.family.contains_key(family), "{family}");
            for entry in entries {
                let (range, release) = entry.split_once(' ').unwrap();
                assert!(named(release).is_some(), "{family} {entry}");
                let (first, last) = range.split_once("..").unwrap_or((range, range));
                let (first, last) = (numbers(first).unwrap(), numbers(last).unwrap());
                assert!(first.len() == last.len() && first <= last, "{entry}");
            }
        }
        let mut repositories: Vec<_> = images
            .family
            .values()
            .flat_map(|f| &f.repositories)
            .collect();
        let all = repositories.len();
        repositories.sort();
        repositories.dedup();
        assert_eq!(repositories.len(), all, "a repository twice");
    }

    #[test]
    fn managers_exist() {
        for name in TABLE.images.package_manager.values() {
            assert!(crate::model::managers::by_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn distributions() {
        check(&[
            ("debian:12", "debian debian bookworm apt"),
            ("debian:12.5-slim", "debian debian bookworm apt"),
            (
                "debian:bullseye-20240101-slim",
                "debian debian bullseye apt",
            ),
            ("debian", "debian debian ? apt"),
            ("debian:stable-slim", "debian debian ? apt"),
            ("ubuntu:22.04", "ubuntu ubuntu 22.04 apt"),
            ("ubuntu:jammy-20230101", "ubuntu ubuntu 22.04 apt"),
            ("ubuntu:latest", "ubuntu ubuntu ? apt"),
            ("alpine:3.18.4", "alpine alpine 3.18 apk"),
            ("alpine:3", "alpine alpine ? apk"),
            ("alpine:edge", "alpine alpine ? apk"),
            ("centos:7.9.2009", "centos centos 7 dnf"),
            ("centos:centos7", "centos centos 7 dnf"),
            ("rockylinux:9-minimal", "rockylinux rocky 9 dnf"),
            ("amazonlinux:2023", "amazonlinux amazon 2023 dnf"),
            ("fedora:39", "fedora fedora 39 dnf"),
            ("redhat/ubi8-minimal:8.9", "ubi8 rhel 8 dnf"),
            (
                "registry.access.redhat.com/ubi9/ubi:latest",
                "ubi9 rhel 9 dnf",
            ),
            ("opensuse/leap:15.5", "opensuse opensuse 15.5 zypper"),
            ("archlinux", "archlinux arch rolling pacman"),
            ("busybox:1.36", "busybox busybox ? ?"),
            (
                "gcr.io/distroless/static-debian12",
                "distroless-plain distroless ? ?",
            ),
            (
                "gcr.io/distroless/java21-debian12",
                "distroless distroless ? ?",
            ),
        ]);
    }

    #[test]
    fn languages() {
        check(&[
            ("python:3.11-slim-bookworm", "python debian bookworm apt"),
            ("python:3.8", "python debian bookworm apt"),
            ("python:3.8-slim", "python debian bookworm apt"),
            ("python:3.8.10", "python debian buster apt"),
            ("python:2.7-alpine", "python alpine 3.11 apk"),
            ("python:3.9-alpine3.14", "python alpine 3.14 apk"),
            ("python:3.9-onbuild", "python debian ? apt"),
            ("python:3", "python debian ? apt"),
            ("python", "python debian ? apt"),
            ("node:18-slim", "node debian bookworm apt"),
            ("node:lts", "node debian ? apt"),
            ("node:14.17.0", "node debian stretch apt"),
            ("golang:1.16", "golang debian bullseye apt"),
            ("golang:1.16-nanoserver", "golang windows ? ?"),
            ("php:7.4-fpm", "php debian bullseye apt"),
            ("openjdk:17-jdk", "openjdk oracle 8 dnf"),
            ("openjdk:17-jdk-slim", "openjdk debian bullseye apt"),
            ("openjdk:8-jre-alpine", "openjdk alpine 3.9 apk"),
            (
                "eclipse-temurin:17-jre-jammy",
                "eclipse-temurin ubuntu 22.04 apt",
            ),
            (
                "eclipse-temurin:17-jre-ubi9-minimal",
                "eclipse-temurin rhel 9 dnf",
            ),
            ("maven:3.8-openjdk-11", "maven ? ? ?"),
            ("maven:3.9-eclipse-temurin-17-alpine", "maven alpine ? apk"),
            (
                "mcr.microsoft.com/dotnet/sdk:6.0",
                "dotnet debian bullseye apt",
            ),
            (
                "mcr.microsoft.com/dotnet/aspnet:8.0-jammy-chiseled",
                "dotnet ubuntu 22.04 ?",
            ),
            (
                "mcr.microsoft.com/dotnet/sdk:8.0-azurelinux3.0",
                "dotnet azure 3.0 dnf",
            ),
            ("microsoft/dotnet:2.2-sdk", "dotnet-core debian stretch apt"),
            ("jenkins/jenkins:lts-almalinux", "jenkins alma ? dnf"),
            ("amazoncorretto:17-al2023", "amazoncorretto amazon 2023 dnf"),
            (
                "nvidia/cuda:11.8.0-base-ubuntu22.04",
                "cuda ubuntu 22.04 apt",
            ),
            (
                "mcr.microsoft.com/windows/nanoserver:1809",
                "windows windows ? ?",
            ),
        ]);
    }

    #[test]
    fn other_names() {
        check(&[
            (
                "public.ecr.aws/docker/library/python:3.8",
                "python debian bookworm apt",
            ),
            ("mirror.gcr.io/library/node:18", "node debian bookworm apt"),
            ("arm64v8/node:18", "node debian bookworm apt"),
            ("someone/python:3.8", "? ? ? ?"),
            ("ghcr.io/x/node:18", "? ? ? ?"),
            ("quay.io/arm64v8/node:18", "? ? ? ?"),
        ]);
        let digest = format!("python@sha256:{}", "a".repeat(64));
        assert_eq!(show(&digest), "python ? ? ?");
    }

    #[test]
    fn configuration() {
        let golang = facts("golang:1.20");
        assert_eq!(golang.workdir.as_deref(), Some("/go"));
        assert_eq!(golang.user.as_deref(), Some(""));
        let env = &golang.family.unwrap().env;
        assert_eq!(env.get("GOPATH").map(String::as_str), Some("/go"));
        assert_eq!(
            facts("php:8-apache").workdir.as_deref(),
            Some("/var/www/html")
        );
        assert_eq!(facts("php:8.3").workdir, None);
        assert_eq!(
            facts("mcr.microsoft.com/dotnet/aspnet:8.0-noble-chiseled").user,
            None
        );
        assert_eq!(
            facts("jenkins/jenkins:lts").user.as_deref(),
            Some("jenkins")
        );
        assert_eq!(facts("gradle:8").user, None);
        assert_eq!(facts("gradle:8-jdk17").user.as_deref(), Some("root"));
        assert_eq!(facts("gradle:4.7-jdk8").user, None);
    }

    #[test]
    fn homes() {
        let node = facts("node:18");
        assert_eq!(node.home_of(""), Some("/root"));
        assert_eq!(node.home_of("0:0"), Some("/root"));
        assert_eq!(node.home_of("node"), Some("/home/node"));
        assert_eq!(node.home_of("app"), None);
        assert_eq!(facts("someone/x").home_of("root"), None);
    }

    #[test]
    fn words() {
        let facts = facts("python:3.9-slim-bookworm");
        assert_eq!(facts.version.as_deref(), Some("3.9"));
        assert!(facts.has_word("slim") && !facts.has_word("alpine"));
        assert!(super::tests::facts("x/y:1").words.is_empty());
    }
}
