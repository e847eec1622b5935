"""torch and timm, imported where torchvision has no native operators."""

import torch

# torchvision's wheel may lack its native operators; timm only needs their names to exist.
import torch.library

_register_fake = torch.library.register_fake
torch.library.register_fake = lambda op, *a, **k: (
    (lambda f: f) if str(op).startswith("torchvision::") else _register_fake(op, *a, **k)
)
import timm  # noqa: E402, F401
import timm.data  # noqa: E402, F401
