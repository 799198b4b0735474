//! Pages of the documentation that the programs write.

use std::fs;

use crate::programs::root;

/// Fails unless the page `name` is `text`, byte for byte. With `TAILFOLD_RENEW=1` it writes the page.
pub(crate) fn check(name: &str, text: &str) {
    let path = root().join(name);
    if std::env::var_os("TAILFOLD_RENEW").is_some_and(|value| value == "1") {
        fs::write(&path, text).unwrap();
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let lines = kept.lines().zip(text.lines());
    let same = lines.take_while(|(kept, new)| kept == new).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or_default().to_owned();
    assert!(
        kept == text,
        "{name} is out of date from line {}: it has {:?}, the programs give {:?}. Renew it with \
         `TAILFOLD_RENEW=1 cargo test --workspace --test it -- contract`",
        same + 1,
        line(&kept),
        line(text)
    );
}
