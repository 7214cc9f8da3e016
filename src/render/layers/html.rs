//! The page: one file that shows an image in a browser, without fetching anything.

use serde::Serialize;

use crate::image::{Analysis, Folder};

const TEMPLATE: &str = include_str!("report.html");
/// Where the data goes.
const SLOT: &str = "/*data*/";

/// The page.
pub fn page(analysis: &Analysis) -> String {
    let data = Data {
        analysis,
        tree: &analysis.tree,
        layer_trees: analysis.layers.iter().map(|layer| &layer.tree).collect(),
    };
    // Fails only for maps with keys that are not strings; there are none.
    let data = serde_json::to_string(&data).unwrap_or_default();
    let (head, tail) = TEMPLATE.split_once(SLOT).unwrap_or((TEMPLATE, ""));
    [head, &inert(&data), tail].concat()
}

/// JSON that is also plain text in a script of HTML: no name of a file ends it.
fn inert(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

#[derive(Serialize)]
struct Data<'a> {
    #[serde(flatten)]
    analysis: &'a Analysis,
    tree: &'a Folder,
    layer_trees: Vec<&'a Folder>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_one_slot() {
        assert_eq!(TEMPLATE.matches(SLOT).count(), 1);
    }

    #[test]
    fn no_name_ends_the_script() {
        let inert = inert(r#"{"path":"</script><b>&"}"#);
        assert!(!inert.contains(['<', '>', '&']), "{inert}");
        let back: serde_json::Value = serde_json::from_str(&inert).unwrap();
        assert_eq!(back["path"], "</script><b>&");
    }
}
