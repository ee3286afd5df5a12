"""The image bootstrap here and SciPy's: same matrix, same statistic, same run.

    python3 tests/bench/python/bootstrap_peer.py build/release/bin/bootstrap_bench

Writes a 5000 x 80 matrix. scipy.stats.bootstrap draws the images and calls a mean
of average precisions written with NumPy (one argsort a class), a few resamples of
it, since two thousand take minutes; bootstrap_bench does 2,000. Prints
processor time per resample, which other programs on the machine disturb least,
their ratio, and both standard errors.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

try:
    import numpy as np
    import scipy
    from scipy.stats import bootstrap
except ImportError:
    print("skipped: SciPy not installed")
    sys.exit(0)

ROWS, CLASSES, RESAMPLES = 5000, 80, 2000


def mean_ap(labels, scores):
    """Step-wise AP without ties, percent."""
    order = np.argsort(-scores, axis=0, kind="stable")
    hits = np.take_along_axis(labels, order, axis=0)
    precision = np.cumsum(hits, axis=0) / np.arange(1, len(hits) + 1)[:, None]
    return 100 * np.mean((precision * hits).sum(axis=0) / hits.sum(axis=0))


def peer(labels, scores, resamples):
    """(CPU milliseconds a resample, standard error)."""
    images = np.arange(ROWS)
    start = time.process_time()
    answer = bootstrap(
        (images,),
        lambda drawn: mean_ap(labels[drawn], scores[drawn]),
        n_resamples=resamples,
        vectorized=False,
        method="basic",
        rng=np.random.default_rng(0),
    )
    spent = 1000 * (time.process_time() - start)
    return spent / resamples, answer.standard_error


def ours(program, folder):
    answer = subprocess.run(
        [program, "--benchmark_filter=ImageBootstrap", "--benchmark_format=json"],
        env={**os.environ, "TAILMARK_BOOTSTRAP_DATA": folder},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    row = json.loads(answer)["benchmarks"][0]
    return row["cpu_time"] / RESAMPLES, row["standard_error"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--resamples", type=int, default=50, help="of SciPy's")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    labels = (rng.random((ROWS, CLASSES)) < 0.04).astype(np.uint8)
    scores = (rng.normal(22, 1.5, (ROWS, CLASSES)) + 2.0 * labels).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        np.save(os.path.join(folder, "labels.npy"), labels)
        np.save(os.path.join(folder, "scores.npy"), scores)
        mine, my_error = ours(arguments.program, folder)
    theirs, their_error = peer(labels, scores, arguments.resamples)
    print(f"SciPy {scipy.__version__}: {theirs:.2f} ms a resample, error {their_error:.3f}")
    print(f"ours: {mine:.4f} ms a resample, error {my_error:.3f}")
    print(f"ratio {theirs / mine:.0f} x; 2,000 resamples {2 * mine:.2f} s")


if __name__ == "__main__":
    main()
