//! What a package installs beside the program: completions and manual pages.

use std::collections::BTreeSet;
use std::process::Command;

use super::sandbox::Sandbox;
use crate::files::{files_under, repository};

#[test]
fn bash_completes_options_with_the_script() {
    let sandbox = Sandbox::new();
    let script = sandbox.run(&["completions", "bash"]).ended(0);
    sandbox.write("dockeropt.bash", &script.out);
    // As readline does it: the words so far, and what is typed of the last one.
    let ask = "source ./dockeropt.bash; COMP_WORDS=(dockeropt fix --exit); COMP_CWORD=2; \
               _dockeropt dockeropt --exit fix; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let answer = Command::new("bash")
        .args(["--norc", "-c", ask])
        .current_dir(sandbox.path(""))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&answer.stdout), "--exit-code\n");
}

#[test]
fn every_shell_has_a_script() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = sandbox.run(&["completions", shell]).ended(0);
        assert!(ran.out.contains("exit-code"), "{shell}: {ran:#?}");
    }
    let ran = sandbox.run(&["completions", "csh"]).ended(2);
    assert!(ran.err.contains("possible values"), "{ran:#?}");
}

#[test]
fn every_command_has_a_page() {
    let sandbox = Sandbox::new();
    let page = sandbox.run(&["man"]).ended(0).out;
    assert!(page.contains(".TH dockeropt 1"), "{page}");
    sandbox.write("pages/.keep", "");
    sandbox.run(&["man", "--to", "pages"]).ended(0);
    let pages = files_under(&sandbox.path("pages"));
    let pages: BTreeSet<String> = pages
        .iter()
        .map(|page| page.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    for command in ["fix", "check", "rules", "explain", "layers", "verify"] {
        assert!(
            pages.contains(&format!("dockeropt-{command}.1")),
            "{pages:?}"
        );
    }
    let ran = sandbox.run(&["man", "--to", "nowhere"]).ended(2);
    assert!(ran.err.contains("`nowhere`"), "{ran:#?}");
}

/// Not even a suggestion.
#[test]
fn the_dockerfile_of_the_project_leaves_nothing_to_say() {
    let sandbox = Sandbox::new();
    let dockerfile = repository("Dockerfile");
    let ran = sandbox.run(&["check".as_ref(), dockerfile.as_os_str()]);
    assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{ran:#?}");
}
