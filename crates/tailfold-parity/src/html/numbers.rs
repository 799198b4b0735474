//! Number formats of the page.

pub(super) use crate::sentence::{plain, signed};

/// Formats an integer with a comma every three digits.
pub(super) fn whole(number: impl TryInto<u64>) -> String {
    let number: u64 = number.try_into().unwrap_or(u64::MAX);
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a count with its noun: `1 image`, `2,000 images`.
pub(super) fn counted(number: usize, one: &str, several: &str) -> String {
    format!(
        "{} {}",
        whole(number),
        if number == 1 { one } else { several }
    )
}

/// Formats a share in percent, with one decimal.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Formats a length in a chart, in percent of the chart's side.
pub(super) fn length(share: f64) -> String {
    format!("{:.3}%", 100.0 * share.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(whole(number as u64), text);
        }
        assert_eq!(counted(1, "image", "images"), "1 image");
    }
}
