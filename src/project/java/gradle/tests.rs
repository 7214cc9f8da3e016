//! Tests of `gradle`.

use super::*;
use crate::project::testing::survives;

const SETTINGS: &str = "pluginManagement {\n    repositories { gradlePluginPortal() }\n}\n\
    rootProject.name = 'shop' // the shop\ninclude 'api', ':web:admin',\n    'core'\n\
    include(':tools')\nincludeBuild '../conventions'\n";

const GROOVY: &str = r#"
plugins {
    id 'java'
    id 'org.springframework.boot' version '3.2.0'
    id "io.spring.dependency-management" version "$springVersion"
}
apply plugin: 'jacoco'
apply from: "gradle/publish.gradle"

group = 'com.example'
version = '1.0.0'

java {
    toolchain {
        languageVersion = JavaLanguageVersion.of(21)
    }
}
sourceCompatibility = '17'

dependencies {
    implementation project(':core')
    implementation project(path: ':api', configuration: 'x')
    implementation 'org.springframework.boot:spring-boot-starter-web'
    implementation files('libs/a.jar', 'libs/b.jar')
    implementation fileTree(dir: 'lib', include: ['*.jar'])
}

bootJar {
    archiveFileName = "app.jar"
    mainClass = 'com.example.App'
}
jar {
    archiveBaseName = "x-${version}"
}
/* version = 'no' */
"#;

const KOTLIN: &str = r#"
plugins {
    java
    `java-library`
    application
    kotlin("jvm") version "1.9.0"
    id("org.springframework.boot") version "3.2.0" apply false
    alias(libs.plugins.shadow)
}

group = "com.example"
version = rootProject.version

kotlin { jvmToolchain(17) }

application {
    mainClass.set("com.example.MainKt")
}

dependencies {
    implementation(project(":core"))
    implementation(files("libs/a.jar"))
}

tasks.named<BootJar>("bootJar") {
    archiveFileName.set("app.jar")
}
"#;

fn settings(text: &str) -> GradleSettings {
    gradle_settings("settings.gradle", text.as_bytes()).unwrap()
}

fn build(text: &str) -> GradleBuild {
    gradle_build("build.gradle", text.as_bytes()).unwrap()
}

fn literal(text: &str) -> Value {
    Value::Literal(text.to_owned())
}

#[test]
fn reads_settings() {
    let facts = settings(SETTINGS);
    assert_eq!(facts.name, Some(literal("shop")));
    assert_eq!(
        facts.includes.unwrap(),
        ["api", "web/admin", "core", "tools"]
    );
    assert_eq!(facts.included_builds.unwrap(), ["../conventions"]);
    let kotlin = settings("rootProject.name = \"shop\"\ninclude(\n    \"api\",\n    \"web\",\n)\n");
    assert_eq!(kotlin.includes.unwrap(), ["api", "web"]);
}

#[test]
fn settings_that_compute_their_projects_are_unknown() {
    for text in [
        "include projects",
        "include 'a', b",
        "include(\"a$b\")",
        "file('.').eachDir { dir -> include dir.name }",
        "if (ci) {\n  include 'a'\n}",
        "include 'a'\nproject(':a').projectDir = file('b')",
        "includeFlat 'a'",
        "include 'a' + b",
    ] {
        assert_eq!(settings(text).includes, None, "{text}");
    }
    assert_eq!(settings("").includes, Some(Vec::new()));
}

#[test]
fn reads_a_groovy_build() {
    let facts = build(GROOVY);
    assert_eq!(
        facts.plugins,
        [
            "java",
            "org.springframework.boot",
            "io.spring.dependency-management",
            "jacoco"
        ]
    );
    assert_eq!(
        (facts.group, facts.version),
        (Some(literal("com.example")), Some(literal("1.0.0")))
    );
    assert_eq!(facts.java_version.as_deref(), Some("21"));
    assert_eq!(facts.main_class, Some(literal("com.example.App")));
    assert_eq!(facts.projects, [":core", ":api"]);
    assert_eq!(
        facts.files,
        ["gradle/publish.gradle", "libs/a.jar", "libs/b.jar", "lib"].map(literal)
    );
    assert_eq!(facts.archives.len(), 2);
    assert_eq!(
        (facts.archives[0].task.as_str(), &facts.archives[0].value),
        ("bootJar", &literal("app.jar"))
    );
    assert_eq!(
        facts.archives[1].value,
        Value::Computed("x-${version}".to_owned())
    );
}

#[test]
fn reads_a_kotlin_build() {
    let facts = build(KOTLIN);
    assert_eq!(
        facts.plugins,
        [
            "java",
            "java-library",
            "application",
            "kotlin:jvm",
            "org.springframework.boot",
            "libs.plugins.shadow"
        ]
    );
    assert!(matches!(facts.version, Some(Value::Computed(_))));
    assert_eq!(facts.java_version.as_deref(), Some("17"));
    assert_eq!(facts.main_class, Some(literal("com.example.MainKt")));
    assert_eq!(facts.projects, [":core"]);
    assert_eq!(facts.archives[0].task, "bootJar");
    assert_eq!(facts.archives[0].value, literal("app.jar"));
}

#[test]
fn reads_every_spelling_of_the_java_release() {
    let release = |text: &str| build(text).java_version;
    assert_eq!(release("sourceCompatibility = 1.8").as_deref(), Some("1.8"));
    assert_eq!(
        release("sourceCompatibility = JavaVersion.VERSION_1_8").as_deref(),
        Some("1.8")
    );
    assert_eq!(
        release("sourceCompatibility JavaVersion.VERSION_17").as_deref(),
        Some("17")
    );
    assert_eq!(release("targetCompatibility = '11'").as_deref(), Some("11"));
    assert_eq!(release("sourceCompatibility = javaVersion"), None);
}

#[test]
fn names_the_line_of_a_mistake() {
    let error = gradle_build("build.gradle", b"a\n\xFF").unwrap_err();
    assert_eq!(error.line, Some(2));
}

#[test]
fn never_panics() {
    survives(&[SETTINGS, GROOVY, KOTLIN], |bytes| {
        drop(gradle_settings("s", bytes));
        drop(gradle_build("b", bytes));
    });
}
