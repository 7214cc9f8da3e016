//! The files on disk whose change makes open documents be looked at again: configurations, manifests and lock files,
//! ignore files, and what declares builds.

use lsp_types::notification::{DidChangeWatchedFiles, Notification as _};
use lsp_types::{ClientCapabilities, RegistrationParams};
use serde_json::{Value, json};

use crate::config;
use crate::model::managers;

/// Files that are no manifests of a package manager.
const OTHERS: [&str; 8] = [
    "*.dockerignore",
    "Dockerfile*",
    "*ockerfile",
    "compose*.{yaml,yml}",
    "docker-compose*.{yaml,yml}",
    "docker-bake*.{hcl,json}",
    ".github/workflows/*.{yaml,yml}",
    ".gitlab-ci.yml",
];

/// Whether the client can be asked to watch files.
pub(super) fn can(capabilities: &ClientCapabilities) -> bool {
    let workspace = capabilities.workspace.as_ref();
    let watched = workspace.and_then(|workspace| workspace.did_change_watched_files);
    watched.and_then(|watched| watched.dynamic_registration) == Some(true)
}

/// What the client is asked to watch.
pub(super) fn registration() -> RegistrationParams {
    let managers = managers::all().iter();
    let of_managers = managers.flat_map(|one| one.manifests.iter().chain(&one.locks));
    let mut names: Vec<&str> = of_managers.map(String::as_str).collect();
    names.extend([config::FILE_NAME].iter().chain(&OTHERS));
    names.sort_unstable();
    names.dedup();
    let watchers: Vec<Value> = names
        .iter()
        .map(|name| json!({"globPattern": format!("**/{name}")}))
        .collect();
    RegistrationParams {
        registrations: vec![lsp_types::Registration {
            id: "watch".to_owned(),
            method: DidChangeWatchedFiles::METHOD.to_owned(),
            register_options: Some(json!({"watchers": watchers})),
        }],
    }
}
