"""Two workers against one on the same plan, in turns.

    python3 tests/bench/python/scaling_peer.py BIN [--turns 3] [--tasks 10] [--epochs 600]

BIN is build/release/bin. A plan of so many linear probes on the embedded data, a
seed each, features from a warm cache, one thread a worker. Prints the median ratio
of wall time, which says something on a quiet machine with two cores only, and
how many processor seconds a wall second had, which says whether it was one.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--tasks", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=600)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "TAILMARK_CACHE": folder + "/cache"}

        def once(workers, tasks):
            began, before = time.monotonic(), os.times()
            subprocess.run([options.bin.resolve() / "tailmark", "run", "quickstart", "--only", "method=linear_probe-bce", "--seeds",
                            "0-%d" % (tasks - 1), "--set", "linear_probe.epochs=%d" % options.epochs, "--workers", str(workers),
                            "--store", folder + "/store", "--force", "--quiet"],
                           env=environment, check=True, stdout=subprocess.DEVNULL)
            wall, after = time.monotonic() - began, os.times()
            return wall, after.children_user + after.children_system - before.children_user - before.children_system

        once(1, 1)  # The features.
        print("load %.1f" % os.getloadavg()[0])
        ratios = []
        for _ in range(options.turns):
            (one, one_cpu), (two, two_cpu) = once(1, options.tasks), once(2, options.tasks)
            ratios.append(one / two)
            print("%d tasks: one worker %.1f s (%.2f processors), two %.1f s (%.2f): %.2f x" %
                  (options.tasks, one, one_cpu / one, two, two_cpu / two, one / two), flush=True)
        print("median %.2f x" % statistics.median(ratios))


if __name__ == "__main__":
    sys.exit(main())
