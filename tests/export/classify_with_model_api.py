"""Classifies pictures with OpenVINO's ModelAPI, which is told nothing but the file. Standard input: JSON {xml, images}.
Standard output: for each picture the best labels with their scores, and all scores."""

import json
import sys

import cv2
from model_api.models import ClassificationModel

wanted = json.load(sys.stdin)
model = ClassificationModel.create_model(wanted["xml"], device="CPU")
results = []
for path in wanted["images"]:
    result = model(cv2.imread(path))
    results.append({
        "top": [[label.name, float(label.confidence)] for label in result.top_labels],
        "scores": [float(score) for score in result.raw_scores],
    })
json.dump({"labels": list(model.params.labels), "results": results}, sys.stdout)
