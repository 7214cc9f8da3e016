//! `fix --interactive`, answered in a terminal.

use super::sandbox::{BEFORE, Sandbox};
use super::terminal::Terminal;

const THREE: &str = "FROM scratch\nENV A 1\nENV B 2\nADD x /x\n";

/// The end of each question.
const ASKS: &str = "[y,n,q,a,d,e,?]?";

/// Answers one question after the other, and gives the screen at the end.
fn answered(terminal: &Terminal, answers: &[&str]) -> String {
    for (answer, asked) in answers.iter().zip(1..) {
        terminal.shows(ASKS, asked);
        terminal.keys(&[answer, "Enter"]);
    }
    terminal.shows("status ", 1)
}

/// `THREE` in a terminal.
fn three() -> (Sandbox, Option<Terminal>) {
    let sandbox = Sandbox::with(&[("Dockerfile", THREE), ("x", "")]);
    let terminal = Terminal::start(&sandbox, "fix -i");
    (sandbox, terminal)
}

#[test]
fn it_asks_only_on_a_terminal() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let ran = sandbox.run(&["fix", "--interactive"]).ended(2);
    assert!(ran.err.contains("asks on a terminal"), "{ran:#?}");
    for other in ["--verify", "--dry-run", "--exit-code", "--format=json", "-"] {
        sandbox.run(&["fix", "-i", other]).ended(2);
    }
    assert_eq!(sandbox.text("Dockerfile"), BEFORE);
}

#[test]
fn what_is_taken_is_made_and_the_rest_is_left() {
    let (sandbox, Some(terminal)) = three() else {
        return;
    };
    let screen = terminal.shows(ASKS, 1);
    assert!(screen.contains("\n-ADD x /x\n+COPY x /x\n"), "{screen}");
    assert!(screen.contains("Dockerfile: copy-not-add: "), "{screen}");
    let screen = answered(&terminal, &["y", "n", "y"]);
    assert_eq!(
        sandbox.text("Dockerfile"),
        "FROM scratch\nENV A 1\nENV B=2\nCOPY x /x\n"
    );
    assert!(
        screen.contains("Dockerfile: copy-not-add 1, env-key-value 1"),
        "{screen}"
    );
    assert!(screen.contains("\n1 file changed: "), "{screen}");
    assert!(screen.contains("\nstatus 0\n"), "{screen}");
    assert!(terminal.coloured().contains("\u{1b}[3"), "no colours");
}

#[test]
fn one_answer_may_stand_for_all_that_is_left_in_a_file() {
    for (answers, env, text) in [
        (&["a"][..], "A=1", "B=2\nCOPY x /x"),
        (&["y", "d"][..], "A 1", "B 2\nCOPY x /x"),
    ] {
        let (sandbox, Some(terminal)) = three() else {
            return;
        };
        let screen = answered(&terminal, answers);
        let expected = format!("FROM scratch\nENV {env}\nENV {text}\n");
        assert_eq!(sandbox.text("Dockerfile"), expected, "{screen}");
    }
}

#[test]
fn another_file_is_asked_about_anew_and_q_ends_all() {
    let files = ["a", "b", "c"].map(|folder| format!("{folder}/Dockerfile"));
    let sandbox = Sandbox::new();
    for file in &files {
        sandbox.write(file, "FROM scratch\nENV A 1\nENV B 2\n");
    }
    let Some(terminal) = Terminal::start(&sandbox, "fix --interactive --write") else {
        return;
    };
    let screen = answered(&terminal, &["a", "y", "q"]);
    let texts = files.map(|file| sandbox.text(file));
    let expected = ["A=1\nENV B=2", "A=1\nENV B 2", "A 1\nENV B 2"];
    assert_eq!(
        texts,
        expected.map(|text| format!("FROM scratch\nENV {text}\n")),
        "{screen}"
    );
    assert!(
        screen.contains("\n2 files changed: env-key-value 3\n"),
        "{screen}"
    );
}

#[test]
fn what_is_no_answer_gets_help_and_nothing_is_written() {
    let (sandbox, Some(terminal)) = three() else {
        return;
    };
    let screen = answered(&terminal, &["?", "what", "d"]);
    assert_eq!(screen.matches("y - make this fix").count(), 2, "{screen}");
    assert!(screen.contains("\nnothing changed\n"), "{screen}");
    assert_eq!(sandbox.text("Dockerfile"), THREE);
}

#[test]
fn the_end_of_the_terminal_is_the_end_of_all_questions() {
    let (sandbox, Some(terminal)) = three() else {
        return;
    };
    terminal.shows(ASKS, 1);
    terminal.keys(&["y", "Enter"]);
    terminal.shows(ASKS, 2);
    terminal.keys(&["C-d"]);
    terminal.shows("status 0", 1);
    assert_eq!(sandbox.text("Dockerfile"), THREE.replace("ADD", "COPY"));
}

#[test]
fn a_fix_is_changed_in_an_editor() {
    let sandbox = Sandbox::with(&[("Dockerfile", THREE), ("x", "")]);
    // The first attempt is one that BuildKit would refuse.
    let editor = "#!/bin/sh\n\
        if [ -e once ]; then sed -i 's/^+CPOY x/+COPY x y/' \"$2\"\n\
        else touch once; sed -i 's/^+COPY/+CPOY/' \"$2\"; fi\n\
        echo \"$1\" >> words\n";
    sandbox.write("editor", editor);
    let start = "fix -i --select copy-not-add";
    let with_editor = "VISUAL='sh ./editor --wait'";
    let Some(terminal) = Terminal::with(&sandbox, with_editor, start) else {
        return;
    };
    terminal.shows(ASKS, 1);
    terminal.keys(&["e", "Enter"]);
    let screen = terminal.shows("Edit again", 1);
    assert!(
        screen.contains("error: BuildKit would refuse the file: "),
        "{screen}"
    );
    terminal.keys(&["y", "Enter"]);
    let screen = terminal.shows("status 0", 1);
    assert_eq!(
        sandbox.text("Dockerfile"),
        THREE.replace("ADD x", "COPY x y"),
        "{screen}"
    );
    assert_eq!(sandbox.text("words"), "--wait\n--wait\n");
}
