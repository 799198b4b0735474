//! Memory of this process.

/// Peak memory of this process in bytes: `VmHWM` of Linux; `None` where the system does not report it.
pub(crate) fn peak_rss_bytes() -> Option<u64> {
    parse(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn parse(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_memory_is_in_bytes() {
        assert_eq!(
            parse("Name:\tx\nVmHWM:\t   1480 kB\nVmRSS:\t 12 kB\n"),
            Some(1480 * 1024)
        );
        for broken in ["", "VmHWM: 12", "VmHWM:\t twelve kB", "VmRSS:\t 12 kB"] {
            assert_eq!(parse(broken), None, "{broken}");
        }
    }
}
