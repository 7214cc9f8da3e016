//! Reads the members of a tar archive one after another, and never more than a block of one at a time.
//!
//! The blocks are those of the `tar` crate; the walk is our own, since that of the crate keeps names and extended headers
//! of any size in memory. As Go's archive/tar reads it, which Docker uses: links, directories and devices have no content,
//! whatever their size says. Knows GNU's long names and sparse files, and PAX.

use std::io::{self, Read};

use tar::{EntryType, Header, PaxExtensions};

use super::fault::{Fault, Limit};
use super::limits;

/// The size of a header, and of what contents are padded to.
pub(super) const BLOCK: usize = 512;

/// An archive that is being read.
pub(super) struct Tape<R> {
    input: R,
    /// What is left of the current member's content, and of the padding behind it.
    left: u64,
    padding: u64,
    ended: bool,
    /// What the archive's global header says of every member.
    global: Overrides,
}

/// A member of an archive. Its content comes from [`Tape::read`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) path: Vec<u8>,
    /// Where a link leads.
    pub(super) link: Vec<u8>,
    pub(super) kind: MemberKind,
    /// The size of the file, its holes included.
    pub(super) size: u64,
    /// What is not stored lies in holes: the content is what remains without them.
    pub(super) sparse: bool,
    pub(super) mode: u32,
    pub(super) user: u64,
    pub(super) group: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberKind {
    File,
    HardLink,
    Symlink,
    Directory,
    /// A device or a pipe.
    Special,
}

/// What extended headers say instead of the header.
#[derive(Debug, Clone, Default)]
struct Overrides {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    real_size: Option<u64>,
    user: Option<u64>,
    group: Option<u64>,
}

