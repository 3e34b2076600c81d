"""The values of a template's slots, each as pieces with the label that the classifier is to give them."""

import random
from collections.abc import Callable
from importlib import import_module
from typing import Any

from hybridmesh.infra.pii_training.organisations import Organisations, acronym
from hybridmesh.infra.pii_training.places import Places
from hybridmesh.infra.pii_training.spelling import cased, declined, initials, plain

Piece = tuple[str, str | None]  # a text and its label, None for what is not private

# The locales of each language, the frequent ones first; names also come from all the others.
LOCALES = {
    "en": ("en_US", "en_US", "en_GB", "en_GB", "en_IN", "en_AU", "en_CA", "en_IE", "en_NZ"),
    "de": ("de_DE", "de_DE", "de_AT", "de_CH"),
    "fr": ("fr_FR", "fr_FR", "fr_CH", "fr_BE"),
    "es": ("es_ES", "es_ES", "es_MX", "es_CO", "es_AR"),
    "it": ("it_IT",),
    "nl": ("nl_NL", "nl_BE"),
    "pt": ("pt_PT", "pt_BR"),
    "pl": ("pl_PL",),
}
_ABROAD = ("sv_SE", "da_DK", "no_NO", "fi_FI", "cs_CZ", "hu_HU", "ro_RO", "hr_HR", "tr_TR", "id_ID", "vi_VN", "sl_SI")
_ABROAD_SHARE = 0.15  # of addresses: in another country's words
_TITLES = ("Mr.", "Mrs.", "Ms.", "Mr", "Mrs", "Ms", "Dr.", "Dr", "Prof.", "Miss", "Sir", "Judge", "Captain", "Rev.")
_JOBS = {
    "en": "manager,chief executive,director,engineer,nurse,minister,president,foreign minister,teacher,coach,lawyer",
    "de": "Geschäftsführer,Ministerin,Präsident,Trainer,Anwältin,Lehrer,Ingenieurin,Schauspieler,Vorsitzender",
    "fr": "directeur,ministre,président,entraîneur,avocate,professeur,ingénieur,actrice,maire",
    "es": "director,ministra,presidente,entrenador,abogada,profesor,ingeniera,actor,alcalde",
    "it": "direttore,ministro,presidente,allenatore,avvocato,professoressa,ingegnere,attore,sindaco",
    "nl": "directeur,minister,president,trainer,advocaat,leraar,ingenieur,acteur,burgemeester",
    "pt": "diretor,ministra,presidente,treinador,advogada,professor,engenheira,ator,prefeito",
    "pl": "dyrektor,ministrem,prezydent,trener,prawniczka,nauczyciel,prezesem,aktor,polityk",
}
_NATIONS = {
    "en": "French,German,Spanish,Turkish,Chinese,American,British,Russian,Dutch,Polish,Iraqi,Indian",
    "de": "französische,deutsche,spanische,türkische,amerikanische,russische,polnische",
}
_DAYS = {
    "en": "Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday,monday,Fri",
    "de": "Montag,Dienstag,Mittwoch,Donnerstag,Freitag,Samstag,Sonntag",
    "fr": "lundi,mardi,mercredi,jeudi,vendredi,samedi,dimanche",
    "es": "lunes,martes,miércoles,jueves,viernes,sábado,domingo",
    "it": "lunedì,martedì,mercoledì,giovedì,venerdì,sabato,domenica",
    "nl": "maandag,dinsdag,woensdag,donderdag,vrijdag,zaterdag,zondag",
    "pt": "segunda-feira,terça-feira,quarta-feira,quinta-feira,sexta-feira,sábado,domingo",
    "pl": "poniedziałek,wtorek,środa,czwartek,piątek,sobota,niedziela",
}
_MONTHS = {
    "en": "January,February,March,April,May,June,July,August,September,October,November,December",
    "de": "Januar,Februar,März,April,Mai,Juni,Juli,August,September,Oktober,November,Dezember",
    "fr": "janvier,février,mars,avril,mai,juin,juillet,août,septembre,octobre,novembre,décembre",
    "es": "enero,febrero,marzo,abril,mayo,junio,julio,agosto,septiembre,octubre,noviembre,diciembre",
    "it": "gennaio,febbraio,marzo,aprile,maggio,giugno,luglio,agosto,settembre,ottobre,novembre,dicembre",
    "nl": "januari,februari,maart,april,mei,juni,juli,augustus,september,oktober,november,december",
    "pt": "janeiro,fevereiro,março,abril,maio,junho,julho,agosto,setembro,outubro,novembro,dezembro",
    "pl": "stycznia,lutego,marca,kwietnia,maja,czerwca,lipca,sierpnia,września,października,listopada,grudnia",
}
_PRODUCTS = "Router Pro,SmartHub,FlexPlan,Turbo Fibre,WebStore,PhotoBox,MailGuard,HomeCam,Business Line,Cloud Drive"
# Capitals that name nobody: what is learnt of capitals alone would take them for organisations.
_ABBREVIATIONS = (
    "ATM,IP,DNS,RFC,MRN,SSN,DOB,URL,API,HTTP,HTTPS,JSON,XML,CSV,PDF,FAQ,PIN,VAT,GDP,CEO,CFO,CTO,HR,IT,PR,QA,ID,OTP,MFA,"
    "SMS,USB,CPU,GPU,RAM,SSD,LED,TV,DVD,GPS,VPN,SSH,SSL,TLS,SQL,HTML,CSS,PHP,AWS,ETA,ASAP,FYI,TBD,RSVP,DIY,IBAN,BIC,SEPA,"
    "SWIFT,ROI,KPI,SLA,NDA,RFP,PO,SKU,UPC,EAN,MRI,CT,ECG,BMI,HIV,DNA,ADHD,ICU,GP,MD,PhD,BSc,MBA,AM,PM,UTC,GMT,CET,EST,"
    "ABC,XYZ,ZIP,SOS,OK,TODO,FIXME,NULL,ERROR,INFO,WARN,DEBUG,POST,GET,PUT,REST,UUID,ISBN,DOI,ISO,DIN,PLZ,USt,MwSt,TVA,"
    "IVA,BTW,NIF,DNI,SIRET,PESEL,NIP,GmbH,SARL,RDV,TTC,CDI,CDD,KFZ,LKW,PKW,EDV,AGB,DSGVO,RGPD,GDPR,PCI,KYC,AML,FX,ETF"
).split(",")
_SECONDARY = {
    "en": "Apt. {},Apt {},Suite {},Unit {},#{},Flat {},Floor {},Apt {}B,Room {}",
    "de": "{}. OG,{}. Stock,Whg. {},Hinterhaus,Top {},Zimmer {},EG links,Haus {}",
    "fr": "appt {},appartement {},bâtiment B,{}e étage,esc. {},bât. {},boîte {}",
    "es": "{}º B,piso {},puerta {},esc. {},{}º izq.,bajo A,depto. {},int. {}",
    "it": "int. {},interno {},scala B,piano {},pal. {},scala {}",
    "nl": "{} hoog,bus {},app. {},unit {},kamer {},{}e etage",
    "pt": "apto {},apt. {},{}º esq.,bloco {},sala {},{}º dto.",
    "pl": "m. {},lok. {},piętro {},klatka B,pok. {},lokal {}",
}


