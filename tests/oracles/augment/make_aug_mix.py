"""What Pillow makes of a photograph by each of AugMix's operations, what timm mixes of them by plans that are written
down, and timm's parameters for each strength: the oracle of aug_mix_test.ts, rotate_test.ts and cutout_test.ts.

    pip install pillow==13.0.0 numpy && pip install timm==1.0.31 && python make_aug_mix.py

Writes aug_mix.json. Pictures are given as SHA-256 of their RGB bytes.
"""
import hashlib, json, pathlib, random
import numpy as np
import torch.library

register = torch.library.register_fake
torch.library.register_fake = lambda op, *a, **k: (
    (lambda f: f) if str(op).startswith("torchvision::") else register(op, *a, **k)
)
from PIL import Image
from timm.data import auto_augment as timm

here = pathlib.Path(__file__).parent
photo = Image.open(here.parent / "data/photo.png").convert("RGB")
bytes_of = lambda image: np.asarray(image).tobytes()
digest = lambda image: hashlib.sha256(bytes_of(image)).hexdigest()
ramp = Image.fromarray((np.arange(16 * 12 * 3, dtype=np.int64).reshape(12, 16, 3) * 37 % 251).astype(np.uint8))
pictures = {
    "photo": photo,
    "dark": photo.point(lambda value: value // 5 + 20),
    "flat": Image.new("RGB", (9, 7), (12, 200, 77)),
    "two": Image.fromarray(np.array([[[0, 9, 255], [255, 9, 0]]] * 3, np.uint8)),
    "ramp": ramp,
    "pixel": Image.new("RGB", (1, 1), (5, 6, 7)),
}
fill = (124, 116, 103)
resamples = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}


def apply(image, operation):
    op = operation["op"]
    if op in ("autoContrast", "equalize"):
        return {"autoContrast": timm.auto_contrast, "equalize": timm.equalize}[op](image)
    if op in ("color", "contrast", "brightness", "sharpness"):
        return getattr(timm, op)(image, operation["factor"])
    if op == "posterize":
        return timm.posterize(image, operation["bits"])
    if op == "solarize":
        return timm.solarize(image, operation["threshold"])
    keywords = {"resample": resamples[operation["resample"]], "fillcolor": fill}
    if op == "shear":
        return getattr(timm, f"shear_{operation['axis']}")(image, operation["factor"], **keywords)
    return getattr(timm, f"translate_{operation['axis']}_rel")(image, operation["share"], **keywords)


operations = [{"op": "autoContrast"}, {"op": "equalize"}]
operations += [
    {"op": op, "factor": factor}
    for op in ("color", "contrast", "brightness", "sharpness")
    for factor in (0.1, 0.37, 0.91, 1, 1.0625, 1.449, 1.9)
]
operations += [{"op": "posterize", "bits": bits} for bits in (1, 2, 3, 4, 7)]
operations += [{"op": "solarize", "threshold": threshold} for threshold in (0, 1, 100, 154, 255, 256)]
for resample in resamples:
    for axis in "xy":
        for factor in (-0.3, -0.0123, 0, 0.07, 0.3):
            operations.append({"op": "shear", "axis": axis, "factor": factor, "resample": resample})
        for share in (-0.45, -0.031, 0, 0.1, 0.2222, 0.45):
            operations.append({"op": "translate", "axis": axis, "share": share, "resample": resample})
single = [
    {"picture": name, "operation": operation, "sha256": digest(apply(image, operation))}
    for name, image in pictures.items()
    for operation in operations
]

# Whole mixtures: timm's _apply_basic on plans. Its own draws are replaced by what the plan says.
random.seed(0)
rng = np.random.default_rng(0)
plans = []
for _ in range(60):
    width = int(rng.integers(1, 5))
    chains = [
        {"share": float(share), "operations": [random.choice(operations) for _ in range(int(rng.integers(1, 4)))]}
        for share in np.float32(rng.dirichlet([1.0] * width))
    ]
    plan = {"mixture": float(np.float32(rng.beta(1, 1))), "chains": chains}
    name = random.choice(["photo", "dark", "ramp"])
    queue = [[lambda image, o=o: apply(image, o) for o in chain["operations"]] for chain in chains]
    depths = iter([len(chain) for chain in queue])
    chosen = iter(queue)
    augment = timm.AugMixAugment(ops=[], width=width)
    saved = np.random.randint, np.random.choice
    np.random.randint = lambda *_: next(depths)
    np.random.choice = lambda *_, **__: next(chosen)
    weights = np.float32([chain["share"] for chain in chains])
    result = augment._apply_basic(pictures[name], weights, np.float32(plan["mixture"]))
    np.random.randint, np.random.choice = saved
    plans.append({"picture": name, "plan": plan, "sha256": digest(result)})

# timm's parameters by level; its random sign is taken both ways.
names = {
    "color": "ColorIncreasing", "contrast": "ContrastIncreasing", "brightness": "BrightnessIncreasing",
    "sharpness": "SharpnessIncreasing", "posterize": "PosterizeIncreasing", "solarize": "SolarizeIncreasing",
    "shearX": "ShearX", "shearY": "ShearY", "translateX": "TranslateXRel", "translateY": "TranslateYRel",
}
levels = []
for kind, name in names.items():
    for level in (0, 0.3, 1.25, 2.5, 3.999, 4, 5, 7.77, 9.99, 10):
        for negative in (False, True):
            timm._randomly_negate.__globals__["random"] = type(
                "Sign", (), {"random": staticmethod(lambda n=negative: 1.0 if n else 0.0)}
            )
            (value,) = timm.LEVEL_TO_ARG[name](level, {})
            levels.append({"kind": kind, "level": level, "negative": negative, "value": value})
timm._randomly_negate.__globals__["random"] = random

# Rotation as torchvision does it on pictures: Image.rotate with its defaults.
rotations = [
    {"picture": name, "degrees": degrees, "sha256": digest(image.rotate(degrees, Image.NEAREST))}
    for name, image in pictures.items()
    for degrees in (*range(-10, 11), 45, 90, 180, -90, 123)
]
(here / "aug_mix.json").write_text(
    json.dumps(
        {
            "pictures": {
                name: {"width": image.width, "height": image.height, "sha256": digest(image)}
                for name, image in pictures.items()
            },
            "operations": single,
            "plans": plans,
            "levels": levels,
            "rotations": rotations,
        },
        indent=1,
    )
    + "\n"
)
