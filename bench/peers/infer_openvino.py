"""OpenVINO as a contestant of bench/inference_speed.ts: prints the median milliseconds of a batch as JSON.

python infer_openvino.py MODEL WEIGHTS BATCH SIZE THREADS SECONDS NORMALISATION LOGITS
"""

import json
import sys
import time

import numpy
from _timm import timm, torch
import openvino
from openvino.preprocess import PrePostProcessor
from safetensors.torch import load_file

model_id, weights, batch, size, threads, seconds, normalisation, logits_path = sys.argv[1:9]
batch, size = int(batch), int(size)
state = load_file(weights)
network = timm.create_model(model_id, num_classes=100).eval()
network.load_state_dict({name: value for name, value in state.items()}, strict=False)

example = torch.zeros(batch, 3, size, size)
model = openvino.convert_model(network, example_input=example, input=[list(example.shape)])
normalisation = json.loads(normalisation)
steps = PrePostProcessor(model)
steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
steps.input().model().set_layout(openvino.Layout("NCHW"))
steps.input().preprocess().convert_element_type(openvino.Type.f32).mean(
    [255 * value for value in normalisation["mean"]]
).scale([255 * value for value in normalisation["std"]])
compiled = openvino.Core().compile_model(
    steps.build(),
    "CPU",
    {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": int(threads),
        "PERFORMANCE_HINT": "LATENCY",
    },
)

count = batch * size * size * 3
index = numpy.arange(count, dtype=numpy.int64)
pixels = (index * index % 251).astype(numpy.uint8).reshape(batch, size, size, 3)
request = compiled.create_infer_request()


def run():
    return request.infer({0: pixels})[0]


run().astype(numpy.float32).tofile(logits_path)
run()
times = []
start = time.perf_counter()
while len(times) < 5 or time.perf_counter() - start < float(seconds):
    began = time.perf_counter()
    run()
    times.append(time.perf_counter() - began)
times.sort()
print(json.dumps({"milliseconds": 1000 * times[len(times) // 2]}))
