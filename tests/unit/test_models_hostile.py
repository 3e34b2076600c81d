"""Damaged and hostile files through the whole build: a set-up error or a model, nothing else and nothing endless."""

import contextlib
import resource
import struct
import time
from pathlib import Path

import pytest
from gguf import GGMLQuantizationType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models import graph_writer
from hybridmesh.infra.models.gguf_build import build_from_gguf
from hybridmesh.infra.models.gguf_file import GgufFile
from tiny_gguf import SCALES, Kinds, write_gguf

FAMILIES = ("llama", "qwen2", "qwen3")
HEADER = 24_000  # bytes: the metadata, the vocabulary and the table of tensors of a tiny file


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("gguf")
    return {family: write_gguf(folder / f"{family}.gguf", family).path.read_bytes() for family in FAMILIES}


def build(content: bytes, folder: Path) -> None:
    path = folder / "m.gguf"
    path.write_bytes(content)
    build_from_gguf(path, folder, "small", 1, lambda _done, _all: None)


@settings(max_examples=60, deadline=20_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_refused_or_harmless(data: st.DataObject, files: dict[str, bytes], tmp_path: Path) -> None:
    """It runs on what you have: whatever bytes of a header changed, the build ends with a model or a set-up error."""
    content = bytearray(files[data.draw(st.sampled_from(FAMILIES))])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, min(HEADER, len(content) - 9)))
        size = data.draw(st.sampled_from((1, 4, 8)))
        content[at : at + size] = data.draw(st.binary(min_size=size, max_size=size))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with contextlib.suppress(SetupError):
        build(bytes(content), tmp_path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000  # kB


@settings(max_examples=25, deadline=20_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_cut_file_is_refused(data: st.DataObject, files: dict[str, bytes], tmp_path: Path) -> None:
    """It runs on what you have: half a download is never a model, wherever it ends."""
    content = files[data.draw(st.sampled_from(FAMILIES))]
    with pytest.raises(SetupError, match="GGUF file cannot be used"):
        build(content[: data.draw(st.integers(0, len(content) - 64))], tmp_path)


def lie(content: bytes, key: str, layout: str, value: float) -> bytes:
    """Return the file with another value behind a key."""
    at = content.index(key.encode()) + len(key) + 4
    return content[:at] + struct.pack(layout, value) + content[at + struct.calcsize(layout) :]


LIES = {
    "no layers": ("llama.block_count", "<I", 0),
    "a layer too many": ("llama.block_count", "<I", 3),
    "a layer too few": ("llama.block_count", "<I", 1),
    "millions of layers": ("llama.block_count", "<I", 2**31),
    "another width": ("llama.embedding_length", "<I", 512),
    "more heads": ("llama.attention.head_count", "<I", 64),
    "heads that do not divide": ("llama.attention.head_count", "<I", 5),
    "larger heads": ("llama.attention.key_length", "<I", 128),
    "odd heads": ("llama.attention.key_length", "<I", 63),
    "endless context": ("llama.context_length", "<I", 2**32 - 1),
    "no epsilon": ("llama.attention.layer_norm_rms_epsilon", "<f", float("nan")),
    "an end outside the vocabulary": ("tokenizer.ggml.eos_token_id", "<I", 10**6),
}


@pytest.mark.parametrize(("key", "layout", "value"), LIES.values(), ids=LIES.keys())
def test_sizes_that_lie_are_refused(
    key: str, layout: str, value: float, files: dict[str, bytes], tmp_path: Path
) -> None:
    """It runs on what you have: a header whose sizes do not fit its tensors is a set-up error, at once."""
    started = time.monotonic()
    with pytest.raises(SetupError, match="GGUF file cannot be used") as refused:
        build(lie(files["llama"], key, layout, value), tmp_path)
    assert refused.value.remedy
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("kind", [kind for kind in SCALES if kind.name in ("Q8_0", "Q4_0", "Q5_1", "Q4_K", "Q6_K")])
def test_weights_that_are_no_numbers_are_refused(kind: GGMLQuantizationType, tmp_path: Path) -> None:
    """It runs on what you have: infinite scales are damage, and are not built in as zeros."""
    path = write_gguf(tmp_path / "m.gguf", "llama", Kinds(kind)).path
    content = bytearray(path.read_bytes())
    with GgufFile(path) as gguf:
        row = gguf.tensor("blk.1.ffn_down.weight").raw[-1].tobytes()
    at = content.index(row) + SCALES[kind][0]
    content[at : at + 2] = b"\x00\x7c"  # infinity, as a half float
    with pytest.raises(SetupError, match="not finite"):
        build(bytes(content), tmp_path)


@pytest.mark.parametrize("family", FAMILIES)
def test_neither_threads_nor_chunks_change_a_byte(
    family: str, files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs on what you have: a model is the same on every machine, however its rows were shared out."""
    source = tmp_path / "m.gguf"
    source.write_bytes(files[family])
    made: list[bytes] = []
    for threads, weights in ((1, 1 << 19), (3, 1 << 8)):
        monkeypatch.setattr(graph_writer, "CHUNK_WEIGHTS", weights)
        monkeypatch.setattr(graph_writer, "SHIFTED_CHUNK", weights)
        folder = tmp_path / str(threads)
        folder.mkdir()
        build_from_gguf(source, folder, "small", threads, lambda _done, _all: None)
        made.append((folder / graph_writer.DATA_FILE).read_bytes())
    assert made[0] == made[1]
