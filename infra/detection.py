"""Builds the detector from the settings, for the classifier and for ``detect``, which has no bus."""

import time

from hybridmesh.agents.classifier.detector import Detector
from hybridmesh.agents.classifier.terms import TermRecognizer
from hybridmesh.agents.classifier.thresholds import Thresholds
from hybridmesh.agents.classifier.token_classifier import MISSING, TokenClassifier
from hybridmesh.bus.errors import ModelUnavailable, Unanswerable
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.infra.model_setup import model_folder
from hybridmesh.schemas.privacy import Span

UNREAD = "UNREAD"


def make_detector(settings: MeshSettings, terms: TermRecognizer | None = None) -> Detector:
    """Return a detector with the model of the settings, made first where it is missing; blocking.

    Without ``terms`` those of the settings hold, and no others.

    Raises:
        SetupError: the model can neither be found nor made.

    """
    privacy = settings.privacy
    return Detector(
        tagger=TokenClassifier(model_folder(settings, settings.models.detector)),
        terms=TermRecognizer(privacy.terms) if terms is None else terms,
        thresholds=Thresholds(privacy.threshold, privacy.thresholds),
        max_chars=privacy.max_chars,
        timeout_s=privacy.timeout_s,
        monotonic=time.monotonic,
    )


async def read_whole(detector: Detector, text: str) -> list[Span]:
    """Return the private spans of a text; one that nobody can read is private from its first to its last character.

    Raises:
        ModelUnavailable: there is no model to read it with.

    """
    try:
        return (await detector.find([text]))[0]
    except (ModelUnavailable, Unanswerable) as error:
        if error.reason == MISSING:
            raise
        return [Span(start=0, end=len(text), type=UNREAD, score=1.0, source=error.reason)]
