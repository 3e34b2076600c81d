"""What letters, forms and logs hold beside names: codes, cards, trades, units of an address, passphrases, accounts."""

import pytest

from found_values import find_all

FOUND = [
    # Passwords that are made of words.
    ("SECRET", "password: purple horse battery", "purple horse battery"),
    ("SECRET", "user: x\npassword: correct horse battery staple\nhost: y", "correct horse battery staple"),
    ("SECRET", "passphrase: the purple horse runs at night", "the purple horse runs at night"),
    ("SECRET", "Passwort: rote lampe im keller", "rote lampe im keller"),
    ("SECRET", "Mot de passe : girafe tricycle citron", "girafe tricycle citron"),
    ("SECRET", "contraseña: tortuga violín nevera", "tortuga violín nevera"),
    ("SECRET", "wachtwoord: paarse fiets 44 tulp", "paarse fiets 44 tulp"),
    ("SECRET", "hasło: zima kruk latarnia", "zima kruk latarnia"),
    ("SECRET", "WiFi password: blue kettle", "blue kettle"),
    ("SECRET", "Palavra-passe: Girassol#58", "Girassol#58"),
    ("SECRET", "po zmianie hasła na Zima#Kruk2024 konto nadal", "Zima#Kruk2024"),
    ("SECRET", "the code for the side gate is 4471#", "4471#"),
    ("SECRET", "le code de la box c'est Mimosa-8842-vert", "Mimosa-8842-vert"),
    ("SECRET", "Der Code für die Haustür lautet 7741", "7741"),
    # Cards, accounts, documents.
    ("CARD", "cryptogramme 512", "512"),
    ("CARD", "Prüfziffer 812", "812"),
    ("CARD", "código de seguridad: 512", "512"),
    ("BANK_ACCOUNT", "ABI 05428, CAB 11101", "05428"),
    ("BANK_ACCOUNT", "RIB : banque 30004, guichet 00823", "00823"),
    ("DRIVERS_LICENSE", "prawo jazdy nr 00123/21/1465", "00123/21/1465"),
    ("NATIONAL_ID", "Tarjeta sanitaria: BBBB 1234 5678 90", "BBBB 1234 5678 90"),
    ("VEHICLE", "nr rej: WX 4821K", "WX 4821K"),
    ("VEHICLE", "plate 7ABC123", "7ABC123"),
    ("BIRTH_DATE", "was born on the third of August, nineteen eighty-four", "third of August, nineteen eighty-four"),
    # Accounts on machines.
    ("USERNAME", "Benutzer=j.hollerbach Host=x", "j.hollerbach"),
    ("USERNAME", "Benutzername gast_03", "gast_03"),
    ("USERNAME", "Reporter: kmcgrath2", "kmcgrath2"),
    ("USERNAME", "ERROR login: usuario pmendizabal bloqueado tras 5 intentos", "pmendizabal"),
    ("USERNAME", "user jroe from 10.0.0.7", "jroe"),
    ("USERNAME", "Insta @lemonpith.studio", "@lemonpith.studio"),
    # Trades and legal forms.
    ("ORGANISATION", "Die Allgäuer Milchwerke eG beliefert", "Allgäuer Milchwerke eG"),
    ("ORGANISATION", "bei Feinkost Rombach", "Feinkost Rombach"),
    ("ORGANISATION", "an die Praxis Dr. Sommerfeld", "Praxis Dr. Sommerfeld"),
    ("ORGANISATION", "en Almacenes La Favorita de", "Almacenes La Favorita"),
    ("ORGANISATION", "la Mutuelle des Deux Rives", "Mutuelle des Deux Rives"),
    ("ORGANISATION", "a Mobilificio La Rinascente", "Mobilificio La Rinascente"),
    ("ORGANISATION", "Scheepswerf Noordzand", "Scheepswerf Noordzand"),
    ("ORGANISATION", "directora del IES Ramón y Cajal", "IES Ramón y Cajal"),
    ("ORGANISATION", "Szkoła Podstawowa „Leśne Skrzaty”", "Szkoła Podstawowa „Leśne Skrzaty”"),
    # Addresses.
    ("ADDRESS", "Hinter der Mühle 4, 99423 Weimar", "Hinter der Mühle 4, 99423 Weimar"),
    ("ADDRESS", "Urb. Los Almendros, bloque 4, 5º C, 29010 Málaga", "Urb. Los Almendros, bloque 4, 5º C, 29010 Málaga"),
    ("ADDRESS", "au lieu-dit Les Quatre Vents, 24220 Coux", "lieu-dit Les Quatre Vents, 24220 Coux"),
    ("ADDRESS", "mieszka na ul. liliowej 52", "ul. liliowej 52"),
    ("ADDRESS", "P.zza Garibaldi, 8/A", "P.zza Garibaldi, 8/A"),
    ("ADDRESS", "Avda. del Puerto s/n", "Avda. del Puerto s/n"),
]

