"""What Python's yaml.dump writes for metrics.yaml, for tests/metrics/metrics_yaml_test.ts.

    python metrics_yaml.py        (writes metrics_yaml.yaml and metrics_yaml_names.json beside this file)

Made with PyYAML 6.0.3. `width` is unlimited where names are long: the project keeps a name on one line.
"""
import hashlib
import json
from pathlib import Path

import yaml

here = Path(__file__).parent
content = b"weights\n"


def file_entry(name):
    return {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "source": f"folder/{name}"}


def metric(display_name, key, unit, value):
    return {"display_name": display_name, "key": key, "unit": unit, "value": value}


# top-1: classes with 2 of 3, 1 of 1, 0 of 1 right; values as Python prints and rounds them.
accuracy = float("{:.2f}".format(100 * (2 / 3 + 1 + 0) / 3))
record = {
    "name": "mobilenet-v3-large-1",
    "domain": "Image classification",
    "dependencies": [{"source": "snapshot.pth", "size": 22127335}],
    "threshold": 75.0,
    "files": [file_entry("main_model.pth")],
    "metrics": [
        metric("Size", "size", "Mp", round(4.332692, 3)),
        metric("Complexity", "complexity", "GFLOPs", round(0.430871, 3)),
        metric("Top-1 accuracy", "accuracy", "%", accuracy),
        metric("Top-5 accuracy", "top_5_accuracy", "%", 100.0),
    ],
}
(here / "metrics_yaml.yaml").write_text(yaml.dump(record))

names = ["a b.pth", "yes", "1:30", "=", "-x", "a: b #c", "it's.pth", "100%", "%100", "2021-07-26", "~", "null",
         "0x1F", "017", "12345", "@home", "{a}", "[a]", "*a", "&a", "!a", "a\\b", "trailing ", "\u00e9t\u00e9\n\"x'.pth",
         "\U0001f600\t.pth", "\u4e2d\u6587.pth", "long name " * 20 + ".pth"]
(here / "metrics_yaml_names.json").write_text(
    json.dumps([{"name": name, "files": yaml.dump({"files": [file_entry(name)]}, width=float("inf"))} for name in names], indent=0) + "\n"
)
