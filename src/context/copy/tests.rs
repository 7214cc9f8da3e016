//! Expectations from BuildKit's manual (COPY, ADD: "Source", "Destination") and its copy code.

use super::*;
use crate::context::{MemoryContext, NoContext};
use std::cell::RefCell;
use std::io;

fn context() -> MemoryContext {
    MemoryContext::from([
        ("Dockerfile", ""),
        ("package.json", "{}"),
        ("package-lock.json", "{}"),
        ("arr[0].txt", ""),
        ("src/main.py", ""),
        ("src/lib/util.py", ""),
        ("src/lib/data.bin", ""),
        ("docs/a.md", ""),
        ("docs/b.txt", ""),
        ("logs/x.log", ""),
    ])
}

fn ignore(text: &str) -> Ignore {
    Ignore::parse(text.as_bytes()).expect("a well-formed ignore file")
}

/// `path -> place` of every file that `COPY sources destination` brings, `|` between two possible places.
fn brought(
    sources: &[&str],
    destination: &str,
    workdir: Option<&str>,
    ignored: &str,
) -> Vec<String> {
    let (context, ignore) = (context(), ignore(ignored));
    let copy = Copy::new(sources, destination, workdir, &context, &ignore);
    let listed: Vec<(String, Landing)> = copy.files().collect();
    for (path, landing) in &listed {
        let answer = copy.brings(path).expect("the context is known");
        assert!(
            answer.contains(landing),
            "{path}: listed at {landing:?}, asked {answer:?}"
        );
    }
    for path in context
        .files
        .keys()
        .filter(|path| listed.iter().all(|(other, _)| other != *path))
    {
        assert_eq!(copy.brings(path), Some(Vec::new()), "{path} is not listed");
    }
    let show = |landing: &Landing| match landing {
        Landing::At(place) => place.to_string(),
        Landing::FileOrInside { file, inside } => format!("{file} | {inside}"),
        Landing::Unknown => "?".to_owned(),
    };
    listed
        .iter()
        .map(|(path, landing)| format!("{path} -> {}", show(landing)))
        .collect()
}

#[test]
fn files_and_where_they_land() {
    let app = Some("/app");
    for (sources, destination, expected) in [
        (
            &["package.json"][..],
            "/x/",
            &["package.json -> /x/package.json"][..],
        ),
        (
            &["package.json"],
            "/x",
            &["package.json -> /x | /x/package.json"],
        ),
        (
            &["package.json"],
            ".",
            &["package.json -> /app/package.json"],
        ),
        (
            &["package.json"],
            "./",
            &["package.json -> /app/package.json"],
        ),
        (
            &["package.json"],
            "/app",
            &["package.json -> /app/package.json"],
        ),
        (
            &["./package.json"],
            "p.json",
            &["package.json -> /app/p.json | /app/p.json/package.json"],
        ),
        (&["/package.json"], "/", &["package.json -> /package.json"]),
        (
            &["../../package.json"],
            "/",
            &["package.json -> /package.json"],
        ),
        (
            &["package.json/"],
            "/x/",
            &["package.json -> /x/package.json"],
        ),
        (
            &["src/../package.json"],
            "/x/",
            &["package.json -> /x/package.json"],
        ),
        (&["src/main.py"], "/x/", &["src/main.py -> /x/main.py"]),
        (
            &["package.json", "src/main.py"],
            "./",
            &[
                "package.json -> /app/package.json",
                "src/main.py -> /app/main.py",
            ],
        ),
        (&["missing"], "/x/", &[]),
    ] {
        assert_eq!(
            brought(sources, destination, app, ""),
            expected,
            "COPY {sources:?} {destination}"
        );
    }
}

