"""What timm's mixup, cutmix and random erasing make of small pictures by numbers that are written down, and the loss and
gradient of mixed labels: the oracle of mix_batch_test.ts, random_erasing_test.ts and mixed_loss_test.ts.

    pip install torch==2.13.0 numpy pyyaml huggingface_hub safetensors
    pip install --no-deps torchvision==0.29.1 timm==1.0.31 && python make_mixing.py

Writes mixing.json. timm's own draws are replaced: by the share, and by numbers from 0 to 1 that stand for a place among
what is possible.
"""
import json, math, pathlib, random
import numpy as np
import torch

# torchvision without its compiled operators will do.
register = torch.library.register_fake
torch.library.register_fake = lambda op, *a, **k: (
    (lambda f: f) if str(op).startswith("torchvision::") else register(op, *a, **k)
)
from timm.data.mixup import FastCollateMixup, Mixup, mixup_target
from timm.data.random_erasing import RandomErasing
from timm.loss import SoftTargetCrossEntropy

ROWS, HEIGHT, WIDTH, CLASSES = 4, 6, 5, 7
labels = [2, 5, 0, 6]
images = (np.arange(ROWS * HEIGHT * WIDTH * 3, dtype=np.int64) * 7919 % 256).astype(np.uint8)
images = images.reshape(ROWS, HEIGHT, WIDTH, 3)
numbers = np.random.default_rng(0)


class Told:
    """Stands in for numpy.random: the share, and a place among what is possible."""

    def __init__(self, share, places):
        self.share, self.places = share, list(places)

    def rand(self):
        return 0.0

    def beta(self, a, b):
        return self.share

    def randint(self, low, high, size=None):
        return low + int(self.places.pop(0) * (high - low))


def mixed(kind, share, places):
    settings = dict(mixup_alpha=0.0, cutmix_alpha=0.0, label_smoothing=0.1, num_classes=CLASSES)
    settings[f"{kind}_alpha"] = 1.0
    real, results = np.random, []
    for make in (FastCollateMixup, Mixup):
        np.random = Told(share, places)
        try:
            if make is FastCollateMixup:
                batch = [(images[i].transpose(2, 0, 1).copy(), label) for i, label in enumerate(labels)]
                results.append(make(**settings)(batch))
            else:
                x = torch.from_numpy(images.transpose(0, 3, 1, 2).copy()).double()
                results.append(make(**settings)(x, torch.tensor(labels)))
        finally:
            np.random = real
    (collated, target), (exact, _) = results
    assert (collated.double() - exact).abs().max() <= 0.5 + 1e-4
    return {
        "kind": kind, "share": share, "places": places,
        "images": collated.permute(0, 2, 3, 1).flatten().tolist(),
        "target": [float(f"{v:.7g}") for v in target.flatten().tolist()],
    }


mixes = [mixed("mixup", share, []) for share in (0.0, 0.1, 0.37, 0.5, 0.8123, 1.0)]
mixes += [
    mixed("cutmix", share, [float(f"{v:.3g}") for v in numbers.random(2)])
    for share in (0.0, 0.03, 0.1, 0.25, 0.37, 0.5, 0.64, 0.75, 0.8123, 0.95, 1.0)
    for _ in range(3)
]


def erased(height, width, settings, places):
    left_over = list(places)
    real = random.random, random.uniform, random.randint
    random.random = lambda: left_over.pop(0)
    random.uniform = lambda a, b: a + (b - a) * left_over.pop(0)
    random.randint = lambda a, b: a + math.floor(left_over.pop(0) * (b - a + 1))
    try:
        picture = RandomErasing(probability=0.5, mode="const", device="cpu", **settings)(torch.ones(3, height, width))
    finally:
        random.random, random.uniform, random.randint = real
    ys, xs = torch.where(picture[0] == 0)
    box = None if len(ys) == 0 else [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1]
    assert box is None or len(ys) == (box[2] - box[0]) * (box[3] - box[1])
    return {
        "height": height, "width": width, "settings": settings, "places": places, "box": box,
        "drawn": len(places) - len(left_over),
    }


erasings = []
for height, width, settings in (
    (64, 64, {}), (40, 60, {}), (40, 60, {"max_area": 0.9, "min_aspect": 0.1}), (9, 7, {"min_area": 0.3, "max_area": 1.0}),
    (40, 60, {"min_area": 0.95, "max_area": 1.0, "min_aspect": 1.0}),  # never fits
):
    for index in range(12):
        # One in four is not erased.
        first = 0.25 if index % 4 else 0.75
        erasings.append(erased(height, width, settings, [first] + [float(f"{v:.4g}") for v in numbers.random(22)]))

losses = []
for share, smoothing in ((1.0, 0.0), (0.7, 0.0), (0.7, 0.1), (0.5, 0.1), (0.2, 0.3)):
    logits = torch.tensor(np.float32(numbers.normal(size=(ROWS, CLASSES)) * 3)).double().requires_grad_()
    target = mixup_target(torch.tensor(labels), CLASSES, share, smoothing).double()
    loss = SoftTargetCrossEntropy()(logits, target)
    loss.backward()
    round_ = lambda tensor: [float(f"{v:.9g}") for v in tensor.flatten().tolist()]
    losses.append({
        "share": share, "labelSmoothing": smoothing, "logits": round_(logits), "loss": float(f"{loss.item():.9g}"),
        "gradient": {"shape": [ROWS, CLASSES], "data": round_(logits.grad)},
    })

pathlib.Path(__file__).with_name("mixing.json").write_text(json.dumps({
    "made_with": "timm 1.0.31, torch 2.13.0", "rows": ROWS, "height": HEIGHT, "width": WIDTH, "classes": CLASSES,
    "labels": labels, "mixes": mixes, "erasings": erasings, "losses": losses,
}, separators=(",", ":")) + "\n")
