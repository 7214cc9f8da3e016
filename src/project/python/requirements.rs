//! Requirements files as pip reads them, one file at a time.

mod lines;

use super::requirement::{is_url, names_variable};
use super::{Requirement, Source};
use crate::project::{ManifestError, read};

/// What one requirements file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Requirements {
    /// What it requires, in its order.
    pub requirements: Vec<Requirement>,
    /// The files that it brings with `-r` and `-c`.
    pub includes: Vec<Include>,
    /// `--index-url` and `--extra-index-url`, as they stand.
    pub index_urls: Vec<String>,
    /// `--find-links`: URLs, or files and directories relative to the requirements file.
    pub find_links: Vec<String>,
    /// Other options, verbatim, such as `--no-binary :all:`.
    pub options: Vec<String>,
}

/// A file that a requirements file brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// 1-based line.
    pub line: u32,
    /// Which option.
    pub kind: IncludeKind,
    /// What it names.
    pub target: Target,
}

/// How a requirements file brings another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncludeKind {
    /// `-r`, `--requirement`
    Requirements,
    /// `-c`, `--constraint`
    Constraints,
}

/// What an include names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A path, relative to the file that names it.
    Path(String),
    /// A URL.
    Url(String),
    /// It names an environment variable.
    Computed(String),
}

/// What the requirements file of these bytes says; `path` is for the error only.
///
/// # Errors
/// It is not UTF-8, or a line is no requirement.
pub fn requirements(path: &str, bytes: &[u8]) -> Result<Requirements, ManifestError> {
    let text = read::text(path, bytes)?;
    let mut file = Requirements::default();
    for (line, text) in lines::logical_lines(text) {
        read_line(&mut file, line, &text)
            .map_err(|message| ManifestError::new(path, Some(line), message))?;
    }
    Ok(file)
}

/// One logical line: a requirement with options of its own, or options of the file.
fn read_line(file: &mut Requirements, line: u32, text: &str) -> Result<(), String> {
    let (requirement, options) = lines::split_options(text);
    let options = lines::parse_options(options)?;
    if !requirement.is_empty() {
        let mut requirement = Requirement::parse(line, requirement, false)?;
        requirement.hashes = options.iter().filter(|(name, _)| name == "--hash").count();
        file.requirements.push(requirement);
        return Ok(());
    }
    for (name, value) in options {
        let kind = match name.as_str() {
            "-r" | "--requirement" => IncludeKind::Requirements,
            "-c" | "--constraint" => IncludeKind::Constraints,
            "-e" | "--editable" => {
                let requirement = Requirement::parse(line, &value, true)?;
                file.requirements.push(editable(requirement, &value));
                continue;
            }
            "-i" | "--index-url" | "--pypi-url" | "--extra-index-url" => {
                file.index_urls.push(value);
                continue;
            }
            "-f" | "--find-links" => {
                file.find_links.push(value);
                continue;
            }
            _ => {
                let option = format!("{name} {value}");
                file.options.push(option.trim_end().to_owned());
                continue;
            }
        };
        let target = if names_variable(&value) {
            Target::Computed(value)
        } else if is_url(&value) {
            Target::Url(value)
        } else {
            Target::Path(value)
        };
        file.includes.push(Include { line, kind, target });
    }
    Ok(())
}

/// `-e name` can only be a directory of that name: pip knows no development mode of an index's package.
fn editable(requirement: Requirement, value: &str) -> Requirement {
    match requirement.source {
        Source::Index { .. } => Requirement {
            source: Source::Local(value.split('[').next().unwrap_or_default().to_owned()),
            ..requirement
        },
        _ => requirement,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::survives;

    const REQUIREMENTS: &str = "\
# production
--index-url https://pypi.example.com/simple
--extra-index-url=https://other.example.com/simple
-f ./wheels
--no-binary :all:
-r base.txt
-cconstraints.txt  # pinned
Django==4.2 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
psycopg2-binary>=2.9; python_version >= '3.8'
-e .
--editable './my lib[x]'
./vendor/thing-1.0.whl
https://example.com/a#b.zip
git+https://${GITHUB_TOKEN}@github.com/a/b
";

    fn parse(text: &str) -> Requirements {
        requirements("requirements.txt", text.as_bytes()).unwrap()
    }

    #[test]
    fn reads_a_whole_file() {
        let file = parse(REQUIREMENTS);
        assert_eq!(
            file.index_urls,
            [
                "https://pypi.example.com/simple",
                "https://other.example.com/simple"
            ]
        );
        assert_eq!(file.find_links, ["./wheels"]);
        assert_eq!(file.options, ["--no-binary :all:"]);
        let includes: Vec<_> = file.includes.iter().map(|i| (i.line, i.kind)).collect();
        assert_eq!(
            includes,
            [
                (6, IncludeKind::Requirements),
                (7, IncludeKind::Constraints)
            ]
        );
        assert_eq!(
            file.includes[1].target,
            Target::Path("constraints.txt".to_owned())
        );
        let lines: Vec<_> = file.requirements.iter().map(|r| r.line).collect();
        assert_eq!(lines, [8, 11, 12, 13, 14, 15, 16]);
        assert_eq!(file.requirements[0].hashes, 2);
        let locals: Vec<_> = file
            .requirements
            .iter()
            .filter_map(Requirement::local_path)
            .collect();
        assert_eq!(locals, [".", "./my lib", "./vendor/thing-1.0.whl"]);
        assert!(file.requirements[2].editable && !file.requirements[4].editable);
        assert_eq!(
            file.requirements[5].source,
            Source::Url("https://example.com/a#b.zip".to_owned())
        );
        assert!(matches!(file.requirements[6].source, Source::Computed(_)));
    }

    #[test]
    fn a_comment_ends_a_continuation() {
        let file = parse("a==1 \\\n# not b \\\nc==2\n");
        let lines: Vec<_> = file.requirements.iter().map(|r| r.line).collect();
        assert_eq!(lines, [1, 3]);
        assert_eq!(parse("a \\").requirements.len(), 1);
    }

    #[test]
    fn crlf_and_byte_order_mark_are_no_matter() {
        let file = parse("\u{feff}a==1\r\n-r b.txt\r\n");
        assert_eq!(file.includes[0].target, Target::Path("b.txt".to_owned()));
        assert_eq!(file.requirements.len(), 1);
    }

    #[test]
    fn an_editable_name_is_a_directory() {
        assert_eq!(
            parse("-e mylib[x]").requirements[0].local_path(),
            Some("mylib")
        );
    }

    #[test]
    fn names_the_line_of_a_mistake() {
        let error = requirements("r.txt", b"a==1\n<<<<<<< HEAD\n").unwrap_err();
        assert_eq!((error.path.as_str(), error.line), ("r.txt", Some(2)));
        assert_eq!(requirements("r.txt", b"-r\n").unwrap_err().line, Some(1));
        assert_eq!(
            requirements("r.txt", b"\n-e 'x\n").unwrap_err().line,
            Some(2)
        );
        assert_eq!(requirements("r.txt", b"a\n\xFF").unwrap_err().line, Some(2));
    }

    #[test]
    fn never_panics() {
        survives(&[REQUIREMENTS], |bytes| drop(requirements("r.txt", bytes)));
    }
}
