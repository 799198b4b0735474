//! The files of the repository.

use std::process::Command;

use crate::programs::{finish, root};

/// Names of the files of the repository, below its root: tracked, or new and not ignored. A deleted file may be among them.
pub(crate) fn names() -> Vec<String> {
    let mut git = Command::new("git");
    // The check-out may belong to another user, as in a container.
    git.current_dir(root())
        .args(["-c", "safe.directory=*", "ls-files", "-z"]);
    git.args(["--cached", "--others", "--exclude-standard"]);
    let listing = finish(&mut git).ended_with(0).stdout;
    let names: Vec<String> = listing.split_terminator('\0').map(str::to_owned).collect();
    assert!(
        names.iter().any(|name| name == "Cargo.toml"),
        "{} files listed",
        names.len()
    );
    names
}
