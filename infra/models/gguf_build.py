"""Builds a GGUF file into a folder that the engine loads; no torch, memory far below the model's size."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hybridmesh.infra.models.architecture import Architecture
from hybridmesh.infra.models.decoder import write_decoder
from hybridmesh.infra.models.gguf_file import GgufFile
from hybridmesh.infra.models.packing import Profile
from hybridmesh.infra.models.tokenizer_files import Vocabulary, write_genai_config, write_tokenizer


def build_from_gguf(
    source: Path,
    folder: Path,
    profile: Profile,
    threads: int,
    progress: Callable[[int, int], None],
    *,
    half: bool = False,
) -> None:
    """Write the ONNX model, its configuration and its tokenizer into ``folder`` (which must exist).

    ``half`` is for a GPU: it reckons in 16 bit, which a CPU can as well, but slowly.
    Not atomic: on an error the folder holds part of a model. Raises SetupError for a file that is damaged or
    of an unknown kind.
    """
    with GgufFile(source) as gguf:
        facts = Architecture.read(gguf)
        vocabulary = Vocabulary(gguf.metadata, facts)
        with ThreadPoolExecutor(1) as beside:
            tokenizer = beside.submit(write_tokenizer, vocabulary, facts.context, folder)
            write_decoder(gguf, facts, folder, profile, threads, progress, half=half)
            write_genai_config(vocabulary, facts, folder)
            tokenizer.result()
