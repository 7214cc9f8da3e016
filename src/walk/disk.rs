//! The build context on disk.
//!
//! It never leaves its directory: every component of a path is looked at before it is passed, a symlink is followed
//! only while it stays inside, and an absolute one counts as leaving. It never opens a device, a pipe or a socket, and
//! it lists a directory only when asked. (The tree may change while it is read; a symlink that is swapped in between
//! the look and the read is the one way out, and needs somebody who can write to the context.)

use crate::context::{BuildContext, Entry, Kind, path};
use std::fs::{self, File, FileType, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// As many symlinks are followed for one path as Linux follows.
const MAX_SYMLINKS: usize = 40;

/// A directory of the disk as a build context. Names that are not UTF-8 are left out of lists.
#[derive(Debug, Clone)]
pub struct DiskContext {
    root: PathBuf,
}

/// Where a path leads.
enum Target {
    /// To this path of the context, which holds no symlink.
    Inside(String, Metadata),
    /// Through a symlink that leaves the context, or that runs in a circle.
    Outside,
}

impl DiskContext {
    /// The context `directory`. Nothing is read yet.
    ///
    /// # Errors
    /// As the file system reports them; `NotADirectory` for what is not a directory.
    pub fn new(directory: impl AsRef<Path>) -> io::Result<Self> {
        let root = directory.as_ref().canonicalize()?;
        if !root.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::NotADirectory,
                root.display().to_string(),
            ));
        }
        Ok(Self { root })
    }

    /// The directory, absolute and without symlinks.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Follows `path` component by component; `None` where nothing stands.
    fn follow(&self, path: &str) -> Option<Target> {
        let mut real = String::new();
        // `None` where what `real` names was not looked at.
        let mut metadata = None;
        let mut left: Vec<String> = path::clean_in_root(path)
            .rsplit('/')
            .map(str::to_owned)
            .collect();
        let mut symlinks = 0;
        while let Some(name) = left.pop() {
            match name.as_str() {
                "" | "." => continue,
                ".." if real.is_empty() => return Some(Target::Outside),
                ".." => {
                    real = path::parent(&real).to_owned();
                    metadata = None;
                    continue;
                }
                _ => {}
            }
            let next = path::join(&real, &name);
            let found = fs::symlink_metadata(self.root.join(&next)).ok()?;
            let is_symlink = found.is_symlink();
            metadata = Some(found);
            if !is_symlink {
                real = next;
                continue;
            }
            symlinks += 1;
            let target = fs::read_link(self.root.join(&next)).ok()?;
            let Some(target) = target
                .to_str()
                .filter(|target| !target.starts_with('/') && symlinks <= MAX_SYMLINKS)
            else {
                return Some(Target::Outside);
            };
            left.extend(target.rsplit('/').map(str::to_owned));
        }
        let metadata = match metadata {
            Some(metadata) => metadata,
            None => fs::symlink_metadata(self.root.join(&real)).ok()?,
        };
        Some(Target::Inside(real, metadata))
    }

    /// The directory at `path` as it stands on disk.
    fn directory(&self, path: &str) -> Option<fs::ReadDir> {
        match self.follow(path)? {
            Target::Inside(real, metadata) if metadata.is_dir() => {
                fs::read_dir(self.root.join(real)).ok()
            }
            _ => None,
        }
    }
}

impl BuildContext for DiskContext {
    fn is_known(&self) -> bool {
        true
    }

    fn entry(&self, path: &str) -> Option<Entry> {
        Some(match self.follow(path)? {
            Target::Inside(_, metadata) if metadata.is_file() => Entry::File(metadata.len()),
            Target::Inside(_, metadata) if metadata.is_dir() => Entry::Directory,
            Target::Inside(..) | Target::Outside => Entry::Other,
        })
    }

    fn list(&self, path: &str) -> Vec<String> {
        self.children(path)
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }

    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        match self.follow(path) {
            Some(Target::Inside(real, metadata)) if metadata.is_file() => {
                let mut bytes = Vec::new();
                let limit = u64::try_from(limit).unwrap_or(u64::MAX);
                File::open(self.root.join(real))?
                    .take(limit)
                    .read_to_end(&mut bytes)?;
                Ok(bytes)
            }
            _ => Err(io::Error::new(io::ErrorKind::NotFound, path.to_owned())),
        }
    }

    fn resolve(&self, path: &str) -> Option<String> {
        match self.follow(path)? {
            Target::Inside(real, _) => Some(real),
            Target::Outside => None,
        }
    }

    fn children(&self, path: &str) -> Vec<(String, Kind)> {
        let entries = self.directory(path).into_iter().flatten().flatten();
        let named = |entry: fs::DirEntry| {
            Some((
                entry.file_name().into_string().ok()?,
                entry.file_type().map_or(Kind::Other, kind),
            ))
        };
        let mut children: Vec<(String, Kind)> = entries.filter_map(named).collect();
        children.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        children
    }
}

