"""Reads event files with TensorBoard's own reader and prints their scalars, with the hashes of the files it read.

    deno run -A write_run.ts run && python read_run.py run > scalars.json    (tensorboard 2.21)
"""
import hashlib
import json
import pathlib
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

accumulator = EventAccumulator(sys.argv[1])
accumulator.Reload()
print("{")
hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(pathlib.Path(sys.argv[1]).iterdir())]
print(' "sha256":', json.dumps(hashes), end="")
for tag in sorted(accumulator.Tags()["scalars"]):
    values = [[event.step, round(event.value, 6)] for event in accumulator.Scalars(tag)]
    print(f',\n {json.dumps(tag)}:', json.dumps(values), end="")
print("\n}")