impl<R: Read> Tape<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            left: 0,
            padding: 0,
            ended: false,
            global: Overrides::default(),
        }
    }

    /// The next member, what is left of the one before passed over; `None` at the end, when all input is read.
    pub(super) fn next(&mut self) -> Result<Option<Member>, Fault> {
        let mut over = self.global.clone();
        loop {
            let Some(header) = self.next_header()? else {
                return Ok(None);
            };
            let size = header.entry_size()?;
            match header.entry_type() {
                EntryType::GNULongName => over.path = Some(until_nul(self.extension(size)?)),
                EntryType::GNULongLink => over.link = Some(until_nul(self.extension(size)?)),
                EntryType::XHeader => over.read(&self.extension(size)?)?,
                EntryType::XGlobalHeader => {
                    let text = self.extension(size)?;
                    self.global.read(&text)?;
                    over.read(&text)?;
                }
                _ => return self.member(&header, over).map(Some),
            }
        }
    }

    fn member(&mut self, header: &Header, over: Overrides) -> Result<Member, Fault> {
        let path = over
            .path
            .unwrap_or_else(|| header.path_bytes().into_owned());
        let stored = over.size.unwrap_or(header.entry_size()?);
        let kind = match header.entry_type() {
            EntryType::Link => MemberKind::HardLink,
            EntryType::Symlink => MemberKind::Symlink,
            EntryType::Directory => MemberKind::Directory,
            EntryType::Char | EntryType::Block | EntryType::Fifo => MemberKind::Special,
            // So the archives of old, which have no type for directories.
            EntryType::Regular if path.ends_with(b"/") && stored == 0 => MemberKind::Directory,
            _ => MemberKind::File,
        };
        let stored = match kind {
            MemberKind::File => stored,
            _ => 0,
        };
        let mut size = stored;
        let mut sparse = over.real_size.is_some();
        if header.entry_type() == EntryType::GNUSparse {
            size = self.sparse_size(header)?;
            sparse = true;
        }
        self.left = stored;
        self.padding = stored.next_multiple_of(BLOCK as u64) - stored;
        let link = over.link.or_else(|| Some(header.link_name_bytes()?.into()));
        Ok(Member {
            path,
            link: link.unwrap_or_default(),
            kind,
            size: over.real_size.unwrap_or(size),
            sparse,
            mode: header.mode().unwrap_or(0),
            user: over.user.unwrap_or_else(|| header.uid().unwrap_or(0)),
            group: over.group.unwrap_or_else(|| header.gid().unwrap_or(0)),
        })
    }

    /// The next header that is not empty; `None` at the end.
    fn next_header(&mut self) -> Result<Option<Header>, Fault> {
        if self.ended {
            return Ok(None);
        }
        self.pass_over()?;
        let mut header = Header::new_old();
        if !self.block(header.as_mut_bytes())? || is_empty(header.as_bytes()) {
            self.ended = true;
            // What follows the end belongs to the file all the same: its size, and the check sum of a compressed one.
            io::copy(&mut self.input, &mut io::sink())?;
            return Ok(None);
        }
        if !has_check_sum(&header) {
            return Err(Fault::new("is no tar archive, or a damaged one"));
        }
        Ok(Some(header))
    }

    /// Reads a block; false where the input ends before it.
    fn block(&mut self, block: &mut [u8]) -> io::Result<bool> {
        let mut filled = 0;
        while filled < block.len() {
            match self.input.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// The content of an extended header.
    fn extension(&mut self, size: u64) -> Result<Vec<u8>, Fault> {
        if size > limits::HEADER {
            return Err(Fault::limit(Limit::Header));
        }
        self.left = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
        let mut text = Vec::new();
        self.read_to_end(&mut text)?;
        Ok(text)
    }

    /// The size of a sparse file in GNU's old format; the blocks that go on with its map are passed over.
    fn sparse_size(&mut self, header: &Header) -> Result<u64, Fault> {
        let Some(gnu) = header.as_gnu() else {
            return Err(Fault::new("a sparse file has no header of GNU tar"));
        };
        let mut goes_on = gnu.is_extended();
        while goes_on {
            let mut block = [0; BLOCK];
            if !self.block(&mut block)? {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            goes_on = block[504] == 1;
        }
        Ok(gnu.real_size()?)
    }

    fn pass_over(&mut self) -> Result<(), Fault> {
        let rest = self.left.saturating_add(self.padding);
        (self.left, self.padding) = (0, 0);
        if io::copy(&mut (&mut self.input).take(rest), &mut io::sink())? < rest {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(())
    }
}

/// The content of the current member.
impl<R: Read> Read for Tape<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let count = self.input.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

impl Overrides {
    fn read(&mut self, text: &[u8]) -> Result<(), Fault> {
        for record in PaxExtensions::new(text) {
            let record = record?;
            let value = record.value_bytes();
            let number = || str::from_utf8(value).ok()?.parse::<u64>().ok();
            match record.key_bytes() {
                b"path" | b"GNU.sparse.name" => self.path = Some(value.to_owned()),
                b"linkpath" => self.link = Some(value.to_owned()),
                b"size" => self.size = number(),
                b"GNU.sparse.realsize" | b"GNU.sparse.size" => self.real_size = number(),
                b"uid" => self.user = number(),
                b"gid" => self.group = number(),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether the block is the header of a member, or the end of an archive without any.
pub(super) fn is_tar(block: &[u8]) -> bool {
    let Some(block) = block.get(..BLOCK) else {
        return false;
    };
    let mut header = Header::new_old();
    header.as_mut_bytes().copy_from_slice(block);
    is_empty(block) || has_check_sum(&header)
}

fn is_empty(block: &[u8]) -> bool {
    block.iter().all(|byte| *byte == 0)
}

/// The sum over the header's bytes, its own field read as blanks; old archives sum signed bytes.
fn has_check_sum(header: &Header) -> bool {
    let Ok(expected) = header.cksum() else {
        return false;
    };
    let bytes = header.as_bytes();
    let others = || bytes[..148].iter().chain(&bytes[156..]);
    let unsigned: u32 = others().map(|byte| u32::from(*byte)).sum::<u32>() + 8 * 32;
    let signed: i32 = others().map(|byte| i32::from(*byte as i8)).sum::<i32>() + 8 * 32;
    expected == unsigned || i64::from(expected) == i64::from(signed)
}

fn until_nul(mut text: Vec<u8>) -> Vec<u8> {
    if let Some(end) = text.iter().position(|byte| *byte == 0) {
        text.truncate(end);
    }
    text
}
