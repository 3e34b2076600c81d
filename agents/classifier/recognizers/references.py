"""Words that name a number as an order's, a ticket's, an article's: what follows them identifies no person."""

import re

_REACH = 24  # characters before a number in which the word stands

_REFERENCE = re.compile(
    r"(?:order|invoice|ticket|case|ref(?:eren(?:ce|z|tie)|erencia|rencia)?|riferimento|booking|tracking|customer|contract|part|serial|article|item|version"
    r"|account|model|build|bestellung|bestell|rechnung|rechnungs|auftrags?|kunden|vertrags?|artikel|vorgangs?|serien"
    r"|pedido|factura|expediente|incidencia|albar[aá]n|commande|facture|dossier|contrat|série"
    r"|ordine|fattura|pratica|codice articolo|segnalazione|bestelling|factuur|artikel|melding|zamówienie"
    r"|zamówienia|faktura|faktury|umow[ay]|zgłoszenie|encomenda)"
    r"[ -]?(?:no|nr|num(?:ber|mer|éro|ero)?|nummer|n[°º]|id|code)?[.:#]{0,2}(?: is| ist| es| est)? ?#?$",
    re.IGNORECASE,
)


def is_reference(text: str, start: int) -> bool:
    """Say whether the number that starts there is named as something else than a person's: "invoice 20260304"."""
    return _REFERENCE.search(text[max(0, start - _REACH) : start]) is not None
