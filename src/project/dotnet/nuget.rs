//! `nuget.config` and `global.json`.

use serde::Deserialize;

use super::slashes;
use crate::project::{ManifestError, read, xml};

/// What a `global.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GlobalJson {
    /// `sdk.version`: the build fails with an SDK that does not satisfy it.
    pub sdk_version: Option<String>,
    /// `sdk.rollForward`
    pub roll_forward: Option<String>,
}

/// The package sources of a `nuget.config` that are directories, with `/`, relative to it; `path` is for the error only.
///
/// # Errors
/// It is not XML in UTF-8.
pub fn local_sources(path: &str, bytes: &[u8]) -> Result<Vec<String>, ManifestError> {
    let text = read::text(path, bytes)?;
    let document = read::xml(path, text)?;
    let sections = document
        .descendants()
        .filter(|node| xml::is(*node, "packageSources"));
    let entries = sections.flat_map(|section| xml::children(section, "add"));
    let values = entries.filter_map(|entry| entry.attribute("value"));
    let local = values.filter(|value| !value.contains("://"));
    Ok(local.map(slashes).collect())
}

/// What the `global.json` of these bytes says; `path` is for the error only.
///
/// # Errors
/// It is not JSON, or not of the shape that the SDK asks for. Comments, which the SDK allows, are not read.
pub fn global_json(path: &str, bytes: &[u8]) -> Result<GlobalJson, ManifestError> {
    let file: File = read::json(path, bytes)?;
    let sdk = file.sdk.unwrap_or_default();
    Ok(GlobalJson {
        sdk_version: sdk.version,
        roll_forward: sdk.roll_forward,
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct File {
    sdk: Option<Sdk>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Sdk {
    version: Option<String>,
    roll_forward: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::survives;

    const CONFIG: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <packageSources>
    <clear />
    <add key="nuget.org" value="https://api.nuget.org/v3/index.json" protocolVersion="3" />
    <add key="local" value=".\packages" />
  </packageSources>
</configuration>"#;
    const GLOBAL: &str = r#"{ "sdk": { "version": "8.0.100", "rollForward": "latestFeature" }, "msbuild-sdks": {} }"#;

    #[test]
    fn reads_both() {
        assert_eq!(
            local_sources("nuget.config", CONFIG.as_bytes()).unwrap(),
            ["./packages"]
        );
        let global = global_json("global.json", GLOBAL.as_bytes()).unwrap();
        assert_eq!(global.sdk_version.as_deref(), Some("8.0.100"));
        assert_eq!(global.roll_forward.as_deref(), Some("latestFeature"));
        assert_eq!(global_json("global.json", b"{}"), Ok(GlobalJson::default()));
    }

    #[test]
    fn names_the_line_of_a_mistake() {
        assert_eq!(
            global_json("global.json", b"{\n\"sdk\": 8}")
                .unwrap_err()
                .line,
            Some(2)
        );
        let error = local_sources("nuget.config", b"<a>\n\n</b>").unwrap_err();
        assert_eq!(error.line, Some(3));
    }

    #[test]
    fn never_panics() {
        survives(&[CONFIG, GLOBAL], |bytes| {
            drop(local_sources("c", bytes));
            drop(global_json("g", bytes));
        });
    }
}
