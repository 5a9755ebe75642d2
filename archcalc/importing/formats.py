"""The formats of other tools that archcalc reads, recognised by the name of a file or by a line of the text."""

from __future__ import annotations

import re

ONNX = "importing.onnx.network"
FORMATS = {".prototxt": "importing.caffe_network", ".cfg": "importing.cfg_network", ".onnx": ONNX}
"""The module that reads a file, by the file's extension."""
BINARY = (ONNX,)
"""The modules that read files which are no text."""
MODELS = ("torchvision", "timm", "torch")
"""What stands before the colon of the name of a PyTorch model, as in ``torchvision:resnet50``."""
MODELS_READER = "capture.networks"
"""The module that runs them."""
_SIGNS = {
    r"[ \t]*\[[ \t]*(net|network)[ \t]*\]": "importing.cfg_network",
    r"[ \t]*(layers?[ \t]*:?[ \t]*\{|input_(dim[ \t]*:|shape[ \t]*\{)).*": "importing.caffe_network",
}
"""The module that reads a text, by the pattern of a line that no spec has."""


def format_of(path: str) -> str:
    """The module that reads a file of this name; '' if the name is not of a known format."""
    return next((module for extension, module in FORMATS.items() if path.lower().endswith(extension)), "")


def is_model(net: str) -> bool:
    """Whether a text names a PyTorch model: torchvision:NAME, timm:NAME or torch:MODULE:NAME."""
    return net.partition(":")[0] in MODELS and ":" in net


def format_of_text(text: str) -> str:
    """The module that reads this text; '' if it shows no sign of a known format."""
    if "{" not in text and "[net" not in text.lower():
        return ""
    for line in text[:20_000].splitlines()[:200]:
        for pattern, module in _SIGNS.items():
            if re.fullmatch(pattern, line[:200].rstrip(), re.IGNORECASE):
                return module
    return ""
