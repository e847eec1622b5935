"""Writes the reference values of the operators: python make_oracles.py. Needs torch and numpy.

All tensors are stored, and computed, in the layouts of tfjs (NHWC, HWIO, [k, k, C, 1], dense [in, out]) unless a name
says otherwise. Inputs and upstream gradients are not stored: they are `uniform(<case>.<tensor>)` of
tests/models/hash_weights.ts, times `scale` plus `offset` where the case gives them. PyTorch computes in float64.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "models"))
from hash_weights import uniform  # noqa: E402


def generated(name, shape, scale=1.0, offset=0.0):
    values = uniform(name, int(np.prod(shape)))
    values = values * np.float32(scale) + np.float32(offset)
    return torch.from_numpy(values.reshape(shape)).to(torch.float64)


def packed(tensor):
    tensor = tensor.detach()
    return {"shape": list(tensor.shape), "data": [float(f"{v:.8g}") for v in tensor.contiguous().numpy().ravel()]}


def gradients(output, upstream, inputs):
    """d(sum(output * upstream)) / d(each input)."""
    grads = torch.autograd.grad((output * upstream).sum(), list(inputs.values()))
    return {name: packed(grad) for name, grad in zip(inputs, grads)}


def leaf(tensor):
    return tensor.clone().requires_grad_(True)


def same_padding(size, kernel, stride):
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return [total // 2, total - total // 2]


def convolutions(depthwise):
    cases = []
    for kernel in (1, 3, 5):
        for stride in (1, 2):
            for height, width in ((7, 9), (8, 6), (5, 5)):
                for padding in ("symmetric", "same"):
                    if depthwise and kernel == 1:
                        continue
                    if padding == "symmetric":
                        pads = [[kernel // 2] * 2] * 2
                    else:
                        pads = [same_padding(height, kernel, stride), same_padding(width, kernel, stride)]
                    name = f"{'depthwise' if depthwise else 'conv'}.k{kernel}s{stride}.{height}x{width}.{padding}"
                    channels, outputs = 3, 3 if depthwise else 4
                    x = leaf(generated(f"{name}.x", (2, height, width, channels)))
                    filter_shape = (kernel, kernel, channels, 1 if depthwise else outputs)
                    weights = leaf(generated(f"{name}.filter", filter_shape))
                    nchw = F.pad(x.permute(0, 3, 1, 2), (*pads[1], *pads[0]))
                    oihw = weights.permute(2, 3, 0, 1) if depthwise else weights.permute(3, 2, 0, 1)
                    y = F.conv2d(nchw, oihw, stride=stride, groups=channels if depthwise else 1).permute(0, 2, 3, 1)
                    dy = generated(f"{name}.dy", y.shape)
                    cases.append({
                        "name": name, "kernel": kernel, "stride": stride, "padding": padding, "pads": pads,
                        "shapes": {"x": list(x.shape), "filter": list(filter_shape), "dy": list(y.shape)},
                        "y": packed(y), "gradients": gradients(y, dy, {"x": x, "filter": weights}),
                    })
    return cases


def batch_norms():
    cases = []
    for shape in ((4, 5, 3, 6), (2, 1, 1, 5), (8, 6)):
        for epsilon in (1e-5, 1e-3):
            for training in (True, False):
                name = f"batch_norm.{'x'.join(map(str, shape))}.{epsilon:g}.{'train' if training else 'eval'}"
                channels = shape[-1]
                x = leaf(generated(f"{name}.x", shape, 2.0, 0.5))
                scale = leaf(generated(f"{name}.scale", (channels,), 0.5, 1.0))
                offset = leaf(generated(f"{name}.offset", (channels,)))
                mean = generated(f"{name}.mean", (channels,))
                variance = generated(f"{name}.variance", (channels,), 0.5, 1.0)
                new_mean, new_variance = mean.clone(), variance.clone()
                nchw = x.permute(0, 3, 1, 2) if len(shape) == 4 else x
                y = F.batch_norm(nchw, new_mean, new_variance, scale, offset, training, 0.1, epsilon)
                y = y.permute(0, 2, 3, 1) if len(shape) == 4 else y
                dy = generated(f"{name}.dy", shape)
                cases.append({
                    "name": name, "epsilon": epsilon, "momentum": 0.1, "training": training,
                    "shapes": {"x": list(shape), "scale": [channels], "offset": [channels], "mean": [channels],
                               "variance": [channels], "dy": list(shape)},
                    "scales": {"x": [2.0, 0.5], "scale": [0.5, 1.0], "variance": [0.5, 1.0]},
                    "y": packed(y), "mean": packed(new_mean), "variance": packed(new_variance),
                    "gradients": gradients(y, dy, {"x": x, "scale": scale, "offset": offset}),
                })
    return cases


def activations():
    functions = {
        "relu": F.relu, "relu6": F.relu6, "hard_swish": F.hardswish, "hard_sigmoid": F.hardsigmoid, "swish": F.silu,
        "sigmoid": torch.sigmoid,
    }
    kinks = {"relu": [0], "relu6": [0, 6], "hard_swish": [-3, 3], "hard_sigmoid": [-3, 3], "swish": [], "sigmoid": []}
    grid = torch.cat([
        torch.arange(-9, 9.0625, 0.25), torch.tensor([-100, -30, 30, 100, -3.0001, -2.9999, 2.9999, 3.0001, 5.9999, 6.0001]),
    ]).to(torch.float32).to(torch.float64)
    cases = []
    for name, function in functions.items():
        x = leaf(grid)
        y = function(x)
        cases.append({
            "name": name, "kinks": kinks[name], "x": packed(x), "y": packed(y),
            "gradient": gradients(y, torch.ones_like(y), {"x": x})["x"],
        })
    return cases


def squeeze_excites():
    cases = []
    for activation, gate in (("relu", "hard_sigmoid"), ("swish", "sigmoid")):
        name = f"squeeze_excite.{activation}.{gate}"
        shapes = {"x": (2, 5, 3, 8), "reduce.weight": (1, 1, 8, 4), "reduce.bias": (4,), "expand.weight": (1, 1, 4, 8),
                  "expand.bias": (8,)}
        t = {key: leaf(generated(f"{name}.{key}", shape, 2.0)) for key, shape in shapes.items()}
        pooled = t["x"].mean((1, 2))
        inner = pooled @ t["reduce.weight"][0, 0] + t["reduce.bias"]
        inner = F.relu(inner) if activation == "relu" else F.silu(inner)
        inner = inner @ t["expand.weight"][0, 0] + t["expand.bias"]
        gates = F.hardsigmoid(inner) if gate == "hard_sigmoid" else torch.sigmoid(inner)
        y = t["x"] * gates[:, None, None, :]
        dy = generated(f"{name}.dy", y.shape)
        cases.append({
            "name": name, "activation": activation, "gate": gate, "scale": 2.0,
            "shapes": {**{k: list(v) for k, v in shapes.items()}, "dy": list(y.shape)},
            "y": packed(y), "gradients": gradients(y, dy, t),
        })
    return cases


def pools_and_dense():
    x = leaf(generated("pool.x", (3, 5, 7, 4)))
    y = x.mean((1, 2))
    pool = {"name": "pool", "shapes": {"x": [3, 5, 7, 4], "dy": [3, 4]}, "y": packed(y),
            "gradients": gradients(y, generated("pool.dy", (3, 4)), {"x": x})}
    x = leaf(generated("linear.x", (5, 7)))
    weight, bias = leaf(generated("linear.weight", (7, 3))), leaf(generated("linear.bias", (3,)))
    y = F.linear(x, weight.t(), bias)
    linear = {"name": "linear", "shapes": {"x": [5, 7], "weight": [7, 3], "bias": [3], "dy": [5, 3]}, "y": packed(y),
              "gradients": gradients(y, generated("linear.dy", (5, 3)), {"x": x, "weight": weight, "bias": bias})}
    return [pool, linear]


def cross_entropies():
    cases = []
    for shape, scale in (((6, 5), 3.0), ((1, 2), 1.0), ((4, 7), 80.0)):
        for weighted in (False, True):
            for smoothing in (0.0, 0.1):
                name = f"cross_entropy.{shape[0]}x{shape[1]}.{'weighted' if weighted else 'plain'}.{smoothing:g}"
                logits = leaf(generated(f"{name}.logits", shape, scale))
                labels = torch.tensor([(3 * i + 1) % shape[1] for i in range(shape[0])])
                weights = generated(f"{name}.weights", (shape[1],), 0.5, 1.0) if weighted else None
                loss = F.cross_entropy(logits, labels, weight=weights, label_smoothing=smoothing)
                cases.append({
                    "name": name, "labels": labels.tolist(), "weighted": weighted, "labelSmoothing": smoothing,
                    "scale": scale, "shapes": {"logits": list(shape), "weights": [shape[1]]}, "loss": float(f"{loss.item():.9g}"),
                    "gradient": gradients(loss, torch.ones(()), {"logits": logits})["logits"],
                })
    return cases


def sgd_steps():
    cases = []
    for nesterov in (False, True):
        for momentum, decay in ((0.9, 5e-4), (0.0, 0.0), (0.9, 0.1)):
            if nesterov and momentum == 0:
                continue
            name = f"sgd.{'nesterov' if nesterov else 'plain'}.{momentum:g}.{decay:g}"
            parameter = leaf(generated(f"{name}.parameter", (3, 4)))
            optimizer = torch.optim.SGD([parameter], lr=1.0, momentum=momentum, weight_decay=decay, nesterov=nesterov)
            rates, after = [0.1, 0.05, 0.02], []
            for step, rate in enumerate(rates):
                optimizer.param_groups[0]["lr"] = rate
                parameter.grad = generated(f"{name}.gradient{step}", (3, 4))
                optimizer.step()
                buffer = optimizer.state[parameter].get("momentum_buffer")
                after.append({"parameter": packed(parameter), "momentum": packed(buffer) if buffer is not None else None})
            cases.append({
                "name": name, "nesterov": nesterov, "momentum": momentum, "weightDecay": decay, "learningRates": rates,
                "shape": [3, 4], "steps": after,
            })
    return cases


def fake_quantizations():
    """A range, or one for each channel. PyTorch rounds halves to even and cuts gradients by the rounded number, TensorFlow
    neither: no number is half-way between two steps or within a step outside of the range."""
    cases = []
    for name, bits, narrow, zeros in (
        ("bytes", 8, False, [100]), ("positive", 8, False, [0]), ("symmetric", 8, True, [128]), ("seven", 7, True, [64]),
        ("channels", 8, True, [128] * 4), ("seven channels", 7, True, [64] * 4),
    ):
        first, last = (1 if narrow else 0), 2**bits - 1
        channels = len(zeros)
        step = np.float32(2.0 ** -6) * (1 + np.arange(channels, dtype=np.float32))
        low, high = (first - np.array(zeros)) * step, (last - np.array(zeros)) * step
        x = generated(f"fake_quantize.{name}.x", (24, channels), 1.5).numpy() * (last - first) * step / 2
        x = x + (low + high) / 2
        whole = x / step
        whole = np.where(np.abs(whole - np.floor(whole) - 0.5) < 0.05, whole + 0.2, whole)
        outside = (whole * step < low) | (whole * step > high)
        whole = np.where(outside, whole + 2 * np.sign(whole - (low + high) / step / 2), whole)
        x = leaf(torch.from_numpy((whole * step).astype(np.float32)))
        scale = torch.from_numpy(step.astype(np.float32))
        if channels == 1:
            y = torch.fake_quantize_per_tensor_affine(x, float(scale[0]), zeros[0], first, last)
        else:
            y = torch.fake_quantize_per_channel_affine(x, scale, torch.tensor(zeros, dtype=torch.int32), 1, first, last)
        dy = generated(f"fake_quantize.{name}.dy", y.shape).to(torch.float32)
        dx = gradients(y, dy, {"x": x})["x"]
        # An end of the range moves what is clipped to it.
        below, above = x.detach() < torch.from_numpy(low), x.detach() > torch.from_numpy(high)
        cases.append({
            "name": name, "bits": bits, "narrow": narrow, "x": packed(x), "dy": packed(dy), "y": packed(y),
            "min": [float(v) for v in low], "max": [float(v) for v in high],
            "gradients": {"x": dx, "min": packed((dy * below).sum(0)), "max": packed((dy * above).sum(0))},
        })
    return cases


def main():
    for file, cases in {
        "conv2d": convolutions(False), "depthwise_conv2d": convolutions(True), "batch_norm": batch_norms(),
        "activations": activations(), "squeeze_excite": squeeze_excites(), "pool_and_linear": pools_and_dense(),
        "cross_entropy": cross_entropies(), "sgd": sgd_steps(), "fake_quantize": fake_quantizations(),
    }.items():
        text = json.dumps({"torch": torch.__version__.split("+")[0], "cases": cases}, separators=(",", ":"))
        (HERE / f"{file}.json").write_text(text + "\n")
        print(file, len(cases), "cases", len(text) // 1024, "KiB")


if __name__ == "__main__":
    main()
