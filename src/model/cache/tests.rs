//! What becomes of steps, with files that change by name: a source takes the file that it names, `.` takes all.

use super::*;
use crate::model::ModelInput;
use crate::model::tests::with;

/// These files changed.
struct Names(&'static [&'static str]);

impl ChangedFiles for Names {
    fn touch(&self, taken: &Taken, _: &Step<'_>) -> Touch {
        let takes = |file: &&&str| {
            taken
                .sources
                .iter()
                .any(|one| one == *file || one == "." || one == "/")
        };
        match self.0.iter().find(takes) {
            Some(file) if taken.exact => Touch::Yes((*file).to_owned()),
            Some(file) => Touch::Perhaps((*file).to_owned()),
            None if taken.exact => Touch::No,
            None => Touch::Perhaps("?".to_owned()),
        }
    }
}

/// One word a step: its keyword, and what becomes of it.
fn told(forecast: &Forecast, model: &Model<'_>) -> Vec<String> {
    let cause = |cause: &Cause| match cause {
        Cause::File(file) => format!("file {file}"),
        Cause::Variable(name) => format!("variable {name}"),
        Cause::State => "state".to_owned(),
        Cause::Step(place) => format!("step {}.{}", place.stage, place.position),
        Cause::Stage(stage) => format!("stage {stage}"),
    };
    let steps = forecast.steps.iter().map(|(place, fate)| {
        let keyword = model.step_at(*place).unwrap().instruction.keyword;
        let keyword = format!("{keyword:?}").to_lowercase();
        match fate {
            Fate::Cached => format!("{keyword} cached"),
            Fate::MayRun(why) => format!("{keyword} may run: {}", cause(why)),
            Fate::Runs(why) => format!("{keyword} runs: {}", cause(why)),
        }
    });
    steps.collect()
}

fn after(text: &str, files: &'static [&'static str]) -> Vec<String> {
    with(text, &ModelInput::default(), |model| {
        told(&model.after_change(&Names(files)), model)
    })
}

/// The build with `--build-arg A=2` after that with `A=1`.
fn after_argument(text: &str) -> Vec<String> {
    let input = |value: &str| ModelInput {
        build_args: [("A".to_owned(), value.to_owned())].into(),
        ..ModelInput::default()
    };
    let (first, second) = (input("1"), input("2"));
    with(text, &first, |last| {
        with(text, &second, |model| {
            told(&model.after_build(last, &NoFiles), model)
        })
    })
}

#[test]
fn nothing_changed() {
    let text = "FROM a\nWORKDIR /x\nWORKDIR /\nENV A=1\nCOPY f /\nRUN x\nCMD y\n";
    let expected = ["workdir cached", "copy cached", "run cached"];
    assert_eq!(after(text, &[]), expected);
    with(text, &ModelInput::default(), |model| {
        let forecast = model.after_change(&NoFiles);
        let counts = Rebuild {
            cached: 3,
            may_run: 0,
            run: 0,
        };
        assert_eq!(forecast.rebuild(), counts);
    });
}

#[test]
fn a_file_and_what_follows() {
    let text = "FROM a\nRUN x\nCOPY lock /\nRUN y\nCOPY . /\nLABEL a=b\nRUN z\n";
    let expected = [
        "run cached",
        "copy cached",
        "run cached",
        "copy runs: file src",
        "run runs: step 0.4",
    ];
    assert_eq!(after(text, &["src"]), expected);
    let expected = [
        "run cached",
        "copy runs: file lock",
        "run runs: step 0.2",
        "copy runs: step 0.2",
        "run runs: step 0.2",
    ];
    assert_eq!(after(text, &["lock"]), expected);
}

#[test]
fn what_takes_no_file_of_the_context() {
    let text = "FROM a AS s\nFROM a\nCOPY --from=s src /\nCOPY --from=img src /\nCOPY <<src /\nx\nsrc\nADD http://x/src /\nRUN src\n";
    assert_eq!(
        after(text, &["src"]),
        [
            "copy cached",
            "copy cached",
            "copy cached",
            "add cached",
            "run cached"
        ]
    );
}

#[test]
fn mounts_of_the_context() {
    let text = "FROM a\nRUN --mount=type=cache,target=/c,source=src x\nRUN --mount=source=src,target=/m y\n";
    assert_eq!(after(text, &["src"]), ["run cached", "run runs: file src"]);
    let whole = "FROM a\nRUN --mount=target=. x\n";
    assert_eq!(after(whole, &["src"]), ["run runs: file src"]);
}

