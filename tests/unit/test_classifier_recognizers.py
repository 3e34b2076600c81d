"""Nothing private leaves, and clean text stays clean: what each family of recognizers finds, and what it leaves."""

import time

import pytest

from found_values import find_all
from hybridmesh.agents.classifier.recognizers import RECOGNIZERS
from hybridmesh.agents.classifier.recognizers.credentials import is_random
from hybridmesh.agents.classifier.terms import TermRecognizer

FOUND = [
    ("EMAIL", "write to ana.lópez+web@mail.example.org today", "ana.lópez+web@mail.example.org"),
    ("EMAIL", "reach me: jo [at] example [dot] org", "jo [at] example [dot] org"),
    ("EMAIL", "schreib an anna AT example DOT org bitte", "anna AT example DOT org"),
    ("EMAIL", "mail: a n n a @ e x a m p l e . o r g", "a n n a @ e x a m p l e . o r g"),
    ("PHONE", "mi número nuevo es 677 011 934", "677 011 934"),
    ("PHONE", "call +49 151 23456789 now", "+49 151 23456789"),
    ("PHONE", "Büro (030) 901820 oder so", "(030) 901820"),
    ("PHONE", "my mobile is 07700 900142", "07700 900142"),
    ("PHONE", "the number is 937.555.0176.", "937.555.0176"),
    ("CARD", "charged to 4111-1111-1111-1111!", "4111-1111-1111-1111"),
    ("CARD", "Amex 378282246310005,", "378282246310005"),
    ("CARD", "CVV: 123", "123"),
    ("IBAN", "nach DE89 3704 0044 0532 0130 00 bitte", "DE89 3704 0044 0532 0130 00"),
    ("IBAN", "IBAN GB82-WEST-1234-5698-7654-32.", "GB82-WEST-1234-5698-7654-32"),
    ("BIC", "BIC: COBADEFFXXX", "COBADEFFXXX"),
    ("BANK_ACCOUNT", "Kontonummer 0532013000", "0532013000"),
    ("SSN", "mine is 536-90-4399", "536-90-4399"),
    ("NATIONAL_ID", "National Insurance: QQ 12 34 56 C", "QQ 12 34 56 C"),
    ("NATIONAL_ID", "AB123456C", "AB123456C"),
    ("TAX_ID", "Steuer-ID: 86 095 742 719", "86 095 742 719"),
    ("NATIONAL_ID", "n° 2 55 08 14 168 025 38 svp", "2 55 08 14 168 025 38"),
    ("NATIONAL_ID", "con DNI 12345678Z en", "12345678Z"),
    ("TAX_ID", "cf RSSMRA85T10A562S ok", "RSSMRA85T10A562S"),
    ("NATIONAL_ID", "PESEL 44051401359", "44051401359"),
    ("NATIONAL_ID", "BSN 111222333", "111222333"),
    ("PASSPORT", "passport number C01X00T47", "C01X00T47"),
    ("IP_ADDRESS", "from 203.0.113.7 at noon", "203.0.113.7"),
    ("IP_ADDRESS", "host 2001:db8::8a2e:370:7334 down", "2001:db8::8a2e:370:7334"),
    ("MAC_ADDRESS", "nic 00:1A:2b:3C:4d:5E", "00:1A:2b:3C:4d:5E"),
    ("URL", "postgres://app:hunter2@db.example.org/x", "postgres://app:hunter2@db.example.org/x"),
    ("SECRET", "use AKIA" + "IOSFODNN7EXAMPLE", "AKIA" + "IOSFODNN7EXAMPLE"),
    ("SECRET", "token ghp_" + "a1B2" * 9, "ghp_" + "a1B2" * 9),
    ("SECRET", "password: correct-horse", "correct-horse"),
    ("SECRET", "das Passwort lautet Sommer2026!", "Sommer2026"),
    ("SECRET", "login with password Tallow&Wick-22", "Tallow&Wick-22"),
    ("SECRET", "Passwort für jo@example.org ist Kastanie!26#x", "Kastanie!26#x"),
    ("SECRET", "hasło do konta jo@example.org to Zyrafa$2026!", "Zyrafa$2026"),
    ("VEHICLE", "il veicolo targato FX 482 KL", "FX 482 KL"),
    ("SECRET", 'password = "purple horse battery"', "purple horse battery"),
    ("SECRET", "set the password to 'it is a horse, 22'", "it is a horse, 22"),
    ("SECRET", 'le mot de passe est "arbre vert"', "arbre vert"),
    ("SECRET", '<ns:Password type="x">huntertwo</ns:Password>', "huntertwo"),
    ("SECRET", '<add key="DbPassword" value="huntertwo"/>', "huntertwo"),
    ("SECRET", '<input type="password" size=3 value="hunter two">', "hunter two"),
    ("SECRET", "- name: DB_PASSWORD\n  value: huntertwo", "huntertwo"),
    ("SECRET", 'db.setPassword("huntertwo")', "huntertwo"),
    ("SECRET", "CREATE USER ada IDENTIFIED BY 'huntertwo'", "huntertwo"),
    ("SECRET", "ALTER ROLE ada WITH LOGIN PASSWORD 'huntertwo'", "huntertwo"),
    ("SECRET", "requirepass huntertwo", "huntertwo"),
    ("SECRET", "mysql --password huntertwo -u x", "huntertwo"),
    ("SECRET", "user=ada&pass=huntertwo&x=1", "huntertwo"),
    ("SECRET", "Passwort:\n  hunter2abc\n", "hunter2abc"),
    ("SECRET", "| **Passwort** | `hunter2abc` |", "hunter2abc"),
    ("SECRET", "WLAN-Schlüssel: hunter2abc", "hunter2abc"),
    ("EMAIL", "ana(dot)ruiz(at)example(dot)org", "ana(dot)ruiz(at)example(dot)org"),
    ("SECRET", "api_key = 'q8Zr4Tn1Vx7Lk2Mb9Pw3'", "q8Zr4Tn1Vx7Lk2Mb9Pw3"),
    ("BIRTH_DATE", "born on 12 May 1981 in", "12 May 1981"),
    ("BIRTH_DATE", "geboren am 03.11.1979", "03.11.1979"),
    ("BIRTH_DATE", "ist am 7. Juni 1995 in Stralsund geboren", "7. Juni 1995"),
    ("BIRTH_DATE", "née le 4 août 1990", "4 août 1990"),
    ("ADDRESS", "at 61 Saltmarsh Road, Apt 6B, please", "61 Saltmarsh Road, Apt 6B"),
    ("ADDRESS", "in der Lindenstraße 12a, 10969 Berlin", "Lindenstraße 12a, 10969 Berlin"),
    ("ADDRESS", "vivo en Calle de Alcalá, 45 desde", "Calle de Alcalá, 45"),
    ("ADDRESS", "con domicilio en calle Colón 31 desde", "calle Colón 31"),
    ("ADDRESS", "abita in via dell'Industria 14, 36100 Vicenza", "via dell'Industria 14, 36100 Vicenza"),
    ("ADDRESS", "scrivere a casella postale 455", "casella postale 455"),
    ("ADDRESS", "au 12 bis, rue de la Paix svp", "12 bis, rue de la Paix"),
    ("ADDRESS", "Austin, TX 78701", "Austin, TX 78701"),
    ("ADDRESS", "1012 AB Amsterdam", "1012 AB Amsterdam"),
    ("PERSON", "Dear Ms. Adaeze Obi,\nthank you", "Adaeze Obi"),
    ("PERSON", "Sehr geehrte Frau von der Leyden,", "von der Leyden"),
    ("PERSON", "la Famiglia Dal Bosco è", "Dal Bosco"),
    ("PERSON", "il dott. Lo Bianco era", "Lo Bianco"),
    ("PERSON", "Best regards,\nTomás O'Brien-Ruiz", "Tomás O'Brien-Ruiz"),
    ("PERSON", "Mit freundlichen Grüßen\n\nJ. Müller\n", "J. Müller"),
    ("PERSON", "hello, my name is Wren Hollis and", "Wren Hollis"),
    ("ORGANISATION", "signed with Nordlicht Logistik GmbH on", "Nordlicht Logistik GmbH"),
    ("ORGANISATION", "della Banca Popolare dell'Adda, il", "Banca Popolare dell'Adda"),
    ("ORGANISATION", "z Banku Spółdzielczego w Łosicach jest", "Banku Spółdzielczego w Łosicach"),
    ("FOREIGN_TEXT", "called by Иванов today", "Иванов"),
]

