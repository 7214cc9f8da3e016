//! An image in a folder with an OCI layout.

use std::io::{self, BufReader, Read};

use super::Image;
use super::compression::{Format, decompressed, recognize};
use super::fault::Fault;
use super::layer::{CHUNK, LayerFiles, Reading};
use super::limits;
use super::manifest::{self, Choice};

/// A folder that is read from.
pub trait Files {
    /// The file at a relative path that only goes down.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    fn open(&self, path: &str) -> io::Result<Box<dyn Read>>;
}

/// Reads the image that `choice` asks for from a folder. Only its own blobs are opened.
///
/// # Errors
/// The folder is no OCI layout, a blob is missing or damaged, or the image exceeds a limit.
pub fn read_layout(folder: &dyn Files, choice: &Choice) -> Result<Image, Fault> {
    // What `docker save` lists of its own is left to archives: a folder is an OCI layout.
    let mut get = |path: &str| match path {
        "manifest.json" => Ok(None),
        path => document(folder, path),
    };
    let plan = manifest::plan(&mut get, choice)?;
    let mut reading = Reading::new(&|_| false);
    let mut layers = Vec::new();
    for blob in &plan.layers {
        let read = layer(folder, blob, &mut reading);
        layers.push(read.map_err(|fault| fault.inside(blob))?);
    }
    let mut layers = layers.into_iter();
    let next = &mut |_: &str| layers.next().ok_or_else(|| Fault::new("no layer is left"));
    Image::assemble(plan, reading.paths, next)
}

fn document(folder: &dyn Files, path: &str) -> Result<Option<Vec<u8>>, Fault> {
    let file = match folder.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Fault::from(error).inside(path)),
    };
    let mut text = Vec::new();
    file.take(limits::DOCUMENT + 1).read_to_end(&mut text)?;
    match text.len() as u64 > limits::DOCUMENT {
        true => Err(Fault::new("is larger than 16 MiB, too large for a document").inside(path)),
        false => Ok(Some(text)),
    }
}

fn layer(folder: &dyn Files, blob: &str, reading: &mut Reading<'_>) -> Result<LayerFiles, Fault> {
    let mut size = 0;
    let counted = super::layer::Counting {
        input: folder.open(blob)?,
        count: &mut size,
    };
    let (format, content) = recognize(BufReader::with_capacity(CHUNK, counted))?;
    let compression = match format {
        Format::Tar(compression) => compression,
        Format::Document => return Err(Fault::new("is no tar archive")),
        Format::Unknown(why) => return Err(Fault::new(why)),
    };
    let content = BufReader::with_capacity(CHUNK, decompressed(compression, content));
    let mut layer = LayerFiles::read(content, reading)?;
    layer.sizes.compression = compression;
    layer.sizes.blob = size;
    Ok(layer)
}
