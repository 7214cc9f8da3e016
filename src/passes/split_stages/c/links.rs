//! What programs of C and C++ are linked with, as commands of the compiler and the files of build tools say it.
//!
//! Never takes a library for known that no table has: it may be one that the build makes itself.

use std::collections::{BTreeMap, BTreeSet};

use super::Knowledge;

/// Parts of words that link, or make, more than a plain program.
const ODD: [&str; 8] = [
    "-L",
    "-Wl,",
    "-fsanitize",
    "-rdynamic",
    "-shared",
    "--coverage",
    "-pg",
    "-config",
];

/// Parts of words that say that C++ is compiled.
const CXX: [&str; 6] = ["++", "CXX", ".cpp", ".cc", ".cxx", ".C"];

/// What was found.
pub(super) struct Links<'k> {
    known: &'k Knowledge,
    /// The packages that hold what is linked when programs are built, and how each is named.
    pub(super) packages: BTreeMap<String, String>,
    /// Packages with libraries of the compiler.
    pub(super) of_compiler: BTreeSet<String>,
    /// Whether C++ is compiled, and linked with the library of the compiler.
    pub(super) needs_cxx: bool,
}

impl<'k> Links<'k> {
    pub(super) fn new(known: &'k Knowledge) -> Self {
        Self {
            known,
            packages: BTreeMap::new(),
            of_compiler: BTreeSet::new(),
            needs_cxx: false,
        }
    }

    /// Text of a command or of a file of a build tool.
    ///
    /// # Errors
    /// It may link what is not known.
    pub(super) fn text(&mut self, text: &str) -> Result<(), String> {
        let text = self.without_pkg_config(text)?;
        for word in text.split_whitespace() {
            self.word(word)?;
        }
        let is_static = text.contains("-static-libstdc++");
        self.needs_cxx |= !is_static && CXX.iter().any(|cxx| text.contains(cxx));
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), String> {
        let plain = word.rsplit('=').next().unwrap_or(word);
        let plain = plain.trim_matches(['"', '\'', '(', ')']);
        if let Some(name) = plain.strip_prefix("-l") {
            return self.library(name).ok_or_else(|| unknown(word));
        }
        if plain == "-fopenmp" {
            return self.library("gomp").ok_or_else(|| unknown(word));
        }
        let is_shared = plain.ends_with(".so") || plain.contains(".so.");
        match is_shared || ODD.iter().any(|odd| word.contains(odd)) {
            true => Err(unknown(word)),
            false => Ok(()),
        }
    }

    /// A library, as one of the tools names it; `None` where it is not known.
    pub(super) fn library(&mut self, name: &str) -> Option<()> {
        let name = name.to_lowercase();
        if self.known.libraries.contains(&name) {
            return Some(());
        }
        if let Some(package) = self.known.compiler_libraries.get(&name) {
            self.of_compiler.insert(package.clone());
            return Some(());
        }
        let package = self.known.links.get(&name)?.clone();
        let linked = format!(", linked as `{name}`");
        self.packages.insert(package, linked);
        Some(())
    }

    /// The text without what asks `pkg-config` for libraries that are known.
    fn without_pkg_config(&mut self, text: &str) -> Result<String, String> {
        const ASKS: [(&str, char); 6] = [
            ("$(shell pkg-config ", ')'),
            ("$(shell pkgconf ", ')'),
            ("$(shell $(PKG_CONFIG) ", ')'),
            ("$(pkg-config ", ')'),
            ("$(pkgconf ", ')'),
            ("`pkg-config ", '`'),
        ];
        let mut rest = text.to_owned();
        for (opening, closing) in ASKS {
            while let Some(at) = rest.find(opening) {
                let asked = &rest[at + opening.len()..];
                let end = asked.find(closing).ok_or_else(|| unknown(opening))?;
                for word in asked[..end].split_whitespace() {
                    let is_known = match word.starts_with('-') {
                        true => matches!(word, "--cflags" | "--libs" | "--silence-errors"),
                        false => self.library(word).is_some(),
                    };
                    if !is_known {
                        return Err(unknown(&format!("pkg-config {word}")));
                    }
                }
                let behind = at + opening.len() + end + closing.len_utf8();
                rest.replace_range(at..behind, " ");
            }
        }
        Ok(rest)
    }
}

/// Why a word is a reason not to split.
pub(super) fn unknown(word: &str) -> String {
    format!("`{word}` may link a library that the small image does not have")
}
