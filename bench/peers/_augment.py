"""The steps of a recipe's augmentation as functions of Pillow's pictures: AugMix is timm's, cutout, rotation and flip are
written as one writes them with Pillow."""

import math
import random

from _timm import timm  # noqa: F401
from PIL import ImageOps
from timm.data import auto_augment


def aug_mix(magnitude=3, width=3):
    """As timm's augment_and_mix_transform("augmix-m3-w3") makes it, but for a rotation that the recipes leave out."""
    names = [name for name in auto_augment._AUGMIX_TRANSFORMS if name != "Rotate"]
    settings = {"img_mean": (124, 116, 103), "magnitude_std": math.inf}
    operations = auto_augment.augmix_ops(magnitude, settings, names)
    return auto_augment.AugMixAugment(operations, alpha=1.0, width=width, depth=-1, blended=False)


def cutout(probability=0.35, share=0.3):
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


def rotate(probability=0.35, degrees=10):
    return lambda image: (
        image.rotate(random.randint(-degrees, degrees)) if random.random() < probability else image
    )


def flip(probability=0.5):
    return lambda image: ImageOps.mirror(image) if random.random() < probability else image


makers = {"augMix": aug_mix, "cutout": cutout, "rotate": rotate, "flip": flip}


def augmentation(steps):
    """The steps, which are plain data as in a recipe, as one function of a picture."""
    chain = [makers[step["kind"]](**{name: value for name, value in step.items() if name != "kind"}) for step in steps]

    def augment(image):
        for step in chain:
            image = step(image)
        return image

    return augment
