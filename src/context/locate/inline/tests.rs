//! Dockerfiles in compose files, read and replaced.

use super::*;

/// A compose file with that Dockerfile, which ends in a line break.
fn file(mark: &str, text: &str) -> String {
    let lines = text.lines().map(|line| match line {
        "" => "\n".to_owned(),
        line => format!("        {line}\n"),
    });
    let body: String = lines.collect();
    format!(
        "# about\nservices:\n  app: # here\n    build:\n      context: .\n      dockerfile_inline: {mark}\n{body}    ports: [\"80:80\"]\n"
    )
}

fn only(file: &str) -> Result<Inline, &'static str> {
    let mut found = inlines(file).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).map_err(|left| left.reason)
}

#[test]
fn a_block_is_read_and_replaced() {
    let before = "FROM alpine\n\nRUN echo '$$HOME' \\\n  && true\n";
    for mark in ["|", "| # a Dockerfile", "|+"] {
        let file = file(mark, before);
        let inline = only(&file).unwrap();
        assert_eq!(inline.service, "app");
        assert_eq!(inline.text, before.replace("$$", "$"), "{mark}");
        let after = "FROM alpine\n\n# of $\nRUN echo '$HOME' \\\n  && false\n";
        let found = replaced(&file, &[(&inline, after)]).unwrap();
        let expected = self::file(mark, &after.replace('$', "$$"));
        assert_eq!(found, expected, "{mark}");
        assert_eq!(replaced(&file, &[(&inline, &inline.text)]).unwrap(), file);
    }
}

#[test]
fn a_block_without_a_last_line_break() {
    let file = file("|-", "FROM a\nRUN b\n");
    let inline = only(&file).unwrap();
    assert_eq!(inline.text, "FROM a\nRUN b");
    let found = replaced(&file, &[(&inline, "FROM a\nRUN c")]).unwrap();
    assert_eq!(found, self::file("|-", "FROM a\nRUN c\n"));
    // YAML would not read the line break.
    assert_eq!(replaced(&file, &[(&inline, "FROM a\nRUN c\n")]), None);
}

#[test]
fn blank_lines_behind_a_block_are_kept() {
    let text = "services:\n  a:\n    build:\n      dockerfile_inline: |\n        FROM a\n\n   \n# b\n  b: {}\n";
    let inline = only(text).unwrap();
    assert_eq!(inline.text, "FROM a\n");
    let found = replaced(text, &[(&inline, "FROM b\n")]).unwrap();
    assert_eq!(found, text.replace("FROM a", "FROM b"));
    let kept = text.replace(": |\n", ": |+\n");
    assert_eq!(only(&kept).unwrap().text, "FROM a\n\n\n");
}

#[test]
fn spans_are_those_of_the_file() {
    let file = file("|", "FROM alpine\nRUN echo $$A\n");
    let inline = only(&file).unwrap();
    let at = |text: &str| {
        let start = u32::try_from(inline.text.find(text).unwrap()).unwrap();
        let span = Span::new(start, start + u32::try_from(text.len()).unwrap());
        inline.span(span).of(file.as_bytes()).to_vec()
    };
    assert_eq!(at("FROM alpine"), b"FROM alpine");
    assert_eq!(at("$"), b"$$");
    assert_eq!(at("RUN echo $A\n"), b"RUN echo $$A\n");
    assert_eq!(at("alpine\nRUN"), b"alpine\n        RUN");
}

#[track_caller]
fn check_patch(before: &str, edit: Edit, after: &str) {
    let file = file("|", before);
    let inline = only(&file).unwrap();
    let patch = Patch::new(vec![edit]).unwrap();
    let lifted = inline.patch(&file, &patch).unwrap();
    let found = String::from_utf8(lifted.apply(file.as_bytes())).unwrap();
    assert_eq!(found, self::file("|", after));
}

#[test]
fn patches_are_those_of_the_file() {
    let text = "FROM a\nRUN b\nRUN c\n";
    check_patch(
        text,
        Edit::insert(7, "# $\n"),
        "FROM a\n# $$\nRUN b\nRUN c\n",
    );
    check_patch(
        text,
        Edit::insert(19, "CMD d\n"),
        "FROM a\nRUN b\nRUN c\nCMD d\n",
    );
    check_patch(text, Edit::delete(Span::new(7, 13)), "FROM a\nRUN c\n");
    check_patch(text, Edit::delete(Span::new(13, 19)), "FROM a\nRUN b\n");
    let edit = Edit::replace(Span::new(7, 13), "RUN x \\\n  y\n");
    check_patch(text, edit, "FROM a\nRUN x \\\n  y\nRUN c\n");
    let edit = Edit::replace(Span::new(5, 6), "b AS c");
    check_patch(text, edit, "FROM b AS c\nRUN b\nRUN c\n");
    let edit = Edit::replace(Span::new(13, 19), "RUN x\n");
    check_patch(text, edit, "FROM a\nRUN b\nRUN x\n");
}

#[test]
fn what_is_not_plain_is_left() {
    let check = |value: &str, expected: &str| {
        let text = format!("services:\n  a:\n    build:\n      dockerfile_inline: {value}\n");
        assert_eq!(only(&text), Err(expected), "{text}");
    };
    check("FROM a", "it is no block: write it with `|`");
    check("\"FROM a\\nRUN b\\n\"", "it is no block: write it with `|`");
    check(
        ">\n        FROM a",
        "its block is folded: `>` in place of `|`",
    );
    check("&x |\n        FROM a", "it has an anchor or a tag");
    check("!!str |\n        FROM a", "it has an anchor or a tag");
    check(
        "|2\n        FROM a",
        "its lines are not those that YAML reads",
    );
    let variable = "compose fills in its variables: `$$` is a `$`";
    check("|\n        FROM ${BASE}", variable);
    check("|\n        RUN echo $$$A", variable);
    check("|\n", "its lines are not those that YAML reads");
    check(
        "|\n        FROM a\r\n        RUN b\r\n",
        "its lines are not those that YAML reads",
    );
    let alias = "x: &b {dockerfile_inline: FROM a}\nservices:\n  a: {build: *b}\n";
    assert_eq!(only(alias), Err("it stands behind an alias"));
    inlines("services: [").unwrap_err();
    assert_eq!(inlines("services: {a: {build: .}}"), Ok(Vec::new()));
}

#[test]
fn a_build_that_two_services_share_is_left() {
    let file = "services:\n  a:\n    build: &b\n      dockerfile_inline: |\n        FROM a\n  b:\n    build: *b\n";
    let found = inlines(file).unwrap();
    let inline = found[0].as_ref().unwrap();
    assert_eq!(replaced(file, &[(inline, "FROM b\n")]), None);
}

#[test]
fn several_are_replaced_together() {
    let file = "services:\n  a:\n    build:\n      dockerfile_inline: |\n        FROM a\n  b:\n    build:\n      dockerfile_inline: |-\n         FROM b\n";
    let found: Vec<Inline> = inlines(file).unwrap().into_iter().flatten().collect();
    let changes = [(&found[0], "FROM x\nRUN y\n"), (&found[1], "FROM z")];
    let expected = file
        .replace("FROM a", "FROM x\n        RUN y")
        .replace("FROM b", "FROM z");
    assert_eq!(replaced(file, &changes).unwrap(), expected);
}

#[test]
fn names_of_compose_files() {
    for name in [
        "compose.yaml",
        "docker-compose.prod.yml",
        "compose.override.yaml",
    ] {
        assert!(is_compose(name), "{name}");
    }
    for name in ["Dockerfile", "compose.json", "my-compose.yml"] {
        assert!(!is_compose(name), "{name}");
    }
}
