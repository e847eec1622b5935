"""Writes small files with torch.save and safetensors, and what is in them, for tests/models/weights.

    python3 make_torch_files.py        # torch 2.13, safetensors 0.8, numpy 2

Everything is written beside this script.
"""

import io
import json
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

here = Path(__file__).parent
torch.manual_seed(1)


def plain(tensor):
    """What the reader has to give: dtype of the host tensor, shape, row-major numbers."""
    kinds = {torch.int64: "int64", torch.uint8: "uint8", torch.bool: "bool"}
    kinds |= {torch.int32: "int32", torch.int16: "int32", torch.int8: "int32"}
    numbers = tensor.detach().contiguous().flatten()
    dtype = kinds.get(tensor.dtype, "float32")
    data = (numbers.float() if dtype == "float32" else numbers).tolist()
    # JSON has no infinities and no integers beyond 2^53
    data = [str(x) if isinstance(x, int) and abs(x) > 2**53 else int(x) if isinstance(x, bool) else x for x in data]
    data = [str(x) if isinstance(x, float) and x in (float("inf"), float("-inf")) else x for x in data]
    return {"dtype": dtype, "shape": list(tensor.shape), "data": data}


base = torch.randn(6, 5)
shared = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
tensors = OrderedDict(
    float32=torch.randn(2, 3),
    float64=torch.randn(3, dtype=torch.float64),
    float16=torch.tensor([0.0, -0.0, 1.5, 65504.0, 6e-8, -6.1e-5, float("inf"), 0.333], dtype=torch.float16),
    bfloat16=torch.tensor([0.0, -1.0, 3.1415926, 1e38, -1e-38, float("-inf")], dtype=torch.bfloat16),
    int64=torch.tensor([1, -(2**62), 2**62]),
    int32=torch.tensor([[1], [-7]], dtype=torch.int32),
    int16=torch.tensor([300, -300], dtype=torch.int16),
    int8=torch.tensor([5, -5], dtype=torch.int8),
    uint8=torch.tensor([0, 255], dtype=torch.uint8),
    bool=torch.tensor([True, False, True]),
    scalar=torch.tensor(2.5),
    empty=torch.zeros(0, 3),
)
views = OrderedDict(
    transposed=base.t(),
    sliced=base[1:5:2, 1:4],
    expanded=torch.tensor([[1.0], [2.0]]).expand(2, 3),
    permuted=shared.permute(2, 0, 1),
    channels_last=torch.randn(2, 3, 2, 2).to(memory_format=torch.channels_last),
    shared_whole=shared,
    shared_part=shared[1],
    half_transposed=torch.randn(2, 3).half().t(),
    double_sliced=torch.randn(4, 4, dtype=torch.float64)[::2, 1:3],
    bytes_flipped_axes=torch.arange(6, dtype=torch.uint8).reshape(1, 2, 3).permute(2, 0, 1),
    parameter=torch.nn.Parameter(torch.randn(2)),
)
expected = {name: plain(value) for name, value in {**tensors, **views}.items()}
state = OrderedDict({**tensors, **views})
torch.save(state, here / "tensors_zip.pth")
torch.save(state, here / "tensors_legacy.pth", _use_new_zipfile_serialization=False)
torch.save(state, here / "tensors_protocol4.pth", pickle_protocol=4)

# A trainer's checkpoint: a module's own state dict (with _metadata), DataParallel's prefix, an optimizer, numbers.
net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3, bias=False), torch.nn.BatchNorm2d(2))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
net(torch.randn(1, 1, 4, 4)).sum().backward()
optimizer.step()
checkpoint = {
    "state_dict": torch.nn.DataParallel(net).state_dict(),
    "optimizer": optimizer.state_dict(),
    "epoch": 3,
    "rank1": np.float64(0.75),
    "classes_map": {"cat": 0, "dog": 1},
    "best": torch.tensor(0.75),
    "size": torch.Size([1, 2]),
    "device": torch.device("cpu"),
    "dtype": torch.float32,
}
torch.save(checkpoint, here / "checkpoint.pth")
ema = {"model": net.state_dict(), "state_dict_ema": {f"module.{k}": v + 1 for k, v in net.state_dict().items()}}
torch.save(ema, here / "checkpoint_ema.pth")
expected_checkpoint = {name: plain(value) for name, value in net.state_dict().items()}

# Things to refuse. Each would do something if it were unpickled by Python.


class Call:
    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


evil = {"weight": torch.zeros(1), "bomb": Call(os.system, "echo pwned > pwned.txt")}
torch.save(evil, here / "evil_system.pth")
torch.save(evil, here / "evil_legacy.pth", _use_new_zipfile_serialization=False)
torch.save({"weight": torch.zeros(1), "bomb": Call(eval, "1 + 1")}, here / "evil_eval.pth", pickle_protocol=4)
torch.save(net, here / "whole_network.pth")
torch.jit.script(torch.nn.Linear(2, 1)).save(here / "torchscript.pt")
torch.save(torch.zeros(2), here / "one_tensor.pth")
torch.save({"epoch": 1, "lr": 0.1}, here / "no_tensors.pth")

# A tensor whose strides would read 16 TB from 4 bytes.
torch.save({"huge": torch.zeros(1).expand(2**42)}, here / "huge.pth")


def rewrite(source, target, change):
    """The same zip, stored, with one member changed."""
    with zipfile.ZipFile(here / source) as old, zipfile.ZipFile(here / target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))


# The pickle promises more numbers than the storage has; sizes beyond the storage; a deflated archive, which is fine.
torch.save({"w": torch.arange(8.0)}, here / "good.pth")
rewrite("good.pth", "short_storage.pth", lambda name, data: data[:16] if name.endswith("data/0") else data)
rewrite("good.pth", "out_of_bounds.pth", lambda name, data: data.replace(b"K\x08\x85q", b"K\x09\x85q"))
with zipfile.ZipFile(here / "good.pth") as old:
    with zipfile.ZipFile(here / "deflated.pth", "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))

# safetensors, as the reference implementation writes them
stored = {k: v for k, v in tensors.items()}
safetensors.torch.save_file(stored, here / "tensors.safetensors", {"format": "pt"})
writable = {k: stored[k].contiguous() for k in ("float32", "int64", "int32", "uint8", "bool", "scalar", "empty")}
safetensors.torch.save_file(writable, here / "writable.safetensors", {"note": 'a "quoted" ümlaut\n'})

(here / "expected.json").write_text(
    json.dumps({"tensors": expected, "checkpoint": expected_checkpoint, "writable": list(writable)}, indent=1) + "\n"
)
