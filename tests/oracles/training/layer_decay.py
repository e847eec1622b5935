"""Scale of the learning rate of each parameter under layer decay, as timm has it, for tests/training/.

    python layer_decay.py        (writes layer_decay.json beside this file)

Made with torch 2.13.0 and timm 1.0.31: `param_groups_layer_decay` with the models' own `group_matcher(coarse=False)`.
"""
import json
from pathlib import Path

import torch

# torchvision, which timm imports, wants its compiled operators; nothing here calls them.
library = torch.library.Library("torchvision", "DEF")
for name in ("nms", "qnms"):
    library.define(f"{name}(Tensor a, Tensor b, float c) -> Tensor")
import timm  # noqa: E402
from timm.optim._param_groups import param_groups_layer_decay  # noqa: E402

NETWORKS = [
    "mobilenetv3_small_100", "mobilenetv3_large_100", "mobilenetv3_large_075", "efficientnet_b0", "tf_efficientnet_lite0",
]
DECAY = 0.75

out = {}
for network in NETWORKS:
    model = timm.create_model(network, num_classes=7)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = param_groups_layer_decay(model, layer_decay=DECAY)
    scales = {names[id(p)]: group["lr_scale"] for group in groups for p in group["params"]}
    # by scale, the stem's first
    out[network] = [
        {"scale": scale, "names": [name for name in scales if scales[name] == scale]} for scale in sorted(set(scales.values()))
    ]
file = Path(__file__).with_suffix(".json")
file.write_text(json.dumps({"made_with": f"timm {timm.__version__}", "decay": DECAY, "networks": out}) + "\n")
print(file.stat().st_size, "bytes", timm.__version__, {name: len(groups) for name, groups in out.items()})
