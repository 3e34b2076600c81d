"""What tells that a word is somebody's name, by language: who stands before it, what people do behind it."""

from typing import Final, NamedTuple


class Cues(NamedTuple):
    """Of one language, parts of regexes: right before a name, and ``acts`` behind it; ``links`` ask for a guess too."""

    roles: str
    links: str
    said: str
    acts: str


CUES: Final = {
    "de": Cues(
        r"Kolleg(?:e|in|en)|(?:Ver)?[Mm]ieter(?:in)?|Nachbar(?:in|n)?|Patient(?:in|en)?|Mandant(?:in|en)?"
        r"|Hausmeister(?:in)?|Chef(?:in)?|Mitarbeiter(?:in)?|Schüler(?:in)?|Zeug(?:e|in|en)|Richter(?:in)?"
        r"|Notar(?:in)?|Lehrer(?:in)?|Bewerber(?:in)?|Kläger(?:in)?|Sachbearbeiter(?:in)?|Ehepaar",
        r"laut|von|bei|an|gegen",
        r"(?:sagte|meinte|fragte|antwortete|schrieb|rief|bestätigte)",
        r"(?:sagte?|meinte?|fragte?|antwortete?|schrieb|schreibt|rief|erzählte?|erklärte?|berichtete?|bat|bittet"
        r"|klagte?|wollte|bestätigte?|nickte|lachte|lächelte|(?:nicht )?unterschr(?:ieb|eibt)|verlangte|versprach"
        r"|beschwerte|überwies|angerufen|gesagt|geschrieben|gefragt|gemeint|unterschrieben|besprochen)",
    ),
    "fr": Cues(
        r"locataire|collègue|voisine?|patiente?|cliente?|gardien(?:ne)?|direct(?:eur|rice)|élève|témoin|juge|notaire"
        r"|médecin|avocate?|infirmi(?:er|ère)|salariée?|employée?|assurée?|candidate?|entraîneur|maire|ministre"
        r"|commissaire|plombier|docteur|professeur|présidente?|propriétaire|époux|épouse|famille",
        r"chez|selon|avec|pour|à|par|d['’]après|contre",
        r"(?:dit|demanda|répondit|a dit|a demandé|a répondu|a appelé)",
        r"(?:n['’])?(?:a (?:dit|appelé|écrit|demandé|répondu|expliqué|confirmé|signé|téléphoné|rappelé|refusé"
        r"|accepté|promis|raconté|prévenu)|dit|demanda|répondit|répond|écrit|rappelle|ne signe|signe|signera"
        r"|est (?:en congé|en vacances|absente?|rentrée?|venue?|partie?|passée?|arrivée?|malade)|souhaite|veut"
        r"|voulait|pense|travaille|habite)",
    ),
    "es": Cues(
        r"inquilin[oa]|compañer[oa]|colega|vecin[oa]|paciente|cliente|conserje|directora?|alumn[oa]|testigo|jueza?"
        r"|notari[oa]|médic[oa]|abogad[oa]|enfermer[oa]|emplead[oa]|trabajadora?|asegurad[oa]|candidat[oa]"
        r"|entrenadora?|alcalde(?:sa)?|ministr[oa]|comisari[oa]|fontanero|jef[ea]|profesora?|president[ea]"
        r"|propietari[oa]|familia|matrimonio",
        r"según|con|para|a|por|contra",
        r"(?:l[oa]s? tiene|llamó|dijo|preguntó|respondió|escribió|firmó|propuso|contestó|comentó|añadió|avisó)",
        r"(?:no )?(?:dijo|dice|ha dicho|llamó|preguntó|pregunta|respondió|escribió|escribe|pidió|explicó|confirmó"
        r"|firmó|firma|propuso|propone|contestó|comentó|avisó|quería|quiere|trabaja|vive|está de (?:vacaciones|baja)"
        r"|refiere|entró|salió)",
    ),
    "it": Cues(
        r"inquilin[oa]|colleg[ah]i?|vicin[oa]|paziente|cliente|custode|portinai[oa]|dirett(?:ore|rice)|alunn[oa]"
        r"|testimone|giudice|notaio|medico|avvocato|infermier[ea]|dipendente|impiegat[oa]|assicurat[oa]|candidat[oa]"
        r"|allenatore|sindaco|ministro|commissario|professor(?:e|essa)|presidente|proprietari[oa]|famiglia|coniugi",
        r"secondo|con|per|a|da|è di|contro",
        r"(?:(?:li|le|lo|la) ha|disse|chiese|rispose|scrisse|ha (?:chiamato|detto|scritto|telefonato|firmato"
        r"|risposto|confermato))",
        r"(?:non )?(?:ha (?:detto|chiamato|scritto|chiesto|risposto|firmato|confermato|proposto|spiegato)|disse|dice"
        r"|chiese|chiede|rispose|scrisse|scrive|firma|propone|telefonò|vuole|voleva|lavora|abita|è (?:in ferie"
        r"|assente|malat[oa])|rientrò|entrò|uscì)",
    ),
    "nl": Cues(
        r"(?:ver)?huurder|[Cc]ollega|buur(?:man|vrouw)|[Pp]atiënte?|klant|[Cc]onciërge|directeur|leerling|getuige"
        r"|notaris|arts|huisarts|advocate?|verpleegkundige|medewerk(?:er|ster)|werknemer|verzekerde|sollicitant"
        r"|trainer|burgemeester|minister|commissaris|leraar|lerares|juf|voorzitter|eigenaar|familie",
        r"volgens|met|voor|aan|is van|bij|door|naar|tegen",
        r"(?:zei|vroeg|schreef|belde|antwoordde|vertelde)",
        r"(?:niet )?(?:zei|zegt|vroeg|vraagt|antwoordde|schreef|schrijft|belde|belt|tekende|tekent|vertelde|vertelt"
        r"|meldde|klaagde?|klaagt|bevestigde|wilde|wil|woont|werkt|niet tekent|is (?:ziek|met vakantie)|gebeld"
        r"|gezegd|gevraagd|geschreven|getekend|besproken)",
    ),
    "pl": Cues(
        r"najemc[ay]|koleg[aię]|koleżank[aię]|sąsiad(?:k[aię])?a?|pacjent(?:k[aię])?a?|klient(?:k[aię])?a?"
        r"|dozorc[ay]|dyrektor(?:k[aię])?a?|uczeń|uczennica|świadek|sędzia|notariusz|lekar(?:z|ka)|adwokat|mecenas"
        r"|pielęgniarka|pracowni(?:k|ca)|kandydat(?:ka)?|trener|burmistrz|minister|komisarz|kierowca|hydraulik"
        r"|szef(?:owa)?|kierowni(?:k|czka)|nauczyciel(?:ka)?|prezes|właściciel(?:ka)?|rodzin[ay]|doktor|profesor",
        r"według|z|ze|dla|u|od|do|przez|przeciw",
        r"(?:za)?(?:dzwonił|pytał|mówił)a?|powiedziała?|napisała?|odpowiedziała?",
        r"(?:nie )?(?:powiedziała?|mówi(?:ła?)?|(?:za)?pytała?|(?:za)?dzwoniła?|odpowiedziała?|odpisała?|napisała?"
        r"|pisze|podpisała?|podpisze|podpisuje|prosi(?:ła?)?|potwierdziła?|wszedł|weszła|wyszedł|wyszła|przyszedł"
        r"|przyszła|chce|chciała?|pracuje|mieszka|jest na urlopie|skarży się|oddzwoni)",
    ),
}