CLEAN = [
    "Order #A-10293 of 12 items was shipped on 2026-03-04 with tracking 1Z-44.",
    "The total is 1,299.00 EUR, 19 % VAT included, due within 14 days of 5 October 2026.",
    "Version 2.1.0 and build 10.4.22.1 need Python 3.11; see release 1.2.3.4 for the rest.",
    "Invoice INV-2026-10-4471, customer NL-204417, contract C-889-2031, ticket JOB-55102.",
    "The password was reset, but the login is not working. Your password is incorrect.",
    "The meeting is on 12 May 2026 at 10:30:00, room 4, and takes 45 minutes.",
    "Dear Sir or Madam,\nwe write to you about the service.\nKind regards,\nCustomer Support",
    "Dear Team, please check the queue. Thanks!",
    "def find(text: str) -> list[int]: return [m.start() for m in re.finditer('x::y', text)]",
    "Part number: 555-123-4567-A, ISBN 978-3-16-148410-0, 0x7f00ff00, 3.14159265358979",
    "We measured 5 μm and π is 3.14; the ratio is 16:9 and the subnet mask 255.255.255.0.",
    "Der Preis beträgt 10000 Euro für 50000 Kunden, Bestellung 4711 vom 3. März 2026.",
    "The key to success is consistency; the token economy is a secret of good design.",
    "Madame, Monsieur,\nmerci de m'adresser un devis pour cinquante chaises.\n\nCordialement",
    "Estimados señores:\nruego me envíen un presupuesto.\n\nAtentamente",
    "Commande 4500123987, poste 10, quantité 500; Pedido 4500123987, posición 10.",
    "We went via Port 443 and via HTTP 2; please meet at example dot matrix.",
    "commit 3f2a9c1d8e7b6a5f4e3d2c1b0a998877 fixes the bug",
    "The password must not be 'too short'; a password, once set, is kept; passwords; 12 of them.",
    '<label for="password">Password</label> <input type="password" name="password" placeholder="Password" required>',
    "Das Passwort:\nbitte an die IT. Pass: 3 of 5. Boarding pass, gate 12. See --password or --token-file.",
    "- name: DB_PASSWORD\n  valueFrom: x\n- name: DB_PASSWORD\n  value: ${DB_PASSWORD}",
    '<shipping>express</shipping> <add key="PinnedMapping" value="express"/> <MAPPINGS>express</MAPPINGS>',
    "ENV MAPPING_DIR data; - name: SHIPPING\n  value: express",
    'getPassword("db.key"); <password>${db.password}</password>',
]


