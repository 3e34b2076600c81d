"""Holds output to a JSON schema, a regex or a Lark grammar, token by token, with llguidance."""

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import numpy as np
import numpy.typing as npt
from llguidance import LLMatcher, LLTokenizer

from hybridmesh.bus.errors import Unanswerable
from hybridmesh.schemas.inference import Guide, GuideKind

# Compact JSON as models were trained to write it; free white space invites a small model to go on for ever.
JSON_FORM: Final = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
KEPT_GRAMMARS: Final = 64
# Found in the text, as a tokenizer is megabytes to parse; in a name of a token the quotes would be escaped.
NORMALIZER: Final = re.compile(r'"normalizer":\s*(?:null|\{[^{}]*\})')


def without_normalizer(tokenizer: str) -> str:
    """Return a ``tokenizer.json`` that changes no text; one of several parts, as exported models have, is parsed."""
    plain, found = NORMALIZER.subn('"normalizer": null', tokenizer, count=1)
    if found:
        return plain
    facts = cast("dict[str, object]", json.loads(tokenizer))
    facts.pop("normalizer", None)
    return json.dumps(facts)


class Follower:
    """Where one answer stands in its guide."""

    def __init__(self, matcher: LLMatcher, vocabulary: int) -> None:
        self._matcher = matcher
        self._vocabulary = vocabulary

    @property
    def ended(self) -> bool:
        """Whether the answer is whole, and nothing can follow."""
        return self._matcher.is_stopped()

    def choose(self, logits: npt.NDArray[np.float32]) -> int:
        """Return the likeliest of the tokens that may come next; raises Unanswerable as ``consume`` does."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        if self._matcher.is_error():  # it would pass for an end
            raise _unusable()
        allowed = np.unpackbits(bits, bitorder="little")[: self._vocabulary].view(np.bool_)
        return int(np.where(allowed, logits, -np.inf).argmax())

    def consume(self, token: int) -> None:
        """Go on by a token; raises Unanswerable when the guide is too much for the library."""
        if not self._matcher.consume_token(token) or self._matcher.is_error():
            raise _unusable()

    def forced(self) -> list[int]:
        """Return the tokens that the guide leaves no choice about, as the tokenizer would write them."""
        return self._matcher.compute_ff_tokens()

    def fitting(self, draft: Sequence[int]) -> int:
        """Return how many tokens of a draft the guide allows."""
        return self._matcher.validate_tokens(list(draft))


class Guides:
    """Compiles guides for one vocabulary; keeps the latest, for a workflow asks in the same forms again and again."""

    def __init__(self, tokenizer_file: Path, vocabulary: int, ends: Sequence[int]) -> None:
        # A guide is followed byte by byte, also where its text is not NFC.
        plain = without_normalizer(tokenizer_file.read_text("utf-8"))
        self._tokenizer = LLTokenizer(plain, n_vocab=vocabulary, eos_token=list(ends))
        self._vocabulary = vocabulary
        self._lock = threading.Lock()
        self._kept: OrderedDict[Guide, LLMatcher] = OrderedDict()

    def follow(self, guide: Guide) -> Follower:
        """Return the start of a guide; may be called from any thread.

        Raises:
            Unanswerable: the guide is none (``bad-guide``).

        """
        with self._lock:
            matcher = self._kept.get(guide)
        if matcher is None:
            matcher = LLMatcher(self._tokenizer, _grammar(guide), log_level=0)
            if matcher.is_error():
                raise _unusable()
        with self._lock:
            self._kept[guide] = matcher
            self._kept.move_to_end(guide)
            while len(self._kept) > KEPT_GRAMMARS:
                self._kept.popitem(last=False)
            return Follower(matcher.deep_copy(), self._vocabulary)


def _grammar(guide: Guide) -> str:
    if guide.kind is GuideKind.REGEX:
        return LLMatcher.grammar_from_regex(guide.pattern)
    if guide.kind is GuideKind.GRAMMAR:
        return LLMatcher.grammar_from_lark(guide.pattern)
    try:
        schema: object = json.loads(guide.pattern)
        if not isinstance(schema, dict):
            raise _unusable()
        # A schema keeps the layout that it names itself.
        return LLMatcher.grammar_from_json_schema({"x-guidance": JSON_FORM, **cast("dict[str, object]", schema)})
    except (ValueError, RecursionError):  # no JSON, nested too deeply, or half a character in a text
        raise _unusable() from None


def _unusable() -> Unanswerable:
    return Unanswerable("the guide cannot be used", reason="bad-guide")
