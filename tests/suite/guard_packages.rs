//! Packages that are left out and caches that are emptied: what the guard lets through, and what it stops.

use crate::guard::{only, passes, stops};

#[test]
fn development_packages_are_left_out() {
    only(
        "packages",
        "FROM node:20\nRUN npm ci --only=production -q",
        "FROM node:20\nRUN npm ci --omit=dev -q",
        &[
            "FROM node:20\nRUN npm ci -q",
            "FROM node:20\nRUN npm ci --omit=optional -q",
            "FROM node:20\nRUN npm ci --omit=dev",
        ],
    );
    passes(
        "packages",
        "FROM node:20\nRUN npm install --only production",
        "FROM node:20\nRUN npm ci --omit=dev",
    );
    only(
        "packages",
        "FROM python\nRUN poetry install --no-dev",
        "FROM python\nRUN poetry install --without=dev",
        &[
            "FROM python\nRUN poetry install",
            "FROM python\nRUN poetry install --without=docs",
            "FROM python\nRUN poetry install --only=dev",
        ],
    );
    only(
        "packages",
        "FROM ruby\nRUN a && bundle install",
        "FROM ruby\nRUN a && bundle config set --local without 'development test' && bundle install",
        &[
            "FROM ruby\nRUN a && bundle config set --local without 'production' && bundle install",
            "FROM ruby\nRUN a && bundle config set --local path x && bundle install",
            "FROM ruby\nRUN a; bundle config set --local without test && bundle install",
            "FROM ruby\nRUN a && bundle install && bundle config set --local without test",
            "FROM ruby\nRUN bundle config set --local without test && a && bundle install",
        ],
    );
    stops(
        "caches",
        "FROM ruby\nRUN bundle install",
        "FROM ruby\nRUN bundle config set --local without test && bundle install",
    );
    stops(
        "caches",
        "FROM node\nRUN npm ci --production",
        "FROM node\nRUN npm ci --omit=dev",
    );
}

#[test]
fn development_packages_stay_while_something_behind_needs_them() {
    for (install, lean, later) in [
        ("npm ci", "npm ci --omit=dev", "RUN npm run build"),
        ("npm ci", "npm ci --omit=dev", "RUN npx tsc"),
        (
            "composer install",
            "composer install --no-dev",
            "RUN vendor/bin/phpunit",
        ),
        (
            "poetry install",
            "poetry install --without=dev",
            "RUN poetry run pytest",
        ),
        (
            "bundle install",
            "bundle config set --local without 'development test' && bundle install",
            "RUN bundle exec rspec",
        ),
    ] {
        let with = |install: &str, later: &str| format!("FROM a AS x\nRUN {install}\n{later}");
        passes("packages", &with(install, "RUN x"), &with(lean, "RUN x"));
        stops("packages", &with(install, later), &with(lean, later));
        let built_on = format!("FROM x\n{later}");
        stops(
            "packages",
            &with(install, &built_on),
            &with(lean, &built_on),
        );
        let joined = later.replace("RUN ", "&& ");
        let with = |install: &str| format!("FROM a\nRUN {install} {joined}");
        stops("packages", &with(install), &with(lean));
    }
    passes(
        "packages",
        "FROM ruby\nRUN gem install rspec\nRUN rspec",
        "FROM ruby\nRUN gem install --no-document rspec\nRUN rspec",
    );
}

#[test]
fn cleanups_follow_what_they_clean_up_after() {
    for (install, clean) in [
        (
            "apt-get update && apt-get install -y a",
            "rm -rf /var/lib/apt/lists/*",
        ),
        ("dnf install -y a", "dnf clean all"),
        ("yum install -y a", "yum clean packages"),
        ("gem install a", "rm -rf /usr/local/bundle/cache"),
        ("bundle install", "rm -rf /usr/local/bundle/cache"),
        ("yarn", "yarn cache clean"),
        ("npm ci", "npm cache clean --force"),
    ] {
        let run = |list: &str| format!("RUN {list}");
        only(
            "caches",
            &run(install),
            &run(&format!("{install} && {clean}")),
            &[
                &run(&format!("{clean} && {install}")),
                &run(&format!("{install} && {clean} damage")),
                &run(clean),
            ],
        );
        stops("caches", &run("x"), &run(&format!("x && {clean}")));
        stops(
            "caches",
            &run("cargo build"),
            &run(&format!("cargo build && {clean}")),
        );
    }
}
