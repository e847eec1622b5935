"""An exported file in the runtimes' own Python, as a contestant of bench/runtimes.ts: says when it is ready, then
measures for every line it is given, and answers with milliseconds.

python runtimes_python.py FILE latency|batch|throughput THREADS SECONDS
"""

import sys
import time

import numpy

file, mode, threads, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
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


def one_by_one():
    """Median time of a call."""
    times, start = [], time.perf_counter()
    while not times or time.perf_counter() - start < seconds:
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return 1000 * sorted(times)[len(times) // 2]


def several_at_once():
    """Time by the number of calls."""
    start, runs = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        queue.start_async({0: data}, share_inputs=True)
        runs += 1
    queue.wait_all()
    return 1000 * (time.perf_counter() - start) / runs


if mode == "throughput":
    queue = openvino.AsyncInferQueue(compiled)
for _ in range(3):
    run()
print("ready", flush=True)
for _ in sys.stdin:
    print(several_at_once() if mode == "throughput" else one_by_one(), flush=True)
