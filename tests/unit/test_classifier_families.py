"""Nothing private leaves, and clean text stays clean: each family with good samples, failed checks and look-alikes."""

import base64
import hashlib

import pytest

from found_values import find_all
from hybridmesh.agents.classifier.recognizers import checksums, tax_checks
from hybridmesh.agents.classifier.recognizers.wallet_checksums import BITCOIN, base58check, bech32

# Keys are put together here, so that no scanner takes this file for a leak.
ALNUM = "q8Zr4Tn1Vx7Lk2Mb9Pw3Ys6Hd5Fg0JcRaEuXiOoQtWmNvBKzD"
HEX = hashlib.sha256(b"sample").hexdigest()

FOUND = [
    # Tax numbers whose check digits hold need no word for them.
    ("TAX_ID", "geliefert an DE136695976, netto", "DE136695976"),
    ("TAX_ID", "ATU13585627 wurde geprüft", "ATU13585627"),
    ("TAX_ID", "numéro FR 40 303 265 045 valable", "FR 40 303 265 045"),
    ("TAX_ID", "firma PL8567346215 płaci", "PL8567346215"),
    ("TAX_ID", "bedrijf NL004495445B01 betaalt", "NL004495445B01"),
    ("TAX_ID", "fattura a IT00743110157 oggi", "IT00743110157"),
    ("TAX_ID", "empresa ESB58378431 paga", "ESB58378431"),
    ("TAX_ID", "company GB 980 7806 84 pays", "GB 980 7806 84"),
    ("TAX_ID", "PT501964843", "PT501964843"),
    ("TAX_ID", "BE0428759497", "BE0428759497"),
    ("TAX_ID", "USt-IdNr. DE 123456789 ist gesetzt", "DE 123456789"),
    ("TAX_ID", "NIP 856-734-62-15", "856-734-62-15"),
    ("TAX_ID", "EIN: 12-3456789", "12-3456789"),
    ("TAX_ID", "Steuernummer 21/815/08150", "21/815/08150"),
    ("TAX_ID", "SIRET 732 829 320 00074", "732 829 320 00074"),
    ("TAX_ID", "partita IVA 00743110157", "00743110157"),
    ("TAX_ID", "REGON 192598184", "192598184"),
    # Persons.
    ("NATIONAL_ID", "NHS number 943 476 5919", "943 476 5919"),
    ("NATIONAL_ID", "Meine Nummer: 15070649C103", "15070649C103"),
    ("NATIONAL_ID", "Krankenversicherten-Nr. A123456780", "A123456780"),
    ("NATIONAL_ID", "AHV 756.9217.0769.85", "756.9217.0769.85"),
    ("NATIONAL_ID", "rijksregisternummer 85.07.30-033.28", "85.07.30-033.28"),
    ("NATIONAL_ID", "44051401359 (PESEL)", "44051401359"),
    ("NATIONAL_ID", "111222333 is mijn BSN", "111222333"),
    ("NATIONAL_ID", "NIE X-1234567-L", "X-1234567-L"),
    ("NATIONAL_ID", "sécurité sociale 2 55 08 14 168 025", "2 55 08 14 168 025"),
    ("NATIONAL_ID", "dowód osobisty ABA300000", "ABA300000"),
    ("NATIONAL_ID", "carte d'identité 180692310285", "180692310285"),
    ("TAX_ID", "codice RSSMRA85T10A562S", "RSSMRA85T10A562S"),
    ("SSN", "the last four digits of my SSN are 4399", "4399"),
    ("SSN", "social security number 536904399", "536904399"),
    ("PASSPORT", "numer paszportu AB1234567", "AB1234567"),
    ("PASSPORT", "passaporto n. YA1234567", "YA1234567"),
    (
        "PASSPORT",
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
        "L898902C36",
    ),
    ("DRIVERS_LICENSE", "driver's license D1234567", "D1234567"),
    ("DRIVERS_LICENSE", "permis de conduire 12AB34567", "12AB34567"),
    ("DRIVERS_LICENSE", "MORGA657054SM9IJ 35", "MORGA657054SM9IJ"),
    ("DRIVERS_LICENSE", "prawo jazdy nr 00123 12 1234", "00123 12 1234"),
    ("VEHICLE", "1M8GDM9AXKP042788 ran out of fuel", "1M8GDM9AXKP042788"),
    ("VEHICLE", "amtliches Kennzeichen B-MW 1234", "B-MW 1234"),
    ("VEHICLE", "targa AB123CD", "AB123CD"),
    # Money.
    ("BANK_ACCOUNT", "routing number 111000025", "111000025"),
    ("BANK_ACCOUNT", "numéro de compte 20041010050500013", "20041010050500013"),
    ("CRYPTO_ADDRESS", "send to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa now", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    ("CRYPTO_ADDRESS", "or 3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy,", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
    ("CRYPTO_ADDRESS", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    ("CRYPTO_ADDRESS", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"),
    ("CRYPTO_ADDRESS", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
    ("CRYPTO_ADDRESS", "0x" + "aB12" * 10, "0x" + "aB12" * 10),
    # Machines.
    ("MAC_ADDRESS", "port 001a.2b3c.4d5e is up", "001a.2b3c.4d5e"),
    ("URL", "my website is https://www.example.com.br/ada", "https://www.example.com.br/ada"),
    ("URL", "see linkedin.com/in/ada-lovelace-1815", "linkedin.com/in/ada-lovelace-1815"),
    ("URL", "https://example.org/a?token=abcd1234", "https://example.org/a?token=abcd1234"),
    ("USERNAME", "I log in as jdoe_ops from here", "jdoe_ops"),
    ("USERNAME", "the forum account up_in_the_loft, please", "up_in_the_loft"),
    ("USERNAME", "Accepted publickey for jdoe84 from", "jdoe84"),
    ("USERNAME", "Benutzername: Falke.Nord", "Falke.Nord"),
    ("PHONE", "tel. 212-555-0199 ext. 44", "212-555-0199 ext. 44"),
    ("PHONE", "Front desk 2125550199 ext 44", "2125550199 ext 44"),
    ("PHONE", "office,+41 (0)69 979 80 58", "+41 (0)69 979 80 58"),
    ("PHONE", "zadzwoń, tel. 601 234 567", "601 234 567"),
    # Births.
    ("BIRTH_DATE", "DOB 03/15/1989", "03/15/1989"),
    ("BIRTH_DATE", "urodzony 5 maja 1980", "5 maja 1980"),
    ("BIRTH_DATE", "nato a Roma il 3 marzo 1975", "3 marzo 1975"),
    ("BIRTH_DATE", "geboren op 3 mei 1990", "3 mei 1990"),
    ("BIRTH_DATE", "fecha de nacimiento: 1990-04-30", "1990-04-30"),
    # Places.
    ("ADDRESS", "My zip code is 2371", "2371"),
    ("ADDRESS", "to Unit 7349 Box 6067\nDPO AE 99081", "Unit 7349 Box 6067\nDPO AE 99081"),
    ("PERSON", "Hallo!\n\nLiebe Frau Schulze, wie", "Schulze"),
    ("PERSON", "Chère Amélie,", "Amélie"),
    ("PERSON", "vu avec M. Dupont hier", "Dupont"),
    ("ORGANISATION", "bei der Freenet AG gekauft", "Freenet AG"),
    ("ORGANISATION", "an der Universität Wien", "Universität Wien"),
    ("ADDRESS", "Pariser Platz 4a, 10117 Berlin", "Pariser Platz 4a, 10117 Berlin"),
    ("ADDRESS", "Damrak 1, 2011 AB Haarlem", "2011 AB Haarlem"),
    ("ADDRESS", "ul. Długa 5, 00-950 Warszawa", "00-950 Warszawa"),
    ("ADDRESS", "am Nordring 14, 90408 Nürnberg", "Nordring 14"),
    # Secrets.
    (
        "SECRET",
        "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
        "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
    ),
    ("SECRET", "glpat-" + ALNUM[:20], "glpat-" + ALNUM[:20]),
    ("SECRET", "shpat_" + HEX[:32], "shpat_" + HEX[:32]),
    ("SECRET", "hvs." + ALNUM[:30], "hvs." + ALNUM[:30]),
    ("SECRET", "GOCSPX-" + ALNUM[:28], "GOCSPX-" + ALNUM[:28]),
    ("SECRET", "123456789:AA" + ALNUM[:33], "123456789:AA" + ALNUM[:33]),
    ("SECRET", "dapi" + HEX[:32], "dapi" + HEX[:32]),
    ("SECRET", "https://hooks.slack.com/services/T000/B000/" + ALNUM[:24], ALNUM[:24]),
    ("SECRET", "Server=db;User Id=app;Password=Tr0ub4dor;", "Tr0ub4dor"),
    ("SECRET", "AccountKey=" + base64.b64encode(HEX.encode()).decode() + ";", base64.b64encode(HEX.encode()).decode()),
    ("SECRET", "curl -s -u ada:horse-9 https://example.org", "ada:horse-9"),
    ("SECRET", "machine example.org login ada password h0rse", "h0rse"),
    ("SECRET", "$2b$12$" + ALNUM + ALNUM[:4], "$2b$12$" + ALNUM + ALNUM[:4]),
    ("SECRET", "seed phrase: " + "legal winner thank year wave sausage " * 2, "legal winner thank year"),
    ("SECRET", "Authorization: Bearer " + ALNUM[:32], ALNUM[:32]),
]

CLEAN = [
    "The account NL-204417 and the user guide; the profile picture; account type; user_id is a column.",
    "Log in as usual, sign in as a guest, and open account settings.",
    "During 1971 they invested; String 12 of 20, Monitoring 24 hours, Spring 2024, Engineering 101.",
    "IT department, FR market, DE 2024 report, NL team of 12, BE 10 and ES 2030 targets.",
    "Contact us about invoice 20260304 or call about order no. 4711551234.",
    "NATO met on 12 May 2020; the birthday party menu has 12 items.",
    "The patented design US 1234567 hangs beside the plaque of 1901.",
    "ZIP files over 100 MB are refused, and the postal service took 3 days.",
    "The seed phrase field is empty. The mnemonic helps you to remember it.",
    "sha256 " + HEX + " and md5 9e107d9d372bb6826bd81d3542a419d6 match.",
    "Docs: https://docs.python.org/3/library/re.html#re.Match and www.example.com/help.",
    "Das Angebot 2026-114 über 12.500,00 € gilt 30 Tage; Artikel 4006381333931 ist vorrätig.",
    "Le colis 6A12345678901 arrive le 3 mai; la TVA est de 20 %.",
    "El pedido 2024-889 tiene 3 artículos y el IVA es del 21 %.",
    "La fattura 12/2026 è di 300 euro, IVA inclusa, pratica 44512.",
    "Zamówienie 20260304 kosztuje 120 zł; faktura nr 33/2026.",
    "De bestelling 778899 kost 45 euro, btw inbegrepen.",
    "Set password=$PASSWORD in the shell; the variable pwd is unset; curl -u is an option.",
    "base58 strings such as 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb fail their check sum",
    "uuid 3f2a9c1d-8e7b-4a5f-9e3d-2c1b0a998877, commit 1a2b3c4, colour #ff00aa, port 8080",
    "Er erreichte auf Anhieb Platz 1; die Bundesstraße 105 und die Landesstraße 11 sind gesperrt, S. 63-102 Lage",
    "BALLOON FESTIVAL 2010 TO START Today; 2020 PG Khalen Robinson; 06.08.10 11:21 London",
    "Ein Text über Liebe und Frieden, Beste Akteure, 64 M SDRAM; Die Bank ist neu, The Group met.",
    "scores were 3-2, 10-9 and 21:19 over 5 km in 25 min at 12.5 km/h on 2024-05-05",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "value"), FOUND, ids=[f"{kind}-{text[:24]}" for kind, text, _ in FOUND])
def test_private_values_are_found(kind: str, text: str, value: str) -> None:
    """Nothing private leaves: the whole value is found, with its type."""
    assert any(found == kind and value in private for found, private in find_all(text)), find_all(text)


@pytest.mark.parametrize("text", CLEAN, ids=[text[:24] for text in CLEAN])
def test_look_alikes_are_left_alone(text: str) -> None:
    """Nothing is lost: what only looks private in form is left alone, in every language."""
    assert find_all(text) == []


CHECKS = [
    (tax_checks.austria, "U13585627", "U13585626"),
    (tax_checks.belgium, "0428759497", "0428759496"),
    (tax_checks.germany, "136695976", "136695978"),
    (tax_checks.spain, "B58378431", "B58378432"),
    (tax_checks.france, "40303265045", "41303265045"),
    (tax_checks.italy, "00743110157", "00743110158"),
    (tax_checks.netherlands, "004495445B01", "004495446B01"),
    (tax_checks.poland, "8567346215", "8567346216"),
    (tax_checks.portugal, "501964843", "501964842"),
    (tax_checks.britain, "980780684", "802311781"),
    (tax_checks.regon, "192598184", "192598183"),
    (checksums.nhs, "9434765919", "9434765918"),
    (checksums.rijksregister, "85073003328", "85073003327"),
    (checksums.social_insurance, "15070649C103", "15070649C104"),
    (checksums.routing, "111000025", "111000026"),
    (checksums.vin, "1M8GDM9AXKP042788", "1M8GDM9AXKP042789"),
    (checksums.nuss, "281234567840", "281234567841"),
    (bech32, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"),
    (bech32, "A12UEL5L", "A12uEL5L"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "good", "bad"), CHECKS, ids=[check.__name__ for check, _, _ in CHECKS])
def test_check_digits_hold_and_fail(check: object, good: str, bad: str) -> None:
    """Nothing is hidden: a number with one wrong digit is no number of its kind."""
    assert callable(check)
    assert check(good)
    assert not check(bad)
    assert not check("")
    assert not check("١٢٣٤٥٦٧٨٩")


def test_base58_gives_the_bytes_before_its_check() -> None:
    """Nothing is hidden: leading ones are leading zeros, and a foreign letter is none of the alphabet."""
    assert base58check("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa") is not None
    assert base58check("0OIl") is None
    assert base58check("", BITCOIN) is None