class Values:
    """Draws values for the slots of one text; the same seed gives the same texts."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - texts, not secrets
        faker: Any = import_module("faker")
        names = sorted({locale for locales in LOCALES.values() for locale in locales} | set(_ABROAD))
        self._fakers: dict[str, Any] = {locale: faker.Faker(locale) for locale in names}
        for number, maker in enumerate(self._fakers.values()):
            maker.seed_instance(seed * 1000 + number)
        self._places = Places()
        self._organisations = Organisations(self._town, self._land, self._family)
        self._slots: dict[str, Callable[[str], list[Piece]]] = {
            "full": self._full,
            "given": lambda language: [(cased(self._one(self._given, language), self.dice), "GIVEN_NAME")],
            "surname": lambda language: [(cased(self._one(self._family, language), self.dice, lower=0.05), "SURNAME")],
            "titled": self._titled,
            "initials": self._initialled,
            "last_first": self._turned,
            "org": lambda language: [(self._organisation(language), "ORGANISATION")],
            "acronym": lambda _: [(acronym(self.dice), "ORGANISATION")],
            "address": self._address,
            "street": self._street,
            "city": lambda language: [(cased(plain(self._town(language), self.dice), self.dice), "CITY")],
            "country": lambda language: [(cased(self._land(language), self.dice, lower=0.05), "LOCATION")],
            "state": lambda _: [(self._state(), "STATE")],
            "zip": lambda language: [(self._maker(language).postcode(), "ZIP_CODE")],
            "phone": lambda language: [(self._maker(language).phone_number(), "PHONE")],
            "email": lambda language: [(self._maker(language).email(), "EMAIL")],
            "url": lambda language: [(self._maker(language).url(), "URL")],
            "passport": lambda _: [(self._code(("?########", "#########", "??#######")), "PASSPORT")],
            "license": lambda _: [
                (self._code(("?#######", "########", "??######?", "#### #### ####")), "DRIVERS_LICENSE")
            ],
            "taxid": lambda language: [(str(self._maker(language).ssn()), "TAX_ID")],
            "account": lambda language: [(self._account(language), "BANK_ACCOUNT")],
            "user": lambda language: [(self._maker(language).user_name(), None)],
            "date": lambda language: [(self._date(language), None)],
            "time": lambda _: [(f"{self.dice.randint(0, 23)}:{self.dice.randint(0, 59):02}", None)],
            "num": lambda _: [(str(self.dice.choice((self.dice.randint(1, 99), self.dice.randint(100, 9999)))), None)],
            "money": lambda _: [(self._money(), None)],
            "ref": lambda _: [(self._code(("###-####", "INV-####-##", "#######", "??-######", "ORD#####")), None)],
            "product": lambda _: [(self.dice.choice(_PRODUCTS.split(",")), None)],
            "abbr": lambda _: [(self.dice.choice(_ABBREVIATIONS), None)],
            "words": lambda language: [(self._words(language), None)],
            "job": lambda language: [(self._word(_JOBS, language), None)],
            "month": lambda language: [(self._word(_MONTHS, language), None)],
            "weekday": lambda language: [(self._word(_DAYS, language), None)],
            "nationality": lambda language: [(self._word(_NATIONS, language), None)],
        }

    def draw(self, slot: str, language: str) -> list[Piece]:
        """Return the pieces of a value; raises KeyError for a slot that is not known."""
        return self._slots[slot](language)

    def _maker(self, language: str) -> Any:
        return self._fakers[self.dice.choice(LOCALES[language])]

    def _namer(self, language: str) -> Any:
        """Return a maker of names: of the language's own people, else of anybody's."""
        if self.dice.random() < 0.75:
            return self._maker(language)
        return self._fakers[self.dice.choice(sorted(self._fakers))]

    def _given(self, language: str) -> str:
        name = plain(str(self._namer(language).first_name()), self.dice)
        return f"{name}-{self._namer(language).first_name()}" if self.dice.random() < 0.03 else name

    def _family(self, language: str) -> str:
        name = plain(str(self._namer(language).last_name()), self.dice)
        return f"{name}-{self._namer(language).last_name()}" if self.dice.random() < 0.05 else name

    def _one(self, draw: Callable[[str], str], language: str) -> str:
        return declined(draw(language), language, self.dice)

    def _full(self, language: str) -> list[Piece]:
        given, family = self._given(language), self._family(language)
        roll = self.dice.random()
        if roll < 0.08:
            given, family = given.lower(), family.lower()
        elif roll < 0.13:
            given, family = given.upper(), family.upper()
        pieces: list[Piece] = [(given, "GIVEN_NAME"), (" ", None), (family, "SURNAME")]
        if roll > 0.92:
            pieces.insert(1, (f" {initials(self._given(language), self.dice)[:2]}", "GIVEN_NAME"))
        elif roll > 0.88:
            pieces[1:1] = [(" ", None), (self._given(language), "GIVEN_NAME")]
        return pieces

    def _titled(self, language: str) -> list[Piece]:
        title = self.dice.choice(_TITLES) + " "
        if self.dice.random() < 0.65:
            return [(title, None), (self._family(language), "SURNAME")]
        return [(title, None), *self._full(language)]

    def _initialled(self, language: str) -> list[Piece]:
        return [
            (initials(self._given(language), self.dice), "GIVEN_NAME"),
            (" ", None),
            (self._family(language), "SURNAME"),
        ]

    def _turned(self, language: str) -> list[Piece]:
        return [(self._family(language), "SURNAME"), (", ", None), (self._given(language), "GIVEN_NAME")]

    def _town(self, language: str) -> str:
        return self._places.city(language, self.dice)

    def _land(self, language: str) -> str:
        return self._places.country(language, self.dice)

    def _state(self) -> str:
        maker = self._fakers["en_US"]
        return str(maker.state_abbr() if self.dice.random() < 0.6 else maker.state())

    def _organisation(self, language: str) -> str:
        return cased(self._organisations.draw(language, self.dice), self.dice, lower=0.06, upper=0.03)

    def _street(self, language: str) -> list[Piece]:
        roll = self.dice.random()  # letters go abroad, and people write addresses as they are used to
        maker = self._fakers[self.dice.choice(sorted(self._fakers))] if roll < _ABROAD_SHARE else self._maker(language)
        name, number = str(maker.street_name()), str(maker.building_number())
        if (language in ("en", "fr")) != (roll < _ABROAD_SHARE / 2):
            return [(number, "BUILDING_NUMBER"), (" ", None), (name, "STREET_NAME")]
        return [
            (name, "STREET_NAME"),
            (", " if language in ("es", "it", "pt") else " ", None),
            (number, "BUILDING_NUMBER"),
        ]

    def _address(self, language: str) -> list[Piece]:
        pieces = self._street(language)
        gap = self.dice.choice((", ", ", ", "\n", " "))
        if self.dice.random() < 0.2:
            secondary = self._word(_SECONDARY, language).format(self.dice.randint(1, 900))
            pieces += [(" " if gap == "\n" else gap, None), (secondary, "SECONDARY_ADDRESS")]
        town, postcode = (self._town(language), "CITY"), (str(self._maker(language).postcode()), "ZIP_CODE")
        if self.dice.random() < 0.1:
            return pieces
        if language == "en" and self.dice.random() < 0.6:
            us = (str(self._fakers["en_US"].postcode()), "ZIP_CODE")
            pieces += [(gap, None), town, (", ", None), (self._state(), "STATE"), (" ", None), us]
        elif language == "en":
            uk = (str(self._fakers["en_GB"].postcode()), "ZIP_CODE")
            pieces += [(gap, None), town, (gap, None), uk]
        else:
            pieces += [(gap, None), postcode, (" ", None), town]
        if self.dice.random() < 0.15:
            pieces += [(gap, None), (self._land(language), "LOCATION")]
        return pieces

    def _words(self, language: str) -> str:
        """Return some words of the language without a meaning, written as a sentence, a heading or in capitals."""
        sentence = str(self._maker(language).sentence(nb_words=self.dice.randint(2, 12)))
        roll = self.dice.random()
        if roll < 0.2:
            return sentence.rstrip(".").title()
        return sentence.upper() if roll < 0.3 else sentence.lower() if roll < 0.5 else sentence

    def _account(self, language: str) -> str:
        maker = self._maker(language)
        return str(maker.bban()) if self.dice.random() < 0.4 else str(self.dice.randint(10**7, 10**11))

    def _code(self, patterns: tuple[str, ...]) -> str:
        return str(self._fakers["en_US"].bothify(self.dice.choice(patterns))).upper()

    def _date(self, language: str) -> str:
        day, year = self.dice.randint(1, 28), self.dice.randint(1940, 2027)
        month = self.dice.randint(1, 12)
        name = _MONTHS[language].split(",")[month - 1]
        return self.dice.choice(
            (
                f"{year}-{month:02}-{day:02}",
                f"{day:02}/{month:02}/{year}",
                f"{day}.{month}.{year}",
                f"{day} {name} {year}",
            )
        )

    def _money(self) -> str:
        amount = self.dice.randint(1, 9999) + self.dice.choice((0, 0.5, 0.99))
        return self.dice.choice((f"${amount:,.2f}", f"£{amount:.2f}", f"€{amount:.0f}", f"{amount:.2f} EUR"))

    def _word(self, words: dict[str, str], language: str) -> str:
        return self.dice.choice(words.get(language, words["en"]).split(","))
