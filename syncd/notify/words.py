"""Messages as people read them: merchant, store, what, since when, what to do; nothing that is nobody's business."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from syncd.logs import scrub
from syncd.notify.courier import Message
from syncd.store.types import Notice

_PHONE = "<phone>"


class Writer:
    """Words one merchant's messages.

    Args:
        timezone: What times are told in.
        regions: Where its people are, ISO 3166-1 alpha-2: how their phone numbers look.
    """

    def __init__(self, merchant: str, timezone: str, regions: Collection[str] = ()) -> None:
        self._merchant = merchant
        self._zone = ZoneInfo(timezone)
        self._regions = sorted(set(regions) - {""})

    def begun(self, notices: Sequence[Notice]) -> Message:
        """What is wrong."""
        return self._message("warning", _count(len(notices), "trouble"), [self._trouble(item) for item in notices])

    def over(self, notices: Sequence[Notice]) -> Message:
        """What is not wrong any more."""
        return self._message(
            "success", f"{_count(len(notices), 'trouble')} over", [self._end(item) for item in notices]
        )

    def news(self, notices: Sequence[Notice]) -> Message:
        """What went well."""
        return self._message("info", "good news", [_sentence(self._clean(item.words)) for item in notices])

    def trial(self) -> Message:
        """What tells nothing but that it arrived."""
        return self._message("info", "test", ["This is a test: notices of this merchant's syncd arrive here."])

    def _message(self, kind: Literal["warning", "success", "info"], subject: str, texts: Sequence[str]) -> Message:
        return Message(kind=kind, title=f"syncd for {self._clean(self._merchant)}: {subject}", body="\n\n".join(texts))

    def _trouble(self, notice: Notice) -> str:
        lines = [_sentence(self._clean(notice.words)), f"Since {self._time(notice.raised_at)}."]
        if notice.remedy:
            lines.append(f"What to do: {_sentence(self._clean(notice.remedy))}")
        return "\n".join(lines)

    def _end(self, notice: Notice) -> str:
        ended = f"Over since {self._time(notice.over_at)}. " if notice.over_at else ""
        return f"{ended}It began {self._time(notice.raised_at)}:\n{_sentence(self._clean(notice.words))}"

    def _time(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M %Z}"

    def _clean(self, text: str) -> str:
        """The text without secrets, e-mail addresses and phone numbers, in one line."""
        return _without_phones(scrub(" ".join(text.split())), self._regions)


def _without_phones(text: str, regions: Sequence[str]) -> str:
    """The text with its phone numbers hidden: those written for abroad, and those of the regions."""
    from phonenumbers import Leniency, PhoneNumberMatcher

    matchers = [PhoneNumberMatcher(text, None, leniency=Leniency.POSSIBLE)]
    matchers += [PhoneNumberMatcher(text, region, leniency=Leniency.VALID) for region in regions]
    for number in {match.raw_string for matcher in matchers for match in matcher}:
        text = text.replace(number, _PHONE)
    return text


def _count(number: int, word: str) -> str:
    return f"1 {word}" if number == 1 else f"{number} {word}s"


def _sentence(text: str) -> str:
    return f"{text.rstrip('.')}."
