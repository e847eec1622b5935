"""Learning rates and stopping epochs from torch.optim.lr_scheduler, for tests/training/.

    python schedules.py        (writes schedules.json beside this file)

Made with torch 2.13.0, in float64.
"""
import json
import warnings
from pathlib import Path

import numpy as np
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, ReduceLROnPlateau, SequentialLR

warnings.simplefilter("ignore")


def optimizer(learning_rate):
    return SGD([torch.nn.Parameter(torch.zeros(1))], lr=learning_rate)


def rates(sgd, scheduler, epochs):
    found = []
    for _ in range(epochs):
        found.append(sgd.param_groups[0]["lr"])
        sgd.step()
        scheduler.step()
    return found


def cosine(learning_rate, epochs):
    sgd = optimizer(learning_rate)
    return rates(sgd, CosineAnnealingLR(sgd, T_max=epochs), epochs + 1)


def warm_up(learning_rate, warm_up_epochs, epochs, kind):
    sgd = optimizer(learning_rate)
    rise = LambdaLR(sgd, lambda epoch: 0.1 + 0.9 * epoch / warm_up_epochs)
    rest = CosineAnnealingLR(sgd, T_max=epochs - warm_up_epochs) if kind == "cosine" else LambdaLR(sgd, lambda epoch: 1.0)
    return rates(sgd, SequentialLR(sgd, [rise, rest], milestones=[warm_up_epochs]), epochs)


def stopping(top1, patience):
    """ReduceLROnPlateau counts epochs that are not strictly better, and acts when there are more than its patience: with
    patience - 1 it acts in the very epoch in which a run with that patience should stop."""
    sgd = optimizer(1.0)
    plateau = ReduceLROnPlateau(sgd, mode="max", factor=0.5, patience=patience - 1, threshold=0.0, threshold_mode="abs")
    waited = []
    for epoch, value in enumerate(top1):
        plateau.step(value)
        if sgd.param_groups[0]["lr"] < 1.0:
            return {"top1": top1, "patience": patience, "stopsAt": epoch, "best": plateau.best, "waited": [*waited, patience]}
        waited.append(plateau.num_bad_epochs)
    return {"top1": top1, "patience": patience, "stopsAt": None, "best": plateau.best, "waited": waited}


def plateau(losses, learning_rate, patience, factor, threshold, floor):
    sgd = optimizer(learning_rate)
    scheduler = ReduceLROnPlateau(
        sgd, mode="min", factor=factor, patience=patience, threshold=threshold, min_lr=learning_rate * floor
    )
    found = [learning_rate]
    for loss in losses:
        scheduler.step(loss)
        found.append(sgd.param_groups[0]["lr"])
    return {
        "learningRate": learning_rate, "patience": patience, "factor": factor, "threshold": threshold, "floor": floor,
        "losses": losses, "rates": found,
    }


rng = np.random.default_rng(3)
falls = [
    [round(float(v), 4) for v in np.abs(2 * 0.9 ** np.arange(60) + 0.3 + rng.normal(0, noise, 60))]
    for noise in (0.0, 0.001, 0.02, 0.2)
]
rng = np.random.default_rng(3)
walks = [[round(float(v), 2) for v in np.clip(0.5 + np.cumsum(rng.normal(0.01, 0.03, 25)), 0, 1)] for _ in range(6)]
out = {
    "cosine": [
        {"learningRate": lr, "epochs": epochs, "rates": cosine(lr, epochs)}
        for lr, epochs in [(0.013, 35), (0.003, 1), (0.003, 2), (0.5, 7), (0.013, 200)]
    ],
    "warmUp": [
        {"learningRate": lr, "warmUpEpochs": w, "epochs": epochs, "schedule": kind, "rates": warm_up(lr, w, epochs, kind)}
        for lr, w, epochs, kind in [(0.013, 5, 35, "cosine"), (0.003, 1, 2, "cosine"), (1.0, 5, 8, "constant"), (0.02, 3, 12, "cosine")]
    ],
    "plateau": [
        plateau(losses, lr, patience, factor, threshold, floor)
        for losses in [*falls, [1.0] * 30, [1.0, float(np.float64(1 - 2e-4)), 0.9, 0.9, 0.8999] * 4]
        for lr, patience, factor, threshold, floor in [(0.013, 5, 0.1, 2e-4, 1 / 200), (1.0, 0, 0.5, 1e-2, 1 / 8)]
    ],
    "earlyStopping": [stopping(top1, patience) for top1 in [*walks, [0.0, 0.0, 0.0], [0.5], [1.0, 0.9, 0.8]] for patience in (1, 2, 5)],
}
file = Path(__file__).with_name("schedules.json")
file.write_text(json.dumps(out, separators=(",", ":")) + "\n")
print(file.stat().st_size, "bytes;", sum(c["stopsAt"] is not None for c in out["earlyStopping"]), "of", len(out["earlyStopping"]), "runs stop")
