//! What Go reads to fetch modules: `go.mod`, `go.sum` and the `go.mod` of modules that are directories. A build reads the
//! source as well, so `go mod download` goes before it. Modules that are vendored need no fetching.

use super::{Early, Install, Reads};
use crate::context::{Entry, path};
use crate::project::Project;
use crate::project::go::{GoMod, GoReplace};

/// Variables that decide from where modules come, and where they go.
const ENV: [&str; 15] = [
    "GO111MODULE",
    "GOAUTH",
    "GOFLAGS",
    "GOINSECURE",
    "GOMODCACHE",
    "GONOPROXY",
    "GONOSUMDB",
    "GOPATH",
    "GOPRIVATE",
    "GOPROXY",
    "GOSUMDB",
    "GOTOOLCHAIN",
    "GOVCS",
    "GOWORK",
    "GONOSUMCHECK",
];

/// See [`super::reads`].
pub(super) fn reads(install: &Install<'_>) -> Option<Result<Reads, String>> {
    let fetches = match install.invocation.subcommand_name.as_str() {
        "mod download" => true,
        "build" | "get" | "install" | "mod tidy" | "mod vendor" | "run" | "test" | "vet" => false,
        _ => return None,
    };
    let of_others = |operand: &str| {
        let is_local = operand.starts_with('.') || operand == "all";
        let names_module = fetches || install.invocation.subcommand_name == "get";
        operand.contains('@') || names_module && !is_local
    };
    if install.operands().any(of_others) {
        return None;
    }
    Some(if fetches {
        modules(install)
    } else {
        ahead(install)
    })
}

/// Of a command that fetches and builds.
fn ahead(install: &Install<'_>) -> Result<Reads, String> {
    let vendored = path::join(install.root, "vendor/modules.txt");
    let mode = install.option(&["-mod", "--mod"])?;
    let is_vendored = matches!(install.context.entry(&vendored), Some(Entry::File(_)));
    if mode == Some("vendor") || is_vendored && mode.is_none() {
        return Err("the modules are in `vendor`".to_owned());
    }
    let mut reads = modules(install)?;
    let mut words = install.start(|name| ENV.contains(&name))?;
    words.extend(["mod", "download"].map(str::to_owned));
    words.extend(install.options(|flag| flag.name == "-C")?);
    reads.doubt = Some("`go mod download` fetches modules that only tests need, too".to_owned());
    reads.writes.clear();
    reads.early = Early::Fetch(words.join(" "));
    Ok(reads)
}

/// Of `go mod download`.
fn modules(install: &Install<'_>) -> Result<Reads, String> {
    refuse_modes(install)?;
    let mut reads = Reads {
        paths: ["go.mod".to_owned()].into(),
        writes: ["go.sum".to_owned()].into(),
        ..Reads::of_itself()
    };
    let has_workspace = workspace(install, &mut reads)?;
    let go_mod = install
        .project
        .go_mod()
        .map_err(|error| error.to_string())?;
    let mut required = has_workspace;
    match go_mod {
        Some(go_mod) => required |= module(install, install.root, go_mod, &mut reads)?,
        None if has_workspace => drop(reads.paths.remove("go.mod")),
        None => return Err("there is no `go.mod`: the source names what is fetched".to_owned()),
    }
    if !required {
        return Err("`go.mod` requires no module that would be fetched".to_owned());
    }
    reads.writes.retain(|file| !reads.paths.contains(file));
    Ok(reads)
}

/// Declines what reads other files, or none of these.
fn refuse_modes(install: &Install<'_>) -> Result<(), String> {
    install.refuse_computed(|word| word.trim_start_matches(['"', '\'']).starts_with('.'))?;
    if let Some(file) = install.option(&["-modfile", "--modfile"])? {
        return Err(format!("`-modfile` names `{file}`"));
    }
    if install
        .option(&["-C"])?
        .is_some_and(|directory| !directory.starts_with('/'))
    {
        return Err("`-C` names another directory".to_owned());
    }
    for (name, value) in install.assignments() {
        let decides = match name {
            "GOWORK" => value != Some("off"),
            "GO111MODULE" => !matches!(value, Some("on" | "auto")),
            "GOFLAGS" => value.is_none_or(|flags| flags.contains("-mod")),
            _ => false,
        };
        if decides {
            return Err(format!("`{name}` is set for the command"));
        }
    }
    Ok(())
}

/// What the `go.work` of the project names; whether there is one.
fn workspace(install: &Install<'_>, reads: &mut Reads) -> Result<bool, String> {
    if install.assignments().any(|(name, _)| name == "GOWORK") {
        return Ok(false);
    }
    let above = path::prefixes(install.root).map(path::parent);
    for directory in above {
        let file = path::join(directory, "go.work");
        if install.context.entry(&file).is_some() {
            return Err(format!(
                "`{file}` may make the module a part of its workspace"
            ));
        }
    }
    let Some(work) = install
        .project
        .go_work()
        .map_err(|error| error.to_string())?
    else {
        return Ok(false);
    };
    for name in ["go.work", "go.work.sum"] {
        install.add(&path::join(install.root, name), reads);
    }
    reads.writes.insert("go.work.sum".to_owned());
    replaced(install, install.root, &work.replaces, reads)?;
    for directory in &work.uses {
        let missing = || format!("`go.work` uses `{directory}`, which is not in the build context");
        let directory = install.path(directory).ok_or_else(missing)?;
        let member = Project::new(install.context, &directory);
        let go_mod = member.go_mod().map_err(|error| error.to_string())?;
        module(install, &directory, go_mod.ok_or_else(missing)?, reads)?;
    }
    Ok(true)
}

