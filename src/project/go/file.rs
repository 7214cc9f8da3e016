//! One Go source file at a glance.

use std::collections::BTreeSet;

use super::words;

/// What a Go file tells in its head, and its embeds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GoFile {
    /// Name of the package; `None` where there is no package clause.
    pub package: Option<String>,
    /// `//go:build` (or `// +build`), verbatim.
    pub constraint: Option<String>,
    /// Whether it imports "C".
    pub imports_c: bool,
    /// What the program may need of an image.
    pub needs: BTreeSet<GoNeed>,
    /// Patterns of `//go:embed`, relative to the file's directory.
    pub embeds: Vec<String>,
}

/// Something beside the program itself that it may need when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GoNeed {
    /// The certificates of authorities.
    Certificates,
    /// A directory for temporary files.
    TemporaryFiles,
    /// The rules of time zones.
    TimeZones,
    /// The names of users.
    Users,
}

/// What in the text of a file tells of a need; rather too much than too little.
const NEEDS: [(&str, GoNeed); 13] = [
    ("\"crypto/tls\"", GoNeed::Certificates),
    ("\"crypto/x509\"", GoNeed::Certificates),
    ("\"net/http\"", GoNeed::Certificates),
    ("CreateTemp", GoNeed::TemporaryFiles),
    ("MkdirTemp", GoNeed::TemporaryFiles),
    ("TempDir", GoNeed::TemporaryFiles),
    ("TempFile", GoNeed::TemporaryFiles),
    // What an upload holds beyond a limit is put there.
    ("FormFile", GoNeed::TemporaryFiles),
    ("FormValue", GoNeed::TemporaryFiles),
    ("MultipartForm", GoNeed::TemporaryFiles),
    ("LoadLocation", GoNeed::TimeZones),
    ("/zoneinfo", GoNeed::TimeZones),
    ("\"os/user\"", GoNeed::Users),
];

/// What the Go file of these bytes tells. Never fails: what is not Go has no package. A directive inside a raw string
/// counts too, so that nothing is missed.
pub fn go_file(bytes: &[u8]) -> GoFile {
    let text = String::from_utf8_lossy(bytes);
    let mut file = GoFile::default();
    let needs = NEEDS.iter().filter(|(word, _)| text.contains(word));
    file.needs = needs.map(|(_, need)| *need).collect();
    let mut head = true;
    let mut in_comment = false;
    for line in text.lines() {
        let line = line.trim();
        if !in_comment && let Some(comment) = line.strip_prefix("//") {
            read_directive(&mut file, comment, head);
            continue;
        }
        if !head {
            continue;
        }
        let code = code(line, &mut in_comment);
        let mut tokens = code.split_whitespace();
        match (tokens.next(), tokens.next()) {
            (Some("package"), Some(name)) if file.package.is_none() => {
                file.package = Some(name.trim_end_matches(';').to_owned());
            }
            (Some("func" | "var" | "const" | "type"), _) => {
                head = false;
                continue;
            }
            _ => {}
        }
        if file.package.is_some() && (code.contains("\"C\"") || code.contains("`C`")) {
            file.imports_c = true;
        }
    }
    file
}

/// `comment` is what follows `//`. Constraints count only before the package clause.
fn read_directive(file: &mut GoFile, comment: &str, head: bool) {
    if let Some(patterns) = comment.strip_prefix("go:embed") {
        if patterns.starts_with([' ', '\t']) {
            file.embeds.extend(words(patterns).unwrap_or_default());
        }
        return;
    }
    if !head || file.package.is_some() || file.constraint.is_some() {
        return;
    }
    let constraint = comment
        .strip_prefix("go:build ")
        .or_else(|| comment.trim_start().strip_prefix("+build "));
    file.constraint = constraint.map(|text| text.trim().to_owned());
}

/// `line` without comments; `in_comment` is whether a `/*` is open before and after it.
fn code(line: &str, in_comment: &mut bool) -> String {
    let mut code = String::new();
    let mut rest = line;
    loop {
        if *in_comment {
            let Some((_, after)) = rest.split_once("*/") else {
                return code;
            };
            *in_comment = false;
            rest = after;
        }
        let Some((before, after)) = rest.split_once('/') else {
            code.push_str(rest);
            return code;
        };
        code.push_str(before);
        if after.starts_with('/') {
            return code;
        }
        *in_comment = after.starts_with('*');
        code.push(if *in_comment { ' ' } else { '/' });
        rest = if *in_comment {
            after.get(1..).unwrap_or_default()
        } else {
            after
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::survives;

    const FILE: &str = r#"// Copyright
/* package wrong
   import "C" */
//go:build linux && cgo

// Package main serves.
package main // here

/*
#include <stdio.h>
*/
import "C"

import (
	"embed"
	_ "net/http/pprof" // "/*" is no comment
)

//go:embed templates/*.html "with blank.txt"
//go:embed static
var files embed.FS

const glob = "/*"

var (
	//go:embed `VERSION`
	version string
)

func main() {}
"#;

    #[test]
    fn reads_head_and_embeds() {
        let file = go_file(FILE.as_bytes());
        assert_eq!(file.package.as_deref(), Some("main"));
        assert_eq!(file.constraint.as_deref(), Some("linux && cgo"));
        assert!(file.imports_c);
        assert_eq!(
            file.embeds,
            ["templates/*.html", "with blank.txt", "static", "VERSION"]
        );
    }

    #[test]
    fn a_c_that_is_not_imported_is_no_cgo() {
        let text = "package a\n\nimport \"fmt\"\n\nfunc f() { fmt.Println(\"C\") }\n";
        let file = go_file(text.as_bytes());
        assert!(!file.imports_c && file.embeds.is_empty() && file.constraint.is_none());
        assert!(!go_file(b"package a\n/*\nimport \"C\"\n*/\n").imports_c);
        assert!(go_file(b"package a\nimport (\n\t\"fmt\"\n\t\"C\"\n)\n").imports_c);
    }

    #[test]
    fn what_is_not_go_has_no_package() {
        assert_eq!(go_file(b"hello\n"), GoFile::default());
        assert_eq!(
            go_file(b"// +build ignore\n\npackage x\n")
                .constraint
                .as_deref(),
            Some("ignore")
        );
    }

    #[test]
    fn never_panics() {
        survives(&[FILE], |bytes| drop(go_file(bytes)));
    }
}