#[test]
fn of_a_directory_the_contents_are_copied() {
    let src = [
        "src/lib/data.bin -> /x/lib/data.bin",
        "src/lib/util.py -> /x/lib/util.py",
        "src/main.py -> /x/main.py",
    ];
    for (source, destination) in [
        ("src", "/x"),
        ("src", "/x/"),
        ("src/", "/x"),
        ("./src/.", "/x"),
        ("/src", "/x/"),
    ] {
        assert_eq!(
            brought(&[source], destination, None, ""),
            src,
            "COPY {source} {destination}"
        );
    }
    let all = brought(&["."], ".", Some("/app"), "*\n!docs");
    assert_eq!(
        all,
        [
            "docs/a.md -> /app/docs/a.md",
            "docs/b.txt -> /app/docs/b.txt"
        ]
    );
    assert_eq!(
        brought(&["/"], "/", None, "*\n!docs/a.md"),
        ["docs/a.md -> /docs/a.md"]
    );
    assert_eq!(
        brought(&["..", "docs"], "/d/", None, "*\n!docs/a.md"),
        ["docs/a.md -> /d/docs/a.md", "docs/a.md -> /d/a.md"]
    );
}

#[test]
fn patterns() {
    for (source, expected) in [
        (
            "package*.json",
            &[
                "package-lock.json -> /x/package-lock.json",
                "package.json -> /x/package.json",
            ][..],
        ),
        ("package?json", &["package.json -> /x/package.json"]),
        ("arr[[]0].txt", &["arr[0].txt -> /x/arr[0].txt"]),
        ("arr[0].txt", &[]),
        ("docs/*.md", &["docs/a.md -> /x/a.md"]),
        ("*/a.md", &["docs/a.md -> /x/a.md"]),
        (
            "docs/[ab].*",
            &["docs/a.md -> /x/a.md", "docs/b.txt -> /x/b.txt"],
        ),
        ("docs[/]*.md", &["docs/a.md -> /x/a.md"]),
        // Of a directory that is matched the contents are copied, so that its name is lost.
        (
            "src/l*",
            &[
                "src/lib/data.bin -> /x/data.bin",
                "src/lib/util.py -> /x/util.py",
            ],
        ),
        (
            "s*",
            &[
                "src/lib/data.bin -> /x/lib/data.bin",
                "src/lib/util.py -> /x/lib/util.py",
                "src/main.py -> /x/main.py",
            ],
        ),
        // BuildKit does not look below a directory that matched.
        (
            "src/*",
            &[
                "src/lib/data.bin -> /x/data.bin",
                "src/lib/util.py -> /x/util.py",
                "src/main.py -> /x/main.py",
            ],
        ),
        ("**/util.py", &[]),
        ("**/*.md", &["docs/a.md -> /x/a.md"]),
        ("*.none", &[]),
    ] {
        assert_eq!(
            brought(&[source], "/x/", None, ""),
            expected,
            "COPY {source} /x/"
        );
    }
}

#[test]
fn what_is_ignored_is_not_brought() {
    assert_eq!(
        brought(&["package.json"], "/x/", None, "*.json"),
        Vec::<String>::new()
    );
    assert_eq!(
        brought(&["docs"], "/x/", None, "**/*.md"),
        ["docs/b.txt -> /x/b.txt"]
    );
    assert_eq!(
        brought(&["docs"], "/x/", None, "docs\n!docs/b.txt"),
        ["docs/b.txt -> /x/b.txt"]
    );
    assert_eq!(
        brought(&["d*"], "/x/", None, "docs\n!docs/b.txt"),
        ["docs/b.txt -> /x/b.txt"]
    );
    assert_eq!(
        brought(&["docs"], "/x/", None, "docs"),
        Vec::<String>::new()
    );
}

#[test]
fn an_unknown_working_directory_is_kept_apart() {
    assert_eq!(
        brought(&["docs/a.md"], ".", None, ""),
        ["docs/a.md -> ./a.md"]
    );
    assert_eq!(
        brought(&["docs/a.md"], "x/", None, ""),
        ["docs/a.md -> ./x/a.md"]
    );
    assert_eq!(
        brought(&["docs/a.md"], "../x/", None, ""),
        ["docs/a.md -> ?"]
    );
    assert_eq!(
        brought(&["docs/a.md"], "/x/", None, ""),
        ["docs/a.md -> /x/a.md"]
    );
}

