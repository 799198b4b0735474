"""The commands of action.yml, executed, end the job with the right exit code for each verdict."""

import os
import subprocess

import yaml
from evidence import FLOAT, INT8, PATIENCE, ROOT, TEST
from onnx_checker import Verdict
from sharded import EXPRESSION

ACTION = ROOT / "action.yml"
EXAMPLE = ROOT / "examples/github/parity.yml"


def action_tells_the_verdict(evidence):
    action = yaml.safe_load(ACTION.read_text())
    used = yaml.safe_load(EXAMPLE.read_text())["jobs"]["parity"]["steps"][1]["with"]
    unknown = set(used) - set(action["inputs"])
    if unknown:
        raise Verdict(f"{EXAMPLE.name} gives {sorted(unknown)}, which action.yml does not take")
    steps = {step["name"]: step for step in action["runs"]["steps"]}
    models = {"reference": evidence.file(FLOAT), "candidate": evidence.file(INT8), "data": TEST}
    policy = evidence.scratch / "action.toml"
    # Six images per class are too few for a verdict.
    few = {**models, "data": f"{TEST}&limit=60"}
    policy.write_text("expected_images = 7\n")
    cases = [
        ("pass", models, (0, "pass", 0)),
        ("fail", {**models, "arguments": "--policy\n" + strict(evidence)}, (1, "fail", 1)),
        ("too few", few, (3, "inconclusive", 3)),
        ("too few, warned", {**few, "inconclusive": "warn"}, (3, "inconclusive", 0)),
        ("another number", {**models, "policy": str(policy)}, (2, "error", 2)),
    ]
    for name, given, (code, verdict, ends_with) in cases:
        found = run(evidence, steps, action["inputs"], name, given)
        if found != (str(code), verdict, ends_with):
            raise Verdict(f"{name}: exit code, verdict and status of the job are {found}, expected {(str(code), verdict, ends_with)}")
    return f"{len(cases)} cases executed, each with the expected exit code, verdict and status of the job"


def strict(evidence):
    """A policy that the shipped pair fails: it requires full top-1 agreement."""
    path = evidence.scratch / "strict.toml"
    path.write_text("min_agreement = 1.0\n")
    return str(path)


def run(evidence, steps, inputs, name, given):
    """Runs the steps "Compare" and "Verdict". Returns their outputs for exit code and verdict, and the job's status."""
    folder = evidence.scratch / "action" / name
    folder.mkdir(parents=True)
    values = {f"inputs.{key}": str(value.get("default", "")) for key, value in inputs.items()}
    values |= {f"inputs.{key}": str(value) for key, value in given.items()}
    output, summary = folder / "output", folder / "summary"
    execute(evidence, steps["Compare"], folder, values, {"GITHUB_OUTPUT": output, "GITHUB_STEP_SUMMARY": summary})
    told = dict(line.split("=", 1) for line in output.read_text().splitlines())
    values |= {f"steps.compare.outputs.{key}": value for key, value in told.items()}
    done = execute(evidence, steps["Verdict"], folder, values, {}, check=False)
    if told["verdict"] != "error" and told["verdict"] not in summary.read_text().lower():
        raise Verdict(f"{name}: the summary does not have the verdict {told['verdict']}")
    return told["exit-code"], told["verdict"], done.returncode


def execute(evidence, step, folder, values, variables, check=True):
    def filled(text):
        # These steps need no values that only a runner has, except the program, which exists already.
        return EXPRESSION.sub(lambda match: values.get(match[1], ""), text)

    environment = {
        **os.environ,
        **{key: filled(str(value)) for key, value in step["env"].items()},
        **{key: str(value) for key, value in variables.items()},
        "TAILFOLD": str(evidence.bins / "tailfold"),
        "TAILFOLD_EMBEDDED": str(evidence.data),
    }
    # The command that GitHub runs for `shell: bash`.
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    if check and done.returncode:
        raise Verdict(f"the step `{step['name']}` ended with status {done.returncode}: {done.stderr}")
    return done
