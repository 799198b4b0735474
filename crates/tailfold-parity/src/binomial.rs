//! Binomial probabilities, updated in constant time from one number of successes or trials to the next.

use std::ops::RangeInclusive;

use statrs::function::gamma::ln_gamma;

/// Half width of [`spread`] in standard deviations; numbers beyond it have a probability of at most 1e-15.
const DEVIATIONS: f64 = 8.0;
/// Additional half width for rare events, whose distribution has a longer tail than the standard deviation suggests.
const RARE: f64 = 30.0;

/// Probabilities below this value are computed directly and not updated.
const TINY: f64 = 1e-250;

/// The numbers of successes in `trials` with a non-negligible probability.
pub(crate) fn spread(trials: u64, rate: f64) -> RangeInclusive<u64> {
    let n = trials as f64;
    let width = DEVIATIONS * (n * rate * (1.0 - rate)).max(0.0).sqrt() + RARE;
    let (low, high) = ((n * rate - width).max(0.0), (n * rate + width).min(n));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within 0..=trials"
    )]
    let range = low.floor() as u64..=high.ceil() as u64;
    range
}

/// Probability of exactly `successes` successes.
fn mass(trials: u64, rate: f64, successes: u64) -> f64 {
    if successes > trials {
        return 0.0;
    }
    let (n, k) = (trials as f64, successes as f64);
    // 0 ln 0 counts as 0: at a rate of 0 no trial succeeds, and at a rate of 1 every trial does.
    let times = |count: f64, share: f64| if count > 0.0 { count * share.ln() } else { 0.0 };
    let ways = ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    (ways + times(k, rate) + times(n - k, 1.0 - rate)).exp()
}

/// Walks through the probabilities of consecutive numbers of successes.
pub(crate) struct Walk {
    trials: u64,
    rate: f64,
    successes: u64,
    mass: f64,
}

impl Walk {
    pub(crate) fn new(trials: u64, rate: f64, successes: u64) -> Self {
        let mass = mass(trials, rate, successes);
        Self {
            trials,
            rate,
            successes,
            mass,
        }
    }

    pub(crate) fn mass(&self) -> f64 {
        self.mass
    }

    /// Advances to one more success.
    pub(crate) fn next(&mut self) {
        self.successes += 1;
        // Updated by the ratio, an underflowed probability would stay 0.
        self.mass = if self.mass > TINY && self.rate < 1.0 && self.successes <= self.trials {
            let (k, left) = (
                self.successes as f64,
                (self.trials - self.successes + 1) as f64,
            );
            self.mass * left / k * self.rate / (1.0 - self.rate)
        } else {
            mass(self.trials, self.rate, self.successes)
        };
    }
}

/// Probability of at least a given number of successes, while that number rises and trials are removed.
pub(crate) struct Falling {
    trials: u64,
    rate: f64,
    least: u64,
    /// Probability of at least `least` successes.
    tail: f64,
    /// Probability of exactly `least` successes.
    mass: f64,
}

impl Falling {
    pub(crate) fn new(trials: u64, rate: f64, least: u64) -> Self {
        Self {
            trials,
            rate,
            least,
            tail: at_least(trials, rate, least),
            mass: mass(trials, rate, least),
        }
    }

    pub(crate) fn at_least(&self) -> f64 {
        self.tail.clamp(0.0, 1.0)
    }

    /// Raises the number of successes to `least`, which must not be lower than before.
    pub(crate) fn raise(&mut self, least: u64) {
        while self.least < least {
            self.tail -= self.mass;
            let (left, odds) = (
                self.trials as f64 - self.least as f64,
                self.rate / (1.0 - self.rate),
            );
            self.least += 1;
            self.follow(left / self.least as f64 * odds);
        }
    }

    /// Removes one trial. This removes the outcomes with exactly `least` successes whose last trial was a success.
    pub(crate) fn one_trial_less(&mut self) {
        let (n, k) = (self.trials as f64, self.least as f64);
        self.tail -= self.mass * k / n.max(1.0);
        self.trials = self.trials.saturating_sub(1);
        self.follow((n - k) / (n * (1.0 - self.rate)));
    }

    /// Multiplies the probability of exactly `least` successes by `ratio`. An underflowed probability is computed
    /// directly, because it would stay 0.
    fn follow(&mut self, ratio: f64) {
        self.mass = if self.mass > TINY && ratio.is_finite() {
            self.mass * ratio.max(0.0)
        } else {
            mass(self.trials, self.rate, self.least)
        };
    }
}

/// Probability of `least` or more successes.
pub(crate) fn at_least(trials: u64, rate: f64, least: u64) -> f64 {
    let range = spread(trials, rate);
    let sum = |from: u64, to: u64| {
        let mut walk = Walk::new(trials, rate, from);
        (from..=to)
            .map(|_| {
                let mass = walk.mass();
                walk.next();
                mass
            })
            .sum::<f64>()
    };
    // Sums the shorter tail, because a sum near 1 has no precision left for a small complement.
    if least > *range.end() {
        0.0
    } else if least as f64 > trials as f64 * rate {
        sum(least, *range.end())
    } else if least > *range.start() {
        1.0 - sum(*range.start(), least - 1)
    } else {
        1.0
    }
}

/// Confidence interval of the rate that excludes the probability `left_out`, half of it on each side (Clopper and
/// Pearson, Biometrika 26, 1934).
pub(crate) fn interval(trials: u64, successes: u64, left_out: f64) -> RangeInclusive<f64> {
    // Each end is the outer end of the last bracket of the bisection.
    let crossing = |rises: &dyn Fn(f64) -> bool| {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..50 {
            let middle = 0.5 * (low + high);
            if rises(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        (low, high)
    };
    let half = 0.5 * left_out;
    let low = if successes == 0 {
        0.0
    } else {
        crossing(&|rate| at_least(trials, rate, successes) > half).0
    };
    let high = if successes == trials {
        1.0
    } else {
        crossing(&|rate| at_least(trials, rate, successes + 1) > 1.0 - half).1
    };
    low..=high
}

#[cfg(test)]
mod tests;
