"""Writes lib/models/imagenet_class_names.ts: the 1000 ImageNet classes in the order of the networks' outputs.

The names are the first lemma of each class's WordNet synset, as timm ships them (Apache-2.0; WordNet's own licence
allows use without fee). Where two classes share their first lemma, both get what tells them apart.

    python tests/oracles/datasets/imagenet_class_names.py && deno fmt lib/models/imagenet_class_names.ts

timm 1.0.31; only its data files are read.
"""

import collections
import importlib.util
import json
import pathlib

info = pathlib.Path(importlib.util.find_spec("timm").origin).parent / "data" / "_info"
synsets = (info / "imagenet_synsets.txt").read_text().split()
lemmas = dict(line.split("\t", 1) for line in (info / "imagenet_synset_to_lemma.txt").read_text().splitlines())
assert len(synsets) == len(set(synsets)) == 1000

# WordNet's only lemma of both is "crane" and "maillot"; the words in brackets are from their definitions.
TOLD_APART = {
    "n02012849": "crane (bird)",
    "n03126707": "crane (machine)",
    "n03710637": "maillot (tights)",
    "n03710721": "maillot (swimsuit)",
    "n02113186": "Cardigan (dog)",
    "n02963159": "cardigan (sweater)",
}
names = [TOLD_APART.get(synset, lemmas[synset].split(",")[0].strip()) for synset in synsets]
twice = [name for name, count in collections.Counter(name.lower() for name in names).items() if count > 1]
assert not twice, [(lemmas[s], s) for s in synsets if lemmas[s].split(",")[0].strip().lower() in twice]

lines = "\n".join(f"  {json.dumps(name, ensure_ascii=False)}," for name in names)
pathlib.Path("lib/models/imagenet_class_names.ts").write_text(f'''/**
 * Names of the 1000 ImageNet classes, in the order of a pretrained network's outputs: the first lemma of each class's
 * WordNet synset.
 *
 * Made by `tests/oracles/datasets/imagenet_class_names.py` from timm's lists (Apache-2.0); do not edit.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import {{ IMAGENET_CLASS_NAMES }} from "./imagenet_class_names.ts";
 *
 * assert.equal(IMAGENET_CLASS_NAMES[285], "Egyptian cat");
 * ```
 */
export const IMAGENET_CLASS_NAMES: readonly string[] = [
{lines}
];
''')
