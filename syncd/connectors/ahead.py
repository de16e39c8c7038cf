"""Several pages of a walk asked for side by side, as many as the shop bears, and handed out in the walk's order.

A guess asks for the page that the walk will want if nothing moves. The walk judges every answer by what it has met,
whenever it was given, so a guess that no longer fits costs a request and never a row. The end of a listing is never
guessed: what the walk ends on was asked for after everything before it was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from itertools import islice
from types import TracebackType
from typing import Generic, Self, TypeVar

from syncd.clock import Clock
from syncd.connectors.exchange import TRIES
from syncd.connectors.idwalk import Position, Slice
from syncd.errors import RateLimited

Source = TypeVar("Source")
Ask = Callable[[Position, int], Slice[Source]]  # with how many tries

_STEADY = 1.5  # so many times the quickest answer is still as quick
_SLOW = 2.0
_FADING = 1.02  # the quickest answer is forgotten by and by: a shop may be slower tonight
_FIRST_PATIENCE, _LAST_PATIENCE = 10, 640  # pages that must go well before more is asked again


class Gauge:
    """How many requests at once a shop bears: one at first, more while answers stay quick, half once they slow.

    Args:
        most: The most there may be just now.
    """

    def __init__(self, most: Callable[[], int]) -> None:
        self._most = most
        self._level = 1
        self._quick_count = 0
        self._size = 0
        self._quickest_s = 0.0

    @property
    def level(self) -> int:
        """How many there may be now."""
        return min(self._level, self._most())

    def note(self, seconds: float, size: int) -> None:
        """Learn from one answer; answers with more or fewer rows are not compared."""
        if size != self._size:
            self.fall()
            self._size, self._quickest_s = size, seconds
        self._quickest_s = min(seconds, self._quickest_s * _FADING)
        if seconds > _SLOW * self._quickest_s:
            self._change(max(1, self._level // 2))
        elif seconds <= _STEADY * self._quickest_s:
            self._rise()

    def fall(self) -> None:
        """Begin anew with one: the shop has trouble."""
        self._change(1)

    def _rise(self) -> None:
        self._quick_count += 1
        if self._quick_count >= self._level:  # a whole round was quick
            self._change(min(self._level + 1, max(1, self._most())))

    def _change(self, level: int) -> None:
        self._level, self._quick_count = level, 0


class PageSize:
    """How many rows to ask a shop for: fewer where it failed, more again once that went well for long.

    Args:
        sizes: What may be asked for, largest first.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self._sizes = sizes
        self._patience = _FIRST_PATIENCE
        self._good_count = 0
        self.now = sizes[0]

    def note(self, asked: int, answered: int) -> None:
        """Learn from one answer: whether the shop managed what it was asked for."""
        if answered < asked:
            if answered < self.now:
                self._patience = min(2 * self._patience, _LAST_PATIENCE)
            self.now, self._good_count = min(self.now, answered), 0
            return
        self._good_count += 1
        if self._good_count >= self._patience:
            self.now, self._good_count = self._larger(), 0

    def _larger(self) -> int:
        return min((size for size in self._sizes if size > self.now), default=self.now)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answered(Generic[Source]):
    asked: Position
    found: Slice[Source]
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Guess(Generic[Source]):
    asked: Position
    answer: Future[_Answered[Source]]


class Ahead(Generic[Source]):
    """Fetches for a walk by id; a context manager that leaves no request behind.

    Args:
        ask: Asks the shop, trying so many times.
        size: The shop's page size, learnt from every answer.
        most: The most requests there may be at once just now.
        pool: Does the asking; ended with this.
    """

    def __init__(
        self, ask: Ask[Source], size: PageSize, *, most: Callable[[], int], pool: Executor, clock: Clock
    ) -> None:
        self._ask = ask
        self._size = size
        self._gauge = Gauge(most)
        self._clock = clock
        self._pool = pool
        self._guesses: dict[tuple[int, bool], _Guess[Source]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def size(self) -> int:
        """How many rows the walk should ask for next."""
        return self._size.now

    def fetch(self, position: Position) -> Slice[Source]:
        """The rows at a position, guessed already or asked for now; then the next ones are guessed.

        Raises:
            SyncdError: Whatever asking raises.
        """
        answered = self._guessed(position) or self._answer(position, TRIES)
        self._learn(answered)
        self._guess_on(answered.found)
        return answered.found

    def _guessed(self, position: Position) -> _Answered[Source] | None:
        guess = self._guesses.pop(_key(position), None)
        error = guess.answer.exception() if guess else None
        if guess is not None and error is None:
            return guess.answer.result()
        self._forget()
        if error is not None:
            self._recover(error)
        return None

    def _recover(self, error: BaseException) -> None:
        """A guess that failed is no failure of the walk: the page is asked for once more, alone and with patience."""
        self._gauge.fall()
        if isinstance(error, RateLimited) and self._clock.sleep(error.retry_after_s):
            raise error

    def _answer(self, position: Position, tries: int) -> _Answered[Source]:
        started_s = self._clock.monotonic()
        found = self._ask(position, tries)
        return _Answered(asked=position, found=found, seconds=self._clock.monotonic() - started_s)

    def _learn(self, answered: _Answered[Source]) -> None:
        found = answered.found
        self._size.note(answered.asked.size, found.position.size)
        if not found.is_short:
            self._gauge.note(answered.seconds, found.position.size)

    def _guess_on(self, found: Slice[Source]) -> None:
        """Ask for the next pages, as far as the shop bears it; one request alone is the walk's own."""
        level = self._gauge.level
        coming = list(islice(self._coming(found), max(level, len(self._guesses))))
        self._forget({_key(position) for position in coming})
        missing = [position for position in coming if _key(position) not in self._guesses]
        room = level - len(self._guesses) if level > 1 else 0
        for position in missing[: max(0, room)]:
            answer = self._pool.submit(self._answer, position, 1)
            self._guesses[_key(position)] = _Guess(asked=position, answer=answer)

    def _coming(self, found: Slice[Source]) -> Iterator[Position]:
        """Where the walk will ask if nothing moves, without the listing's end."""
        total = 0 if found.is_short else found.total or 0
        position = self._behind(found.position, found.end)
        while position.start + position.size < total:
            guess = self._guesses.get(_key(position))
            position = guess.asked if guess else position
            yield position
            position = self._behind(position, position.start + position.size)

    def _behind(self, position: Position, end: int) -> Position:
        return replace(position, start=end if position.by_page else end - 1, size=self._size.now)

    def _forget(self, kept: Collection[tuple[int, bool]] = ()) -> None:
        for key in [key for key in self._guesses if key not in kept]:
            self._guesses.pop(key).answer.cancel()


def _key(position: Position) -> tuple[int, bool]:
    return position.start, position.by_page
