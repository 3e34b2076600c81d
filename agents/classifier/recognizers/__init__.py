"""Structured recognizers: one module a family of private values, all of the shape of ``Recognizer``."""

from hybridmesh.agents.classifier.recognizers import (
    accounts,
    addresses,
    births,
    cards,
    configured_secrets,
    credentials,
    documents,
    emails,
    introductions,
    issued_keys,
    lone_surnames,
    names,
    national_ids,
    networks,
    organisations,
    passphrases,
    phones,
    scripts,
    spoken_addresses,
    spoken_numbers,
    taxes,
    usernames,
    wallets,
)
from hybridmesh.agents.classifier.recognizers.recognizer import DIGIT, Gated, Recognizer

RECOGNIZERS: tuple[Recognizer, ...] = (
    *emails.RECOGNIZERS,
    Gated(DIGIT, (*phones.RECOGNIZERS, *cards.RECOGNIZERS, *taxes.RECOGNIZERS)),
    *accounts.RECOGNIZERS,
    *national_ids.RECOGNIZERS,
    *documents.RECOGNIZERS,
    *wallets.RECOGNIZERS,
    *networks.RECOGNIZERS,
    *issued_keys.RECOGNIZERS,
    *credentials.RECOGNIZERS,
    *configured_secrets.RECOGNIZERS,
    *passphrases.RECOGNIZERS,
    *usernames.RECOGNIZERS,
    *births.RECOGNIZERS,
    *addresses.RECOGNIZERS,
    *spoken_addresses.RECOGNIZERS,
    *spoken_numbers.RECOGNIZERS,
    *names.RECOGNIZERS,
    *introductions.RECOGNIZERS,
    *lone_surnames.RECOGNIZERS,
    *organisations.RECOGNIZERS,
    *scripts.RECOGNIZERS,
)

__all__ = ["RECOGNIZERS", "Recognizer"]
