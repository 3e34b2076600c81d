"""Numbers above a million in words, behind a word for what they number: "account one million two hundred …"."""

import re

from hybridmesh.agents.classifier.recognizers.recognizer import Hinted, PatternRecognizer, words

# Of German, Dutch and Italian, which write a number below a million as one word.
_GROWN = (
    r"(?:ein|eine|zwei|zwo|drei|vier|fünf|sechs|sech|sieb|sieben|acht|neun|zehn|elf|zwölf|und|zwanzig|ßig|zig|hundert"
    r"|tausend){2,16}"
    r"|(?:een|één|twee|drie|vier|vijf|zes|zeven|acht|negen|tien|elf|twaalf|der|veer|twin|tig|tach|en|ën|honderd|duizend)"
    r"{2,16}"
    r"|(?:un|uno|due|tre|tré|quattro|cinque|sei|sette|otto|nove|dieci|dici|venti?|trenta?|quaranta?|cinquanta?|sessanta?"
    r"|settanta?|ottanta?|novanta?|cento?|mila|mille){2,16}"
)
_PART = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[a-z]{3,6}teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand"
    r"|eine?|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|[a-z]{3,6}zehn"
    r"|un|deux|trois|quatre|cinq|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|vingts?|trente|quarante"
    r"|cinquante|soixante|septante|nonante|cents?|mille"
    r"|uno?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|quince|dieci[a-zé]{3,6}"
    r"|veinti?[a-zé]{0,6}|(?:trei|cuare|cincue|sese|sete|oche|nove)nta|cien(?:to)?s?|[a-z]{2,6}cient[oa]s"
    r"|quinientos|mil"
    r"|due|tre|quattro|cinque|sei|sette|otto|nove|dieci|cento|mila"
    r"|een|twee|drie|vijf|zes|zeven|negen|tien|twaalf|honderd|duizend"
    rf"|{_GROWN})"
)
_MILLION = r"(?:milliona?|million(?:s|en)?|mill[oó]n(?:es)?|milion[ei]|miljoen)"
_JOINT = r"(?:[ -]|, ?| (?:and|und|et|y|e|en) )"
_NEXT = rf"(?:{_JOINT}{_PART}(?!\w))"
# To the last digit, or nearly: "one million two hundred thousand" numbers nothing.
_NUMBER = re.compile(
    rf"(?<![\w-])(?P<value>{_PART}(?:{_JOINT}{_PART}){{0,8}} {_MILLION}"
    rf"(?:{_NEXT}{{6,16}}+|{_NEXT}{{0,2}}{_JOINT}(?=\w{{20}}){_PART}(?!\w){_NEXT}{{0,4}}+))(?![\w-])"
    r"(?! (?:euros?|dollars?|pounds?|francs?|pesos?|złotych|people|inhabitants|einwohner|menschen|habitants|habitantes"
    r"|abitanti|inwoners)(?!\w))",
    re.IGNORECASE,
)
_ACCOUNT = words(
    "account", "konto", "compte", "cuenta", "conto", "rekening", "iban", "sort code", "bank",
)  # fmt: skip
_CARD = words("card", "kart", "carte", "tarjeta", "carta", "kaart")
_PHONE = words("phone", "tel", "mobile", "cell", "handy", "ruf", "portable", "m[oó]vil", "cellulare", "gsm", "call me")
_ID = words(
    "social security", "id number", "passport", "tax", "steuer", "ausweis", "reisepass", "sozialversicherung",
    "passeport", "sécurité sociale", "dni", "pasaporte", "seguridad social", "passaporto", "codice fiscale",
    "paspoort", "bsn", "burgerservice",
)  # fmt: skip

RECOGNIZERS = (
    Hinted(
        ("milli", "mill\u00f3n", "millon", "milion", "miljoen"),
        tuple(
            PatternRecognizer(kind, _NUMBER, context=context)
            for kind, context in (
                ("BANK_ACCOUNT", _ACCOUNT), ("CARD", _CARD), ("PHONE", _PHONE), ("NATIONAL_ID", _ID),
            )
        ),
    ),
)  # fmt: skip
