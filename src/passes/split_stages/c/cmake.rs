//! What a `CMakeLists.txt` links and installs.
//!
//! Never runs it: a command that may link, make or install something else than is said is a reason not to know.

use std::collections::BTreeSet;

use super::links::{Links, unknown};
use crate::context::path;

/// Commands that make and install nothing beside what others say.
const PLAIN: [&str; 43] = [
    "add_compile_definitions",
    "add_compile_options",
    "add_definitions",
    "add_dependencies",
    "add_executable",
    "add_test",
    "aux_source_directory",
    "check_function_exists",
    "check_include_file",
    "check_symbol_exists",
    "cmake_minimum_required",
    "cmake_policy",
    "else",
    "elseif",
    "enable_testing",
    "endforeach",
    "endif",
    "foreach",
    "if",
    "include_directories",
    "include_guard",
    "list",
    "mark_as_advanced",
    "math",
    "message",
    "option",
    "project",
    "set",
    "set_property",
    "set_target_properties",
    "source_group",
    "string",
    "target_compile_definitions",
    "target_compile_features",
    "target_compile_options",
    "target_include_directories",
    "target_sources",
    "unset",
    "find_package",
    "pkg_check_modules",
    "target_link_libraries",
    "add_library",
    "install",
];

/// Modules that only set variables or check the compiler.
const MODULES: [&str; 7] = [
    "CTest",
    "CheckCCompilerFlag",
    "CheckCXXCompilerFlag",
    "CheckFunctionExists",
    "CheckIncludeFile",
    "CheckSymbolExists",
    "GNUInstallDirs",
];

/// Words of `target_link_libraries` that are none of its libraries.
const SCOPES: [&str; 7] = [
    "INTERFACE",
    "LINK_PRIVATE",
    "LINK_PUBLIC",
    "PRIVATE",
    "PUBLIC",
    "general",
    "optimized",
];

type Call = (String, Vec<String>);

/// Notes what the project in a directory of the image links.
///
/// # Errors
/// What it links, makes or installs is not known.
pub(super) fn check(
    links: &mut Links<'_>,
    read: &mut dyn FnMut(&str) -> Option<String>,
    directory: &str,
) -> Result<(), String> {
    let mut all = Vec::new();
    gather(links, read, directory, &mut all)?;
    let of_project = |call: &&Call| matches!(call.0.as_str(), "add_library" | "add_executable");
    let targets: BTreeSet<String> = all
        .iter()
        .filter(of_project)
        .filter_map(|(_, words)| words.first().cloned())
        .collect();
    for (name, words) in &all {
        one(links, &targets, name, words)?;
    }
    Ok(())
}

/// The calls of a directory, and of those that it adds.
fn gather(
    links: &mut Links<'_>,
    read: &mut dyn FnMut(&str) -> Option<String>,
    directory: &str,
    all: &mut Vec<Call>,
) -> Result<(), String> {
    const MOST: usize = 2_000;
    let file = path::join(directory, "CMakeLists.txt");
    let text = read(&file).ok_or_else(|| format!("what `{file}` says is not known"))?;
    let calls = calls(&text).ok_or_else(|| format!("`{file}` is not understood"))?;
    for (name, words) in calls {
        links.text(&words.join(" "))?;
        match name.as_str() {
            "add_subdirectory" => {
                let below = words.first().filter(|word| !word.contains(['$', '/']));
                let below = below.ok_or("`add_subdirectory` names another directory")?;
                gather(links, read, &path::join(directory, below), all)?;
            }
            _ => all.push((name, words)),
        }
        if all.len() > MOST {
            return Err("the CMake project is too large to be looked through".to_owned());
        }
    }
    Ok(())
}

