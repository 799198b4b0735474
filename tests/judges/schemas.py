"""Configuration files of the repository and of its examples fit the public schemas of the services that read them."""

import subprocess
import sys

from evidence import ROOT
from onnx_checker import Verdict

# Schema, as check-jsonschema names it, and the files that it describes.
FILES = {
    "citation-file-format": ["CITATION.cff"],
    "dependabot": [".github/dependabot.yml"],
    "github-actions": ["action.yml"],
    "github-issue-config": [".github/ISSUE_TEMPLATE/config.yml"],
    "github-issue-forms": [".github/ISSUE_TEMPLATE/bug.yml", ".github/ISSUE_TEMPLATE/feature.yml"],
    "github-workflows": [
        ".github/workflows/ci.yml",
        ".github/workflows/release.yml",
        "examples/github/parity.yml",
        "examples/sharded/github-actions.yml",
    ],
}


def files_fit_their_schemas(evidence):
    listed = {ROOT / name for names in FILES.values() for name in names}
    there = {path for path in (ROOT / ".github").rglob("*.yml")}
    if there - listed:
        raise Verdict(f"no schema is named for {sorted(map(str, there - listed))}")
    for schema, names in FILES.items():
        check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
        done = subprocess.run([*check, *names], cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise Verdict(f"schema {schema}: {done.stdout} {done.stderr}")
    return f"{len(listed)} files, {len(FILES)} schemas"
