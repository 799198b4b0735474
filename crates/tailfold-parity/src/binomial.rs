//! Binomial probabilities that are followed from one number to the next: a step costs some operations, not a sum.

use std::ops::RangeInclusive;

use statrs::function::gamma::ln_gamma;

/// Standard deviations beyond which a number of images is too unlikely to matter (1e-15 and less).
const DEVIATIONS: f64 = 8.0;
/// For rare events, whose distribution has a longer tail than a standard deviation tells.
const RARE: f64 = 30.0;

/// Masses below it are computed anew and not followed.
const TINY: f64 = 1e-250;

/// Numbers of successes in `trials` that have a probability worth counting.
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

/// Probability of exactly `successes`.
fn mass(trials: u64, rate: f64, successes: u64) -> f64 {
    if successes > trials {
        return 0.0;
    }
    let (n, k) = (trials as f64, successes as f64);
    // 0 ln 0 is 0: a rate of 0 has no successes, one of 1 nothing else.
    let times = |count: f64, share: f64| if count > 0.0 { count * share.ln() } else { 0.0 };
    let ways = ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    (ways + times(k, rate) + times(n - k, 1.0 - rate)).exp()
}

/// The mass at one number of successes after the other.
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

    /// On to one success more.
    pub(crate) fn next(&mut self) {
        self.successes += 1;
        // Where a mass was too small to be a number, the ratio would keep it 0 for ever.
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

/// Probability of at least so many successes, while the number asked for rises and trials are taken away.
pub(crate) struct Falling {
    trials: u64,
    rate: f64,
    least: u64,
    /// Of at least `least`.
    tail: f64,
    /// Of exactly `least`.
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

    /// Asks for `least`, no less than before.
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

    /// Takes one trial away: those outcomes go that had just enough successes, the last trial among them.
    pub(crate) fn one_trial_less(&mut self) {
        let (n, k) = (self.trials as f64, self.least as f64);
        self.tail -= self.mass * k / n.max(1.0);
        self.trials = self.trials.saturating_sub(1);
        self.follow((n - k) / (n * (1.0 - self.rate)));
    }

    /// Takes the mass to the present numbers. One that was too small to be a number would stay 0 for ever.
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
    // The shorter side, since a sum near 1 says nothing of a small rest.
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

/// Interval of the rate that leaves out `left_out` in all, half on each side (Clopper and Pearson, Biometrika 26, 1934).
pub(crate) fn interval(trials: u64, successes: u64, left_out: f64) -> RangeInclusive<f64> {
    // Both ends are on the outer side of what bisection leaves open.
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
