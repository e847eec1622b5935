"""Deterministic weights, images and labels that Python and TypeScript generate alike, bit for bit.

The twin of tests/models/hash_weights.ts; the rule is written down in README.md. Everything is uint32 arithmetic
followed by one correctly rounded float32 operation, so both sides hold the same float32 values.
"""

import numpy as np

GOLDEN = np.uint32(0x9E3779B9)


def fnv1a(text: str) -> int:
    """FNV-1a, 32 bits, over the UTF-8 bytes of a name."""
    value = 0x811C9DC5
    for byte in text.encode("utf-8"):
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def mix(x: np.ndarray) -> np.ndarray:
    """The finaliser of MurmurHash3 on uint32."""
    x = x.astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return x


def hash_stream(name: str, count: int, start: int = 0) -> np.ndarray:
    """Element i is mix(fnv1a(name) + (start + i) * 0x9E3779B9), uint32."""
    index = (np.arange(count, dtype=np.uint64) + np.uint64(start)).astype(np.uint32)
    return mix(np.uint32(fnv1a(name)) + index * GOLDEN)


def uniform(name: str, count: int) -> np.ndarray:
    """24 bits of the hash as a float32 in [-1, 1), exact."""
    top = (hash_stream(name, count) >> np.uint32(8)).astype(np.int64) - (1 << 23)
    return (top / float(1 << 23)).astype(np.float32)


def tensor(name: str, shape, gain: float = 6.0) -> np.ndarray:
    """The float32 value of a parameter or statistic under timm's name, in PyTorch's layout.

    Weights of convolutions and dense layers are uniform in +-sqrt(gain / fan_in); those of squeeze-excite are twice as
    wide, so that the gates leave the middle of their range.
    """
    shape = tuple(int(n) for n in shape)
    unit = uniform(name, int(np.prod(shape)))
    if name.endswith("running_mean"):
        value = unit * np.float32(0.25)
    elif name.endswith("running_var"):
        value = unit * np.float32(0.5) + np.float32(1)
    elif name.endswith("bias"):
        value = unit * np.float32(0.125)
    elif len(shape) == 1:  # the scale of a batch norm
        value = unit * np.float32(0.25) + np.float32(1)
    else:
        fan_in = int(np.prod(shape[1:]))
        value = unit * np.float32(np.sqrt((4 * gain if ".se." in name else gain) / fan_in))
    assert value.dtype == np.float32
    return value.reshape(shape)


def images(first: int, count: int, height: int, width: int) -> np.ndarray:
    """uint8 [count, height, width, 3]: patches of 16 x 16 pixels of one colour (0..191) under noise (0..63)."""
    n, y, x, c = np.meshgrid(
        np.arange(first, first + count), np.arange(height), np.arange(width), np.arange(3), indexing="ij", sparse=True
    )
    noise_index = ((n * height + y) * width + x) * 3 + c
    patch_index = ((n * 32 + (y >> 4)) * 32 + (x >> 4)) * 3 + c
    noise = mix(np.uint32(fnv1a("images.noise")) + noise_index.astype(np.uint32) * GOLDEN) >> np.uint32(26)
    patch = mix(np.uint32(fnv1a("images.patch")) + patch_index.astype(np.uint32) * GOLDEN) % np.uint32(192)
    return (noise + patch).astype(np.uint8)


def network_input(first: int, count: int, height: int, width: int) -> np.ndarray:
    """(pixel - 127.5) / 64 as float32, exact, NHWC."""
    return (images(first, count, height, width).astype(np.float32) - np.float32(127.5)) / np.float32(64)


def labels(first: int, count: int, classes: int) -> np.ndarray:
    return (hash_stream("labels", count, first) % np.uint32(classes)).astype(np.int64)


def class_weights(classes: int) -> np.ndarray:
    """float32 in [0.5, 1.5)."""
    return uniform("class_weights", classes) * np.float32(0.5) + np.float32(1)


PROJECTIONS = 8


def signs(name: str, count: int) -> np.ndarray:
    """[PROJECTIONS, count] of +1 / -1: vector k is bit 24 + k of the hash stream "projection:" + name."""
    stream = hash_stream("projection:" + name, count)
    return np.stack([1.0 - 2.0 * ((stream >> np.uint32(24 + k)) & np.uint32(1)) for k in range(PROJECTIONS)])
