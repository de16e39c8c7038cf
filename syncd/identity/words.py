"""Lists of words that people and programs type where a name or an address belongs.

No list can be complete: values that many people carry are learned; these only speed that up.
"""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


TITLES = _set("mr mrs ms miss mx dr prof herr frau hr fr sir madame mme mlle monsieur sr sra srta don dona ing mag")
SUFFIXES = {
    **dict.fromkeys(("jr", "jnr", "junior"), "jr"),
    **dict.fromkeys(("sr", "snr", "senior"), "sr"),
    "ii": "2",
    "iii": "3",
    "iv": "4",
}
# A name of nothing but these is no name.
NO_NAME = _set(
    "n a x na none null test customer guest unknown anonymous kunde gast kundin client cliente invite nn xx xxx noname "
    "firstname lastname first last name user shop shopper store pos cash sale walk in walkin counter retail admin"
)

# A mailbox with one of these names belongs to nobody, wherever it is.
NOBODY = _set(
    "noreply no-reply donotreply do-not-reply nomail noemail no-email no-mail noone nobody none null invalid "
    "unknown unbekannt keine-email keinemail sinemail nincs anonymous"
)
# With one of these it does at a domain of the same name or one of those below.
NOBODY_AT_HOME = NOBODY | _set("a aa aaa abc asdf b customer guest n na no noname test user x xx xxx")
NOBODY_DOMAINS = _set("email.com mail.com store.com shop.com example.com test.com domain.com abc.com")
NOBODY_ENDINGS = (".local", ".invalid", ".localhost", ".lan")

# Misspellings of the largest providers that no other provider owns; anything less certain is left alone.
DOMAIN_TYPOS = {
    **dict.fromkeys(("gmial.com", "gamil.com", "gmai.com", "gnail.com", "gmail.co", "gmil.com"), "gmail.com"),
    **dict.fromkeys(("gmaill.com", "gmail.cm", "gmali.com", "ggmail.com"), "gmail.com"),
    **dict.fromkeys(("hotmial.com", "hotmal.com", "hotmai.com", "hotmil.com", "homail.com"), "hotmail.com"),
    **dict.fromkeys(("yahooo.com", "yaho.com", "yhoo.com", "yahoo.co"), "yahoo.com"),
    **dict.fromkeys(("outlok.com", "outloook.com", "outllook.com", "oulook.com"), "outlook.com"),
    **dict.fromkeys(("iclud.com", "icoud.com", "icloud.co", "iclould.com"), "icloud.com"),
}

# What streets are called in general, and what stands before their names.
STREET_WORDS = _set(
    "the street st road rd avenue ave av lane ln drive dr court ct place pl square sq way n s e w ne nw se sw north "
    "south east west rue bd boulevard blvd impasse chemin quai cours allee alle route de du des la le les l d calle c "
    "avda avenida plaza pza paseo carrer del los las el via viale v le piazza p za corso largo di della ul ulica al "
    "aleja os osiedle plac str strasse am an der den dem auf im zum zur in"
)