fn one(
    links: &mut Links<'_>,
    targets: &BTreeSet<String>,
    name: &str,
    words: &[String],
) -> Result<(), String> {
    let shown = || {
        let first = words.first().map(String::as_str).unwrap_or_default();
        format!("`{name}({first} …)` may link, make or install what is not known")
    };
    let has = |one: &str| words.iter().any(|word| word == one);
    let first = words.first().map(String::as_str).unwrap_or_default();
    match name {
        "include" if MODULES.contains(&first) => Ok(()),
        "file" if matches!(first, "GLOB" | "GLOB_RECURSE") => Ok(()),
        "configure_file"
            if words
                .get(1)
                .is_some_and(|to| to.trim_matches('"').ends_with(".h")) =>
        {
            Ok(())
        }
        "set" | "option"
            if first == "BUILD_SHARED_LIBS" && (has("ON") || has("TRUE") || has("1")) =>
        {
            Err(shown())
        }
        "set" if first == "CMAKE_INSTALL_PREFIX" => Err(shown()),
        "add_library"
            if ["SHARED", "MODULE", "IMPORTED"]
                .iter()
                .any(|kind| has(kind)) =>
        {
            Err(shown())
        }
        "find_package" if matches!(first, "Threads" | "PkgConfig") => Ok(()),
        "find_package" => links.library(first).ok_or_else(|| unknown(first)),
        "pkg_check_modules" => modules(links, &words[1.min(words.len())..]),
        "target_link_libraries" => {
            let libraries = words
                .iter()
                .skip(1)
                .filter(|word| !SCOPES.contains(&word.as_str()));
            libraries
                .into_iter()
                .try_for_each(|word| linked(links, targets, word))
        }
        "install" => match installs_below(words) {
            true => Ok(()),
            false => Err(shown()),
        },
        name if PLAIN.contains(&name) => Ok(()),
        _ => Err(shown()),
    }
}

/// Modules of `pkg-config`, with versions and words of the command.
fn modules(links: &mut Links<'_>, words: &[String]) -> Result<(), String> {
    const OWN: [&str; 4] = ["IMPORTED_TARGET", "QUIET", "REQUIRED", "GLOBAL"];
    for word in words.iter().filter(|word| !OWN.contains(&word.as_str())) {
        let name = word.split(['<', '>', '=']).next().unwrap_or(word);
        links.library(name).ok_or_else(|| unknown(word))?;
    }
    Ok(())
}

/// A library of `target_link_libraries`: of the project, of what it looks for, or one that is known.
fn linked(links: &mut Links<'_>, targets: &BTreeSet<String>, word: &str) -> Result<(), String> {
    let word = word.trim_matches('"');
    let variable = word
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let is_found = match variable {
        // What `find_package` and `pkg_check_modules` set, each of which was looked at.
        Some(name) => ["_LIBRARIES", "_LIBRARY", "_LIBS", "_LIBS_INIT", "_LDFLAGS"]
            .iter()
            .any(|end| name.ends_with(end)),
        None => word.contains("::") && !word.contains('$') || word.starts_with('-'),
    };
    match is_found || targets.contains(word) || links.library(word).is_some() {
        true => Ok(()),
        false => Err(unknown(word)),
    }
}

/// Whether all that `install` names goes below the prefix.
fn installs_below(words: &[String]) -> bool {
    let to = words
        .iter()
        .zip(words.iter().skip(1))
        .filter(|(word, _)| *word == "DESTINATION");
    let is_below = |to: &str| {
        let to = to.trim_matches('"');
        let rest = to
            .strip_prefix("${CMAKE_INSTALL_")
            .and_then(|rest| rest.split_once('}'));
        !to.starts_with('/') && !rest.map_or(to, |(_, rest)| rest).contains(['$', '.'])
    };
    let first = words.first().map(String::as_str).unwrap_or_default();
    matches!(first, "TARGETS" | "FILES" | "PROGRAMS" | "DIRECTORY")
        && to.into_iter().all(|(_, to)| is_below(to))
}

/// The calls of a text, in order; `None` where it is not understood.
fn calls(text: &str) -> Option<Vec<Call>> {
    if text.contains("#[") || text.contains("[[") {
        return None;
    }
    let lines = text.lines().map(|line| match line.split_once('#') {
        Some((before, _)) if before.matches('"').count() % 2 == 0 => before,
        _ => line,
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let mut calls = Vec::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('(') {
        let name = rest[..at].trim().to_lowercase();
        let mut depth = 0_usize;
        let end = rest[at..].find(|ch| {
            match ch {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })?;
        let words = rest[at + 1..at + end].split([' ', '\t', '\n', '\r', ';', '(', ')']);
        let words = words.filter(|word| !word.is_empty()).map(str::to_owned);
        if !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return None;
        }
        calls.push((name, words.collect()));
        rest = &rest[at + end + 1..];
    }
    rest.trim().is_empty().then_some(calls)
}
