//! Warnings about a quantized model, which was made nevertheless.

use std::fmt;

use crate::equalize::ChannelSpread;
use crate::fit::Fit;
use crate::rebalance::LeftOut;

/// A property of a quantized model that the user should know.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// The last bias was not re-balanced.
    LeftOut(LeftOut),
    /// The quantized model is far from the float model on the calibration images.
    Poor(Fit),
    /// The channels of an activation differ too much in magnitude for one scale, and the model is far from the float
    /// model or was not compared with it.
    ChannelsApart {
        /// The activation.
        spread: ChannelSpread,
        /// The comparison with the float model, if there is one.
        fit: Option<Fit>,
    },
}

impl Warning {
    /// Returns the warning about accuracy, if one is due; `spread` is the activation that equalization would help.
    pub(crate) fn of_accuracy(fit: Option<Fit>, spread: Option<ChannelSpread>) -> Option<Self> {
        match (fit, spread) {
            (Some(fit), _) if !fit.is_poor() => None,
            (fit, Some(spread)) => Some(Self::ChannelsApart { spread, fit }),
            (Some(fit), None) => Some(Self::Poor(fit)),
            (None, None) => None,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeftOut(reason) => {
                write!(f, "the re-balancing of the last bias is left out: {reason}")
            }
            Self::Poor(fit) => measured(f, fit),
            Self::ChannelsApart { spread, fit } => {
                if let Some(fit) = fit {
                    measured(f, fit)?;
                    f.write_str("; ")?;
                }
                write!(f, "{spread}")
            }
        }
    }
}

fn measured(f: &mut fmt::Formatter<'_>, fit: &Fit) -> fmt::Result {
    write!(
        f,
        "on the calibration images the top-1 agreement with the float model is {:.1} % and the logits are off by {:.0} % of their spread",
        100.0 * fit.agreement,
        100.0 * fit.logit_error
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_fit_decides_the_warning() {
        let spread = || {
            Some(ChannelSpread {
                tensor: "v1".to_owned(),
                ratio: 1000.0,
                lost: 0.5,
            })
        };
        let fit = |agreement, logit_error| {
            Some(Fit {
                agreement,
                logit_error,
            })
        };
        assert_eq!(Warning::of_accuracy(fit(0.99, 0.02), spread()), None);
        assert_eq!(Warning::of_accuracy(None, None), None);
        let poor = Warning::of_accuracy(fit(0.45, 3.0), None)
            .unwrap()
            .to_string();
        assert!(
            poor.contains("45.0 %") && poor.contains("300 %") && !poor.contains("equalize"),
            "{poor}"
        );
        for fit in [None, fit(1.0, 0.6), fit(0.9, 0.1)] {
            let apart = Warning::of_accuracy(fit, spread()).unwrap().to_string();
            assert!(apart.contains("`v1`"), "{apart}");
        }
    }
}
