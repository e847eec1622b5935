"""Writes the reference values of the networks: python make_oracles.py [model id ...]. See README.md beside this file.

Needs torch, timm and numpy. Writes <model id>.eval.json, <model id>.smooth.json, <model id>.real.json,
<model id>.keys.json and complexity.json.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import hash_weights
import reference_models as reference

HERE = Path(__file__).parent
CLASSES = 10
EVAL_SIZES = [(224, 224), (97, 131)]
EVAL_IMAGES = 4
BATCH = 8
SGD = {"learningRate": 0.013, "momentum": 0.9, "weightDecay": 5e-4, "steps": 3}
LABEL_SMOOTHING = 0.1
FULL_UP_TO = 32
# Ways PyTorch computes in float32; the yardstick for "as good as float32 PyTorch" is the worst of them per tensor.
# The order of the samples in a batch changes nothing but the rounding, and so which elements change sides at the kinks.
FLOAT32_WAYS = [{}, {"channels_last": True}, {"mkldnn": False}]
SHUFFLED_WAYS = [{"shuffle": seed, "channels_last": seed % 2 == 0} for seed in range(1, 5)]


def train_size(model_id):
    """Odd maps inside, and not square. OTE's networks are other ones under 100 pixels of height."""
    return (104, 72) if model_id.endswith(".ote") else (72, 96)


def rounded(value):
    return float(f"{float(value):.7g}")


def numbers(values):
    return [rounded(value) for value in np.asarray(values, dtype=np.float64).ravel()]


def norm(value):
    return float(np.linalg.norm(np.asarray(value, dtype=np.float64).ravel()))


def record(name, value, others):
    """Norm, the largest relative error of the float32 computations, and the tensor itself or its projections."""
    flat = np.asarray(value, dtype=np.float64).ravel()
    size = norm(flat)
    result = {"norm": rounded(size)}
    error = max(norm(other.ravel() - flat) for other in others)
    result["float32"] = float(f"{error / size if size > 0 else error:.3g}")
    if flat.size <= FULL_UP_TO:
        result["values"] = numbers(flat)
    else:
        result["projections"] = numbers(hash_weights.signs(name, flat.size) @ flat)
    return result


def array(tensor):
    return tensor.detach().to(torch.float64).contiguous().numpy()


def is_parameter(key):
    return not key.endswith(("running_mean", "running_var", "num_batches_tracked"))


def train(model_id, smooth, weighted, dtype, channels_last=False, mkldnn=True, shuffle=0):
    """Three SGD steps; everything under timm-style names."""
    torch.backends.mkldnn.enabled = mkldnn
    model = reference.create(model_id, CLASSES, dtype, smooth).train()
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=SGD["learningRate"], momentum=SGD["momentum"], weight_decay=SGD["weightDecay"]
    )
    weight = torch.from_numpy(hash_weights.class_weights(CLASSES)).to(dtype) if weighted else None
    rename = lambda key: reference.timm_key(model_id, key)
    before = {rename(k): array(v).copy() for k, v in model.named_parameters()}
    result = {"losses": []}
    for step in range(SGD["steps"]):
        first = step * BATCH
        x = reference.inputs(first, BATCH, *train_size(model_id), dtype)
        y = torch.from_numpy(hash_weights.labels(first, BATCH, CLASSES))
        if shuffle:
            order = np.random.default_rng(shuffle + step).permutation(BATCH)
            x, y = x[order], y[order]
        if channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
        logits = model(x)
        loss = F.cross_entropy(logits, y, weight=weight, label_smoothing=LABEL_SMOOTHING if weighted else 0.0)
        optimizer.zero_grad()
        loss.backward()
        result["losses"].append(float(loss.detach()))
        if step == 0:
            result["logits"] = array(logits).copy()
            result["gradients"] = {rename(k): array(v.grad).copy() for k, v in model.named_parameters()}
            result["statistics"] = {
                rename(k): array(v).copy() for k, v in model.named_buffers() if not k.endswith("num_batches_tracked")
            }
        optimizer.step()
    after = {rename(k): array(v) for k, v in model.named_parameters()}
    result["changes"] = {k: after[k] - before[k] for k in after}
    result["sizes"] = {k: norm(after[k]) for k in after}
    torch.backends.mkldnn.enabled = True
    return result


def train_oracle(model_id, smooth, weighted):
    exact = train(model_id, smooth, weighted, torch.float64)
    others = [train(model_id, smooth, weighted, torch.float32, **way) for way in FLOAT32_WAYS + ([] if smooth else SHUFFLED_WAYS)]
    table = lambda part: {k: record(k, v, [o[part][k] for o in others]) for k, v in exact[part].items()}

    def whole(part):
        size = np.sqrt(sum(norm(v) ** 2 for v in exact[part].values()))
        errors = [np.sqrt(sum(norm(o[part][k] - v) ** 2 for k, v in exact[part].items())) for o in others]
        return [float(f"{error / size:.3g}") for error in errors]

    changes = table("changes")
    for key, entry in changes.items():
        entry["parameterNorm"] = rounded(exact["sizes"][key])
    return {
        "model": model_id, "gain": reference.gain(model_id), "activations": "smooth" if smooth else "real",
        "loss": {"classWeights": weighted, "labelSmoothing": LABEL_SMOOTHING if weighted else 0.0},
        "train": {"batch": BATCH, "height": train_size(model_id)[0], "width": train_size(model_id)[1], "classes": CLASSES},
        "sgd": SGD, "versions": {"torch": torch.__version__.split("+")[0]},
        "losses": numbers(exact["losses"]),
        "lossesFloat32": [float(f"{max(abs(o['losses'][i] - v) for o in others):.3g}") for i, v in enumerate(exact["losses"])],
        "logits": numbers(exact["logits"]),
        "float32": {part: whole(part) for part in ["gradients", "changes", "statistics"]},
        "gradients": table("gradients"), "statistics": table("statistics"),
        "changes": changes,
    }


