//! Maps values to positions in a chart, as shares of its side, and chooses the ticks.

/// An axis, which maps a value to its position between the ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
}

impl Scale {
    /// A linear axis from `low` to `high`, which must differ.
    pub(super) fn linear(low: f64, high: f64) -> Self {
        let logarithmic = false;
        Self {
            low,
            high,
            logarithmic,
        }
    }

    /// A logarithmic axis from `fewest` to `most`, with room at both ends; counts below 1 become 1.
    pub(super) fn counts(fewest: u64, most: u64) -> Self {
        Self {
            low: (fewest.max(1) as f64).ln() - 0.25,
            high: (most.max(1) as f64).ln() + 0.25,
            logarithmic: true,
        }
    }

    /// Position of `value` as a share of the side, 0 to 1.
    pub(super) fn at(self, value: f64) -> f64 {
        let value = if self.logarithmic {
            value.max(1.0).ln()
        } else {
            value
        };
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// About `wanted` ticks, in steps of 1, 2 or 5 times a power of ten.
    pub(super) fn ticks(self, wanted: f64) -> Vec<f64> {
        let rough = (self.high - self.low) / wanted;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|of| of * power)
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(power);
        let mut ticks = Vec::new();
        let mut tick = (self.low / step).ceil();
        while tick * step <= self.high {
            // Adding a positive zero turns a negative zero into a positive one.
            ticks.push(tick * step + 0.0);
            tick += 1.0;
        }
        ticks
    }

    /// Powers of ten on an axis of counts; if there are at most two, also their doubles and fivefolds.
    pub(super) fn powers(self) -> Vec<u64> {
        let inside = |tick: u64| {
            let at = (tick as f64).ln();
            at >= self.low && at <= self.high
        };
        let tens = (0..19).map(|power| 10u64.pow(power));
        let few: Vec<u64> = tens.clone().filter(|&tick| inside(tick)).collect();
        if few.len() > 2 {
            return few;
        }
        tens.flat_map(|ten| [1, 2, 5].map(|of| of * ten))
            .filter(|&tick| inside(tick))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(Scale::linear(-1.3, 0.4).ticks(5.0), [-1.0, -0.5, 0.0]);
        assert_eq!(Scale::linear(0.0, 1.0).ticks(4.0), [0.0, 0.5, 1.0]);
        assert_eq!(Scale::counts(5, 5000).powers(), [10, 100, 1000]);
        assert_eq!(Scale::counts(4, 30).powers(), [5, 10, 20]);
    }

    #[test]
    fn values_keep_their_order() {
        let scale = Scale::counts(0, 900);
        assert!(scale.at(0.0) > 0.0 && scale.at(0.0) < scale.at(2.0));
        assert!(scale.at(900.0) < 1.0);
        let same = Scale::counts(7, 7);
        assert!((same.at(7.0) - 0.5).abs() < 1e-12);
    }
}
