"""Originals put back into replies, whole or as they stream: text, JSON string by string, and bytes.

There is one way for all of them: a whole reply is a stream of one piece.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from hybridmesh.schemas.destinations import Destinations
from hybridmesh.schemas.nesting import follow_calls
from hybridmesh.schemas.requests import without_documents, would_leave
from hybridmesh.schemas.surrogates import Restorer, find_lookalikes

Form = Literal["text", "json"]

_PLAIN = re.compile(r'[^"\\]+')
_STEP = re.compile(r'[^"{}\[\]:,]+')
_ALONE = re.compile(r"(?:\[[A-Za-z0-9_\\&#;]{0,240}\]?)?")  # how a string that is one surrogate may begin
_HEX4 = re.compile(r"[0-9A-Fa-f]{4}")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPE_LENGTH = 6  # of \uXXXX


@dataclass(slots=True)
class Tally:
    """What was done to a reply: surrogates put back, those nobody issued, and those that would have left again."""

    used: set[str] = field(default_factory=set[str])
    unresolved: list[str] = field(default_factory=list[str])
    withheld: list[str] = field(default_factory=list[str])

    def add(self, restorer: Restorer) -> None:
        """Take over what a restorer has counted."""
        self.used |= restorer.used
        self.unresolved += restorer.unresolved
        self.withheld += restorer.withheld


class Stream(Protocol):
    """A reply that comes in pieces; ``tally`` is complete after ``finish``."""

    @property
    def tally(self) -> Tally:
        """What was done so far."""
        ...

    def feed(self, text: str) -> str:
        """Take the next piece, return what is certain by now."""
        ...

    def finish(self) -> str:
        """Return the rest."""
        ...


def open_reply(originals: Mapping[str, str], form: Form, *, own: bool = False, members: Collection[str] = ()) -> Stream:
    """Return the restorer for a reply of that form; nothing is put where it would leave again.

    A reply streams up to its first value; the rest comes with ``finish``, as what stands below may send what stands
    above, and then nothing is put back at all. ``own`` text was written here and stays here: it gets back all that was
    taken from it, links included, as it comes. ``members`` of JSON were asked for by name: one called "input", say, is
    no tool call's.
    """

    def opened(watch: Callable[[], Follower] | None) -> _Restoring:
        return JsonReply(originals, watch, members) if form == "json" else TextReply(originals, watch)

    if own:
        return opened(None)

    def leaves(reply: str) -> bool:
        def holds(piece: str) -> bool:
            return any(mark.surrogate in originals for mark in find_lookalikes(piece))

        if would_leave(reply, holds, members):
            return True
        if form == "text" or not holds(beside := without_documents(reply)):
            return False
        as_text = TextReply(originals, Destinations)  # what was no JSON is markup to somebody
        as_text.feed(beside)
        as_text.finish()
        return bool(as_text.tally.withheld)

    return JudgedReply(opened, leaves)


class Follower(Protocol):
    """What says of a text as it comes whether it would leave."""

    @property
    def leaving(self) -> bool:
        """Whether what comes next would leave."""
        ...

    @property
    def calling(self) -> bool:
        """Whether it stands inside of a tool call."""
        ...

    def read(self, text: str) -> None:
        """Go on by a piece of the text."""
        ...


class _Withholding:
    """Of a reply in which all would leave."""

    leaving = True
    calling = False

    def read(self, text: str) -> None:
        """Go on; nothing changes."""


class _Restoring(Stream, Protocol):
    @property
    def has_restored(self) -> bool:
        """Whether a value was put back so far."""
        ...


class JudgedReply:
    """A reply from outside, which is judged as a whole before the first of its values is shown."""

    def __init__(
        self, opened: Callable[[Callable[[], Follower] | None], _Restoring], leaves: Callable[[str], bool]
    ) -> None:
        self._opened = opened
        self._leaves = leaves
        self._restoring = opened(Destinations)
        self._read: list[str] = []
        self._held: list[str] = []
        self._shown = 0  # characters

    @property
    def tally(self) -> Tally:
        """What was done so far."""
        return self._restoring.tally

    def feed(self, text: str) -> str:
        """Take the next piece, return what is certain by now."""
        self._read.append(text)
        restored = self._restoring.feed(text)
        if self._restoring.has_restored:
            self._held.append(restored)
            return ""
        self._shown += len(restored)
        return restored

    def finish(self) -> str:
        """Return the rest."""
        rest = "".join([*self._held, self._restoring.finish()])
        reply = "".join(self._read)
        if not self._restoring.has_restored or not self._leaves(reply):
            return rest
        self._restoring = self._opened(_Withholding)
        return (self._restoring.feed(reply) + self._restoring.finish())[self._shown :]


class TextReply:
    """A reply in plain text, Markdown, HTML or code."""

    def __init__(self, originals: Mapping[str, str], watch: Callable[[], Follower] | None = None) -> None:
        self._restorer = Restorer(originals, watch=None if watch is None else watch())
        self.tally = Tally()

    @property
    def has_restored(self) -> bool:
        """Whether a value was put back so far."""
        return bool(self._restorer.used)

    def feed(self, text: str) -> str:
        """Take the next piece, return what is certain by now."""
        return self._restorer.feed(text)

    def finish(self) -> str:
        """Return the rest."""
        rest = self._restorer.finish()
        self.tally.add(self._restorer)
        return rest


class JsonReply:
    """A reply in JSON: values go into its strings with the escapes that they need, and nothing else changes.

    What stands outside of strings is read as text, so that a broken document gets its originals too. Inside the
    value of a member that is a tool call nothing is put back.
    """

    def __init__(
        self,
        originals: Mapping[str, str],
        watch: Callable[[], Follower] | None = None,
        members: Collection[str] = (),
    ) -> None:
        self._originals = originals
        self._new_watch = watch
        self._outside: Restorer | None = None
        self._around: Follower | None = None
        self._called = False  # whether a tool call began between strings: of a document that is no JSON
        self._inside: Restorer | None = None
        self._begun: _Begun | None = None
        self._pending = ""  # the beginning of an escape
        self._nesting = follow_calls(members)
        self.tally = Tally()

    @property
    def has_restored(self) -> bool:
        """Whether a value was put back so far."""
        return bool(self.tally.used or any(part.used for part in (self._inside, self._outside) if part is not None))

    def feed(self, text: str) -> str:
        """Take the next piece, return what is certain by now."""
        text, self._pending = self._pending + text, ""
        pieces: list[str] = []
        at = 0
        while at < len(text):
            at = self._string(text, at, pieces) if self._inside is not None else self._structure(text, at, pieces)
            if self._pending:
                break
        return "".join(pieces)

    def finish(self) -> str:
        """Return the rest."""
        begun = "" if self._inside is None else self._let_go(self._inside)
        rest = begun + self._close(self._inside) + self._pending + self._close(self._outside)
        self._inside = self._outside = None
        self._pending = ""
        return rest

    def _structure(self, text: str, at: int, pieces: list[str]) -> int:
        """Read what stands between strings, up to the next string."""
        if self._outside is None:
            watch = self._watch()
            self._outside = Restorer(self._originals, watch=watch)
            self._around = None if watch is None or watch.calling else watch
        end = at
        while end < len(text) and text[end] != '"':
            match = _STEP.match(text, end)
            if match is None:
                self._nesting.place(text[end])
            elif match.group().strip():
                self._nesting.spoken = ""
            end = match.end() if match else end + 1
        pieces.append(self._outside.feed(text[at:end]))
        if end < len(text):
            pieces.append(self._close(self._outside))
            self._outside = None
            self._called = self._called or (self._around is not None and self._around.calling)
            self._inside = Restorer(self._originals, watch=self._watch(), encode=in_json)
            self._begun = _Begun()
            if self._nesting.at_key:  # which no number can be
                pieces.append(self._let_go(self._inside))
            self._nesting.spoken = ""
            end += 1
        return end

    def _string(self, text: str, at: int, pieces: list[str]) -> int:
        """Read on inside a string, up to its end."""
        restorer = self._inside
        if restorer is None:
            return at
        if text[at] == '"':
            pieces.append(self._end_string(restorer))
            return at + 1
        if text[at] != "\\":
            match = _PLAIN.match(text, at)
            end = match.end() if match else at + 1
            pieces.append(self._speak(restorer, text[at:end], text[at:end]))
            return end
        escape = _escape_at(text, at)
        if escape is None:
            self._pending = text[at:]
            return len(text)
        char, source = escape
        pieces.append(self._speak(restorer, char, [source, *[""] * (len(char) - 1)]))
        return at + len(source)

    def _speak(self, restorer: Restorer, text: str, shown: Sequence[str]) -> str:
        """Go on by a piece of a string; what may be a surrogate and nothing else waits for the string's end."""
        self._nesting.speak(text)
        if self._begun is None:
            return restorer.feed(text, shown)
        self._begun.text += text
        self._begun.shown += shown
        return "" if _ALONE.fullmatch(self._begun.text) else self._let_go(restorer)

    def _let_go(self, restorer: Restorer) -> str:
        begun, self._begun = self._begun, None
        return "" if begun is None else '"' + restorer.feed(begun.text, begun.shown)

    def _end_string(self, restorer: Restorer) -> str:
        """A surrogate of a number is read with its quotes, which go when the number comes back."""
        begun, self._begun = self._begun, None
        self._inside = None
        if begun is None:
            return self._close(restorer) + '"'
        return restorer.feed(f'"{begun.text}"', ['"', *begun.shown, '"']) + self._close(restorer)

    def _watch(self) -> Follower | None:
        if self._new_watch is None:
            return None
        watch = self._new_watch()
        if self._called or self._nesting.in_call:
            watch.read("[TOOL_CALLS]")
        return watch

    def _close(self, restorer: Restorer | None) -> str:
        if restorer is None:
            return ""
        rest = restorer.finish()
        self.tally.add(restorer)
        return rest


