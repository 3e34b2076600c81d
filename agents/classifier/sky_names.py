"""Planets, stars and feasts: they have capitals like a person's, and mostly nobody is called by them."""

import re
from typing import Final

_WORD = re.compile(r"[^\W\d_]+")
_READ: Final = 4000  # characters around a name that may speak of the sky
# Of planets and feasts, in all the forms that they take, that hardly anybody is called by.
_NOBODYS_WORDS: Final = """
merkur merkurs merkurius mercurius jupiter jupiters saturn saturns saturnus uranus neptun neptuns neptunus pluto
plutos neptune mercure saturne mercurio urano neptuno plutón plutone nettuno giove júpiter saturno neptuno plutão
úrano wenus wenery wenerę merkury merkurego merkurym jowisz jowisza jowiszem jowiszu saturna saturnem uran urana
uranem neptuna neptunem pluton plutona plutonem księżyc księżyca ostern pfingsten weihnachten fastnacht pâques
pentecôte navidad navidades pascua pentecostés pentecoste capodanno ferragosto kerst kerstmis pasen pinksteren
hemelvaart sinterklaas wielkanoc wielkanocy wielkanocą wigilia wigilii wigilię easter christmas halloween thanksgiving
hanukkah ramadan páscoa
"""
_NOBODYS: Final = frozenset(_NOBODYS_WORDS.split())
_FEASTS: Final = (
    {"semana", "santa"}, {"viernes", "santo"}, {"domingo", "ramos"}, {"boże", "narodzenie"}, {"boże", "ciało"},
    {"vendredi", "saint"}, {"venerdì", "santo"}, {"goede", "vrijdag"}, {"wielki", "piątek"}, {"good", "friday"},
)  # fmt: skip
# That somebody may be called by: nobody's only where the text speaks of the sky.
_PERHAPS_WORDS: Final = """
venus vénus venere vênus mars marte marsa marsem marsie mercury luna lune lua maan mond sol sirius sirio orion orione
orión orionu vega wega aldebaran antares andromeda andromède andrómeda kassiopeia cassiopeia titan europa ganymed io
callisto terra erde aarde ziemia ziemi
"""
_PERHAPS: Final = frozenset(_PERHAPS_WORDS.split())
_SKY_WORDS: Final = """
sun sky planet planets star stars moon orbit telescope eclipse galaxy solar sonne himmel planeten stern sterne
umlaufbahn fernrohr teleskop galaxie sonnensystem soleil ciel planète planètes étoile étoiles orbite télescope lunette
éclipse sol cielo planeta planetas estrella estrellas órbita telescopio eclipse galaxia sole pianeta pianeti stella
stelle eclissi galassia orbita zon hemel ster sterren maan baan kijker telescoop verduistering słońce słońca słońcem
niebo niebie planety planetą gwiazda gwiazdy orbicie teleskop lunetę zaćmienie céu estrela estrelas astronomie
astronomía astronomia
"""
_SKY: Final = frozenset(_SKY_WORDS.split())
_ALL: Final = _NOBODYS | _PERHAPS
_TELLING: Final = _SKY | _NOBODYS


def names_sky(text: str, start: int, end: int) -> bool:
    """Say whether a stretch names planets, stars or feasts, and nobody."""
    found = {word.casefold() for word in _WORD.findall(text[start:end])}
    if found - {"de", "do"} in _FEASTS:
        return True
    if not found or not found <= _ALL:
        return False
    return found <= _NOBODYS or _tells_sky(text, start, end)


def _tells_sky(text: str, start: int, end: int) -> bool:
    around = f"{text[max(0, start - _READ) : start]} {text[end : end + _READ]}"
    return not _TELLING.isdisjoint(word.casefold() for word in _WORD.findall(around))
