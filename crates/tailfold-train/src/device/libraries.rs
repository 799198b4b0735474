//! Looking for shared libraries the way the back ends will.

/// Whether the loader opens one of `names`.
pub(super) fn opens(names: &[&str]) -> bool {
    names.iter().any(|name| open(name))
}

#[expect(unsafe_code, reason = "opening a library runs its initialisers")]
fn open(name: &str) -> bool {
    // SAFETY: these are the drivers' own libraries, which the back end opens by the same names right after; nothing of
    // them is called here, and dropping the handle leaves no pointer behind.
    unsafe { libloading::Library::new(name) }.is_ok()
}
