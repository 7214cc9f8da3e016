//! What Maven reads to fetch dependencies: the POMs and what stands beside them, never the sources. It cannot tell all
//! that a build fetches without running it: what goes before a build is never sure.

use super::{Early, Install, Reads};
use crate::context::path;
use crate::model::managers::{Flag, Role};
use crate::project::java::{Pom, pom_files};

const GO_OFFLINE: &str = "dependency:go-offline";

/// Options of Maven that decide what is fetched, and how it is told; `-D…` and `-P…` besides.
const KEPT: [&str; 17] = [
    "-s",
    "--settings",
    "-gs",
    "--global-settings",
    "-f",
    "--file",
    "-P",
    "--activate-profiles",
    "-t",
    "--toolchains",
    "-U",
    "--update-snapshots",
    "-B",
    "--batch-mode",
    "-ntp",
    "--no-transfer-progress",
    "-q",
];

/// Properties that only say which tests run.
const TEST_PROPERTIES: [&str; 4] = [
    "-DskipTests",
    "-Dmaven.test.",
    "-Dtest",
    "-Dcheckstyle.skip",
];

/// See [`super::reads`].
pub(super) fn reads(install: &Install<'_>) -> Option<Result<Reads, String>> {
    let invocation = install.invocation;
    let goals: Vec<&str> = invocation.subcommand_name.split(' ').collect();
    match invocation.role {
        Role::Install if goals.contains(&"dependency:get") => None,
        Role::Install => Some(resolve(install)),
        Role::Build | Role::Run => Some(go_offline(install)),
        _ => None,
    }
}

/// Of goals that only resolve dependencies.
fn resolve(install: &Install<'_>) -> Result<Reads, String> {
    let (mut reads, poms) = poms(install)?;
    if poms.iter().any(|(_, pom)| pom.files_activate) {
        reads.doubt = Some("a profile is active where a file exists".to_owned());
    }
    if install
        .invocation
        .subcommand_name
        .contains("copy-dependencies")
    {
        reads.writes.insert("target".to_owned());
    }
    Ok(reads)
}

/// Of goals that build.
fn go_offline(install: &Install<'_>) -> Result<Reads, String> {
    if install.has(&["-o", "--offline"]) {
        return Err("it works offline".to_owned());
    }
    if install.has(&["-pl", "--projects"]) {
        return Err("it builds some of the modules, which need each other".to_owned());
    }
    let (mut reads, poms) = poms(install)?;
    if poms.len() > 1 {
        return Err(format!(
            "`{GO_OFFLINE}` cannot resolve modules that need each other before they are built"
        ));
    }
    let mut words = install.start(|name| name.starts_with("MAVEN_") || name == "JAVA_HOME")?;
    if !install.has(&["-B", "--batch-mode"]) {
        words.push("-B".to_owned());
    }
    words.extend(install.options(is_kept)?);
    words.push(GO_OFFLINE.to_owned());
    reads.doubt = Some(format!(
        "`{GO_OFFLINE}` fetches neither all that the build needs nor only that"
    ));
    reads.early = Early::Fetch(words.join(" "));
    Ok(reads)
}

fn is_kept(flag: &Flag) -> bool {
    let name = flag.name.as_str();
    let decides = name.starts_with("-D") || name.starts_with("-P");
    let tests = TEST_PROPERTIES.iter().any(|start| name.starts_with(start));
    KEPT.contains(&name) || decides && !tests
}

/// The POMs of the build, and the files beside them that Maven reads.
fn poms(install: &Install<'_>) -> Result<(Reads, Vec<(String, Pom)>), String> {
    let mut reads = Reads::of_itself();
    install.refuse_computed(|_| false)?;
    let named = install.option(&["-f", "--file"])?.unwrap_or("pom.xml");
    let outside = || format!("`{named}` is not in the build context");
    let mut pom = install.path(named).ok_or_else(outside)?;
    if !pom.ends_with(".xml") {
        pom = path::join(&pom, "pom.xml");
    }
    let mut poms = pom_files(install.context, &pom).map_err(|error| error.to_string())?;
    if has_other_parent(&poms) {
        poms.truncate(1);
    }
    for (file, pom) in &poms {
        refuse_local(file, pom)?;
        install.add(file, &mut reads);
    }
    install.add(&path::join(install.root, ".mvn"), &mut reads);
    install.add_wrapper(
        "mvnw",
        &[".mvn/wrapper/maven-wrapper.properties"],
        &mut reads,
    )?;
    settings(install, &mut reads)?;
    Ok((reads, poms))
}

/// Whether the POM in the directory above is not the parent that the first one, which has no modules, names: Maven takes
/// that from the repository then.
fn has_other_parent(poms: &[(String, Pom)]) -> bool {
    let [(_, pom), (_, above), ..] = poms else {
        return false;
    };
    let named = pom
        .parent
        .as_ref()
        .and_then(|parent| parent.artifact_id.as_deref());
    let found = above.artifact_id.as_ref().and_then(|id| id.literal());
    pom.modules.is_empty() && pom.profile_modules.is_empty() && found.is_some() && named != found
}

/// Declines a POM that names files of the project.
fn refuse_local(file: &str, pom: &Pom) -> Result<(), String> {
    if let Some(path) = pom.system_paths.first() {
        return Err(format!("`{file}` names the archive `{path}`"));
    }
    let is_remote = |url: &&String| url.starts_with("http://") || url.starts_with("https://");
    if let Some(url) = pom.repositories.iter().find(|url| !is_remote(url)) {
        return Err(format!("`{file}` names the repository `{url}`"));
    }
    Ok(())
}

