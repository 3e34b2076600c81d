"""Words that name a number as an order's, a ticket's, an article's: what follows them identifies no person."""

import re

_REACH = 24  # characters before a number in which the word stands
_FAR = 48  # in which it stands with all that says that a number follows

_REFERENCE = re.compile(
    r"(?:order|(?<!\w)p\.?o\.?|invoice|ticket|case|ref(?:eren(?:ce|z|tie)|erencia|rencia)?|riferimento|booking|tracking|customer"
    r"|contract|part|serial|article|item|version"
    r"|account|model|build|bestellung|bestell|rechnung|rechnungs|auftrags?|kunden|vertrags?|artikel|vorgangs?|serien"
    r"|pedido|factura|expediente|incidencia|albar[aá]n|commande|facture|dossier|contrat|série"
    r"|ordine|fattura|pratica|codice articolo|segnalazione|bestelling|factuur|artikel|melding|zamówienie"
    r"|zamówienia|faktura|faktury|umow[ay]|zgłoszenie|encomenda)"
    r"[ -]?(?:no|nr|num(?:ber|mer|éro|ero)?|nummer|n[°º]|id|code)?[.:#]{0,2}(?: is| ist| es| est)? ?#?$",
    re.IGNORECASE,
)
# Things that have a number and are none of a person, by language; "im Schadensfall 030 …" is whom to call, so that most
# of them need the word for a number beside them.
_THING = (
    r"(?:order|invoice|ticket|case|booking|tracking|contract|claim|serial|article|item|shipment|quote|reservation"
    r"|bestell|rechnungs?|auftrags?|vertrags?|artikel|vorgangs?|serien|sendungs?|schadens?|policen?|zähler|angebots?"
    r"|buchungs?|geräte|katalog"
    r"|commande|facture|dossier|contrat|série|police|sinistre|suivi|colis|devis|réservation|article"
    r"|pedido|factura|expediente|contrato|serie|p[oó]liza|siniestro|seguimiento|env[ií]o|presupuesto|reserva"
    r"|art[ií]culo"
    r"|ordine|fattura|pratica|contratto|polizza|sinistro|spedizione|preventivo|prenotazione|articolo"
    r"|bestel|factuur|polis|schade|zaak|offerte|zendings?|reserverings?"
    r"|zamówienia|faktury|umowy|polisy|szkody|przesyłki|sprawy|zgłoszenia|oferty|rezerwacji|zlecenia|katalogowy"
    r"|zamówienie|faktura|umowa|polisa|szkoda|przesyłka|sprawa|zgłoszenie|oferta|rezerwacja|zlecenie"
    r"|encomenda|apólice|fatura)"
)
_ALONE = (  # that nobody is called at
    r"(?:ticket|(?<!in )case|aktenzeichen|geschäftszeichen|vertrag|expediente|contrato|dossier|contrat|pratica"
    r"|contratto|protocollo|contract|sprawa|umowa|zgłoszenie)"
)
_NUMBER = r"(?:nummer|nr|no|num(?:ber|mer|éro|ero)?|n\.?[°ºo]|n(?=\.)|id|code)"
_IS = r"[.:#]{0,2}(?: (?:is|ist|lautet|es|est|è|to|jest))?[ :#]{0,3}"
_NAMES_THING = re.compile(
    rf"(?:{_THING}[ -]?{_NUMBER}|(?<!\w)(?:n[uú]m[eé]r[oa]?|nummer|n[°º]|nr\.?|code|codice)(?: (?:d[eui]|del|della"
    rf"|van))? {_THING}"
    rf"|(?<!\w){_ALONE}){_IS}$",
    re.IGNORECASE,
)


def is_reference(text: str, start: int) -> bool:
    """Say whether the number that starts there is named as something else than a person's: "invoice 20260304"."""
    return _REFERENCE.search(text[max(0, start - _REACH) : start]) is not None


def names_thing(text: str, start: int) -> bool:
    """Say so surely, whatever the form of the number: "Vertragsnummer 0151 2345678"."""
    return _NAMES_THING.search(text[max(0, start - _FAR) : start]) is not None
