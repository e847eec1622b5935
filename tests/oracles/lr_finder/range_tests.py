"""Range tests of torch-lr-finder on real pictures, for tests/lr_finder/.

    python range_tests.py        (writes range_tests.json beside this file)

Made with torch-lr-finder 0.2.2, torch 2.13.0, scikit-learn 1.9.1, numpy 2.4.6.

The pictures are scikit-learn's handwritten digits, 8 x 8; the network is a small one with two convolutions. Each curve is
one LRFinder.range_test() with SGD: the loss of each batch, the learning rates and smoothed losses in its history, and
the rate that plot() suggests. Between them they show what a user meets: curves with one clear fall, rates far too low,
rates far too high, batches so small that the loss is noise, and few batches.
"""
import contextlib
import io
import json
from pathlib import Path

import matplotlib
import numpy as np
import sklearn.datasets
import torch

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from torch.utils.data import DataLoader, TensorDataset
from torch_lr_finder import LRFinder

torch.set_num_threads(1)


class WatchedFinder(LRFinder):
    """torch-lr-finder's finder, told to keep the loss of each batch."""

    def _train_batch(self, *arguments, **options):
        loss = super()._train_batch(*arguments, **options)
        self.batch_losses.append(loss)
        return loss


def network():
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 16, 3, padding=1), torch.nn.BatchNorm2d(16), torch.nn.ReLU(),
        torch.nn.Conv2d(16, 32, 3, stride=2, padding=1), torch.nn.BatchNorm2d(32), torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(32, 10),
    )


def run(name, low, high, batches, smoothing, batch_size=32, momentum=0.0, warm_up=0, random_labels=False, seed=0):
    torch.manual_seed(seed)
    pictures, labels = sklearn.datasets.load_digits(return_X_y=True)
    images = torch.tensor(pictures.reshape(-1, 1, 8, 8) / 8 - 1, dtype=torch.float32)
    targets = torch.randint(10, (len(labels),)) if random_labels else torch.tensor(labels)
    loader = DataLoader(TensorDataset(images, targets), batch_size=batch_size, shuffle=True, drop_last=True)
    model, criterion = network(), torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=momentum)
    for _ in range(warm_up):
        for inputs, wanted in loader:
            optimizer.zero_grad()
            criterion(model(inputs), wanted).backward()
            optimizer.step()
    optimizer = torch.optim.SGD(model.parameters(), lr=low, momentum=momentum)
    finder = WatchedFinder(model, optimizer, criterion, device="cpu")
    finder.batch_losses = []
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        finder.range_test(loader, start_lr=low, end_lr=high, num_iter=batches, step_mode="exp", smooth_f=smoothing, diverge_th=5)
        _, suggestion = finder.plot()
    plt.close("all")
    return {
        "name": name, "minLearningRate": low, "maxLearningRate": high, "batches": batches, "smoothing": smoothing,
        "losses": finder.batch_losses, "rates": finder.history["lr"], "smoothed": finder.history["loss"],
        "suggestion": suggestion,
    }


def main():
    curves = [
        run("wide", 1e-4, 10, 100, 0.05),
        run("wide, the reference's smoothing", 1e-4, 10, 100, 0.01, seed=1),
        run("wide, not smoothed", 1e-4, 10, 100, 0, seed=2),
        run("wide, momentum, diverges", 1e-3, 1000, 120, 0.3, momentum=0.9, seed=3),
        run("far too low", 1e-7, 1e-5, 100, 0.05, seed=4),
        run("far too high", 5, 100, 60, 0.3, momentum=0.9, seed=5),
        run("batches of 2", 1e-4, 1e-2, 100, 0.05, batch_size=2, seed=6),
        run("random labels", 1e-3, 0.1, 100, 0.05, random_labels=True, seed=7),
        run("the recommended bounds, warmed up", 0.005, 0.03, 56, 0.01, warm_up=1, momentum=0.9, seed=8),
        run("the recommended bounds, few batches", 0.005, 0.03, 28, 0.01, batch_size=64, warm_up=1, seed=9),
        run("17 batches", 1e-3, 1, 17, 0.05, batch_size=64, seed=10),
    ]
    out = {"gradient": [], "curves": curves}
    random = np.random.RandomState(0)
    for size in (2, 3, 10):
        losses = np.round(random.rand(size), 3)
        out["gradient"].append({"losses": losses.tolist(), "gradient": np.gradient(losses).tolist()})
    text = json.dumps(out, separators=(",", ":")).replace('{"name"', '\n{"name"')
    Path(__file__).with_name("range_tests.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
