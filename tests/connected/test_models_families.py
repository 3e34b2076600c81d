"""Built graphs of every family and kind of weights, run for real, against plain numpy in float64."""

import hashlib
import unicodedata
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime  # type: ignore[import-untyped] # ships no types
import pytest
from gguf import GGMLQuantizationType
from tokenizers import Tokenizer

from decoder_reference import Array, Sizes, run_decoder
from hybridmesh.agents.worker.onnx_decoder import Decoder
from hybridmesh.infra.models.entry import Entry, SourceFile
from hybridmesh.infra.models.gguf_build import build_from_gguf
from hybridmesh.infra.models.packing import Profile
from hybridmesh.infra.models.progress import silent
from hybridmesh.infra.models.store import ModelStore
from tiny_gguf import HEAD_SIZE, KV_HEADS, LAYERS, Kinds, Tiny, write_gguf

pytestmark = pytest.mark.connected

Q = GGMLQuantizationType
PROMPT, MORE = 9, 24  # tokens that are read at once, then one by one
FAMILIES = ("llama", "qwen2", "qwen3")
HARD = (
    "It's 12345 items, we'LL see: 1½ + ² = 3,50 €!",
    "  two spaces,\ttab\r\n\r\n  and\n\n\nlines   ",
    "Größe STRAẞE naïve café — señor ¿qué? où l'hôtel",
    "東京都は 日本 ٣٤٥ Москва́ e\u0301\u00e9 👩‍👩‍👧 \u200b\ufeff",
    "def f(x):\n\treturn {'a': [1, 22, 333, 4444]}  # don't",
)


class Session:
    """The graph, with the tokens that it has seen; ``precise`` spares activations the rounding to 8 bits."""

    def __init__(self, folder: Path, *, precise: bool) -> None:
        path = folder / "model.onnx"
        if precise:
            model = onnx.load(path, load_external_data=False)
            for attribute in (a for node in model.graph.node for a in node.attribute if a.name == "accuracy_level"):
                attribute.i = 0
            path = folder / "precise.onnx"
            onnx.save(model, path)
        options = cast("Any", onnxruntime.SessionOptions())
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        kind = Decoder.load(folder, "cpu", threads=1, rows=1, room=1).rows.shape.kind
        empty = np.zeros((1, KV_HEADS, 0, HEAD_SIZE), kind)
        self._past = {f"past_key_values.{n}.{part}": empty for n in range(LAYERS) for part in ("key", "value")}
        self._seen = 0

    def read(self, ids: list[int]) -> Array:
        """Read tokens and return the last one's logits."""
        self._seen += len(ids)
        feed = {"input_ids": np.array([ids], np.int64), "attention_mask": np.ones((1, self._seen), np.int64)}
        values = cast("list[npt.NDArray[np.float32]]", self._session.run(None, feed | cast("Any", self._past)))
        self._past = dict(zip(self._past, values[1:], strict=True))
        return values[0].reshape(-1).astype(np.float64)


def build(tiny: Tiny, profile: Profile, *, half: bool = False) -> Path:
    folder = tiny.path.parent / profile
    folder.mkdir()
    build_from_gguf(tiny.path, folder, profile, 2, lambda _done, _all: None, half=half)
    return folder


def read_all(folder: Path, ids: list[int], *, precise: bool = True) -> Array:
    """Return the logits after the prompt and after each further token."""
    session = Session(folder, precise=precise)
    return np.stack([session.read(ids[:PROMPT]), *(session.read([token]) for token in ids[PROMPT:])])


def some_tokens(tiny: Tiny) -> list[int]:
    return cast(
        "list[int]", np.random.default_rng(5).integers(0, tiny.tokenizer.get_vocab_size(), PROMPT + MORE).tolist()
    )


def reference(tiny: Tiny, ids: list[int]) -> Array:
    return run_decoder(tiny.tensors, tiny.sizes, ids)[PROMPT - 1 :]


