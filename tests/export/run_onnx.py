"""Checks ONNX models and runs them in onnxruntime. Standard input: a JSON list of {onnx, input, shape, output}: the path
of the model, of a file of float32 numbers that is fed, the shape of that, and where to write what the first output gives.
Standard output: for each what onnx and onnxruntime say of the model."""

import json
import sys

import numpy as np
import onnx
import onnxruntime


def port(value):
    return {"name": value.name, "shape": value.shape, "type": value.type}


results = []
for wanted in json.load(sys.stdin):
    model = onnx.load(wanted["onnx"])
    onnx.checker.check_model(model, full_check=True)
    said = {value.name: value.type for value in model.graph.value_info}
    # What the file says of its values is taken out, so that inference has to find it by itself.
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    del bare.graph.value_info[:]
    found = onnx.shape_inference.infer_shapes(bare, check_type=True, strict_mode=True, data_prop=True)
    inferred = {value.name: value.type for value in found.graph.value_info}
    values = {name for node in model.graph.node for name in node.output} - {value.name for value in model.graph.output}
    session = onnxruntime.InferenceSession(wanted["onnx"], providers=["CPUExecutionProvider"])
    images = np.fromfile(wanted["input"], np.float32).reshape(wanted["shape"])
    (output,) = session.run(None, {session.get_inputs()[0].name: images})
    output.astype(np.float32).tofile(wanted["output"])
    results.append({
        "opset": model.opset_import[0].version,
        "inputs": [port(value) for value in session.get_inputs()],
        "outputs": [port(value) for value in session.get_outputs()],
        "shape": list(output.shape),
        "untyped": sorted(values - said.keys()),
        "otherwise": sorted(name for name in said if name in inferred and said[name] != inferred[name]),
        "properties": session.get_modelmeta().custom_metadata_map,
        "operations": [node.op_type for node in model.graph.node],
    })
json.dump(results, sys.stdout)
