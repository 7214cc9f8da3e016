//! All POMs that Maven reads to build one: its modules, and the parents that lie in the context.

use super::maven::{Pom, PomModule, pom};
use crate::context::BuildContext;
use crate::project::{ManifestError, path, read};

/// The most POMs of one build.
const FILES: usize = 2_000;

/// The POM at `path` and all that it needs: path in the context and content, the one that was asked for first. Modules
/// of profiles are there where they exist; parents where their file is in the context.
///
/// # Errors
/// A POM is broken, a module is not in the context or is computed, or there are more than 2000.
pub fn pom_files(
    context: &dyn BuildContext,
    path: &str,
) -> Result<Vec<(String, Pom)>, ManifestError> {
    let bytes = read::file(context, path)?
        .ok_or_else(|| ManifestError::new(path, None, "is not in the build context"))?;
    let mut files = vec![(path.to_owned(), pom(path, &bytes)?)];
    let mut seen = std::collections::BTreeSet::from([path.to_owned()]);
    let mut next = 0;
    while let Some((from, content)) = files.get(next) {
        next += 1;
        let mut named = Vec::new();
        for module in &content.modules {
            named.push(module_file(context, from, module)?);
        }
        let optional = content.profile_modules.iter();
        named.extend(optional.filter_map(|module| module_file(context, from, module).ok()));
        let parent = content
            .parent
            .as_ref()
            .and_then(|parent| parent.relative_path.as_deref());
        named.extend(parent.and_then(|parent| pom_at(context, from, parent)));
        for path in named {
            if !seen.insert(path.clone()) {
                continue;
            }
            if files.len() >= FILES {
                return Err(ManifestError::new(
                    &path,
                    None,
                    "is one of more than 2000 modules",
                ));
            }
            let bytes = read::file(context, &path)?.unwrap_or_default();
            let content = pom(&path, &bytes)?;
            files.push((path, content));
        }
    }
    Ok(files)
}

/// The path in the context of a module's POM.
fn module_file(
    context: &dyn BuildContext,
    from: &str,
    module: &PomModule,
) -> Result<String, ManifestError> {
    pom_at(context, from, &module.path).ok_or_else(|| {
        let message = format!(
            "names module `{}`, which is not in the build context",
            module.path
        );
        ManifestError::new(from, Some(module.line), message)
    })
}

/// The POM that `relative` names, seen from the POM at `from`: a file, or a directory that holds a `pom.xml`.
fn pom_at(context: &dyn BuildContext, from: &str, relative: &str) -> Option<String> {
    let target = path::join(path::parent(from), &relative.replace('\\', "/"))?;
    if read::is_file(context, &target) {
        return Some(target);
    }
    let inside = path::join(&target, "pom.xml")?;
    read::is_file(context, &inside).then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::files;

    #[test]
    fn follows_modules_and_parents() {
        let module = "<project><parent><artifactId>root</artifactId></parent></project>";
        let context = files(&[
            (
                "app/pom.xml",
                "<project><parent><relativePath>../parent/pom.xml</relativePath></parent>\
                 <modules><module>api</module><module>web/other.xml</module></modules>\
                 <profiles><profile><modules><module>missing</module></modules></profile></profiles></project>",
            ),
            ("app/api/pom.xml", module),
            ("app/web/other.xml", module),
            (
                "parent/pom.xml",
                "<project><artifactId>parent</artifactId></project>",
            ),
        ]);
        let found = pom_files(&context, "app/pom.xml").unwrap();
        let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "app/pom.xml",
                "app/api/pom.xml",
                "app/web/other.xml",
                "parent/pom.xml"
            ]
        );
    }

    #[test]
    fn tells_a_module_that_is_not_there() {
        let context = files(&[(
            "pom.xml",
            "<project>\n<modules>\n<module>api</module></modules></project>",
        )]);
        let error = pom_files(&context, "pom.xml").unwrap_err();
        assert_eq!((error.path.as_str(), error.line), ("pom.xml", Some(3)));
        assert!(pom_files(&context, "other.xml").is_err());
    }
}
