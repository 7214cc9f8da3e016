//! The libraries of the distribution that a compiled program needs when it runs, by the names that its release gives them.

use std::collections::{BTreeMap, BTreeSet};

use super::{At, Runtime, SplitStages};
use crate::model::managers::{Kind, Role, invocation};
use crate::pass::reasons::Reasons;
use crate::pass::runs::Stage;

/// Packages with which programs look for the certificates of authorities in files of their own.
const TLS: [&str; 2] = ["libcurl4-openssl-dev", "libssl-dev"];

/// The package with the certificates of authorities.
pub(super) const CERTIFICATES: &str = "ca-certificates";

/// The file in which they are.
pub(super) const CERTIFICATES_FILE: &str = "/etc/ssl/certs/ca-certificates.crt";

impl SplitStages {
    /// Whether a package is known to be there to build with a library.
    pub(super) fn is_for_library(&self, package: &str) -> bool {
        let mut tables = self.libraries_of.values();
        self.libraries.contains_key(package) || tables.any(|table| table.contains_key(package))
    }

    /// The packages of that kind that a command installs.
    pub(super) fn packages_for_libraries(&self, at: &At<'_, '_>) -> Vec<String> {
        let words = &at.found.command.words;
        let install = invocation(words)
            .filter(|one| one.manager.kind == Kind::System && one.role == Role::Install);
        let names = install.iter().flat_map(|install| &install.packages);
        let names = names.map(|index| words[*index].text.as_str());
        let names = names.map(|name| name.split('=').next().unwrap_or(name));
        let known = names.filter(|name| self.is_for_library(name));
        known.map(str::to_owned).collect()
    }

    /// The packages that hold the libraries behind others, each with who asks for it, and the certificates of authorities
    /// where one needs them.
    ///
    /// # Errors
    /// The release is not known, or what the library is called there.
    pub(super) fn libraries_behind(
        &self,
        packages: &BTreeMap<String, String>,
        stage: &Stage<'_>,
        reasons: &mut Reasons,
    ) -> Result<BTreeSet<String>, String> {
        let release = stage.model.end.release();
        let table = release.and_then(|release| self.libraries_of.get(release));
        let mut libraries = BTreeSet::new();
        for (package, linked) in packages {
            let known =
                table.and_then(|table| table.get(package).or_else(|| self.libraries.get(package)));
            let known = known.ok_or_else(|| {
                format!("what the library of `{package}` is called in the release of the base image is not known")
            })?;
            for library in known {
                let why = format!("installed: the library of `{package}`{linked}");
                reasons.say(library, why);
            }
            libraries.extend(known.iter().cloned());
            if TLS.contains(&package.as_str()) {
                let why = format!("installed: the library of `{package}` checks servers by them");
                reasons.say(CERTIFICATES, why);
                libraries.insert(CERTIFICATES.to_owned());
            }
        }
        Ok(libraries)
    }
}

impl Runtime {
    /// Installs libraries, before a USER who may install nothing.
    pub(super) fn install(&mut self, libraries: &BTreeSet<String>) {
        if !libraries.is_empty() {
            self.packages.extend(libraries.iter().cloned());
            self.first = true;
        }
    }
}
