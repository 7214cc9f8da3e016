//! The members of a workspace of npm, yarn, pnpm or bun.

use crate::context::BuildContext;
use crate::project::{ManifestError, expand};

/// The paths of the members' `package.json`, sorted, without that of the root. `manifest` is the file that holds the
/// globs: the root's `package.json`, or its `pnpm-workspace.yaml`.
///
/// # Errors
/// A glob is malformed or leaves the context, or the tree is too large to walk.
pub fn workspace_members(
    context: &dyn BuildContext,
    manifest: &str,
    globs: &[String],
) -> Result<Vec<String>, ManifestError> {
    let globs = globs.iter().map(String::as_str);
    expand::members(context, manifest, globs, "package.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::files;

    #[test]
    fn finds_the_members_that_have_a_manifest() {
        let context = files(&[
            ("web/package.json", ""),
            ("web/packages/a/package.json", ""),
            ("web/packages/b/README.md", ""),
            ("web/tools/cli/package.json", ""),
            ("web/tools/old/package.json", ""),
        ]);
        let globs = [".", "packages/*", "tools/**", "!tools/old"].map(str::to_owned);
        let members = workspace_members(&context, "web/package.json", &globs).unwrap();
        assert_eq!(
            members,
            ["web/packages/a/package.json", "web/tools/cli/package.json"]
        );
        let error = workspace_members(&context, "web/package.json", &["../../x".to_owned()]);
        assert_eq!(error.unwrap_err().path, "web/package.json");
    }
}
