"""Nothing private leaves, and clean text stays clean: check digits, with a near miss for each."""

from collections.abc import Callable

import pytest

from hybridmesh.agents.classifier.recognizers.cards import issued
from hybridmesh.agents.classifier.recognizers.checksums import (
    bsn,
    codice_fiscale,
    dni,
    luhn,
    mod97,
    nir,
    pesel,
    steuer_id,
)

CASES = [
    (luhn, "79927398713", "79927398710"),
    (issued, "4111 1111 1111 1111", "4111 1111 1111 1112"),
    (issued, "3782-822463-10005", "3782-822463-10006"),
    (issued, "5555.5555.5555.4444", "1555.5555.5555.4448"),
    (mod97, "DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 01"),
    (mod97, "gb82west12345698765432", "gb82west12345698765423"),
    (steuer_id, "86 095 742 719", "86 095 742 718"),
    (steuer_id, "47036892816", "11111111111"),
    (nir, "2 55 08 14 168 025 38", "2 55 08 14 168 025 39"),
    (nir, "1 84 12 2A 451 089 33", "1 84 12 2B 451 089 33"),
    (dni, "12345678Z", "12345678A"),
    (dni, "X-1234567-L", "Y-1234567-L"),
    (codice_fiscale, "RSSMRA85T10A562S", "RSSMRA85T10A562T"),
    (pesel, "44051401359", "44051401358"),
    (pesel, "02070803628", "02133203628"),
    (bsn, "111222333", "111222334"),
]


@pytest.mark.parametrize(("check", "right", "wrong"), CASES)
def test_check_digits_hold_and_fail(check: Callable[[str], bool], right: str, wrong: str) -> None:
    """Nothing private leaves: a real number passes, its near miss does not."""
    assert check(right)
    assert not check(wrong)


@pytest.mark.parametrize("check", list(dict.fromkeys(case[0] for case in CASES)))
@pytest.mark.parametrize("text", ["", "x", "١٢٣٤٥٦٧٨٩", "²²²²²²²²²²²", "0" * 9, "é" * 16])
def test_other_text_is_refused_without_an_error(check: Callable[[str], bool], text: str) -> None:
    """Nothing private leaves: hostile digits do not stop the detection."""
    assert check(text) in (True, False)
