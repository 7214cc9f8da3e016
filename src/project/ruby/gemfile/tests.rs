//! Tests of `gemfile`.

use super::*;
use crate::project::testing::survives;

const GEMFILE: &str = r#"# frozen_string_literal: true
source "https://rubygems.org"
git_source(:github) { |repo| "https://github.com/#{repo}.git" }

ruby file: ".ruby-version"

gem "rails", "~> 7.1.0"
gem 'pg', '>= 1.1', require: false
gem "bootsnap", require: false
gem "engine", path: "engines/engine"
gem "tool", git: "https://github.com/a/tool.git",
    branch: "main",
    group: :tools
gem "short", :github => "a/short", :groups => [:x, "y"]

group :development, :test do
  gem "debug", platforms: %i[ mri windows ]
  group :deep do
    gem "inner"
  end
end

path "components" do
  gem "api"
end

platforms :jruby do
  gem "jdbc"
end
"#;

fn read(text: &str) -> Gemfile {
    gemfile("Gemfile", text.as_bytes()).unwrap()
}

fn literal(text: &str) -> Value {
    Value::Literal(text.to_owned())
}

#[test]
fn reads_a_gemfile() {
    let file = read(GEMFILE);
    let gem = |name: &str| {
        file.gems
            .iter()
            .find(|gem| gem.name == literal(name))
            .unwrap()
    };
    assert_eq!(
        file.ruby,
        Some(RubyVersion::File(".ruby-version".to_owned()))
    );
    assert_eq!(file.gems.len(), 10);
    assert_eq!(gem("rails").groups, ["default"]);
    assert_eq!(
        gem("engine").origin,
        GemOrigin::Path(literal("engines/engine"))
    );
    assert_eq!(
        gem("tool").origin,
        GemOrigin::Git(literal("https://github.com/a/tool.git"))
    );
    assert_eq!(
        (gem("tool").line, gem("tool").groups.clone()),
        (11, vec!["tools".to_owned()])
    );
    assert_eq!(gem("short").groups, ["x", "y"]);
    assert_eq!(gem("debug").groups, ["development", "test"]);
    assert_eq!(gem("inner").groups, ["development", "test", "deep"]);
    assert_eq!(gem("api").origin, GemOrigin::Path(literal("components")));
    assert_eq!(gem("jdbc").origin, GemOrigin::Server);
    assert_eq!(
        file.groups(),
        ["deep", "default", "development", "test", "tools", "x", "y"]
    );
    let paths: Vec<_> = file.local_paths().collect();
    assert_eq!(paths, [&literal("engines/engine"), &literal("components")]);
    assert_eq!(file.computed, None);
}

#[test]
fn reads_gemspecs_includes_and_versions() {
    let file = read("gemspec\ngemspec path: 'core'\neval_gemfile 'Gemfile.local'\nruby '3.2.2'\n");
    assert_eq!(file.gemspecs, [literal("."), literal("core")]);
    assert_eq!(file.included, [literal("Gemfile.local")]);
    assert_eq!(file.ruby, Some(RubyVersion::Literal("3.2.2".to_owned())));
    assert_eq!(
        read("ruby File.read('.ruby-version')").ruby,
        Some(RubyVersion::Computed)
    );
    assert_eq!(read("ruby '>= 3', '< 4'").ruby, Some(RubyVersion::Computed));
    assert!(matches!(
        read("eval_gemfile File.join(x, 'y')").included[0],
        Value::Computed(_)
    ));
}

#[test]
fn what_is_computed_is_never_a_guess() {
    let gem = |text: &str| read(text).gems[0].clone();
    let expanded = gem("gem 'a', path: File.expand_path('../a', __FILE__)");
    assert_eq!(
        expanded.origin,
        GemOrigin::Path(Value::Computed("path".to_owned()))
    );
    assert!(gem("gem 'a', group: name").groups.is_empty());
    assert!(gem("group(*names) do\n  gem 'a'\nend").groups.is_empty());
    assert_eq!(read("group(*names) do\n  gem 'a'\nend").computed, Some(1));
    assert_eq!(gem("gem 'a', groups: %i[b c]").groups, ["b", "c"]);
}

#[test]
fn a_git_source_says_nothing_of_gems() {
    let file = read(
        "git_source(:github) do |repo|\n  repo = \"#{repo}/#{repo}\" unless repo.include?('/')\n  \"https://github.com/#{repo}.git\"\nend\ngem 'a'\n",
    );
    assert_eq!((file.computed, file.gems.len()), (None, 1));
}

#[test]
fn names_what_computes() {
    let computed = |text: &str| read(text).computed;
    assert_eq!(
        computed("gem 'a'\nif ENV['CI']\n  gem 'b'\nelse\n  gem 'c'\nend\n"),
        Some(2)
    );
    assert_eq!(computed("gem 'a'\ngem 'b' if ENV['CI']\n"), Some(2));
    assert_eq!(computed("Dir['x/*'].each do |f|\n  gem f\nend\n"), Some(1));
    assert_eq!(computed("version = '1'\n"), Some(1));
    let file = read("if x\n  gem 'b'\nend\ngem 'c'\n");
    assert!(file.gems[0].conditional && !file.gems[1].conditional);
    assert!(matches!(
        read("gem \"a#{b}\"").gems[0].name,
        Value::Computed(_)
    ));
}

#[test]
fn names_the_line_of_a_mistake() {
    let line = |text: &str| gemfile("Gemfile", text.as_bytes()).unwrap_err().line;
    assert_eq!(line("gem 'a'\ngroup :test do\n  gem 'b'\n"), Some(2));
    assert_eq!(line("gem 'a'\nend\n"), Some(2));
    assert_eq!(line(&"group :a do\n".repeat(100)), Some(33));
}

#[test]
fn never_panics() {
    survives(&[GEMFILE], |bytes| drop(gemfile("Gemfile", bytes)));
}
