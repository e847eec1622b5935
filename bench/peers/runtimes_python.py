"""An exported file in the runtimes' own Python, as a contestant of bench/runtimes.ts: prints figures as JSON.

python runtimes_python.py FILE latency|batch|throughput THREADS SECONDS
"""

import json
import sys
import time

import numpy

file, mode, threads, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
IN_FLIGHT = 4
rows = 32 if mode == "batch" else 1


def pictures(shape):
    size = [rows, 3, int(shape[2]), int(shape[3])]
    index = numpy.arange(numpy.prod(size), dtype=numpy.int64)
    return (index * index % 251).astype(numpy.float32).reshape(size)


if file.endswith(".xml"):
    import openvino

    properties = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "THROUGHPUT" if mode == "throughput" else "LATENCY",
    }
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(file), "CPU", properties)
    data = pictures([dimension.get_max_length() for dimension in compiled.inputs[0].partial_shape])
    request = compiled.create_infer_request()

    def run():
        return request.infer({0: data}, share_inputs=True, share_outputs=False)[0]

else:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    data = pictures(session.get_inputs()[0].shape)
    name = session.get_inputs()[0].name

    def run():
        return session.run(None, {name: data})[0]


for _ in range(3):
    run()
start = time.perf_counter()
if mode == "throughput":
    queue = openvino.AsyncInferQueue(compiled)
    runs = 0
    while time.perf_counter() - start < seconds:
        queue.start_async({0: data}, share_inputs=True)
        runs += 1
    queue.wait_all()
    print(json.dumps({"milliseconds": 1000 * (time.perf_counter() - start) / runs}))
else:
    times = []
    while len(times) < 5 or time.perf_counter() - start < seconds:
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    times.sort()
    print(json.dumps({"milliseconds": 1000 * times[len(times) // 20]}))
