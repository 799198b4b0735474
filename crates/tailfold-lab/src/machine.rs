//! The kind of this machine, for reports.

use std::env::consts::{ARCH, OS};

use tailfold_console::jobs;

/// Returns architecture, system and cores.
pub(crate) fn kind() -> String {
    format!("{ARCH} {OS}, {} cores", jobs::cores())
}
