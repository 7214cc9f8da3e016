//! What Bundler reads to install gems: the Gemfile, its lock file and the files that they name. A Gemfile is a program: one
//! that may read other files is declined, and so are gems that are part of the project.

use super::{Install, Reads, without_lock};
use crate::context::path;
use crate::project::ruby::{Gemfile, RubyVersion};

/// Files and directories of Bundler beside the Gemfile.
const BESIDE: [&str; 3] = ["Gemfile.lock", ".bundle/config", "vendor/cache"];

/// How a Gemfile reads the version of Ruby from its file.
const VERSION_READS: [&str; 4] = [
    "File.read(\".ruby-version\")",
    "File.read('.ruby-version')",
    "File.read(File.expand_path('.ruby-version', __dir__))",
    "File.read(File.expand_path(\".ruby-version\", __dir__))",
];

/// What a Gemfile says where it may read another file.
const READING: [&str; 14] = [
    "File",
    "Dir",
    "IO.",
    "Pathname",
    "__dir__",
    "__FILE__",
    "require '",
    "require \"",
    "require(",
    "require_relative",
    "load",
    "eval",
    "open(",
    "`",
];

/// See [`super::reads`].
pub(super) fn reads(install: &Install<'_>) -> Option<Result<Reads, String>> {
    let is_install = matches!(
        install.invocation.subcommand_name.as_str(),
        "" | "install" | "i"
    );
    let shows = install.has(&["--help", "-h", "--version", "-v"]);
    (is_install && !shows).then(|| gems(install))
}

fn gems(install: &Install<'_>) -> Result<Reads, String> {
    let of_other = install
        .assignments()
        .any(|(name, _)| name == "BUNDLE_GEMFILE");
    if of_other || install.has(&["--gemfile"]) {
        return Err("another Gemfile is named".to_owned());
    }
    install.refuse_computed(|_| false)?;
    let gemfile = install
        .project
        .gemfile()
        .map_err(|error| error.to_string())?;
    let gemfile = gemfile.ok_or("there is no `Gemfile`")?;
    let mut reads = Reads {
        paths: ["Gemfile".to_owned()].into(),
        writes: [".bundle".to_owned(), "vendor/bundle".to_owned()].into(),
        ..Reads::of_itself()
    };
    refuse_local(install, gemfile)?;
    read_files(install, gemfile, &mut reads)?;
    for file in BESIDE {
        if !install.add(&path::join(install.root, file), &mut reads) && file == "Gemfile.lock" {
            if install.has(&["--deployment", "--frozen"]) {
                return Err(without_lock(file));
            }
            reads.writes.insert(file.to_owned());
        }
    }
    if reads.paths.contains(".bundle/config") {
        reads.writes.remove(".bundle");
    }
    Ok(reads)
}

/// Declines gems that are part of the project.
fn refuse_local(install: &Install<'_>, gemfile: &Gemfile) -> Result<(), String> {
    if !gemfile.gemspecs.is_empty() {
        return Err(
            "the Gemfile takes the dependencies of a gem of the project (`gemspec`)".to_owned(),
        );
    }
    let lock = install
        .project
        .gemfile_lock()
        .map_err(|error| error.to_string())?;
    let locked = lock.into_iter().flat_map(|lock| &lock.paths);
    if gemfile.local_paths().next().is_some() || locked.count() > 0 {
        return Err("gems come from directories of the project".to_owned());
    }
    Ok(())
}

/// Adds the files that the Gemfile reads, where those are known.
fn read_files(install: &Install<'_>, gemfile: &Gemfile, reads: &mut Reads) -> Result<(), String> {
    if let Some(RubyVersion::File(file)) = &gemfile.ruby {
        let path = path::resolve_from(install.root, file);
        if !path.is_some_and(|path| install.add(&path, reads)) {
            return Err(format!(
                "`{file}`, which the Gemfile reads, is not in the build context"
            ));
        }
    }
    if !gemfile.included.is_empty() {
        return Err("the Gemfile reads another one (`eval_gemfile`)".to_owned());
    }
    let mut text = install.text(&path::join(install.root, "Gemfile"))?;
    for read in VERSION_READS {
        if text.contains(read) {
            install.add(&path::join(install.root, ".ruby-version"), reads);
            text = text.replace(read, "");
        }
    }
    let computes = gemfile.computed.is_some() || gemfile.ruby == Some(RubyVersion::Computed);
    let code: String = text.lines().map(without_comment).collect();
    match READING.iter().find(|word| code.contains(**word)) {
        Some(word) if computes => {
            let word = word.trim_end_matches([' ', '(', '\'', '"', '.']);
            Err(format!("the Gemfile may read other files (`{word}`)"))
        }
        _ => Ok(()),
    }
}

