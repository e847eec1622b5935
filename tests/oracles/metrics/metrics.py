"""Values of the metrics from scikit-learn, SciPy, torch and NumPy, for tests/metrics/.

    python metrics.py        (writes metrics.json beside this file; seeds are fixed)

Made with scikit-learn 1.9.1, SciPy 1.17.1, torch 2.13.0, NumPy 2.4.6.
"""
import json
import warnings
from pathlib import Path

import numpy as np
import torch
from scipy.stats import binomtest
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

warnings.simplefilter("ignore")


def interpolated_average_precision(scores, positive):
    """VOC all points, straight from the definition: for every recall that is reached, the best precision at that
    recall or a higher one. Thresholds are the distinct scores, so equal scores are one step."""
    positives = positive.sum()
    if positives == 0:
        return 0.0
    points = []
    for threshold in np.unique(scores)[::-1]:
        chosen = scores >= threshold
        points.append(((chosen & positive).sum() / positives, (chosen & positive).sum() / chosen.sum()))
    area, before = 0.0, 0.0
    for recall in sorted({r for r, _ in points}):
        area += (recall - before) * max(p for r, p in points if r >= recall)
        before = recall
    return float(area)


def reference_mean_average_precision(scores, labels):
    """The evaluation tool of 2021, restated: float32 curves with a start and an end point, mean over all columns.
    Only for scores without ties, where its unstable sort is determined."""
    aps = []
    for column in range(scores.shape[1]):
        hit = (labels == column)[np.argsort(-scores[:, column])]
        tp = np.cumsum(hit).astype(np.float32)
        recall = np.concatenate([[0], tp / np.float32(max(hit.sum(), 1)), [1]]).astype(np.float32)
        precision = np.concatenate([[0], tp / np.arange(1, len(hit) + 1, dtype=np.float32), [0]]).astype(np.float32)
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        aps.append(np.sum((recall[1:] - recall[:-1]) * precision[1:]))
    return float(np.mean(np.array(aps, dtype=np.float32)))


def top_k(scores, labels, k):
    classes = scores.shape[1]
    if classes == 2:  # scikit-learn takes two columns for a binary problem and refuses: add a class nobody reaches
        scores = np.concatenate([np.full((len(scores), 1), scores.min() - 1), scores], axis=1)
        if k >= 2:
            return 1.0
        return float(sk.top_k_accuracy_score(labels + 1, scores, k=k, labels=range(3)))
    return float(sk.top_k_accuracy_score(labels, scores, k=k, labels=range(classes)))


def case(name, logits, labels, ties=False):
    logits = np.asarray(logits, dtype=np.float32)
    labels = np.asarray(labels)
    samples, classes = logits.shape
    double = torch.from_numpy(logits).double()
    probabilities = torch.softmax(double, 1).numpy()
    # scikit-learn's rule for equal scores: the higher index first.
    predicted = np.argsort(logits, axis=1, kind="mergesort")[:, ::-1][:, 0]
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        labels, predicted, labels=range(classes), zero_division=0
    )
    confidence = probabilities[np.arange(samples), predicted]
    right = predicted == labels
    edges = np.linspace(0, 1, 16)
    bins = np.searchsorted(edges[1:-1], confidence)
    counts = np.bincount(bins, minlength=15)
    # calibration_curve leaves out empty bins: put its values back where they belong.
    curve_accuracy, curve_confidence = np.zeros(15), np.zeros(15)
    curve_accuracy[counts > 0], curve_confidence[counts > 0] = calibration_curve(
        right.astype(int), confidence, n_bins=15, pos_label=1
    )
    ece = float(np.sum(counts / samples * np.abs(curve_accuracy - curve_confidence)))
    one_hot = labels[:, None] == np.arange(classes)[None]
    present = np.unique(labels)
    aps = [interpolated_average_precision(logits[:, c], one_hot[:, c]) for c in range(classes)]
    mean_ap = float(np.mean(aps)) if ties else reference_mean_average_precision(logits, labels)
    ks = [1, 2, 3, 5, classes, classes + 3]
    return {
        "name": name,
        "logits": [[float(value) for value in row] for row in logits],
        "labels": labels.tolist(),
        "topK": {str(k): top_k(logits, labels, k) for k in ks},
        "meanTopK": {
            str(k): float(np.mean([top_k(logits[labels == c], labels[labels == c], k) for c in present])) for k in ks
        },
        "balancedAccuracy": float(sk.balanced_accuracy_score(labels, predicted)),
        "predicted": predicted.tolist(),
        "confusionMatrix": sk.confusion_matrix(labels, predicted, labels=range(classes)).tolist(),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "support": support.tolist(),
        "logLoss": float(sk.log_loss(labels, probabilities, labels=range(classes))) if classes > 1 else 0.0,
        "crossEntropy": torch.nn.functional.cross_entropy(double, torch.from_numpy(labels), reduction="none").tolist(),
        "probabilities": probabilities.tolist() if samples * classes <= 400 else None,
        "averagePrecisionStep": [
            float(sk.average_precision_score(one_hot[:, c], logits[:, c])) if one_hot[:, c].any() else 0.0
            for c in range(classes)
        ],
        "averagePrecision": aps,
        "mAP": mean_ap,
        "calibrationError": ece,
        "reliability": {"count": counts.tolist(), "accuracy": curve_accuracy.tolist(),
                        "confidence": curve_confidence.tolist()},
        "accuracyInterval": list(binomtest(int(right.sum()), samples).proportion_ci(0.95, method="wilson")),
    }


def main():
    rng = np.random.default_rng(7)

    def noisy(samples, classes, strength, missing=()):
        allowed = [c for c in range(classes) if c not in missing]
        labels = rng.choice(allowed, samples)
        logits = rng.normal(size=(samples, classes)) * 2
        logits[np.arange(samples), labels] += strength
        return logits.round(4), labels

    cases = [
        case("10 classes", *noisy(120, 10, 2.5)),
        case("7 classes, two without samples", *noisy(60, 7, 1.5, missing=(0, 4))),
        case("3 classes, fewer than five", *noisy(40, 3, 1.0)),
        case("2 classes", *noisy(50, 2, 1.0)),
        case("one sample", *noisy(1, 4, 0.0)),
        case("one sample of each of two classes, both wrong", [[0.0, 1.0, -1.0], [1.0, 0.0, -1.0]], [0, 1]),
        case("one class predicted", np.tile([0.5, 3.0, -1.0, 0.25], (20, 1)) + np.arange(20)[:, None] * 0.01,
             rng.integers(0, 4, 20)),
        case("ties: small whole logits", rng.integers(0, 3, (80, 6)), rng.integers(0, 6, 80), ties=True),
        case("ties: all scores equal", np.zeros((9, 4)), [0, 1, 2, 3, 0, 1, 2, 3, 3], ties=True),
        case("large logits", rng.normal(size=(20, 5)) * 300, rng.integers(0, 5, 20)),
    ]
    intervals = [
        [k, n, *binomtest(k, n).proportion_ci(0.95, method="wilson")]
        for k, n in [(0, 1), (1, 1), (0, 10), (10, 10), (1, 2), (5, 10), (90, 100), (1, 1000), (9999, 10000)]
    ]
    out = Path(__file__).with_name("metrics.json")
    out.write_text(json.dumps({"cases": cases, "wilson": intervals}, separators=(",", ":")) + "\n")
    print(out.stat().st_size, "bytes")


main()