@pytest.mark.parametrize(("kind", "text", "value"), FOUND)
def test_private_values_are_found(kind: str, text: str, value: str) -> None:
    """Nothing private leaves: the whole value is found, with its type."""
    assert any(found == kind and value in private for found, private in find_all(text)), find_all(text)


@pytest.mark.parametrize("text", CLEAN)
def test_clean_text_is_left_alone(text: str) -> None:
    """Nothing is lost: references, sums, dates, versions and code are not private."""
    assert find_all(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",
        "DE89 3704 0044 0532 0130 01",
        "86 095 742 718",
        "2 55 08 14 168 025 39",
        "12345678A",
        "RSSMRA85T10A562T",
        "000-12-3456",
        "999.1.1.1",
        "00:1A:2b:3C:4d",
        "eyJub3QuYS50b2tlbg",
    ],
)
def test_near_misses_without_context_are_left_alone(text: str) -> None:
    """Nothing is lost: a number whose check digits fail, and of which nothing says what it is, is a number."""
    assert find_all(text) == []


def test_a_mistyped_number_after_its_name_is_private() -> None:
    """Nothing private leaves: a typing error does not make an account public."""
    assert find_all("IBAN: DE89 3704 0044 0532 0130 01") == [("IBAN", "DE89 3704 0044 0532 0130 01")]
    assert find_all("card number 4111 1111 1111 1112")[0][0] == "CARD"


def test_own_terms_are_found_in_any_case_at_word_borders() -> None:
    """Nothing private leaves: the organisation's own words count, parts of other words do not."""
    text = "project falke, PROJECT FALKE and Projects Falke; X-17 but not X-170"
    found = [text[span.start : span.end] for span in TermRecognizer(["Project Falke", "X-17", " "]).find(text)]
    assert found == ["project falke", "PROJECT FALKE", "X-17"]


def test_entropy_tells_keys_from_words() -> None:
    """Nothing is lost: words joined by dashes are no secrets."""
    assert is_random("q8Zr4Tn1Vx7Lk2Mb9Pw3")
    assert not is_random("internationalisation-of-2-words")
    assert not is_random("aaaaaaaaaaaaaaaaaaa1")


@pytest.mark.parametrize(
    "piece",
    [
        "A-",
        "A ",
        "1 ",
        "a.",
        "a_",
        "Aa ",
        "+4 ",
        "::",
        "-----BEGIN PRIVATE KEY-----",
        "x:1@",
        "xqz ",
        "xqz, ",
        "hi xqz ",
        "lg\n\n",
        "grüße, ",
        "der die das und Xqzw sagte ",
        "n° de contrat ",
    ],
)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    """Nothing private leaves: no text makes the detection hang; 20,000 characters take seconds at most."""
    text = piece * (20_000 // len(piece))
    start = time.perf_counter()
    for recognizer in RECOGNIZERS:
        list(recognizer.find(text))
    assert time.perf_counter() - start < 10
