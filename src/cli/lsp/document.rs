//! A Dockerfile as an editor holds it.

use std::path::{Path, PathBuf};

use lsp_types::{TextDocumentContentChangeEvent, TextDocumentItem, Uri};

use super::position::{Encoding, Places};
use crate::cli::inputs::Input;
use crate::context::locate::inline;
use crate::walk;

/// A Dockerfile that is open.
pub(super) struct Document {
    /// As the client writes it.
    pub(super) uri: Uri,
    pub(super) version: i32,
    pub(super) text: String,
}

/// The names under which editors know the language.
const LANGUAGES: [&str; 3] = ["containerfile", "docker", "dockerfile"];

impl Document {
    /// The document of `item`; `None` where it is no Dockerfile, such as a template of one, and no compose file.
    pub(super) fn open(item: TextDocumentItem) -> Option<Self> {
        let language = item.language_id.to_ascii_lowercase();
        let path = path(&item.uri);
        let name = path.as_deref().and_then(Path::file_name);
        let is_named = name.is_some_and(walk::is_dockerfile);
        let has_language = LANGUAGES.contains(&language.as_str());
        // Editors take `Dockerfile.j2` for a Dockerfile, too.
        let is_other = name.is_some_and(walk::has_other_ending);
        let is_compose = name.is_some_and(|name| inline::is_compose(&name.to_string_lossy()));
        (is_named || is_compose || (has_language && !is_other)).then_some(Self {
            uri: item.uri,
            version: item.version,
            text: item.text,
        })
    }

    /// Makes one change of the client.
    pub(super) fn change(&mut self, change: TextDocumentContentChangeEvent, encoding: Encoding) {
        let Some(range) = change.range else {
            self.text = change.text;
            return;
        };
        let places = Places::new(&self.text, encoding);
        let (start, end) = (places.offset(range.start), places.offset(range.end));
        self.text.replace_range(start..end.max(start), &change.text);
    }

    /// As the input of a run: a text that has the document's path, where it has one.
    pub(super) fn input(&self) -> Input {
        Input::unsaved(path(&self.uri))
    }
}

/// The path of the file that `uri` names; `None` for what is no file of this machine.
pub(super) fn path(uri: &Uri) -> Option<PathBuf> {
    let scheme = uri.scheme()?.as_str();
    let host = uri.authority().map(|one| one.as_str().to_owned());
    let is_here = host.is_none_or(|host| host.is_empty() || host == "localhost");
    if !scheme.eq_ignore_ascii_case("file") || !is_here {
        return None;
    }
    let bytes = uri.path().as_estr().decode().into_bytes().into_owned();
    let path = String::from_utf8(bytes).ok()?;
    // `/c:/folder`
    let drive = path
        .strip_prefix('/')
        .filter(|rest| cfg!(windows) && rest.as_bytes().get(1) == Some(&b':'));
    Some(PathBuf::from(drive.unwrap_or(&path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_files_of_this_machine() {
        let path = |uri: &str| path(&uri.parse().unwrap());
        let expected = Path::new("/srv/my app/é/Dockerfile");
        assert_eq!(
            path("file:///srv/my%20app/%C3%A9/Dockerfile").unwrap(),
            expected
        );
        assert_eq!(path("file://localhost/a").unwrap(), Path::new("/a"));
        for other in [
            "untitled:Untitled-1",
            "vscode-vfs://github/a/Dockerfile",
            "file://host/a",
        ] {
            assert_eq!(path(other), None, "{other}");
        }
    }

    #[test]
    fn templates_and_other_files_are_left_to_others() {
        let opens = |uri: &str, language: &str| {
            let item =
                TextDocumentItem::new(uri.parse().unwrap(), language.into(), 1, String::new());
            Document::open(item).is_some()
        };
        assert!(opens("untitled:Untitled-1", "dockerfile"));
        assert!(opens("file:///a/build", "dockerfile"));
        assert!(opens("file:///a/web.Dockerfile", "plaintext"));
        assert!(!opens("file:///a/Dockerfile.j2", "dockerfile"));
        assert!(!opens("file:///a/values.yaml", "yaml"));
        assert!(opens("file:///a/compose.yaml", "yaml"));
    }
}
