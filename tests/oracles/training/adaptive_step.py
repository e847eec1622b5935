"""Three steps of two small networks that learn together, as PyTorch takes them, for tests/training/.

    python adaptive_step.py            (writes adaptive_step.json beside this file)
    python adaptive_step.py mixed      (the same with pictures mixed of two: mixed_step.json)

Made with torch 2.13.0, in float64. The main network has a linear classifier; the auxiliary one a cosine classifier with an
additive margin, dropout and a rate of its own. Mutual learning, sharpness-aware minimisation with a norm for each
network, no bias decay with doubled bias rates, momentum, and a moving average of the main network. With `mixed` each
picture has two labels, label smoothing, and classes that weigh differently; the pictures are the same, for mixing them is
not the step's part.
"""
import copy
import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(Path(__file__).parent.parent / "models"))
from hash_weights import uniform  # noqa: E402

torch.set_default_dtype(torch.float64)

BATCH, SIDE, CLASSES, CHANNELS = 4, 5, 4, 6
RHO, MOMENTUM, DECAY, EMA, EPSILON, BN_MOMENTUM = 0.05, 0.9, 0.01, 0.9, 1e-3, 0.1
MARGIN, SCALE, DROPOUT, FACTOR = 0.35, 3.0, 0.5, 1.5
RATES = [0.1, 0.05, 0.02]
MIXED = sys.argv[1:] == ["mixed"]
LABEL_WEIGHTS = [0.8, 0.5, 1.0]  # of each step
SMOOTHING, CLASS_WEIGHTS = (0.1, [1.5, 0.5, 1.25, 0.75]) if MIXED else (0.0, None)
MEAN_STD = [([0.5, 0.4, 0.3], [0.2, 0.25, 0.3]), ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])]


class Cosine(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(CLASSES, CHANNELS))

    def forward(self, x):
        return SCALE * F.linear(F.normalize(x), F.normalize(self.weight))


