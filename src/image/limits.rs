//! What an image may hold at most: no archive makes dockeropt use more memory or time than these allow.
//!
//! They are far above what images have: one of 5 GB has some 300,000 files.

/// Paths of all layers together.
pub(super) const PATHS: usize = 2_000_000;
/// Bytes of all their names.
pub(super) const NAMES: usize = 128 << 20;
/// Files, directories and links of all layers together.
pub(super) const ENTRIES: usize = 2_500_000;
/// Members of the archive that holds the layers.
pub(super) const MEMBERS: usize = 200_000;
/// Bytes of one path.
pub(super) const PATH: usize = 4096;
/// Bytes of the extended header of one member.
pub(super) const HEADER: u64 = 1 << 20;
/// Bytes of one JSON document.
pub(super) const DOCUMENT: u64 = 16 << 20;
/// Bytes of all JSON documents of an archive.
pub(super) const DOCUMENTS: u64 = 64 << 20;
/// Bytes of the texts that are kept of files, together.
pub(super) const TEXTS: usize = 64 << 20;
/// Layers.
pub(super) const LAYERS: usize = 1000;
/// Bytes of a layer, decompressed.
pub(super) const LAYER: u64 = 256 << 30;
/// A layer above this size may be no more than so many times as large as it is compressed. Zeros alone reach 1032 with
/// gzip.
pub(super) const SUSPECT: u64 = 16 << 30;
pub(super) const RATIO: u64 = 2000;
