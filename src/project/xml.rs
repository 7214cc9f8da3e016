//! What the readers of XML manifests share: elements by their local name, namespaces aside.

use roxmltree::Node;

/// The most attributes of one tag, and the most namespace declarations of one document. The XML reader compares each with
/// all before it.
const ATTRIBUTES: usize = 256;

/// The offset of the first tag of `text` that no manifest has: with more than 256 attributes, or the 257th that declares
/// namespaces.
pub(super) fn excess(text: &str) -> Option<usize> {
    let mut declarations = 0;
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.find('<')) {
        at += start;
        let rest = text.get(at..)?;
        let closing = [("<!--", "-->"), ("<![CDATA[", "]]>")];
        if let Some((_, end)) = closing.iter().find(|(start, _)| rest.starts_with(start)) {
            at += rest.find(end)? + end.len();
            continue;
        }
        let tag = tag(rest);
        declarations += tag.matches("xmlns").count();
        if tag.matches('=').count() > ATTRIBUTES && attributes(tag) > ATTRIBUTES {
            return Some(at);
        }
        if declarations > ATTRIBUTES {
            return Some(at);
        }
        at += tag.len();
    }
    None
}

/// The tag at the start of `rest`, up to its `>`; a quoted one does not end it.
fn tag(rest: &str) -> &str {
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return rest.get(..=at).unwrap_or(rest),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    rest
}

/// The `=` of a tag that are not quoted.
fn attributes(tag: &str) -> usize {
    let mut quote = None;
    let mut count = 0;
    for byte in tag.bytes() {
        match (quote, byte) {
            (None, b'=') => count += 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    count
}

/// The child elements of `node` that are called `name`.
pub(super) fn children<'a, 'i: 'a>(
    node: Node<'a, 'i>,
    name: &'a str,
) -> impl Iterator<Item = Node<'a, 'i>> + 'a {
    node.children().filter(move |child| is(*child, name))
}

/// The first child element that is called `name`.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| is(*child, name))
}

/// The element that these names lead to, one level each.
pub(super) fn at<'a, 'i>(node: Node<'a, 'i>, names: &[&str]) -> Option<Node<'a, 'i>> {
    names.iter().try_fold(node, |node, name| child(node, name))
}

/// The text of an element, without the blanks around it; `None` for an empty one.
pub(super) fn text(node: Node<'_, '_>) -> Option<String> {
    let text: String = node
        .children()
        .filter(Node::is_text)
        .filter_map(|text| text.text())
        .collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The text of the first child element that is called `name`.
pub(super) fn child_text(node: Node<'_, '_>, name: &str) -> Option<String> {
    text(child(node, name)?)
}

/// Whether `node` is an element that is called `name`.
pub(super) fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_tags_without_measure() {
        let attributes =
            |count: usize| -> String { (0..count).map(|at| format!(" a{at}='>=\"'")).collect() };
        let usual = format!(
            "<a{}><!-- <b{} --><![CDATA[<c]]></a>",
            attributes(256),
            attributes(300)
        );
        assert_eq!(excess(&usual), None);
        assert_eq!(
            excess(&format!("<a>\n<b{}/></a>", attributes(257))),
            Some(4)
        );
        let spaces = "<a xmlns:b='c'>".repeat(257);
        assert_eq!(excess(&spaces), Some(256 * "<a xmlns:b='c'>".len()));
        assert_eq!(excess("<!-- <"), None);
        assert_eq!(excess("<é"), None);
    }
}
