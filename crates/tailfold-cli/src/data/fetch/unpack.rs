//! Unpacks a downloaded archive to the files that the readers need.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context as _, ensure};
use flate2::read::GzDecoder;
use tailfold_spec::artifact;

/// Largest accepted member in bytes; the largest published one is CIFAR-100's training images.
const MAX_MEMBER: u64 = 1 << 28;

/// Writes the `members` of `archive` to `out`. A `.tar.gz` is searched for their file names; a `.gz` has one member.
pub(super) fn unpack(archive: &Path, members: &[&str], out: &Path) -> anyhow::Result<()> {
    let broken = || format!("cannot unpack {}", archive.display());
    let file = File::open(archive).with_context(broken)?;
    let content = GzDecoder::new(BufReader::new(file));
    if !archive.to_string_lossy().ends_with(".tar.gz") {
        let [member] = members else {
            anyhow::bail!("{} holds one file, not {members:?}", archive.display());
        };
        return save(content, archive, &out.join(member));
    }
    let mut archive_reader = tar::Archive::new(content);
    let mut left: Vec<&str> = members.to_vec();
    for entry in archive_reader.entries().with_context(broken)? {
        let entry = entry.with_context(broken)?;
        let path = entry.path().with_context(broken)?.into_owned();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(place) = left.iter().position(|member| Some(*member) == name) {
            let member = left.swap_remove(place);
            save(entry, archive, &out.join(member))?;
        }
    }
    ensure!(left.is_empty(), "{} has no {left:?}", archive.display());
    Ok(())
}

/// Writes `content` to the file `target`.
fn save(content: impl Read, archive: &Path, target: &Path) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    content
        .take(MAX_MEMBER + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot unpack {}", archive.display()))?;
    ensure!(
        bytes.len() as u64 <= MAX_MEMBER,
        "{} unpacks to more than {MAX_MEMBER} bytes",
        archive.display()
    );
    Ok(artifact::write(target, &bytes)?)
}
