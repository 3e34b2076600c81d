"""What the decoder's graph needs to know of a model, read from GGUF metadata and checked for sense."""

from dataclasses import dataclass
from typing import Literal, Self

from hybridmesh.infra.models.gguf_file import GgufFile
from hybridmesh.infra.models.gguf_metadata import unusable

MAX_LAYERS = 256
MAX_CONTEXT = 1 << 20
MAX_WIDTH = 1 << 17


@dataclass(frozen=True, slots=True)
class Architecture:
    """Sizes of a decoder: ``width`` of the hidden state, ``heads`` query heads that share ``kv_heads``."""

    family: Literal["llama", "qwen2"]
    layers: int
    width: int
    heads: int
    kv_heads: int
    head_size: int
    context: int
    vocabulary: int
    epsilon: float
    rope_base: float

    @classmethod
    def read(cls, gguf: GgufFile) -> Self:
        """Raise SetupError for anything but a plain llama or qwen2 decoder without rope scaling."""
        meta = gguf.metadata
        name = meta.text("general.architecture")
        family: Literal["llama", "qwen2"]
        if name == "llama":
            family = "llama"
        elif name == "qwen2":
            family = "qwen2"
        else:
            raise unusable(f"architecture {name} is not known")
        if "rope_freqs.weight" in gguf.tensors or meta.text(f"{name}.rope.scaling.type", "none") != "none":
            raise unusable("rope scaling is not known")
        width = meta.integer(f"{name}.embedding_length", low=1, high=MAX_WIDTH)
        heads = meta.integer(f"{name}.attention.head_count", low=1, high=width)
        kv_heads = meta.integer(f"{name}.attention.head_count_kv", heads, low=1, high=heads)
        head_size = meta.integer(f"{name}.attention.key_length", width // heads, low=2, high=width)
        for part in ("rope.dimension_count", "attention.value_length"):
            if meta.integer(f"{name}.{part}", head_size) != head_size:
                raise unusable("partial rotary embedding, or unequal key and value sizes")
        if heads % kv_heads or head_size % 2:
            raise unusable("the numbers of heads do not fit one another")
        return cls(
            family=family,
            layers=meta.integer(f"{name}.block_count", low=1, high=MAX_LAYERS),
            width=width,
            heads=heads,
            kv_heads=kv_heads,
            head_size=head_size,
            context=meta.integer(f"{name}.context_length", low=1, high=MAX_CONTEXT),
            vocabulary=gguf.tensor("token_embd.weight").rows,
            epsilon=meta.number(f"{name}.attention.layer_norm_rms_epsilon"),
            rope_base=meta.number(f"{name}.rope.freq_base", 10000.0),
        )
