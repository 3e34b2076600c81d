"""The form of a step's answer: what the model is told and held to, and how its words are read back."""

import json
import re
from typing import Any, cast

from hybridmesh.schemas.inference import Guide, GuideKind
from hybridmesh.schemas.plans import OutputForm, StepSpec

_FENCE = re.compile(r"\A\s*```[a-z]*[ \t]*\n(?P<body>.*?)\n?[ \t]*```\s*\Z", re.DOTALL)
_REGEX_SIGNS = re.compile(r"[\\.^$*+?{}\[\]|()/]")
_LANGUAGES = {
    "en": "English", "de": "German", "es": "Spanish", "fr": "French", "it": "Italian", "nl": "Dutch",
    "pt": "Portuguese",
}  # fmt: skip


def guide_for(output: OutputForm) -> Guide | None:
    """Return what holds the decoding to the form, None for free text."""
    if output.kind == "choice":
        options = "|".join(_REGEX_SIGNS.sub(r"\\\g<0>", option) for option in output.options)
        return Guide(kind=GuideKind.REGEX, pattern=f"({options})")
    if output.kind == "json":
        return Guide(kind=GuideKind.JSON_SCHEMA, pattern=json.dumps(output.json_schema))
    return None


def say_form(spec: StepSpec, language: str | None) -> str:
    """Return the form in words."""
    if spec.output.kind == "choice":
        return "One of: " + ", ".join(spec.output.options)
    if spec.output.kind == "json":
        return "JSON, copied from the material."
    words = max(20, spec.max_tokens * 2 // 3)  # about three tokens for two words
    tongue = f" in {language_name(language)}" if language else ""
    return f"Plain text{tongue}, at most {words} words."


def language_name(language: str) -> str:
    """Return the English name of a language code, the code itself when it is not one of ours."""
    return _LANGUAGES.get(language, language)


def read_answer(answer: str, output: OutputForm) -> str:
    """Return the result in an answer: the option as it is spelled, JSON without its fence, text without its margins.

    What does not fit the form comes back as it is: judging it is the verifier's work. A choice may come as the
    JSON object ``{"choice": OPTION}``, which is how the cloud is asked for it.
    """
    text = answer.strip()
    if output.kind == "text":
        return text
    fenced = _FENCE.match(text)
    text = fenced["body"].strip() if fenced else text
    if output.kind == "json":
        return text
    chosen = _chosen(text).strip().strip("\"'.").casefold()
    return next((option for option in output.options if option.casefold() == chosen), text)


def _chosen(text: str) -> str:
    try:
        found: object = json.loads(text)
    except ValueError:
        return text
    choice = cast("dict[str, Any]", found).get("choice") if isinstance(found, dict) else found
    return choice if isinstance(choice, str) else text