#[test]
fn directories_land_too() {
    let (context, ignore) = (context(), ignore("logs"));
    let copy = Copy::new(["."], "/app/", None, &context, &ignore);
    let at = |place: &str| Some(vec![Landing::At(ImagePath::Absolute(place.to_owned()))]);
    assert_eq!(copy.brings("src"), at("/app/src"));
    assert_eq!(copy.brings("src/lib/"), at("/app/src/lib"));
    assert_eq!(copy.brings(""), at("/app"));
    assert_eq!(copy.brings("logs"), Some(vec![]));
    assert_eq!(copy.brings("sr"), Some(vec![]));
}

#[test]
fn what_fails_the_build() {
    let error = |sources: &[&str], destination: &str, ignored: &str| {
        let (context, ignore) = (context(), ignore(ignored));
        Copy::new(sources, destination, Some("/app"), &context, &ignore)
            .check()
            .err()
    };
    let not_found = |source: &str| Some(CopyError::NotFound(source.to_owned()));
    assert_eq!(error(&["package.json"], "/x", ""), None);
    assert_eq!(error(&["missing"], "/x", ""), not_found("missing"));
    assert_eq!(
        error(&["package.json"], "/x", "*.json"),
        not_found("package.json")
    );
    assert_eq!(error(&["docs"], "/x", "docs"), not_found("docs"));
    assert_eq!(error(&["docs"], "/x", "docs\n!docs/a.md"), None);
    assert_eq!(
        error(&["docs"], "/x", "docs\n!docs/none.md"),
        not_found("docs")
    );
    assert_eq!(
        error(&["*.none"], "/x", ""),
        None,
        "a pattern may match nothing"
    );
    assert_eq!(
        error(&["none/*.txt"], "/x", ""),
        not_found("none/*.txt"),
        "but the directory before it must be there"
    );
    assert_eq!(
        error(&["a[", "docs"], "/x/", ""),
        Some(CopyError::BadPattern("a[".to_owned()))
    );
    assert_eq!(
        error(&["package.json", "docs"], "/x", ""),
        Some(CopyError::NotADirectory)
    );
    assert_eq!(error(&["package.json", "docs"], ".", ""), None);
    let ignore = Ignore::default();
    assert_eq!(
        Copy::new(["a"], "/x", None, &NoContext, &ignore).check(),
        Err(CopyError::UnknownContext)
    );
}

#[test]
fn unknown_is_not_absent() {
    let (context, ignore) = (context(), Ignore::default());
    assert_eq!(
        Copy::new(["."], "/x", None, &NoContext, &ignore).brings("a"),
        None
    );
    assert_eq!(
        Copy::new(["src["], "/x", None, &context, &ignore).brings("src/main.py"),
        None
    );
}

#[test]
fn remote_sources() {
    for remote in [
        "https://x.org/a",
        "http://x/a.tar",
        "git@github.com:a/b.git",
        "git://x/y",
        "ssh://git@x/y",
        "user@host:dir",
    ] {
        assert!(is_remote(remote), "{remote}");
    }
    for local in [
        "a",
        "./a:b",
        "a@b/c:d",
        "github.com/a/b",
        "C:a",
        "@a:b",
        "a/x://b",
    ] {
        assert!(!is_remote(local), "{local}");
    }
    let (context, ignore) = (context(), Ignore::default());
    let copy = Copy::new(
        ["https://x.org/package.json"],
        "/x/",
        None,
        &context,
        &ignore,
    );
    assert_eq!(copy.files().count(), 0);
    assert_eq!(copy.check(), Ok(()));
}

