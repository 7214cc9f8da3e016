//! Which blobs make up an image: `manifest.json` of `docker save`, and the index and manifests of an OCI layout.
//!
//! Reads documents through a function of its caller, by their path in the archive; it never opens a file.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fault::{Fault, Limit};
use super::history::Recorded;
use super::limits;
use super::provenance::Provenance;

/// Which image, where an archive holds several.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The one with that name.
    pub name: Option<String>,
    /// The one for that platform, such as `linux/arm64`.
    pub platform: Option<String>,
}

/// Where the parts of an image lie.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) name: Option<String>,
    pub(super) platform: String,
    pub(super) config: Value,
    pub(super) diff_ids: Vec<String>,
    pub(super) history: Vec<Recorded>,
    /// The paths of the layers' blobs.
    pub(super) layers: Vec<String>,
    pub(super) provenance: Option<Provenance>,
}

/// Gives the document at a path of the archive; `None` where there is none.
pub(super) type Get<'g> = dyn FnMut(&str) -> Result<Option<Vec<u8>>, Fault> + 'g;

/// The parts of the image that `choice` asks for.
pub(super) fn plan(get: &mut Get<'_>, choice: &Choice) -> Result<Plan, Fault> {
    if let Some(text) = get("manifest.json")? {
        return saved_plan(&text, get, choice);
    }
    let Some(text) = get("index.json")? else {
        let message = "is neither what `docker save` writes nor an OCI layout: there is no \
                       `manifest.json` and no `index.json` in it";
        return Err(Fault::new(message));
    };
    let found = Found::all(&text, get)?;
    let (images, attestations): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|one| one.attests.is_none());
    let found = choice.pick(images)?;
    let mut plan = Plan::new(&blob_path(&found.manifest.config.digest)?, get)?;
    plan.name = found.name;
    let layers = found.manifest.layers.iter();
    plan.layers = layers
        .map(|layer| blob_path(&layer.digest))
        .collect::<Result<_, _>>()?;
    plan.provenance = provenance(&attestations, &found.digest, get)?;
    plan.checked()
}

