//! Extended attributes: a user's notes, access control lists, labels.

use std::fs::File;
use std::io;

use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};
use rustix::io::Errno;

/// The longest value and the longest list of names that Linux keeps (`XATTR_SIZE_MAX`, `XATTR_LIST_MAX`), in bytes.
const LIMIT: usize = 64 << 10;

/// Gives `to` the attributes of `from`.
///
/// # Errors
/// Where one of the user's own, or an access control list, cannot be kept. What the system labels files with
/// (`security.`, `trusted.`) it may keep to itself.
pub(super) fn copy(from: &File, to: &File) -> io::Result<()> {
    let mut names = vec![0; LIMIT];
    let length = match flistxattr(from, &mut names[..]) {
        Err(Errno::NOTSUP) => return Ok(()),
        length => length?,
    };
    let mut value = vec![0; LIMIT];
    for name in names[..length].split(|byte| *byte == 0) {
        if name.is_empty() {
            continue;
        }
        let copied = fgetxattr(from, name, &mut value[..])
            .and_then(|length| fsetxattr(to, name, &value[..length], XattrFlags::empty()));
        let is_of_the_system = name.starts_with(b"security.") || name.starts_with(b"trusted.");
        if !is_of_the_system {
            copied?;
        }
    }
    Ok(())
}
