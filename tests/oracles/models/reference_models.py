"""timm and OTE reference models with generated weights, with the real or with smooth activations."""

import torch
from torch import nn
from torch.nn import functional as F

import hash_weights
import ote_models

TIMM_IDS = [
    "mobilenetv3_small_100", "mobilenetv3_large_100", "mobilenetv3_large_075", "efficientnet_b0", "efficientnet_lite0",
    "tf_mobilenetv3_small_100", "tf_mobilenetv3_large_100", "tf_mobilenetv3_large_075", "tf_efficientnet_b0",
    "tf_efficientnet_lite0",
]
OTE_IDS = [
    "mobilenetv3_small_100.ote", "mobilenetv3_large_100.ote", "mobilenetv3_large_075.ote", "efficientnet_b0.ote",
]
IDS = TIMM_IDS + OTE_IDS

# How wide the weights are, chosen per family so that activations neither die nor explode in eval mode.
GAINS = {"mobilenetv3_small": 6.0, "mobilenetv3_large": 5.0, "efficientnet_b0": 6.1, "efficientnet_lite0": 5.5}


def gain(model_id):
    return next(value for family, value in GAINS.items() if family in model_id)


SMOOTH = {"ReLU": "silu", "ReLU6": "silu", "Hardswish": "silu", "HardSwish": "silu", "Hardsigmoid": "sigmoid",
          "HardSigmoid": "sigmoid"}


class Silu(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(x)


def make_smooth(model):
    """Puts x * sigmoid(x) in place of ReLU, ReLU6 and hard-swish, and sigmoid in place of hard-sigmoid."""
    for name, child in model.named_children():
        kind = type(child).__name__
        if kind in SMOOTH:
            setattr(model, name, Silu() if SMOOTH[kind] == "silu" else nn.Sigmoid())
        else:
            make_smooth(child)
    return model


def timm_key(model_id, key):
    """The timm-style name of a state-dict key."""
    if not model_id.endswith(".ote"):
        return key
    family = "b0" if "efficientnet" in model_id else "small" if "small" in model_id else "large"
    return ote_models.timm_name(key, family)


def create(model_id, classes=10, dtype=torch.float64, smooth=False):
    """The model with the generated weights, every float32 value of which is exact in either dtype."""
    if model_id.endswith(".ote"):
        model, _ = ote_models.create(model_id, classes)
    else:
        import timm

        model = timm.create_model(model_id, pretrained=False, num_classes=classes)
    state = {}
    for key, value in model.state_dict().items():
        if key.endswith("num_batches_tracked"):
            state[key] = torch.zeros_like(value)
        else:
            state[key] = torch.from_numpy(hash_weights.tensor(timm_key(model_id, key), value.shape, gain(model_id)))
    model.load_state_dict(state)
    if smooth:
        make_smooth(model)
        left = {type(m).__name__ for m in model.modules()} & set(SMOOTH)
        assert not left, left
    return model.to(dtype)


def inputs(first, count, height, width, dtype):
    """NCHW."""
    pixels = torch.from_numpy(hash_weights.network_input(first, count, height, width))
    return pixels.permute(0, 3, 1, 2).contiguous().to(dtype)
