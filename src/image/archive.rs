//! An image in an archive, read from front to back: layers may come before the documents that name them.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

use super::Image;
use super::compression::{Compression, Format, decompressed, recognize};
use super::fault::{Fault, Limit};
use super::layer::{CHUNK, Keep, LayerFiles, Reading};
use super::limits;
use super::manifest::{self, Choice};
use super::paths::Paths;
use super::tape::{Member, MemberKind, Tape};

/// Reads the image that `choice` asks for from an archive, which may be compressed as a whole.
///
/// # Errors
/// It is no archive of an image, it is damaged or cut off, or it exceeds a limit.
pub fn read_archive(input: impl Read, choice: &Choice) -> Result<Image, Fault> {
    read_archive_keeping(input, choice, &|_| false)
}

/// The same, and [`Image::text`] has the content of the files that `keep` asks for, as far as there is room for them.
///
/// # Errors
/// As [`read_archive`].
pub fn read_archive_keeping(
    input: impl Read,
    choice: &Choice,
    keep: Keep<'_>,
) -> Result<Image, Fault> {
    let (format, input) = recognize(BufReader::with_capacity(CHUNK, input))?;
    let compression = match format {
        Format::Tar(compression) => compression,
        Format::Document => return Err(Fault::new("is no archive")),
        Format::Unknown(why) => return Err(Fault::new(why)),
    };
    let mut contents = Contents {
        documents: HashMap::new(),
        room: limits::DOCUMENTS,
        layers: HashMap::new(),
        unknown: HashMap::new(),
        links: HashMap::new(),
        reading: Reading::new(keep),
    };
    contents.read(decompressed(compression, input))?;
    let documents = &contents.documents;
    let mut get = |path: &str| Ok(documents.get(path).cloned());
    let plan = manifest::plan(&mut get, choice)?;
    let mut uses: HashMap<String, usize> = HashMap::new();
    for blob in &plan.layers {
        *uses.entry(contents.target(blob)).or_default() += 1;
    }
    let paths = std::mem::replace(&mut contents.reading.paths, Paths::new());
    Image::assemble(plan, paths, &mut |blob| {
        let blob = contents.target(blob);
        let left = uses.get_mut(&blob).map(|left| {
            *left -= 1;
            *left
        });
        contents.layer(&blob, left == Some(0))
    })
}

/// What an archive was found to hold, by path.
struct Contents<'k> {
    documents: HashMap<String, Vec<u8>>,
    room: u64,
    layers: HashMap<String, LayerFiles>,
    /// What is neither, and why it is no layer.
    unknown: HashMap<String, &'static str>,
    /// Old archives hold a layer once, and links to it.
    links: HashMap<String, String>,
    reading: Reading<'k>,
}

impl Contents<'_> {
    fn read(&mut self, input: impl Read) -> Result<(), Fault> {
        let mut tape = Tape::new(BufReader::with_capacity(CHUNK, input));
        let mut members = 0;
        while let Some(member) = tape.next()? {
            members += 1;
            if members > limits::MEMBERS {
                return Err(Fault::limit(Limit::Members));
            }
            let path = clean(&member.path);
            let read = self.member(&path, &member, &mut tape);
            read.map_err(|fault| fault.inside(path))?;
        }
        Ok(())
    }

    fn member(&mut self, path: &str, member: &Member, tape: &mut impl Read) -> Result<(), Fault> {
        match member.kind {
            MemberKind::File => {}
            MemberKind::HardLink => return self.link(path, clean(&member.link)),
            MemberKind::Symlink => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let target = [folder.as_bytes(), b"/", &member.link].concat();
                return self.link(path, clean(&target));
            }
            _ => return Ok(()),
        }
        let (format, mut content) = recognize(BufReader::with_capacity(CHUNK, tape))?;
        match format {
            Format::Tar(compression) => {
                let mut layer = self.layer_of(compression, content)?;
                layer.sizes.blob = member.size;
                self.layers.insert(path.to_owned(), layer);
            }
            Format::Document if member.size <= limits::DOCUMENT => {
                self.room = self
                    .room
                    .checked_sub(member.size)
                    .ok_or_else(|| Fault::limit(Limit::Documents))?;
                let mut text = Vec::new();
                content.read_to_end(&mut text)?;
                self.documents.insert(path.to_owned(), text);
            }
            Format::Document => drop(self.unknown.insert(path.to_owned(), "is no tar archive")),
            Format::Unknown(why) => drop(self.unknown.insert(path.to_owned(), why)),
        }
        Ok(())
    }

    fn layer_of(
        &mut self,
        compression: Compression,
        content: impl BufRead,
    ) -> Result<LayerFiles, Fault> {
        let content = BufReader::with_capacity(CHUNK, decompressed(compression, content));
        let mut layer = LayerFiles::read(content, &mut self.reading)?;
        layer.sizes.compression = compression;
        Ok(layer)
    }

    fn link(&mut self, path: &str, target: String) -> Result<(), Fault> {
        self.links.insert(path.to_owned(), target);
        Ok(())
    }

    /// The path itself, or where its links lead. A few of them: a circle leads nowhere.
    fn target(&self, path: &str) -> String {
        let mut path = clean(path.as_bytes());
        for _ in 0..8 {
            let Some(next) = self.links.get(&path) else {
                break;
            };
            path = next.clone();
        }
        path
    }

    fn layer(&mut self, path: &str, last: bool) -> Result<LayerFiles, Fault> {
        let layer = match last {
            true => self.layers.remove(path),
            false => self.layers.get(path).cloned(),
        };
        layer.ok_or_else(|| {
            let why = self.unknown.get(path).copied();
            let why = why.unwrap_or("this layer is missing: the archive is cut off");
            Fault::new(why).inside(path)
        })
    }
}

/// A path as a key: `./a//b` and `a/b` are the same, and none leads out of the archive.
fn clean(path: &[u8]) -> String {
    let path = String::from_utf8_lossy(path);
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
