//! What a layer is compressed with, told from its first bytes, and its content without that. The content is bounded: a
//! small blob that never ends is refused.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use serde::Serialize;

use super::fault::{Fault, Limit};
use super::limits;
use super::tape;

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// It is a plain tar.
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// What a blob is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Tar(Compression),
    /// JSON, or other text.
    Document,
    Unknown(&'static str),
}

impl Format {
    /// What starts with these bytes: a block of a tar, or all there is.
    pub(super) fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Tar(Compression::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Tar(Compression::Zstd),
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Tar(Compression::Zstd),
            start if tape::is_tar(start) => Self::Tar(Compression::None),
            [0xfd, b'7', b'z', b'X', b'Z', ..] => Self::Unknown("is compressed with xz"),
            [b'B', b'Z', b'h', ..] => Self::Unknown("is compressed with bzip2"),
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Unknown("is compressed with lz4"),
            [b'{' | b'[', ..] => Self::Document,
            _ => Self::Unknown("is no tar archive"),
        }
    }
}

/// What `input` is, and `input` from its start.
pub(super) fn recognize<R: BufRead>(mut input: R) -> io::Result<(Format, impl BufRead)> {
    let mut start = Vec::new();
    (&mut input)
        .take(tape::BLOCK as u64)
        .read_to_end(&mut start)?;
    Ok((Format::of(&start), io::Cursor::new(start).chain(input)))
}

/// The content of `input`, decompressed.
pub(super) fn decompressed<'r, R: BufRead + 'r>(
    compression: Compression,
    input: R,
) -> Box<dyn Read + 'r> {
    let read = Rc::new(Cell::new(0));
    let input = Counted {
        input,
        count: Rc::clone(&read),
    };
    let output: Box<dyn Read + 'r> = match compression {
        Compression::None => Box::new(input),
        Compression::Gzip => Box::new(MultiGzDecoder::new(input)),
        Compression::Zstd => Box::new(Frames::new(input)),
    };
    let written = 0;
    Box::new(Bounded {
        output,
        read,
        written,
    })
}

/// Counts what is read.
struct Counted<R> {
    input: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.count.set(self.count.get() + amount as u64);
        self.input.consume(amount);
    }
}

/// Refuses to go on where the content is too large, or much too large for what it comes from.
struct Bounded<'r> {
    output: Box<dyn Read + 'r>,
    read: Rc<Cell<u64>>,
    written: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.output.read(buffer)?;
        self.written += count as u64;
        if self.written > limits::LAYER {
            return Err(Fault::limit(Limit::Layer).into());
        }
        let most = self.read.get().saturating_mul(limits::RATIO);
        if self.written > limits::SUSPECT && self.written > most {
            return Err(Fault::limit(Limit::Ratio).into());
        }
        Ok(count)
    }
}

/// The frames of a Zstandard file, one after another; those that hold no data are passed over.
struct Frames<R> {
    input: R,
    decoder: Box<FrameDecoder>,
    inside: bool,
}

impl<R: BufRead> Frames<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            decoder: Box::new(FrameDecoder::new()),
            inside: false,
        }
    }

    /// Starts the next frame that holds data; false at the end of the input.
    fn enter(&mut self) -> io::Result<bool> {
        while !self.input.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.input) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut frame = (&mut self.input).take(length.into());
                    if io::copy(&mut frame, &mut io::sink())? < length.into() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(damaged(error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.inside && self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.inside && !self.decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                let decoded = self.decoder.decode_blocks(&mut self.input, one);
                decoded.map_err(damaged)?;
                continue;
            }
            self.inside = self.enter()?;
            if !self.inside {
                return Ok(0);
            }
        }
    }
}

fn damaged(error: FrameDecoderError) -> io::Error {
    Fault::new(format!("is no Zstandard file, or a damaged one: {error}")).into()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression as Level;
    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let Format::Tar(compression) = Format::of(bytes) else {
            return Err(format!("{:?}", Format::of(bytes)));
        };
        let mut out = Vec::new();
        let mut input = decompressed(compression, bytes);
        match input.read_to_end(&mut out) {
            Ok(_) => Ok(out),
            Err(error) => Err(Fault::from(error).to_string()),
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    #[test]
    fn every_part_of_a_compressed_file_is_read() {
        let both = [gzip(b"one, "), gzip(b"two")].concat();
        assert_eq!(read(&both).unwrap(), b"one, two");
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let all = [
            &skipped[..],
            &zstd(b"one, "),
            &skipped,
            &zstd(b"two"),
            &skipped,
        ]
        .concat();
        assert_eq!(read(&all).unwrap(), b"one, two");
    }

    #[test]
    fn a_small_blob_may_not_become_large() {
        let bounded = |written, read| Bounded {
            output: Box::new(io::repeat(0)),
            read: Rc::new(Cell::new(read)),
            written,
        };
        let refused = |written, read| {
            let read = bounded(written, read).read(&mut [0; 9]);
            read.err().map(|error| Fault::from(error).to_string())
        };
        assert_eq!(refused(limits::SUSPECT - 9, 1), None);
        assert_eq!(refused(limits::SUSPECT, limits::SUSPECT / 100), None);
        assert!(refused(limits::SUSPECT, 1 << 20).unwrap().contains("bomb"));
        assert!(
            refused(limits::LAYER, limits::LAYER)
                .unwrap()
                .contains("256 GiB")
        );
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_refused() {
        let text = vec![b'x'; 100_000];
        let cut = gzip(&text);
        let error = read(&cut[..cut.len() - 4]).unwrap_err();
        assert!(error.contains("cut off"), "{error}");
        let cut = zstd(&text);
        assert!(read(&cut[..cut.len() - 4]).is_err());
        assert!(read(b"\x28\xb5\x2f\xfdnonsense").is_err());
        assert!(read(b"BZh9nonsense").unwrap_err().contains("bzip2"));
    }
}
