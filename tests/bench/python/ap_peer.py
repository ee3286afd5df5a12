"""Average precision here and in scikit-learn: same matrices, same run.

    python3 tests/bench/python/ap_peer.py build/release/bin/ap_bench

Writes three 5000 x 80 matrices, then takes turns: scikit-learn computes
average_precision_score class by class (step only), ap_bench the step definition
and all default ones, each on one thread. Prints medians of processor time, which
other programs on the machine disturb least, and their ratio, after checking that
both give the same mean.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

try:
    import numpy as np
    import sklearn
    from sklearn.metrics import average_precision_score
except ImportError:
    print("skipped: scikit-learn not installed")
    sys.exit(0)

ROWS, CLASSES = 5000, 80


def write_matrices(folder):
    rng = np.random.default_rng(0)
    labels = (rng.random((ROWS, CLASSES)) < 0.04).astype(np.uint8)
    scores = rng.normal(22, 1.5, (ROWS, CLASSES)) + 2.0 * labels
    matrices = {
        "float32": scores.astype(np.float32),
        "float64": scores,
        "tied": scores.astype(np.float16).astype(np.float32),
    }
    for name, matrix in matrices.items():
        np.save(os.path.join(folder, name + ".npy"), matrix)
        np.save(os.path.join(folder, name + ".labels.npy"), labels)
    return matrices, labels


def peer(matrix, labels):
    """(CPU milliseconds, mean AP in percent) of scikit-learn."""
    start = time.process_time()
    values = [
        average_precision_score(labels[:, c], matrix[:, c])
        for c in range(CLASSES)
    ]
    return 1000 * (time.process_time() - start), 100 * sum(values) / CLASSES


def ours(program, folder):
    """{"float32/all": (CPU milliseconds, mean AP in percent), ...} of ap_bench."""
    answer = subprocess.run(
        [
            program,
            "--benchmark_filter=^peer/",
            "--benchmark_min_time=0.1",
            "--benchmark_format=json",
        ],
        env={**os.environ, "TAILMARK_AP_DATA": folder},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return {
        row["name"].removeprefix("peer/"): (row["cpu_time"], row["step"])
        for row in json.loads(answer)["benchmarks"]
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", help="path of ap_bench, built for release")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    times = {}
    with tempfile.TemporaryDirectory() as folder:
        matrices, labels = write_matrices(folder)
        for _ in range(arguments.rounds):
            got = ours(arguments.program, folder)
            for name, matrix in matrices.items():
                wall, mean = peer(matrix, labels)
                times.setdefault(name, []).append(wall)
                for kind in ("step", "all"):
                    ms, step = got[f"{name}/{kind}"]
                    times.setdefault(f"{name}/{kind}", []).append(ms)
                    assert abs(step - mean) < 1e-9, (name, step, mean)
    print(f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, "
          f"{ROWS} x {CLASSES}, medians of {arguments.rounds}, one thread, CPU time")
    print("matrix    scikit-learn ms   step ms   ratio   all ms   ratio")
    for name in matrices:
        theirs, step, every = (
            statistics.median(times[key])
            for key in (name, f"{name}/step", f"{name}/all")
        )
        print(f"{name:8} {theirs:16.2f} {step:9.2f} {theirs / step:7.1f}"
              f" {every:8.2f} {theirs / every:7.1f}")


if __name__ == "__main__":
    main()
