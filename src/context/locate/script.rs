//! `docker build` lines of CI scripts, Makefiles and shell scripts, where they are simple and literal.
//!
//! Not a shell: words, quotes, the operators that end a command, and `cd` with a literal directory. At the first thing
//! that it does not follow (a here-document, `cd "$x"`) it stops reading. A word with a variable is unreadable.

use super::declared::{DeclaredBuild, DockerfileIn, Text, Written};
use super::value::pair;
use crate::context::path;
use crate::context::{BuildContext, Entry};

mod words;
use words::{Token, Tokens};

/// Options of `docker build` and its kin that take a value, besides those that are read.
const WITH_VALUE: &str = "-t --tag --platform --label --cache-from --cache-to --secret --ssh -o --output --progress --network \
    --add-host --builder --iidfile --metadata-file --shm-size --ulimit --attest --allow --annotation --cgroup-parent \
    --no-cache-filter -m --memory --cpu-shares --cpuset-cpus --isolation --format --sbom --provenance --authfile --jobs";

/// Those that take none.
const WITHOUT_VALUE: &str = "--pull --push --load --no-cache -q --quiet --rm --force-rm --squash --compress -D --debug --layers";

/// The builds of a Makefile or a shell script. A recipe runs in the Makefile's directory, each line by itself; a script
/// runs in the workspace or in its own directory, whichever makes its Dockerfiles exist.
pub(super) fn builds(workspace: &dyn BuildContext, file: &str, text: &str) -> Vec<DeclaredBuild> {
    let directory = path::parent(file);
    if !path::file_name(file).ends_with(".sh") {
        let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
        let recipes = joined.lines().filter_map(|line| line.strip_prefix('\t'));
        return recipes
            .flat_map(|line| {
                builds_in(
                    line.trim_start_matches(['@', '-', '+']),
                    file,
                    "a recipe",
                    directory,
                )
            })
            .collect();
    }
    let is_there = |build: &DeclaredBuild| {
        build
            .dockerfile
            .as_ref()
            .is_some_and(|dockerfile| matches!(workspace.entry(dockerfile), Some(Entry::File(_))))
    };
    let from = |directory: &str| -> Vec<_> {
        builds_in(text, file, "a command", directory)
            .into_iter()
            .filter(is_there)
            .collect()
    };
    match (from(""), from(directory)) {
        (at_root, at_script) if at_root == at_script || at_script.is_empty() => at_root,
        (at_root, at_script) if at_root.is_empty() => at_script,
        _ => Vec::new(),
    }
}

/// The builds of a script that begins in `directory`.
pub(super) fn builds_in(
    script: &str,
    file: &str,
    part: &str,
    directory: &str,
) -> Vec<DeclaredBuild> {
    let mut builds = Vec::new();
    let mut directories = vec![directory.to_owned()];
    for token in Tokens::new(script) {
        let Some(directory) = directories.last().cloned() else {
            break;
        };
        match token {
            Token::Open => directories.push(directory),
            Token::Close => drop(directories.pop()),
            Token::Stop => break,
            Token::Command(words) => match read_command(&words) {
                Command::ChangeDirectory(to) => {
                    match to.and_then(|to| path::resolve_from(&directory, &to)) {
                        Some(to) => directories
                            .last_mut()
                            .into_iter()
                            .for_each(|last| to.clone_into(last)),
                        None => break,
                    }
                }
                Command::Build(written) => {
                    builds.push(written.declare(
                        file,
                        part.to_owned(),
                        &directory,
                        DockerfileIn::WorkingDirectory,
                    ));
                }
                Command::Other => {}
            },
        }
    }
    builds
}

enum Command {
    /// `cd`, and where to if it is literal.
    ChangeDirectory(Option<String>),
    Build(Written),
    Other,
}