#[test]
fn what_is_not_known_may_run() {
    let text = "FROM a\nCOPY $UNKNOWN /\nRUN x\nCOPY src /\nRUN y\n";
    assert_eq!(
        after(text, &["src"]),
        [
            "copy may run: file ?",
            "run may run: step 0.1",
            "copy runs: file src",
            "run runs: step 0.3"
        ]
    );
    let narrowed = "FROM a\nCOPY --exclude=*.md . /\n";
    assert_eq!(after(narrowed, &["src"]), ["copy may run: file src"]);
}

#[test]
fn stages_built_on_each_other() {
    let text = "FROM a AS b\nCOPY src /\nFROM b\nRUN x\n";
    assert_eq!(
        after(text, &["src"]),
        ["copy runs: file src", "run runs: step 0.1"]
    );
    let triggers = "FROM a AS b\nONBUILD COPY src /\nRUN x\nFROM b\nRUN y\n";
    assert_eq!(
        after(triggers, &["src"]),
        ["run cached", "copy runs: file src", "run runs: step 1.1"]
    );
}

#[test]
fn stages_that_files_are_taken_from() {
    let text = "FROM a AS b\nCOPY src /\nFROM a\nRUN x\nCOPY --from=b /o /o\nRUN --mount=from=b,target=/m y\n";
    assert_eq!(
        after(text, &["src"]),
        [
            "copy runs: file src",
            "run cached",
            "copy may run: stage 0",
            "run may run: step 1.2"
        ]
    );
    assert_eq!(
        after(text, &["other"])
            .iter()
            .filter(|one| one.ends_with("cached"))
            .count(),
        4
    );
}

#[test]
fn stages_that_no_target_needs() {
    assert_eq!(
        after("FROM a\nCOPY src /\nFROM b\nRUN x\n", &["src"]),
        ["run cached"]
    );
}

#[test]
fn links_stand_alone_where_the_engine_merges() {
    let text = "FROM a\nCOPY src /\nCOPY --link lib /\nCOPY --link=false lib /\nRUN x\n";
    assert_eq!(
        after(text, &["src"]),
        [
            "copy runs: file src",
            "copy may run: step 0.1",
            "copy runs: step 0.1",
            "run runs: step 0.1"
        ]
    );
    assert_eq!(
        after(text, &["lib"])[1..],
        [
            "copy runs: file lib",
            "copy runs: step 0.2",
            "run runs: step 0.2"
        ]
    );
}

#[test]
fn build_arguments() {
    let text = "FROM a\nRUN x\nARG A\nCOPY src /\nLABEL a=$A\nRUN y\nRUN z\n";
    assert_eq!(
        after_argument(text),
        [
            "run cached",
            "copy cached",
            "run runs: variable A",
            "run runs: step 0.5"
        ]
    );
    let derived = "ARG A\nARG B=x$A\nFROM a\nRUN x\nARG B\nENV C=c\nRUN y\n";
    assert_eq!(
        after_argument(derived),
        ["run cached", "run runs: variable B"]
    );
    let overridden = "FROM a\nARG A\nENV A=fixed\nRUN y\n";
    assert_eq!(after_argument(overridden), ["run cached"]);
    let words = "FROM a\nARG A\nCOPY f-$A /\nRUN y\n";
    assert_eq!(
        after_argument(words),
        ["copy runs: variable A", "run runs: step 0.2"]
    );
    let heredoc = "FROM a\nARG A\nCOPY <<x <<'y' /d/\n$A\nx\n$A\ny\nCOPY <<'x' /d/\n$A\nx\n";
    assert_eq!(
        after_argument(heredoc),
        ["copy runs: variable A", "copy runs: step 0.2"]
    );
    let base = "ARG A\nFROM a:$A\nRUN x\n";
    assert_eq!(after_argument(base), ["run runs: step 0.0"]);
    let path = "FROM a\nARG A\nWORKDIR /$A\nWORKDIR /x\n";
    assert_eq!(
        after_argument(path),
        ["workdir runs: variable A", "workdir runs: step 0.2"]
    );
}

#[test]
fn variables_of_keys() {
    let text = "FROM a\nARG A=1 B=2\nENV C=3 D=4\nRUN x\nCOPY --chown=$B $C/x ${PATH:-$D} /\nCOPY <<E /e\n$A\nE\n";
    with(text, &ModelInput::default(), |model| {
        let keys = |position| {
            let step = model.step_at(Place { stage: 0, position });
            model.keyed_by(step.unwrap())
        };
        assert_eq!(keys(3), ["A", "B"]);
        assert_eq!(keys(4), ["B", "C", "D"]);
        assert_eq!(keys(5), ["A"]);
    });
}
