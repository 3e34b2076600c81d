"""Secrets that say what they are: private key blocks, tokens, passwords, and random strings after a telling word."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from hybridmesh.agents.classifier.recognizers.recognizer import Gated, Hinted, PatternRecognizer, words
from hybridmesh.agents.classifier.recognizers.shapes import LETTER
from hybridmesh.schemas.privacy import Span

_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:[^-]|-(?!-{4})){0,20000}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"|[A-Za-z0-9+/=\s]{0,20000})"
)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{8,4096}\.eyJ[\w-]{4,8192}\.[\w-]{0,2048}")
_BEARER = re.compile(r"(?<!\w)(?:bearer|basic|token) (?P<value>[A-Za-z0-9+/=_.~-]{16,4096})(?!\w)", re.IGNORECASE)
_CURL_LOGIN = re.compile(
    r"(?<!\w)curl\b[^\n]{0,300}? (?:-u|--user)[ =][\"']?(?P<value>[^\s:\"']{1,64}:[^\s\"']{1,128})"
)
_NETRC = re.compile(r"(?<!\w)machine \S{1,255}\s+login \S{1,128}\s+password (?P<value>\S{1,256})")
_CONNECTION = re.compile(
    r"(?<!\w)(?:password|pwd|accountkey|sharedaccesskey|sharedsecret|secret)=(?P<value>[^;\s\"']{3,256})(?=;|$"
    r"|[\"'\s])",
    re.IGNORECASE | re.MULTILINE,
)
_HASH = re.compile(
    r"(?<![\w$])\$(?:2[abxy]?\$\d{2}\$[./A-Za-z0-9]{53}|(?:1|5|6|y|apr1|argon2(?:id|i|d))\$[^\s:\"']{20,256})(?![\w$])"
)
_SEED = re.compile(
    r"(?:seed(?: phrase| words?)?|recovery (?:phrase|words?)|mnemonic(?: phrase)?|wiederherstellungsphrase)"
    r"(?: is| are| ist| lautet)?[:=]?\s{1,3}[\"'`]?(?P<value>(?:[a-z]{3,8}[ ,]{1,2}){11,23}[a-z]{3,8})(?!\w)",
    re.IGNORECASE,
)
NAMED = (
    r"pass? ?wor[dt]|passwd|pwd|passphrase|pass ?code|ken{1,2}wort|contrase[ñn]a|clave|mot de passe|mdp|wacht?wo{0,2}rd"
    r"|parola d['’]ordine|senha|palavra-passe|wachtzin|has[łl]o|zugangsdaten|pin(?: code| number)?"
    r"|secret(?:[ _-]?key)?|api[ _-]?key"
    r"|(?:chiave|clave|clef?|clé|klucz)[ _-]?api|api[ _-]?(?:schl(?:ü|ue)ssel|sleutel|klucz)|ww(?= ?[:=] ?[\"'])"
    r"|(?:w-?lan|wi-?fi|wpa2?)[ -]?(?:schl(?:ü|ue)ssel|key)"
    r"|access[ _-]?(?:key|token)|auth[ _-]?token|client[ _-]?secret|private[ _-]?key|credentials"
)
REMEMBERED = (  # what a person has to remember
    r"palavra-passe|pass? ?wor[dt]|passwd|passphrase|pass ?code|ken{1,2}wort|contrase[ñn]a|mot de passe"
    r"|phrase (?:de passe|secrète)|wacht?wo{0,2}rd"
    r"|parola d['’]ordine|senha|frase (?:segreta|secreta|de paso)|wachtzin|has[łl](?:o|a|em|u)"
)
HINTS = (  # of which each of these holds one
    "pas", "pwd", "nwort", "contrase", "clave", "mdp", "wach", "parola", "senha", "palavra", "hasł", "hasl",
    "zugangsdaten", "pin", "secret", "api", "ww", "key", "schl", "token", "credentials", "frase", "phrase",
)  # fmt: skip
_OF = r"for|of|to|für|zu[mr]?|vo[nm]|des|de[rl]?|du|della?|dell['’]|di|per|para|pour|do|van|voor"
_DOOR = (
    r"(?:door|gate|lock|safe|alarm|garage|entrance|key ?pad|building|box|wi-?fi|(?:haus)?tür|tor|tresor|schloss"
    r"|alarmanlage"
    r"|porte|portail|immeuble|alarme|coffre|interphone|puerta|portal|alarma|caja fuerte|garaje|portone|porta"
    r"|cancello|allarme"
    r"|cassaforte|deur|poort|kluis|drzwi|bramy|domofonu?|sejfu?|alarmu)"
)
_ASSIGNED = re.compile(
    rf"(?<![A-Za-z])(?!(?<=\$)\w{{1,24}}:)(?:{NAMED})(?:[ _][A-Za-z]{{1,12}}){{0,2}}[\"']?"
    r"(?: ?[:=]{1,2}>? ?| is(?: now| still)?:? | ist:? | lautet:? | es:? | est:? | è:? | jest:? | é:? )"
    r"[\"'`“„]?(?P<value>[^\s\"'`“”,;]{3,200}[^\s\"'`“”,;.!?)\]])",
    re.IGNORECASE,
)
# "password = 'purple horse battery'", "set the password to …": in quotes it may have blanks.
_QUOTED = re.compile(
    rf"(?<![A-Za-z])(?:{NAMED})(?:[ _][A-Za-z]{{1,12}}){{0,2}}[\"']?"
    r"(?: ?[:=]{1,2}>? ?| (?:is|to|ist|lautet|auf|es|a|est|à|è|in|jest|na|é|naar):? )"
    r"(?P<q>[\"'`])(?P<value>(?=[^\n]{1,80}[ \t])(?:(?!(?P=q))[^\n]){4,120})(?P=q)",
    re.IGNORECASE,
)
_WORDS_MOST = 8  # of a passphrase; more are a sentence
# "password Tallow-2291", "the password, Tallow-2291, is": without a colon, only what has a digit or a sign inside.
_TOLD = re.compile(
    rf"(?<![A-Za-z])(?:{NAMED}),? [\"'`“„]?(?P<value>(?=[^\s]*[A-Za-z])(?=[^\s]*[0-9!#$%&*+@^~])[^\s\"'`“”,;]{{5,200}}"
    r"[^\s\"'`“”,;.?)\]])",
    re.IGNORECASE,
)
# "Passwort für a@example.org ist Tallow!2291", "hasło do konta X to …": whose it is stands between.
_TOLD_OF = re.compile(
    rf"(?<![A-Za-z])(?:{NAMED}) (?:for|to|of|für|zu[mr]?|vom|von|pour|de|du|del|della|di|per|para|van|voor|do|da|dla)"
    r" (?:[^\s]{1,64} ){1,4}?(?:is|ist|lautet|es|est|è|to|jest|é)[ :]{1,2}[\"'`“„]?"
    r"(?P<value>(?=[^\s]*[A-Za-z])(?=[^\s]*[0-9!#$%&*+@^~])[^\s\"'`“”,;]{5,200}[^\s\"'`“”,;.?)\]])",
    re.IGNORECASE,
)
# "po zmianie hasła na Zima#Kruk2024", "changed the password to …": without a colon, of the same kind.
_CHANGED = re.compile(
    rf"(?<![A-Za-z])(?:{REMEMBERED}) (?:na|to|auf|à|a|naar|por|para|con|mit|with|jest|is|ist)?:? ?[\"'`“„]?"
    r"(?P<value>(?=[^\s]*[A-Za-z])(?=[^\s]*[0-9])(?=[^\s]*[!#$%&*+@^~])[^\s\"'`“”,;]{5,200}[^\s\"'`“”,;.?)\]])",
    re.IGNORECASE,
)
# "code for the side gate is 4471#": what opens a door.
_ENTRY = re.compile(
    rf"(?<![A-Za-z])(?:code|codice|c[oó]digo|kod|pin) (?:(?:{_OF}) )?(?:[{LETTER}]{{1,12}} ){{0,3}}?(?:{_DOOR})"
    r"(?: (?:[^\s]{1,20} )?)?(?:is|ist|lautet|es|est|è|to|é|c['’]est)[ :]{1,2}[\"'`“„]?"
    r"(?P<value>(?=[^\s]*\d)[^\s\"'`“”,;]{3,40}[^\s\"'`“”,;.?!)\]])",
    re.IGNORECASE,
)
# "pincode 9034", "changed the PIN to 5582", "Alarmanlage Code 7719": of digits alone, right behind what it opens.
_PIN = re.compile(
    rf"(?<![A-Za-z])(?:pin(?:[ -]?code)?|(?:kod|codice|c[oó]digo|code) pin|{_DOOR} ?-?code)"
    r"(?: (?:is|ist|est|es|è|jest|to|é|in|auf|na|a|à|naar|now|jetzt)){0,2}[ :=]{1,3}"
    r"(?P<value>\d{4,8}[#*]?)(?![\w-]|[.,]\d)",
    re.IGNORECASE,
)
# "Cookie: sid=…; csrftoken=…": what a browser logs in with.
_COOKIE = re.compile(
    r"(?<![A-Za-z])[\w.-]{0,32}?(?:sess(?:ion)?(?:[_-]?id)?|sid|csrf\w{0,12}|xsrf[\w-]{0,12}|auth|jeton|jwt)="
    r"(?P<value>(?=[^\s;,\"'&]{0,256}\d)[\w.+/%=~:-]{12,4096})",
    re.IGNORECASE,
)
# A value that was made by a machine, given to what is called a token: 'token = "b7Qz-19fLw-0KxT-m4Vd"'; without quotes
# only right behind the sign.
_TOKEN = re.compile(
    r"(?<![A-Za-z])token(?:[\"']?(?: ?[:=]{1,2}>? ?)[\"'`]|=)"
    r"(?P<value>(?=[^\s\"'`]*[A-Za-z])(?=[^\s\"'`]*\d)[\w.+/=~-]{10,512})(?![\w(\[])",
    re.IGNORECASE,
)
# A word, a sign and some digits in one: "Tallow!2291" is a password wherever it stands, "Ticket#2291" may be none.
_WORD_SIGN_DIGITS = re.compile(rf"(?<![\w/@.#-])[{LETTER}]{{4,24}}[!$]\d{{2,8}}[!$#?*]?(?![\w%])")
_RANDOM = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_=-]{20,512}(?![\w+/=-])")
_SECRET_WORD = words("key", "token", "secret", "password", "credential", "api", "auth", "schlüssel", "clave", "clé")

_SECRET_KEY = re.compile(rf"(?:[^\W_]{{1,20}} ){{0,3}}(?:{NAMED})(?: (?:value|text|plain|\d))?", re.IGNORECASE)
_MIXED = re.compile(r"(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{12}")
_BITS_LEAST = 3.5  # Shannon entropy a character; English words joined by dashes stay below, base64 lies above 4

# "$PASSWORD", "${SECRET}", "<your key>", "{{ token }}", "%PWD%", "****", "os.environ[…]": the place of a value.
_VARIABLE = re.compile(
    r"\$[A-Z_{(]|<[^>]|\{\{|%[A-Z_]+%|[*x•]{3,}$|\.{3}|(?:os\.|process\.env|env\.|getenv|settings\.|config\.|self\."
    r"|var\.)"
)
# What is said of a password in its place.
REMARKS = frozenset({
    "see", "ask", "same", "contact", "please", "below", "above", "siehe", "bitte", "unten", "oben", "gleich", "voir",
    "ver", "véase", "vedi", "zie", "patrz", "required", "optional", "sent", "separately", "later", "soon", "manager",
    "reset", "policy", "changed", "unknown", "forgotten", "vergessen", "geändert", "oublié", "envoyé", "olvidada",
    "enviada", "dimenticata", "inviata", "vergeten", "wysłane", "must", "field", "min", "minimum", "characters",
    "zeichen", "caractères", "caracteres", "caratteri", "tekens", "znaków", "input", "text", "type", "value",
    "contain", "contains", "length", "länge", "longueur", "longitud", "lunghezza", "lengte", "enviado", "inviato",
    "gesendet", "verzonden", "separat",
})  # fmt: skip
NOT_VALUES = frozenset({
    "not", "the", "a", "an", "my", "your", "wrong", "incorrect", "expired", "invalid", "required", "reset",
    "changed", "correct", "too", "weak", "strong", "missing", "empty", "optional", "never", "always", "being",
    "been", "set", "still", "asked", "no", "nicht", "falsch", "abgelaufen", "unknown",
    "working", "rejected", "accepted", "sent", "needed", "stored", "only", "for", "and", "was", "none", "null",
    "true", "unset", "str", "string",
    "false", "forgotten", "lost", "protected", "incorrecta", "incorrecto", "caducada", "incorrect.",
    "oublié", "expiré", "ungültig", "leer", "erforderlich", "notwendig", "changé", "changée", "invalide",
    "obligatoire", "vide", "été", "obligatoria", "obligatorio", "necesaria", "vacía", "correcta", "inválida",
    "cambiada", "sido", "stato", "stata", "stati", "state", "errata", "scaduta", "sbagliata", "obbligatoria", "vuota",
    "corretta", "cambiata", "gewijzigd", "verlopen", "vereist", "onjuist", "ongeldig", "leeg", "fout", "juist",
    "nodig", "wygasłe", "nieprawidłowe", "błędne", "puste", "wymagane", "niepoprawne", "zmienione", "złe",
    "obrigatória", "inválido", "alterada", *REMARKS,
})  # fmt: skip


def names_secret(key: str) -> bool:
    """Say whether a key, its words parted by blanks, is that of a password or the like."""
    return _SECRET_KEY.fullmatch(key) is not None


def is_random(value: str) -> bool:
    """Say whether a string has a long run of mixed digits and letters, and 3.5 bits of entropy a character or more."""
    if _MIXED.search(value) is None:
        return False
    counts = Counter(value)
    bits = -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
    return bits >= _BITS_LEAST


@dataclass(frozen=True, slots=True)
class PasswordRecognizer:
    """What stands after "password:" and its like, unless it is an ordinary word of such a sentence, or a variable."""

    pattern: re.Pattern[str]

    def find(self, text: str) -> Iterator[Span]:
        """Yield the values given."""
        for span in PatternRecognizer("SECRET", self.pattern).find(text):
            value = text[span.start : span.end]
            first, *rest = value.split() or [""]
            if len(rest) < _WORDS_MOST and first.lower() not in NOT_VALUES and not _VARIABLE.match(value):
                yield span


class RandomRecognizer:
    """Strings of high entropy after a word for secrets."""

    _pattern = PatternRecognizer("SECRET", _RANDOM, context=_SECRET_WORD, score=0.8)

    def find(self, text: str) -> Iterator[Span]:
        """Yield the strings that look drawn at random."""
        for span in self._pattern.find(text):
            if is_random(text[span.start : span.end]):
                yield span


RECOGNIZERS = (
    Hinted(("-----begin",), (PatternRecognizer("SECRET", _KEY_BLOCK, score=1.0),)),
    Hinted(("eyj",), (PatternRecognizer("SECRET", _JWT, score=1.0),)),
    Hinted(("bearer", "basic", "token"), (PatternRecognizer("SECRET", _BEARER),)),
    Hinted(("curl",), (PatternRecognizer("SECRET", _CURL_LOGIN),)),
    Hinted(("machine",), (PatternRecognizer("SECRET", _NETRC),)),
    Hinted(("$",), (PatternRecognizer("SECRET", _HASH),)),
    Hinted(("seed", "recovery", "mnemonic", "wiederh"), (PatternRecognizer("SECRET", _SEED),)),
    Hinted(("word=", "pwd=", "key=", "secret="), (PasswordRecognizer(_CONNECTION),)),
    Hinted(
        HINTS,
        (
            Gated(
                re.compile(rf"(?<![A-Za-z])(?:{NAMED}|{REMEMBERED})", re.IGNORECASE),
                (
                    PasswordRecognizer(_ASSIGNED),
                    PasswordRecognizer(_QUOTED),
                    PatternRecognizer("SECRET", _TOLD),
                    PatternRecognizer("SECRET", _TOLD_OF),
                    PatternRecognizer("SECRET", _CHANGED),
                ),
            ),
        ),
    ),
    Gated(
        re.compile("code|codice|código|codigo|kod|pin", re.IGNORECASE),
        (PatternRecognizer("SECRET", _ENTRY), PatternRecognizer("SECRET", _PIN)),
    ),
    Hinted(("ses", "sid", "srf", "auth", "jeton", "jwt"), (PatternRecognizer("SECRET", _COOKIE),)),
    Hinted(("token",), (PatternRecognizer("SECRET", _TOKEN),)),
    Hinted(("!", "$"), (PatternRecognizer("SECRET", _WORD_SIGN_DIGITS),)),
    Gated(re.compile(r"[A-Za-z0-9+/_=-]{20}"), (RandomRecognizer(),)),
)
