"""Makes a prepared model out of a Hugging Face folder of the user's.

Decoders that the worker's engine runs are built by our own writer, without torch; encoders go through optimum.
"""

import math
from pathlib import Path
from typing import Final

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models.build import THREADS, write_labels
from hybridmesh.infra.models.exported import check_size, exported_entry
from hybridmesh.infra.models.gguf_build import build_from_gguf
from hybridmesh.infra.models.hf_folder import HfFolder, unfit
from hybridmesh.infra.models.hf_to_gguf import FAMILIES, write_gguf
from hybridmesh.infra.models.optimum_export import export_with_optimum
from hybridmesh.infra.models.packing import Profile
from hybridmesh.infra.models.progress import Amount, Progress
from hybridmesh.infra.models.store import ModelStore, PreparedModel

BYTES_A_WEIGHT: Final = 1.2  # 8 bits in blocks of 32, with scale and zero point
TABLES_BYTES: Final = 20_000_000  # of the rotary embedding, and the tokenizer


def export_model(store: ModelStore, folder: Path, name: str, profile: Profile, progress: Progress) -> PreparedModel:
    """Build, test and keep the model in ``folder`` as ``name``; its kind is what ``config.json`` says it is for.

    Raises:
        UsageError: the name is taken by the catalog, or odd, or says a size at which the agents would rely on a model,
            and the model is smaller.
        SetupError: the folder does not hold what is needed, the engine does not know such decoders, optimum is not
            there or cannot export it, or the result fails its load test.

    """
    source = HfFolder.open(folder)
    if source.kind == "causal" and source.family not in FAMILIES:
        raise SetupError(
            f"the worker does not run decoders of the family {source.family}",
            remedy=f"choose a model of one of: {', '.join(FAMILIES)}",
        )

    def build(work: Path, target: Path) -> None:
        if source.kind == "causal":
            progress("reading your folder", None)
            gguf = work / "source.gguf"
            write_gguf(source, gguf)
            build_from_gguf(
                gguf, target, profile, THREADS,
                lambda done, total: progress("building", Amount(done, total, is_bytes=False)), half=store.half,
            )  # fmt: skip
            return
        if source.kind == "token-classifier":
            try:
                write_labels(folder / "config.json", target / "labels.json")
            except (KeyError, TypeError, AttributeError):
                raise unfit("config.json has no labels from 0 on in id2label") from None
        progress("exporting", None)
        export_with_optimum(source, work, target)

    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    expected = size
    if source.kind == "causal":
        weights = sum(math.prod(tensor.shape) for tensor in source.weights().values())
        check_size(name, weights)
        expected = int(weights * BYTES_A_WEIGHT) + TABLES_BYTES  # the source's may be of 16 bits or of 32
    entry = exported_entry(name, source.kind, f"{source.family}, exported", expected)
    return store.adopt(entry, build, progress, scratch_bytes=size)  # the weights once more, in another form
