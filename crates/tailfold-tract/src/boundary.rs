//! Turns panics inside tract into errors: tract asserts properties of a sound graph, and a third-party file may lack
//! them.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// Whether a panic on this thread becomes an error, so that the panic hook prints nothing.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Runs `work` and turns a panic into an error; the panic is not printed.
///
/// Needs `panic = "unwind"`, which every profile of this workspace has.
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
    // No caller reads values that a panic left half changed: they are dropped with `work` or with the
    // caller's error.
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
    fn panic_becomes_an_error_message() {
        assert_eq!(guarded(|| 3), Ok(3));
        let numbers: Vec<usize> = Vec::new();
        let message = guarded(|| numbers[7]).unwrap_err();
        assert!(message.contains("index is 7"), "{message}");
    }
}
