//! Images made for their tests: small archives, in memory.

mod choice;
mod hostile;
mod layers;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use super::{Analysis, Choice, Image, read_archive};

/// An archive that is being made.
pub(super) struct Archive(Builder<Vec<u8>>);

impl Archive {
    pub(super) fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    /// A layer with these files: path and content. A path that ends in `/` is a directory, `a -> b` a symbolic and
    /// `a => b` a hard link.
    pub(super) fn of(files: &[(&str, &str)]) -> Vec<u8> {
        let add = |archive: Self, (path, text): &(&str, &str)| archive.file(path, text.as_bytes());
        files.iter().fold(Self::new(), add).done()
    }

    pub(super) fn file(self, path: &str, content: &[u8]) -> Self {
        let (path, kind, link) = match path {
            path if path.ends_with('/') => (path, EntryType::Directory, ""),
            path => match (path.split_once(" -> "), path.split_once(" => ")) {
                (Some((path, link)), _) => (path, EntryType::Symlink, link),
                (_, Some((path, link))) => (path, EntryType::Link, link),
                _ => (path, EntryType::Regular, ""),
            },
        };
        self.member(path.as_bytes(), link.as_bytes(), kind, content)
    }

    /// A member whose names are written as they are.
    pub(super) fn member(
        mut self,
        path: &[u8],
        link: &[u8],
        kind: EntryType,
        content: &[u8],
    ) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.as_old_mut().name[..path.len()].copy_from_slice(path);
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link);
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    pub(super) fn done(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

/// What `docker save` writes of an image with these layers, of which each step made one.
pub(super) fn saved(layers: &[Vec<u8>]) -> Vec<u8> {
    let steps = (0..layers.len()).map(|index| json!({ "created_by": format!("COPY {index} /") }));
    let steps: Vec<Value> = steps.collect();
    let config = json!({ "os": "linux", "architecture": "amd64", "history": steps });
    let names: Vec<String> = (0..layers.len())
        .map(|index| format!("{index}/layer.tar"))
        .collect();
    let manifest = json!([{ "Config": "config.json", "RepoTags": ["app:1"], "Layers": names }]);
    let mut archive = Archive::new();
    for (name, layer) in names.iter().zip(layers) {
        archive = archive.file(name, layer);
    }
    let archive = archive.file("config.json", config.to_string().as_bytes());
    archive
        .file("manifest.json", manifest.to_string().as_bytes())
        .done()
}

pub(super) fn read(archive: &[u8]) -> Image {
    read_archive(archive, &Choice::default()).unwrap()
}

pub(super) fn analyze(layers: &[Vec<u8>]) -> Analysis {
    read(&saved(layers)).analyze()
}

pub(super) fn error(archive: &[u8], choice: &Choice) -> String {
    read_archive(archive, choice).unwrap_err().to_string()
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let fast = flate2::Compression::fast();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), fast);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// An OCI layout in memory.
#[derive(Default)]
pub(super) struct Layout {
    files: BTreeMap<String, Vec<u8>>,
}

impl Layout {
    /// Adds a blob; its digest. Digests are made up: none is checked.
    pub(super) fn blob(&mut self, bytes: impl Into<Vec<u8>>) -> String {
        let hash = format!("{:04}", self.files.len());
        self.files
            .insert(format!("blobs/sha256/{hash}"), bytes.into());
        format!("sha256:{hash}")
    }

    /// Adds an image for that architecture with these layers; the descriptor of its manifest.
    pub(super) fn image(&mut self, architecture: &str, layers: &[Vec<u8>]) -> Value {
        let steps = layers
            .iter()
            .map(|_| json!({ "created_by": "RUN make # buildkit" }));
        let steps: Vec<Value> = steps.collect();
        let config = json!({ "os": "linux", "architecture": architecture, "history": steps });
        let config = self.blob(config.to_string());
        let layers = layers
            .iter()
            .map(|layer| json!({ "digest": self.blob(layer.clone()) }));
        let layers: Vec<Value> = layers.collect();
        let manifest = json!({ "config": { "digest": config }, "layers": layers });
        let digest = self.blob(manifest.to_string());
        json!({ "digest": digest, "platform": { "os": "linux", "architecture": architecture } })
    }

    pub(super) fn index(mut self, manifests: &[Value]) -> Self {
        let index = json!({ "manifests": manifests }).to_string();
        self.files.insert("index.json".to_owned(), index.into());
        self
    }

    pub(super) fn archive(&self) -> Vec<u8> {
        let add = |archive: Archive, (path, bytes): (&String, &Vec<u8>)| archive.file(path, bytes);
        self.files.iter().fold(Archive::new(), add).done()
    }
}

impl super::Files for Layout {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read>> {
        let file = self.files.get(path).cloned();
        let file = file.ok_or(io::Error::from(io::ErrorKind::NotFound))?;
        Ok(Box::new(io::Cursor::new(file)))
    }
}
