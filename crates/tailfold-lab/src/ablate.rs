//! `tailfold-lab ablate`: trains the arms of an ablation under one recipe with several seeds, and compares them.

mod ladder;
mod pictures;
mod report;
mod run;
mod table;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use tailfold_console::{jobs as side_by_side, print, process, say};
use tailfold_data::{DataSpec, Dataset};
use tailfold_spec::artifact;

use crate::machine;

use ladder::{Ladder, Overrides};
use report::{ArmReport, Difference, Failure, Measured, Report};
use run::{Finished, Job};

/// Train every arm of an ablation ladder with every seed under one recipe.
///
/// Prints means and standard errors per class group, and paired differences between arms.
///
/// The command keeps finished runs and resumes interrupted ones, so repeating it continues an interrupted ladder. If a
/// run fails, the others still run, the result names the failed run, and the exit code is 1.
///
/// Example: tailfold-lab ablate --config models/fashion-lt/ladder.toml --seeds 3
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Ladder file.
    #[arg(long)]
    config: PathBuf,
    /// Number of seeds per arm: 0, 1, ...
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: u64,
    /// Folder for runs, table and charts. Default: `runs/ablate/NAME`, where NAME is the folder of the ladder file.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Arms to run. Default: all.
    #[arg(long, value_delimiter = ',')]
    arms: Vec<String>,
    /// Number of parallel runs, which share the cores. Default: one per core.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1024))]
    jobs: Option<u64>,
    /// Training data instead of the recipe's data.
    #[arg(long)]
    data: Option<DataSpec>,
    /// Test data instead of the ladder's data.
    #[arg(long)]
    test: Option<DataSpec>,
    /// Number of epochs instead of the recipe's number.
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..=100_000))]
    epochs: Option<i64>,
    /// Training device: `cpu`, `cuda` or `vulkan`.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Copy the table, the CSV, the JSON and the charts to this folder if no run failed.
    #[arg(long)]
    commit_to: Option<PathBuf>,
    /// Print one JSON object (schema `tailfold.ablate/1`) instead of the table.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, root: &Path) -> anyhow::Result<ExitCode> {
    let mut ladder = Ladder::read(&args.config)?;
    if !args.arms.is_empty() {
        ladder.keep(&args.arms)?;
    }
    let out = root.join(match &args.out {
        Some(out) => out.clone(),
        None => Path::new("runs/ablate").join(model_name(&args.config)?),
    });
    let test = match &args.test {
        Some(test) => test.clone(),
        None => ladder
            .test
            .parse()
            .with_context(|| format!("`test` of {}", args.config.display()))?,
    };
    let jobs = jobs(&ladder, args, &test, &out)?;
    let _held = lock(&out)?;
    for job in &jobs {
        job.check_folder()?;
    }
    let test_images = Dataset::open(&test)?.len();
    ensure!(test_images > 0, "{test} has no images");

    let train = process::beside("tailfold-train");
    let cores = side_by_side::cores();
    let workers = args
        .jobs
        .map_or(cores, |jobs| jobs.try_into().unwrap_or(cores));
    let workers = workers.clamp(1, jobs.len());
    let threads = (cores / workers).max(1);
    say(&format!(
        "{} runs, {workers} at a time on {threads} threads each",
        jobs.len()
    ));
    let results = side_by_side::run(&jobs, workers, |job| {
        let result = job
            .train(&train, root, &args.device, threads)
            .and_then(|()| job.read());
        if let Err(error) = &result {
            say(&format!("{} seed {} failed: {error:#}", job.arm, job.seed));
        }
        result
    });

    let (mut finished, mut failed) = (Vec::new(), Vec::new());
    for (job, result) in jobs.iter().zip(results) {
        match result {
            Ok(run) => finished.push(run),
            Err(error) => failed.push(Failure {
                arm: job.arm.clone(),
                seed: job.seed,
                why: format!("{error:#}"),
            }),
        }
    }
    let report = conclude(&ladder, args, &test, test_images, finished, failed)?;
    publish(&report, args, &out)?;
    Ok(ExitCode::from(u8::from(!report.failed.is_empty())))
}

