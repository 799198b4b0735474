//! The log output on stderr during training: a progress bar on a terminal, plain lines elsewhere.

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tailfold_data::Skipped;
use tailfold_spec::Manifest;
use tailfold_train::{EpochReport, Observer, Pretrained, StepReport, TrainConfig};

/// Longest time between two lines, without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(60);

/// The reason why a run stopped before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// The time of `--max-minutes` is over.
    Time,
    /// SIGINT or SIGTERM arrived.
    Signal,
}

/// Reports the progress, and stops the run when its time is over or a signal arrives.
pub(crate) struct Progress {
    name: String,
    epochs: usize,
    steps_per_epoch: usize,
    /// Progress bar while images are decoded, shown only on a terminal.
    decoding: ProgressBar,
    bar: Option<ProgressBar>,
    last_line: Instant,
    /// Estimated time to the end of the run, as of the last step.
    seconds_left: f64,
    started: Instant,
    limit: Option<Duration>,
    signal: Arc<AtomicBool>,
    /// The reason for the stop, once the run is asked to stop.
    pub(crate) stopped: Option<Stopped>,
    /// Number of images that could not be used.
    pub(crate) left_out: usize,
    /// Epoch and step that the run has completed.
    pub(crate) at: (usize, usize),
}

impl Progress {
    /// `limit` is the time for training from now on; `signal` becomes true when a signal asks to stop.
    pub(crate) fn new(
        config: &TrainConfig,
        limit: Option<Duration>,
        signal: Arc<AtomicBool>,
    ) -> Self {
        let name = format!(
            "{} ({}, seed {})",
            config.name,
            config.loss.as_str(),
            config.seed
        );
        Self {
            name,
            epochs: config.epochs,
            steps_per_epoch: 0,
            decoding: ProgressBar::no_length().with_prefix("images"),
            bar: None,
            last_line: Instant::now(),
            seconds_left: 0.0,
            started: Instant::now(),
            limit,
            signal,
            stopped: None,
            left_out: 0,
            at: (0, 0),
        }
    }

    #[expect(clippy::print_stderr, reason = "log output goes to stderr")]
    pub(crate) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => eprintln!("{line}"),
        }
    }
}

impl Observer for Progress {
    fn decoded(&self, ready: usize, images: usize) {
        self.decoding.set_length(images as u64);
        self.decoding.set_position(ready as u64);
        if ready == images {
            self.decoding.finish_and_clear();
        }
    }

    fn skipped(&mut self, skipped: &[Skipped]) {
        for image in skipped {
            self.say(&format!("left out {}: {}", image.id, image.reason));
        }
        self.left_out += skipped.len();
        self.say(&format!(
            "{} images left out (images.on_corrupt = \"skip\")",
            skipped.len()
        ));
    }

    fn pretrained(&mut self, loaded: &Pretrained) {
        let classifier = match loaded.dropped {
            None => String::new(),
            Some(classes) => format!(", without its classifier of {classes} classes"),
        };
        self.say(&format!(
            "{} starts from {} tensors of {}{classifier}",
            self.name,
            loaded.tensors,
            loaded.path.display(),
        ));
    }

    fn start(&mut self, manifest: &Manifest, steps_per_epoch: usize, steps_done: usize) {
        self.steps_per_epoch = steps_per_epoch;
        self.last_line = Instant::now();
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new((steps_per_epoch * self.epochs) as u64);
            bar.set_position(steps_done as u64);
            let style = "{prefix} {bar:32} {pos}/{len} steps, {msg}";
            bar.set_style(
                ProgressStyle::with_template(style)
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_prefix(self.name.clone());
            self.bar = Some(bar);
        }
        let images: u64 = manifest.train_counts.iter().sum();
        let parameters = manifest.architecture.num_parameters();
        let network = manifest.architecture.name();
        self.say(&format!(
            "{}: {images} images in {} classes, {network} with {parameters} parameters",
            self.name,
            manifest.classes.len(),
        ));
        if steps_done > 0 {
            let (epochs, steps) = (steps_done / steps_per_epoch, steps_done % steps_per_epoch);
            self.say(&format!(
                "continuing after epoch {epochs} and {steps} steps of the next"
            ));
        }
    }

    fn step(&mut self, report: &StepReport) {
        self.at = (report.epoch, report.step);
        self.seconds_left = report.seconds_left;
        let pace = format!(
            "loss {:.3}, {:.0} images/s, {} left",
            report.loss,
            report.images_per_second,
            Left(report.seconds_left)
        );
        if let Some(bar) = &self.bar {
            bar.inc(1);
            bar.set_message(pace);
        } else if self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            self.say(&format!(
                "{} epoch {}/{} step {}/{}: {pace}",
                self.name, report.epoch, self.epochs, report.step, self.steps_per_epoch
            ));
        }
    }

    fn epoch(&mut self, report: &EpochReport) {
        let percent = |share: Option<f64>| {
            share.map_or_else(|| "-".to_owned(), |v| format!("{:.1}", 100.0 * v))
        };
        self.last_line = Instant::now();
        let left = if report.epoch < self.epochs {
            format!(", {} left", Left(self.seconds_left))
        } else {
            String::new()
        };
        self.say(&format!(
            "{} epoch {}/{}: loss {:.3}, validation {} (many {} / medium {} / few {}), largest offset {:.2}, {:.0} images/s ({:.0} % of the time waiting for the loader){left}",
            self.name,
            report.epoch,
            self.epochs,
            report.loss,
            percent(report.val_top1),
            percent(report.val_many),
            percent(report.val_medium),
            percent(report.val_few),
            report.largest_offset,
            report.images_per_second,
            100.0 * report.loader_wait,
        ));
    }

    fn wants_stop(&mut self) -> bool {
        let over = self.limit.is_some_and(|l| self.started.elapsed() >= l);
        self.stopped = if self.signal.load(Ordering::Relaxed) {
            Some(Stopped::Signal)
        } else {
            over.then_some(Stopped::Time)
        };
        self.stopped.is_some()
    }
}

/// A duration in seconds, formatted for people.
struct Left(f64);

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = Duration::try_from_secs_f64(self.0)
            .unwrap_or(Duration::MAX)
            .as_secs();
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        match (hours, minutes) {
            (0, 0) => write!(f, "{seconds} s"),
            (0, _) => write!(f, "{minutes} min"),
            _ => write!(f, "{hours} h {minutes:02} min"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_about_two_digits() {
        for (seconds, expect) in [
            (0.4, "0 s"),
            (59.0, "59 s"),
            (61.0, "1 min"),
            (3_599.0, "59 min"),
            (3_600.0, "1 h 00 min"),
            (36_300.0, "10 h 05 min"),
        ] {
            assert_eq!(Left(seconds).to_string(), expect);
        }
        assert!(Left(f64::NAN).to_string().ends_with("min"));
    }
}