def assert_agrees(found: Array, wanted: Array, bound: float) -> None:
    """Hold every logit within ``bound`` of the logits' spread, and the best token wherever it leads by more."""
    spread = wanted.std()
    assert np.abs(found - wanted).max() < bound * spread
    ordered = np.sort(wanted, axis=-1)
    clear = ordered[:, -1] - ordered[:, -2] > 2 * bound * spread
    np.testing.assert_array_equal(found.argmax(-1)[clear], wanted.argmax(-1)[clear])


# By weights of 8 bits; by those and by activations of 8 bits; by weights of 4 bits.
WIDE, SHIPPED, NARROW, NOTHING = 0.12, 0.2, 0.9, 1e-3


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_computes_what_its_paper_says(family: str, tied: bool, tmp_path: Path) -> None:
    """It runs on what you have: rotary positions, shared heads, norms, biases and cache are right."""
    tiny = write_gguf(tmp_path / "m.gguf", family, Kinds(Q.Q8_0), tied=tied)
    ids = some_tokens(tiny)
    folder, wanted = build(tiny, "exact"), reference(tiny, ids)
    found = read_all(folder, ids)
    assert_agrees(found, wanted, NOTHING)
    np.testing.assert_array_equal(found.argmax(-1), wanted.argmax(-1))
    assert_agrees(read_all(folder, ids, precise=False), wanted, SHIPPED)


def test_llama_3_lowers_its_frequencies(tmp_path: Path) -> None:
    """It runs on what you have: the factors of Llama 3's long context are in the tables, and they matter."""
    tiny = write_gguf(tmp_path / "m.gguf", "llama", Kinds(Q.Q8_0), rope_factors=True)
    ids = some_tokens(tiny)
    found = read_all(build(tiny, "exact"), ids)
    assert_agrees(found, reference(tiny, ids), NOTHING)
    without = {name: tensor for name, tensor in tiny.tensors.items() if name != "rope_freqs.weight"}
    with pytest.raises(AssertionError):
        assert_agrees(found, run_decoder(without, tiny.sizes, ids)[PROMPT - 1 :], SHIPPED)


LOSSLESS = {Q.Q8_0, Q.Q5_0, Q.Q4_0}
FOUR_BITS = {Q.Q4_K, Q.Q4_1}
ALL_KINDS = (
    Q.F32, Q.F16, Q.BF16, Q.Q8_0, Q.Q6_K, Q.Q5_K, Q.Q5_1, Q.Q5_0, Q.Q4_K, Q.Q4_1, Q.Q4_0, Q.Q3_K, Q.Q2_K,
)  # fmt: skip


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_every_kind_of_weights_is_understood(kind: GGMLQuantizationType, tmp_path: Path) -> None:
    """It runs on what you have: whatever the file is quantised to, the model is that one, at worst to 8-bit noise."""
    tiny = write_gguf(tmp_path / "m.gguf", "llama", Kinds(kind), seed=int(kind))
    ids = some_tokens(tiny)
    assert_agrees(read_all(build(tiny, "exact"), ids), reference(tiny, ids), NOTHING if kind in LOSSLESS else WIDE)


@pytest.mark.parametrize("kind", [Q.F16, Q.BF16, Q.Q6_K, Q.Q4_K])
def test_an_embedding_of_any_kind_is_understood(kind: GGMLQuantizationType, tmp_path: Path) -> None:
    """It runs on what you have: the table that is both embedding and output is refitted to 8 bits where it must be."""
    tiny = write_gguf(tmp_path / "m.gguf", "qwen3", Kinds(Q.Q8_0, kind), seed=int(kind))
    ids = some_tokens(tiny)
    assert_agrees(read_all(build(tiny, "exact"), ids), reference(tiny, ids), WIDE)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_small_loses_little_and_next_to_nothing_of_four_bits(kind: GGMLQuantizationType, tmp_path: Path) -> None:
    """It runs on what you have: 4-bit files keep their codes, as near as in 8 bits; what had more stays near."""
    tiny = write_gguf(tmp_path / "m.gguf", "qwen2", Kinds(kind), seed=int(kind))
    ids = some_tokens(tiny)
    bound = NOTHING if kind in {Q.Q8_0, Q.Q4_0} else WIDE if kind in FOUR_BITS else NARROW
    assert_agrees(read_all(build(tiny, "small"), ids), reference(tiny, ids), bound)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_fast_loses_no_more_than_eight_bits_do(kind: GGMLQuantizationType, tmp_path: Path) -> None:
    """It runs on what you have: blocks of 64 stay as near to the file as refitted ones of 32."""
    tiny = write_gguf(tmp_path / "m.gguf", "qwen2", Kinds(kind), seed=int(kind))
    ids = some_tokens(tiny)
    assert_agrees(read_all(build(tiny, "fast"), ids), reference(tiny, ids), WIDE)


