//! Two other parsers as a second opinion: where they parse one of the project's own files that BuildKit accepts, they
//! see the same instructions in the same order. Where they do not, the table says why, and BuildKit decides.

use std::collections::BTreeMap;

use dockeropt::syntax::Dockerfile;

use crate::files::{name_of, own_dockerfiles};

/// A known disagreement: the file, and what the other parser does differently from BuildKit.
type Known = [(&'static str, &'static str)];

const DOCKERFILE_PARSER: &Known = &[
    (
        "tests/conformance/cases/cont_double.Dockerfile",
        DOUBLED_ESCAPE,
    ),
    (
        "tests/conformance/cases/cont_triple.Dockerfile",
        DOUBLED_ESCAPE,
    ),
    (
        "tests/conformance/cases/escape_backtick.Dockerfile",
        NO_ESCAPE_DIRECTIVE,
    ),
    (
        "tests/cases/apk-no-cache/escape-backtick/Dockerfile",
        NO_ESCAPE_DIRECTIVE,
    ),
    (
        "tests/cases/apt-lists/escape-backtick/Dockerfile",
        NO_ESCAPE_DIRECTIVE,
    ),
];

const PARSE_DOCKERFILE: &Known = &[
    (
        "tests/conformance/cases/cont_double.Dockerfile",
        DOUBLED_ESCAPE,
    ),
    (
        "tests/conformance/cases/cont_triple.Dockerfile",
        DOUBLED_ESCAPE,
    ),
];

const NO_ESCAPE_DIRECTIVE: &str =
    "it knows no `# escape=`: a `\\` at the end continues the line, a backtick does not";

const DOUBLED_ESCAPE: &str =
    "it continues a line that ends in two escape characters or more; BuildKit does not";

#[test]
fn dockerfile_parser_sees_the_same_instructions() {
    compare("dockerfile-parser", DOCKERFILE_PARSER, |text| {
        let file = dockerfile_parser::Dockerfile::parse(text).ok()?;
        Some(file.instructions.iter().map(keyword_of_first).collect())
    });
}

#[test]
fn parse_dockerfile_sees_the_same_instructions() {
    compare("parse-dockerfile", PARSE_DOCKERFILE, |text| {
        let file = parse_dockerfile::parse(text).ok()?;
        Some(file.instructions.iter().map(keyword_of_second).collect())
    });
}

/// Holds another parser's keywords against ours, and the disagreements against the table.
fn compare(name: &str, known: &Known, parse: fn(&str) -> Option<Vec<String>>) {
    let mut found = BTreeMap::new();
    let (mut accepted, mut parsed) = (0, 0);
    for (path, text) in own_dockerfiles() {
        let ours = Dockerfile::parse(&text);
        let Ok(text) = std::str::from_utf8(&text) else {
            continue;
        };
        if !ours.is_accepted() {
            continue;
        }
        accepted += 1;
        let Some(theirs) = parse(text) else { continue };
        parsed += 1;
        let ours: Vec<String> = ours
            .instructions()
            .map(|one| one.keyword.to_string())
            .collect();
        if ours != theirs {
            found.insert(name_of(&path), format!("ours {ours:?}, theirs {theirs:?}"));
        }
    }
    println!(
        "{name} parses {parsed} of {accepted} accepted files; {} disagree",
        found.len()
    );
    let explained: BTreeMap<_, _> = known.iter().copied().collect();
    let unexplained: Vec<_> = found
        .iter()
        .filter(|(path, _)| !explained.contains_key(path.as_str()))
        .collect();
    assert!(
        unexplained.is_empty(),
        "not in the table of {name}: {unexplained:#?}"
    );
    let gone: Vec<_> = explained
        .keys()
        .filter(|path| !found.contains_key(**path))
        .collect();
    assert!(
        gone.is_empty(),
        "in the table of {name}, but it agrees: {gone:?}"
    );
    assert!(
        parsed * 2 > accepted,
        "{name} parses {parsed} of {accepted}: nothing is compared"
    );
}

fn keyword_of_first(instruction: &dockerfile_parser::Instruction) -> String {
    use dockerfile_parser::Instruction::*;
    let name = match instruction {
        From(_) => "FROM",
        Arg(_) => "ARG",
        Label(_) => "LABEL",
        Run(_) => "RUN",
        Entrypoint(_) => "ENTRYPOINT",
        Cmd(_) => "CMD",
        Copy(_) => "COPY",
        Env(_) => "ENV",
        Misc(other) => return other.instruction.content.to_uppercase(),
    };
    name.to_owned()
}

fn keyword_of_second(instruction: &parse_dockerfile::Instruction<'_>) -> String {
    use parse_dockerfile::Instruction::*;
    let name = match instruction {
        Add(_) => "ADD",
        Arg(_) => "ARG",
        Cmd(_) => "CMD",
        Copy(_) => "COPY",
        Entrypoint(_) => "ENTRYPOINT",
        Env(_) => "ENV",
        Expose(_) => "EXPOSE",
        From(_) => "FROM",
        Healthcheck(_) => "HEALTHCHECK",
        Label(_) => "LABEL",
        Maintainer(_) => "MAINTAINER",
        Onbuild(_) => "ONBUILD",
        Run(_) => "RUN",
        Shell(_) => "SHELL",
        Stopsignal(_) => "STOPSIGNAL",
        User(_) => "USER",
        Volume(_) => "VOLUME",
        Workdir(_) => "WORKDIR",
        _ => "?",
    };
    name.to_owned()
}
