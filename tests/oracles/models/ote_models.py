"""The OTE variants (deep-object-reid, 2021), written from their published description and independent of timm.

MobileNetV3: squeeze-excite comes before the activation of an expanded block, and the classifier has a batch norm.
EfficientNet-B0: the function of timm's efficientnet_b0 under other names.
`timm_name` maps a key of either to the timm-style name the weights are generated under.
"""

import re

import torch
from torch import nn


def make_divisible(value, divisor=8):
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


class LinearSE(nn.Module):
    """pool -> Linear -> ReLU -> Linear -> hard-sigmoid."""

    def __init__(self, channels):
        super().__init__()
        squeezed = make_divisible(channels // 4)
        self.fc = nn.Sequential(nn.Linear(channels, squeezed), nn.ReLU(), nn.Linear(squeezed, channels), nn.Hardsigmoid())

    def forward(self, x):
        return x * self.fc(x.mean((2, 3)))[:, :, None, None]


class MobileBlock(nn.Module):
    def __init__(self, inputs, expanded, outputs, kernel, stride, squeeze, hard_swish):
        super().__init__()
        act = nn.Hardswish if hard_swish else nn.ReLU
        se = LinearSE(expanded) if squeeze else nn.Identity()
        depthwise = nn.Conv2d(expanded, expanded, kernel, stride, (kernel - 1) // 2, groups=expanded, bias=False)
        if inputs == expanded:
            self.conv = nn.Sequential(
                depthwise, nn.BatchNorm2d(expanded), act(), se,
                nn.Conv2d(expanded, outputs, 1, bias=False), nn.BatchNorm2d(outputs),
            )
        else:
            self.conv = nn.Sequential(
                nn.Conv2d(inputs, expanded, 1, bias=False), nn.BatchNorm2d(expanded), act(),
                depthwise, nn.BatchNorm2d(expanded), se, act(),
                nn.Conv2d(expanded, outputs, 1, bias=False), nn.BatchNorm2d(outputs),
            )
        self.same_width = inputs == outputs
        object.__setattr__(self, "strided", depthwise)  # not a second name in the state dict

    def forward(self, x):
        residual = self.same_width and self.strided.stride == (1, 1)
        return x + self.conv(x) if residual else self.conv(x)


# kernel, expanded channels (0: times the width below), output channels, squeeze-excite, hard-swish, stride
LARGE = [
    (3, 1, 16, 0, 0, 1), (3, 4, 24, 0, 0, 2), (3, 3, 24, 0, 0, 1), (5, 3, 40, 1, 0, 2), (5, 3, 40, 1, 0, 1),
    (5, 3, 40, 1, 0, 1), (3, 6, 80, 0, 1, 2), (3, 2.5, 80, 0, 1, 1), (3, 2.3, 80, 0, 1, 1), (3, 2.3, 80, 0, 1, 1),
    (3, 6, 112, 1, 1, 1), (3, 6, 112, 1, 1, 1), (5, 6, 160, 1, 1, 2), (5, 6, 160, 1, 1, 1), (5, 6, 160, 1, 1, 1),
]
SMALL = [
    (3, 1, 16, 1, 0, 2), (3, 4.5, 24, 0, 0, 2), (3, 3.67, 24, 0, 0, 1), (5, 4, 40, 1, 1, 2), (5, 6, 40, 1, 1, 1),
    (5, 6, 40, 1, 1, 1), (5, 3, 48, 1, 1, 1), (5, 3, 48, 1, 1, 1), (5, 6, 96, 1, 1, 2), (5, 6, 96, 1, 1, 1),
    (5, 6, 96, 1, 1, 1),
]


class OteMobileNetV3(nn.Module):
    def __init__(self, settings, width, features, classes):
        super().__init__()
        channels = make_divisible(16 * width)
        layers = [nn.Sequential(nn.Conv2d(3, channels, 3, 2, 1, bias=False), nn.BatchNorm2d(channels), nn.Hardswish())]
        for kernel, ratio, outputs, squeeze, hard_swish, stride in settings:
            outputs = make_divisible(outputs * width)
            expanded = make_divisible(channels * ratio)
            layers.append(MobileBlock(channels, expanded, outputs, kernel, stride, squeeze, hard_swish))
            channels = outputs
        self.features = nn.Sequential(*layers)
        convolutions = [module for module in self.features.modules() if isinstance(module, nn.Conv2d)]
        self.first_halvings = tuple([module for module in convolutions if module.stride == (2, 2)][:2])
        self.conv = nn.Sequential(nn.Conv2d(channels, expanded, 1, bias=False), nn.BatchNorm2d(expanded), nn.Hardswish())
        self.classifier = nn.Sequential(
            nn.Linear(expanded, features), nn.BatchNorm1d(features), nn.Hardswish(), nn.Identity(), nn.Linear(features, classes)
        )

    def set_input_height(self, height):
        """Pictures under 100 pixels high skip the first two halvings."""
        for module in self.first_halvings:
            module.stride = (1, 1) if height < 100 else (2, 2)

    def forward(self, x):
        self.set_input_height(x.shape[2])
        return self.classifier(self.conv(self.features(x)).mean((2, 3)))


def conv_bn(inputs, outputs, kernel=1, stride=1, groups=1, act=True):
    block = nn.Sequential()
    block.add_module("conv", nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False))
    block.add_module("bn", nn.BatchNorm2d(outputs))
    if act:
        block.add_module("activ", nn.SiLU())
    return block


class ConvSE(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.conv1, self.activ = nn.Conv2d(channels, squeezed, 1), nn.SiLU()
        self.conv2, self.sigmoid = nn.Conv2d(squeezed, channels, 1), nn.Sigmoid()

    def forward(self, x):
        return x * self.sigmoid(self.conv2(self.activ(self.conv1(x.mean((2, 3), keepdim=True)))))


class FirstUnit(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.dw_conv = conv_bn(inputs, inputs, 3, groups=inputs)
        self.se = ConvSE(inputs, inputs // 4)
        self.pw_conv = conv_bn(inputs, outputs, act=False)

    def forward(self, x):
        return self.pw_conv(self.se(self.dw_conv(x)))


class Unit(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride):
        super().__init__()
        expanded = inputs * 6
        self.conv1 = conv_bn(inputs, expanded)
        self.conv2 = conv_bn(expanded, expanded, kernel, stride, groups=expanded)
        self.se = ConvSE(expanded, inputs // 4)
        self.conv3 = conv_bn(expanded, outputs, act=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.conv3(self.se(self.conv2(self.conv1(x))))
        return x + y if self.residual else y


class OteEfficientNetB0(nn.Module):
    STAGES = [
        [(24, 3, 2), (24, 3, 1)],
        [(40, 5, 2), (40, 5, 1)],
        [(80, 3, 2), (80, 3, 1), (80, 3, 1), (112, 5, 1), (112, 5, 1), (112, 5, 1)],
        [(192, 5, 2), (192, 5, 1), (192, 5, 1), (192, 5, 1), (320, 3, 1)],
    ]

    def __init__(self, classes):
        super().__init__()
        self.features = nn.Sequential()
        init_block = nn.Sequential()
        init_block.add_module("conv", conv_bn(3, 32, 3, 2))
        self.features.add_module("init_block", init_block)
        stage = nn.Sequential()
        stage.add_module("unit1", FirstUnit(32, 16))
        self.features.add_module("stage1", stage)
        channels = 16
        for i, units in enumerate(self.STAGES):
            stage = nn.Sequential()
            for j, (outputs, kernel, stride) in enumerate(units):
                stage.add_module(f"unit{j + 1}", Unit(channels, outputs, kernel, stride))
                channels = outputs
            self.features.add_module(f"stage{i + 2}", stage)
        self.features.add_module("final_block", conv_bn(channels, 1280))
        self.output = nn.Sequential()
        self.output.add_module("fc", nn.Linear(1280, classes))

    def forward(self, x):
        return self.output(self.features(x).mean((2, 3)))


STAGE_SIZES = {"large": [1, 2, 3, 4, 2, 3], "small": [1, 2, 3, 2, 3], "b0": [1, 2, 2, 3, 3, 4, 1]}


def _stage_and_block(index, family):
    for stage, size in enumerate(STAGE_SIZES[family]):
        if index < size:
            return f"blocks.{stage}.{index}"
        index -= size
    raise IndexError(index)


def timm_name(key, family):
    """OTE key -> timm-style key (`classifier_bn.*` for the batch norm timm does not have)."""
    if family == "b0":
        key = re.sub(r"^features\.init_block\.conv\.conv\.", "conv_stem.", key)
        key = re.sub(r"^features\.init_block\.conv\.bn\.", "bn1.", key)
        key = re.sub(r"^features\.final_block\.conv\.", "conv_head.", key)
        key = re.sub(r"^features\.final_block\.bn\.", "bn2.", key)
        key = re.sub(r"^output\.fc\.", "classifier.", key)
        found = re.match(r"^features\.stage(\d)\.unit(\d)\.(.*)$", key)
        if not found:
            return key
        before = [0, 1, 3, 5, 11][int(found[1]) - 1]
        rest = found[3]
        parts = {
            "dw_conv.conv": "conv_dw", "dw_conv.bn": "bn1", "pw_conv.conv": "conv_pw", "pw_conv.bn": "bn2",
            "conv1.conv": "conv_pw", "conv1.bn": "bn1", "conv2.conv": "conv_dw", "conv2.bn": "bn2",
            "conv3.conv": "conv_pwl", "conv3.bn": "bn3", "se.conv1": "se.conv_reduce", "se.conv2": "se.conv_expand",
        }
        module, leaf = rest.rsplit(".", 1)
        return f"{_stage_and_block(before + int(found[2]) - 1, family)}.{parts[module]}.{leaf}"
    module, leaf = key.rsplit(".", 1)
    last = f"blocks.{len(STAGE_SIZES[family])}.0"
    fixed = {
        "features.0.0": "conv_stem", "features.0.1": "bn1", "conv.0": f"{last}.conv", "conv.1": f"{last}.bn1",
        "classifier.0": "conv_head", "classifier.1": "classifier_bn", "classifier.4": "classifier",
    }
    if module in fixed:
        return f"{fixed[module]}.{leaf}"
    found = re.match(r"^features\.(\d+)\.conv\.(.*)$", module)
    index = int(found[1]) - 1
    if index == 0:
        parts = {"0": "conv_dw", "1": "bn1", "3.fc.0": "se.conv_reduce", "3.fc.2": "se.conv_expand", "4": "conv_pw", "5": "bn2"}
    else:
        parts = {
            "0": "conv_pw", "1": "bn1", "3": "conv_dw", "4": "bn2", "5.fc.0": "se.conv_reduce", "5.fc.2": "se.conv_expand",
            "7": "conv_pwl", "8": "bn3",
        }
    return f"{_stage_and_block(index, family)}.{parts[found[2]]}.{leaf}"


def create(model_id, classes):
    """(model, family) for an `.ote` id."""
    if model_id == "mobilenetv3_large_100.ote":
        return OteMobileNetV3(LARGE, 1.0, 1280, classes), "large"
    if model_id == "mobilenetv3_large_075.ote":
        return OteMobileNetV3(LARGE, 0.75, 1280, classes), "large"
    if model_id == "mobilenetv3_small_100.ote":
        return OteMobileNetV3(SMALL, 1.0, 1024, classes), "small"
    if model_id == "efficientnet_b0.ote":
        return OteEfficientNetB0(classes), "b0"
    raise KeyError(model_id)


def self_check():
    """The published parameter totals at 1000 classes, without the classifier's batch norm."""
    for model_id, features, total in [
        ("mobilenetv3_large_100.ote", 1280, 5_483_032), ("mobilenetv3_large_075.ote", 1280, 3_993_528),
        ("mobilenetv3_small_100.ote", 1024, 2_542_856), ("efficientnet_b0.ote", 0, 5_288_548),
    ]:
        count = sum(p.numel() for p in create(model_id, 1000)[0].parameters()) - 2 * features
        assert count == total, (model_id, count, total)


if __name__ == "__main__":
    self_check()
