"""The token classifier that comes with the program: no model store and no network has to be asked for it."""

from pathlib import Path

SHIPPED = "pii-multilingual"


def shipped_model() -> Path:
    """Return its folder: ``model.onnx``, ``tokenizer.json``, ``labels.json``, ``thresholds.json`` and its card."""
    return Path(__file__).parent / "model"
