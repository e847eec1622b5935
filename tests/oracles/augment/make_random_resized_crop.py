"""Windows of a photograph, cut out and enlarged to its size by Pillow: the oracle of random_resized_crop_test.ts.

    pip install pillow==13.0.0 numpy==2.4.6 && python make_random_resized_crop.py

Writes random_resized_crop.json. Pictures are given as SHA-256 of their RGB bytes.
"""
import hashlib, json, pathlib
import numpy as np
import PIL
from PIL import Image

here = pathlib.Path(__file__).parent
photo = Image.open(here.parent / "data/photo.png").convert("RGB")
windows = [(0, 0, 90, 67), (0, 0, 1, 1), (13, 7, 40, 31), (50, 0, 40, 67), (3, 60, 80, 7), (89, 66, 1, 1), (20, 20, 61, 45)]
cases = [
    {
        "window": dict(zip(("left", "top", "width", "height"), (left, top, width, height))),
        "sha256": hashlib.sha256(
            np.asarray(photo.crop((left, top, left + width, top + height)).resize(photo.size, Image.BILINEAR)).tobytes()
        ).hexdigest(),
    }
    for left, top, width, height in windows
]
(here / "random_resized_crop.json").write_text(json.dumps({"made_with": f"Pillow {PIL.__version__}", "cases": cases}, indent=1) + "\n")
