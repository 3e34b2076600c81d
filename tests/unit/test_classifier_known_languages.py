"""Nothing private leaves: a text in a language that nobody here knows counts as not read."""

import pytest

from hybridmesh.agents.classifier.known_languages import check_languages, is_in_unknown_language
from hybridmesh.bus.errors import Unanswerable
from hybridmesh.schemas.privacy import Span

KNOWN = (
    "Please send the invoice to my old address, the new one is not ready before the end of next week.",
    "Bitte schicken Sie die Rechnung noch an die alte Anschrift, die neue ist erst ab nächster Woche bereit.",
    "Por favor envíe la factura a mi antigua dirección, la nueva no está lista hasta la semana que viene.",
    "Merci d'envoyer la facture à mon ancienne adresse, la nouvelle n'est pas prête avant la semaine prochaine.",
    "Mandate la fattura al vecchio indirizzo, quello nuovo non è pronto prima della prossima settimana.",
    "Stuur de rekening nog naar het oude adres, het nieuwe is pas volgende week klaar voor gebruik.",
    "Proszę wysłać fakturę na stary adres, nowy nie jest jeszcze gotowy i będzie dopiero w przyszłym tygodniu.",
    "Por favor envie a fatura para a morada antiga, a nova só fica pronta no fim da próxima semana.",
    "they had six guests: leonti, terrence, pamela, donna, andrea and brian came late to the party",
    "for path in sorted(folder.iterdir()): read the file, count the lines, and print the longest of all",
    "id;name;town\n1;Kofi;Accra\n2;Ama;Kumasi",
    "Igama lami nguSipho.",  # too short to say
    "",
)
UNKNOWN = (
    "Igama lami nguSipho, ngicela ungithumelele incwadi yami ngokushesha ngoba ngiyayidinga kusasa ekuseni.",
    "Tunaishi nyumbani karibu na soko, na tunahitaji msaada wako haraka iwezekanavyo kwa sababu mvua inanyesha sana.",
    "Tilasin teiltä pesukoneen viime viikolla, mutta se ei ole vielä saapunut, voisitteko tarkistaa asian pian.",
    "A múlt héten rendeltem egy mosógépet, de még nem érkezett meg, kérem nézzék meg, hol van most éppen.",
    "Geçen hafta bir çamaşır makinesi sipariş ettim ama hâlâ gelmedi, lütfen kontrol eder misiniz acaba.",
    "Minulý týden jsem si objednal pračku, ale ještě nedorazila, můžete to prosím zkontrolovat ještě dnes.",
    "Säptämâna trecută am comandat o mașină de spălat, dar încă nu a ajuns, vă rog să verificați astăzi.",
    "Minggu lalu saya memesan mesin cuci tetapi belum sampai, mohon diperiksa apakah barangnya sudah dikirim.",
)


@pytest.mark.parametrize("text", KNOWN)
def test_a_text_in_a_known_language_is_read(text: str) -> None:
    """Nothing is lost: letters, chats, program text and tables of the languages that are served are no doubt."""
    names = [Span(start=20, end=70, type="PERSON", score=0.9, source="model")] if "leonti" in text else []
    assert not is_in_unknown_language(text, names)


@pytest.mark.parametrize("text", UNKNOWN)
async def test_a_text_in_an_unknown_language_is_a_doubt(text: str) -> None:
    """Nothing private leaves: the names that the model finds there are not all of them."""
    assert is_in_unknown_language(text, [])
    with pytest.raises(Unanswerable) as caught:
        await check_languages([KNOWN[0], text], [[], []])
    assert caught.value.reason == "unknown-language"


def test_what_was_found_tells_no_language() -> None:
    """Nothing is lost: names in small letters are nobody's everyday words, and say nothing of the text around them."""
    text = "they asked siobhan, xanthe, otieno, thandiwe, akinyi and nomvula to come"
    start = text.index("siobhan")
    span = Span(start=start, end=text.index(" to come"), type="PERSON", score=0.9, source="model")
    assert is_in_unknown_language(text.replace("they asked", "oke"), [])
    assert not is_in_unknown_language(text, [span])
