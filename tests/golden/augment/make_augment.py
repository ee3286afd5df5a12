"""Writes cases.json and expected.png of this folder with Pillow and NumPy.

    python make_augment.py

Every case changes one of three drawn pictures with one operation of
RandAugment (package randaugment 1.0.2 describes them) or with the half-sized
cutout; expected.png holds the results below each other. Where
chance comes in (direction, place, colour), the case says what was drawn.
"""

import json
import pathlib

import numpy as np
import PIL
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

WIDTH, HEIGHT = 32, 28
GREY = (128, 128, 128)
HERE = pathlib.Path(__file__).parent


def noise(seed):
    """Integers 0..255 from a linear congruential generator."""
    values, state = [], seed
    for _ in range(WIDTH * HEIGHT * 3):
        state = (state * 1103515245 + 12345) % 2**31
        values.append(state >> 23)
    return np.array(values, dtype=np.uint8).reshape(HEIGHT, WIDTH, 3)


def pictures():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    smooth = np.stack([x * 5, y * 6, 20 + (x + y) * 2], axis=2).astype(np.uint8)
    dull = (noise(11) // 4 + np.array([90, 40, 150])).astype(np.uint8)
    return {"noise": noise(7), "smooth": smooth, "dull": dull}


def level_value(first, last, level):
    return np.linspace(first, last, 10)[level]


def changed(image, op, level, sign, x, y):
    affine = lambda data, how: image.transform(
        image.size, Image.Transform.AFFINE, data, how, fillcolor=GREY)
    shear = level_value(0, 0.3, level) * sign
    part = level_value(0, 150 / 331, level)
    factor = 1 + level_value(0, 0.9, level) * sign
    bicubic, nearest = Image.Resampling.BICUBIC, Image.Resampling.NEAREST
    if op == "Invert":
        return ImageOps.invert(image)
    if op == "AutoContrast":
        return ImageOps.autocontrast(image)
    if op == "Equalize":
        return ImageOps.equalize(image)
    if op == "Posterize":
        return ImageOps.posterize(image, int(np.round(level_value(8, 4, level))))
    if op == "Solarize":
        return ImageOps.solarize(image, level_value(256, 0, level))
    if op == "ShearX":
        return affine((1, shear, 0, 0, 1, 0), bicubic)
    if op == "ShearY":
        return affine((1, 0, 0, shear, 1, 0), bicubic)
    if op == "TranslateX":
        return affine((1, 0, part * image.size[0] * sign, 0, 1, 0), nearest)
    if op == "TranslateY":
        return affine((1, 0, 0, 0, 1, part * image.size[1] * sign), nearest)
    if op == "Rotate":
        turned = image.convert("RGBA").rotate(level_value(0, 30, level))
        plain = Image.new("RGBA", turned.size, (128,) * 4)
        return Image.composite(turned, plain, turned).convert("RGB")
    if op == "Cutout":
        half = int(np.round(level_value(0, 20, level))) // 2
        column, row = int(x * image.size[0]), int(y * image.size[1])
        pixels = np.array(image)
        pixels[max(row - half, 0):row + half,
               max(column - half, 0):column + half] = (125, 122, 113)
        return Image.fromarray(pixels)
    kind = {"Sharpness": ImageEnhance.Sharpness, "Color": ImageEnhance.Color,
            "Contrast": ImageEnhance.Contrast,
            "Brightness": ImageEnhance.Brightness}[op]
    return kind(image).enhance(factor)


def half_cutout(image, x, y, colour):
    width, height = (int(0.5 * side + 0.5) for side in image.size)
    column, row = int(x * image.size[0]), int(y * image.size[1])
    box = [max(column - width // 2, 0), max(row - height // 2, 0),
           min(column + width // 2, image.size[0]),
           min(row + height // 2, image.size[1])]
    out = image.copy()
    ImageDraw.Draw(out).rectangle(box, fill=colour)
    return out


OPS = ["Invert", "Cutout", "Sharpness", "AutoContrast", "Posterize", "ShearX",
       "TranslateX", "TranslateY", "ShearY", "Rotate", "Equalize", "Contrast",
       "Color", "Solarize", "Brightness"]
ONE_WAY = {"Invert", "AutoContrast", "Posterize", "Rotate", "Equalize",
           "Solarize", "Cutout"}
UNLEVELLED = {"Invert", "AutoContrast", "Equalize"}
PLACES = [(0.0, 0.0), (0.5, 0.25), (0.96875, 0.96875), (0.125, 0.875)]


def main():
    cases, results = [], []
    images = {name: Image.fromarray(data) for name, data in pictures().items()}
    for name, image in images.items():
        for op in OPS:
            for level in [9] if op in UNLEVELLED else range(1, 10):
                for sign in [1] if op in ONE_WAY else [1, -1]:
                    x, y = PLACES[level % 4]
                    cases.append({"picture": name, "op": op, "level": level,
                                  "negative": sign < 0, "x": x, "y": y})
                    results.append(changed(image, op, level, sign, x, y))
        for i, (x, y) in enumerate(PLACES):
            colour = (10 * i, 200 - i, 77)
            cases.append({"picture": name, "op": "half-cutout", "x": x, "y": y,
                          "colour": list(colour)})
            results.append(half_cutout(image, x, y, colour))
    for file, stack in [("pictures.png", images.values()),
                        ("expected.png", results)]:
        sheet = np.concatenate([np.array(each) for each in stack])
        Image.fromarray(sheet).save(HERE / file, optimize=True)
    head = {"pillow": PIL.__version__, "numpy": np.__version__,
            "width": WIDTH, "height": HEIGHT, "pictures": list(images)}
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / "cases.json").write_text(
        json.dumps(head)[:-1] + ', "cases": [\n' + lines + "\n]}\n")


if __name__ == "__main__":
    main()
