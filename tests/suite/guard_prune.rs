//! What the guard lets through and what it stops where a builder stage deletes packages for development.

use crate::guard::{only, stops};

const BUILD: &str =
    "FROM node:20 AS build\nWORKDIR /app\nCOPY . .\nRUN npm ci\nRUN npm run build\n";
const SHIP: &str =
    "FROM node:20-slim\nCOPY --from=build /app /app\nCMD [\"node\", \"/app/main.js\"]";

fn file(build: &str, ship: &str) -> String {
    format!("{BUILD}{build}{ship}")
}

#[test]
fn only_the_managers_own_command_is_let_through() {
    let bad = [
        "RUN npm prune --omit=dev --force\n",
        "RUN npm prune\n",
        "RUN npm prune --omit=prod\n",
        "RUN pnpm prune --prod\n",
        "RUN rm -rf node_modules\n",
        "RUN --network=none npm prune --omit=dev\n",
        "RUN npm prune --omit=dev\nRUN npm prune --omit=dev\n",
        "RUN npm prune --omit=dev\nWORKDIR /srv\n",
        "WORKDIR /srv\nRUN npm prune --omit=dev\n",
    ]
    .map(|build| file(build, SHIP));
    only(
        "prune",
        &file("", SHIP),
        &file("RUN npm prune --omit=dev\n", SHIP),
        &bad.each_ref().map(String::as_str),
    );
}

#[test]
fn not_before_the_last_step() {
    let early = BUILD.replace("RUN npm run", "RUN npm prune --omit=dev\nRUN npm run");
    stops("prune", &file("", SHIP), &format!("{early}{SHIP}"));
}

#[test]
fn not_without_the_effect() {
    let after = file("RUN npm prune --omit=dev\n", SHIP);
    for effects in ["none", "packages", "stages", "layers order"] {
        stops(effects, &file("", SHIP), &after);
    }
}

#[test]
fn not_where_something_needs_them() {
    let ships = [
        // Nothing takes them.
        "FROM node:20-slim\nCMD [\"node\"]",
        // A stage is built on the builder.
        &format!("FROM build AS test\nRUN npm test\n\n{SHIP}"),
        // They are installed, run or read in the stage that takes them.
        "FROM node:20-slim\nCOPY --from=build /app /app\nRUN npm install",
        "FROM node:20-slim\nCOPY --from=build /app /app\nRUN cd /app && npx tsc",
        "FROM node:20-slim\nRUN --mount=from=build,target=/b cp -r /b/app /app",
        "FROM node:20-slim\nCOPY --from=build /app /app\nRUN [\"/app/x\"]\nSHELL [\"x\"]\nRUN y",
    ];
    for ship in ships {
        stops(
            "prune",
            &file("", ship),
            &file("RUN npm prune --omit=dev\n", ship),
        );
    }
    // The last stage ships what it is.
    stops("prune", BUILD, &format!("{BUILD}RUN npm prune --omit=dev"));
    // Nothing is installed.
    let none = "FROM node:20 AS build\nWORKDIR /app\nCOPY . .\n";
    let after = format!("{none}RUN npm prune --omit=dev\n{SHIP}");
    stops("prune", &format!("{none}{SHIP}"), &after);
    // Another user has installed them.
    let other = "USER node\n";
    stops(
        "prune",
        &file(other, SHIP),
        &file("USER node\nRUN npm prune --omit=dev\n", SHIP),
    );
}
