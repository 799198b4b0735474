"""Starts the programs with bounds, and spells the flags that a model without metadata needs."""

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass

# Seconds and bytes of address space after which a program is ended: far above what any check allows.
PATIENCE, ADDRESS_SPACE = 60, 16 << 30
# Sets the bounds and becomes the program. Not by code between fork and exec, which deadlocks where there are threads.
BOUNDED = ["sh", "-c", f'ulimit -v {ADDRESS_SPACE >> 10} && ulimit -c 0 && exec "$@"', "sh"]
# What a hostile file may take.
SECONDS, RSS = 5.0, 1 << 30


@dataclass
class Done:
    """How a program ended."""

    command: str
    status: int
    out: str
    err: str
    seconds: float
    rss: int

    @property
    def panicked(self):
        # A panic is status 101; a signal, of which an abort is one, is below zero.
        return self.status == 101 or self.status < 0

    def reason(self):
        """How it ended, with the line that says why: where it panicked, its error, or its last line."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        panic = next((i for i, line in enumerate(lines) if "panicked at" in line), None)
        if panic is not None:
            chosen = " ".join(lines[panic : panic + 2])
        else:
            chosen = next((line for line in lines if line.startswith("error")), lines[-1] if lines else "")
        return f"`{self.command}` ended with {self.status}: {chosen[:300]}"


class Programs:
    """The programs in a folder."""

    def __init__(self, bins, ort_everywhere=False):
        self.bins, self.ort_everywhere = bins, ort_everywhere

    def run(self, name, *arguments, cwd=None, patience=PATIENCE, stdout=None):
        program = self.bins / (name + (".exe" if os.name == "nt" else ""))
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, open(stdout or os.devnull, "wb") as sink:
            started = time.monotonic()
            process = subprocess.Popen(
                [*BOUNDED, program, *map(str, arguments)],
                stdout=sink if stdout else out,
                stderr=err,
                stdin=subprocess.DEVNULL,
                cwd=cwd,
            )
            status, usage = waited(process, started + patience)
            seconds = time.monotonic() - started
            out.seek(0), err.seek(0)
            texts = [file.read().decode(errors="replace") for file in (out, err)]
        return Done(shown(name, arguments), status, *texts, seconds, usage)


def shown(name, arguments):
    """A command in few words: the program, what it is asked for, and the model."""
    words = [name] + [str(a) for a in arguments[:1] if not str(a).startswith("-")]
    models = [str(value).rsplit("/", 1)[-1] for flag, value in zip(arguments, arguments[1:]) if flag in ("--model", "--candidate")]
    return " ".join([*words, *models])


def waited(process, deadline):
    """Exit status and largest resident memory in bytes; ends `process` at the deadline."""
    pause = 0.002
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_maxrss * 1024
        if time.monotonic() > deadline:
            process.kill()
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def preparation(case, labels):
    """Flags that say how images become inputs, for every command that reads a model without metadata.

    The one place that knows how they are spelled.
    """
    flags = ["--labels", labels] if labels else []
    flags += ["--mean", case.mean, "--std", case.std] if case.mean else []
    return [*flags, *case.flags]


def quantize_flags(case, labels):
    """The same for `tailfold-quant`."""
    return preparation(case, labels)
