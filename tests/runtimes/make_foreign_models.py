"""Models of another program: writes into the folder that is named on the command line.

bare.xml      a classifier without any word about its use
model_api.xml the same with what ModelAPI wants to know; it takes RGB and is normalised by its caller
softmax.xml   the same with a softmax at its end
two.xml       a model with two inputs and two outputs
table.xml     a classifier of tables with four columns
expected.json what ModelAPI says of the picture beside it, picture.png
"""

import json
import sys
from pathlib import Path

import numpy as np
import openvino as ov
from model_api.models import ClassificationModel
from openvino import opset13 as op
from PIL import Image

folder = Path(sys.argv[1])
random = np.random.default_rng(0)


def picture_classifier(softmax=False):
    images = op.parameter(ov.PartialShape([-1, 3, 24, 32]), np.float32, name="images")
    images.output(0).set_names({"images"})
    filters = op.constant(random.normal(size=(4, 3, 5, 5)).astype(np.float32))
    features = op.relu(op.convolution(images, filters, [2, 2], [2, 2], [2, 2], [1, 1]))
    pooled = op.reduce_mean(features, op.constant(np.array([2, 3])), False)
    weights = op.constant(random.normal(size=(3, 4)).astype(np.float32))
    scores = op.matmul(pooled, weights, False, True)
    if softmax:
        scores = op.softmax(scores, 1)
    scores.output(0).set_names({"scores"})
    return ov.Model([op.result(scores)], [images], "foreign")


def save(model, name):
    ov.save_model(model, folder / name, compress_to_fp16=False)


random = np.random.default_rng(0)
save(picture_classifier(), "bare.xml")
random = np.random.default_rng(0)
save(picture_classifier(softmax=True), "softmax.xml")
random = np.random.default_rng(0)
model = picture_classifier()
information = {
    "model_type": "Classification",
    "labels": "ant bee cat",
    "reverse_input_channels": "True",
    "mean_values": "120.0 110.0 100.0",
    "scale_values": "60.0 50.0 40.0",
    "resize_type": "standard",
    "topk": "3",
    "output_raw_scores": "True",
}
for key, value in information.items():
    model.set_rt_info(value, ["model_info", key])
save(model, "model_api.xml")

x, y = (op.parameter(ov.PartialShape([1, 4]), np.float32, name=name) for name in ("x", "y"))
two = ov.Model([op.result(op.add(x, y)), op.result(op.multiply(x, y))], [x, y], "two")
save(two, "two.xml")
x = op.parameter(ov.PartialShape([1, 4]), np.float32, name="columns")
save(ov.Model([op.result(op.matmul(x, op.constant(np.ones((4, 3), np.float32)), False, False))], [x], "table"), "table.xml")

picture = random.integers(0, 256, size=(24, 32, 3), dtype=np.uint8)
Image.fromarray(picture).save(folder / "picture.png")
opened = ClassificationModel.create_model(str(folder / "model_api.xml"), device="CPU")
found = opened(picture[:, :, ::-1].copy())
(folder / "expected.json").write_text(
    json.dumps({"labels": [label.name for label in found.top_labels], "scores": [float(x) for x in found.raw_scores]})
)
