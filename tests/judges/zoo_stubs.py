"""Makes PyTorch importable without the three gigabytes of GPU libraries that its Linux wheel requires.

    python tests/judges/zoo_stubs.py        (with the Python whose PyTorch was installed by `pip install --no-deps`)

Compiles, with the C compiler `cc`, a small shared library in place of each GPU library that PyTorch's libraries require.
The stub library defines the functions that they look up. Each function returns an error, so PyTorch finds no GPU and
computes on the CPU. Does nothing if PyTorch can be imported.
"""

import re
import subprocess
import sys
import sysconfig
import tempfile
from collections import defaultdict
from pathlib import Path

# Libraries that the wheel contains or the system provides.
PRESENT = re.compile(r"lib(torch|c10|shm|caffe2|gomp|stdc|gcc|m\.|c\.|dl|pthread|rt\.)|ld-linux")
# Return value of each function: cudaErrorUnknown, CUDA_ERROR_UNKNOWN, and an error in the other libraries.
ANSWER = 999


def readelf(*arguments):
    return subprocess.run(["readelf", "-W", *arguments], capture_output=True, text=True, check=True).stdout


def wanted(folder):
    """Names of the missing libraries, and the required functions of each version tag."""
    needed, functions = set(), defaultdict(set)
    for path in sorted(folder.glob("*.so*")):
        needed |= {name for name in re.findall(r"NEEDED.*\[(.+)\]", readelf("-d", path)) if not PRESENT.match(name)}
        for line in readelf("--dyn-syms", path).splitlines():
            fields = line.split()
            if len(fields) < 8 or fields[6] != "UND" or fields[4] == "WEAK":
                continue
            name, _, version = fields[7].partition("@")
            if re.match(r"_*(cu|nccl|nvrtc|nvshmem|cupti|nvtx)", name) or version.strip("@") in needed:
                functions[version.strip("@")].add(name)
    return needed, functions


def stub(folder, soname, versions, scratch):
    """Compiles the library `soname` with the functions of `versions`, which maps a version tag to function names."""
    names = sorted({name for group in versions.values() for name in group})
    source, script = scratch / "stub.c", scratch / "stub.map"
    source.write_text("".join(f"int {name}(void) {{ return {ANSWER}; }}\n" for name in names))
    script.write_text("".join(f"{tag} {{ global: {'; '.join(sorted(group))}; }};\n" for tag, group in versions.items() if tag))
    options = [f"-Wl,--version-script={script}"] if any(versions) else []
    command = ["cc", "-shared", "-fPIC", "-w", "-fno-builtin", f"-Wl,-soname,{soname}", *options, source, "-o", folder / soname]
    subprocess.run(command, check=True)


def main():
    if subprocess.run([sys.executable, "-c", "import torch"], capture_output=True).returncode == 0:
        print("PyTorch can be imported: nothing to do")
        return 0
    folder = Path(sysconfig.get_path("purelib")) / "torch/lib"
    needed, functions = wanted(folder)
    tagged = {tag for tag in functions if tag in needed}
    with tempfile.TemporaryDirectory() as scratch:
        for soname in sorted(needed):
            versions = {soname: functions[soname]} if soname in tagged else {}
            # Functions without a tag, or whose tag is not the name of a library, can be in any library.
            if soname.startswith("libcudart"):
                versions = {**versions, **{tag: names for tag, names in functions.items() if tag not in tagged and tag}}
                bare = functions.get("", set())
            else:
                bare = set()
            stub(folder, soname, versions, Path(scratch)) if not bare else stub_bare(folder, soname, versions, bare, Path(scratch))
    print(f"wrote {len(needed)} stub libraries")
    return subprocess.run([sys.executable, "-c", "import torch; print(torch.__version__, torch.cuda.is_available())"]).returncode


def stub_bare(folder, soname, versions, bare, scratch):
    """Compiles the library `soname` like `stub`, with the functions `bare` too, which have no version tag."""
    known = {name for group in versions.values() for name in group}
    stub(folder, soname, {**versions, "": bare - known}, scratch)


if __name__ == "__main__":
    sys.exit(main())