fn read_command(words: &[Text]) -> Command {
    let literal = |word: &Text| {
        if let Text::Literal(text) = word {
            Some(text.clone())
        } else {
            None
        }
    };
    let names: Vec<String> = words.iter().map_while(literal).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let is_prefix = |word: &&&str| {
        matches!(
            **word,
            "sudo"
                | "env"
                | "time"
                | "exec"
                | "command"
                | "if"
                | "then"
                | "else"
                | "do"
                | "!"
                | "{"
        ) || word
            .split_once('=')
            .is_some_and(|(name, _)| !name.is_empty() && !name.starts_with('-'))
    };
    let prefix = names.iter().take_while(is_prefix).count();
    let skip = match names.get(prefix..).unwrap_or_default() {
        ["cd", "--", ..] => {
            return Command::ChangeDirectory(names.get(prefix + 2).map(ToString::to_string));
        }
        ["cd" | "pushd", ..] => {
            let to = names
                .get(prefix + 1)
                .filter(|to| **to != "-" && !to.starts_with('~'));
            return Command::ChangeDirectory(to.map(ToString::to_string));
        }
        ["popd", ..] => return Command::ChangeDirectory(None),
        [
            "docker" | "podman" | "nerdctl",
            "buildx" | "image" | "builder",
            "build",
            ..,
        ] => 3,
        ["docker" | "podman" | "nerdctl", "build", ..] | ["buildah", "build" | "bud", ..] => 2,
        _ => return Command::Other,
    };
    read_build(words.get(prefix + skip..).unwrap_or_default())
        .map_or(Command::Other, Command::Build)
}

/// The words after `build`; `None` for an option that is not known, which might take the next word.
fn read_build(words: &[Text]) -> Option<Written> {
    let mut written = Written::default();
    let mut operands = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let option = match word {
            Text::Literal(text) | Text::Unreadable(text)
                if text.starts_with('-') && text != "-" =>
            {
                text
            }
            _ => {
                operands.push(word.clone());
                continue;
            }
        };
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(Text::new(value, "$"))),
            None => (option.as_str(), None),
        };
        let listed = |options: &str| options.split_whitespace().any(|option| option == name);
        if value.is_none() && listed(WITHOUT_VALUE) {
            continue;
        }
        let is_read = matches!(
            name,
            "-f" | "--file" | "--target" | "--build-arg" | "--build-context"
        );
        if !is_read && value.is_none() && !listed(WITH_VALUE) {
            return None;
        }
        let value = value.or_else(|| words.next().cloned())?;
        let text = match &value {
            Text::Literal(text) | Text::Unreadable(text) => text.as_str(),
        };
        let of_pair = || {
            let (key, value) = pair(text);
            (key, value.filter(|value| !value.contains(['$', '`'])))
        };
        match name {
            "-f" | "--file" if text == "-" => return None,
            "-f" | "--file" => written.dockerfile = Some(value),
            "--target" => written.target = Some(value),
            "--build-arg" => written.args.push(of_pair()),
            "--build-context" => written.named_contexts.push(of_pair()),
            _ => {}
        }
    }
    written.context = Some(operands.pop()?);
    // What is left are variables that hold options, a target perhaps.
    if !operands.is_empty() {
        if operands
            .iter()
            .any(|operand| matches!(operand, Text::Literal(_)))
        {
            return None;
        }
        written.target = written.target.or(operands.pop());
    }
    Some(written)
}

#[cfg(test)]
mod tests {
    use super::super::declared::Place;
    use super::*;
    use crate::context::MemoryContext;

    /// `context Dockerfile target` of each build, `?` for what is not known, `-` for none.
    fn found(script: &str) -> Vec<String> {
        builds_in(script, "x", "y", "w").iter().map(show).collect()
    }

    fn show(build: &DeclaredBuild) -> String {
        let context = match &build.context {
            Place::Inside(path) => path,
            _ => "?",
        };
        let target = match &build.target {
            None => "-",
            Some(Text::Literal(target)) => target,
            Some(Text::Unreadable(_)) => "?",
        };
        format!(
            "{context} {} {target}",
            build.dockerfile.as_deref().unwrap_or("?")
        )
    }