/// A context that counts the directories that are listed.
struct Counting(MemoryContext, RefCell<Vec<String>>);

impl BuildContext for Counting {
    fn is_known(&self) -> bool {
        true
    }
    fn entry(&self, path: &str) -> Option<Entry> {
        self.0.entry(path)
    }
    fn list(&self, path: &str) -> Vec<String> {
        self.1.borrow_mut().push(path.to_owned());
        self.0.list(path)
    }
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        self.0.read(path, limit)
    }
}

#[test]
fn a_question_lists_nothing_and_a_list_only_what_is_needed() {
    let counting = Counting(context(), RefCell::default());
    let ignore = ignore("src\n!docs");
    let copy = Copy::new([".", "docs/*.md"], "/app/", None, &counting, &ignore);
    assert_eq!(
        copy.brings("docs/a.md").map(|landings| landings.len()),
        Some(2)
    );
    assert_eq!(copy.brings("src/lib/util.py"), Some(vec![]));
    assert_eq!(copy.check(), Ok(()));
    assert_eq!(*counting.1.borrow(), Vec::<String>::new());
    assert_eq!(copy.files().count(), 8);
    assert!(
        !counting
            .1
            .borrow()
            .iter()
            .any(|listed| listed.starts_with("src")),
        "{:?}",
        counting.1.borrow()
    );
}

mod properties {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Paths, patterns and ignore files over so few letters that they meet.
    fn path() -> impl Strategy<Value = String> {
        proptest::collection::vec("[ab]{1,2}", 1..4).prop_map(|parts| parts.join("/"))
    }

    fn pattern() -> impl Strategy<Value = String> {
        proptest::collection::vec(
            "[ab]{1,2}|\\*|[ab]\\*|\\?|\\*\\*|\\[ab\\]|\\[\\^a\\]b",
            1..4,
        )
        .prop_map(|parts| parts.join("/"))
    }

    fn context() -> impl Strategy<Value = MemoryContext> {
        // A file is never also a directory: the last name gets a letter of its own.
        proptest::collection::vec((path(), "[ab]"), 1..8).prop_map(|files| {
            files
                .into_iter()
                .map(|(path, name)| (format!("{path}/f{name}"), ""))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn listing_and_asking_agree(
            context in context(),
            sources in proptest::collection::vec(prop_oneof![path(), pattern(), Just(".".to_owned())], 1..3),
            ignored in proptest::collection::vec((any::<bool>(), pattern()), 0..4),
        ) {
            let text: String = ignored.iter().map(|(not, pattern)| format!("{}{pattern}\n", if *not { "!" } else { "" })).collect();
            let ignore = Ignore::parse(text.as_bytes()).expect("well formed");
            let copy = Copy::new(&sources, "/x/", None, &context, &ignore);
            let mut listed: BTreeMap<String, Vec<Landing>> = BTreeMap::new();
            for (path, landing) in copy.files() {
                listed.entry(path).or_default().push(landing);
            }
            for path in context.files.keys() {
                let asked = copy.brings(path).expect("the context is known");
                prop_assert_eq!(&asked, &listed.get(path).cloned().unwrap_or_default(), "{} {:?} {:?}", path, sources, text);
                let verdict = path::prefixes(path).fold(ignore.root(), |parent, inner| ignore.enter(&parent, inner));
                prop_assert!(asked.is_empty() || !verdict.ignored);
            }
        }

        #[test]
        fn nothing_panics(text in any::<Vec<u8>>(), path in any::<String>(), source in any::<String>(), destination in any::<String>()) {
            let context = super::context();
            let ignore = Ignore::parse(&text).unwrap_or_default();
            let _ = ignore.ignores(&path);
            let copy = Copy::new([&source], &destination, Some(&path), &context, &ignore);
            let _ = (copy.check(), copy.brings(&path), copy.files().count(), glob::matches(&source, &path));
        }
    }
}
