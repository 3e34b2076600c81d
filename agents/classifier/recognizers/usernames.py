"""Names under which people log in or post: after a word that says so, by their form where that word says little."""

import re
from collections.abc import Iterator

from hybridmesh.agents.classifier.recognizers.recognizer import SHAPED, Hinted, PatternRecognizer
from hybridmesh.schemas.privacy import Span

_LABEL = (
    r"(?:user[ _-]?name|user[ _-]?id|log[ -]?in(?: name)?|nick(?:[ -]?name)?|screen ?name|handle"
    r"|Benutzer(?:name|kennung)"
    r"|Nutzername|Anmeldename|nombre de usuario|usuario|identifiant|nom d.utilisateur|nome utente|gebruikersnaam"
    r"|nome de utilizador|nazwa użytkownika)"
)
_USER = (
    r"(?:[Uu]ser|[Bb]enutzer|[Nn]utzer|[Uu]suario|[Uu]tilisateur|[Uu]tente|[Gg]ebruiker|[Uu]tilizador"
    r"|[Uu]żytkowni(?:k|ka))"
)
_SOMEBODY = (
    r"(?!(?:[Nn]one|[Nn]ull|nil|undefined|true|false|string|str|user|usuario|benutzer|utilisateur|utente|gebruiker"
    r"|użytkownik"
    r"|failed|error|ok|success)(?!\w))"  # what programs give to nobody
)
_NAMED = re.compile(
    rf"(?<!\w){_LABEL} ?(?:[:=] ?|(?:is|ist|est|es|è|to) (?=[\"'“„@]?[\w.-]*[\d_]))[\"'“„]?"
    rf"(?P<value>{_SOMEBODY}@?[A-Za-z][\w.-]{{1,38}}\w)(?![\w@])",
    re.IGNORECASE,
)
# An underscore between small letters, or digits right behind some: "log in as jane_doe", "account jdoe84".
_FORM = r"(?P<value>@?(?:[a-z0-9.-]+_[a-z0-9._-]*[a-z0-9]|[a-z]{3,}(?:\.[a-z]+)*\d{1,6}))(?![\w@(-]|\.\w)"
_INITIAL = (
    r"(?P<value>[a-z]\.[a-z]{3,30}\d{0,6}|[a-z]{2,20}\d{1,6}|[a-z]{1,20}_[a-z0-9._]{0,30}[a-z0-9])(?![\w@(-]|\.\w)"
)
_PLACED = re.compile(
    r"(?<![\w-])(?:[Ll]og(?:ged|s|ging)? ?in as|[Ss]ign(?:ed)? ?in as|[Aa]ccount|[Uu]ser|[Pp]rofile"
    r"|(?:publickey|password) for"
    r"|[Ii]nstagram|[Tt]elegram|[Tt]witter|[Ss]kype|[Dd]iscord|[Gg]it[Hh]ub|Konto|Benutzer(?:konto)?|cuenta|compte"
    r"|profil"
    rf"|utente|konto) ?[:=]? ?[\"'“„]?{_FORM}"
)

# "usuario dacosta.m", "l'utente l.ferrandi84", "DB_USER=svc_ledger", "gebruiker=hbakker_admin"; in a record, any word.
_OF_USER = re.compile(rf"(?<![A-Za-z]){_USER}(?: ?:)? [\"'“„«]?{_INITIAL}")
_IS_USER = re.compile(
    rf"(?<![A-Za-z]){_USER} (?:is|ist|est|es|è|to) [\"'“„«]?"
    r"(?P<value>[a-z]{2,20}[._][a-z0-9._]{0,30}[a-z0-9])(?![\w@(-])"
)
_SET_USER = re.compile(
    r"(?<![A-Za-z])(?:[A-Z]{2,20}_)?(?i:user(?:name)?|login|benutzer|usuario|utilisateur|utente|gebruiker|utilizador"
    r"|użytkownik)="
    r"[\"']?(?P<value>" + _SOMEBODY + r"[a-z][\w.-]{2,38})(?![\w@(.])"
)

