"""timm on PyTorch, eager and channels last, as a contestant of bench/training_speed.ts.

python train_timm.py MODEL BATCH SIZE THREADS
"""

import sys

from _measure import serve
from _timm import timm, torch

model_id, batch, size, threads = sys.argv[1], *map(int, sys.argv[2:5])
torch.set_num_threads(threads)
torch.manual_seed(0)
model = timm.create_model(model_id, num_classes=100).to(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
images = torch.randn(batch, 3, size, size).to(memory_format=torch.channels_last)
labels = torch.arange(batch) % 100


def switch_to(training):
    if model.training != training:
        model.train(training)


def train():
    switch_to(training=True)
    optimizer.zero_grad(set_to_none=True)
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def evaluate():
    switch_to(training=False)
    with torch.inference_mode():
        return model(images).numpy()


serve(train, evaluate, {"torch": torch.__version__, "timm": timm.__version__})