@dataclass(slots=True)
class _Begun:
    """The beginning of a string as it reads, and its source; the opening quote is not written yet."""

    text: str = ""
    shown: list[str] = field(default_factory=list[str])


def in_json(value: str) -> str:
    """Return a value as it stands inside a JSON string; half of a surrogate pair as an escape, since UTF-8 has none."""
    escaped = json.dumps(value, ensure_ascii=False)[1:-1]
    return re.sub(r"[\ud800-\udfff]", lambda half: f"\\u{ord(half.group()):04x}", escaped)


def _escape_at(text: str, at: int) -> tuple[str, str] | None:
    """Return the character of the escape that begins there, and its source; None when the rest has yet to come.

    A backslash that begins no escape is a character like others.
    """
    if at + 1 == len(text):
        return None
    following = text[at + 1]
    if following in _ESCAPES:
        return _ESCAPES[following], text[at : at + 2]
    if following != "u":
        return "\\", "\\"
    if len(text) - at < _ESCAPE_LENGTH and _could_be_hex(text[at + 2 :]):
        return None
    digits = text[at + 2 : at + _ESCAPE_LENGTH]
    return (chr(int(digits, 16)), text[at : at + _ESCAPE_LENGTH]) if _HEX4.fullmatch(digits) else ("\\", "\\")


def _could_be_hex(text: str) -> bool:
    return all(char in "0123456789abcdefABCDEF" for char in text)
