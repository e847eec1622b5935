"""Steps with layer decay and a cycled momentum, and steps of classifiers on fixed features, as PyTorch takes them.

    python phases_step.py        (writes phases_step.json beside this file, for tests/training/)

Made with torch 2.13.0, in float64. The network has a stem, a block and a classifier, each with a rate of its own, beside
no bias decay with doubled bias rates, sharpness-aware minimisation and OneCycleLR's rate and momentum.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

sys.path.insert(0, str(Path(__file__).parent.parent / "models"))
from hash_weights import uniform  # noqa: E402

torch.set_default_dtype(torch.float64)

BATCH, SIDE, CLASSES, CHANNELS = 4, 5, 4, 6
RHO, DECAY, EPSILON, BN_MOMENTUM, LAYER_DECAY = 0.05, 0.01, 1e-3, 0.1, 0.5
STEPS, RATE = 6, 0.2
SMOOTHING, MARGIN, SCALE, HEAD_MOMENTUM, HEAD_RATE = 0.1, 0.35, 3.0, 0.9, 0.3


def hashed(name, shape, offset=0.0):
    values = np.asarray(uniform(name, int(np.prod(shape))), dtype=np.float32)
    # float32, as the test has them
    return torch.from_numpy((np.float32(0.3) * values + np.float32(offset)).astype(np.float64)).reshape(shape)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        norm = {"eps": EPSILON, "momentum": BN_MOMENTUM}
        self.conv_stem = nn.Conv2d(3, CHANNELS, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(CHANNELS, **norm)
        block = nn.Module()
        block.conv_pw = nn.Conv2d(CHANNELS, CHANNELS, 1, bias=False)
        block.bn1 = nn.BatchNorm2d(CHANNELS, **norm)
        self.blocks = nn.Sequential(nn.Sequential(block))
        self.classifier = nn.Linear(CHANNELS, CLASSES)

    def forward(self, x):
        x = self.bn1(self.conv_stem(x)).sigmoid()
        block = self.blocks[0][0]
        return self.classifier(block.bn1(block.conv_pw(x)).sigmoid().mean((2, 3)))


def stored(state):
    return {
        name: {"shape": list(value.shape), "data": [float(f"{v:.9g}") for v in value.flatten().tolist()]}
        for name, value in state.items() if not name.endswith("num_batches_tracked")
    }


net = Net()
is_norm_weight = lambda name: "bn1.weight" in name  # noqa: E731
for name, value in net.state_dict().items():
    if not name.endswith("num_batches_tracked"):
        value.copy_(hashed(name, value.shape, 1.0 if name.endswith("running_var") or is_norm_weight(name) else 0.0))
images = (torch.arange(BATCH * SIDE * SIDE * 3) * 7919 % 256).reshape(BATCH, SIDE, SIDE, 3).double()
inputs = ((images / 255 - 0.5) / 0.5).permute(0, 3, 1, 2)
labels = torch.tensor([1, 3, 0, 2])

groups = []
for name, parameter in net.named_parameters():
    layer = 0 if name.startswith(("conv_stem", "bn1")) else 1 if name.startswith("blocks") else 2
    bias = name.endswith("bias")
    groups.append({
        "params": [parameter], "scale": LAYER_DECAY ** (2 - layer) * (2.0 if bias else 1.0),
        "weight_decay": 0.0 if bias or is_norm_weight(name) else DECAY,
    })
optimizer = torch.optim.SGD(groups, lr=RATE, momentum=0.9)
scheduler = OneCycleLR(optimizer, max_lr=[RATE * group["scale"] for group in groups], total_steps=STEPS)
norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
losses = []
for step in range(STEPS):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(inputs), labels)
    loss.backward()
    losses.append(loss.item())
    with torch.no_grad():
        norm = torch.sqrt(sum((p.grad**2).sum() for p in net.parameters()))
        kept = [p.clone() for p in net.parameters()]
        for p in net.parameters():
            p.add_(RHO * p.grad / (norm + 1e-12))
    optimizer.zero_grad()
    for module in norms:
        module.momentum = 0.0  # running statistics follow the first pass only
    F.cross_entropy(net(inputs), labels).backward()
    for module in norms:
        module.momentum = BN_MOMENTUM
    with torch.no_grad():
        for p, value in zip(net.parameters(), kept):
            p.copy_(value)
    optimizer.step()
    if step < STEPS - 1:
        scheduler.step()


def head(kind):
    """Four steps of a classifier on features, with label smoothing, dropout and no bias decay."""
    features = hashed(f"{kind}/features", (BATCH, CHANNELS), 0.2)
    weight = nn.Parameter(hashed(f"{kind}/classifier.weight", (CLASSES, CHANNELS)))
    bias = nn.Parameter(hashed(f"{kind}/classifier.bias", (CLASSES,)))
    linear = kind == "linear"
    settings = [{"params": [weight], "weight_decay": DECAY if linear else 0.0}]
    if linear:
        settings.append({"params": [bias], "lr": 2 * HEAD_RATE, "weight_decay": 0.0})
    sgd = torch.optim.SGD(settings, lr=HEAD_RATE, momentum=HEAD_MOMENTUM)
    losses, correct = [], []
    for step in range(4):
        mask = ((torch.arange(BATCH * CHANNELS) + step) % 2 == 0).double().reshape(BATCH, CHANNELS) * 2
        seen = features * mask
        logits = F.linear(seen, weight, bias) if linear else SCALE * F.linear(F.normalize(seen), F.normalize(weight))
        scores = logits if linear else logits - SCALE * MARGIN * F.one_hot(labels, CLASSES)
        loss = F.cross_entropy(scores, labels, label_smoothing=SMOOTHING)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        losses.append(loss.item())
        correct.append(int((logits.argmax(1) == labels).sum()))
    state = {"classifier.weight": weight.detach()} | ({"classifier.bias": bias.detach()} if linear else {})
    return {"losses": losses, "correct": correct, "state": stored(state)}


Path(__file__).with_suffix(".json").write_text(json.dumps({
    "made_with": f"torch {torch.__version__.split('+')[0]}",
    "batchSize": BATCH, "side": SIDE, "classes": CLASSES, "channels": CHANNELS, "rho": RHO, "weightDecay": DECAY,
    "epsilon": EPSILON, "layerDecay": LAYER_DECAY, "steps": STEPS, "rate": RATE, "labels": labels.tolist(),
    "losses": losses, "state": stored(net.state_dict()),
    "labelSmoothing": SMOOTHING, "margin": MARGIN, "scale": SCALE, "headMomentum": HEAD_MOMENTUM, "headRate": HEAD_RATE,
    "heads": {kind: head(kind) for kind in ("linear", "cosine")},
}) + "\n")
