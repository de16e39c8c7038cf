"""Names as they are compared, and whether two of them can be one person's.

A fit never proves anything: it only says that two names do not contradict each other. The identifier that two
contacts share is the proof.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from anyascii import anyascii
from nicknames import NickNamer
from rapidfuzz.distance import JaroWinkler

from syncd.identity.forms import FORENAMES, FORMS_OF_ONE_NAME, TWO_NAMES
from syncd.identity.words import NO_NAME, SUFFIXES, TITLES

_SIMILAR = 0.88
_VOWELS = "aeiou"
_ENDINGS = "aeions"
_DIMINUTIVE = re.compile(r"(ie|i|y|ek|us|chen)$")
_STEM_LETTERS = 4

# Spellings that one name takes on its way between alphabets and languages, applied to both sides.
_SPELLINGS = (
    (re.compile(pattern), text)
    for pattern, text in (
        ("ae", "a"), ("oe", "o"), ("ue", "u"), ("sch|sh", "s"), ("ph", "f"), ("kh", "h"), ("zh|ts|tz", "z"),
        ("th", "t"), ("ck|c|q", "k"), ("x", "ks"), ("w", "v"), ("ju", "yu"), ("y", "i"), (r"(.)\1+", r"\1"),
    )
)  # fmt: skip
_RULES = tuple(_SPELLINGS)


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Name:
    """A name ready for comparison; "" where a part is not known.

    Args:
        forename: The first forename, folded; one letter for an initial.
        surname: The whole surname, folded and written together.
        suffix: jr, sr, 2, 3 or 4.
    """

    forename: str = ""
    surname: str = ""
    suffix: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known that could contradict another name."""
        return not (self.forename or self.surname)

    @property
    def is_partial(self) -> bool:
        """Whether the forename or the surname is not known."""
        return not (self.forename and self.surname)

    @property
    def is_full(self) -> bool:
        """Whether both parts are known, and neither as an initial only."""
        return len(self.forename) > 1 and len(self.surname) > 1


@lru_cache(maxsize=65_536)
def parse_name(first: str, last: str) -> Name:
    """A name as typed in two fields, parted and folded; a whole name in one field is parted at its last word."""
    given, given_suffix = _words(first)
    family, family_suffix = _words(last)
    if NO_NAME.issuperset(given + family):
        return Name()
    if not family and len(given) > 1:
        given, family = given[:-1], given[-1:]
    elif not given and len(family) > 1:
        given, family = family[:-1], family[-1:]
    return Name(
        forename=given[0] if given else "",
        surname="".join(family),
        suffix=family_suffix or given_suffix,
    )


@lru_cache(maxsize=65_536)
def fits(one: Name, other: Name) -> bool:
    """Whether two names can be one person's: forenames agree and suffixes do not contradict, whatever the surname.

    Forenames of one surname may also share no more than a stem: Friedchen, Friederike.
    """
    return _agree(one, other) or (_are_relatives(one, other) and _share_stem(one.forename, other.forename))


@lru_cache(maxsize=65_536)
def fits_closely(one: Name, other: Name) -> bool:
    """Whether forenames and surnames both agree, as far as both are known."""
    is_open = one.is_partial or other.is_partial
    return _agree(one, other) and (is_open or surnames_fit(one, other) or _are_swapped(one, other))


@lru_cache(maxsize=65_536)
def fits_fully(one: Name, other: Name) -> bool:
    """Whether two whole names are forms of one; no part of a name is, and nothing that merely looks alike."""
    if not (one.is_full and other.is_full) or one.suffix != other.suffix:
        return False
    is_straight = _are_forms(one.forename, other.forename) and surnames_fit(one, other)
    return is_straight or _are_swapped(one, other)


def surnames_fit(one: Name, other: Name) -> bool:
    """Whether surnames agree: equal but for spelling, one within the other, or one not known."""
    left, right = _spelled(one.surname), _spelled(other.surname)
    if not left or not right or left == right:
        return True
    if len(left) == 1 or len(right) == 1:
        return left[0] == right[0]
    return _is_part(left, right) or _similar(left, right)


def _words(text: str) -> tuple[list[str], str]:
    folded = anyascii(unicodedata.normalize("NFKC", text[:400])).lower()
    words = re.sub(r"[^a-z]+", " ", re.sub(r"['`]", "", folded)).split()
    suffixes = [SUFFIXES[word] for word in words[1:] if word in SUFFIXES]
    words = [word for index, word in enumerate(words) if not (index and word in SUFFIXES)]
    while len(words) > 1 and words[0] in TITLES:
        words = words[1:]
    return words, suffixes[0] if suffixes else ""


