"""Optuna's searches for a learning rate over tables of recorded accuracies, for tests/lr_finder/.

    python search.py        (writes search.json beside this file)

Made with optuna 4.9.0, numpy 2.4.6, scipy 1.17.1. (optuna 5.0.0 writes the same file, but for its version.)

A study is what OpenVINO Training Extensions 2021 did: suggest_float("lr", low, high, step=step), a rate that was tried
before is pruned at once, the accuracy is reported after each epoch, the value is that of the last epoch. What is written
down of a study are its trials, whether the pruner wanted to stop each after each epoch, the best one, and for some of
the trials all that Optuna's TPE did to choose their rate. Rates are written as their index on the grid.

Of equal rates the older one comes first. Optuna leaves that to numpy's default sort, which is not stable and depends on
the vector instructions of the CPU. It changes nothing but for repeated rates among more than 25 trials.
"""
import json
import math
import warnings
from pathlib import Path

import numpy as np
import optuna
import scipy.special
from optuna.samplers import GridSampler, TPESampler
from optuna.samplers._tpe import parzen_estimator, sampler as tpe
from optuna.trial import TrialState

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")

EPOCHS = 6
STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


class StableNumpy:
    """numpy, but equal numbers stay in their order."""

    def __getattr__(self, name):
        return getattr(np, name)

    def argsort(self, values):
        return np.argsort(values, kind="stable")


parzen_estimator.np = StableNumpy()


class Diverged(Exception):
    pass


def table(count, best, width, images, noise, seed, diverges_from=math.inf):
    """Accuracy after each epoch for each of `count` rates: best at a share of the grid, worse away from it, rounded to
    what a validation set of `images` pictures can give; None where the loss diverges."""
    rng = np.random.RandomState(seed)
    rows = []
    for index in range(count):
        place = index / max(1, count - 1)
        full = 0.85 * math.exp(-((place - best) / width) ** 2)
        row = []
        for epoch in range(EPOCHS):
            accuracy = 0.1 + full * (1 - math.exp(-(epoch + 1) / 2)) + rng.normal(0, noise)
            row.append(round(min(1, max(0, accuracy)) * images) / images)
        rows.append(None if index >= diverges_from else row)
    return rows


def mixture(estimator):
    kernels = estimator._mixture_distribution
    normal = kernels.distributions[0]
    return {"weights": kernels.weights.tolist(), "means": normal.mu.tolist(), "sigmas": normal.sigma.tolist()}


class WatchedTPE(TPESampler):
    """Optuna's sampler, told to write down what it does."""

    def __init__(self, recorded, index, **options):
        super().__init__(**options)
        self.recorded, self.index, self.record = recorded, index, None

    def _sample(self, study, trial, search_space):
        self.record = {"trial": trial.number}
        chosen = super()._sample(study, trial, search_space)
        if trial.number in self.recorded:
            self.record["chosen"] = self.index(chosen["lr"])
            self.recorded[trial.number] = self.record
        self.record = None
        return chosen

    def _build_parzen_estimator(self, study, search_space, trials, handle_below):
        estimator = super()._build_parzen_estimator(study, search_space, trials, handle_below)
        side = "below" if handle_below else "above"
        self.record[side] = {"trials": [trial.number for trial in trials], **mixture(estimator)}
        return estimator

    def _compute_acquisition_func(self, samples, mpe_below, mpe_above):
        self.record["candidates"] = [self.index(rate) for rate in samples["lr"]]
        self.record["below"]["logDensities"] = mpe_below.log_pdf(samples).tolist()
        self.record["above"]["logDensities"] = mpe_above.log_pdf(samples).tolist()
        return super()._compute_acquisition_func(samples, mpe_below, mpe_above)


def run(name, bounds, rows, trials, watched=(), grid=False, prune=True, seed=1):
    low, high, step = bounds

    def index(rate):
        return round((rate - low) / step)

    suggestions = {number: None for number in watched}
    if grid:
        sampler = GridSampler({"lr": [low + step * i for i in range(len(rows))]}, seed=seed)
    else:
        sampler = WatchedTPE(suggestions, index, n_startup_trials=5, seed=seed)
    pruner = optuna.pruners.MedianPruner()
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    tried, prunings = set(), {}

    def objective(trial):
        place = index(trial.suggest_float("lr", low, high, step=step))
        wanted = prunings[trial.number] = []
        if place in tried:
            raise optuna.TrialPruned()
        tried.add(place)
        if rows[place] is None:
            trial.report(0.1, 0)
            raise Diverged()
        for epoch, value in enumerate(rows[place]):
            trial.report(value, epoch)
            wanted.append(bool(trial.should_prune()))
            if prune and wanted[-1]:
                raise optuna.TrialPruned()
        return rows[place][-1]

    study.optimize(objective, n_trials=trials, catch=(Diverged,))
    written = []
    for trial in study.trials:
        values = [trial.intermediate_values[epoch] for epoch in sorted(trial.intermediate_values)]
        state = STATES[trial.state]
        if state == "pruned" and not values:
            state = "duplicate"
        written.append({"rate": index(trial.params["lr"]), "values": values, "state": state, "prune": prunings[trial.number]})
    for number, suggestion in suggestions.items():
        assert suggestion is not None, (name, number)
    return {
        "name": name,
        "bounds": {"minLearningRate": low, "maxLearningRate": high, "step": step},
        "rates": len(rows),
        "trials": written,
        "best": study.best_trial.number,
        "suggestions": list(suggestions.values()),
    }