CLEAN = [
    "password: not set\nPassword: see below\nPassword: sent separately by SMS",
    "Password: must contain eight characters\nPassword: is the same as before",
    "Passwort: bitte an die IT wenden\nMot de passe : envoyé par SMS",
    '{"password": "Min length", "hint": "Password policy: minimum length"}',
    "Change the password to continue in 2 steps; passwords to ISO-27001.",
    "The code for this error is E1102. Le code de la route est clair. HTTP code 404 is shown.",
    "El usuario puede entrar; the user from marketing; utente bloccato; Reporter: none",
    "use @property and @dataclass; npm i @scope/pkg; see @media print",
    "La banque ouvre à 9 heures, guichet 2; the sort code field; ABI compatible",
    "Panadería Artesanal con horno propio en la plaza.",
    "Boulangerie Traditionnelle depuis toujours dans le village.",
    "Die Praxis Montags bis Freitags geöffnet, und wir sind nicht da.",
    "The plate is hot. Number plates of steel. In der Mühle wird Mehl gemahlen.",
    "Sehr geehrte Kundin, sehr geehrter Kunde,\nIhre Bestellung ist da.\n\nFreundliche Grüße\nIhr Kundenservice",
    "Dear Sirs,\nplease send us the list.\n\nKind regards,\nMortgage Services",
    "Estimado cliente:\nsu pedido llegará en tres días.\n\nUn saludo,\nAtención al Cliente",
    "Gentile cliente,\nil suo ordine è stato spedito.\n\nCordiali saluti\nServizio Clienti",
    "Szanowni Państwo,\nproszę o przesłanie listy.\n\nZ poważaniem\nDział Obsługi Klienta",
]


@pytest.mark.parametrize(("kind", "text", "value"), FOUND, ids=[f"{kind}-{text[:24]}" for kind, text, _ in FOUND])
def test_private_values_are_found(kind: str, text: str, value: str) -> None:
    """Nothing private leaves: the whole value is found, with its type."""
    assert any(found == kind and value in private for found, private in find_all(text)), find_all(text)


@pytest.mark.parametrize("text", CLEAN, ids=[text[:24] for text in CLEAN])
def test_what_only_looks_like_them_is_left_alone(text: str) -> None:
    """Clean text stays clean: remarks in a password's place, departments that sign, trades without a name."""
    assert find_all(text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Sehr geehrte Frau Kunde,", "Kunde"),
        ("Nome: Granata", "Granata"),
        ("Best regards,\nGrace Hopper", "Grace Hopper"),
        ("Un saludo,\nConsuelo", "Consuelo"),
    ],
)
def test_everyday_words_that_a_title_or_a_form_calls_names_are_names(text: str, value: str) -> None:
    """Nothing private leaves: only where a department could stand as well is an everyday word none."""
    assert ("PERSON", value) in find_all(text)
