//! Why an image cannot be read.

use std::fmt::{self, Display};
use std::io;

/// Why an image, or one of its layers, cannot be read.
#[derive(Debug)]
pub struct Fault {
    /// Where: a blob of the image, a member of a layer; the outermost first.
    places: Vec<String>,
    what: What,
}

#[derive(Debug)]
enum What {
    Io(io::Error),
    Limit(Limit),
    Message(String),
}

/// A limit that an image exceeds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    Path,
    Paths,
    Entries,
    Members,
    Header,
    Documents,
    Layers,
    Layer,
    Ratio,
}

impl Fault {
    pub(super) fn new(message: impl Display) -> Self {
        Self::of(What::Message(message.to_string()))
    }

    pub(super) fn limit(limit: Limit) -> Self {
        Self::of(What::Limit(limit))
    }

    fn of(what: What) -> Self {
        let places = Vec::new();
        Self { places, what }
    }

    /// The same fault, found in there.
    pub(super) fn inside(mut self, place: impl Into<String>) -> Self {
        self.places.insert(0, place.into());
        self
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        // A fault travels through `Read` as an error of it.
        match error.downcast::<Fault>() {
            Ok(fault) => fault,
            Err(error) => Self::of(What::Io(error)),
        }
    }
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        io::Error::other(fault)
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in &self.places {
            write!(f, "`{place}`: ")?;
        }
        match &self.what {
            What::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                f.write_str("ends too early: the archive is cut off")
            }
            What::Io(error) => error.fmt(f),
            What::Limit(limit) => limit.fmt(f),
            What::Message(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Fault {}

impl Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path => "a path is longer than 4096 bytes",
            Self::Paths => "holds more than 2,000,000 paths",
            Self::Entries => "holds more than 2,500,000 files",
            Self::Members => "has more than 200,000 members",
            Self::Header => "an extended header is larger than 1 MiB",
            Self::Documents => "holds more than 64 MiB of JSON",
            Self::Layers => "has more than 1,000 layers",
            Self::Layer => "is larger than 256 GiB when it is decompressed",
            Self::Ratio => {
                "is more than 2,000 times as large when it is decompressed: it looks like a bomb"
            }
        })
    }
}
