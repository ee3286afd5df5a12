#!/usr/bin/env python3
"""Pillow against image_bench: decode + resize + normalise, one thread each.

    TAILMARK_REFERENCE_DATA=DIR python3 image_peer.py BUILD/bin/image_bench

Works on the photographs in DIR/real-images. CPU time counts, so that other
programs on the machine matter less. Rounds of the two alternate; the medians and
their ratio are printed, as JSON with --json. Exit code 77 when Pillow or numpy is
not installed or there are no photographs.
"""
import argparse
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

try:
    import numpy as np
    import PIL
    from PIL import Image
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
SIZE = 224


def crop(image):
    width, height = image.size
    if width < height:
        size = (SIZE, int(SIZE * height / width))
    else:
        size = (int(SIZE * width / height), SIZE)
    image = image.resize(size, Image.Resampling.BICUBIC)
    left, top = (round((side - SIZE) / 2) for side in size)
    return image.crop((left, top, left + SIZE, top + SIZE))


def squash(image):
    return image.resize((SIZE, SIZE), Image.Resampling.BILINEAR)


def normalise(image):
    pixels = np.asarray(image).astype(np.float32)
    pixels /= np.float32(255)
    pixels -= MEAN
    pixels /= STD
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def pillow_round(files, shape):
    start = time.process_time()
    for data in files:
        normalise(shape(Image.open(io.BytesIO(data)).convert("RGB")))
    return (time.process_time() - start) * 1e3 / len(files)


def our_round(program, name, count):
    answer = subprocess.run(
        [program, f"--benchmark_filter=^Whole/{name}$",
         "--benchmark_format=json", "--benchmark_min_time=0.5"],
        check=True, capture_output=True, text=True)
    times = json.loads(answer.stdout)["benchmarks"]
    return times[0]["cpu_time"] / count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", help="image_bench of a release build")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    root = os.environ.get("TAILMARK_REFERENCE_DATA", "")
    paths = sorted((pathlib.Path(root) / "real-images").rglob("*.jpg"))
    if not root or not paths:
        print("skipped: TAILMARK_REFERENCE_DATA has no real-images")
        return 77
    files = [path.read_bytes() for path in paths]
    result = {"pillow": PIL.__version__, "pictures": len(files),
              "rounds": args.rounds}
    for name, shape in (("clip", crop), ("squash", squash)):
        pillow_round(files, shape)
        pairs = [(pillow_round(files, shape),
                  our_round(args.program, name, len(files)))
                 for _ in range(args.rounds)]
        theirs, ours = (statistics.median(side) for side in zip(*pairs))
        ratio = statistics.median(a / b for a, b in pairs)
        result[name] = {"pillow_ms": theirs, "tailmark_ms": ours,
                        "ratio": ratio}
        if not args.json:
            print(f"{name}-{SIZE}: Pillow {PIL.__version__} {theirs:.2f} ms, "
                  f"Tailmark {ours:.2f} ms a picture: {ratio:.2f} x")
    if args.json:
        print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
