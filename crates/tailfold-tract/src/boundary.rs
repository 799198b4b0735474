//! The boundary that no panic of a library passes: tract asserts what a sound graph fulfils, and a file from elsewhere need
//! not be sound.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// Whether a panic of this thread will be an error, so that nothing is printed of it.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// What `work` returns, or the message of its panic. Nothing is printed of a panic inside.
///
/// Works where panics unwind, which every profile of this workspace asks for.
///
/// # Errors
/// The message of the panic.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let other = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                other(info);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    // What a panic leaves half done is dropped with the work: it owns all that it changes.
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("a panic without a message")
            .replace('\n', " ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_becomes_its_message() {
        assert_eq!(guarded(|| 3), Ok(3));
        let numbers: Vec<usize> = Vec::new();
        let message = guarded(|| numbers[7]).unwrap_err();
        assert!(message.contains("index is 7"), "{message}");
    }
}
