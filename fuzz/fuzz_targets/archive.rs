//! Any bytes as the archive of an image.
#![no_main]

use dockeropt::image::{Choice, read_archive};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = read_archive(bytes, &Choice::default());
});
