"""Structured recognizers: one module a family of private values, all of the shape of ``Recognizer``."""

from hybridmesh.agents.classifier.recognizers import (
    accounts,
    addresses,
    births,
    cards,
    credentials,
    documents,
    emails,
    names,
    national_ids,
    networks,
    organisations,
    phones,
    scripts,
)
from hybridmesh.agents.classifier.recognizers.recognizer import Recognizer

RECOGNIZERS: tuple[Recognizer, ...] = (
    *emails.RECOGNIZERS,
    *phones.RECOGNIZERS,
    *cards.RECOGNIZERS,
    *accounts.RECOGNIZERS,
    *national_ids.RECOGNIZERS,
    *documents.RECOGNIZERS,
    *networks.RECOGNIZERS,
    *credentials.RECOGNIZERS,
    *births.RECOGNIZERS,
    *addresses.RECOGNIZERS,
    *names.RECOGNIZERS,
    *organisations.RECOGNIZERS,
    *scripts.RECOGNIZERS,
)

__all__ = ["RECOGNIZERS", "Recognizer"]
