"""Writes a llama, qwen2 or qwen3 decoder as an ONNX graph of GroupQueryAttention and MatMulNBits nodes.

Inputs ``input_ids`` and ``attention_mask`` (int64), ``past_key_values.N.key|value`` (batch x kv heads x past x head
size) and, if wanted, ``logits_to_keep`` (int64 scalar, 1 unless given); outputs ``logits`` (batch x logits_to_keep x
vocabulary, of the last real tokens) and ``present.N.key|value``. Floats are 32 bit, or 16 for a GPU.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from hybridmesh.infra.models.architecture import Architecture
from hybridmesh.infra.models.gguf_file import GgufFile, Tensor
from hybridmesh.infra.models.gguf_metadata import unusable
from hybridmesh.infra.models.graph_writer import DATA_FILE, MICROSOFT, GraphWriter, Rows
from hybridmesh.infra.models.packing import Floats, Profile, choose_form, eight_bits, rope_halves
from hybridmesh.infra.models.rope import FACTORS, rope_frequencies, rope_tables

IR_VERSION, OPSET = 10, 21
KEEP = "logits_to_keep"
SAME_MATRIX = 0.99  # cosine above which a stored embedding is taken for the output matrix
SAMPLED_ROWS = 64


@dataclass(frozen=True, slots=True)
class Residual:
    """The residual stream, and the branch that the next normalisation adds to it ("" before the first)."""

    stream: str
    branch: str = ""


class DecoderWriter:
    """Writes one decoder; every tensor of the source must be used, or it is not the model we take it for."""

    def __init__(self, gguf: GgufFile, facts: Architecture, graph: GraphWriter, profile: Profile) -> None:
        self._gguf, self._facts, self._graph = gguf, facts, graph
        self._profile: Profile = profile
        self._used = {"token_embd.weight", "output_norm.weight", "output.weight", FACTORS}

    def write(self, progress: Callable[[int, int], None]) -> None:
        """Write all nodes and weights; ``progress`` is told how many layers are done, of how many."""
        graph, facts = self._graph, self._facts
        self._write_inputs()
        head, tied = head_matrix(self._gguf)
        form = eight_bits(self._profile, head.columns)
        lm_head = graph.store("lm_head", [Rows(head)], form)
        table = lm_head if tied else graph.store("embed", [Rows(self._gguf.tensor("token_embd.weight"))], form)
        self._gguf.release()
        residual = Residual(graph.gather("input_ids", table, "embedding"))
        for index in range(facts.layers):
            residual = self._write_layer(index, residual)
            self._gguf.release()
            progress(index + 1, facts.layers)
        final, _ = self._normalise(residual, self._gguf.tensor("output_norm.weight"), "final_norm")
        graph.matmul(self._write_last_rows(final), lm_head, "logits")
        if unknown := set(self._gguf.tensors) - self._used:
            raise unusable(f"unknown tensors such as {min(unknown)}")

    def _write_inputs(self) -> None:
        graph, facts = self._graph, self._facts
        one = graph.constant("one", np.array([1], np.int64))
        zero = graph.constant("zero", np.array([0], np.int64))
        graph.node("ReduceSum", ["attention_mask", one], ["mask_sum"], keepdims=1)
        graph.node("Sub", ["mask_sum", one], ["last_index"])
        graph.node("Cast", ["last_index"], ["seqlens_k"], to=TensorProto.INT32)
        graph.node("Shape", ["attention_mask"], ["total"], start=1, end=2)
        graph.node("Squeeze", ["total", zero], ["total_scalar"])
        graph.node("Cast", ["total_scalar"], ["total_length"], to=TensorProto.INT32)
        cosines, sines = rope_tables(rope_frequencies(self._gguf, facts.family, facts.head_size), facts.context)
        graph.constant("cos_cache", cosines)
        graph.constant("sin_cache", sines)

    def _write_layer(self, index: int, residual: Residual) -> Residual:
        graph, facts, at = self._graph, self._facts, f"layer.{index}"
        x, stream = self._normalise(residual, self._tensor(index, "attn_norm.weight"), f"{at}.attn_norm")
        qkv = self._project(index, x, ["attn_q", "attn_k", "attn_v"], f"{at}.qkv")
        heads = self._split_heads(index, qkv) if facts.family == "qwen3" else [qkv, "", ""]
        past = [f"past_key_values.{index}.key", f"past_key_values.{index}.value"]
        graph.node(
            "GroupQueryAttention",
            [*heads, *past, "seqlens_k", "total_length", "cos_cache", "sin_cache"],
            [f"{at}.attn", f"present.{index}.key", f"present.{index}.value"],
            MICROSOFT,
            num_heads=facts.heads,
            kv_num_heads=facts.kv_heads,
            scale=facts.head_size**-0.5,
            do_rotary=1,
            rotary_interleaved=0,
        )
        branch = self._project(index, f"{at}.attn", ["attn_output"], f"{at}.attn_out")
        norm = self._tensor(index, "ffn_norm.weight")
        x, stream = self._normalise(Residual(stream, branch), norm, f"{at}.ffn_norm")
        gate = self._project(index, x, ["ffn_gate"], f"{at}.gate")
        up = self._project(index, x, ["ffn_up"], f"{at}.up")
        graph.node("QuickGelu", [gate], [f"{at}.silu"], MICROSOFT, alpha=1.0)  # x * sigmoid(x), i.e. SiLU
        graph.node("Mul", [f"{at}.silu", up], [f"{at}.gated"])
        return Residual(stream, self._project(index, f"{at}.gated", ["ffn_down"], f"{at}.down"))

    def _split_heads(self, index: int, qkv: str) -> list[str]:
        """Return query, key and value, each head of the first two normalised on its own."""
        graph, facts, at = self._graph, self._facts, f"layer.{index}"
        counts = (facts.heads, facts.kv_heads, facts.kv_heads)
        sizes = graph.constant(f"{at}.head_sizes", np.array(counts, np.int64) * facts.head_size)
        parts = [f"{at}.{part}" for part in ("q", "k", "v")]
        graph.node("Split", [qkv, sizes], parts, axis=-1)
        for place, part in enumerate(("attn_q_norm.weight", "attn_k_norm.weight")):
            x, count = parts[place], counts[place]
            apart = graph.constant(f"{x}.apart", np.array([0, 0, count, facts.head_size], np.int64))
            together = graph.constant(f"{x}.together", np.array([0, 0, count * facts.head_size], np.int64))
            graph.node("Reshape", [x, apart], [f"{x}.heads"])
            norm, _ = self._normalise(Residual(f"{x}.heads"), self._tensor(index, part), f"{x}.norm", facts.head_size)
            parts[place] = graph.node("Reshape", [norm, together], [f"{x}.normed"])
        return parts

    def _normalise(self, residual: Residual, weight: Tensor, out: str, size: int | None = None) -> tuple[str, str]:
        """Return the RMS-normalised state and the new residual stream."""
        if weight.shape != (size or self._facts.width,):
            raise unusable(f"the weights of {out} do not fit the model")
        scale = self._graph.constant(f"{out}.weight", weight.vector())
        epsilon = self._facts.epsilon
        if not residual.branch:
            inputs = [residual.stream, scale]
            self._graph.node("SimplifiedLayerNormalization", inputs, [out], axis=-1, epsilon=epsilon, stash_type=1)
            return out, residual.stream
        inputs, outputs = [residual.stream, residual.branch, scale], [out, "", "", f"{out}.sum"]
        self._graph.node("SkipSimplifiedLayerNormalization", inputs, outputs, MICROSOFT, epsilon=epsilon)
        return out, f"{out}.sum"

    def _project(self, index: int, x: str, parts: list[str], out: str) -> str:
        """Multiply by the stacked matrices of ``parts``, with their biases where there are any."""
        sources: list[Rows] = []
        biases: list[Floats] = []
        for part in parts:
            tensor = self._tensor(index, f"{part}.weight")
            has_bias = f"blk.{index}.{part}.bias" in self._gguf.tensors
            zeros = np.zeros(tensor.rows, np.float32)
            bias = self._tensor(index, f"{part}.bias").vector() if has_bias else zeros
            if bias.size != tensor.rows:
                raise unusable(f"the bias of {part} does not fit its matrix")
            rows = Rows(tensor, self._row_order(part, tensor.rows))
            sources.append(rows)
            biases.append(bias if rows.order is None else bias[rows.order])
        kinds = {source.tensor.kind for source in sources}
        sensitive = self._is_sensitive(index, parts[0])
        packed = self._graph.store(
            f"{out}.w", sources, choose_form(kinds, self._profile, sources[0].tensor.columns, sensitive=sensitive)
        )
        bias = np.concatenate(biases)
        return self._graph.matmul(x, packed, out, bias if bias.any() else None)

    def _is_sensitive(self, index: int, part: str) -> bool:
        """Tell whether the profile's form costs more agreement with the source here than its bytes are worth.

        Measured on Qwen2.5 0.5B: with 4 bits attention, an eighth of the weights, costs three to four times as much
        (divergence a MB) as the rest, then the upward projections, most of all in the last quarter of the layers.
        With blocks of 64 everywhere the best token agrees at .978 of the positions, without attention at .988.
        """
        layers = self._facts.layers
        late = self._profile == "small" and index >= layers - layers // 4
        return part.startswith("attn") or (late and part == "ffn_up")

    def _row_order(self, part: str, rows: int) -> np.ndarray[tuple[int], np.dtype[np.intp]] | None:
        heads = {
            "attn_q": self._facts.heads, "attn_k": self._facts.kv_heads, "attn_v": self._facts.kv_heads
        }.get(part)  # fmt: skip
        if heads is None:
            return None
        if rows != heads * self._facts.head_size:
            raise unusable(f"{part} does not fit the number of heads")
        return rope_halves(rows, heads) if self._facts.family == "llama" and part != "attn_v" else None

    def _write_last_rows(self, hidden: str) -> str:
        """Pick the hidden states of each sequence's last real tokens: (batch, length, width) -> (batch, kept, width).

        Inside this step's tokens the last is seqlens_k - past, where past = total - length; the bounds cover the
        decoding steps of a right-padded batch, whose shorter rows have seen fewer tokens than the longest.
        """
        graph = self._graph
        # A default that a caller may override: who knows nothing of drafts need not name it.
        graph.constant(KEEP, np.array(1, np.int64))
        graph.constant("one_scalar", np.array(1, np.int64))
        graph.node("Shape", ["input_ids"], ["length"], start=1, end=2)
        graph.node("Sub", ["total", "length"], ["past"])
        graph.node("Sub", ["last_index", "past"], ["row.raw"])
        graph.node("Sub", ["length", "one"], ["row.last"])
        graph.node("Min", ["row.raw", "row.last"], ["row.high"])
        graph.node("Sub", ["one_scalar", KEEP], ["row.first"])
        graph.node("Range", ["row.first", "one_scalar", "one_scalar"], ["row.offsets"])
        graph.node("Add", ["row.high", "row.offsets"], ["rows.raw"])
        graph.node("Max", ["rows.raw", "zero"], ["rows"])
        graph.constant("last_axis", np.array([2], np.int64))
        graph.node("Unsqueeze", ["rows", "last_axis"], ["rows.index"])
        return graph.node("GatherND", [hidden, "rows.index"], ["last_hidden"], batch_dims=1)

    def _tensor(self, index: int, part: str) -> Tensor:
        name = f"blk.{index}.{part}"
        self._used.add(name)
        return self._gguf.tensor(name)


def head_matrix(gguf: GgufFile) -> tuple[Tensor, bool]:
    """Return the output matrix, and whether it also is the embedding (sampled where a file stores both)."""
    embed, head = gguf.tensor("token_embd.weight"), gguf.tensors.get("output.weight")
    if head is None:
        return embed, True
    if head.shape != embed.shape:
        raise unusable("the output matrix does not fit the embedding")
    chosen = np.linspace(0, embed.rows - 1, SAMPLED_ROWS).astype(int)
    a, b = (t.floats(t.raw[chosen]).ravel() for t in (embed, head))
    return head, bool(a @ b > SAME_MATRIX * np.linalg.norm(a) * np.linalg.norm(b))


def write_decoder(
    gguf: GgufFile,
    facts: Architecture,
    folder: Path,
    profile: Profile,
    threads: int,
    progress: Callable[[int, int], None],
    graph_class: type[GraphWriter] = GraphWriter,
    *,
    half: bool = False,
) -> None:
    """Write ``model.onnx`` and ``model.onnx.data`` into ``folder``; the same source gives the same bytes."""
    with (folder / DATA_FILE).open("wb") as data:
        graph = graph_class(data, threads, half=half)
        DecoderWriter(gguf, facts, graph, profile).write(progress)
    describe = helper.make_tensor_value_info
    past: list[str | int | None] = ["batch", facts.kv_heads, "past_length", facts.head_size]
    present: list[str | int | None] = ["batch", facts.kv_heads, "total_length_kv", facts.head_size]
    inputs = [
        describe("input_ids", TensorProto.INT64, ["batch", "length"]),
        describe("attention_mask", TensorProto.INT64, ["batch", "all_length"]),
        describe(KEEP, TensorProto.INT64, []),
    ]
    outputs = [describe("logits", graph.float_kind, ["batch", "kept", facts.vocabulary])]
    for index in range(facts.layers):
        for part in ("key", "value"):
            inputs.append(describe(f"past_key_values.{index}.{part}", graph.float_kind, past))
            outputs.append(describe(f"present.{index}.{part}", graph.float_kind, present))
    model = helper.make_model(
        helper.make_graph(graph.nodes, facts.family, inputs, outputs, graph.initializers),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)],
        ir_version=IR_VERSION,
        producer_name="hybridmesh",
    )
    onnx.save(model, str(folder / "model.onnx"))
