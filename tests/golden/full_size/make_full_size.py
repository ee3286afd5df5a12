"""Features of full-size random CLIPs, by open_clip in float64.

    python make_full_size.py PHOTOGRAPHS OUT [--every 14] [--float32]

Makes ViT-B/16 and RN50 of the recipe in harness/cli/random_weights.h with
seed 1, as a second implementation of it; reads every 14th of the JPEG files
below PHOTOGRAPHS (sorted), with Pillow; writes OUT/vit-b-16.npy and
OUT/rn50.npy, rows of length 1, and OUT/photographs.txt. Made with open_clip
3.3.0, torch 2.15.0, Pillow 13.0.0.
"""

import argparse
import math
import pathlib

import numpy as np
import torch
from open_clip.model import build_model_from_openai_state_dict
from PIL import Image

MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def key_of(text):
    key = 0xCBF29CE484222325
    for byte in text.encode():
        key = ((key ^ byte) * 0x100000001B3) % 2**64
    return np.uint64(key)


def fill(text, shape, low, high, cubed):
    count = math.prod(shape)
    with np.errstate(over="ignore"):
        z = key_of(text) + np.arange(1, count + 1, dtype=np.uint64) * GOLDEN
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    u = (z >> np.uint64(40)).astype(np.float64) / 2**24
    u = u**3 if cubed else u
    return torch.from_numpy((low + (high - low) * u).astype(np.float32).reshape(shape))


def spread(name, shape):
    """low, high, cubed"""
    part = name.split(".")[-1]

    def within(most):
        return -most, most, False

    def product(gain, inputs):
        return within(gain * math.sqrt(3 / inputs))

    if ".bn" in name or ".downsample.1." in name:
        if part == "running_var":
            return 0.5, 1.5, True
        if part != "weight":
            return within(0.1)
        return (0.1, 0.5, False) if ".bn3." in name and ".layer" in name else (0.5, 1.3, False)
    if ".ln_" in name or name.startswith("ln_"):
        return (0.5, 1.5, False) if part == "weight" else within(0.1)
    if part in ("bias", "in_proj_bias"):
        return within(0.1)
    if "token_embedding" in name or part == "positional_embedding":
        return within(0.3 if "attnpool" in name else 0.03)
    if part == "class_embedding":
        return within(0.05)
    if part in ("proj", "text_projection"):
        return product(1, shape[0])
    if len(shape) == 4:
        patches = name == "visual.conv1.weight" and shape[2] > 3
        return product(0.03 if patches else math.sqrt(2), math.prod(shape[1:]))
    if "in_proj_weight" in name or "q_proj" in name or "k_proj" in name:
        return product(1.5, shape[1])
    if "out_proj" in name or "mlp.c_proj" in name:
        return product(0.7, shape[1])
    return product(1, shape[1])


def weights(model, shapes):
    state = {}
    for name, shape in shapes.items():
        if name == "logit_scale":
            state[name] = torch.tensor(4.6052)
        else:
            state[name] = fill(f"tailmark-clip-full-1/{model}/{name}", shape, *spread(name, shape))
    return state


def shapes_of(model):
    import open_clip
    wanted = {"vit-b-16": "ViT-B-16-quickgelu", "rn50": "RN50-quickgelu"}[model]
    state = open_clip.create_model(wanted).state_dict()
    return {name: tuple(tensor.shape) for name, tensor in state.items()
            if not name.endswith("num_batches_tracked") and name != "attn_mask"}


def pixels(path):
    image = Image.open(path).convert("RGB")
    width, height = image.size
    size = (224, int(224 * height / width)) if width < height else (int(224 * width / height), 224)
    image = image.resize(size, Image.Resampling.BICUBIC)
    left, top = (round((side - 224) / 2) for side in size)
    image = image.crop((left, top, left + 224, top + 224))
    values = (np.asarray(image).astype(np.float32) / np.float32(255) - MEAN) / STD
    return torch.from_numpy(values.transpose(2, 0, 1).copy())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("photographs", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--every", type=int, default=14)
    parser.add_argument("--float32", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    paths = sorted(arguments.photographs.rglob("*.jpg"))[::arguments.every]
    arguments.out.mkdir(parents=True, exist_ok=True)
    names = [str(path.relative_to(arguments.photographs)) for path in paths]
    (arguments.out / "photographs.txt").write_text("\n".join(names) + "\n")
    dtype = torch.float32 if arguments.float32 else torch.float64
    for model in ("vit-b-16", "rn50"):
        state = weights(model, shapes_of(model))
        # Building rounds to float16, as OpenAI's files are: load again.
        encoder = build_model_from_openai_state_dict(
            dict(state), cast_dtype=torch.float32).to(dtype).eval()
        encoder.load_state_dict(state, strict=False)
        rows = []
        with torch.inference_mode():
            for path in paths:
                feature = encoder.encode_image(pixels(path)[None].to(dtype))
                rows.append(torch.nn.functional.normalize(feature)[0])
        np.save(arguments.out / f"{model}.npy", torch.stack(rows).float().numpy())


main()
