//! CI files: GitHub workflows (`docker/build-push-action`, `docker build` in `run`) and `.gitlab-ci.yml` scripts.
//!
//! Both run at the root of the repository: the directory that holds `.github`, or the file itself. Without a `context`
//! the action builds from the repository's root.

use super::declared::{DeclaredBuild, DockerfileIn, Text, Written, lines_of_pairs};
use super::script::builds_in;
use super::value::Value;
use crate::context::path;

const MARK: &str = "${{";

/// The builds of one CI file.
pub(super) fn builds(file: &str, value: &Value) -> Vec<DeclaredBuild> {
    match path::parent(file).strip_suffix(".github/workflows") {
        Some(root) => github(file, root.trim_end_matches('/'), value),
        None => gitlab(file, path::parent(file), value),
    }
}

fn github(file: &str, root: &str, workflow: &Value) -> Vec<DeclaredBuild> {
    let mut builds = Vec::new();
    for (name, job) in workflow.get("jobs").map(Value::entries).unwrap_or_default() {
        for (index, step) in job
            .get("steps")
            .map(Value::items)
            .unwrap_or_default()
            .iter()
            .enumerate()
        {
            let part = format!("job `{name}`, step {}", index + 1);
            let uses = step.get("uses").and_then(Value::text).unwrap_or_default();
            if uses.starts_with("docker/build-push-action@") {
                builds.push(action(
                    file,
                    part,
                    root,
                    step.get("with").unwrap_or(&Value::Null),
                ));
            } else if let Some(run) = step.get("run").and_then(Value::text)
                && let Some(directory) = working_directory(root, workflow, job, step)
            {
                builds.extend(builds_in(run, file, &part, &directory));
            }
        }
    }
    builds
}

/// One use of docker/build-push-action, by its inputs.
fn action(file: &str, part: String, root: &str, inputs: &Value) -> DeclaredBuild {
    let input = |name: &str| {
        inputs
            .get(name)
            .and_then(Value::text)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    };
    let text = |name: &str| input(name).map(|text| Text::new(&in_workspace(text), MARK));
    let pairs = |name: &str| lines_of_pairs(input(name).unwrap_or_default(), MARK);
    let written = Written {
        context: text("context").map(git_context),
        dockerfile: text("file"),
        target: text("target"),
        args: pairs("build-args"),
        named_contexts: pairs("build-contexts"),
    };
    written.declare(file, part, root, DockerfileIn::WorkingDirectory)
}

/// The action's own way to write the repository, or a directory of it, as a git context.
fn git_context(context: Text) -> Text {
    match &context {
        Text::Literal(text) if text.starts_with("{{defaultContext}}") => {
            let directory = text
                .trim_start_matches("{{defaultContext}}")
                .trim_start_matches(':');
            Text::new(if directory.is_empty() { "." } else { directory }, "{{")
        }
        _ => context,
    }
}

/// The checkout's own absolute path is the root.
fn in_workspace(text: &str) -> String {
    ["${{ github.workspace }}", "${{github.workspace}}"]
        .iter()
        .fold(text.to_owned(), |text, root| text.replacen(root, ".", 1))
}

/// Where a `run` begins; `None` where that is not known or not in the repository.
fn working_directory(root: &str, workflow: &Value, job: &Value, step: &Value) -> Option<String> {
    let default = |value: &Value| {
        value
            .get("defaults")?
            .get("run")?
            .get("working-directory")
            .cloned()
    };
    let written = step
        .get("working-directory")
        .cloned()
        .or_else(|| default(job))
        .or_else(|| default(workflow));
    match written {
        None => Some(root.to_owned()),
        Some(value) => {
            let text = in_workspace(value.text()?);
            path::resolve_from(root, &text).filter(|_| !text.contains('$'))
        }
    }
}

