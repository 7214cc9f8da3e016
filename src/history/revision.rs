//! One commit of a repository, and the files that it has.

use std::path::Path;

use gix_hash::{Kind, ObjectId, Prefix};
use gix_object::{Find, TagRefIter};

use super::{HistoryError, Repository, Scope, State, Walk, unreadable};

/// The files of a commit.
pub struct Revision {
    repository: Repository,
    walk: Walk,
    /// `None`: nothing was committed yet.
    tree: Option<ObjectId>,
}

impl Revision {
    /// What `name` stands for in the repository around `place`, a directory, real and absolute: a reference, or the
    /// beginning of a commit's id, each with `~N` or `^` for its first parents. Before the first commit, `HEAD` has no files.
    ///
    /// # Errors
    /// Where there is no repository with such a commit, or it cannot be read.
    pub fn read(place: &Path, name: &str) -> Result<Self, HistoryError> {
        let repository = Repository::around(place)?;
        let objects = gix_odb::at(repository.common.join("objects"), Kind::Sha1);
        let walk = Walk {
            objects: objects.map_err(unreadable)?,
            scope: Scope::Below(Vec::new()),
            state: State::default(),
        };
        let mut revision = Self {
            repository,
            walk,
            tree: None,
        };
        revision.tree = match revision.commit(name) {
            Ok(id) => Some(
                revision
                    .walk
                    .commit(id)
                    .map_err(HistoryError::Unreadable)?
                    .tree,
            ),
            Err(HistoryError::Unborn) if name == "HEAD" => None,
            Err(error) => return Err(error),
        };
        Ok(revision)
    }

    /// The bytes of the file at `path`, real and absolute, in this commit; `None` where it has no such file.
    ///
    /// # Errors
    /// Where the repository cannot be read, or is not around the file.
    pub fn file(&self, path: &Path) -> Result<Option<Vec<u8>>, HistoryError> {
        let Some(mut id) = self.tree else {
            return Ok(None);
        };
        let Scope::Below(parts) = self.repository.scope(path)? else {
            return Ok(None);
        };
        let [folders @ .., file] = parts.as_slice() else {
            return Ok(None);
        };
        for folder in folders {
            match self.entry(id, folder)? {
                Some((tree, true)) => id = tree,
                _ => return Ok(None),
            }
        }
        let Some((blob, false)) = self.entry(id, file)? else {
            return Ok(None);
        };
        let mut buffer = Vec::new();
        let found = self.walk.objects.try_find(&blob, &mut buffer);
        let found = found.map_err(unreadable)?;
        let found = found.ok_or_else(|| unreadable(format!("object {blob} is missing")))?;
        Ok(Some(found.data.to_vec()))
    }

    /// What `name` is in a tree, and whether that is a tree.
    fn entry(&self, tree: ObjectId, name: &str) -> Result<Option<(ObjectId, bool)>, HistoryError> {
        let mut buffer = Vec::new();
        let entries = self.walk.tree(Some(tree), &mut buffer);
        for entry in entries.map_err(HistoryError::Unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if entry.filename == name.as_bytes() {
                return Ok(Some((entry.oid.to_owned(), entry.mode.is_tree())));
            }
        }
        Ok(None)
    }

    /// The commit that `name` stands for.
    fn commit(&self, name: &str) -> Result<ObjectId, HistoryError> {
        let unknown = || HistoryError::NoCommit(name.to_owned());
        let end = name.find(['~', '^']).unwrap_or(name.len());
        let (start, steps) = name.split_at(end);
        let mut id = self.named(start)?.ok_or_else(unknown)?;
        for _ in 0..parents(steps).ok_or_else(unknown)? {
            let commit = self.walk.commit(id).map_err(HistoryError::Unreadable)?;
            id = commit.parent.ok_or_else(unknown)?;
        }
        Ok(id)
    }

    fn named(&self, name: &str) -> Result<Option<ObjectId>, HistoryError> {
        let is_head = matches!(name, "HEAD" | "@");
        let found = match is_head {
            true => Some(self.repository.head()?),
            false => self
                .repository
                .reference(name)?
                .or_else(|| self.by_id(name)),
        };
        found.map(|id| self.peeled(id)).transpose()
    }

    /// The object whose id begins so, if there is one and no other.
    fn by_id(&self, start: &str) -> Option<ObjectId> {
        let prefix = Prefix::from_hex(start).ok()?;
        self.walk.objects.lookup_prefix(prefix, None).ok()??.ok()
    }

    /// The object that a tag is of.
    fn peeled(&self, mut id: ObjectId) -> Result<ObjectId, HistoryError> {
        loop {
            let mut buffer = Vec::new();
            let found = self.walk.objects.try_find(&id, &mut buffer);
            let found = found.map_err(unreadable)?;
            let found = found.ok_or_else(|| unreadable(format!("object {id} is missing")))?;
            if found.kind != gix_object::Kind::Tag {
                return Ok(id);
            }
            let tag = TagRefIter::from_bytes(found.data, Kind::Sha1);
            id = tag.target_id().map_err(unreadable)?;
        }
    }
}

/// How many first parents `~2^` goes back; `None` where it is something else.
fn parents(steps: &str) -> Option<usize> {
    let mut count = 0;
    let mut rest = steps;
    while !rest.is_empty() {
        let sign = rest.strip_prefix('~');
        let after = sign.or_else(|| rest.strip_prefix('^'))?;
        let digits = after.find(['~', '^']).unwrap_or(after.len());
        let (number, next) = after.split_at(digits);
        count += match (sign, number) {
            (_, "") | (None, "1") => 1,
            (Some(_), number) => number.parse().ok()?,
            (None, _) => return None,
        };
        rest = next;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::parents;

    #[test]
    fn first_parents_are_counted() {
        let told = ["", "~", "^", "^1", "~3", "~2^~", "^2", "^{tree}", "~x"].map(parents);
        let expected = [Some(0), Some(1), Some(1), Some(1), Some(3), Some(4)];
        assert_eq!(told, [&expected[..], &[None; 3]].concat()[..]);
    }
}
