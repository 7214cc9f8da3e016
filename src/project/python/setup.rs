//! `setup.py` and `setup.cfg`: what they mention. `setup.py` is a program; it is searched, never understood.

use super::VersionSource;

/// What a `setup.py` or `setup.cfg` of these bytes mentions that would compute the version from the repository's
/// history. A mention in a comment counts: who keeps `.git` for nothing breaks nothing.
pub fn setup_version_source(bytes: &[u8]) -> Option<VersionSource> {
    let text = String::from_utf8_lossy(bytes);
    let mentions = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if mentions(&["use_scm_version", "setuptools_scm", "setuptools-scm"]) {
        return Some(VersionSource::SetuptoolsScm);
    }
    if mentions(&["versioneer"]) {
        return Some(VersionSource::Versioneer);
    }
    if text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|word| word == "pbr")
    {
        return Some(VersionSource::Pbr);
    }
    mentions(&[
        "git describe",
        "\"describe\"",
        "'describe'",
        "setuptools_git",
        "setuptools-git",
        "versioningit",
    ])
    .then_some(VersionSource::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_reads_the_repository() {
        let source = |text: &str| setup_version_source(text.as_bytes());
        assert_eq!(
            source("setup(use_scm_version=True)"),
            Some(VersionSource::SetuptoolsScm)
        );
        assert_eq!(
            source("[versioneer]\nVCS = git\n"),
            Some(VersionSource::Versioneer)
        );
        assert_eq!(
            source("setup(setup_requires=['pbr>=2'], pbr=True)"),
            Some(VersionSource::Pbr)
        );
        assert_eq!(
            source("check_output(['git', 'describe', '--tags'])"),
            Some(VersionSource::Other)
        );
        assert_eq!(
            source("setup(name='x', version='1.0', packages=['libpbr_x'])"),
            None
        );
    }
}
