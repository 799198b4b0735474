"""Runs the programs with limits on time and memory, and builds the flags that a model without metadata needs."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

# Limits in seconds and in bytes of address space that end a program: far above the limits of any check.
PATIENCE, ADDRESS_SPACE = 60, 16 << 30
# Python without its site packages: it starts in some milliseconds and takes some megabytes.
LAUNCHER = [sys.executable, "-I", "-S", Path(__file__).with_name("third_party_launch.py")]
# Limits of time (seconds) and resident memory (bytes) for a hostile file.
SECONDS, RSS = 5.0, 1 << 30


@dataclass
class Done:
    """Exit status, output, duration in seconds and largest resident memory in bytes of a program that ended."""

    command: str
    status: int
    out: str
    err: str
    seconds: float
    rss: int

    @property
    def panicked(self):
        # A Rust panic has status 101. A signal, such as SIGABRT, has a negative status.
        return self.status == 101 or self.status < 0

    def reason(self):
        """The exit status, and the line with the reason: the place of a panic, the error, or the last line."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        panic = next((i for i, line in enumerate(lines) if "panicked at" in line), None)
        if panic is not None:
            chosen = " ".join(lines[panic : panic + 2])
        else:
            chosen = next((line for line in lines if line.startswith("error")), lines[-1] if lines else "")
        return f"`{self.command}` ended with {self.status}: {chosen[:300]}"


class Programs:
    """The programs in the folder `bins`."""

    def __init__(self, bins, ort_everywhere=False):
        self.bins, self.ort_everywhere = bins, ort_everywhere

    def run(self, name, *arguments, patience=PATIENCE):
        program = self.bins / (name + (".exe" if os.name == "nt" else ""))
        read, write = os.pipe()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, open(read) as report:
            started = time.monotonic()
            process = subprocess.Popen(
                [*LAUNCHER, str(write), str(ADDRESS_SPACE), program, *map(str, arguments)],
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
                pass_fds=[write],
                start_new_session=True,
            )
            os.close(write)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                # The launcher leads a process group of its own, with the program.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            seconds = time.monotonic() - started
            # A program that was killed has no report.
            status, rss = map(int, (report.read() or "-9 0").split())
            out.seek(0), err.seek(0)
            texts = [file.read().decode(errors="replace") for file in (out, err)]
        return Done(shown(name, arguments), status, *texts, seconds, rss)


def shown(name, arguments):
    """A short form of a command: the program, its subcommand, and its model files."""
    words = [name] + [str(a) for a in arguments[:1] if not str(a).startswith("-")]
    models = [str(value).rsplit("/", 1)[-1] for flag, value in zip(arguments, arguments[1:]) if flag in ("--model", "--candidate")]
    return " ".join([*words, *models])


def preparation(case, labels):
    """Flags that describe class names and preprocessing, for each command that reads a model without metadata."""
    flags = ["--labels", labels] if labels else []
    flags += ["--mean", case.mean, "--std", case.std] if case.mean else []
    return [*flags, *case.flags]


def quantize_flags(case, labels):
    """Flags of `preparation`, for `tailfold quantize`."""
    return preparation(case, labels)
