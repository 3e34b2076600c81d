"""The layers of detection, joined: recognizers, own terms, the token classifier, and repeats of what they found."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from hybridmesh.agents.classifier.encodings import find_islands
from hybridmesh.agents.classifier.everyday import without_everyday
from hybridmesh.agents.classifier.lone_guesses import without_lone
from hybridmesh.agents.classifier.name_links import join_names
from hybridmesh.agents.classifier.normalise import normalise
from hybridmesh.agents.classifier.places import join_places
from hybridmesh.agents.classifier.reading import Reading, read
from hybridmesh.agents.classifier.recognizers import RECOGNIZERS, Recognizer
from hybridmesh.agents.classifier.recognizers.recognizer import CHECKED
from hybridmesh.agents.classifier.recognizers.scripts import is_unreadable
from hybridmesh.agents.classifier.recognizers.shapes import LETTER, UPPER
from hybridmesh.agents.classifier.repeats import find_repeats
from hybridmesh.agents.classifier.spans import resolve
from hybridmesh.agents.classifier.tags import Tag, kept, spans_of
from hybridmesh.agents.classifier.thresholds import Thresholds
from hybridmesh.bus.errors import ModelUnavailable, Unanswerable
from hybridmesh.schemas.privacy import Span

_DEEPEST = 3  # texts within encoded texts that are read
# What cannot stand in a key, which nobody may replace: the whole text stays at home then.
_NEVER_KEYS = frozenset({"EMAIL", "CARD", "IBAN", "SSN", "SECRET", "CRYPTO_ADDRESS", "TERM"})
_FULL_NAME = re.compile(rf"(?<!\w)[{UPPER}][{LETTER}'’.-]{{1,40}}(?: [{UPPER}][{LETTER}'’.-]{{0,40}}){{1,3}}(?!\w)")
_SURE = 0.95

Tick = Callable[[], None]


class Tagger(Protocol):
    """The token classifier, as the detector needs it; see ``token_classifier.TokenClassifier``."""

    def tag(self, text: str, threshold: float, tick: Tick) -> list[Tag]:
        """Return the private tokens in order; blocking."""
        ...


class Detector:
    """Finds what is private in the texts of one step; one thread of its own, so that asyncio stays free.

    ``timeout_s`` is the time for one call, ``max_chars`` the length of all its texts together. Keys and syntax of JSON,
    tables and program text are never part of a span.
    """

    def __init__(
        self,
        *,
        tagger: Tagger,
        terms: Recognizer,
        thresholds: Thresholds,
        max_chars: int,
        timeout_s: float,
        monotonic: Callable[[], float],
        recognizers: Sequence[Recognizer] = RECOGNIZERS,
    ) -> None:
        self._tagger = tagger
        self._recognizers = (*recognizers, terms)
        self._thresholds = thresholds
        self._max_chars = max_chars
        self._timeout_s = timeout_s
        self._monotonic = monotonic
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="detector")

    async def find(self, texts: Sequence[str], known: Mapping[str, str] | None = None) -> list[list[Span]]:
        """Return the disjoint private spans of each text; ``known`` maps values that are private anyway to types.

        Raises:
            Unanswerable: the texts are too long, written in a script that nobody here reads, or private in a key.
            ModelUnavailable: the token classifier is missing, or the time is over.

        """
        if sum(map(len, texts)) > self._max_chars:
            raise Unanswerable(reason="text-too-long")
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._find, tuple(texts), dict(known or {})
        )

    def close(self) -> None:
        """Let the thread go after what it is doing."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _find(self, texts: tuple[str, ...], known: dict[str, str]) -> list[list[Span]]:
        tick = self._deadline()
        readings = [_read(text, tick) for text in texts]
        for reading in readings:
            self._check(reading, tick)
        found = [reading.kept(self._layers(reading.decoded.text, tick)) for reading in readings]
        others = [self._others(reading, tick) for reading in readings]
        repeats = find_repeats(
            [reading.decoded.text for reading in readings],
            found,
            {normalise(value).text: kind for value, kind in known.items()},
        )
        tick()
        return [
            reading.spans([*spans, *more], beside)
            for reading, spans, more, beside in zip(readings, found, repeats, others, strict=True)
        ]

    def _check(self, reading: Reading, tick: Tick) -> None:
        if is_unreadable(reading.written.text):
            raise Unanswerable(reason="unknown-script")
        keys = normalise("\n\n".join(dict.fromkeys(reading.layout.keys))).text
        if keys and (self._holds_value(keys, tick) or self._holds_name(keys, tick)):
            raise Unanswerable(reason="private-key-name")

    def _holds_value(self, keys: str, tick: Tick) -> bool:
        return any(span.type in _NEVER_KEYS or span.source == CHECKED for span in self._structured(keys, tick))

    def _holds_name(self, keys: str, tick: Tick) -> bool:
        """Say whether a key is surely somebody's full name; single words and "Order Number" are not."""
        if _FULL_NAME.search(keys) is None:
            return False
        tags = self._tagger.tag(keys, _SURE, tick)
        spans = [span for span in spans_of(keys, tags) if span.type == "PERSON" and span.score >= _SURE]
        return any(_FULL_NAME.fullmatch(keys[span.start : span.end]) for span in spans)

    def _layers(self, text: str, tick: Tick, depth: int = 0) -> list[Span]:
        spans = self._structured(text, tick)
        tags = kept(text, self._tagger.tag(text, self._thresholds.least, tick), self._thresholds)
        spans.extend(without_everyday(text, spans_of(text, tags)))
        spans.extend(self._islands(text, tick, depth))
        return without_lone(text, resolve(join_places(text, join_names(text, resolve(spans)))))

    def _structured(self, text: str, tick: Tick) -> list[Span]:
        spans: list[Span] = []
        for recognizer in self._recognizers:
            tick()
            spans.extend(recognizer.find(text))
        return spans

    def _others(self, reading: Reading, tick: Tick) -> list[Span]:
        return [view.below(span) for view in reading.others for span in self._structured(view.text, tick)]

    def _islands(self, text: str, tick: Tick, depth: int) -> list[Span]:
        """Return the encoded stretches that hold something private; those too deep to read are taken to."""
        spans: list[Span] = []
        for island in find_islands(text):
            if depth >= _DEEPEST:
                kind, score = "ENCODED", 1.0
            else:
                inside = self._layers(_read(island.text, tick).decoded.text, tick, depth + 1)
                if not inside:
                    continue
                best = max(inside, key=lambda span: span.score)
                kind, score = best.type, best.score
            spans.append(Span(start=island.start, end=island.end, type=kind, score=score, source="island"))
        return spans

    def _deadline(self) -> Tick:
        end = self._monotonic() + self._timeout_s

        def tick() -> None:
            if self._monotonic() > end:
                raise ModelUnavailable(reason="detector-timeout")

        return tick


def _read(text: str, tick: Tick) -> Reading:
    tick()
    reading = read(text)
    tick()
    return reading
