"""timm's AugMix, and cutout, rotation and flip as one writes them with Pillow, as a contestant of
bench/augment_speed.ts.

python augment_timm.py FOLDER STEPS SECONDS

Measures the same steps as bench/augment/augment_pictures.ts on the same pictures, which are Pillow's here, as timm
takes them. timm's AugMix has a rotation among its operations that the recipes leave out; it is left out here too.
"""

import json
import math
import pathlib
import random
import sys
import time

import numpy
from _timm import timm
from PIL import Image, ImageOps
from timm.data import auto_augment

folder, steps, seconds = sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3])
pictures = [Image.open(path).convert("RGB") for path in sorted(pathlib.Path(folder).glob("*/*.png"))]


def aug_mix(magnitude, width):  # as augment_and_mix_transform("augmix-m4-w2") makes it
    names = [name for name in auto_augment._AUGMIX_TRANSFORMS if name != "Rotate"]
    operations = auto_augment.augmix_ops(magnitude, {"img_mean": (124, 116, 103), "magnitude_std": math.inf}, names)
    return auto_augment.AugMixAugment(operations, alpha=1.0, width=width, depth=-1, blended=False)


def cutout(probability, share):
    def cut(image):
        if random.random() >= probability:
            return image
        width, height = image.size
        hole_width, hole_height = math.floor(share * width + 0.5), math.floor(share * height + 0.5)
        left = random.randrange(width) - hole_width // 2
        top = random.randrange(height) - hole_height // 2
        color = tuple(random.randrange(256) for _ in range(3))
        image = image.copy()
        image.paste(color, (max(left, 0), max(top, 0), min(left + hole_width, width), min(top + hole_height, height)))
        return image

    return cut


def rotate(probability, degrees):
    return lambda image: (
        image.rotate(random.randint(-degrees, degrees)) if random.random() < probability else image
    )


def flip(probability=0.5):
    return lambda image: ImageOps.mirror(image) if random.random() < probability else image


makers = {"augMix": aug_mix, "cutout": cutout, "rotate": rotate, "flip": flip}
chain = [makers[step.pop("kind")](**step) for step in steps]


def once():
    for image in pictures:
        for step in chain:
            image = step(image)


random.seed(0)
numpy.random.seed(0)
once()
passes = 0
began = time.process_time()
while time.process_time() - began < seconds:
    once()
    passes += 1
milliseconds = 1000 * (time.process_time() - began) / (passes * len(pictures))
print(json.dumps({"milliseconds": milliseconds, "timm": timm.__version__}))