fn gitlab(file: &str, root: &str, pipeline: &Value) -> Vec<DeclaredBuild> {
    let mut builds = Vec::new();
    for (name, job) in pipeline.entries() {
        let mut script = String::new();
        for key in ["before_script", "script"] {
            let own = job.get(key).or_else(|| {
                if key == "before_script" {
                    pipeline.get(key)
                } else {
                    None
                }
            });
            for line in own.map(lines).unwrap_or_default() {
                script.push_str(&line);
                script.push('\n');
            }
        }
        if job.get("script").is_some() {
            builds.extend(builds_in(&script, file, &format!("job `{name}`"), root));
        }
    }
    builds
}

/// The lines of a script: one text, or lists of them.
fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::Text(text) => vec![text.clone()],
        Value::List(items) => items.iter().flat_map(lines).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::declared::Place;
    use super::*;

    fn builds_of(file: &str, text: &str) -> Vec<DeclaredBuild> {
        builds(
            file,
            &Value::from_yaml(text).expect("well formed").remove(0),
        )
    }

    #[test]
    fn github_actions() {
        let text = r#"
on: push
defaults: {run: {working-directory: svc}}
jobs:
  build:
    steps:
      - uses: actions/checkout@v4
      - uses: docker/build-push-action@v6
        with:
          context: ./app
          file: ./docker/app.Dockerfile
          target: prod
          build-args: |
            A=1
            B=${{ github.sha }}
          build-contexts: |
            base=docker-image://alpine
      - uses: docker/build-push-action@v6
        with: {context: "${{ github.workspace }}/web"}
      - uses: docker/build-push-action@v6
      - uses: docker/build-push-action@v6
        with: {context: "${{ matrix.dir }}", file: x/Dockerfile}
      - uses: docker/build-push-action@v6
        with: {context: "{{defaultContext}}:sub"}
      - run: docker build -t x .
      - run: docker build .
        working-directory: ${{ matrix.dir }}
      - run: docker build .
        working-directory: other
"#;
        let builds = builds_of(".github/workflows/ci.yml", text);
        let inside = |path: &str| Place::Inside(path.to_owned());
        let found: Vec<_> = builds
            .iter()
            .map(|build| (build.context.clone(), build.dockerfile.as_deref()))
            .collect();
        assert_eq!(
            found,
            [
                (inside("app"), Some("docker/app.Dockerfile")),
                (inside("web"), Some("web/Dockerfile")),
                (inside(""), Some("Dockerfile")),
                (
                    Place::Unreadable("${{ matrix.dir }}".to_owned()),
                    Some("x/Dockerfile")
                ),
                (inside("sub"), Some("sub/Dockerfile")),
                (inside("svc"), Some("svc/Dockerfile")),
                (inside("other"), Some("other/Dockerfile")),
            ]
        );
        assert_eq!(builds[0].part, "job `build`, step 2");
        assert_eq!(builds[0].target, Some(Text::Literal("prod".to_owned())));
        let args: Vec<_> = builds[0]
            .args
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_deref()))
            .collect();
        assert_eq!(args, [("A", Some("1")), ("B", None)]);
    }

    #[test]
    fn a_repository_below_the_workspace() {
        let builds = builds_of(
            "repo/.github/workflows/x.yaml",
            "jobs: {a: {steps: [{run: docker build x}]}}",
        );
        assert_eq!(builds[0].dockerfile.as_deref(), Some("repo/x/Dockerfile"));
    }

    #[test]
    fn gitlab_scripts() {
        let text = "before_script:\n  - cd app\nbuild:\n  script:\n    - [docker build -f Dockerfile.prod --target prod .]\n    - cd ..\n    - docker build x\nshared:\n  script: !reference [build, script]\nother:\n  before_script: []\n  script: docker build .\nvariables: {A: b}\n";
        let builds = builds_of(".gitlab-ci.yml", text);
        let found: Vec<_> = builds
            .iter()
            .map(|build| (build.part.as_str(), build.dockerfile.as_deref()))
            .collect();
        assert_eq!(
            found,
            [
                ("job `build`", Some("app/Dockerfile.prod")),
                ("job `build`", Some("x/Dockerfile")),
                ("job `other`", Some("Dockerfile"))
            ]
        );
    }
}
