//! Which files of a context the engine sends for `COPY . /`, and which the context model says it does; and what comes of
//! an ignore file that was made for an application.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use dockeropt::context::copy::Copy;
use dockeropt::context::ignore::Ignore;
use dockeropt::walk::disk::DiskContext;

use super::apps::{App, build, output, written};
use super::{Engine, engine, unique};
use crate::files::files_under;

/// Every case is an ignore file over these.
const FILES: [&str; 19] = [
    "a.log",
    "b.txt",
    "keep/x.log",
    "keep/y.txt",
    "keep/deep/z.log",
    "src/main.c",
    "src/main.o",
    "src/lib/lib.c",
    "src/lib/lib.o",
    "src/node_modules/m/index.js",
    "node_modules/m/index.js",
    "node_modules/keep/index.js",
    "docs/README.md",
    "docs/a/README.md",
    "README.md",
    ".git/config",
    ".env",
    "sp ace/f",
    "[x]/f",
];

const CASES: [&str; 26] = [
    "",
    "*",
    "**",
    "*\n!keep",
    // An exception below which nothing was ignored yet does not protect what is below it.
    "**/*.log\n!keep",
    "**/*.log\n!keep/**",
    "**/*.log\n!keep/x.log",
    "keep\n!keep",
    "keep\n!keep/deep",
    "keep/*\n!keep/deep",
    "*.log",
    "**/*.log",
    "!keep\n**/*.log",
    "node_modules",
    "**/node_modules",
    "node_modules\n!node_modules/keep/index.js",
    "*/*.o",
    "src/**/*.o",
    "/src/lib",
    "./src/lib/",
    "src/../docs",
    "# comment\n  docs/  \n\n!docs/a\n",
    ".*",
    "**/README.md\n!README.md",
    "\\[x\\]\nsp ace",
    "*\n!src\nsrc/lib\n!**/lib.c",
];

#[test]
fn ignore_files_keep_out_what_the_engine_keeps_out() {
    let Some(engine) = engine() else { return };
    let context = tempfile::tempdir().unwrap();
    for file in FILES {
        let path = context.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, unique()).unwrap();
    }
    let wrong: Vec<String> = CASES
        .iter()
        .filter_map(|case| compare(engine, context.path(), case))
        .collect();
    println!("{} ignore files compared", CASES.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_no_build_needs_stays_out_of_the_image() {
    let Some(engine) = engine() else { return };
    let app = App::all().into_iter().find(|app| app.name == "junk");
    let app = app.unwrap();
    let report = app.rewrite();
    let context = app.context(&written(&report));
    let rewritten = || build(engine, context.path(), &report.output, &[]).unwrap();
    let built = [app.build(engine, &[]).unwrap(), rewritten()];
    let names = built.map(|built| output(built.image(), Some("ls -A /app | xargs")));
    let kept = ".dockerignore .gitignore index.js node_modules package-lock.json package.json";
    let all = ".env .gitignore .vscode Dockerfile index.js node_modules package-lock.json \
               package.json server.log";
    let ends = [all, kept].map(|names| format!("{names}\nexit status: 0"));
    assert_eq!(names, ends);

    fs::write(context.path().join("server.log"), unique()).unwrap();
    let again = rewritten();
    let is_step = |name: &str| name.contains("] COPY ") || name.contains("] RUN ");
    let steps = again.steps.iter().filter(|(name, _)| is_step(name));
    let ran: Vec<&String> = steps.filter(|one| !one.1).map(|one| one.0).collect();
    assert!(ran.is_empty(), "an edit of `server.log` runs {ran:?}");
}

fn compare(engine: Engine, context: &Path, case: &str) -> Option<String> {
    fs::write(context.join(".dockerignore"), case).unwrap();
    let dockerfile = tempfile::tempdir().unwrap();
    let path = dockerfile.path().join("Dockerfile");
    fs::write(&path, "FROM scratch\nCOPY . /\n").unwrap();
    let built = engine.files(&["--file", path.to_str().unwrap()], context);
    let sent = built.map(|folder| names(folder.path()));

    let disk = DiskContext::new(context).unwrap();
    let ignore = Ignore::parse(case.as_bytes()).unwrap();
    let copy = Copy::new(["."], "/", Some("/"), &disk, &ignore);
    let model: BTreeSet<String> = copy.files().map(|(file, _)| file).collect();
    let lone: BTreeSet<String> = names(context)
        .into_iter()
        .filter(|file| !ignore.ignores(file))
        .collect();
    match sent {
        Ok(sent) if sent == model && sent == lone => None,
        Ok(sent) => Some(format!(
            "{case:?}: engine {sent:?}\n  model {model:?}\n  path by path {lone:?}"
        )),
        Err(error) => Some(format!("{case:?}: {error}")),
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let files = files_under(folder);
    let names = files.iter().map(|file| file.strip_prefix(folder).unwrap());
    names
        .map(|name| name.to_str().unwrap().to_owned())
        .collect()
}