fn kind(file_type: FileType) -> Kind {
    if file_type.is_symlink() {
        Kind::Symlink
    } else if file_type.is_dir() {
        Kind::Directory
    } else if file_type.is_file() {
        Kind::File
    } else {
        Kind::Other
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::context::copy::Copy;
    use crate::context::ignore::Ignore;
    use std::os::unix::fs::symlink;

    /// A directory with `context/` in it, some files and links, and a secret beside it.
    fn sample() -> (tempfile::TempDir, DiskContext) {
        let outer = tempfile::tempdir().expect("a temporary directory");
        let root = outer.path().join("context");
        fs::create_dir_all(root.join("a/b")).expect("directories");
        fs::write(outer.path().join("secret"), "secret").expect("a file");
        fs::write(root.join("a/b/file"), "0123456789").expect("a file");
        fs::write(root.join("top"), "top").expect("a file");
        let links = [
            ("inside", "a/b"),
            ("a/up", "../top"),
            ("out", "../secret"),
            ("out-directory", ".."),
            ("out-and-back", "../context/top"),
            ("absolute", "/etc"),
            ("broken", "nothing"),
            ("circle", "circle"),
            ("a/b/back", "../.."),
        ];
        for (link, target) in links {
            symlink(target, root.join(link)).expect("a symlink");
        }
        let context = DiskContext::new(&root).expect("a context");
        (outer, context)
    }

    #[test]
    fn files_and_directories() {
        let (_outer, context) = sample();
        assert_eq!(context.entry(""), Some(Entry::Directory));
        assert_eq!(context.entry("a/b/file"), Some(Entry::File(10)));
        assert_eq!(context.entry("top/x"), None);
        assert_eq!(context.entry("none"), None);
        assert_eq!(context.list("a"), ["b", "up"]);
        assert_eq!(context.list("top"), Vec::<String>::new());
        assert_eq!(context.read("a/b/file", 4).expect("a file"), b"0123");
        assert_eq!(
            context.read("a", 4).expect_err("a directory").kind(),
            io::ErrorKind::NotFound
        );
    }

    #[test]
    fn links_that_stay_are_followed() {
        let (_outer, context) = sample();
        assert_eq!(context.entry("inside"), Some(Entry::Directory));
        assert_eq!(context.resolve("inside/file").as_deref(), Some("a/b/file"));
        assert_eq!(context.read("a/up", 99).expect("a file"), b"top");
        assert_eq!(context.resolve("a/b/back/top").as_deref(), Some("top"));
        assert_eq!(context.entry("broken"), None);
    }

    #[test]
    fn links_that_leave_are_not() {
        let (_outer, context) = sample();
        for link in [
            "out",
            "out-directory",
            "out-and-back",
            "absolute",
            "circle",
            "out-directory/secret",
        ] {
            assert_eq!(context.entry(link), Some(Entry::Other), "{link}");
            assert_eq!(context.resolve(link), None, "{link}");
            assert!(context.read(link, 99).is_err(), "{link}");
            assert_eq!(context.list(link), Vec::<String>::new(), "{link}");
        }
        assert_eq!(context.entry("../secret"), None, "the root is not left");
    }

    #[test]
    fn a_root_that_is_a_link_is_resolved_once() {
        let (outer, context) = sample();
        symlink(context.root(), outer.path().join("link")).expect("a symlink");
        let linked = DiskContext::new(outer.path().join("link")).expect("a context");
        assert_eq!(linked.root(), context.root());
        assert!(DiskContext::new(outer.path().join("secret")).is_err());
    }

    /// Opening a pipe without a writer would wait for ever.
    #[test]
    fn pipes_and_sockets_are_never_opened() {
        let (_outer, context) = sample();
        let made = std::process::Command::new("mkfifo")
            .arg(context.root().join("pipe"))
            .status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo is there");
        let _socket = std::os::unix::net::UnixListener::bind(context.root().join("socket"))
            .expect("a socket");
        for special in ["pipe", "socket"] {
            assert_eq!(context.entry(special), Some(Entry::Other));
            assert_eq!(
                context.read(special, 1).expect_err("not a file").kind(),
                io::ErrorKind::NotFound
            );
        }
        assert!(
            context
                .children("")
                .contains(&("pipe".to_owned(), Kind::Other))
        );
    }

    #[test]
    fn a_copy_takes_links_as_links_and_follows_named_ones() {
        let (_outer, context) = sample();
        let ignore = Ignore::parse(b"out*\nabsolute\nbroken\ncircle").expect("well formed");
        let files = |source: &str| -> Vec<String> {
            let copy = Copy::new([source], "/x/", None, &context, &ignore);
            copy.files()
                .map(|(path, landing)| format!("{path} -> {}", landing.certain().expect("a place")))
                .collect()
        };
        assert_eq!(
            files("."),
            [
                "a/b/back -> /x/a/b/back",
                "a/b/file -> /x/a/b/file",
                "a/up -> /x/a/up",
                "inside -> /x/inside",
                "top -> /x/top"
            ]
        );
        assert_eq!(
            files("inside"),
            ["a/b/back -> /x/back", "a/b/file -> /x/file"]
        );
        assert_eq!(
            files("insid?"),
            ["a/b/back -> /x/back", "a/b/file -> /x/file"]
        );
        assert_eq!(files("a/up"), ["top -> /x/up"]);
    }

    #[test]
    fn questions_about_links() {
        let (_outer, context) = sample();
        let ignore = Ignore::default();
        let at = |source: &str, path: &str| {
            let landings = Copy::new([source], "/x/", None, &context, &ignore).brings(path)?;
            Some(
                landings
                    .iter()
                    .filter_map(|landing| Some(landing.certain()?.to_string()))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(at("inside", "a/b/file"), Some(vec!["/x/file".to_owned()]));
        assert_eq!(
            at("inside", "inside/file"),
            Some(vec!["/x/file".to_owned()])
        );
        assert_eq!(
            at(".", "inside"),
            Some(vec!["/x/inside".to_owned()]),
            "the link itself"
        );
        assert_eq!(
            at(".", "broken"),
            Some(vec!["/x/broken".to_owned()]),
            "even if it leads nowhere"
        );
        assert_eq!(
            at(".", "inside/file"),
            Some(vec![]),
            "nothing stands there in the image but through the link"
        );
        assert_eq!(at("out", "top"), None, "what it brings is not known");
    }
}