def eval_oracle(model_id):
    sizes = []
    for height, width in EVAL_SIZES:
        logits = {}
        for dtype in (torch.float64, torch.float32):
            for smooth in (False, True):
                model = reference.create(model_id, CLASSES, dtype, smooth).eval()
                with torch.no_grad():
                    logits[dtype, smooth] = array(model(reference.inputs(0, EVAL_IMAGES, height, width, dtype)))
        exact, single = logits[torch.float64, False], logits[torch.float32, False]
        sizes.append({
            "height": height, "width": width, "float64": numbers(exact), "float32": numbers(single),
            "smooth": numbers(logits[torch.float64, True]),
            "float32Error": float(f"{np.abs(single - exact).max() / (exact.max() - exact.min()):.3g}"),
        })
    return {"model": model_id, "gain": reference.gain(model_id), "classes": CLASSES, "images": EVAL_IMAGES, "sizes": sizes}


def keys_oracle(model_id):
    """Keys and shapes of the state dict, as load_state_dict wants them (`num_batches_tracked` left out)."""
    model = reference.create(model_id, CLASSES)
    state = {k: list(v.shape) for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    result = {"model": model_id, "classes": CLASSES, "shapes": state}
    if model_id.endswith(".ote"):
        result["timmNames"] = {k: reference.timm_key(model_id, k) for k in state}
    return result


def complexity(model_id, classes):
    """2 x multiply-accumulates of convolutions and dense layers at 224 x 224, and the number of parameters."""
    model = reference.create(model_id, classes, torch.float32).eval()
    flops = 0

    def count(module, args, output):
        nonlocal flops
        if isinstance(module, nn.Conv2d):
            flops += 2 * output[0].numel() * module.weight[0].numel()
        else:
            flops += 2 * output[0].numel() * module.in_features

    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(count)
    with torch.no_grad():
        model(torch.zeros(1, 3, 224, 224))
    return {"classes": classes, "flops": flops, "parameters": sum(p.numel() for p in model.parameters())}


def initial_spread(model_id):
    """Standard deviation (and bound, for uniform) of each freshly initialised weight, and of constant tensors the value."""
    import timm

    torch.manual_seed(0)
    model = timm.create_model(model_id, pretrained=False, num_classes=100)
    table = {}
    for key, value in model.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        if value.min() == value.max():
            table[key] = {"constant": float(value.min())}
        else:
            table[key] = {"std": float(f"{value.std():.4g}"), "largest": float(f"{value.abs().max():.4g}")}
    return table


# The published sets of weights the registry knows.
PRETRAINED = [
    "mobilenetv3_small_100.lamb_in1k", "mobilenetv3_large_100.ra_in1k", "efficientnet_b0.ra_in1k",
    "efficientnet_lite0.ra_in1k", "tf_mobilenetv3_small_100.in1k", "tf_mobilenetv3_large_100.in1k",
    "tf_mobilenetv3_large_075.in1k", "tf_efficientnet_b0.in1k", "tf_efficientnet_lite0.in1k",
]


def pretrained_config(model_id):
    import timm

    config = timm.get_pretrained_cfg(model_id)
    return {
        "mean": config.mean, "std": config.std, "interpolation": config.interpolation, "size": config.input_size[1:],
        "repository": config.hf_hub_id, "license": config.license, "classes": config.num_classes,
    }


def write(name, value):
    text = json.dumps(value, separators=(",", ":"))
    (HERE / name).write_text(text + "\n")
    print(name, len(text) // 1024, "KiB", flush=True)


def main(ids):
    torch.set_num_threads(int(os.environ.get("THREADS", "2")))
    kinds = os.environ.get("KINDS", "eval,smooth,real").split(",")
    for model_id in ids:
        if "eval" in kinds:
            write(f"{model_id}.keys.json", keys_oracle(model_id))
            write(f"{model_id}.eval.json", eval_oracle(model_id))
        for kind in [kind for kind in kinds if kind != "eval"]:
            smooth = weighted = kind == "smooth"
            oracle = train_oracle(model_id, smooth, weighted)
            print(model_id, kind, oracle["losses"], oracle["lossesFloat32"], oracle["float32"], flush=True)
            write(f"{model_id}.{kind}.json", oracle)
    if ids == reference.IDS:
        write("complexity.json", {i: [complexity(i, 100), complexity(i, 37)] for i in ids})
        write("pretrained_configs.json", {i: pretrained_config(i) for i in PRETRAINED})
        write("initial_spread.json", {i: initial_spread(i) for i in ["mobilenetv3_small_100", "efficientnet_b0"]})


if __name__ == "__main__":
    main(sys.argv[1:] or reference.IDS)
