"""The files of examples/sharded are what GitHub Actions and Kubernetes accept, and what they run gives a single run's verdict.

Both are checked against the published schemas, which come with PyPI packages, and then their commands are executed: every
share of the matrix or index, in turn, and the merge.
"""

import os
import re
import shutil
import subprocess

import kubernetes_validate
import yaml
from evidence import FLOAT, INT8, PATIENCE, ROOT, TEST
from onnx_checker import Verdict
from parity import COMPARED

EXAMPLES = ROOT / "examples/sharded"
# The oldest version that supports everything in kubernetes.yaml without a feature gate.
KUBERNETES = "1.33"
EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")


def single_run(evidence):
    """The table that a single run prints."""
    models = ["--reference", evidence.file(FLOAT), "--candidate", evidence.file(INT8)]
    return evidence.run("tailfold", "parity", *models, "--data", TEST, accepted=COMPARED)


def shell(evidence, command, folder, variables):
    """Runs `command` in `folder` with the shell of the engine, and returns its stdout. Accepts the status of any verdict."""
    environment = {
        **os.environ,
        **variables,
        "PATH": f"{evidence.bins}{os.pathsep}{os.environ['PATH']}",
        "TAILFOLD_EMBEDDED": str(evidence.data),
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode not in COMPARED:
        raise Verdict(f"`{command[-1].strip()}` ended with status {done.returncode}: {done.stderr}")
    return done.stdout


# GitHub Actions


def workflow_runs(evidence):
    path = EXAMPLES / "github-actions.yml"
    workflow = yaml.safe_load(path.read_text())
    jobs = workflow["jobs"]
    artifacts = evidence.scratch / "artifacts"
    # The tested program replaces the program that another job builds.
    (artifacts / "tailfold").mkdir(parents=True)
    shutil.copy2(evidence.bins / "tailfold", artifacts / "tailfold")
    shares = jobs["shard"]["strategy"]["matrix"]["shard"]
    for number, share in enumerate(shares):
        place = {"matrix.shard": share, "strategy.job-index": number, "strategy.job-total": len(shares)}
        run_job(evidence, jobs["shard"], f"shard-{share}", artifacts, workflow["env"], place)
    printed = run_job(evidence, jobs["merge"], "merge", artifacts, workflow["env"], {})
    if printed != single_run(evidence):
        raise Verdict(f"the workflow's merge printed {printed!r}, a single run {single_run(evidence)!r}")
    report = sorted(file.name for file in (artifacts / "parity").iterdir())
    expected = ["parity.html", "parity.json", "parity.md", "parity.xml"]
    if report != expected:
        raise Verdict(f"the workflow's last artifact has {report}, expected {expected}")
    return f"fits the schema; {len(shares)} shares and the merge, executed, print what one run prints"


def run_job(evidence, job, name, artifacts, variables, place):
    """Executes the steps of a job in a separate folder, and returns the output of its commands."""
    folder = evidence.scratch / "jobs" / name
    folder.mkdir(parents=True)
    printed = ""
    for step in job["steps"]:
        action = step.get("uses", "").split("@")[0]
        options = {key: filled(str(value), place) for key, value in step.get("with", {}).items()}
        if "run" in step:
            printed += shell(evidence, ["bash", "-e", "-c", filled(step["run"], place)], folder, variables)
        elif action == "actions/checkout":
            (folder / "models").symlink_to(ROOT / "models")
        elif action == "actions/upload-artifact":
            upload(folder / options["path"], artifacts / options["name"])
        elif action == "actions/download-artifact":
            for found in sorted(artifacts.glob(options.get("pattern", options.get("name")))):
                shutil.copytree(found, folder / options["path"], dirs_exist_ok=True)
        else:
            raise Verdict(f"a step of {name} cannot be executed here: {step}")
    return printed


def upload(path, artifact):
    if not path.exists():
        raise Verdict(f"nothing to upload as {artifact.name}: there is no {path}")
    if path.is_dir():
        shutil.copytree(path, artifact)
    else:
        artifact.mkdir()
        shutil.copy2(path, artifact)


def filled(text, place):
    """`text` with its expressions replaced by the values in `place`; an unknown expression is an error."""

    def value(match):
        if match[1] not in place:
            raise Verdict(f"the expression {match[0]} has no value here: {sorted(place)} have")
        return str(place[match[1]])

    return EXPRESSION.sub(value, text)


# Kubernetes


def manifest_runs(evidence):
    documents = list(yaml.safe_load_all((EXAMPLES / "kubernetes.yaml").read_text()))
    for document in documents:
        try:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
        except kubernetes_validate.ValidationError as error:
            raise Verdict(f"{document['metadata']['name']}: {error.message}") from error
    shards, merge = documents
    volume = evidence.scratch / "volume"
    (volume / "models").mkdir(parents=True)
    for name, model in (("model.onnx", FLOAT), ("model.int8.onnx", INT8)):
        shutil.copy2(evidence.file(model), volume / "models" / name)
    completions = shards["spec"]["completions"]
    if shards["spec"]["completionMode"] != "Indexed":
        raise Verdict("without `completionMode: Indexed` there is no JOB_COMPLETION_INDEX")
    for index in range(completions):
        run_pod(evidence, shards, volume, {"JOB_COMPLETION_INDEX": str(index)})
    printed = run_pod(evidence, merge, volume, {})
    if printed != single_run(evidence):
        raise Verdict(f"the manifest's merge printed {printed!r}")
    return f"fits Kubernetes {KUBERNETES}, strictly; {completions} indices and the merge, executed, print what one run prints"


def run_pod(evidence, job, volume, variables):
    """Executes the container of a Job with its volume in `volume`, and with embedded images instead of a folder."""
    [container] = job["spec"]["template"]["spec"]["containers"]
    [mount] = container["volumeMounts"]
    command = [part.replace(f"folder:{mount['mountPath']}/images?split=test", TEST) for part in container["command"]]
    command = [part.replace(mount["mountPath"], str(volume)) for part in command]
    own = {entry["name"]: entry["value"] for entry in container.get("env", [])}
    return shell(evidence, command, volume, {**own, **variables})
