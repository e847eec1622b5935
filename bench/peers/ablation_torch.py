"""A recipe of Whittle's in PyTorch, from the same first weights on the same pictures, as a contestant of
bench/recipe_beside_torch.ts.

python ablation_torch.py FOLDER

The folder holds job.json (model, classes, preprocessing, recipe, seed), weights.safetensors (first weights under timm's
names) and pictures.safetensors (`train/images` uint8 [count, height, width, 3], `train/labels`, and the same of
validation and test). Prints a line of JSON. Knows what the recipes of EfficientNet are made of: softmax or AM-softmax,
SGD with momentum, weight decay with or without biases, sharpness-aware minimisation, a moving average, warm-up, cosine
or plateau. Times begin with the process, and are the processor's and the clock's.
"""

import copy
import json
import math
import pathlib
import random
import sys
import time

started = time.perf_counter()

import numpy
from _augment import augmentation
from _measure import peak_memory_bytes
from _timm import timm, torch
from PIL import Image
from safetensors.torch import load_file
from timm.utils.model_ema import ModelEmaV2
from torch import nn
from torch.nn import functional

folder = pathlib.Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
recipe, seed = job["recipe"], job["seed"]
batch, epochs, warm_up = recipe["batchSize"], recipe["epochs"], recipe["warmUpEpochs"]
torch.set_num_threads(1)
torch.manual_seed(seed)
numpy.random.seed(seed)
random.seed(seed)


class CosineClassifier(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(classes, channels))
        self.register_buffer("scale", torch.zeros(()))

    def forward(self, x):
        unit = lambda v: v / torch.sqrt(v.square().sum(1, keepdim=True) + 1e-12)
        return self.scale * unit(x) @ unit(self.weight).T


model = timm.create_model(job["model"].split(".")[0], num_classes=job["classes"])
if recipe["loss"] == "amSoftmax":
    model.classifier = CosineClassifier(model.classifier.in_features, job["classes"])
absent = model.load_state_dict(load_file(folder / "weights.safetensors"), strict=False)
assert not absent.unexpected_keys and all(key.endswith("num_batches_tracked") for key in absent.missing_keys), absent
model = model.to(memory_format=torch.channels_last)
norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]

groups = {}
for module in model.modules():
    for name, value in module.named_parameters(recurse=False):
        decay, factor = recipe["weightDecay"], 1
        if recipe.get("noBiasDecay"):
            factor = 2 if name == "bias" else 1
            decay = decay if name == "weight" and isinstance(module, (nn.Conv2d, nn.Linear)) else 0
        groups.setdefault((decay, factor), []).append(value)
optimizer = torch.optim.SGD(
    [{"params": values, "weight_decay": decay, "factor": factor} for (decay, factor), values in groups.items()],
    lr=recipe["learningRate"],
    momentum=recipe["momentum"],
)
average = ModelEmaV2(model, decay=recipe["ema"]["decay"]) if "ema" in recipe else None

pictures = load_file(folder / "pictures.safetensors")
mean, deviation = (torch.tensor(job["preprocessing"][key]) for key in ("mean", "std"))


def prepared(images):
    scaled = (images.float() / 255 - mean) / deviation
    return scaled.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


if recipe["augmentation"] == "baseline":
    raise SystemExit("the baseline's random crop is not written here")
augment = augmentation(recipe["augmentation"])
augmented = lambda image: torch.from_numpy(numpy.array(augment(Image.fromarray(image.numpy()))))


def loss_of(images, labels):
    logits = model(images)
    if recipe["loss"] == "amSoftmax":
        margin = recipe.get("margin", 0.35) * model.classifier.scale
        logits = logits - margin * functional.one_hot(labels, job["classes"])
    return functional.cross_entropy(logits, labels)


def step(images, labels):
    optimizer.zero_grad()
    loss = loss_of(images, labels)
    loss.backward()
    if "sam" in recipe:
        moved = [value for value in model.parameters() if value.grad is not None]
        norm = torch.sqrt(sum(value.grad.square().sum() for value in moved))
        before = [value.detach().clone() for value in moved]
        with torch.no_grad():
            for value in moved:
                value.add_(value.grad, alpha=recipe["sam"]["rho"] / (norm.item() + 1e-12))
        optimizer.zero_grad()
        for norm_layer in norms:
            norm_layer.momentum = 0.0  # running statistics are the first pass's
        loss_of(images, labels).backward()
        for norm_layer in norms:
            norm_layer.momentum = 0.1
        with torch.no_grad():
            for value, old in zip(moved, before):
                value.copy_(old)
    optimizer.step()
    if average is not None:
        average.update(model)
    return loss.item()


def rate(epoch, losses):
    full = recipe["learningRate"]
    if epoch < warm_up:
        return full * (0.1 + 0.9 * epoch / warm_up)
    epoch, losses = epoch - warm_up, losses[warm_up:]
    if recipe["schedule"] == "cosine":
        return full * (1 + math.cos(math.pi * epoch / (epochs - warm_up))) / 2
    forced = max(1, int(0.75 * epochs) - warm_up)
    patience = recipe.get("plateau", {}).get("patience", 5)
    now, best, bad, reduced = full, math.inf, 0, False
    for index, loss in enumerate(losses[:epoch]):
        best, bad = (loss, 0) if loss < best * (1 - 2e-4) else (best, bad + 1)
        if bad > patience or not reduced and index + 1 >= forced:
            now, bad, reduced = max(now * 0.1, full / 200), 0, True
    return now


def top1(network, part):
    network.eval()
    images, labels = pictures[f"{part}/images"], pictures[f"{part}/labels"]
    with torch.inference_mode():
        hits = sum(
            (network(prepared(images[at : at + 64])).argmax(1) == labels[at : at + 64]).sum().item()
            for at in range(0, len(labels), 64)
        )
    return hits / len(labels)


def times():
    return {"processorSeconds": time.process_time(), "seconds": time.perf_counter() - started}


images, labels = pictures["train/images"], pictures["train/labels"].long()
history, best, losses = [], None, []
ready = times()
for epoch in range(epochs):
    for group in optimizer.param_groups:
        group["lr"] = rate(epoch, losses) * group["factor"]
    model.train()
    order = torch.randperm(len(labels))
    total, steps = 0.0, len(labels) // batch
    for at in range(0, steps * batch, batch):
        chosen = order[at : at + batch]
        total += step(prepared(torch.stack([augmented(images[index]) for index in chosen])), labels[chosen])
    losses.append(total / steps)
    candidates = [model] if average is None else [average.module, model]
    measured = [top1(network, "validation") for network in candidates]
    found = max(measured)
    if best is None or found > best[0]:
        best = (found, epoch, copy.deepcopy(candidates[measured.index(found)].state_dict()))
    history.append({"validationTop1": found, "trainLoss": losses[-1], **times()})
done = times()
model.load_state_dict(best[2])
print(
    json.dumps(
        {
            "testTop1": top1(model, "test"),
            "bestEpoch": best[1],
            "ready": ready,
            "done": done,
            "epochs": history,
            "peakMemoryBytes": peak_memory_bytes(),
            "versions": {"torch": torch.__version__, "timm": timm.__version__},
        }
    )
)