/// The settings files of options.
fn settings(install: &Install<'_>, reads: &mut Reads) -> Result<(), String> {
    for names in [
        ["-s", "--settings"],
        ["-gs", "--global-settings"],
        ["-t", "--toolchains"],
    ] {
        let Some(file) = install.option(&names)? else {
            continue;
        };
        // Files of the official image.
        if file.starts_with("/usr/share/maven/") {
            continue;
        }
        if !install
            .path(file)
            .is_some_and(|path| install.add(&path, reads))
        {
            return Err(format!("`{file}` is not a file of the project"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Expected, check};

    const POM: &str = "<project><artifactId>a</artifactId></project>";
    const DOUBT: &str =
        "`dependency:go-offline` fetches neither all that the build needs nor only that";

    fn fetch<'e>(paths: &'e [&'e str], command: &'e str) -> Expected<'e> {
        Expected::Fetch(paths, command, Some(DOUBT))
    }

    #[test]
    fn a_build_goes_offline_first() {
        let files = [("pom.xml", POM), ("src/A.java", "")];
        for (command, expected) in [
            ("mvn package", "mvn -B dependency:go-offline"),
            (
                "mvn -B -DskipTests clean package",
                "mvn -B dependency:go-offline",
            ),
            (
                "mvn clean install -Pprod -Drevision=2 -T 4",
                "mvn -B -Pprod -Drevision=2 dependency:go-offline",
            ),
            (
                "mvn -P prod -f pom.xml verify",
                "mvn -B -P prod -f pom.xml dependency:go-offline",
            ),
            (
                "mvn -f /src/pom.xml clean test",
                "mvn -B -f /src/pom.xml dependency:go-offline",
            ),
            (
                "mvn -s /usr/share/maven/ref/settings-docker.xml package",
                "mvn -B -s /usr/share/maven/ref/settings-docker.xml dependency:go-offline",
            ),
        ] {
            check(&files, command, fetch(&["pom.xml"], expected));
        }
        check(&files, "mvn clean", Expected::Nothing);
        check(
            &files,
            "mvn dependency:resolve",
            Expected::Itself(&["pom.xml"], &[], None),
        );
    }

    #[test]
    fn the_wrapper_is_read_too() {
        let files = [
            ("pom.xml", POM),
            ("mvnw", ""),
            (".mvn/wrapper/maven-wrapper.properties", ""),
            ("s.xml", ""),
        ];
        let paths = [".mvn", "mvnw", "pom.xml"];
        check(
            &files,
            "./mvnw package",
            fetch(&paths, "./mvnw -B dependency:go-offline"),
        );
        let paths = [".mvn", "pom.xml", "s.xml"];
        check(
            &files,
            "mvn -s s.xml package",
            fetch(&paths, "mvn -B -s s.xml dependency:go-offline"),
        );
        let missing = Expected::Declined(
            "`.mvn/wrapper/maven-wrapper.properties` is not in the build context",
        );
        check(&files[..2], "./mvnw package", missing);
        let settings = Expected::Declined("`/root/s.xml` is not a file of the project");
        check(&files, "mvn -s /root/s.xml package", settings);
    }

    #[test]
    fn a_parent_of_the_repository_is_no_module() {
        let files = [
            (
                "pom.xml",
                "<project><artifactId>all</artifactId><modules><module>a</module></modules></project>",
            ),
            (
                "a/pom.xml",
                "<project><parent><artifactId>boot</artifactId></parent><artifactId>a</artifactId></project>",
            ),
        ];
        check(
            &files,
            "cd a && mvn package",
            fetch(&["pom.xml"], "mvn -B dependency:go-offline"),
        );
        let modules = "`dependency:go-offline` cannot resolve modules that need each other before they are built";
        check(&files, "mvn package", Expected::Declined(modules));
        let resolves = Expected::Itself(&["a/pom.xml", "pom.xml"], &[], None);
        check(&files, "mvn dependency:go-offline", resolves);
    }

    #[test]
    fn declines() {
        let pom = |inside: &str| format!("<project><artifactId>a</artifactId>{inside}</project>");
        let system = pom(
            "<dependencies><dependency><systemPath>${basedir}/l.jar</systemPath></dependency></dependencies>",
        );
        let repository = pom(
            "<repositories><repository><url>file://${basedir}/m2</url></repository></repositories>",
        );
        for (pom, command, why) in [
            (
                system.as_str(),
                "mvn package",
                "`pom.xml` names the archive `${basedir}/l.jar`",
            ),
            (
                &repository,
                "mvn package",
                "`pom.xml` names the repository `file://${basedir}/m2`",
            ),
            (POM, "mvn -o package", "it works offline"),
            (
                POM,
                "mvn -Drevision=$V package",
                "`-Drevision=$V` is known only when the step runs",
            ),
            (
                POM,
                "mvn -f a.xml package",
                "`a.xml`: is not in the build context",
            ),
            (POM, "sudo mvn package", "it runs behind `sudo`"),
        ] {
            check(&[("pom.xml", pom)], command, Expected::Declined(why));
        }
        check(
            &[],
            "mvn package",
            Expected::Declined("`pom.xml`: is not in the build context"),
        );
    }
}
