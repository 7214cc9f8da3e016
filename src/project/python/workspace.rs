//! The members of a uv workspace.

use super::Uv;
use crate::context::BuildContext;
use crate::project::{ManifestError, expand};

/// The paths of the members' `pyproject.toml`, sorted, without that of the root at `manifest`.
///
/// # Errors
/// A glob is malformed or leaves the context, or the tree is too large to walk.
pub fn uv_members(
    context: &dyn BuildContext,
    manifest: &str,
    uv: &Uv,
) -> Result<Vec<String>, ManifestError> {
    let members = uv.workspace_members.iter().flatten().cloned();
    let exclude = uv.workspace_exclude.iter().map(|glob| format!("!{glob}"));
    let globs: Vec<String> = members.chain(exclude).collect();
    let globs = globs.iter().map(String::as_str);
    expand::members(context, manifest, globs, "pyproject.toml")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::files;

    #[test]
    fn finds_the_members() {
        let context = files(&[
            ("app/pyproject.toml", ""),
            ("app/packages/a/pyproject.toml", ""),
            ("app/packages/old/pyproject.toml", ""),
            ("app/packages/docs/README.md", ""),
        ]);
        let uv = Uv {
            workspace_members: Some(vec!["packages/*".to_owned()]),
            workspace_exclude: vec!["packages/old".to_owned()],
            ..Uv::default()
        };
        let members = uv_members(&context, "app/pyproject.toml", &uv).unwrap();
        assert_eq!(members, ["app/packages/a/pyproject.toml"]);
    }
}
