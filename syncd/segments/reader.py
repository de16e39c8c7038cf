"""From a parse tree to a condition: the whitelist of what may stand where, and the types that must agree."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from syncd.condition import AllOf, AnyOf, Between, Compare, Condition, IsNull, IsTrue, Like, Not, OneOf, Term, Value
from syncd.segments.facts import FACTS, FUNCTIONS, Argument, Fact, Kind
from syncd.segments.faults import Fault, Names, suggestion
from syncd.segments.values import Refused, argument_value, fact_value, number

if TYPE_CHECKING:
    from sqlglot.expressions import Expr as Node

DEEPEST = 12
NOTHING: Condition = AnyOf(items=())

_OPERATORS = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
_FLIPPED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_TERMS = ("Column", "Anonymous")
# The parts that each kind of node may have. A part not listed (a table, an escape, a subquery) changes what the node
# means, so the node is refused.
_PARTS = {
    **{kind: {"this", "expression"} for kind in ("And", "Or", "Is", *_OPERATORS)},
    **{kind: {"this", "expression", "negate"} for kind in ("Like", "ILike")},
    **{kind: {"this"} for kind in ("Not", "Paren", "Column", "Neg", "Boolean", "Null")},
    "Between": {"this", "low", "high", "negate"},
    "In": {"this", "expressions", "negate"},
    "Anonymous": {"this", "expressions"},
    "Literal": {"this", "is_string"},
}
_EXAMPLES = {
    Kind.COUNT: "> 3",
    Kind.MONEY: ">= 500",
    Kind.DAYS: "< 90",
    Kind.TIME: ">= '2026-01-31'",
    Kind.TEXT: "= 'text'",
}


def _position(node: Node) -> int:
    """Where a node stands, or what holds it; only names and values know their place."""
    places = [part.meta["start"] + 1 for part in node.walk() if "start" in part.meta]
    if places or node.parent is None:
        return min(places, default=1)
    return _position(node.parent)


def _is_quoted(node: Node) -> bool:
    return _kind(node) == "Column" and bool(node.this.args.get("quoted"))


def _kind(node: Node) -> str:
    return type(node).__name__


class Reader:
    """Turns a parse tree into a condition, noting every fault on the way instead of stopping at the first."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self.faults: list[Fault] = []

    def condition(self, node: Node, depth: int) -> Condition:
        """The condition at a node."""
        kind = _kind(node)
        if depth > DEEPEST:
            return self._fault(node, f"the condition is nested deeper than {DEEPEST}")
        if not self._is_allowed(node):
            return self._fault(node, f"{kind.lower()} cannot be used in a condition")
        if kind in ("And", "Or", "Not", "Paren"):
            return self._joined(node, depth)
        found = self._plain(node, kind)
        return Not(item=found) if node.args.get("negate") else found

    def _joined(self, node: Node, depth: int) -> Condition:
        kind = _kind(node)
        if kind == "Not":
            return Not(item=self.condition(node.this, depth + 1))
        if kind == "Paren":
            return self.condition(node.this, depth + 1)
        items = tuple(self.condition(item, depth + 1) for item in node.flatten())
        return AllOf(items=items) if kind == "And" else AnyOf(items=items)

    def _plain(self, node: Node, kind: str) -> Condition:
        if kind in _OPERATORS:
            return self._comparison(node, _OPERATORS[kind])
        readers: dict[str, Callable[[Node, Term, Fact], Condition]] = {
            "Between": self._between,
            "In": self._one_of,
            "Like": self._like,
            "ILike": self._like,
            "Is": self._is,
        }
        if kind in readers:
            term = self._term(node.this)
            return readers[kind](node, *term) if term else NOTHING
        return self._bare(node)

    def _comparison(self, node: Node, operator: str) -> Condition:
        left, right = node.this, node.expression
        if _kind(left) in _TERMS and _kind(right) in _TERMS:
            return self._two_facts(left, right)
        if _kind(left) not in _TERMS:
            left, right, operator = right, left, _FLIPPED[operator]
        term = self._term(left)
        return self._compare(right, operator, *term) if term else NOTHING

    def _two_facts(self, left: Node, right: Node) -> Condition:
        if _is_quoted(right):
            return self._fault(right, f"a text stands in single quotes: '{right.name}'")
        self._term(left)
        return self._fault(right, "a fact is compared with a value, not with another fact")

    def _compare(self, node: Node, operator: str, term: Term, fact: Fact) -> Condition:
        if fact.kind in (Kind.TEXT, Kind.FLAG) and operator not in ("=", "<>"):
            return self._fault(node, f"{fact.name} is a {fact.kind} and has no order: use = or <>")
        value = self._value(node, fact)
        if fact.kind is Kind.FLAG:
            return IsTrue(term=term) if value is (operator == "=") else Not(item=IsTrue(term=term))
        return Compare(term=term, operator=operator, value=value)

    def _between(self, node: Node, term: Term, fact: Fact) -> Condition:
        if fact.kind in (Kind.TEXT, Kind.FLAG):
            return self._fault(node, f"{fact.name} is a {fact.kind} and has no order: between cannot be used")
        low, high = (self._value(node.args[end], fact) for end in ("low", "high"))
        if low is not None and high is not None and low > high:  # type: ignore[operator]  # both of the fact's type
            return self._fault(node, "between needs the smaller value first")
        return Between(term=term, low=low, high=high)

    def _one_of(self, node: Node, term: Term, fact: Fact) -> Condition:
        if not node.expressions:
            return self._fault(node, "in needs at least one value")
        return OneOf(term=term, values=tuple(self._value(value, fact) for value in node.expressions))

    def _like(self, node: Node, term: Term, fact: Fact) -> Condition:
        pattern = node.expression
        if fact.kind is not Kind.TEXT:
            return self._fault(node, f"{fact.name} is a {fact.kind}: like compares texts")
        if _kind(pattern) != "Literal" or not pattern.args["is_string"]:
            return self._fault(pattern, "like needs a text, such as '%@example.com'")
        return Like(term=term, pattern=pattern.this)

    def _is(self, node: Node, term: Term, fact: Fact) -> Condition:
        if _kind(node.expression) == "Null":
            return IsNull(term=term)
        if fact.kind is Kind.FLAG and _kind(node.expression) == "Boolean":
            return self._compare(node.expression, "=", term, fact)
        return self._fault(node.expression, f"{fact.name} is a {fact.kind}: is goes with null")

    def _bare(self, node: Node) -> Condition:
        if _kind(node) not in _TERMS:
            return self._fault(node, "a value alone is no condition: compare a fact with it")
        term = self._term(node)
        if term and term[1].kind is not Kind.FLAG:
            return self._fault(node, f"{term[1].usage} needs a comparison, such as {_example(term[1])}")
        return IsTrue(term=term[0]) if term else NOTHING

    def _term(self, node: Node) -> tuple[Term, Fact] | None:
        if _kind(node) not in _TERMS or not self._is_allowed(node):
            self._fault(node, "a fact is expected here, such as spent or orders_count")
            return None
        return self._call(node) if _kind(node) == "Anonymous" else self._named(node)

    def _named(self, node: Node) -> tuple[Term, Fact] | None:
        name = node.name.lower()
        if name in FACTS:
            return Term(name=name), FACTS[name]
        if name in FUNCTIONS:
            self._fault(node, f"{name} needs an argument: {FUNCTIONS[name].usage}")
        else:
            self._fault(node, f"unknown fact {node.name!r}; {suggestion(name, [*FACTS, *FUNCTIONS])}")
        return None

    def _call(self, node: Node) -> tuple[Term, Fact] | None:
        name = node.name.lower()
        fact = FUNCTIONS.get(name)
        if fact and fact.argument and len(node.expressions) == 1:
            return self._argument(node.expressions[0], fact, fact.argument)
        if fact:
            self._fault(node, f"{name} takes one argument: {fact.usage}")
        elif name in FACTS:
            self._fault(node, f"{name} takes no argument: leave the brackets out")
        else:
            self._fault(node, f"unknown function {node.name!r}; {suggestion(name, FUNCTIONS)}")
        return None

    def _argument(self, node: Node, fact: Fact, argument: Argument) -> tuple[Term, Fact] | None:
        value = self._checked(node, fact, argument_value(argument, self._literal(node)))
        known = self._names.known(argument)
        if value is not None and known is not None and value not in known:
            self._fault(node, f"unknown {argument} {value!r}; {suggestion(str(value), known)}")
        return Term(name=fact.name, args=(value,)), fact

    def _value(self, node: Node, fact: Fact) -> Value:
        return self._checked(node, fact, fact_value(fact, self._literal(node)))

    def _checked(self, node: Node, fact: Fact, value: Value | Refused) -> Value:
        if not isinstance(value, Refused):
            return value
        self._fault(node, f"{fact.usage} {value.reason}")
        return None

    def _literal(self, node: Node) -> Value | Refused:
        kind = _kind(node)
        if kind == "Neg":
            inner = self._literal(node.this)
            return -inner if isinstance(inner, Decimal) else inner
        if kind == "Literal":
            return str(node.this) if node.args["is_string"] else number(node.this)
        if kind in ("Boolean", "Null"):
            return bool(node.this) if kind == "Boolean" else None
        if _is_quoted(node):
            return Refused(reason=f"needs a text in single quotes: '{node.name}'")
        return Refused(reason="needs a plain value")

    def _is_allowed(self, node: Node) -> bool:
        parts = {name for name, part in node.args.items() if part not in (None, False, [])}
        return _kind(node) in _PARTS and parts <= _PARTS[_kind(node)]

    def _fault(self, node: Node, message: str) -> Condition:
        self.faults.append(Fault(position=_position(node), message=message))
        return NOTHING


def _example(fact: Fact) -> str:
    return f"{fact.usage} {_EXAMPLES[fact.kind]}"
