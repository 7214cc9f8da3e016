//! One layer: what its archive adds to and takes from the layers below it. Contents are hashed while they pass by, and not
//! kept.

use std::io::Read;
use std::ops::Range;

use super::compression::Compression;
use super::fault::{Fault, Limit};
use super::limits;
use super::paths::{PathId, Paths};
use super::tape::{Member, MemberKind, Tape};

/// As many bytes are read at once.
pub(super) const CHUNK: usize = 128 << 10;

/// Something that a layer puts at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub path: PathId,
    /// What it is.
    pub kind: Kind,
    /// The bytes of a file, its holes included; 0 for everything else, hard links too.
    pub size: u64,
    /// Permissions, with the set-user-id bit and its kin.
    pub mode: u16,
    /// The owner.
    pub user: u32,
    /// The owner's group.
    pub group: u32,
}

/// What an [`Entry`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file, and the hash of its content.
    File(Hash),
    /// Another name of the file there.
    HardLink(PathId),
    /// A symbolic link, and the hash of where it leads.
    Symlink(Hash),
    /// A directory.
    Directory,
    /// A device or a pipe.
    Special,
}

/// The first half of a BLAKE3 hash.
pub type Hash = [u8; 16];

/// What one archive holds.
#[derive(Debug, Clone)]
pub(super) struct LayerFiles {
    pub(super) entries: Vec<Entry>,
    /// Paths that are gone from here on.
    pub(super) whiteouts: Vec<PathId>,
    /// Directories of which nothing that is below remains.
    pub(super) opaque: Vec<PathId>,
    /// The contents that were asked for, by their entry's index.
    pub(super) texts: Vec<(usize, Vec<u8>)>,
    pub(super) sizes: Sizes,
}

/// Which contents are kept: asked with a path that has no `/` in front.
pub type Keep<'k> = &'k dyn Fn(&[u8]) -> bool;

/// What all layers of an image are read with.
pub(super) struct Reading<'k> {
    pub(super) paths: Paths,
    /// As many entries may come.
    pub(super) entries: usize,
    /// As many bytes of contents may be kept.
    pub(super) texts: usize,
    pub(super) keep: Keep<'k>,
}

impl<'k> Reading<'k> {
    pub(super) fn new(keep: Keep<'k>) -> Self {
        Self {
            paths: Paths::new(),
            entries: limits::ENTRIES,
            texts: limits::TEXTS,
            keep,
        }
    }
}

/// How large a layer is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// The bytes of its files: what `docker history` says.
    pub(super) files: u64,
    /// The bytes of its archive.
    pub(super) archive: u64,
    pub(super) compression: Compression,
    /// The bytes of the blob.
    pub(super) blob: u64,
}

impl Sizes {
    /// The bytes of the blob, where it is compressed.
    pub(super) fn compressed(&self) -> Option<u64> {
        (self.compression != Compression::None).then_some(self.blob)
    }
}

impl LayerFiles {
    /// Reads the archive of a layer, which is `input` decompressed.
    pub(super) fn read(input: impl Read, reading: &mut Reading<'_>) -> Result<Self, Fault> {
        let mut layer = Self {
            entries: Vec::new(),
            whiteouts: Vec::new(),
            opaque: Vec::new(),
            texts: Vec::new(),
            sizes: Sizes {
                files: 0,
                archive: 0,
                compression: Compression::None,
                blob: 0,
            },
        };
        let mut bytes = 0;
        let mut tape = Tape::new(Counting {
            input,
            count: &mut bytes,
        });
        let mut chunk = vec![0; CHUNK];
        while let Some(member) = tape.next()? {
            reading.entries = reading
                .entries
                .checked_sub(1)
                .ok_or_else(|| Fault::limit(Limit::Entries))?;
            layer
                .add(&member, &mut tape, reading, &mut chunk)
                .map_err(|fault| fault.inside(String::from_utf8_lossy(&member.path)))?;
        }
        drop(tape);
        layer.sizes.archive = bytes;
        layer.entries.shrink_to_fit();
        Ok(layer)
    }

    fn add(
        &mut self,
        member: &Member,
        content: &mut impl Read,
        reading: &mut Reading<'_>,
        chunk: &mut [u8],
    ) -> Result<(), Fault> {
        let is_kept = is_kept(member, reading);
        let paths = &mut reading.paths;
        let path = paths.add(&member.path)?;
        if let Some(marked) = paths.name(path).strip_prefix(WHITEOUT) {
            let folder = paths.parent(path);
            match marked {
                OPAQUE => self.opaque.push(folder),
                // What AUFS kept for itself.
                marked if marked.starts_with(WHITEOUT) => {}
                marked => {
                    let marked = marked.to_vec();
                    self.whiteouts.push(paths.add_child(folder, &marked)?);
                }
            }
            return Ok(());
        }
        let kind = match member.kind {
            MemberKind::File if is_kept => {
                let mut text = Vec::new();
                content.read_to_end(&mut text)?;
                reading.texts -= text.len();
                let kind = Kind::File(hash(member, &mut text.as_slice(), chunk)?);
                self.texts.push((self.entries.len(), text));
                kind
            }
            MemberKind::File => Kind::File(hash(member, content, chunk)?),
            MemberKind::HardLink => Kind::HardLink(paths.add(&member.link)?),
            MemberKind::Symlink => Kind::Symlink(half(&blake3::hash(&member.link))),
            MemberKind::Directory => Kind::Directory,
            MemberKind::Special => Kind::Special,
        };
        let id = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        self.sizes.files = self.sizes.files.saturating_add(member.size);
        self.entries.push(Entry {
            path,
            kind,
            size: member.size,
            mode: (member.mode & 0o7777) as u16,
            user: id(member.user),
            group: id(member.group),
        });
        Ok(())
    }
}

/// Whether the content is asked for, and there is room for it. That of a sparse file is not what it looks like.
fn is_kept(member: &Member, reading: &Reading<'_>) -> bool {
    let path = member.path.strip_prefix(b"./").unwrap_or(&member.path);
    let path = path.strip_prefix(b"/").unwrap_or(path);
    !member.sparse && member.size <= reading.texts as u64 && (reading.keep)(path)
}

const WHITEOUT: &[u8] = b".wh.";
/// Behind [`WHITEOUT`].
const OPAQUE: &[u8] = b".wh..opq";

/// The hash of a member's content. That of a sparse file covers its size too, and is no other file's: what is hashed
/// is what is stored.
fn hash(member: &Member, content: &mut impl Read, chunk: &mut [u8]) -> Result<Hash, Fault> {
    let mut hasher = blake3::Hasher::new();
    loop {
        let count = content.read(chunk)?;
        if count == 0 {
            break;
        }
        hasher.update(&chunk[..count]);
    }
    if member.sparse {
        hasher.update(b"sparse");
        hasher.update(&member.size.to_le_bytes());
    }
    Ok(half(&hasher.finalize()))
}

fn half(hash: &blake3::Hash) -> Hash {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.as_bytes()[..16]);
    half
}

pub(super) struct Counting<'c, R> {
    pub(super) input: R,
    pub(super) count: &'c mut u64,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(buffer)?;
        *self.count += count as u64;
        Ok(count)
    }
}

impl Entry {
    /// Whether it is no directory.
    pub fn is_file(&self) -> bool {
        self.kind != Kind::Directory
    }
}

/// The entries of one layer among all entries.
pub(super) type Entries = Range<usize>;
