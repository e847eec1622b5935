"""NNCF's post-training quantisation of an OpenVINO model, and what all files of a case come to; for bench/quantization.ts.

python quantize_nncf.py FOLDER HEIGHT WIDTH [--skip-nncf]

FOLDER holds fp32.xml, other .xml files to be measured, and as raw bytes, planar RGB: calibration.u8 and test.u8, with the
labels of the latter in labels.i32. Writes nncf.xml, and prints a JSON object by file: top-1 on the test pictures, the
lower quartile of the milliseconds of a picture with one thread (the files in turns), size in bytes, and how the
convolutions ran.
"""

import json
import os
import sys
import time

import numpy
import openvino

folder, height, width = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def pictures(name):
    data = numpy.fromfile(os.path.join(folder, name), dtype=numpy.uint8)
    return data.reshape(-1, 3, height, width)


core = openvino.Core()
calibration, test = pictures("calibration.u8"), pictures("test.u8")
labels = numpy.fromfile(os.path.join(folder, "labels.i32"), dtype=numpy.int32)

seconds = None
if "--skip-nncf" not in sys.argv:
    import nncf

    began = time.perf_counter()
    quantized = nncf.quantize(
        core.read_model(os.path.join(folder, "fp32.xml")),
        nncf.Dataset(list(calibration), lambda picture: picture[None].astype(numpy.float32)),
        preset=nncf.QuantizationPreset.MIXED,
        target_device=nncf.TargetDevice.CPU,
        subset_size=len(calibration),
    )
    seconds = time.perf_counter() - began
    openvino.save_model(quantized, os.path.join(folder, "nncf.xml"), compress_to_fp16=False)

properties = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
names = sorted(file[:-4] for file in os.listdir(folder) if file.endswith(".xml"))
requests, results = {}, {}
for name in names:
    path = os.path.join(folder, name)
    compiled = core.compile_model(core.read_model(f"{path}.xml"), "CPU", properties)
    request = requests[name] = compiled.create_infer_request()
    right = sum(
        int(numpy.argmax(request.infer({0: picture[None].astype(numpy.float32)})[0][0]) == label)
        for picture, label in zip(test, labels)
    )
    kinds = {}
    for node in compiled.get_runtime_model().get_ops():
        info = node.get_rt_info()
        if info["layerType"].astype(str) in ("Convolution", "GroupConvolution", "FullyConnected"):
            kind = info["primitiveType"].astype(str).rsplit("_", 1)[-1]
            kinds[kind] = kinds.get(kind, 0) + 1
    results[name] = {
        "top1": right / len(labels),
        "bytes": os.path.getsize(f"{path}.xml") + os.path.getsize(f"{path}.bin"),
        "kernels": kinds,
    }

times = {name: [] for name in names}
one = test[:1].astype(numpy.float32)
for _ in range(200):
    for name in names:
        began = time.perf_counter()
        requests[name].infer({0: one})
        times[name].append(time.perf_counter() - began)
for name in names:
    results[name]["milliseconds"] = 1000 * sorted(times[name])[len(times[name]) // 4]
if seconds is not None:
    results["nncf"]["seconds"] = seconds
print(json.dumps(results))