/// What the attestations say of the image whose manifest has that digest.
fn provenance(
    attestations: &[Found],
    digest: &str,
    get: &mut Get<'_>,
) -> Result<Option<Provenance>, Fault> {
    let own = attestations
        .iter()
        .filter(|one| one.attests.as_deref() == Some(digest));
    for statement in own.flat_map(|one| &one.manifest.layers) {
        let text = get(&blob_path(&statement.digest)?)?;
        let found = text.and_then(|text| Provenance::parse(&text));
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The image of `docker save`'s own list.
fn saved_plan(text: &[u8], get: &mut Get<'_>, choice: &Choice) -> Result<Plan, Fault> {
    let saved: Vec<Saved> = parse("manifest.json", text)?;
    let names = |one: &Saved| one.repo_tags.clone().unwrap_or_default();
    let wanted = |one: &&Saved| match &choice.name {
        Some(name) => names(one).iter().any(|tag| is_named(tag, name)),
        None => true,
    };
    let fitting: Vec<&Saved> = saved.iter().filter(wanted).collect();
    let [one] = fitting.as_slice() else {
        let all: Vec<String> = saved.iter().flat_map(names).collect();
        return Err(undecided(fitting.len(), "name", &all));
    };
    let mut plan = Plan::new(&one.config, get)?;
    plan.name = names(one).into_iter().next();
    plan.layers = one.layers.clone();
    plan.provenance = saved_provenance(&one.config, get)?;
    plan.checked()
}

/// What an attestation says of the image with that configuration: newer engines save an OCI layout beside their own list.
fn saved_provenance(config: &str, get: &mut Get<'_>) -> Result<Option<Provenance>, Fault> {
    let index = get("index.json")?;
    // The list is what counts: an index that cannot be read says nothing.
    let Some(Ok(found)) = index.map(|text| Found::all(&text, get)) else {
        return Ok(None);
    };
    let is_it = |one: &&Found| {
        one.attests.is_none()
            && blob_path(&one.manifest.config.digest).is_ok_and(|path| path == config)
    };
    match found.iter().find(is_it) {
        Some(image) => provenance(&found, &image.digest, get),
        None => Ok(None),
    }
}

impl Plan {
    fn new(config: &str, get: &mut Get<'_>) -> Result<Self, Fault> {
        let Some(text) = get(config)? else {
            let message =
                format!("its configuration `{config}` is missing: the archive is cut off");
            return Err(Fault::new(message));
        };
        let value: Value = parse(config, &text)?;
        let read = Config::deserialize(&value).map_err(|error| Fault::new(error).inside(config))?;
        Ok(Self {
            name: None,
            platform: platform(&read.os, &read.architecture, read.variant.as_deref()),
            config: value,
            diff_ids: read.rootfs.diff_ids,
            history: read.history.unwrap_or_default(),
            layers: Vec::new(),
            provenance: None,
        })
    }

    fn checked(self) -> Result<Self, Fault> {
        match self.layers.len() > limits::LAYERS {
            true => Err(Fault::limit(Limit::Layers)),
            false => Ok(self),
        }
    }
}

/// A manifest that an index leads to.
struct Found {
    name: Option<String>,
    platform: Option<String>,
    digest: String,
    /// The manifest that this one is about, where it is no image.
    attests: Option<String>,
    manifest: Manifest,
}

impl Found {
    /// All manifests below an index, indexes in it included.
    fn all(text: &[u8], get: &mut Get<'_>) -> Result<Vec<Self>, Fault> {
        let index: Index = parse("index.json", text)?;
        let mut open: Vec<(Descriptor, Option<String>)> = Vec::new();
        open.extend(index.manifests.into_iter().map(|one| (one, None)));
        open.reverse();
        let (mut found, mut seen) = (Vec::new(), 0);
        while let Some((descriptor, outer)) = open.pop() {
            seen += 1;
            if seen > limits::LAYERS {
                return Err(Fault::new("its index names more than 1,000 manifests"));
            }
            let path = blob_path(&descriptor.digest)?;
            // An index may name platforms that the layout does not hold.
            let Some(text) = get(&path)? else { continue };
            let name = descriptor.name().or(outer);
            let inner: Index = parse(&path, &text)?;
            if !inner.manifests.is_empty() {
                let inner = inner.manifests.into_iter().rev();
                open.extend(inner.map(|one| (one, name.clone())));
                continue;
            }
            let known = descriptor.platform.as_ref();
            found.push(Self {
                name,
                platform: known
                    .map(|one| platform(&one.os, &one.architecture, one.variant.as_deref())),
                attests: descriptor.attests(),
                digest: descriptor.digest,
                manifest: parse(&path, &text)?,
            });
        }
        Ok(found)
    }
}

impl Choice {
    /// The one image that fits; of several for different platforms, that of this machine.
    fn pick(&self, images: Vec<Found>) -> Result<Found, Fault> {
        let (mut names, mut platforms) = (Vec::new(), Vec::new());
        let mut fitting = Vec::new();
        for image in images {
            names.extend(image.name.clone().filter(|name| !names.contains(name)));
            platforms.extend(image.platform.clone());
            let name = image.name.as_deref().unwrap_or_default();
            let named = self
                .name
                .as_ref()
                .is_none_or(|wanted| is_named(name, wanted));
            let wanted = self.platform.as_ref();
            if named && wanted.is_none_or(|wanted| image.is_for(wanted)) {
                fitting.push(image);
            }
        }
        if fitting.len() > 1 && self.platform.is_none() {
            let here = platform("linux", architecture(), None);
            if fitting.iter().filter(|one| one.is_for(&here)).count() == 1 {
                fitting.retain(|one| one.is_for(&here));
            }
        }
        match (fitting.len(), names.len() > 1) {
            (1, _) => fitting.pop().ok_or_else(|| undecided(0, "name", &names)),
            (count, true) => Err(undecided(count, "name", &names)),
            (count, false) => Err(undecided(count, "platform", &platforms)),
        }
    }
}

impl Found {
    /// Whether it is for that platform; a variant that is not asked for does not matter.
    fn is_for(&self, wanted: &str) -> bool {
        self.platform.as_deref().is_some_and(|platform| {
            let rest = platform.strip_prefix(wanted);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

fn undecided(fitting: usize, what: &str, all: &[String]) -> Fault {
    let all: Vec<String> = all.iter().map(|one| format!("`{one}`")).collect();
    let there = match all.is_empty() {
        true => String::new(),
        false => format!(": there are {}", all.join(", ")),
    };
    match fitting {
        0 => Fault::new(format!("holds no such image{there}")),
        _ => Fault::new(format!(
            "holds several images: choose one with `--{what}`{there}"
        )),
    }
}

/// `debian:12` is `docker.io/library/debian:12`; a name without a tag means `latest`.
fn is_named(tag: &str, wanted: &str) -> bool {
    let (full, latest) = (format!("/{wanted}"), format!("{wanted}:latest"));
    tag == wanted || tag == latest || tag.ends_with(&full) || tag.ends_with(&format!("/{latest}"))
}

/// The name that Docker has for this machine's processor.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

fn platform(os: &str, architecture: &str, variant: Option<&str>) -> String {
    match variant.filter(|variant| !variant.is_empty()) {
        Some(variant) => format!("{os}/{architecture}/{variant}"),
        None => format!("{os}/{architecture}"),
    }
}

/// Where a layout keeps what has that hash. A digest with anything but letters and digits leads nowhere.
pub(super) fn blob_path(digest: &str) -> Result<String, Fault> {
    let plain =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match digest.split_once(':') {
        Some((algorithm, hash)) if plain(algorithm) && plain(hash) => {
            Ok(format!("blobs/{algorithm}/{hash}"))
        }
        _ => Err(Fault::new(format!("`{digest}` is no digest"))),
    }
}

fn parse<T: DeserializeOwned>(path: &str, text: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(text)
        .map_err(|error| Fault::new(format!("is not what it should be: {error}")).inside(path))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    platform: Option<Platform>,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
    #[serde(default)]
    rootfs: RootFs,
    history: Option<Vec<Recorded>>,
}

#[derive(Deserialize, Default)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

impl Descriptor {
    fn name(&self) -> Option<String> {
        let keys = [
            "io.containerd.image.name",
            "org.opencontainers.image.ref.name",
        ];
        keys.iter()
            .find_map(|key| self.annotations.get(*key).cloned())
    }

    fn attests(&self) -> Option<String> {
        let kind = self.annotations.get("vnd.docker.reference.type")?;
        (kind == "attestation-manifest").then(|| {
            let about = self.annotations.get("vnd.docker.reference.digest");
            about.cloned().unwrap_or_default()
        })
    }
}
