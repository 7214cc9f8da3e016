//! What a `configure.ac` and the `Makefile.am`s below it link and install.
//!
//! Never runs them: libraries of the project itself, and hooks that install something, are reasons not to know.

use super::links::{Links, unknown};
use super::makefile;
use crate::context::path;

/// Parts of macros and rules that link, make or install what is not said in their words.
const ODD: [&str; 9] = [
    "LT_INIT",
    "_PROG_LIBTOOL",
    "AC_LIBTOOL",
    "AC_CONFIG_SUBDIRS",
    "LTLIBRARIES",
    "-local:",
    "-hook:",
    "AC_PREFIX_DEFAULT",
    "m4_include",
];

/// Macros from elsewhere that only ask the compiler.
const ASKING: [&str; 4] = [
    "AX_CXX_COMPILE_STDCXX",
    "AX_CHECK_COMPILE_FLAG",
    "AX_APPEND_COMPILE_FLAGS",
    "AX_APPEND_FLAG",
];

/// Notes what the project in a directory of the image links.
///
/// # Errors
/// What it links, makes or installs is not known.
pub(super) fn check(
    links: &mut Links<'_>,
    read: &mut dyn FnMut(&str) -> Option<String>,
    directory: &str,
) -> Result<(), String> {
    let file = path::join(directory, "configure.ac");
    let text = read(&file).ok_or_else(|| format!("what `{file}` says is not known"))?;
    let lines = text.lines().map(|line| match line.split_once("dnl ") {
        Some((before, _)) => before,
        None => line,
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    plain(&text)?;
    links.text(&text)?;
    for (macro_, index) in [
        ("AC_CHECK_LIB", 0),
        ("AC_SEARCH_LIBS", 1),
        ("PKG_CHECK_MODULES", 1),
    ] {
        for asked in arguments(&text, macro_, index) {
            let names = asked
                .split_whitespace()
                .map(|name| name.trim_matches(['[', ']', '"']));
            let is_name = |name: &&str| name.starts_with(|ch: char| ch.is_ascii_alphabetic());
            for name in names.filter(is_name) {
                links.library(name).ok_or_else(|| unknown(name))?;
            }
        }
    }
    automake(links, read, directory)
}

/// No macro links, makes or installs what is not said.
fn plain(text: &str) -> Result<(), String> {
    let is_word = |ch: char| ch.is_ascii_alphanumeric() || ch == '_';
    let mut words = text
        .split(|ch| !is_word(ch))
        .filter(|word| word.starts_with("AX_"));
    let odd = ODD.iter().copied().find(|odd| text.contains(odd));
    match odd.or_else(|| words.find(|word| !ASKING.contains(word))) {
        Some(odd) => Err(format!(
            "`{odd}` may link, make or install what is not known"
        )),
        None => Ok(()),
    }
}

fn automake(
    links: &mut Links<'_>,
    read: &mut dyn FnMut(&str) -> Option<String>,
    directory: &str,
) -> Result<(), String> {
    let file = path::join(directory, "Makefile.am");
    let text = read(&file).ok_or_else(|| format!("what `{file}` says is not known"))?;
    let text = text.replace("\\\n", " ");
    plain(&text)?;
    links.text(&text)?;
    for line in text.lines() {
        let recipe = line
            .strip_prefix('\t')
            .map(|command| command.trim_start_matches(['@', '-']));
        if let Some(command) = recipe.and_then(|command| command.split_whitespace().next()) {
            return Err(makefile::runs(command));
        }
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        let name = name.trim_end_matches('+').trim();
        if name.ends_with("dir") && !value.trim_start().starts_with("$(") {
            return Err(format!("`{name}` of `{file}` is not below the prefix"));
        }
        if name == "SUBDIRS" {
            for below in value.split_whitespace().filter(|word| *word != ".") {
                automake(links, read, &path::join(directory, below))?;
            }
        }
    }
    Ok(())
}

/// The argument of that number of each call of a macro.
fn arguments<'t>(text: &'t str, name: &str, index: usize) -> Vec<&'t str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(name) {
        let Some(inside) = text[at + name.len()..].strip_prefix('(') else {
            continue;
        };
        let mut depth = 0_usize;
        let end = inside.find(|ch| {
            let is_last = ch == ')' && depth == 0;
            match ch {
                '(' | '[' => depth += 1,
                ')' | ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            is_last
        });
        let inside = &inside[..end.unwrap_or(inside.len())];
        found.extend(inside.split(',').nth(index));
    }
    found
}
