"""Learning rate and momentum of every step from torch.optim.lr_scheduler.OneCycleLR, for tests/training/.

    python one_cycle.py        (writes one_cycle.json beside this file)

Made with torch 2.13.0, in float64.
"""
import json
import warnings
from pathlib import Path

import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR

warnings.simplefilter("ignore")


def one_cycle(learning_rate, steps, percent=0.3, divisor=25.0, final=1e4, anneal="cos", momentum=(0.85, 0.95)):
    sgd = SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0, momentum=0.9)
    scheduler = OneCycleLR(
        sgd, max_lr=learning_rate, total_steps=steps, pct_start=percent, anneal_strategy=anneal, div_factor=divisor,
        final_div_factor=final, cycle_momentum=momentum is not None,
        **({} if momentum is None else {"base_momentum": momentum[0], "max_momentum": momentum[1]}),
    )
    rates, momenta = [], []
    for step in range(steps):
        rates.append(sgd.param_groups[0]["lr"])
        momenta.append(sgd.param_groups[0]["momentum"])
        sgd.step()
        if step < steps - 1:
            scheduler.step()
    return {
        "learningRate": learning_rate, "steps": steps, "percentStart": percent, "divisor": divisor,
        "finalDivisor": final, "anneal": anneal, "momentum": momentum, "rates": rates, "momenta": momenta,
    }


out = [
    one_cycle(0.013, 60),
    one_cycle(0.013, 60, anneal="linear"),
    one_cycle(0.5, 37, 0.25, 25.0, 4000.0),  # fastai's: it divides the highest rate by 1e5 = 25 * 4000
    one_cycle(1.0, 24, 0.5, 10.0, 100.0, "linear", (0.8, 0.99)),
    one_cycle(0.003, 12, 0.0, 4.0, 1e3),
    one_cycle(0.02, 9, 0.9, momentum=None),
    one_cycle(0.02, 5, 0.1),
    one_cycle(0.02, 1),
]
file = Path(__file__).with_suffix(".json")
file.write_text(json.dumps(out, separators=(",", ":")) + "\n")
print(file.stat().st_size, "bytes")