    #[test]
    fn simple_commands() {
        for (script, expected) in [
            ("docker build .", "w w/Dockerfile -"),
            (
                "docker build -t a:b -f docker/Dockerfile --target=prod ..",
                " w/docker/Dockerfile prod",
            ),
            (
                "docker buildx build --platform linux/amd64 --push app",
                "w/app w/app/Dockerfile -",
            ),
            (
                "sudo DOCKER_BUILDKIT=1 docker build 'a b'",
                "w/a b w/a b/Dockerfile -",
            ),
            (
                "podman build --file x/y.Dockerfile \\\n  --no-cache \\\n  .",
                "w w/x/y.Dockerfile -",
            ),
            (
                "set -e; cd app && docker build . || exit 1",
                "w/app w/app/Dockerfile -",
            ),
            ("docker build -t $TAG . # comment", "w w/Dockerfile -"),
            (
                "docker build -t \"$(git describe; echo )x\" . > log 2>&1",
                "w w/Dockerfile -",
            ),
            ("docker build -f ${F} .", "w ? -"),
            ("docker build -f d/Dockerfile $DIR", "? w/d/Dockerfile -"),
            (
                "docker build $OPTIONS -f d/Dockerfile .",
                "w w/d/Dockerfile ?",
            ),
            ("docker build --target $T .", "w w/Dockerfile ?"),
            ("docker build https://github.com/a/b.git", "? ? -"),
            ("(cd a; true); docker build .", "w w/Dockerfile -"),
            ("if docker build .; then x; fi", "w w/Dockerfile -"),
        ] {
            assert_eq!(found(script), [expected], "{script}");
        }
    }

    #[test]
    fn what_is_no_build_or_not_followed() {
        for script in [
            "echo docker build .",
            "echo 'docker build .'",
            "docker run x build .",
            "docker build --unheard-of x .",
            "docker build - < Dockerfile",
            "docker build -f - .",
            "docker build",
            "docker build a b",
            "cd \"$(dirname \"$0\")\" && docker build .",
            "cd ~/x\ndocker build .",
            "cd ../.. && docker build .",
            "cat <<EOF\ndocker build .\nEOF",
            "# docker build .",
        ] {
            let readable: Vec<_> = found(script)
                .into_iter()
                .filter(|build| !build.starts_with('?'))
                .collect();
            assert_eq!(readable, Vec::<String>::new(), "{script}");
        }
    }

    #[test]
    fn arguments_and_named_contexts() {
        let script = "docker build --build-arg A=1 --build-arg=B=$X --build-arg C --build-context base=../x .";
        let build = builds_in(script, "x", "y", "").remove(0);
        let args: Vec<_> = build
            .args
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_deref()))
            .collect();
        assert_eq!(args, [("A", Some("1")), ("B", None), ("C", None)]);
        assert_eq!(
            build.named_contexts.get("base"),
            Some(&Some(Place::Outside("../x".to_owned())))
        );
    }

    #[test]
    fn makefiles_and_scripts() {
        let workspace = MemoryContext::from([
            ("d/Dockerfile", ""),
            ("both/Dockerfile", ""),
            ("s/both/Dockerfile", ""),
        ]);
        let makefile = "image: d/Dockerfile\n\t@cd x && docker build .\n\tdocker build \\\n\t  -f d/Dockerfile $(ARGS) .\ndocker build no\n";
        let shown = |file: &str, text: &str| {
            builds(&workspace, file, text)
                .iter()
                .map(show)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            shown("m/Makefile", makefile),
            ["m/x m/x/Dockerfile -", "m m/d/Dockerfile ?"]
        );
        assert_eq!(
            shown("s/build.sh", "docker build -f d/Dockerfile ."),
            [" d/Dockerfile -"]
        );
        assert_eq!(shown("d/build.sh", "docker build ."), ["d d/Dockerfile -"]);
        assert_eq!(
            shown("s/build.sh", "docker build both"),
            Vec::<String>::new(),
            "it might be either"
        );
        assert_eq!(
            shown("s/build.sh", "docker build none"),
            Vec::<String>::new()
        );
    }
}
