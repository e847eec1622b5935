"""One measurement of timm on PyTorch, for bench/training_speed.ts: prints one line of JSON.

python train_timm.py MODEL BATCH SIZE STEPS
"""

import json
import sys
import time

start = time.perf_counter()
from _timm import timm, torch  # noqa: E402

model_id, batch, size, steps = sys.argv[1], *map(int, sys.argv[2:5])
torch.manual_seed(0)
model = timm.create_model(model_id, num_classes=100).to(memory_format=torch.channels_last).train()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
images = torch.randn(batch, 3, size, size).to(memory_format=torch.channels_last)
labels = torch.arange(batch) % 100


def step():
    optimizer.zero_grad(set_to_none=True)
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


step()
first_step = time.perf_counter() - start
step()
times = []
for _ in range(steps):
    began = time.perf_counter()
    step()
    times.append(time.perf_counter() - began)
with open("/proc/self/status") as file:
    peak = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))

model.eval()
with torch.inference_mode():
    model(images)
    began = time.perf_counter()
    for _ in range(steps):
        model(images)
    evaluation = steps * batch / (time.perf_counter() - began)

print(json.dumps({
    "imagesPerSecond": batch / sorted(times)[len(times) // 2],
    "firstStepSeconds": first_step,
    "peakMemoryBytes": peak,
    "evaluationImagesPerSecond": evaluation,
}))