class Net(nn.Module):
    def __init__(self, cosine):
        super().__init__()
        self.conv = nn.Conv2d(3, CHANNELS, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(CHANNELS, eps=EPSILON, momentum=BN_MOMENTUM)
        self.classifier = Cosine() if cosine else nn.Linear(CHANNELS, CLASSES)

    def forward(self, x, mask):
        x = self.bn(self.conv(x)).sigmoid().mean((2, 3))
        return self.classifier(x if mask is None else x * mask)


def fill(net, prefix):
    for name, value in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        values = torch.from_numpy(np.asarray(uniform(prefix + name, value.numel()), dtype=np.float64)).reshape(value.shape)
        offset = 1 if name.endswith("running_var") or name == "bn.weight" else 0
        # float32, as the test has them
        value.copy_(torch.from_numpy((np.float32(0.3) * values.numpy().astype(np.float32) + np.float32(offset)).astype(np.float64)))


def group(name):
    if name.endswith("bias"):
        return {"lr": 2.0, "weight_decay": 0.0}
    if name == "bn.weight":
        return {"lr": 1.0, "weight_decay": 0.0}
    return None


nets = [Net(False), Net(True)]
for net, prefix in zip(nets, ("main/", "aux/")):
    fill(net, prefix)
average = {name: value.clone() for name, value in nets[0].state_dict().items()}
images = (torch.arange(BATCH * SIDE * SIDE * 3) * 7919 % 256).reshape(BATCH, SIDE, SIDE, 3).double()
labels = torch.tensor([1, 3, 0, 2])
inputs = [
    ((images / 255 - torch.tensor(mean)) / torch.tensor(std)).permute(0, 3, 1, 2) for mean, std in MEAN_STD
]


def mask(step):
    index = torch.arange(BATCH * CHANNELS) + 3 * step
    return ((index % 2 == 0).double() / (1 - DROPOUT)).reshape(BATCH, CHANNELS)


def loss_of(step):
    logits = [nets[0](inputs[0], None), nets[1](inputs[1], mask(step))]
    weights = CLASS_WEIGHTS and torch.tensor(CLASS_WEIGHTS)

    def each_for(labels):
        margin = SCALE * MARGIN * F.one_hot(labels, CLASSES)
        return [F.cross_entropy(z, labels, weights, label_smoothing=SMOOTHING) for z in (logits[0], logits[1] - margin)]

    each = each_for(labels)
    if MIXED:
        share = LABEL_WEIGHTS[step]
        each = [share * a + (1 - share) * b for a, b in zip(each, each_for(labels.flip(0)))]
    mean = torch.stack([F.softmax(z, -1) for z in logits]).mean(0).detach()
    mutual = [F.cross_entropy(z, mean) for z in logits]  # soft targets
    return sum(each) / 2 + sum(mutual) / 2, logits


optimizers = []
for net, factor in zip(nets, (1.0, FACTOR)):
    groups = [
        {"params": [p], "factor": factor * settings["lr"], "weight_decay": settings["weight_decay"]}
        for name, p in net.named_parameters()
        # the reference's groups: a cosine classifier is no nn.Linear, so that its weight does not decay
        for settings in [group(name) or {"lr": 1.0, "weight_decay": 0.0 if isinstance(net.classifier, Cosine) and name == "classifier.weight" else DECAY}]
    ]
    optimizers.append(torch.optim.SGD(groups, lr=1.0, momentum=MOMENTUM))

losses, correct = [], []
for step, rate in enumerate(RATES):
    for net in nets:
        net.zero_grad()
    loss, logits = loss_of(step)
    loss.backward()
    losses.append(loss.item())
    correct.append(int((logits[0].argmax(1) == labels).sum()))
    before = []
    with torch.no_grad():
        for net in nets:
            norm = torch.sqrt(sum((p.grad**2).sum() for p in net.parameters()))
            before.append([p.clone() for p in net.parameters()])
            for p in net.parameters():
                p.add_(RHO * p.grad / (norm + 1e-12))
            net.zero_grad()
            net.bn.momentum = 0.0  # running statistics follow the first pass only
    loss_of(step)[0].backward()
    with torch.no_grad():
        for net, kept in zip(nets, before):
            net.bn.momentum = BN_MOMENTUM
            for p, value in zip(net.parameters(), kept):
                p.copy_(value)
    for optimizer in optimizers:
        for g in optimizer.param_groups:
            g["lr"] = rate * g["factor"]
        optimizer.step()
    for name, value in nets[0].state_dict().items():
        average[name] = EMA * average[name] + (1 - EMA) * value if value.dtype.is_floating_point else value


def stored(state):
    return {
        name: {"shape": list(value.shape), "data": [float(f"{v:.9g}") for v in value.flatten().tolist()]}
        for name, value in state.items() if not name.endswith("num_batches_tracked")
    }


Path(__file__).with_name("mixed_step.json" if MIXED else "adaptive_step.json").write_text(json.dumps({
    "made_with": f"torch {torch.__version__.split('+')[0]}",
    "batchSize": BATCH, "side": SIDE, "classes": CLASSES, "channels": CHANNELS, "rho": RHO, "momentum": MOMENTUM,
    "weightDecay": DECAY, "ema": EMA, "epsilon": EPSILON, "margin": MARGIN, "scale": SCALE, "dropout": DROPOUT,
    "factor": FACTOR, "rates": RATES, "meanStd": MEAN_STD, "labels": labels.tolist(),
    "masks": [mask(step).flatten().tolist() for step in range(len(RATES))],
    **({"labelWeights": LABEL_WEIGHTS, "labelSmoothing": SMOOTHING, "classWeights": CLASS_WEIGHTS} if MIXED else {}),
    "losses": losses, "correct": correct,
    "main": stored(nets[0].state_dict()), "auxiliary": stored(nets[1].state_dict()), "average": stored(average),
}) + "\n")
