"""Does what a manifest asks of timm's and torchvision's models; prints one JSON object.

    python timm_models.py manifest.json

The manifest is a list of tasks:
  {"do": "run", "library": "timm", "model": ..., "classes": ..., "weights": <safetensors>, "input": <float32 file>,
   "shape": [n, 3, h, w]}
      opens the weights as the documentation says, strictly, and gives "logits"
  {"do": "save", "library": "timm" | "torchvision", "model": ..., "classes": ..., "path": <.safetensors or .pth>,
   "input": ..., "shape": ...}
      saves a model with random weights and statistics, and gives its "logits"
"""

import json
import re
import sys

import numpy
import torch


def import_torchvision():
    """torchvision built for another torch has no compiled operators; declare what it wants to describe."""
    libraries = []
    for _ in range(50):
        try:
            import torchvision

            return torchvision, libraries
        except RuntimeError as error:
            name = re.search(r"torchvision::(\w+)", str(error))
            if not name:
                raise
            library = torch.library.Library("torchvision", "FRAGMENT")
            library.define(f"{name[1]}(Tensor a, Tensor b, float c) -> Tensor")
            libraries.append(library)
            for module in [m for m in sys.modules if m.split(".")[0] == "torchvision"]:
                del sys.modules[module]
    raise RuntimeError("torchvision cannot be imported")


torchvision, _libraries = import_torchvision()
import safetensors.torch  # noqa: E402
import timm  # noqa: E402

torch.set_num_threads(2)


def create(task):
    if task["library"] == "timm":
        return timm.create_model(task["model"], num_classes=task["classes"])
    return torchvision.models.get_model(task["model"], num_classes=task["classes"])


def randomise(model, seed):
    """Statistics and affine parameters of batch norms away from the identity."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor, low, high in [
                (module.running_mean, -0.2, 0.2),
                (module.running_var, 0.5, 1.5),
                (module.weight.data, 0.7, 1.3),
                (module.bias.data, -0.2, 0.2),
            ]:
                tensor.uniform_(low, high, generator=generator)


def main():
    answers = []
    metadata = None
    for index, task in enumerate(json.load(open(sys.argv[1]))):
        torch.manual_seed(index)
        model = create(task)
        if task["do"] == "run":
            model.load_state_dict(safetensors.torch.load_file(task["weights"]))
            with safetensors.safe_open(task["weights"], "pt") as file:
                metadata = file.metadata()
        else:
            randomise(model, index)
            path = task["path"]
            save = safetensors.torch.save_file if path.endswith(".safetensors") else torch.save
            save(model.state_dict(), path)
        images = numpy.fromfile(task["input"], dtype=numpy.float32).reshape(task["shape"])
        with torch.no_grad():
            logits = model.eval()(torch.from_numpy(images))
        answers.append({"logits": logits.double().tolist()})
    print(json.dumps({"answers": answers, "lastMetadata": metadata, "timm": timm.__version__}))


main()
