//! The steps of a CI run: their stage, their seconds, and the checks that they skipped.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use tailfold_console::say;

use super::skips;

/// A group of steps that take a similar time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    #[default]
    Quick,
    Full,
    Slow,
}

/// The steps that have run.
#[derive(Debug, Default)]
pub(super) struct Steps {
    stage: Stage,
    done: Vec<Step>,
    skips: Vec<String>,
}

#[derive(Debug)]
struct Step {
    stage: Stage,
    name: &'static str,
    time: Duration,
    holds: bool,
}

impl Steps {
    /// Begins `stage`, to which the next steps belong.
    pub(super) fn begin(&mut self, stage: Stage) {
        self.stage = stage;
    }

    /// Runs `command` as the step `name`. Returns whether it exits with code 0.
    pub(super) fn check(
        &mut self,
        name: &'static str,
        command: &mut Command,
    ) -> anyhow::Result<bool> {
        say(&format!("--- {name}"));
        let start = Instant::now();
        let holds = skips::run(command, &mut self.skips)?.success();
        self.finish(name, start, holds);
        Ok(holds)
    }

    /// Runs `step` as the step `name`. Returns whether its exit code is 0.
    pub(super) fn time(
        &mut self,
        name: &'static str,
        step: impl FnOnce() -> anyhow::Result<ExitCode>,
    ) -> anyhow::Result<bool> {
        say(&format!("--- {name}"));
        let start = Instant::now();
        let holds = step()? == ExitCode::SUCCESS;
        self.finish(name, start, holds);
        Ok(holds)
    }

    /// Counts the step `name` as skipped because of `why`.
    pub(super) fn skip(&mut self, name: &str, why: &str) {
        self.skips.push(format!("skipped {name}: {why}"));
    }

    fn finish(&mut self, name: &'static str, start: Instant, holds: bool) {
        let time = start.elapsed();
        say(&format!("--- {name} took {:.0} s", time.as_secs_f64()));
        let stage = self.stage;
        self.done.push(Step {
            stage,
            name,
            time,
            holds,
        });
    }

    /// The skipped checks, and the seconds of each stage and step.
    pub(super) fn summary(&self) -> String {
        let mut lines = self.skips.clone();
        let titles = [
            (Stage::Quick, "quick"),
            (Stage::Full, "full"),
            (Stage::Slow, "slow"),
        ];
        for (stage, title) in titles {
            let steps = || self.done.iter().filter(|step| step.stage == stage);
            if steps().next().is_none() {
                continue;
            }
            let each: Vec<String> = steps()
                .map(|step| format!("{} {:.0}", step.name, step.time.as_secs_f64()))
                .collect();
            let all: Duration = steps().map(|step| step.time).sum();
            let (all, each) = (all.as_secs_f64(), each.join(", "));
            lines.push(format!("stage {title}: {all:.0} s ({each})"));
        }
        lines.join("\n")
    }

    /// One line with the result of the run, the step that does not hold, and the number of skipped checks.
    pub(super) fn verdict(&self) -> String {
        let skipped = self.skips.len();
        match self.done.iter().find(|step| !step.holds) {
            Some(step) => format!("ci: {} does not hold; {skipped} checks skipped", step.name),
            None => format!("ci: everything holds; {skipped} checks skipped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn shell(script: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        shell
    }

    #[cfg(unix)]
    #[test]
    fn summary_has_stages_skips_and_the_first_failure() {
        let mut steps = Steps::default();
        steps.begin(Stage::Quick);
        assert!(steps.check("fmt", &mut shell("true")).unwrap());
        steps.begin(Stage::Full);
        let skipping = "echo 'skipped gpu: there is no GPU'";
        assert!(steps.check("test", &mut shell(skipping)).unwrap());
        steps.skip("deny", "it is not installed");
        assert_eq!(
            steps.summary(),
            "skipped gpu: there is no GPU\nskipped deny: it is not installed\n\
             stage quick: 0 s (fmt 0)\nstage full: 0 s (test 0)"
        );
        let holds = "ci: everything holds; 2 checks skipped";
        assert_eq!(steps.verdict(), holds);
        assert!(!steps.time("demo", || Ok(ExitCode::from(3))).unwrap());
        let fails = "ci: demo does not hold; 2 checks skipped";
        assert_eq!(steps.verdict(), fails);
    }
}
