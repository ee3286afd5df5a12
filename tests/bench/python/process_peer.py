"""What an external program costs more than a builtin: the same linear probe as both, in turns.

    python3 tests/bench/python/process_peer.py BIN [--served FILE] [--turns 7] [--epochs 30]

BIN is build/release/bin with tailmark, tailmark-worker and served_method, which is
the builtin's own code behind the protocol of the kind `process`. On the embedded
data, features from a warm cache, one thread. Checks that both give the same bits;
prints medians of wall and processor time (children included) of the worker alone
and of `tailmark run` with all that it starts, and of the differences of a turn.
The bound is 5 % and 0.3 s.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

METHOD = {
    "schema": "tailmark-process/1", "name": "linear_probe_served", "version": 1,
    "summary": "The builtin linear probe as an external program", "family": "probe",
    "input": "features", "scale": "logit", "abilities": {"partial_labels": True},
    "options": [{"name": "epochs", "type": "int", "default": 30, "lo": 1}],
}


def measured(words, environment):
    """(wall, processor) seconds of a command and of all that it waited for."""
    began = time.monotonic()
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit("%s ended with %d: %s" % (" ".join(map(str, words)), process.returncode, said.decode()))
    return wall, usage.ru_utime + usage.ru_stime


class Side:
    """One of the two: a recipe of one method, and the run it makes."""

    def __init__(self, name, use, folder, binaries, environment, epochs):
        self.folder, self.binaries, self.environment = folder / name, binaries, environment
        self.folder.mkdir()
        recipe = {"schema": "tailmark-campaign/1", "campaign": name, "datasets": ["embedded"], "weights": "nano-clip",
                  "pipeline": "as-is-48", "methods": [{"use": use, "options": {"epochs": epochs}}]}
        (self.folder / "r.json").write_text(json.dumps(recipe))
        self.whole()
        (bundle,) = (self.folder / "store/bundles").glob("*/run.json")
        record = json.loads(bundle.read_text())
        self.sha256 = record["scores"][0]["sha256"]
        (self.folder / "spec.json").write_text(json.dumps(record["spec"]))

    def whole(self):
        return measured([self.binaries / "tailmark", "run", self.folder / "r.json", "--store", self.folder / "store", "--force",
                         "--quiet", "--allow-plugin", self.folder.parent], self.environment)

    def worker(self):
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        return measured([self.binaries / "tailmark-worker", "--quiet", "run", self.folder / "spec.json", out], self.environment)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("--served", type=pathlib.Path, help="served_method, where it is not in BIN")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args()
    binaries = options.bin.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "TAILMARK_CACHE": str(folder / "cache")}
        (folder / "method.json").write_text(json.dumps(
            {**METHOD, "command": [str((options.served or binaries / "served_method").resolve()), "linear_probe"]}))
        made = [Side(name, use, folder, binaries, environment, options.epochs)
                for name, use in (("builtin", "linear_probe"), ("process", "process:%s/method.json" % folder))]
        if made[0].sha256 != made[1].sha256:
            sys.exit("the two give other scores")
        print("same bits; load %.1f, %d turns" % (os.getloadavg()[0], options.turns))
        for what in ("worker", "whole"):
            turns = []
            for turn in range(options.turns):
                pair = {}
                for side in range(2) if turn % 2 else (1, 0):
                    pair[side] = getattr(made[side], what)()
                turns.append(pair)
            for kind, title in enumerate(("wall", "processor")):
                builtin, process = (statistics.median(turn[side][kind] for turn in turns) for side in range(2))
                more = statistics.median(turn[1][kind] - turn[0][kind] for turn in turns)
                bound = 0.05 * builtin + 0.3
                print("%-6s %-9s builtin %.3f s, process %.3f s, difference %.3f s, bound %.3f s: %s" %
                      (what, title, builtin, process, more, bound, "within" if more <= bound else "ABOVE"))


main()
