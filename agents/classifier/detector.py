"""The layers of detection, joined: recognizers, own terms, the token classifier, and repeats of what they found."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from hybridmesh.agents.classifier.normalise import Normalised, normalise
from hybridmesh.agents.classifier.places import join_places
from hybridmesh.agents.classifier.recognizers import RECOGNIZERS, Recognizer
from hybridmesh.agents.classifier.recognizers.scripts import is_unreadable
from hybridmesh.agents.classifier.repeats import find_repeats
from hybridmesh.agents.classifier.spans import resolve
from hybridmesh.agents.classifier.tags import Tag, kept, spans_of
from hybridmesh.agents.classifier.terms import TermRecognizer
from hybridmesh.agents.classifier.thresholds import Thresholds
from hybridmesh.bus.errors import ModelUnavailable, Unanswerable
from hybridmesh.schemas.privacy import Span


class Tagger(Protocol):
    """The token classifier, as the detector needs it; see ``token_classifier.TokenClassifier``."""

    def tag(self, text: str, threshold: float, tick: Callable[[], None]) -> list[Tag]:
        """Return the private tokens in order; blocking."""
        ...


class Detector:
    """Finds what is private in the texts of one step; one thread of its own, so that asyncio stays free.

    ``timeout_s`` is the time for one call, ``max_chars`` the length of all its texts together.
    """

    def __init__(
        self,
        *,
        tagger: Tagger,
        terms: Sequence[str],
        thresholds: Thresholds,
        max_chars: int,
        timeout_s: float,
        monotonic: Callable[[], float],
        recognizers: Sequence[Recognizer] = RECOGNIZERS,
    ) -> None:
        self._tagger = tagger
        self._recognizers = (*recognizers, TermRecognizer(terms))
        self._thresholds = thresholds
        self._max_chars = max_chars
        self._timeout_s = timeout_s
        self._monotonic = monotonic
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="detector")

    async def find(self, texts: Sequence[str], known: Mapping[str, str] | None = None) -> list[list[Span]]:
        """Return the disjoint private spans of each text; ``known`` maps values that are private anyway to types.

        Raises:
            Unanswerable: the texts are too long, or written in a script that nobody here reads.
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
        views = [normalise(text) for text in texts]
        if any(is_unreadable(view.text) for view in views):
            raise Unanswerable(reason="unknown-script")
        found = [self._layers(view.text, tick) for view in views]
        repeats = find_repeats(
            [view.text for view in views], found, {normalise(value).text: kind for value, kind in known.items()}
        )
        tick()
        return [_in_original(view, [*spans, *more]) for view, spans, more in zip(views, found, repeats, strict=True)]

    def _layers(self, text: str, tick: Callable[[], None]) -> list[Span]:
        spans: list[Span] = []
        for recognizer in self._recognizers:
            tick()
            spans.extend(recognizer.find(text))
        spans.extend(spans_of(text, self._tags(text, tick)))
        return resolve(join_places(text, resolve(spans)))

    def _tags(self, text: str, tick: Callable[[], None]) -> list[Tag]:
        return kept(text, self._tagger.tag(text, self._thresholds.least, tick), self._thresholds)

    def _deadline(self) -> Callable[[], None]:
        end = self._monotonic() + self._timeout_s

        def tick() -> None:
            if self._monotonic() > end:
                raise ModelUnavailable(reason="detector-timeout")

        return tick


def _in_original(view: Normalised, spans: Sequence[Span]) -> list[Span]:
    return resolve(view.in_original(span) for span in resolve(spans))
