//! The cases name the documented rule that they come from: Docker's manual ("`.dockerignore` files"), the documentation
//! of `moby/patternmatcher` and its `ignorefile` reader, Go's `filepath.Match` and `regexp/syntax`.

use super::*;
use crate::context::MemoryContext;

fn ignore(text: &str) -> Ignore {
    Ignore::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// Each row: the rule, the file, what is ignored, what is not.
type Case = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

fn check(cases: &[Case]) {
    for (rule, text, ignored, kept) in cases {
        let ignore = ignore(text);
        for path in *ignored {
            assert!(
                ignore.ignores(path),
                "{rule}: {text:?} should ignore {path}"
            );
        }
        for path in *kept {
            assert!(!ignore.ignores(path), "{rule}: {text:?} should keep {path}");
        }
    }
}

#[test]
#[rustfmt::skip]
fn the_reader() {
    check(&[
        ("manual: no file, nothing ignored", "", &[], &["a", ".git", "."]),
        ("ignorefile: a byte order mark is stripped", "\u{feff}a\n", &["a"], &["b"]),
        ("ignorefile: only on the first line", "b\n\u{feff}a\n", &["b", "\u{feff}a"], &["a"]),
        ("manual: a `#` in column 1 is a comment", "# a\na\n#b", &["a"], &["b", "#b", "# a"]),
        ("ignorefile: after the byte order mark too", "\u{feff}# a\n", &[], &["# a", "a"]),
        ("ignorefile: the `#` is looked for before trimming", "  # a\n", &["# a"], &["a"]),
        ("ignorefile: a later `#` is part of the pattern", "a # b\n", &["a # b"], &["a"]),
        ("manual: blanks around a pattern are trimmed", " \ta b \t\n", &["a b"], &["a", "b"]),
        ("Go: TrimSpace trims every Unicode space", "\u{a0}a\u{3000}\n", &["a"], &[]),
        ("Go: a carriage return is trimmed", "a\r\nb\r\n", &["a", "b"], &["a\r"]),
        ("ignorefile: blank lines are ignored", "\n  \n\t\na", &["a"], &["b"]),
        ("manual: filepath.Clean, trailing slash", "a/\nb//\n", &["a", "a/x", "b"], &[]),
        ("manual: filepath.Clean, `.` and `..`", "./a\nb/../c\nd/./e", &["a", "c", "d/e"], &["b", "d"]),
        ("manual: a leading slash is the context", "/a\n//b\n/c/d", &["a", "b", "c/d"], &["x/a", "c"]),
        ("Go: Clean stops at the root", "/../a\n", &["a"], &[]),
        ("manual: outside the context matches nothing", "../a\n..\n", &[], &["a"]),
        ("ignorefile: `/` and `.` match no file", "/\n.\n./\n", &[], &["a", "."]),
        ("Go: Clean is lexical, stars included", "**/../a\n", &["a"], &["x/a"]),
        ("ignorefile: `! a` is `!a`", "*\n! a\n!\t/b\n", &["c"], &["a", "b"]),
        ("ignorefile: `!` is cleaned behind the mark", "*\n!./a/\n!/b", &["c"], &["a", "b"]),
        ("matcher: trims and cleans once more", "/ a\n/ /\n", &["a"], &[" a", " "]),
        ("matcher: only the first `!` is a mark", "!!a\n*\n!!b", &["a", "b"], &["!b"]),
        ("bufio: the last line needs no line feed", "a\nb", &["a", "b"], &[]),
    ]);
}

#[test]
#[rustfmt::skip]
fn the_manual() {
    check(&[
        ("manual: `*/temp*` is one level down", "*/temp*", &["a/temporary.txt", "a/temp", "a/temp/x"], &["temp", "a/b/temp"]),
        ("manual: `*/*/temp*` is two levels down", "*/*/temp*", &["a/sub/temporary.txt"], &["a/temp", "a/b/c/temp"]),
        ("manual: `temp?` is one more character", "temp?", &["tempa", "tempb", "tempa/x"], &["temp", "tempab", "x/tempa"]),
        ("manual: `**/*.go` is every level", "**/*.go", &["a.go", "x/a.go", "x/y/a.go"], &["a.goo", "go"]),
        ("manual: the last match wins, exception last", "*.md\n!README.md", &["a.md"], &["README.md"]),
        ("manual: `!README*.md` then an exception to it", "*.md\n!README*.md\nREADME-secret.md", &["a.md", "README-secret.md"], &["README.md", "README-x.md"]),
        ("manual: a middle line without effect", "*.md\nREADME-secret.md\n!README*.md", &["a.md"], &["README.md", "README-secret.md"]),
        ("manual: everything but", "*\n!src\n!package.json", &["a", "b/c", ".git/HEAD"], &["src", "src/a/b", "package.json"]),
        ("manual: the Dockerfile may be ignored", "Dockerfile\n.dockerignore", &["Dockerfile", ".dockerignore"], &["a/Dockerfile"]),
        ("manual: a name is only the name at the root", "node_modules", &["node_modules", "node_modules/a/b"], &["a/node_modules", "node_modules2"]),
    ]);
}

#[test]
#[rustfmt::skip]
fn the_matcher() {
    check(&[
        ("matcher: a directory brings all below it", "a/b", &["a/b", "a/b/c/d"], &["a", "a/bc", "x/a/b"]),
        ("matcher: `*` does not cross `/`", "a/*.txt", &["a/x.txt", "a/.txt"], &["a/b/x.txt"]),
        ("matcher: a matched parent ignores what is below", "a/*", &["a/b", "a/b/c"], &["a"]),
        ("matcher: `*` is every name, hidden ones too", "*", &["a", ".a", "a/b/c"], &["."]),
        ("matcher: `.*` is a dot first", ".*", &[".a", ".git/x"], &["a", "a/.b"]),
        ("matcher: `?` is not `/`", "a?b", &["axb", "a☺b"], &["a/b", "ab"]),
        ("matcher: `**` is everything", "**", &["a", "a/b"], &["."]),
        ("matcher: `**/` is `**`", "**/", &["a", "a/b"], &[]),
        ("matcher: `**/**`", "**/**", &["a", "a/b"], &[]),
        ("matcher: `dir/**` is not the directory itself", "a/**", &["a/b", "a/b/c"], &["a", "ab", "b/a/c"]),
        ("matcher: `**/name` is every level", "**/a", &["a", "x/a", "x/y/a/z"], &["xa", "a2"]),
        ("matcher: `**name` is a suffix of the path", "**a", &["a", "xa", "x/ya"], &["ab"]),
        ("matcher: with a star it needs a component", "**a*", &["a", "ab", "x/ab"], &["xa", "x/ya"]),
        ("matcher: `**/a/*`", "**/a/*", &["a/b", "x/a/b", "x/y/a/b/c"], &["a", "x/a"]),
        ("matcher: `**/a/**`", "**/a/**", &["a/b", "x/a/b/c"], &["a", "x/a"]),
        ("matcher: `**/**/*.txt`", "**/**/*.txt", &["a.txt", "x/y/a.txt"], &["a.txt2"]),
        ("matcher: `a**/b`", "a**/b", &["a/b", "ab", "ax/b", "a/x/y/b"], &["b", "x/a/b"]),
        ("matcher: `**` inside takes no or many directories", "a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["b", "ab", "a/xb"]),
        ("matcher: a trailing `**` after a name", "a**", &["a", "ab", "a/b", "ab/c"], &["ba"]),
        ("matcher: `x*.txt**`", "a/*.txt**", &["a/b.txt", "a/b.txt2", "a/b.txt/c"], &["a/b.tx"]),
        ("matcher: regular expression characters are plain", "a.|)$(}+{b", &["a.|)$(}+{b"], &["axb"]),
        ("matcher: with a star too", "dist/a+b.c-*.whl", &["dist/a+b.c-1.whl"], &["dist/aab.c-1.whl", "dist/a+bxc-1.whl"]),
        ("matcher: `^` outside a class with a star never matches", "a^*", &[], &["a^b", "ab"]),
        ("matcher: `^` in a plain name is plain", "a^b", &["a^b"], &["ab"]),
        ("matcher: names are case-sensitive", "A", &["A"], &["a"]),
        ("filepath.Match: a class", "a[b-d]e", &["ace"], &["ae", "aae"]),
        ("filepath.Match: a negated class", "a[^b-d]e", &["aze"], &["ace"]),
        ("regexp: a negated class takes `/`", "a[^b]c", &["a/c"], &["abc"]),
        ("filepath.Match: `[!` does not negate", "[!a]b", &["!b", "ab"], &["cb"]),
        ("filepath.Match: escapes", "a\\*b\n\\!c\n\\#d", &["a*b", "!c", "#d"], &["axb", "c"]),
        ("filepath.Match: escapes in a class", "[\\]x]\n[\\-y]", &["]", "x", "-", "y"], &["\\"]),
        ("regexp: a star in a class is not a star", "[*]", &["[]", "^/^]"], &["*", "a"]),
        ("regexp: `[` in a class is plain", "[[]a", &["[a"], &["a"]),
        ("regexp: `&&`, `--` and `~~` in a class are plain", "[a&&b]", &["a", "&", "b"], &["c"]),
        ("regexp: `\\d` and `\\D` are classes", "a\\d\nbin\\Debug", &["a7", "binxebug"], &["ad", "bin/Debug"]),
        ("regexp: `\\b` is a word boundary", "foo\\bar", &[], &["foo\\bar", "foobar", "foo/bar"]),
        ("matcher: `**` crosses no line feed", "**/a*", &["x/ab"], &["x\ny/ab"]),
    ]);
}

#[test]
#[rustfmt::skip]
fn exceptions_and_parents() {
    check(&[
        ("matcher: below an excluded directory", "a\n!a/b", &["a/c", "a"], &["a/b", "a/b/c"]),
        ("matcher: deep below it", "a\n!a/b/c", &["a/b", "a/b/d"], &["a/b/c"]),
        ("matcher: with a trailing slash", "a/\n!a/b", &["a/c"], &["a/b"]),
        ("matcher: a pattern before its exclusion is lost", "!a.go\n*.go", &["a.go"], &[]),
        ("matcher: an exception of a parent", "**\n!a/b", &["a/x", "c"], &["a/b", "a/b/c"]),
        ("matcher: excluded again", "**\n!a/b\na/b/c", &["a/b/c", "x"], &["a/b/d"]),
        ("matcher: an exception with a star", "**\n!dist/*.whl", &["dist/a.txt", "dist"], &["dist/a.whl"]),
        ("matcher: `!**/x`", "*\n!**/*.md", &["a", "a/b.txt"], &["a.md", "a/b/c.md"]),
        ("manual: `!*/*` does not bring back the root", "*\n!*/*", &["a", "a.txt"], &["a/b"]),
        ("walk: an exception is asked only below something ignored", "**/*.log\n!keep", &["keep/x.log", "x.log"], &["keep", "keep/x"]),
        ("walk: so name what is below it", "**/*.log\n!keep/**", &["x.log"], &["keep/x.log", "keep/a/x.log"]),
        ("walk: a child excluded before its parent's exception", "a/b\n!a", &["a/b", "a/b/c"], &["a", "a/c"]),
    ]);
}

#[test]
fn what_fails_the_build() {
    let long = "a".repeat(65_536);
    for (text, line, reason) in [
        ("a\n!\n", 2, "`!` with no pattern behind it"),
        ("! \n", 1, "`!` with no pattern behind it"),
        ("!/\n", 1, "`!` with no pattern behind it"),
        ("a[\n", 1, "malformed pattern `a[`"),
        ("[]a]", 1, "malformed pattern `[]a]`"),
        ("a\n\n![a-", 3, "malformed pattern `[a-`"),
        ("a\\", 1, "malformed pattern `a\\`"),
        (
            "[Local-Only]/",
            1,
            "pattern `[Local-Only]`: the range `l-O` runs backwards",
        ),
        (
            "obj\\Release",
            1,
            "pattern `obj\\Release`: `\\R` is no plain escape (use `/` between directories)",
        ),
        (long.as_str(), 1, "a line of 65536 bytes"),
    ] {
        let error = Ignore::parse(text.as_bytes()).expect_err(text);
        assert_eq!((error.line, error.reason.as_str()), (line, reason));
    }
    assert!(Ignore::parse("a".repeat(65_535).as_bytes()).is_ok());
    assert!(
        Ignore::parse(b"caf\xE9\n").is_ok(),
        "a file need not be UTF-8"
    );
}

#[test]
fn directories_that_need_no_walk() {
    let exceptions = ignore("*\n!src/app\n!docs/*.md\n!vendor/**");
    for directory in ["src", "docs", "docs/x", "vendor", "vendor/a"] {
        assert!(exceptions.may_except_below(directory), "{directory}");
    }
    for directory in ["src/app", "src/lib", "lib", "doc"] {
        assert!(!exceptions.may_except_below(directory), "{directory}");
    }
    assert!(
        ignore("a\n!**/b").may_except_below("a"),
        "only a walk can tell"
    );
    assert!(!ignore("a\nb").may_except_below("a"));
}

#[test]
fn which_file_holds() {
    let workspace = MemoryContext::from([
        ("app/Dockerfile", ""),
        ("app/Dockerfile.dockerignore", "own"),
        ("app/.dockerignore", "shared"),
        ("docker/prod.Dockerfile", ""),
        ("docker/.dockerignore", "not of this context"),
        ("bad/.dockerignore", "ok\n["),
    ]);
    let file =
        |directory, dockerfile| load(&workspace, directory, dockerfile).map(|(file, _)| file);
    assert_eq!(
        file("app", "app/Dockerfile"),
        Ok(Some("app/Dockerfile.dockerignore".to_owned()))
    );
    assert_eq!(
        file("app", "docker/prod.Dockerfile"),
        Ok(Some("app/.dockerignore".to_owned()))
    );
    assert_eq!(
        file("", "app/Dockerfile"),
        Ok(Some("app/Dockerfile.dockerignore".to_owned()))
    );
    assert_eq!(file("", "docker/prod.Dockerfile"), Ok(None));
    let (_, own) = load(&workspace, "app", "app/Dockerfile").expect("it is well formed");
    assert_eq!(own.patterns().collect::<Vec<_>>(), ["own"]);
    let error = load(&workspace, "bad", "bad/Dockerfile").expect_err("malformed");
    assert_eq!(
        error.to_string(),
        "bad/.dockerignore line 2: malformed pattern `[`"
    );
}