fn without_comment(line: &str) -> &str {
    line.split(" #")
        .next()
        .filter(|line| !line.trim_start().starts_with('#'))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Expected, check};

    const GEMFILE: &str =
        "source 'https://rubygems.org'\n# gem 'x', path: File\ngem 'rails', require: false\n";

    #[test]
    fn gems_are_installed_first() {
        let files = [("Gemfile", GEMFILE), ("Gemfile.lock", ""), ("app.rb", "")];
        let paths = ["Gemfile", "Gemfile.lock"];
        let itself = Expected::Itself(&paths, &[".bundle", "vendor/bundle"], None);
        for command in [
            "bundle install",
            "bundle",
            "bundle install --jobs 4 --without test",
            "bundler install",
        ] {
            check(&files, command, itself);
        }
        for command in [
            "bundle exec rake",
            "bundle config set without test",
            "bundle update",
            "bundle --version",
        ] {
            check(&files, command, Expected::Nothing);
        }
        let alone = Expected::Itself(
            &["Gemfile"],
            &[".bundle", "Gemfile.lock", "vendor/bundle"],
            None,
        );
        check(&files[..1], "bundle install", alone);
        let more = [files[0], ("vendor/cache/a.gem", ""), (".bundle/config", "")];
        let all = [".bundle/config", "Gemfile", "vendor/cache"];
        check(
            &more,
            "bundle install",
            Expected::Itself(&all, &["Gemfile.lock", "vendor/bundle"], None),
        );
    }

    #[test]
    fn files_that_the_gemfile_reads() {
        for ruby in [
            "ruby file: '.ruby-version'",
            "ruby File.read(\".ruby-version\").strip",
        ] {
            let gemfile = format!("{GEMFILE}{ruby}\n");
            let files = [
                ("Gemfile", gemfile.as_str()),
                (".ruby-version", "3.3"),
                ("Gemfile.lock", ""),
            ];
            let paths = [".ruby-version", "Gemfile", "Gemfile.lock"];
            check(
                &files,
                "bundle install",
                Expected::Itself(&paths, &[".bundle", "vendor/bundle"], None),
            );
        }
        let condition = format!("{GEMFILE}if ENV['X']\n  gem 'b'\nend\n");
        let files = [("Gemfile", condition.as_str()), ("Gemfile.lock", "")];
        check(
            &files,
            "bundle install",
            Expected::Itself(
                &["Gemfile", "Gemfile.lock"],
                &[".bundle", "vendor/bundle"],
                None,
            ),
        );
    }

    #[test]
    fn declines() {
        for (more, command, why) in [
            (
                "gemspec",
                "bundle install",
                "the Gemfile takes the dependencies of a gem of the project (`gemspec`)",
            ),
            (
                "gem 'a', path: 'a'",
                "bundle install",
                "gems come from directories of the project",
            ),
            (
                "eval_gemfile 'b'",
                "bundle install",
                "the Gemfile reads another one (`eval_gemfile`)",
            ),
            (
                "gem 'b' if File.exist?('x')",
                "bundle install",
                "the Gemfile may read other files (`File`)",
            ),
            (
                "require 'json'\n",
                "bundle install",
                "the Gemfile may read other files (`require`)",
            ),
            (
                "ruby file: 'r'",
                "bundle install",
                "`r`, which the Gemfile reads, is not in the build context",
            ),
            ("", "bundle install --gemfile=x", "another Gemfile is named"),
            (
                "",
                "BUNDLE_GEMFILE=x bundle install",
                "another Gemfile is named",
            ),
            (
                "",
                "bundle install $OPTIONS",
                "`$OPTIONS` is known only when the step runs",
            ),
        ] {
            let gemfile = format!("{GEMFILE}{more}\n");
            check(&[("Gemfile", &gemfile)], command, Expected::Declined(why));
        }
        check(
            &[],
            "bundle install",
            Expected::Declined("there is no `Gemfile`"),
        );
        let local = [
            ("Gemfile", GEMFILE),
            ("Gemfile.lock", "PATH\n  remote: a\n  specs:\n"),
        ];
        check(
            &local,
            "bundle install",
            Expected::Declined("gems come from directories of the project"),
        );
    }
}