@pytest.mark.parametrize("profile", ["exact", "fast"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_for_a_gpu_computes_the_same(family: str, profile: Profile, tmp_path: Path) -> None:
    """It runs on what you have: the same weights in 16-bit arithmetic, which a CPU can be asked for as well."""
    tiny = write_gguf(tmp_path / "m.gguf", family, Kinds(Q.Q8_0))
    ids = some_tokens(tiny)
    folder = build(tiny, profile, half=True)
    found = read_all(folder, ids, precise=False)
    assert_agrees(found, reference(tiny, ids), SHIPPED)
    decoder = Decoder.load(folder, "cpu", threads=1, rows=2, room=64)
    assert decoder.rows.shape.kind == np.float16
    stepped = [decoder.step(1, np.array([ids[:PROMPT]]), [PROMPT])[0, 0].copy()]
    stepped += [
        decoder.step(1, np.array([[token]]), [length])[0, 0].copy()
        for length, token in enumerate(ids[PROMPT:], PROMPT + 1)
    ]
    np.testing.assert_array_equal(np.stack(stepped), found.astype(np.float32))


def test_a_machine_with_a_gpu_has_models_of_its_own(tmp_path: Path) -> None:
    """It runs on what you have: the store makes a model for the device that is there, and anew when that changes."""
    sources = tmp_path / "sources"
    sources.mkdir()
    source = write_gguf(sources / "tiny.gguf", "qwen2").path.read_bytes()
    file = SourceFile("tiny.gguf", hashlib.sha256(source).hexdigest(), len(source), ())
    entry = Entry("tiny", "causal", "Tiny", "none", "", (file,), prepared_bytes=10_000_000)

    def store(*, half: bool) -> ModelStore:
        return ModelStore(tmp_path / "cache", sources, hub=False, index=False, half=half, catalog={"tiny": entry})

    for half, kind in ((False, np.float32), (True, np.float16)):
        folder = store(half=half).prepare("tiny", silent).folder
        assert Decoder.load(folder, "cpu", threads=1, rows=1, room=16).rows.shape.kind == kind
        assert store(half=half).path("tiny") == folder
        assert store(half=not half).path("tiny") is None


@pytest.fixture(scope="module", params=["llama", "qwen3"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tiny, Path]:
    family = cast("str", request.param)
    tiny = write_gguf(tmp_path_factory.mktemp(family) / "m.gguf", family)
    return tiny, build(tiny, "exact")


@pytest.mark.parametrize("text", HARD)
def test_tokens_are_those_of_the_makers_tokenizer(built: tuple[Tiny, Path], text: str) -> None:
    """It runs on what you have: hard strings are cut as the model's makers do, and come back."""
    tiny, folder = built
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    text = unicodedata.normalize("NFC", text)
    ids = tokenizer.encode(text).ids
    assert ids == tiny.tokenizer.encode(text).ids
    assert tokenizer.decode(ids) == text


def test_the_reference_knows_its_families() -> None:
    """Nothing is hidden: the reference itself tells the two kinds of rotary pairs apart."""
    from decoder_reference import rotate

    x = np.random.default_rng(1).normal(size=(3, 1, 8))
    turns = np.array([1.0, 0.1, 0.01, 0.001])
    places = np.arange(3.0)
    order = [0, 2, 4, 6, 1, 3, 5, 7]
    np.testing.assert_allclose(
        rotate(x, places, turns, halves=False)[..., order], rotate(x[..., order], places, turns, halves=True)
    )
    assert Sizes("llama", 1, 1, 1, 8).rope_base == 10000
