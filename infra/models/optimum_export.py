"""A Hugging Face encoder to ONNX by optimum, which the extra ``export`` installs, then its weights to 8 bits."""

import importlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models.entry import Kind
from hybridmesh.infra.models.hf_folder import HfFolder
from hybridmesh.infra.models.requantise import quantise_weights

TASKS: Final[dict[Kind, str]] = {
    "token-classifier": "token-classification",
    "embedder": "feature-extraction",
}
KEPT: Final = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "config.json")


def export_with_optimum(source: HfFolder, work: Path, target: Path) -> None:
    """Write ``model.onnx`` with int8 weights, and the tokenizer; ``work`` takes the float32 graph in between.

    Raises:
        SetupError: optimum is not installed, or does not know the architecture.

    """
    wide = work / "float32"
    main_export = _find_main_export()
    try:
        main_export(
            str(source.folder),
            output=wide,
            task=TASKS[source.kind],
            framework="pt",
            device="cpu",
            local_files_only=True,
            do_validation=False,  # our own load test follows
            no_post_process=True,
        )
    except (ValueError, KeyError, NotImplementedError, OSError) as error:
        raise SetupError(
            f"optimum cannot export this model ({type(error).__name__})",
            remedy="see whether optimum-onnx supports the architecture",
        ) from error
    quantise_weights(wide / "model.onnx", target / "model.onnx")
    for name in KEPT:
        if (wide / name).is_file():
            shutil.copyfile(wide / name, target / name)


def _find_main_export() -> Callable[..., None]:
    try:
        module: Any = importlib.import_module("optimum.exporters.onnx")
    except ImportError:
        raise SetupError(
            "exporting this model needs optimum and torch, about 5 GB",
            remedy="pip install 'hybridmesh[export]' into an environment of its own",
        ) from None
    return cast("Callable[..., None]", module.main_export)
