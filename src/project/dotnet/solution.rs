//! Solutions: `*.sln` and `*.slnx`.

use super::slashes;
use crate::project::{ManifestError, read, xml};

/// The type of an entry that is a folder of the solution and no project.
const FOLDER: &str = "2150E333-8FDC-42A3-9474-1A3956D46DE8";

/// A project of a solution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SolutionProject {
    /// 1-based line.
    pub line: u32,
    /// Path of the project file, with `/`, relative to the solution.
    pub path: String,
}

/// The projects of the solution of these bytes, in either format; `path` tells which (`.slnx` is XML).
///
/// # Errors
/// It is not UTF-8, not XML, or no solution.
pub fn solution(path: &str, bytes: &[u8]) -> Result<Vec<SolutionProject>, ManifestError> {
    let text = read::text(path, bytes)?;
    if path.to_ascii_lowercase().ends_with(".slnx") {
        xml_solution(path, text)
    } else {
        text_solution(path, text)
    }
}

fn xml_solution(path: &str, text: &str) -> Result<Vec<SolutionProject>, ManifestError> {
    let document = read::xml(path, text)?;
    if !xml::is(document.root_element(), "Solution") {
        return Err(ManifestError::new(path, Some(1), "is no solution"));
    }
    let lines = read::Lines::new(text);
    let nodes = document
        .descendants()
        .filter(|node| xml::is(*node, "Project"));
    let project = |node: roxmltree::Node<'_, '_>| {
        Some(SolutionProject {
            line: lines.line(node.range().start),
            path: slashes(node.attribute("Path")?),
        })
    };
    Ok(nodes.filter_map(project).collect())
}

/// `Project("{type}") = "name", "path", "{id}"`
fn text_solution(path: &str, text: &str) -> Result<Vec<SolutionProject>, ManifestError> {
    if !text.contains("Microsoft Visual Studio Solution File") {
        return Err(ManifestError::new(path, Some(1), "is no solution"));
    }
    let mut projects = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        if !text.starts_with("Project(") {
            continue;
        }
        let fields: Vec<&str> = text.split('"').skip(1).step_by(2).collect();
        let [kind, _, file, ..] = fields.as_slice() else {
            return Err(ManifestError::new(
                path,
                Some(line),
                "is a malformed project",
            ));
        };
        if !kind.to_ascii_uppercase().contains(FOLDER) {
            let path = slashes(file);
            projects.push(SolutionProject { line, path });
        }
    }
    Ok(projects)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::survives;

    const SLN: &str = "\u{feff}\r\nMicrosoft Visual Studio Solution File, Format Version 12.00\r\n\
        # Visual Studio Version 17\r\n\
        Project(\"{FAE04EC0-301F-11D3-BF4B-00C04F79EFBC}\") = \"Web\", \"src\\Web\\Web.csproj\", \"{1}\"\r\nEndProject\r\n\
        Project(\"{2150e333-8fdc-42a3-9474-1a3956d46de8}\") = \"docs\", \"docs\", \"{2}\"\r\nEndProject\r\n\
        Global\r\nEndGlobal\r\n";
    const SLNX: &str = "<Solution>\n  <Folder Name=\"/src/\">\n    <Project Path=\"src\\Web\\Web.csproj\" />\n  </Folder>\n\
        <Project Path=\"tests/T.csproj\" Type=\"x\"/>\n</Solution>";

    fn paths(path: &str, text: &str) -> Vec<(u32, String)> {
        let projects = solution(path, text.as_bytes()).unwrap().into_iter();
        projects
            .map(|project| (project.line, project.path))
            .collect()
    }

    #[test]
    fn reads_both_formats() {
        assert_eq!(paths("a.sln", SLN), [(4, "src/Web/Web.csproj".to_owned())]);
        assert_eq!(
            paths("a.slnx", SLNX),
            [
                (3, "src/Web/Web.csproj".to_owned()),
                (5, "tests/T.csproj".to_owned())
            ]
        );
    }

    #[test]
    fn names_the_line_of_a_mistake() {
        let text = SLN.replace("\"Web\", \"src\\Web\\Web.csproj\"", "");
        assert_eq!(
            solution("a.sln", text.as_bytes()).unwrap_err().line,
            Some(4)
        );
        let error = solution(
            "a.sln",
            b"Microsoft Visual Studio Solution File\nProject(\"{x}\n",
        )
        .unwrap_err();
        assert_eq!(error.line, Some(2));
        assert!(solution("a.sln", b"").is_err() && solution("a.slnx", b"<a/>").is_err());
    }

    #[test]
    fn never_panics() {
        survives(&[SLN, SLNX], |bytes| {
            drop(solution("a.sln", bytes));
            drop(solution("a.slnx", bytes));
        });
    }
}
