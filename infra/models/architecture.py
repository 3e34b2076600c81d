"""What the decoder's graph needs to know of a model, read from GGUF metadata and checked for sense."""

from dataclasses import dataclass
from typing import Final, Literal, Self

from hybridmesh.infra.models.gguf_file import GgufFile
from hybridmesh.infra.models.gguf_metadata import unusable

Family = Literal["llama", "qwen2", "qwen3"]
FAMILIES: Final[dict[str, Family]] = {"llama": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
MAX_LAYERS: Final = 256
MAX_CONTEXT: Final = 1 << 24
MAX_WIDTH: Final = 1 << 17
MAX_HEAD: Final = 1 << 10
LONGEST: Final = 1 << 15  # positions that a prepared model knows: the tables for more only cost memory here


@dataclass(frozen=True, slots=True)
class Architecture:
    """Sizes of a decoder: ``width`` of the hidden state, ``heads`` query heads that share ``kv_heads``.

    llama has its rotary pairs side by side, the others in two halves; qwen3 normalises each query and key head.
    """

    family: Family
    layers: int
    width: int
    heads: int
    kv_heads: int
    head_size: int
    context: int
    vocabulary: int
    epsilon: float

    @classmethod
    def read(cls, gguf: GgufFile) -> Self:
        """Raise SetupError for anything but a plain decoder of a known family."""
        meta = gguf.metadata
        name = meta.text("general.architecture")
        if name not in FAMILIES:
            raise unusable(f"architecture {name} is not known")
        family = FAMILIES[name]
        if f"{name}.attention.sliding_window" in meta:
            raise unusable("attention in a sliding window is not known")
        width = meta.integer(f"{name}.embedding_length", low=1, high=MAX_WIDTH)
        heads = meta.integer(f"{name}.attention.head_count", low=1, high=width)
        kv_heads = meta.integer(f"{name}.attention.head_count_kv", heads, low=1, high=heads)
        head_size = meta.integer(f"{name}.attention.key_length", width // heads, low=2, high=MAX_HEAD)
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
            context=min(LONGEST, meta.integer(f"{name}.context_length", low=1, high=MAX_CONTEXT)),
            vocabulary=gguf.tensor("token_embd.weight").rows,
            epsilon=meta.number(f"{name}.attention.layer_norm_rms_epsilon"),
        )
