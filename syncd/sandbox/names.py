"""What invented people are made of: forenames with their other spellings, surnames, places, telephone numbers.

Telephone numbers come from ranges kept for fiction where a country has one (US 555-01xx has too few, so all of 555).
Mail domains are the reserved ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DOMAINS = ("example.com", "example.net", "example.org", "mail.example", "post.example", "inbox.example")
STREETS = ("Main St", "Oak Ave", "Mill Lane", "Station Rd", "Church St", "High St", "Park Row", "Hill Rd", "Quay")
LONG_STREETS = {"St": "Street", "Ave": "Avenue", "Rd": "Road"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Culture:
    """Names and places that go together.

    Args:
        firsts: Forename -> other spellings of the same forename by the same person.
        lasts: Surname -> other spellings.
        places: City, state, postcode.
        dial: Country calling code.
        prefixes: Starts of national numbers, without the trunk 0.
        digits: How many digits follow a prefix.
        trunk: What is dialled before a national number.
    """

    country: str
    weight: int
    firsts: Mapping[str, tuple[str, ...]]
    lasts: Mapping[str, tuple[str, ...]]
    places: tuple[tuple[str, str, str], ...]
    dial: str
    prefixes: tuple[str, ...]
    digits: int
    trunk: str = "0"


_EN_FIRSTS: Mapping[str, tuple[str, ...]] = {
    "Robert": ("Bob", "Rob"), "William": ("Bill", "Will"), "Elizabeth": ("Liz", "Beth"), "Katherine": ("Kate", "Katie"),
    "Michael": ("Mike",), "Jennifer": ("Jen", "Jenny"), "James": ("Jim", "Jamie"), "Margaret": ("Peggy", "Meg"),
    "Thomas": ("Tom",), "Susan": ("Sue",), "Richard": ("Rick", "Dick"), "Patricia": ("Pat", "Trish"), "Edward": ("Ed",),
    "Victoria": ("Vicky",), "Daniel": ("Dan", "Danny"), "Rebecca": ("Becky",), "Samuel": ("Sam",), "Deborah": ("Deb",),
    "Andrew": ("Andy", "Drew"), "Abigail": ("Abby",), "Priya": (), "Grace": (), "Oliver": ("Ollie",), "Hannah": (),
}  # fmt: skip
_EN_LASTS: Mapping[str, tuple[str, ...]] = {
    "Smith": (), "O'Neil": ("ONeil", "O’Neil"), "McDonald": ("MacDonald",), "Johnson": (), "St. John": ("St John",),
    "Cartwright": (), "Lee-Ho": ("Lee Ho",), "Washington": (), "Fletcher": (), "Okafor": (), "Patel": (),
    "Whitfield": (),
    "Hargreaves": (), "Delgado": (), "Nguyen": ("Nguyễn",), "Brooks": (), "Sinclair": (), "Ashworth": (), "Vance": (),
    "Castellano": (), "Ramirez": ("Ramírez",), "Kowalczyk": (), "Pemberton": (), "Abernathy": (), "Novak": ("Novák",),
}  # fmt: skip
_DE_FIRSTS: Mapping[str, tuple[str, ...]] = {
    "Jürgen": ("Juergen", "Jurgen"), "Anna": (), "Björn": ("Bjoern", "Bjorn"), "Käthe": ("Kaethe",),
    "Wolfgang": ("Wolf",),
    "Elisabeth": ("Lisa", "Elli"), "Maximilian": ("Max",), "Katharina": ("Kathi", "Katja"), "Hans": (), "Ute": (),
    "Sebastian": ("Basti",), "Friederike": ("Rieke",), "Johannes": ("Hannes",), "Özlem": ("Oezlem", "Ozlem"),
    "Lukas": (),
}  # fmt: skip
_DE_LASTS: Mapping[str, tuple[str, ...]] = {
    "Müller": ("Mueller", "Muller"), "Schröder": ("Schroeder",), "Weiß": ("Weiss",), "Köhler": ("Koehler", "Kohler"),
    "von der Heide": ("Heide", "Von der Heide"), "Schmidt": (), "Groß": ("Gross",), "Jäger": ("Jaeger",), "Bauer": (),
    "Yıldız": ("Yildiz",), "Krüger": ("Krueger",), "Lindner": (), "Vogel": (), "Hoffmann": ("Hofmann",), "Brandt": (),
}  # fmt: skip
_FR_FIRSTS: Mapping[str, tuple[str, ...]] = {
    "Chloé": ("Chloe",), "François": ("Francois",), "Hélène": ("Helene",), "Jean-Luc": ("Jean Luc", "JeanLuc"),
    "Aurélie": ("Aurelie",), "Théo": ("Theo",), "Manon": (), "Benoît": ("Benoit",), "Zoé": ("Zoe",), "Olivier": (),
}  # fmt: skip
_FR_LASTS: Mapping[str, tuple[str, ...]] = {
    "Lefèvre": ("Lefevre",), "Dupont": (), "Beauchêne": ("Beauchene",), "de La Fontaine": ("Delafontaine",),
    "Girard": (),
    "Mercier": (), "Benoît": ("Benoit",), "Noël": ("Noel",), "Garnier": (), "Péron": ("Peron",), "Rousseau": (),
}  # fmt: skip
_EAST_FIRSTS: Mapping[str, tuple[str, ...]] = {
    "Łukasz": ("Lukasz",), "Małgorzata": ("Malgorzata", "Gosia"), "Юлия": ("Yuliya", "Iuliia", "Julia"),
    "Ewa": ("Eva",),
    "Дмитрий": ("Dmitry", "Dmitri"), "Zbigniew": ("Zbyszek",), "Agnieszka": ("Aga",), "Ольга": ("Olga",), "Michał": (),
    "Наталья": ("Natalia", "Natalya"), "Grzegorz": ("Grzesiek",), "Joanna": ("Asia",),
}  # fmt: skip
_EAST_LASTS: Mapping[str, tuple[str, ...]] = {
    "Wójcik": ("Wojcik",), "Kamińska": ("Kaminska",), "Петров": ("Petrov",), "Zieliński": ("Zielinski",), "Nowak": (),
    "Иванова": ("Ivanova",), "Dąbrowska": ("Dabrowska",), "Szymański": ("Szymanski",), "Соколова": ("Sokolova",),
    "Krawczyk": (), "Grabowska": (), "Морозов": ("Morozov",),
}  # fmt: skip

CULTURES = (
    Culture(
        country="US", weight=40, firsts=_EN_FIRSTS, lasts=_EN_LASTS, dial="1", trunk="1", digits=4,
        prefixes=("212555", "415555", "312555", "206555", "617555", "512555", "303555", "404555"),
        places=(("New York", "NY", "10001"), ("San Francisco", "CA", "94103"), ("Austin", "TX", "78701"),
                ("Boston", "MA", "02108"), ("Denver", "CO", "80202"), ("Chicago", "IL", "60601")),
    ),
    Culture(
        country="GB", weight=15, firsts=_EN_FIRSTS, lasts=_EN_LASTS, dial="44", digits=6,
        prefixes=("7700",),
        places=(("London", "", "SW1A 1AA"), ("Leeds", "", "LS1 4AP"), ("Bristol", "", "BS1 5TR")),
    ),
    Culture(
        country="DE", weight=25, firsts=_DE_FIRSTS, lasts=_DE_LASTS, dial="49", digits=8,
        prefixes=("151", "171", "160"),
        places=(("München", "DE-BY", "80331"), ("Köln", "DE-NW", "50667"), ("Berlin", "DE-BE", "10115")),
    ),
    Culture(
        country="FR", weight=10, firsts=_FR_FIRSTS, lasts=_FR_LASTS, dial="33", digits=4,
        prefixes=("63998", "19900", "26191"),
        places=(("Paris", "", "75001"), ("Lyon", "", "69002"), ("Nîmes", "", "30000")),
    ),
    Culture(
        country="PL", weight=10, firsts=_EAST_FIRSTS, lasts=_EAST_LASTS, dial="48", trunk="", digits=6,
        prefixes=("501", "602", "693"),
        places=(("Warszawa", "", "00-001"), ("Łódź", "", "90-001"), ("Kraków", "", "31-001")),
    ),
)  # fmt: skip
