"""ViT-B/16 here, in transformers and in open_clip: same input, same threads.

    python3 tests/bench/python/clip_peer.py build/release/bin/clip_bench

Makes a ViT-B/16 with random weights, a batch of 8 images and the texts of 80
class names (10 ids each, padded to 77), then takes turns: each program encodes
both. Prints medians of processor time, which other programs on the machine
disturb least, their ratios with the smallest and largest of a turn, and the
largest difference of unit features to transformers (which has the same weights;
open_clip has its own random ones); then what zero-shot classification of an
image costs beside a program that encodes the texts of 80 or 20 classes for each.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser()
parser.add_argument("clip_bench")
parser.add_argument("--turns", type=int, default=5)
parser.add_argument("--threads", type=int, default=1)
arguments = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(arguments.threads)

try:
    import numpy as np
    import torch
    from transformers import CLIPConfig, CLIPModel
except ImportError:
    print("skipped: transformers not installed")
    sys.exit(0)
try:
    import open_clip
except ImportError:
    open_clip = None
    print("open_clip is left out: not installed")

torch.set_num_threads(arguments.threads)


def make_inputs(folder):
    torch.manual_seed(0)
    config = CLIPConfig(vision_config=dict(patch_size=16), attn_implementation="sdpa")
    model = CLIPModel(config).eval()
    model.save_pretrained(os.path.join(folder, "hf"))
    pixels = torch.randn(8, 3, 224, 224)
    ids = torch.full((80, 77), 49407)
    ids[:, 0] = 49406
    ids[:, 1:9] = torch.randint(1, 40000, (80, 8))
    np.save(os.path.join(folder, "pixels.npy"), pixels.numpy())
    np.save(os.path.join(folder, "ids.npy"), ids.numpy())
    return model, pixels, ids


def ratio(theirs, mine):
    """Of the medians, and between what of two turns."""
    turns = [a / b for a, b in zip(theirs[1:], mine[1:])]
    return (f"{statistics.median(theirs[1:]) / statistics.median(mine[1:]):.2f}, "
            f"{min(turns):.2f} to {max(turns):.2f}")


def timed(call):
    start = time.process_time()
    with torch.inference_mode():
        result = call()
    return 1000 * (time.process_time() - start), result


def ours(program, folder):
    answer = subprocess.run(
        [program, "--benchmark_filter=^peer/", "--benchmark_min_time=0.5",
         "--benchmark_format=json"],
        env={**os.environ, "TAILMARK_CLIP_DATA": folder},
        check=True, capture_output=True, text=True).stdout
    return {row["name"].removeprefix("peer/"): row["cpu_time"]
            for row in json.loads(answer)["benchmarks"]}


def peers(model, pixels, ids):
    """name -> {"image": call, "text": call}"""
    def features(method, **inputs):
        out = method(**inputs)
        return out if torch.is_tensor(out) else out.pooler_output

    both = {"transformers": {
        "image": lambda: features(model.get_image_features, pixel_values=pixels),
        "text": lambda: features(model.get_text_features, input_ids=ids),
        "20 texts": lambda: features(model.get_text_features, input_ids=ids[:20])}}
    if open_clip is not None:
        other = open_clip.create_model("ViT-B-16-quickgelu").eval()
        both["open_clip"] = {"image": lambda: other.encode_image(pixels),
                             "text": lambda: other.encode_text(ids)}
    return both


def main():
    medians = {}
    with tempfile.TemporaryDirectory() as folder:
        model, pixels, ids = make_inputs(folder)
        calls = peers(model, pixels, ids)
        times, results = {}, {}
        for turn in range(arguments.turns + 1):
            for what, milliseconds in ours(arguments.clip_bench, folder).items():
                times.setdefault(("tailmark", what), []).append(milliseconds)
            for name, both in calls.items():
                for what, call in both.items():
                    spent, results[name, what] = timed(call)
                    times.setdefault((name, what), []).append(spent)
        for what in ("image", "text"):
            # The first turn warms up.
            median = {name: statistics.median(times[name, what][1:])
                      for name in ("tailmark", *calls)}
            medians[what] = median
            mine = torch.from_numpy(np.load(os.path.join(folder, f"{what}_features.npy")))
            unit = torch.nn.functional.normalize
            difference = (unit(mine) - unit(results["transformers", what])).abs().max()
            print(f"{what}: " + ", ".join(
                f"{name} {value:.1f} ms" + (
                    "" if name == "tailmark" else
                    f" (ratio {ratio(times[name, what], times['tailmark', what])})")
                for name, value in median.items())
                + f", largest difference {difference:.1e}")
    # Naively the texts of all classes are encoded again for each image, here once
    # for all images of the test split.
    mine = medians["image"]["tailmark"] / 8
    image = medians["image"]["transformers"] / 8
    few = statistics.median(times["transformers", "20 texts"][1:])
    for name, texts, once in (("COCO-LT", medians["text"]["transformers"],
                               medians["text"]["tailmark"] / 5000),
                              ("VOC-LT", few, medians["text"]["tailmark"] / 4 / 4952)):
        print(f"zero-shot on {name}, an image: naively {image + texts:.0f} ms, "
              f"tailmark {mine + once:.0f} ms (ratio {(image + texts) / (mine + once):.1f})")


main()
