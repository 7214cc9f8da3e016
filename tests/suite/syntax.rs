//! Corners of the syntax that files of the tests do not come by: what Go's JSON and CSV, BuildKit's flags and words of
//! shell make of them.

use dockeropt::syntax::{Args, Dockerfile, Keyword, shell};

/// The messages with which a file is refused that has one more instruction.
fn refusals(instruction: &str) -> Vec<String> {
    let file = format!("FROM a\n{instruction}\n");
    let errors = Dockerfile::parse(file.as_bytes()).errors;
    errors.into_iter().map(|error| error.message).collect()
}

#[test]
fn strings_of_the_exec_form_are_those_of_json() {
    let file = br#"FROM a
CMD ["\b\f\r\t\n\/\"\\", "\u00e9\ud83d\ude00", "\ud83dx", "\ud83d\u0041"]
"#;
    let file = Dockerfile::parse(file);
    let Some(Args::Exec(words)) = file.instructions().nth(1).map(|one| &one.args) else {
        panic!("{file:#?}");
    };
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    // A surrogate alone is U+FFFD, as in Go's `encoding/json`.
    let expected = [
        "\u{8}\u{c}\r\t\n/\"\\",
        "\u{e9}\u{1f600}",
        "\u{fffd}x",
        "\u{fffd}A",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn flags_are_held_against_what_their_instruction_takes() {
    for (instruction, message) in [
        ("COPY --from=a --from=b c d", "duplicate flag: `--from`"),
        ("COPY --chown c d", "missing a value on flag `--chown`"),
        ("COPY --link= c d", "missing a value on flag `--link`"),
        ("COPY --link=maybe c d", "must be true or false"),
        ("COPY --fast c d", "unknown flag: `--fast`"),
        ("RUN --mount= x", "is not a list of fields"),
        ("RUN --mount=type=bind,from=$a x", "takes no variable"),
        ("RUN --network=mine x", "mine"),
        ("HEALTHCHECK", "requires at least one argument"),
        ("HEALTHCHECK NONE x", "takes no arguments"),
        ("SHELL []", "requires at least one argument"),
        ("SHELL bash", "in JSON form"),
        ("ONBUILD", "requires at least one argument"),
        ("ONBUILD ONBUILD RUN x", "is not allowed"),
        ("ONBUILD FROM x", "is not allowed"),
        ("ENV", "requires at least one argument"),
        ("ENV =a", "can not be blank"),
        ("ARG =a", "can not be blank"),
        ("VOLUME [\"\"]", "can not be an empty string"),
    ] {
        let messages = refusals(instruction);
        let is_said = messages.iter().any(|one| one.contains(message));
        assert!(is_said, "{instruction}: {messages:?}");
    }
    for instruction in [
        "COPY --link --exclude=a --exclude=b c d",
        "COPY --link=TRUE c d",
        "RUN --mount=type=bind,from=a$ x",
        "RUN --mount=type=cache,\"target=/a,b\" x",
    ] {
        assert_eq!(refusals(instruction), [""; 0], "{instruction}");
    }
}

#[test]
fn variables_beside_a_here_document_hide_nothing() {
    for line in [
        "echo ${a:-b} ${c-d} ${e:+f} ${g:?h}",
        "echo ${a/b/c} ${a//b/c} ${a#b} ${a%%b}",
        "echo $1 $22 $@ $$ $name ${name}",
        "echo \"$a\\$ \\\" \\\\ \\x\" '$(b' \\<",
    ] {
        let file = format!("FROM a\nRUN {line} <<END\nFROM b\nEND\nUSER c\n");
        let file = Dockerfile::parse(file.as_bytes());
        let keywords: Vec<Keyword> = file.instructions().map(|one| one.keyword).collect();
        let expected = [Keyword::From, Keyword::Run, Keyword::User];
        assert_eq!(keywords, expected, "{line}");
    }
}

#[test]
fn commands_are_found_in_all_that_a_script_is_made_of() {
    for (text, expected) in [
        ("until a; do b; break; done", "a b break"),
        (
            "while a; do continue 2; done; return 1",
            "a continue return",
        ),
        ("if a; then b; elif c; then d; else e; fi", "a b c d e"),
        ("case $(a) in b) c;; *) d;; esac", "a c d"),
        ("for a in $(b); do c; done | d", "b c d"),
        ("a <(b) && (c; { d; })", "a b c d"),
        ("a ${b:-$(c d)} \"${e:+x $(f)}\"", "a c f"),
        ("a ${b/x/$(c)} ${d:$(e):$(f)} ${g%$(h)}", "a c e f h"),
        ("a $(( $(b) + 1 )) $(($(c)*2))", "a b c"),
        ("a=$(b) c=(x $(d)) e", "b d e"),
        ("a > $(b) 2> \"$(c)\"", "a b c"),
        ("[[ -n $(a) && $(b) == c ]]", "a b"),
        ("cat <<E\n$(a)\nE\n", "a cat"),
    ] {
        let script = shell::parse_text(text).expect(text);
        let mut names: Vec<&str> = script
            .commands()
            .iter()
            .filter_map(|at| {
                let first = at.command.words.first()?;
                let start = first.span.start as usize;
                text[start..].split([' ', ')', ';', '\n']).next()
            })
            .collect();
        names.sort_unstable();
        let expected: Vec<&str> = expected.split(' ').collect();
        assert_eq!(names, expected, "{text}");
    }
}
