"""Runs OpenVINO models in OpenVINO. Standard input: a JSON list of {xml, input, shape, output}: the path of the model,
of a file of float32 numbers that is fed, the shape of that, and where to write what the first output gives. Standard
output: for each what OpenVINO says of the model and of the way it runs it."""

import json
import sys

import numpy as np
import openvino as ov


def port(value):
    return {
        "names": sorted(value.names),
        "shape": str(value.partial_shape),
        "type": value.element_type.get_type_name(),
        "layout": ov.layout_helpers.get_layout(value).to_string(),
    }


def layer(node):
    info = node.get_rt_info()
    text = lambda key: info[key].astype(str) if key in info else ""
    return {
        "type": text("layerType"),
        "from": text("originalLayersNames"),
        "precision": text("runtimePrecision"),
        "kernel": text("primitiveType"),
    }


core = ov.Core()
results = []
for wanted in json.load(sys.stdin):
    model = core.read_model(wanted["xml"])
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    shape = wanted["shape"]
    images = np.fromfile(wanted["input"], np.float32).reshape(shape)
    result = compiled({model.inputs[0].get_any_name(): images})
    output = result[0]
    output.astype(np.float32).tofile(wanted["output"])
    results.append({
        "inputs": [port(value) for value in model.inputs],
        "outputs": [port(value) for value in model.outputs],
        "shape": list(output.shape),
        "layers": [layer(node) for node in compiled.get_runtime_model().get_ordered_ops()],
    })
json.dump(results, sys.stdout)
