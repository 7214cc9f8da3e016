//! A base image whose tag moves from one version to the next.
//!
//! Only told: which version the application works with, nobody can see in the file.

use serde::Deserialize;

use crate::model::Base;
use crate::pass::runs::shown_span;
use crate::pass::{Findings, Pass, PassContext};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PinBase {}

impl Pass for PinBase {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for stage in cx.model.stages.iter().filter(|stage| stage.used) {
            let Base::Image(_) = &stage.base else {
                continue;
            };
            let Some(word) = stage.from.words().first() else {
                continue;
            };
            let image = word.text.as_str();
            if image.contains(['$', '@']) {
                continue;
            }
            let name = image.rsplit('/').next().unwrap_or(image);
            let moves = name.split_once(':').is_none_or(|(_, tag)| tag == "latest");
            // Distroless images have no versions; their names say the release.
            if moves && !image.starts_with("gcr.io/distroless/") {
                let message = format!(
                    "`{image}` is the newest version whenever it is pulled: name the version that you test with"
                );
                out.report(shown_span(stage.from), message, None);
            }
        }
    }
}
