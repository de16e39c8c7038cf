"""From the text of a condition to typed, checked values.

In comes what a marketer wrote (`spent >= 500 and can_email`), out goes a Condition, or every fault in it with its
position. The text is read by an SQL parser, but only what the reader lists passes: no query, no arithmetic, no name
outside the catalogue. Values of known type go on to the database, which binds them as parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncd.condition import Condition
from syncd.errors import ConfigInvalid
from syncd.segments.faults import Fault, Names
from syncd.segments.reader import DEEPEST, NOTHING, Reader

if TYPE_CHECKING:
    from sqlglot.expressions import Expr as Node

LONGEST = 2000


def parse(text: str, names: Names | None = None) -> Condition:
    """What a condition means.

    Raises:
        ConfigInvalid: It cannot be used; the message lists every fault with its position.
    """
    condition, faults = read(text, names or Names())
    if faults:
        raise ConfigInvalid("; ".join(map(str, faults)))
    return condition


def read(text: str, names: Names) -> tuple[Condition, tuple[Fault, ...]]:
    """A condition and everything wrong with it; the condition is only good where no fault is given."""
    if refusal := _refusal(text):
        return NOTHING, (refusal,)
    tree = _tree(text)
    if isinstance(tree, Fault):
        return NOTHING, (tree,)
    reader = Reader(names)
    condition = reader.condition(tree, 1)
    return condition, tuple(sorted(reader.faults))


def _refusal(text: str) -> Fault | None:
    if not text.strip():
        return Fault(position=1, message="the condition is empty")
    if len(text) > LONGEST:
        return Fault(position=LONGEST, message=f"the condition is longer than {LONGEST} characters")
    odd = [place for place, char in enumerate(text, 1) if not char.isprintable() and char not in "\n\t "]
    return Fault(position=odd[0], message="a character that cannot be printed") if odd else None


def _tree(text: str) -> Node | Fault:
    import sqlglot
    from sqlglot.errors import ParseError, TokenError
    from sqlglot.expressions import Condition as AnyCondition

    try:
        return sqlglot.parse_one(text, into=AnyCondition)
    except RecursionError:
        return Fault(position=1, message=f"the condition is nested deeper than {DEEPEST}")
    except TokenError:
        return Fault(position=len(text), message="a text is not closed: the second ' is missing")
    except ParseError as error:
        return _not_understood(text, error.errors)


def _not_understood(text: str, errors: list[dict[str, Any]]) -> Fault:
    if not errors:
        return Fault(position=1, message="the condition is not understood")
    word = str(errors[0]["highlight"])
    before = str(errors[0]["start_context"])
    message = f"not understood at {word!r}; a condition reads like spent >= 500 and can_email"
    return Fault(position=text.find(before + word) + len(before) + 1, message=message)
