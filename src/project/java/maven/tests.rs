//! Tests of `maven`.

use super::*;
use crate::project::testing::survives;

const POM: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0"
         xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
         xsi:schemaLocation="http://maven.apache.org/POM/4.0.0 http://maven.apache.org/xsd/maven-4.0.0.xsd">
  <modelVersion>4.0.0</modelVersion>
  <parent>
    <groupId>org.springframework.boot</groupId>
    <artifactId>spring-boot-starter-parent</artifactId>
    <version>3.2.0</version>
    <relativePath/> <!-- from the repository -->
  </parent>
  <groupId>com.example</groupId>
  <artifactId>shop</artifactId>
  <version>${revision}</version>
  <properties>
    <java.version>17</java.version>
    <revision>1.${minor}</revision>
    <minor>4</minor>
    <loop>${loop}</loop>
  </properties>
  <modules>
    <module>api</module>
    <module>web/pom.xml</module>
  </modules>
  <profiles>
    <profile><id>it</id><activation><file><exists>it</exists></file></activation><modules><module>it</module></modules></profile>
  </profiles>
  <dependencies>
    <dependency>
      <groupId>x</groupId><artifactId>y</artifactId><version>1</version>
      <scope>system</scope><systemPath>${project.basedir}/lib/y.jar</systemPath>
    </dependency>
  </dependencies>
  <repositories><repository><url>file:lib</url></repository></repositories>
  <distributionManagement><repository><url>ftp://up</url></repository></distributionManagement>
  <build>
    <plugins>
      <plugin><groupId>org.springframework.boot</groupId><artifactId>spring-boot-maven-plugin</artifactId></plugin>
    </plugins>
  </build>
</project>
"#;

fn read(text: &str) -> Pom {
    pom("pom.xml", text.as_bytes()).unwrap()
}

fn literal(text: &str) -> Option<Value> {
    Some(Value::Literal(text.to_owned()))
}

#[test]
fn reads_a_pom() {
    let pom = read(POM);
    assert_eq!(pom.group_id, literal("com.example"));
    assert_eq!(pom.version, literal("1.4"));
    assert_eq!(pom.java_version, literal("17"));
    assert_eq!(pom.artifact().as_deref(), Some("target/shop-1.4.jar"));
    assert!(pom.is_spring_boot());
    let parent = pom.parent.unwrap();
    assert_eq!(
        parent.artifact_id.as_deref(),
        Some("spring-boot-starter-parent")
    );
    assert_eq!(parent.relative_path, None);
    let modules: Vec<_> = pom
        .modules
        .iter()
        .map(|module| (module.line, module.path.as_str()))
        .collect();
    assert_eq!(modules, [(22, "api"), (23, "web/pom.xml")]);
    assert_eq!(pom.profile_modules.len(), 1);
    assert_eq!(pom.system_paths, ["${project.basedir}/lib/y.jar"]);
    assert_eq!(pom.repositories, ["file:lib"]);
    assert!(pom.files_activate && !read("<project/>").files_activate);
}

#[test]
fn names_the_archive() {
    let named = "<project><artifactId>a</artifactId><packaging>war</packaging>\
            <build><finalName>${project.artifactId}-app</finalName></build></project>";
    assert_eq!(read(named).artifact().as_deref(), Some("target/a-app.war"));
    let inherits =
        "<project><parent><version>2</version></parent><artifactId>a</artifactId></project>";
    let pom = read(inherits);
    assert_eq!(pom.artifact().as_deref(), Some("target/a-2.jar"));
    assert_eq!(pom.parent.unwrap().relative_path.as_deref(), Some(".."));
    let computed = "<project><artifactId>a</artifactId><version>${ci}</version></project>";
    assert_eq!(
        read(computed).version,
        Some(Value::Computed("${ci}".to_owned()))
    );
    assert_eq!(read(computed).artifact(), None);
    let aggregator = "<project><artifactId>a</artifactId><version>1</version><packaging>pom</packaging></project>";
    assert_eq!(read(aggregator).artifact(), None);
}

#[test]
fn properties_that_name_themselves_are_computed() {
    let text = "<project><version>${a}</version><properties><a>${b}${b}</a><b>${a}${a}</b></properties></project>";
    assert!(matches!(read(text).version, Some(Value::Computed(_))));
}

#[test]
fn reads_the_compiler_plugin() {
    let text = "<project><build><plugins><plugin><artifactId>maven-compiler-plugin</artifactId>\
            <configuration><source>11</source><release>21</release></configuration></plugin></plugins></build></project>";
    assert_eq!(read(text).java_version, literal("21"));
}

#[test]
fn names_the_line_of_a_mistake() {
    let error = pom("pom.xml", b"<project>\n<a>\n</project>").unwrap_err();
    assert_eq!(error.line, Some(3));
    assert!(pom("pom.xml", b"<settings/>").is_err());
}

#[test]
fn never_panics() {
    survives(&[POM], |bytes| drop(pom("pom.xml", bytes)));
}

#[test]
fn tells_what_an_archive_holds() {
    let pom = read(
        "<project><dependencies><dependency><artifactId>a</artifactId></dependency>\
         <dependency><artifactId>b</artifactId><scope>test</scope></dependency></dependencies>\
         <profiles><profile><dependencies><dependency><artifactId>c</artifactId></dependency></dependencies></profile></profiles>\
         <build><plugins><plugin><configuration><appendAssemblyId>false</appendAssemblyId><descriptorRefs>\
         <descriptorRef>jar-with-dependencies</descriptorRef></descriptorRefs><archive><manifest>\
         <addClasspath>false</addClasspath></manifest></archive></configuration></plugin></plugins></build></project>",
    );
    assert_eq!(pom.dependencies, ["a", "c"]);
    assert_eq!(pom.descriptors, ["jar-with-dependencies"]);
    assert!(pom.replaces_archive && !pom.sets_class_path);
    let pom = read("<project><build><a><Class-Path>lib/a.jar</Class-Path></a></build></project>");
    assert!(pom.sets_class_path && !pom.replaces_archive);
}
