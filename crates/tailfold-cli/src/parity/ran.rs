//! Facts about the run for the reports: files, kernels, machine, and the command that repeats it.

use std::collections::BTreeMap;
use std::env::consts::{ARCH, OS};
use std::ffi::OsString;
use std::path::Path;

use anyhow::Context as _;
use tailfold::LoadedModel;
use tailfold_kernels::Isa;
use tailfold_parity::{Run, RunSide, Sides};

use super::Args;
use super::files::Elsewhere;

/// Describes a run of `args` over the models `reference` and `candidate`.
pub(super) fn models(
    args: &Args,
    reference: &LoadedModel,
    candidate: &LoadedModel,
) -> anyhow::Result<Run> {
    let side = |file: &Path, model: &LoadedModel| {
        let mut side = RunSide::default();
        side.file = file.display().to_string();
        side.bytes = model.file_bytes as u64;
        side.nodes = nodes(model);
        side
    };
    let data = args
        .data
        .as_ref()
        .map_or(String::new(), ToString::to_string);
    run(
        args,
        data,
        Sides {
            reference: side(&args.reference, reference),
            candidate: side(&args.candidate, candidate),
        },
    )
}

/// Describes a comparison of two files of logits.
pub(super) fn files(args: &Args) -> anyhow::Result<Run> {
    let side = |file: &Path| -> anyhow::Result<RunSide> {
        let name = file.display().to_string();
        let mut side = RunSide::default();
        side.bytes = std::fs::metadata(file).with_context(|| name.clone())?.len();
        side.file = name;
        Ok(side)
    };
    let sides = Sides {
        reference: side(&args.reference)?,
        candidate: side(&args.candidate)?,
    };
    run(args, Elsewhere::images(&args.describe), sides)
}

fn run(args: &Args, data: String, sides: Sides<RunSide>) -> anyhow::Result<Run> {
    let mut run = Run::default();
    run.version = format!("tailfold {}", env!("CARGO_PKG_VERSION"));
    run.command = command(args);
    run.data = data;
    run.machine = format!("{ARCH} {OS}, {}", Isa::detect()?.name());
    run.sides = sides;
    Ok(run)
}

/// Merges the runs of all shards, which differ only in their machines and kernels. The result names all machines and
/// kernels.
pub(super) fn merged(runs: Vec<Run>) -> Option<Run> {
    let mut runs = runs.into_iter();
    let mut all = runs.next()?;
    let mut machines = vec![all.machine.clone()];
    for run in runs {
        if !machines.contains(&run.machine) {
            machines.push(run.machine);
        }
        join(&mut all.sides.reference.nodes, run.sides.reference.nodes);
        join(&mut all.sides.candidate.nodes, run.sides.candidate.nodes);
    }
    all.machine = machines.join("; ");
    Some(all)
}

/// Adds the kernels `others` to `nodes`. A kernel keeps the largest number of nodes that it ran on any machine.
fn join(nodes: &mut BTreeMap<String, usize>, others: BTreeMap<String, usize>) {
    for (kernel, number) in others {
        let known = nodes.entry(kernel).or_default();
        *known = number.max(*known);
    }
}

fn nodes(model: &LoadedModel) -> BTreeMap<String, usize> {
    let mut nodes = BTreeMap::new();
    for node in &model.nodes {
        *nodes.entry(node.runs_on.clone()).or_default() += 1;
    }
    nodes
}

/// Returns the command for a shell, with every option that the verdict depends on. Options for output files and shards
/// are left out.
fn command(args: &Args) -> String {
    let mut words: Vec<OsString> = vec!["tailfold".into(), "parity".into()];
    let mut option = |name: &str, value: OsString| words.extend([name.into(), value]);
    option("--reference", args.reference.clone().into());
    option("--candidate", args.candidate.clone().into());
    if let Some(data) = &args.data {
        option("--data", data.to_string().into());
        option("--backend", args.runtime.backend.name().into());
    }
    for (name, file) in [("--policy", &args.policy), ("--baseline", &args.baseline)] {
        if let Some(file) = file {
            option(name, file.clone().into());
        }
    }
    if let Some(training) = &args.training {
        option("--training", training.to_string().into());
    }
    words.extend(args.allow.arguments().map(OsString::from));
    words.extend(args.runtime.ort.arguments());
    words.extend(args.elsewhere.arguments());
    words.extend(args.describe.arguments());
    if args.latency {
        words.push("--latency".into());
    }
    let quoted = words.iter().map(|word| {
        let word = word.to_string_lossy();
        // Only a zero byte cannot be quoted, and no argument has one.
        shlex::try_quote(&word).map_or_else(|_| word.to_string(), |quoted| quoted.to_string())
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_run_names_every_machine() {
        let run = |machine: &str, kernel: &str| {
            let mut run = Run::default();
            run.machine = machine.to_owned();
            run.sides.candidate.nodes = BTreeMap::from([(kernel.to_owned(), 3)]);
            run
        };
        let runs = vec![run("a", "conv"), run("b", "other"), run("a", "conv")];
        let all = merged(runs).unwrap();
        assert_eq!(all.machine, "a; b");
        let nodes = all.sides.candidate.nodes;
        assert_eq!(
            nodes,
            BTreeMap::from([("conv".to_owned(), 3), ("other".to_owned(), 3)])
        );
        assert!(merged(Vec::new()).is_none());
    }
}