/// What the module in `directory` of the context names; whether anything is to be fetched for it.
fn module(
    install: &Install<'_>,
    directory: &str,
    go_mod: &GoMod,
    reads: &mut Reads,
) -> Result<bool, String> {
    for name in ["go.mod", "go.sum"] {
        install.add(&path::join(directory, name), reads);
    }
    replaced(install, directory, &go_mod.replaces, reads)?;
    let local = |module: &String| {
        let mut replaces = go_mod.replaces.iter();
        replaces.any(|replace| replace.module == *module && replace.directory().is_some())
    };
    Ok(go_mod
        .requires
        .iter()
        .any(|require| !local(&require.module)))
}

/// The `go.mod` of the directories that stand in for modules: their sources are not read before a build.
fn replaced(
    install: &Install<'_>,
    directory: &str,
    replaces: &[GoReplace],
    reads: &mut Reads,
) -> Result<(), String> {
    for target in replaces.iter().filter_map(GoReplace::directory) {
        let file = path::resolve_from(directory, &format!("{target}/go.mod"));
        if !file.is_some_and(|file| install.add(&file, reads)) {
            let message =
                format!("`replace` names `{target}`, whose `go.mod` is not in the build context");
            return Err(message);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Expected, check};

    const MOD: &str = "module example.com/app\n\ngo 1.22\n\nrequire example.com/a v1.0.0\n";
    const TESTS_TOO: &str = "`go mod download` fetches modules that only tests need, too";

    fn fetch<'e>(paths: &'e [&'e str], command: &'e str) -> Expected<'e> {
        Expected::Fetch(paths, command, Some(TESTS_TOO))
    }

    #[test]
    fn a_build_fetches_first() {
        let files = [("go.mod", MOD), ("go.sum", ""), ("main.go", "package main")];
        let both = ["go.mod", "go.sum"];
        for command in [
            "go build -o /app .",
            "go build",
            "CGO_ENABLED=0 GOOS=linux go build -ldflags \"-X main.v=$V\" ./cmd/x",
            "go get ./...",
            "go get -d -v",
            "go test ./...",
            "go build \"./cmd/$NAME\"",
            "go install",
            "go mod tidy",
            "go run main.go",
        ] {
            check(&files, command, fetch(&both, "go mod download"));
        }
        check(
            &files,
            "GOPROXY=direct go vet",
            fetch(&both, "GOPROXY=direct go mod download"),
        );
        check(
            &files,
            "go mod download -x",
            Expected::Itself(&both, &[], None),
        );
        check(
            &files[..1],
            "go mod download",
            Expected::Itself(&["go.mod"], &["go.sum"], None),
        );
    }

    #[test]
    fn modules_that_are_named_are_no_install_of_the_project() {
        let files = [("go.mod", MOD)];
        for command in [
            "go install example.com/tool@latest",
            "go get -u example.com/tool",
            "go mod download example.com/a",
            "go generate ./...",
            "go env",
            "go version",
        ] {
            check(&files, command, Expected::Nothing);
        }
    }

    #[test]
    fn replaced_modules_need_their_own_go_mod() {
        let text =
            format!("{MOD}require example.com/lib v0.0.0\nreplace example.com/lib => ../lib\n");
        let files = [
            ("svc/go.mod", text.as_str()),
            ("lib/go.mod", "module example.com/lib"),
        ];
        check(
            &files,
            "cd svc && go build",
            fetch(&["../lib/go.mod", "go.mod"], "go mod download"),
        );
        let missing = "`replace` names `../lib`, whose `go.mod` is not in the build context";
        check(
            &files[..1],
            "cd svc && go build",
            Expected::Declined(missing),
        );
    }

    #[test]
    fn workspaces() {
        let files = [
            ("go.work", "go 1.22\nuse (\n\t./a\n\t./b\n)\n"),
            ("a/go.mod", MOD),
            ("a/go.sum", ""),
            ("b/go.mod", MOD),
        ];
        let paths = ["a/go.mod", "a/go.sum", "b/go.mod", "go.work"];
        check(&files, "go build ./a", fetch(&paths, "go mod download"));
        let part = "`go.work` may make the module a part of its workspace";
        check(&files, "cd a && go build", Expected::Declined(part));
        let own = fetch(&["go.mod", "go.sum"], "GOWORK=off go mod download");
        check(&files, "cd a && GOWORK=off go build", own);
    }

    #[test]
    fn declines() {
        let vendored = [("go.mod", MOD), ("vendor/modules.txt", "")];
        check(
            &vendored,
            "go build",
            Expected::Declined("the modules are in `vendor`"),
        );
        check(
            &vendored[..1],
            "go build -mod=vendor .",
            Expected::Declined("the modules are in `vendor`"),
        );
        check(
            &vendored,
            "go build -mod=mod .",
            fetch(&["go.mod"], "go mod download"),
        );
        let flags = Expected::Declined("`GOFLAGS` is set for the command");
        check(&vendored[..1], "GOFLAGS=-mod=vendor go build", flags);
        let none = "there is no `go.mod`: the source names what is fetched";
        check(
            &[("main.go", "")],
            "go get -d ./...",
            Expected::Declined(none),
        );
        let alone = "`go.mod` requires no module that would be fetched";
        check(
            &[("go.mod", "module a\n")],
            "go build",
            Expected::Declined(alone),
        );
        let local = "module a\nrequire b v1.0.0\nreplace b => ./b\n";
        let files = [("go.mod", local), ("b/go.mod", "module b")];
        check(&files, "go build", Expected::Declined(alone));
        let unknown = Expected::Declined("`$FLAGS` is known only when the step runs");
        check(&vendored[..1], "go build $FLAGS .", unknown);
        let sudo = Expected::Declined("it runs behind `sudo`");
        check(&vendored[..1], "sudo go build", sudo);
    }
}
