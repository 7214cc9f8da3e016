//! Any bytes as a Dockerfile: its items are the file, byte for byte, and its meaning and scripts can be asked for.
#![no_main]

use dockeropt::model::{Model, ModelInput};
use dockeropt::pass::runs;
use dockeropt::syntax::Dockerfile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let file = Dockerfile::parse(text);
    let mut at = 0;
    for item in &file.items {
        assert_eq!(item.span().start, at, "a gap between items");
        at = item.span().end;
    }
    assert_eq!(at as usize, text.len(), "the items end early");
    let input = ModelInput::default();
    let model = Model::of(&file, text, &input);
    for stage in runs::stages(&model) {
        for step in &stage.steps {
            let _ = step.script();
        }
    }
});
