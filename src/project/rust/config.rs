//! `.cargo/config.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::project::{ManifestError, read};

/// What a configuration file of Cargo says of where a build leaves its files, and where crates come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CargoConfig {
    /// `build.target-dir`
    pub target_dir: Option<String>,
    /// `build.build-dir`
    pub build_dir: Option<String>,
    /// Whether `build.target` is set: files are left below the target's name.
    pub has_target: bool,
    /// `install.root`
    pub install_root: Option<String>,
    /// `net.offline`
    pub offline: bool,
    /// Whether a source is a directory: crates are vendored.
    pub vendored: bool,
}

/// What the configuration file of these bytes says; `path` is for the error only.
///
/// # Errors
/// It is not TOML, or not of the shape that Cargo asks for.
pub fn cargo_config(path: &str, bytes: &[u8]) -> Result<CargoConfig, ManifestError> {
    let file: File = read::toml(path, bytes)?;
    Ok(CargoConfig {
        target_dir: file.build.target_dir,
        build_dir: file.build.build_dir,
        has_target: file.build.target.is_some(),
        install_root: file.install.root,
        offline: file.net.offline,
        vendored: file.source.values().any(|one| one.directory.is_some()),
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct File {
    build: Build,
    install: Install,
    net: Net,
    source: BTreeMap<String, Source>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
struct Build {
    target_dir: Option<String>,
    build_dir: Option<String>,
    target: Option<toml::Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Install {
    root: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Net {
    offline: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Source {
    directory: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::survives;

    fn config(text: &str) -> CargoConfig {
        cargo_config(".cargo/config.toml", text.as_bytes()).unwrap()
    }

    #[test]
    fn places_and_sources() {
        let text = "[build]\ntarget-dir = '/t'\nbuild-dir = '/b'\ntarget = ['x86_64-unknown-linux-musl']\n\
                    [install]\nroot = '/r'\n[net]\noffline = true\n\
                    [source.crates-io]\nreplace-with = 'v'\n[source.v]\ndirectory = 'vendor'\n";
        let all = CargoConfig {
            target_dir: Some("/t".to_owned()),
            build_dir: Some("/b".to_owned()),
            has_target: true,
            install_root: Some("/r".to_owned()),
            offline: true,
            vendored: true,
        };
        assert_eq!(config(text), all);
        let mirror = "[source.crates-io]\nreplace-with = 'm'\n[source.m]\nregistry = 'https://example.com'\n";
        assert_eq!(config(mirror), CargoConfig::default());
        let other =
            "[target.x86_64-unknown-linux-musl]\nlinker = 'ld'\n[build]\nrustflags = ['-g']\n";
        assert_eq!(config(other), CargoConfig::default());
        assert!(cargo_config("c", b"[build").is_err());
    }

    #[test]
    fn never_panics() {
        let text = "[build]\ntarget-dir = '/t'\n[source.v]\ndirectory = 'vendor'\n";
        survives(&[text], |bytes| drop(cargo_config("c", bytes)));
    }
}
