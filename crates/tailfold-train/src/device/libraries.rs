//! A check for shared libraries, by the same means as the back ends.

/// Returns whether the loader opens one of `names`.
pub(super) fn opens(names: &[&str]) -> bool {
    names.iter().any(|name| open(name))
}

#[expect(unsafe_code, reason = "opening a library runs its initialisers")]
fn open(name: &str) -> bool {
    // SAFETY: these are the drivers' own libraries, which the back end opens by the same names right after; none of
    // their functions is called here, and dropping the handle leaves no pointer behind.
    unsafe { libloading::Library::new(name) }.is_ok()
}