def tpe_studies():
    mobilenet, efficientnet = (0.005, 0.03, 0.001), (0.001, 0.01, 0.001)
    return [
        run("a hump", mobilenet, table(26, 0.3, 0.5, 500, 0.01, 1), 15, (5, 6, 9, 10, 14)),
        run("a hump, nothing pruned", mobilenet, table(26, 0.7, 0.4, 500, 0.01, 2), 40, (5, 11, 25, 30, 39), prune=False, seed=2),
        run("ties", mobilenet, table(26, 0.5, 5, 20, 0.02, 3), 40, (5, 8, 20, 31, 39)),
        run("few rates, many duplicates", efficientnet, table(10, 0.2, 0.6, 300, 0.01, 4), 40, (6, 21, 39)),
        run("fewer complete trials than good ones", (0.001, 0.004, 0.001), table(4, 0.5, 1, 300, 0.01, 5), 60, (5, 22, 41, 59)),
        run("most are pruned", mobilenet, table(26, 0.5, 0.5, 300, 0.01, 10), 161, (99, 160)),
        run("high rates diverge", mobilenet, table(26, 0.2, 0.4, 300, 0.01, 6, diverges_from=15), 25, (8, 15, 24)),
        run("a step that does not meet the highest rate", (0.005, 0.0307, 0.001), table(26, 0.9, 0.4, 300, 0.01, 7), 20, (7, 19)),
        run("a fine step", (0.001, 0.03, 0.00005), table(581, 0.4, 0.3, 1000, 0.005, 8), 80, (12, 31, 52, 79), prune=False),
        run("a wide range", (0.0001, 1.0, 0.0001), table(10_000, 0.05, 0.1, 1000, 0.01, 9), 30, (9, 29)),
    ]


def grid_studies():
    mobilenet = (0.005, 0.03, 0.001)
    return [
        run("the whole grid", mobilenet, table(26, 0.3, 0.5, 500, 0.01, 11), 26, grid=True, prune=False),
        run("the whole grid, pruned", mobilenet, table(26, 0.6, 0.5, 500, 0.01, 12), 26, grid=True),
        run("part of the grid, ties", mobilenet, table(26, 0.6, 3, 20, 0.02, 13), 15, grid=True),
        run("high rates diverge", mobilenet, table(26, 0.2, 0.4, 300, 0.01, 14, diverges_from=15), 26, grid=True, seed=3),
    ]


def draws(study, number, size):
    """How often Optuna draws each rate from the mixture of good rates of one suggestion."""
    suggestion = next(found for found in study["suggestions"] if found["trial"] == number)
    bounds = study["bounds"]
    low, high, step = bounds["minLearningRate"], bounds["maxLearningRate"], bounds["step"]
    rates = np.array([low + step * study["trials"][trial]["rate"] for trial in suggestion["below"]["trials"]])
    space = {"lr": optuna.distributions.FloatDistribution(low, high, step=step)}
    estimator = parzen_estimator._ParzenEstimator({"lr": rates}, space, TPESampler()._parzen_estimator_parameters)
    found = estimator.sample(np.random.RandomState(0), size)["lr"]
    counts = np.bincount(np.round((found - low) / step).astype(int), minlength=study["rates"])
    return {"study": study["name"], "trial": number, "counts": counts.tolist()}


def error_function():
    x = np.concatenate([np.linspace(-3, 3, 61), [1e-300, 1e-10, 1.2499, 1.25, 1.2501, 4, 5, 8, 13, 20, 26, 40]])
    shares = [0.5, 0.25, 0.025, 0.05 / 2 / 15, 1e-6, 1e-12, 0.9]
    quantiles = [[share, -scipy.special.ndtri(share)] for share in shares]
    return {
        "x": x.tolist(), "erf": scipy.special.erf(x).tolist(), "erfc": scipy.special.erfc(x).tolist(),
        "quantiles": quantiles,
    }


def main():
    studies = tpe_studies()
    out = {
        "optuna": optuna.__version__,
        "gamma": [tpe.default_gamma(count) for count in range(300)],
        "weights": {count: tpe.default_weights(count).tolist() for count in (1, 24, 25, 26, 27, 40)},
        "tpe": studies,
        "grid": grid_studies(),
        "draws": draws(studies[0], 14, 200_000),
        "errorFunction": error_function(),
    }
    text = json.dumps(out, separators=(",", ":"))
    for key in ('{"name"', '"suggestions"', '{"trial"', '"grid"', '"draws"', '"errorFunction"'):
        text = text.replace(key, "\n" + key)
    Path(__file__).with_name("search.json").write_text(text + "\n")


main()
