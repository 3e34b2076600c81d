"""Letter classes and the form of a written name, shared by the recognizers that look for words."""

_LATIN = [chr(code) for code in range(0x41, 0x250) if chr(code).isalpha()]

UPPER = "".join(letter for letter in _LATIN if letter.isupper())
LETTER = "".join(_LATIN)

PARTICLES = "van|von|der|den|de|del|della|di|da|dos|du|la|le|el|bin|al|y|zu|zum|ter|ten|af|av|st\\."
# Every repetition is bounded, and no separator is in a letter class: matching stays linear on hostile text.
_WORD = rf"(?:[{UPPER}]\.|[{UPPER}][{LETTER}]{{0,40}}(?:['’-][{LETTER}]{{1,40}}){{0,3}})"

# One to four capitalised words on one line, with initials and particles: "Dr. Ana-Maria de la Cruz", "J. Müller".
NAME = rf"{_WORD}(?: (?:(?:{PARTICLES}) ){{0,2}}{_WORD}){{0,3}}(?![\w@]|-\d)"
# One to four capitalised words, for places and streets.
PLACE = rf"[{UPPER}][{LETTER}'’]{{0,40}}(?:[ -][{UPPER}][{LETTER}'’]{{0,40}}){{0,3}}(?:-[{LETTER}]{{1,40}}){{0,3}}"
