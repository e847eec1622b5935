"""What the peers of bench/training_speed.ts share: they take a first step, print their versions as JSON, and then
measure for each line "STEPS SECONDS" of standard input."""

import json
import platform
import sys
import time


def repeat(call, steps, least):
    """Seconds of each of at least `steps` calls, and of as many as `least` seconds take, after one not counted."""
    call()
    seconds = []
    start = time.perf_counter()
    while len(seconds) < steps or time.perf_counter() - start < least:
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return seconds


def peak_memory_bytes():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


def serve(train, evaluate, versions):
    """`train` and `evaluate` run one batch each and return when it is computed."""
    train()
    print(json.dumps({"versions": {"python": platform.python_version(), **versions}}), flush=True)
    for line in sys.stdin:
        steps, seconds = int(line.split()[0]), float(line.split()[1])
        training = repeat(train, steps, seconds)
        peak = peak_memory_bytes()
        evaluation = repeat(evaluate, steps, seconds / 2)
        answer = {"trainingSeconds": training, "evaluationSeconds": evaluation, "peakMemoryBytes": peak}
        print(json.dumps(answer), flush=True)
