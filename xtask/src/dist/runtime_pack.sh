#!/bin/sh
# Runs models through ONNX Runtime on a GPU: what it lacks, what it answers beside the CPU, and how fast.
#
# run.sh OUT     writes the reports into the folder OUT. CUDA's libraries come from this machine's Python packages
#                (nvidia-*), or from LD_LIBRARY_PATH.
set -u
out=${1:?give a folder for the reports}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out" && out=$(cd "$out" && pwd)
cd "$here" || exit 2
sha256sum --quiet -c SHA256SUMS || exit 2
chmod +x tailfold
folders=$(python3 - 2>/dev/null <<'PY'
import glob, os, site, sys
roots = set(site.getsitepackages() + [site.getusersitepackages()] + sys.path)
print(":".join(sorted({d for r in roots for d in glob.glob(os.path.join(r, "nvidia", "*", "lib"))})))
PY
)
export LD_LIBRARY_PATH="$folders:${LD_LIBRARY_PATH:-}"
export TAILFOLD_EMBEDDED="$here/data"
nvidia-smi >"$out/nvidia-smi.txt" 2>&1

status=0
for backend in cuda tensorrt tensorrt-rtx; do
    for model in float int8 tensorrt fp16; do
        name="$backend-$model"
        if ./tailfold info --json --backend $backend --engine-cache "$out/engines" --model models/$model.onnx \
            >"$out/$name.info.json" 2>"$out/$name.log"; then
            ./tailfold parity --json --backend $backend --engine-cache "$out/engines" --reference models/float.onnx \
                --candidate models/$model.onnx --data 'embedded?split=test' >"$out/$name.parity.json" 2>>"$out/$name.log"
            echo "$name: parity exit code $?"
            ./tailfold bench --json --backend $backend --backend ort --engine-cache "$out/engines" \
                --model models/$model.onnx --data 'embedded?split=test' >"$out/$name.bench.json" 2>>"$out/$name.log"
            echo "$name: bench exit code $?"
        else
            echo "$name: $(tail -n 1 "$out/$name.log")"
            [ "$backend" = cuda ] && status=1
        fi
    done
done
exit $status
