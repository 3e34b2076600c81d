"""E-mail addresses, also with Unicode letters, and spelled or spaced out (``name [at] example [dot] org``)."""

import re

from hybridmesh.agents.classifier.recognizers.recognizer import Gated, PatternRecognizer

# RFC 5322 also allows = / ? & | # and `; where they stand, they mostly part an address from what is before it.
_LOCAL = r"[\w+][\w.!$%'*+^{}~-]{0,63}"
_PLAIN = re.compile(rf"(?<![\w.+-]){_LOCAL}@(?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.){{1,8}}[^\W\d_]{{2,24}}(?![\w@])")
_MARKED_DOT = r" ?[\[(] ?(?:dot|DOT|punto|punkt|point|punt|kropka) ?[\])] ?"
_SPELLED = re.compile(
    rf"(?<![\w.+-])[\w.+-]{{1,64}}(?:{_MARKED_DOT}[\w+-]{{1,40}}){{0,3}} ?[\[(] ?(?:at|AT|arroba) ?[\])] ?[\w-]{{1,63}}"
    rf"(?:(?: ?\. ?|{_MARKED_DOT})[\w-]{{1,63}}){{1,4}}"
)
_DOT = r"(?:dot|punto|punkt|point|punt|kropka|ponto)"
_DOMAIN_END = r"(?:com|org|net|info|eu|de|at|ch|fr|be|es|it|nl|pl|pt|uk|ie|us|io|co|edu|gov|example)"
_SAID = re.compile(  # "anna at example dot org"
    rf"(?<![\w.+-])[\w.+-]{{1,64}}(?: (?:{_DOT}|bindestrich|guion|tiret) [\w-]{{1,40}}){{0,3}}"
    r" (?:at|ät|arroba|chiocciola|arobase|małpa|apenstaartje) [\w-]{1,63}"
    rf"(?: {_DOT} [\w-]{{2,63}}){{0,3}} {_DOT} {_DOMAIN_END}(?!\w)",
    re.IGNORECASE,
)
_SPACED = re.compile(r"(?<![^\s:;,(<])\w(?: [\w.+-]){1,40} @(?: [\w-]){2,40}(?: \.(?: [\w-]){2,24}){1,3}(?!\w| \w )")

RECOGNIZERS = (
    PatternRecognizer("EMAIL", _PLAIN, score=1.0),
    Gated(re.compile(r"[\[(] ?(?:at|AT|arroba)"), (PatternRecognizer("EMAIL", _SPELLED),)),
    Gated(re.compile(f" {_DOT} ", re.IGNORECASE), (PatternRecognizer("EMAIL", _SAID),)),
    Gated(re.compile(" @ "), (PatternRecognizer("EMAIL", _SPACED),)),
)
