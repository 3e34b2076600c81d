"""E-mail addresses, also with Unicode letters, and spelled out (``name [at] example [dot] org``)."""

import re

from hybridmesh.agents.classifier.recognizers.recognizer import PatternRecognizer

# RFC 5322 also allows = / ? & | # and `; where they stand, they mostly part an address from what is before it.
_LOCAL = r"[\w+][\w.!$%'*+^{}~-]{0,63}"
_PLAIN = re.compile(rf"(?<![\w.+-]){_LOCAL}@(?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.){{1,8}}[^\W\d_]{{2,24}}(?![\w@])")
_SPELLED = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64} ?[\[(] ?(?:at|AT|arroba) ?[\])] ?[\w-]{1,63}"
    r"(?: ?(?:\.|[\[(] ?(?:dot|DOT|punto|punkt) ?[\])]) ?[\w-]{1,63}){1,4}"
)

RECOGNIZERS = (
    PatternRecognizer("EMAIL", _PLAIN, score=1.0),
    PatternRecognizer("EMAIL", _SPELLED),
)