/// Locks the folder of a ladder until the returned file is dropped, because two commands would overwrite each other's
/// runs.
///
/// The lock ends with the process. If the process is killed, its last training processes may still run without a lock.
fn lock(out: &Path) -> anyhow::Result<File> {
    fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let path = out.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!(
                "another ladder is at work in {}: wait, or give another --out",
                out.display()
            )
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// Name of the folder that contains the ladder file.
fn model_name(config: &Path) -> anyhow::Result<String> {
    let path = std::path::absolute(config)?;
    let folder = path.parent().and_then(Path::file_name);
    let name = folder.with_context(|| format!("{} lies in no folder", config.display()))?;
    Ok(name.to_string_lossy().into_owned())
}

/// The runs of a ladder. All arms of one seed come before the next seed, so that an interrupted ladder has complete
/// seeds.
fn jobs(ladder: &Ladder, args: &Args, test: &DataSpec, out: &Path) -> anyhow::Result<Vec<Job>> {
    let recipe = ladder.recipe()?;
    let overrides = Overrides {
        data: args.data.as_ref().map(ToString::to_string),
        epochs: args.epochs,
    };
    let mut jobs = Vec::new();
    for seed in 0..args.seeds {
        for arm in &ladder.arms {
            jobs.push(Job {
                arm: arm.name.clone(),
                seed,
                config: format!(
                    "# Trained on {}.\n{}",
                    args.device,
                    arm.config(&recipe, &test.to_string(), &overrides)?
                ),
                folder: out.join(format!("{}-{seed}", arm.name)),
            });
        }
    }
    Ok(jobs)
}

/// Combines the finished runs to a report. Fails without a finished run.
fn conclude(
    ladder: &Ladder,
    args: &Args,
    test: &DataSpec,
    test_images: usize,
    finished: Vec<Finished>,
    failed: Vec<Failure>,
) -> anyhow::Result<Report> {
    let manifest = match (finished.first(), failed.first()) {
        (Some(run), _) => run.manifest.clone(),
        (None, Some(failure)) => bail!("every run failed; the first: {}", failure.why),
        (None, None) => bail!("the ladder has no run"),
    };
    let epochs = || finished.iter().map(|run| run.manifest.epochs);
    let measured = Measured {
        train: without_folders(&manifest.data),
        train_images: manifest.train_counts.iter().sum(),
        classes: manifest.classes.len(),
        test: without_folders(&test.to_string()),
        test_images,
        network: manifest.architecture.name(),
        parameters: manifest.architecture.num_parameters(),
        epochs: [epochs().min().unwrap_or(0), epochs().max().unwrap_or(0)],
        seeds: (0..args.seeds).collect(),
        device: args.device.clone(),
        machine: machine::kind(),
    };
    let mut left = finished;
    let mut arms = Vec::new();
    for arm in &ladder.arms {
        let (own, others) = left.into_iter().partition(|run| run.arm == arm.name);
        left = others;
        arms.extend(ArmReport::of(&arm.name, &arm.title, own));
    }
    let arm = |name: &str| arms.iter().find(|arm| arm.name == name);
    let references: Vec<&ArmReport> = ladder.references().filter_map(arm).collect();
    let mut differences = Vec::new();
    for reference in references {
        let others = arms.iter().filter(|arm| arm.name != reference.name);
        differences.extend(others.filter_map(|arm| Difference::between(arm, reference)));
    }
    Ok(Report {
        schema: "tailfold.ablate/1",
        title: ladder.title.clone(),
        measured,
        arms,
        differences,
        failed,
    })
}

/// Shortens the paths of a data spec to their last part, so that a report names data but no folders of a machine.
fn without_folders(spec: &str) -> String {
    let (source, options) = match spec.split_once('?') {
        Some((source, options)) => (source, Some(options)),
        None => (spec, None),
    };
    let last = |path: &str| {
        path.rsplit('/')
            .find(|p| !p.is_empty())
            .unwrap_or_default()
            .to_owned()
    };
    let source = match source.split_once(':') {
        Some((kind, paths)) => {
            let paths: Vec<String> = paths.split('@').map(last).collect();
            format!("{kind}:{}", paths.join("@"))
        }
        None => source.to_owned(),
    };
    options.map_or(source.clone(), |options| format!("{source}?{options}"))
}

/// Writes table, runs and charts to `out` and to the folder `--commit-to`, and prints the result.
fn publish(report: &Report, args: &Args, out: &Path) -> anyhow::Result<()> {
    let markdown = report.markdown();
    let json = serde_json::to_string_pretty(report)?;
    artifact::write(&out.join("table.md"), markdown.as_bytes())?;
    artifact::write(&out.join("runs.csv"), &report.csv()?)?;
    artifact::write(&out.join("report.json"), (json.clone() + "\n").as_bytes())?;
    let pictures = pictures::draw(report, out)?;
    if let Some(folder) = &args.commit_to {
        ensure!(
            report.failed.is_empty(),
            "nothing was copied to {}: {} runs failed",
            folder.display(),
            report.failed.len()
        );
        let files = ["table.md", "runs.csv", "report.json"].map(str::to_owned);
        let pictures = pictures
            .iter()
            .flat_map(|name| [format!("{name}.svg"), format!("{name}.png")]);
        for file in files.into_iter().chain(pictures) {
            artifact::write(&folder.join(&file), &artifact::read(&out.join(&file))?)?;
        }
    }
    print(if args.json {
        &json
    } else {
        markdown.trim_end()
    });
    say(&format!("runs, table and charts: {}", out.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{lock, without_folders};

    #[test]
    fn second_ladder_in_same_folder_is_error() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("ladder");
        let held = lock(&out).unwrap();
        let error = lock(&out).unwrap_err().to_string();
        assert!(
            error.starts_with("another ladder is at work in "),
            "{error}"
        );
        held.unlock().unwrap();
        lock(&out).unwrap();
    }

    #[test]
    fn without_folders_keeps_last_part_of_paths() {
        for (spec, expected) in [
            ("embedded?split=test", "embedded?split=test"),
            (
                "cifar10:/data/sets/c10/?split=train&imbalance=100",
                "cifar10:c10?split=train&imbalance=100",
            ),
            ("list:a/train.txt@b/images", "list:train.txt@images"),
        ] {
            assert_eq!(without_folders(spec), expected);
        }
    }
}
