"""Logs: one line an event on standard error, with no secret, no personal data and no control character in it.

Events of syncd and of its libraries take the same way through one scrubber. Facts about where something happened
(run_id, store, stream) are bound to the context and stand in every line.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import logging
import re
import sys
import threading
import traceback
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, TextIO, cast
from urllib.parse import quote

import structlog

from syncd.errors import ConfigInvalid

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_MASK = "***"
_LONGEST_VALUE = 4000  # characters of one value that a line holds
_SHORTEST_SECRET = 4  # masking anything shorter would eat ordinary words
_SECRET_KEY = re.compile(r"authorization|cookie|password|secret|consumer_key|signature|token$", re.IGNORECASE)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), shown)
    for pattern, shown in (
        (r"\bshp(?:at|ca|pa|ss)_[0-9a-z]+", _MASK),
        (r"\bc[ks]_[0-9a-f]{40}", _MASK),
        (r"(oauth_signature=)[^&\s\"']+", rf"\1{_MASK}"),
        (r"(authorization[\"']?\s*[:=]\s*[\"']?)[^\"'\r\n}]+", rf"\1{_MASK}"),
        (r"(://[^/\s:@]*:)[^/\s@]+(?=@)", rf"\1{_MASK}"),
        (r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", "<e-mail>"),
    )
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

_secrets: set[str] = set()

Event = MutableMapping[str, Any]  # structlog's own type of what a processor handles


class _StandardError(io.TextIOBase, TextIO):
    """Standard error as it is at each line, since bars that are drawn on a terminal stand in for it meanwhile.

    A line that cannot be written, to a full disk or a closed pipe, is lost: the work that it tells of goes on.
    """

    def write(self, text: str) -> int:
        with suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


def configure(level: str = "info", format: str = "auto", stream: TextIO | None = None) -> None:  # noqa: A002
    """Send everything that is logged to a stream.

    Args:
        level: debug, info, warning or error, for syncd's own events; libraries are heard from warning up.
        format: console, json, or auto for console on a terminal and JSON elsewhere.
        stream: Standard error if left out.

    Raises:
        ConfigInvalid: There is no such level.
    """
    if level not in _LEVELS:
        raise ConfigInvalid(f'there is no log level "{level}"', hint=f"Use one of: {', '.join(_LEVELS)}")
    target = stream or _StandardError()
    is_console = format == "console" or (format == "auto" and target.isatty())
    number = _LEVELS[level]
    chain = _chain(is_console=is_console, is_debug=number <= logging.DEBUG)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *chain],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=False,
    )
    _hear_libraries(chain, target)


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger for one module; event names are fixed snake_case words, facts are keys."""
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger(module=name))


def bound(**facts: object) -> AbstractContextManager[None]:
    """Put facts such as run_id, store and stream into every line logged within the block, in this thread."""
    return structlog.contextvars.bound_contextvars(**facts)


def register_secret(value: str) -> None:
    """Mask a secret, as it is and as it stands in a URL, wherever it would be logged."""
    if len(value) >= _SHORTEST_SECRET:
        _secrets.update((value, quote(value, safe="")))


def scrub(text: str) -> str:
    """The text without secrets, e-mail addresses and control characters."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, _MASK)
    for pattern, shown in _PATTERNS:
        text = pattern.sub(shown, text)
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def pseudonym(text: str, salt: bytes) -> str:
    """A short name for an e-mail address or phone number: the same within one installation, untraceable outside it."""
    digest = hmac.new(salt, text.strip().lower().encode(), hashlib.sha256)
    return f"person-{digest.hexdigest()[:12]}"


def install_excepthook() -> None:
    """Log what nobody caught, in any thread, as one event; a traceback without values is added at debug only."""
    sys.excepthook = _log_crash
    threading.excepthook = _log_thread_crash
    sys.unraisablehook = lambda arguments: _log_crash(
        arguments.exc_type, arguments.exc_value or arguments.exc_type(), arguments.exc_traceback
    )


def _log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not structlog.is_configured():
        configure()
    name = "interrupted" if issubclass(kind, KeyboardInterrupt) else "crashed"
    get_logger(__name__).critical(name, exc_info=(kind, error, trace))


def _log_thread_crash(arguments: threading.ExceptHookArgs) -> None:
    if not issubclass(arguments.exc_type, SystemExit):
        error = arguments.exc_value or arguments.exc_type()
        _log_crash(arguments.exc_type, error, arguments.exc_traceback)


def _chain(*, is_console: bool, is_debug: bool) -> list[structlog.typing.Processor]:
    """What happens to every event: the scrubber comes last, so that nothing gets in behind it."""
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_error,
        *([_add_traceback] if is_debug else [_drop_traceback]),
        _scrub_event,
        *(_console() if is_console else [structlog.processors.JSONRenderer()]),
    ]


def _console() -> list[structlog.typing.Processor]:
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    return [_indent_traceback, renderer]


def _hear_libraries(chain: list[structlog.typing.Processor], target: TextIO) -> None:
    """Route the standard library's loggers here; below warning some of them print keys and bound values."""
    handler = logging.StreamHandler(target)
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.contextvars.merge_contextvars, _name_library],
            processors=[remove_meta, *chain],
        )
    )
    logging.raiseExceptions = False  # its own complaint would print the message's arguments
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)


def _name_library(_: object, __: str, event: Event) -> Event:
    event["message"], event["event"] = event["event"], "library_message"
    event["module"] = event["_record"].name
    return event


def _name_error(_: object, __: str, event: Event) -> Event:
    """Say an exception as class and message."""
    error = _raised(event.get("exc_info"))
    if error is not None:
        event.setdefault("error", type(error).__name__)
        event.setdefault("reason", str(error))
    return event


def _add_traceback(_: object, __: str, event: Event) -> Event:
    error = _raised(event.pop("exc_info", None))
    if error is not None:
        text = "".join(traceback.format_exception(error))
        event["traceback"] = text.splitlines()
    return event


def _indent_traceback(_: object, __: str, event: Event) -> Event:
    """Set the lines apart from log lines, which nothing in a message can then imitate."""
    lines = event.pop("traceback", None)
    if lines:
        event["exception"] = "\n".join(f"  | {line}" for line in lines)
    return event


def _drop_traceback(_: object, __: str, event: Event) -> Event:
    for key in ("exc_info", "stack_info"):
        event.pop(key, None)
    return event


def _raised(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return cast("BaseException | None", exc_info[1])
    return sys.exc_info()[1] if exc_info else None


def _scrub_event(_: object, __: str, event: Event) -> Event:
    return {key: _scrubbed(value, key) for key, value in event.items()}


def _scrubbed(value: object, key: str = "") -> object:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if key and _SECRET_KEY.search(key):
        return _MASK
    if isinstance(value, Mapping):
        return {scrub(str(name)): _scrubbed(item, str(name)) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_scrubbed(item) for item in value]
    return scrub(str(value)[: 2 * _LONGEST_VALUE])[:_LONGEST_VALUE]  # so that no secret is cut in half unseen