# "Benutzername gast_03": without a sign only what has the form of one.
_NAMED_BARE = re.compile(rf"(?<!\w){_LABEL} [\"'“„]?(?-i:{_FORM})", re.IGNORECASE)
_FIELD = re.compile(
    rf"(?<!\w)(?:[Rr]eporter|[Aa]ssignee|[Rr]eviewer|[Aa]uthor|[Rr]equester|[Cc]ommitter|[Mm]elder"
    rf"|[Bb]earbeiter) ?[:=] ?{_FORM}"
)
# "usuario pmendizabal bloqueado", "user jroe from 10.0.0.7": as logs have it.
_LOGGED = re.compile(
    rf"(?<![A-Za-z]){_USER} [\"']?(?P<value>{_SOMEBODY}[a-z][a-z0-9._-]{{2,30}}[a-z0-9])[\"']?"
    r"(?= (?:(?:from|desde|depuis|von|aus|da|vanaf|z) \[?\d|blo[cqk]|locked|gesperrt|geblokkeerd|zablokowan"
    r"|logged (?:in|out)))"
)
# "Insta: @lemonpith.studio": in any form behind the name of where it is used.
_SOCIAL = re.compile(
    r"(?<!\w)(?:Twitter|Insta(?:gram)?|Telegram|TikTok|Mastodon|Threads|Bluesky|Snapchat|Discord|Skype|Twitch"
    r"|YouTube|GitHub"
    r"|Facebook|X|[Hh]andle|[Pp]rofile?)(?: ?[:=-]| is| ist| est| es| è)? (?P<value>@[A-Za-z][\w.-]{1,38}\w)"
)

# "TODO(marek): …": whose it is, in program text.
_TODO = re.compile(r"(?<!\w)(?:TODO|FIXME|XXX|HACK|NOTE)\((?P<value>[a-z][\w.-]{1,30})\)")

# "[10:02] tkowalczyk: morning all", "<s.nair> hi": who speaks in a chat.
_SPEAKER = re.compile(
    r"(?m)^\[\d{1,2}:\d{2}(?::\d{2})?\] ?(?:<(?P<value>[a-z][a-z0-9._-]{2,30})>"
    r"|(?!(?:info|warn(?:ing)?|error|debug|trace|note|fatal|notice|main|system|bot|agent|user|kunde|client|break|lunch)[:>])"
    r"(?P<plain>[a-z][a-z0-9._-]{2,30}): )"
)


class SpeakerRecognizer:
    """Who speaks in a chat log, under names in small letters, where at least two lines have one."""

    def find(self, text: str) -> Iterator[Span]:
        """Yield the names."""
        found = [*_SPEAKER.finditer(text)] if "[" in text else []
        for match in found if len(found) > 1 else ():
            start, end = match.span("plain" if match["value"] is None else "value")
            yield Span(start=start, end=end, type="USERNAME", score=0.8, source=SHAPED)


_USER_HINTS = ("user", "nutzer", "usuario", "utilisateur", "utente", "gebruik", "utilizador", "żytkowni")
_LABEL_HINTS = (*_USER_HINTS, "log", "nick", "screen", "handle", "anmeldename", "identifiant")
_PLACE_HINTS = (
    "log", "sign", "account", "user", "profil", "publickey", "password", "instagram", "telegram", "twitter", "skype",
    "discord", "github", "konto", "nutzer", "cuenta", "compte", "utente",
)  # fmt: skip
_FIELD_HINTS = ("reporter", "assignee", "reviewer", "author", "requester", "committer", "melder", "bearbeiter")

RECOGNIZERS = (
    SpeakerRecognizer(),
    Hinted(("todo(", "fixme(", "xxx(", "hack(", "note("), (PatternRecognizer("USERNAME", _TODO, score=0.7),)),
    Hinted(
        _LABEL_HINTS,
        (PatternRecognizer("USERNAME", _NAMED, score=0.8), PatternRecognizer("USERNAME", _NAMED_BARE, score=0.8)),
    ),
    Hinted(_FIELD_HINTS, (PatternRecognizer("USERNAME", _FIELD, score=0.8),)),
    Hinted(("@",), (PatternRecognizer("USERNAME", _SOCIAL, score=0.8),)),
    Hinted(_PLACE_HINTS, (PatternRecognizer("USERNAME", _PLACED, score=0.8),)),
    Hinted(
        _USER_HINTS,
        (
            PatternRecognizer("USERNAME", _LOGGED, score=0.8),
            PatternRecognizer("USERNAME", _OF_USER, score=0.8),
            PatternRecognizer("USERNAME", _IS_USER, score=0.8),
        ),
    ),
    Hinted((*_USER_HINTS, "login="), (PatternRecognizer("USERNAME", _SET_USER, score=0.8),)),
)
