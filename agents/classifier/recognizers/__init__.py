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
    issued_keys,
    names,
    national_ids,
    networks,
    organisations,
    passphrases,
    phones,
    scripts,
    spoken_addresses,
    taxes,
    usernames,
    wallets,
)
from hybridmesh.agents.classifier.recognizers.recognizer import Recognizer

RECOGNIZERS: tuple[Recognizer, ...] = (
    *emails.RECOGNIZERS,
    *phones.RECOGNIZERS,
    *cards.RECOGNIZERS,
    *accounts.RECOGNIZERS,
    *national_ids.RECOGNIZERS,
    *taxes.RECOGNIZERS,
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
    *names.RECOGNIZERS,
    *organisations.RECOGNIZERS,
    *scripts.RECOGNIZERS,
)

__all__ = ["RECOGNIZERS", "Recognizer"]
