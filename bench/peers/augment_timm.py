"""timm's AugMix, and cutout, rotation and flip as one writes them with Pillow, as a contestant of
bench/augment_speed.ts.

python augment_timm.py FOLDER STEPS SECONDS

Measures the same steps as bench/augment/augment_pictures.ts on the same pictures, which are Pillow's here, as timm
takes them.
"""

import json
import pathlib
import random
import sys
import time

import numpy
from _augment import augmentation, timm
from PIL import Image

folder, steps, seconds = sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3])
pictures = [Image.open(path).convert("RGB") for path in sorted(pathlib.Path(folder).glob("*/*.png"))]
augment = augmentation(steps)
random.seed(0)
numpy.random.seed(0)


def once():
    for image in pictures:
        augment(image)


once()
passes = 0
began = time.process_time()
while time.process_time() - began < seconds:
    once()
    passes += 1
milliseconds = 1000 * (time.process_time() - began) / (passes * len(pictures))
print(json.dumps({"milliseconds": milliseconds, "timm": timm.__version__}))
