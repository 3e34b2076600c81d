"""Invented organisations of every kind: firms, offices, parties, clubs, schools, papers, and their abbreviations."""

import random
from collections.abc import Callable

_HEADS = (
    "Nor Vel Bri Qua Syn Opti Medi Terra Luma Zen Hex Kal Astra Fin Green Blue Iron Data Cloud Net Bio Agro Euro Trans "
    "Inter Omni Pro Neo Aero Hydro Solar Micro Sky Star Red Silver North West Alpha Delta Vita Nova Inno Digi Tele Safe "
    "Swift Clear Bright True Pure Crest Stone River Oak Cedar Falcon Orion Atlas Titan Vertex Apex"
).split()
_TAILS = (
    "tech soft ware bank care pharm line works nova gate path sys max ix ia on is ex ium ara ent ic hub lab mart air "
    "pay wave point field port way bridge view light stream force gen logic flow cast mind"
).split()
_TRADES = {
    "en": "Logistics,Insurance,Foods,Energy,Motors,Airlines,Capital,Consulting,Pharmaceuticals,Textiles,Media,Books,"
    "Hosting,Telecom,Electronics,Steel,Brewing Company,Properties,Records,Pictures,Partners,Systems,Solutions",
    "de": "Logistik,Versicherung,Energie,Bau,Maschinenbau,Reisen,Immobilien,Verlag,Brauerei,Stahl,Technik,Spedition",
    "fr": "Transports,Assurances,Énergie,Conseil,Immobilier,Éditions,Industries,Télécom,Voyages,Distribution",
    "es": "Transportes,Seguros,Energía,Consultores,Inmobiliaria,Construcciones,Alimentos,Telecomunicaciones",
    "it": "Trasporti,Assicurazioni,Energia,Costruzioni,Immobiliare,Edizioni,Alimentari,Servizi",
    "nl": "Transport,Verzekeringen,Energie,Bouw,Vastgoed,Uitgeverij,Techniek,Reizen",
    "pt": "Transportes,Seguros,Energia,Construções,Imóveis,Alimentos,Serviços",
    "pl": "Transport,Ubezpieczenia,Energia,Budownictwo,Nieruchomości,Usługi",
}
_FORMS = {
    "en": "Inc,Inc.,Ltd,Ltd.,LLC,PLC,Corp,Corp.,Group,Holdings,& Co,& Sons,Pty Ltd",
    "de": "GmbH,AG,GmbH & Co. KG,KG,SE,e.V.,Gruppe",
    "fr": "SA,SAS,SARL,Groupe,et Fils",
    "es": "S.A.,S.L.,SA,SL,Grupo",
    "it": "S.p.A.,S.r.l.,SpA,Srl,Gruppo",
    "nl": "B.V.,N.V.,BV,NV,Groep",
    "pt": "Lda.,S.A.,Ltda.,Grupo",
    "pl": "Sp. z o.o.,S.A.,Grupa",
}
# {c}: a town; {s}: a surname; {n}: a region or country.
_BODIES = {
    "en": "University of {c};{c} University;{s} University;Bank of {c};{c} City Council;{c} General Hospital;"
    "St. {s} Hospital;{c} High School;{s} Elementary School;{c} Police Department;{c} Airport;{c} United;{c} City;"
    "{c} FC;{c} Rovers;{c} Tigers;{c} Eagles;{c} Kings;Ministry of Finance;Ministry of Health;Department of Justice;"
    "Supreme Court;{n} Democratic Party;{n} Red Cross;Church of {c};Museum of {c};{c} Times;{c} Herald;Daily {s};"
    "{c} District Court;{c} Fire Brigade;{s} Foundation;{s} Institute;{c} Chamber of Commerce;National Bank of {n};"
    "European Commission;World Health Organisation;House of Commons;{s} Memorial Hospital;{c} Symphony Orchestra;"
    "{c} County;The {s} Band;{s} Brothers;{s} Club;{n} Army;{n} Parliament;Royal {s} Society",
    "de": "Universität {c};Technische Universität {c};Stadt {c};Stadtwerke {c};Sparkasse {c};Amtsgericht {c};"
    "Landgericht {c};Klinikum {c};{s}-Klinik;{s}-Gymnasium {c};FC {c};SV {c};TSV {c};VfL {c};Eintracht {c};"
    "Bundesministerium der Finanzen;Finanzamt {c};Polizei {c};Volksbank {c};{c}er Zeitung;{s}-Stiftung;"
    "Deutsches Rotes Kreuz;Industrie- und Handelskammer {c};Bundestag;Landtag;Theater {c};Museum {c};Verein {c}",
    "fr": "Université de {c};Mairie de {c};Hôpital {s};Lycée {s};Banque de {n};Tribunal de {c};FC {c};Olympique de {c};"
    "AS {c};Ministère des Finances;Parti socialiste;Sénat;Journal de {c};Fondation {s};Chambre de commerce de {c};"
    "Croix-Rouge;Préfecture de {c};Musée de {c};Opéra de {c};Assemblée nationale",
    "es": "Universidad de {c};Ayuntamiento de {c};Hospital {s};Instituto {s};Banco de {n};Tribunal Supremo;Real {c};"
    "Atlético {c};Deportivo {c};Ministerio de Hacienda;Partido Popular;Senado;Diario de {c};Fundación {s};"
    "Cámara de Comercio de {c};Cruz Roja;Museo de {c};Junta de {n};Guardia Civil;Comisión Europea",
    "it": "Università di {c};Comune di {c};Ospedale {s};Liceo {s};Banca di {c};Tribunale di {c};{c} Calcio;AC {c};"
    "Ministero delle Finanze;Partito Democratico;Senato;Corriere di {c};Fondazione {s};Camera di Commercio di {c};"
    "Croce Rossa;Museo di {c};Teatro di {c};Regione {n}",
    "nl": "Universiteit van {c};Gemeente {c};{s} Ziekenhuis;{s} College;Bank van {c};Rechtbank {c};FC {c};{c} VV;"
    "Ministerie van Financiën;Partij van de Arbeid;Eerste Kamer;Dagblad van {c};Stichting {s};Rode Kruis;Museum {c}",
    "pt": "Universidade de {c};Câmara Municipal de {c};Hospital {s};Escola {s};Banco de {n};Tribunal de {c};FC {c};"
    "Ministério da Fazenda;Partido Socialista;Senado;Jornal de {c};Fundação {s};Cruz Vermelha",
    "pl": "Uniwersytet {s};Urząd Miasta {c};Szpital {s};Liceum {s};Bank {n};Sąd Rejonowy {c};{c} FC;Legia {c};"
    "Ministerstwo Finansów;Sejm;Senat;Gazeta {c};Fundacja {s};Muzeum {c};Politechnika {c}",
}
# Names that texts of every kind are full of.
_KNOWN = (
    "UN,EU,NATO,WHO,IMF,FBI,CIA,NASA,BBC,CNN,UNESCO,UNICEF,OPEC,FIFA,UEFA,NHL,NBA,NFL,IOC,OECD,IAEA,ECB,FDA,NHS,IRS,"
    "Reuters,Google,Apple,Microsoft,Amazon,Facebook,Twitter,YouTube,Netflix,Samsung,Sony,Toyota,Honda,Ford,BMW,Audi,"
    "Volkswagen,Siemens,Bosch,Bayer,BASF,SAP,Allianz,Deutsche Bank,Deutsche Bahn,Lufthansa,Deutsche Telekom,Adidas,Nike,"
    "Shell,BP,Total,Renault,Peugeot,Airbus,Boeing,Orange,Danone,Nestlé,Novartis,Roche,UBS,Philips,ING,Unilever,KLM,"
    "Telefónica,Santander,Iberia,Repsol,Fiat,Ferrari,Eni,Enel,Intel,IBM,Oracle,Cisco,Dell,Visa,PayPal,HSBC,Barclays,"
    "Lloyds,Vodafone,Tesco,Walmart,Target,McDonald's,Starbucks,Coca-Cola,PepsiCo,Disney,Harvard,Oxford University,MIT,"
    "Stanford,Cambridge University,Real Madrid,Barcelona FC,Manchester United,Liverpool,Arsenal,Chelsea,Juventus,"
    "Bayern München,Borussia Dortmund,Ajax,Paris Saint-Germain,Red Cross,Greenpeace,Amnesty International,Al-Qaeda,"
    "Taliban,Hamas,Hezbollah,Pentagon,Kremlin,White House,Congress,Senate,Labour Party,CDU,SPD,FDP,CSU,PSOE,PP,"
    "Le Monde,El País,Der Spiegel,New York Times,Washington Post,The Guardian,Financial Times,Bild,Associated Press"
).split(",")
_CONSONANTS = "BCDFGHKLMNPRSTVWXZ"