def _agree(one: Name, other: Name) -> bool:
    if _are_generations(one, other):
        return False
    if one.is_partial or other.is_partial:
        return _partial_fits(one, other)
    return _forenames_fit(one.forename, other.forename) or _are_swapped(one, other)


def _are_generations(one: Name, other: Name) -> bool:
    return bool(one.suffix and other.suffix and one.suffix != other.suffix)


def _are_relatives(one: Name, other: Name) -> bool:
    is_family = _spelled(one.surname) == _spelled(other.surname) and one.is_full and other.is_full
    return is_family and not _are_generations(one, other)


def _forenames_fit(left: str, right: str) -> bool:
    if _are_forms(left, right):
        return True
    if len(left) == 1 or len(right) == 1:
        return left[0] == right[0]
    # Two names that both exist are two names, however much they look alike: Daniel, Daniela.
    return not (_exists(left) and _exists(right)) and not _differ_in_ending(left, right) and _similar(left, right)


def _are_forms(left: str, right: str) -> bool:
    return left == right or _spelled(left) == _spelled(right) or _is_nickname(left, right)


def _partial_fits(one: Name, other: Name) -> bool:
    """Whether a name of one word fits the other's same part or, typed into the wrong field, its other part."""
    if one.is_empty or other.is_empty:
        return True
    if one.forename and other.forename:
        return _forenames_fit(one.forename, other.forename) or _crosses(one, other)
    if one.surname and other.surname:
        return surnames_fit(one, other) or _crosses(one, other)
    return _crosses(one, other) or not (one.is_partial and other.is_partial)


def _are_swapped(one: Name, other: Name) -> bool:
    same_family = _spelled(one.surname) == _spelled(other.forename)
    same_given = _spelled(one.forename) == _spelled(other.surname)
    return (same_family and _forenames_fit(one.forename, other.surname)) or (
        same_given and _forenames_fit(other.forename, one.surname)
    )


def _crosses(one: Name, other: Name) -> bool:
    pairs = ((one.forename, other.surname), (one.surname, other.forename))
    return any(left and _spelled(left) == _spelled(right) for left, right in pairs)


def _is_part(left: str, right: str) -> bool:
    short, long = sorted((left, right), key=len)
    return len(short) >= 4 and (long.startswith(short) or long.endswith(short))


def _differ_in_ending(left: str, right: str) -> bool:
    short, long = sorted((left, right), key=len)
    if len(short) == len(long):
        return short[:-1] == long[:-1] and short[-1] in _VOWELS and long[-1] in _VOWELS
    return long[:-1] == short and long[-1] in _ENDINGS


def _similar(left: str, right: str) -> bool:
    return JaroWinkler.similarity(left, right) >= _SIMILAR


@lru_cache(maxsize=65_536)
def _spelled(word: str) -> str:
    for pattern, text in _RULES:
        word = pattern.sub(text, word)
    return word


@lru_cache(maxsize=65_536)
def _relatives(word: str) -> frozenset[str]:
    namer = _namer()
    roots = namer.canonicals_of(word) | {word}
    return frozenset(roots).union(namer.nicknames_of(word))


def _is_nickname(left: str, right: str) -> bool:
    """Whether one is a short form of the other, or both of the same name."""
    if frozenset((left, right)) in TWO_NAMES:
        return False
    if _names_of(left) & _names_of(right):
        return True
    # Two forms of a third are believed only where the table says so: by way of Bill, Robert would be William.
    return right in _relatives(left) or left in _relatives(right)


def _share_stem(left: str, right: str) -> bool:
    """Whether the shorter is the beginning of the longer, but for an ending of endearment, and no name known by itself.

    Endings that tell a woman from a man (Daniel, Daniela) are not among those.
    """
    short, long = sorted((left, right), key=lambda word: (len(word), word))
    stem = _spelled(_DIMINUTIVE.sub("", short))
    is_told = _exists(short) or len(stem) < _STEM_LETTERS or len(long) < len(stem) + 2
    return not is_told and not _differ_in_ending(short, long) and _spelled(long).startswith(stem)


def _exists(word: str) -> bool:
    return word in FORENAMES or len(_relatives(word)) > 1 or bool(_names_of(word))


def _names_of(word: str) -> frozenset[int]:
    """The names that a word is a form of, as numbers of their lines."""
    return _forms().get(_spelled(word), frozenset())


@lru_cache(maxsize=1)
def _forms() -> dict[str, frozenset[int]]:
    found: dict[str, frozenset[int]] = {}
    for number, forms in enumerate(FORMS_OF_ONE_NAME):
        for form in forms:
            found[_spelled(form)] = found.get(_spelled(form), frozenset()) | {number}
    return found


@lru_cache(maxsize=1)
def _namer() -> NickNamer:
    return NickNamer()
