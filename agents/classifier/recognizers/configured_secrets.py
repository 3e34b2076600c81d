"""Passwords as configurations have them: elements, attributes, pairs of name and value, calls, directives, columns."""

import re

from hybridmesh.agents.classifier.recognizers.credentials import HINTS, NAMED, PasswordRecognizer
from hybridmesh.agents.classifier.recognizers.recognizer import Gated, Hinted, Recognizer

# "DB_PASSWORD", "adminPassword", "ns:pin": a word of the name, so that "shipping" and "pinned" are none.
_BEGINS = r"(?:(?<![A-Za-z])|(?-i:(?<=[a-z])(?=[A-Z])))"
_ENDS = r"(?:(?![A-Za-z])|(?-i:(?=[A-Z][a-z])))"
_NAME = rf"[\w.:-]{{0,40}}?{_BEGINS}(?:{NAMED}){_ENDS}[\w.-]{{0,20}}"
_MIXED = r"(?=[^\s|]*[A-Za-z])(?=[^\s|]*[0-9!#$%&*+@^~])[^\s|\"'`,;]{5,200}"
# <password type="x">…</password>
_ELEMENT = re.compile(rf"<{_NAME}(?:\s[^<>]{{0,200}})?>(?P<value>[^<>\n]{{3,120}})</", re.IGNORECASE)
# <add key="DbPassword" value="…"/>
_ATTRIBUTES = re.compile(
    rf"(?:key|name|id|type)=[\"']{_NAME}[\"'][^<>]{{0,200}}?\svalue=[\"'](?P<value>[^\"'<>]{{3,200}})[\"']",
    re.IGNORECASE,
)
# - name: DB_PASSWORD
#   value: …
_PAIR = re.compile(
    rf"(?<!\w)(?:name|key)[\"']?\s?[:=]\s?[\"']?{_NAME}[\"']?,?\s{{1,40}}[\"']?value[\"']?\s?[:=]\s?[\"']?"
    r"(?P<value>[^\s\"',;]{3,200})",
    re.IGNORECASE,
)
_CALL = re.compile(
    rf"(?:(?<![A-Za-z])|(?<=set)|(?<=with))(?:{NAMED})\([\"'](?P<value>[^\"'\n]{{3,200}})[\"']\)", re.IGNORECASE
)
_SQL = re.compile(
    r"(?<!\w)(?:IDENTIFIED BY(?: PASSWORD)?|WITH (?:ENCRYPTED )?PASSWORD"
    r"|(?:USER|ROLE|LOGIN) [^;\n]{1,80}? PASSWORD) ?=? ?N?"
    r"'(?P<value>[^'\n]{3,200})'",
    re.IGNORECASE,
)
_DIRECTIVE = re.compile(
    rf"(?<![\w-])(?:requirepass|masterauth|ENV {_NAME}|--(?:\w{{1,20}}-)?(?:{NAMED})) [\"']?"
    r"(?P<value>[A-Za-z0-9][^\s\"';|<>]{3,200})",
    re.IGNORECASE,
)
_PASS = re.compile(r"(?<![A-Za-z])pass=[\"']?(?P<value>[^\s\"'`&;,)]{3,200})", re.IGNORECASE)
_BELOW = re.compile(
    rf"(?<![A-Za-z])(?:{NAMED}) ?[:=][ \t]*\r?\n[ \t]*[\"']?(?P<value>{_MIXED})[\"']?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_COLUMN = re.compile(
    rf"(?<![A-Za-z])(?:{NAMED})[\"'*`]{{0,2}} ?[|\t;,] ?[\"'*`]{{0,2}}(?P<value>{_MIXED})", re.IGNORECASE
)

RECOGNIZERS: tuple[Recognizer, ...] = (
    Hinted(("identified by", "password"), (PasswordRecognizer(_SQL),)),
    Hinted(("requirepass", "masterauth", "env ", "--"), (PasswordRecognizer(_DIRECTIVE),)),
    Hinted(("pass=",), (PasswordRecognizer(_PASS),)),
    Hinted(
        HINTS,
        (
            Gated(
                re.compile(NAMED, re.IGNORECASE),
                tuple(map(PasswordRecognizer, (_ELEMENT, _ATTRIBUTES, _PAIR, _CALL, _BELOW, _COLUMN))),
            ),
        ),
    ),
)
