"""What stands before a name where people say who they are, greet and sign, by language; parts of regexes."""

from typing import Final, NamedTuple


class Words(NamedTuple):
    """Of one language: ``named`` says that a name comes, ``perhaps`` says it where a sentence begins."""

    named: str
    perhaps: str
    behind: str  # what may stand behind a name that was said so
    greetings: str
    closings: str


WORDS: Final = {
    "en": Words(
        r"my name['’]?s|my name is",
        r"it['’]?s|it is|this is|i['’]?m|i am",
        r"from|here|at|speaking|calling|again|and|btw",
        r"hi|hey|yo|hello|hiya|dear|good morning|morning",
        r"thanks(?: a lot| so much| again)?|thank you|cheers|regards|best|love|thx|bye|see you(?: \w{2,8})?|xx?x?",
    ),
    "de": Words(
        r"mein name ist|ich hei(?:ß|ss)e",
        r"hier (?:ist|spricht|schreibt)(?: der| die)?|(?:ich )?bin (?:der|die)|ich bin|das (?:ist|war) (?:der|die)",
        r"aus|vom|von|hier|und",
        r"hi|hallo|hey|moin|servus|huhu|liebe[r]?|guten morgen|na",
        r"lg|vg|mfg|gru(?:ß|ss)|gr(?:ü|ue)(?:ß|ss)e|danke|dank(?: dir| euch)?|tschüss|ciao|bis (?:dann|morgen)",
    ),
    "fr": Words(
        r"je m['’]appelle|mon (?:pré)?nom est",
        r"moi,? c['’]est|c['’]est|ici|je suis",
        r"de|du|des|et",
        r"salut|coucou|bonjour|bonsoir|hello|ch[eè]re?",
        r"merci|bises|bisous|biz|cordialement|cdt|amicalement|à (?:demain|bientôt|plus)|je t['’]embrasse",
    ),
    "es": Words(
        r"me llamo|mi nombre es",
        r"soy(?: el| la)?|aquí|(?:te|le|les) escribe|habla",
        r"de|del|y",
        r"hola|buenas|buenos días|ey|querid[oa]",
        r"gracias|(?:un )?saludos?|(?:un )?besos?|(?:un )?abrazos?|hasta (?:mañana|luego|pronto)|chao",
    ),
    "it": Words(
        r"mi chiamo|il mio nome è",
        r"sono|qui|parla|(?:ti|vi|le) scrive",
        r"di|del|della|dell['’]\w+|da|e",
        r"ciao|salve|buongiorno|buonasera|ehi|car[oa]",
        r"grazie|saluti|baci|un bacio|un abbraccio|a (?:domani|presto|dopo)|ciao",
    ),
    "nl": Words(
        r"ik heet|mijn naam is",
        r"met|hier(?: is)?|dit is|ik ben",
        r"van|uit|bij|en",
        r"hoi|hallo|hey|hé|dag|beste|lieve|goedemorgen",
        r"groet(?:en|jes)?|gr|grtz|mvg|bedankt|dank(?: je)?|liefs|kus(?:jes)?|tot (?:morgen|zo|snel)|doei",
    ),
    "pl": Words(
        r"mam na imię|nazywam się",
        r"tu|tutaj|mówi|z tej strony|pisze",
        r"z|ze|od|i",
        r"cześć|hej|hejka|siema|witam|witaj|dzień dobry|drog[ia]|kochan[ay]",
        r"pozdrawiam|pozdro|pozdrowienia|buziaki|całuję|dzięki|dziękuję|uściski|do (?:jutra|zobaczenia)|papa",
    ),
    "pt": Words(
        r"chamo-me|me chamo|meu nome é",
        r"sou [oa]|aqui é [oa]|fala [oa]",
        r"de|da|do|e",
        r"oi|olá|bom dia|boa tarde|car[oa]",
        r"obrigad[oa]|abraços?|beij(?:inh)?os|cumprimentos|até (?:amanhã|logo|já)",
    ),
}
# Whom one greets so, and nobody is called.
NOBODY_WORDS: Final = """
stuck knackered chatgpt alexa siri
all allerseits allemaal alle bella bello boss bro bruh buddy chef chicas chicos dude everyone folks forum ganz gals
guys iedereen jungs ladies leute luitjes mates maties mädels ppl peeps raga ragazzi ragazze support team tlm todos
todas tous tutti wam wapa wszystkim ya yall zusammen help please sorry urgent okay
"""
NOBODY: Final = frozenset(NOBODY_WORDS.split())
