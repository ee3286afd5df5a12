#!/usr/bin/env python3
"""Makes expected/*.npy and the facts in cases.json from files/ with Pillow.

    python3 make_expected.py [--check]

--check compares with what is there instead of writing. Made with Pillow 13.0.0
(libjpeg-turbo 3.2.0) and numpy. The pictures in files/ are synthetic.
"""
import hashlib
import io
import json
import pathlib
import sys

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).parent
RESIZE = {"bicubic": Image.Resampling.BICUBIC,
          "bilinear": Image.Resampling.BILINEAR}


def clip(image, size):
    width, height = image.size
    if width < height:
        new = (size, int(size * height / width))
    else:
        new = (int(size * width / height), size)
    image = image.resize(new, RESIZE["bicubic"])
    left, top = (round((side - size) / 2) for side in new)
    return image.crop((left, top, left + size, top + size))


def arrays(case):
    """Name -> picture, for each array this case has."""
    image = Image.open(HERE / "files" / case["file"]).convert("RGB")
    stem = pathlib.Path(case["file"]).stem
    out = {f"{stem}.clip64": clip(image, 64)}
    if stem == "jpeg_420":
        out[f"{stem}.clip224"] = clip(image, 224)
    if stem in ("jpeg_444", "jpeg_420", "png_rgba"):
        for name, how in RESIZE.items():
            out[f"{stem}.squash64_{name}"] = image.resize((64, 64), how)
    return image, out


def main():
    check = "--check" in sys.argv
    facts = json.loads((HERE / "cases.json").read_text())
    wrong = 0
    for case in facts["cases"]:
        if case["outcome"] == "error":
            try:
                Image.open(HERE / "files" / case["file"]).convert("RGB")
                print(case["file"], "is no longer refused")
                wrong += 1
            except Exception:
                pass
            continue
        image, made = arrays(case)
        sha = hashlib.sha256(np.asarray(image).tobytes()).hexdigest()
        wrong += check and sha != case["decoded_sha256"]
        case["decoded_sha256"] = sha
        for name, picture in made.items():
            path = HERE / "expected" / f"{name}.npy"
            data = io.BytesIO()
            np.save(data, np.asarray(picture))
            if not check:
                path.write_bytes(data.getvalue())
            elif not np.array_equal(np.load(path), np.asarray(picture)):
                print(path.name, "differs")
                wrong += 1
    if not check:
        (HERE / "cases.json").write_text(json.dumps(facts, indent=1) + "\n")
    print("wrong:", wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
