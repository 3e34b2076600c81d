"""Writes the trained model as the classifier loads it: fused for ONNX Runtime, int8, a scale a channel."""

import logging
from importlib import import_module
from pathlib import Path
from typing import Any

import onnx

from hybridmesh.agents.classifier.token_classifier import READS_CASE

_OPSET = 17
_HEADS = 12


def export(model: Any, width: int, folder: Path) -> None:
    """Write ``model.onnx`` into the folder; ``width`` is the model's hidden size."""
    torch: Any = import_module("torch")
    model.eval()
    sample = torch.ones(1, 16, dtype=torch.long)
    wide, fused = folder / "float32.onnx", folder / "fused.onnx"
    names = ("input_ids", "attention_mask", "token_type_ids")
    torch.onnx.export(
        _logits(torch, model),
        (sample, sample, torch.zeros_like(sample)),
        str(wide),
        input_names=list(names),
        output_names=["logits"],
        dynamic_axes={name: {0: "batch", 1: "tokens"} for name in (*names, "logits")},
        opset_version=_OPSET,
        dynamo=False,
    )
    optimiser: Any = import_module("onnxruntime.transformers.optimizer")
    options: Any = import_module("onnxruntime.transformers.fusion_options").FusionOptions("bert")
    # On a processor SkipLayerNormalization takes three times as long as the operators that it stands for.
    options.enable_skip_layer_norm = options.enable_bias_skip_layer_norm = False
    optimised = optimiser.optimize_model(
        str(wide), model_type="bert", num_heads=_HEADS, hidden_size=width, opt_level=0, optimization_options=options
    )
    optimised.save_model_to_file(str(fused))
    quantisation: Any = import_module("onnxruntime.quantization")
    logging.getLogger().setLevel(logging.ERROR)  # the quantiser advises through the root logger
    quantisation.quantize_dynamic(
        str(fused),
        str(folder / "model.onnx"),
        per_channel=True,
        weight_type=quantisation.QuantType.QInt8,
        extra_options={"DefaultTensorType": 1},  # float: types are not inferred through the fused operators
    )
    _mark(folder / "model.onnx")
    wide.unlink()
    fused.unlink()


def _mark(file: Path) -> None:
    model = onnx.load(file)
    onnx.helper.set_model_props(model, {READS_CASE: "token_types"})
    onnx.save(model, file)


def _logits(torch: Any, model: Any) -> Any:
    class Logits(torch.nn.Module):  # type: ignore[misc] # torch is not installed where this is checked
        """The model with its logits alone as output."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).logits

    return Logits()
