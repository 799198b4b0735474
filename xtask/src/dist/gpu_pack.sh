#!/usr/bin/env bash
# Trains the configurations of this pack one after the other, from where an earlier call was stopped.
#   run.sh [OUT]        OUT: folder of checkpoints and metrics; $OUT, or `out`, without it
#   DEVICE=cpu          where to train; cuda without it
#   CONFIGS="a b"       which, in order; logit-adjustment, then sdot, without it
#   EPOCHS=1            fewer epochs, without warm-up
#   MINUTES=50          stop with a saved state after so long; the same call goes on
set -euo pipefail
out=$(realpath -m "${1:-${OUT:-out}}")
device=${DEVICE:-cuda}
cd "$(dirname "$0")"

sha256sum --quiet --check SHA256SUMS
mkdir -p "$out"

# CUDA's run-time compiler and headers, where a toolkit puts them.
if [ "$device" = cuda ]; then
    for toolkit in "${CUDA_PATH:-}" /usr/local/cuda /opt/cuda; do
        if [ -n "$toolkit" ] && [ -d "$toolkit/include" ]; then
            export CUDA_PATH="$toolkit"
            export LD_LIBRARY_PATH="$toolkit/lib64:${LD_LIBRARY_PATH:-}"
            break
        fi
    done
fi

for config in ${CONFIGS:-logit-adjustment sdot}; do
    run="$out/$config"
    if [ -f "$run/manifest.toml" ]; then
        echo "$config: done before" >&2
    else
        ./tailfold-train --config "configs/$config.toml" --device "$device" --out "$run" --resume \
            ${EPOCHS:+--epochs "$EPOCHS" --set optimizer.warmup_epochs=0} ${MINUTES:+--max-minutes "$MINUTES"}
        if [ ! -f "$run/manifest.toml" ]; then
            echo "$config: time is over; the same call goes on" >&2
            exit 0
        fi
    fi
    # The column is found by its name: the median over epochs of images a second. Each image goes through the network in
    # several views, and PyTorch below is given views.
    views=$(awk -F' *= *' '$1 == "classifier" || $1 == "contrastive" { n += $2 } END { print n }' "configs/$config.toml")
    awk -F, '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == "images_per_second") at = i; next }
        { print $at }' "$run/metrics.csv" | sort -n | awk -v name="$config" -v views="$views" '
        { rate[NR] = $1 }
        END {
            median = rate[int((NR + 1) / 2)]
            printf "%s: %.0f images/s, %.0f views/s, median of %d epochs\n", name, median, median * views, NR
        }'
done

# The same network, and a batch of as many views, in PyTorch: its images a second are to be compared with views a second.
if [ "$device" = cuda ] && python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    python3 bench_train.py --device cuda --depth 32 --batch 768 --steps 50 --warmup 10 | tee "$out/torch.json"
else
    echo "no python3 with torch on cuda: no comparison" >&2
fi