class Organisations:
    """Draws one for a language; ``city``, ``country`` and ``surname`` draw what its name is made of."""

    def __init__(
        self, city: Callable[[str], str], country: Callable[[str], str], surname: Callable[[str], str]
    ) -> None:
        self._city = city
        self._country = country
        self._surname = surname

    def draw(self, language: str, dice: random.Random) -> str:
        """Return a name, with its legal form about every third time."""
        roll = dice.random()
        if roll < 0.33:
            body = dice.choice(_BODIES[language].split(";"))
            town, region = self._city(language), self._country(language)
            return body.replace("{c}", town).replace("{n}", region).replace("{s}", self._surname(language))
        if roll < 0.42:
            return acronym(dice)
        if roll < 0.55:
            return dice.choice(_KNOWN)
        name = self._firm(language, dice)
        if dice.random() < 0.45:
            name += " " + dice.choice(_FORMS[language].split(","))
        return name

    def _firm(self, language: str, dice: random.Random) -> str:
        trade = dice.choice(_TRADES[language].split(","))
        coined = dice.choice(_HEADS) + dice.choice(_TAILS)
        return dice.choice(
            (
                coined,
                coined,
                f"{coined} {trade}",
                f"{self._surname(language)} {trade}",
                f"{self._surname(language)} & {self._surname(language)}",
                f"{self._surname(language)}, {self._surname(language)} and {self._surname(language)}",
                f"{self._surname(language)}-{self._surname(language)}",
                self._surname(language),
                f"{self._city(language)} {trade}",
                f"{dice.choice(_HEADS)} {dice.choice(_HEADS)}",
                f"{acronym(dice)} {trade}",
                f"{dice.choice(_HEADS)}{dice.choice(_TAILS).title()}",
            )
        )


def acronym(dice: random.Random) -> str:
    """Return two to five capital letters that no word is likely to have."""
    letters = "".join(dice.choice(_CONSONANTS if dice.random() < 0.75 else "AEIOU") for _ in range(dice.randint(2, 5)))
    return f"{letters[0]}&{letters[-1]}" if dice.random() < 0.06 else letters
