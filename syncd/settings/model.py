"""The configuration as one frozen model; every connector brings its own store's part."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    PlainValidator,
    SecretStr,
    SerializeAsAny,
    ValidationError,
    field_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from syncd.connectors import REGISTRY
from syncd.connectors.config import Duration, Frozen, StoreConfig
from syncd.errors import ConfigInvalid
from syncd.model import OrderState
from syncd.settings.dsn import checked, masked, passwords
from syncd.settings.notify import NotifyConfig, keys_in
from syncd.settings.places import ENV_PREFIX, listed, suggest
from syncd.settings.shape import store_model

if TYPE_CHECKING:
    from syncd.store.types import RevenuePolicy

_SHORTEST_PASS = 8  # a header shorter than this is a word such as "true", not a pass


def _currency(code: str) -> str:
    if not re.fullmatch("[A-Za-z]{3}", code):
        raise ValueError('must be an ISO 4217 currency code such as "EUR"')
    return code.upper()


def _store_id(text: str) -> str:
    if not re.fullmatch("[a-z0-9][a-z0-9-]{0,40}", text):
        raise ValueError('is no store id; use small letters, digits and "-", such as "us-woo"')
    return text


def _known_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        nearest = suggest(name, zoneinfo.available_timezones())
        raise ValueError(f'is not a time zone; write one such as "Europe/Berlin"{nearest}') from None
    return name


def _by_platform(value: object) -> StoreConfig:
    if not isinstance(value, Mapping):
        raise ValueError('must hold "key: value" lines')
    model = store_model(value)
    if model is None:
        raise ValidationError.from_exception_data("store", [_unknown_platform(value.get("platform"))])
    return model.model_validate(value)


def _unknown_platform(given: object) -> InitErrorDetails:
    known = f"known are {listed(REGISTRY)}{suggest(str(given), REGISTRY)}"
    message = "is required" if given is None else "is not a platform"
    fault = PydanticCustomError("unknown_platform", "{text}", {"text": f"{message}; {known}"})
    return InitErrorDetails(type=fault, loc=("platform",), input=None)


Currency = Annotated[str, AfterValidator(_currency)]
StoreId = Annotated[str, AfterValidator(_store_id)]
AnyStore = Annotated[SerializeAsAny[StoreConfig], PlainValidator(_by_platform)]


class DatabaseConfig(Frozen):
    """Where the profile database is; the URL's password is in nothing that is printed."""

    url: Annotated[str, AfterValidator(checked)] = Field(default="sqlite:///data/syncd.db", repr=False)

    @field_serializer("url")
    def _masked(self, url: str) -> str:
        return masked(url)


class IdentityConfig(Frozen):
    """What the resolver is told beforehand; what many people share it learns by itself.

    Args:
        block: What is evidence of nothing (the shop's own mailbox): e-mail addresses, phones as +49..., `@domain`.
        max_names_per_identifier: Different names that one address or number may carry before it counts as shared.
    """

    block: tuple[str, ...] = ()
    max_names_per_identifier: int = Field(default=6, ge=1)


class RevenueConfig(Frozen):
    """Which orders count as revenue; refunds are always taken off.

    Args:
        excluded_states: States of orders that do not count.
    """

    excluded_states: frozenset[OrderState] = frozenset({OrderState.PENDING, OrderState.CANCELLED, OrderState.FAILED})
    include_tax: bool = True
    include_shipping: bool = True


class PushDefaults(Frozen):
    """What holds for pushes to every store.

    Args:
        max_staleness: Age of a store's data past which changes that rest on absence or on passing time are held.
    """

    max_staleness: Duration = timedelta(hours=24)


class HousekeepingConfig(Frozen):
    """What is kept how long, and how much room there must be.

    Args:
        keep_runs: Age past which runs leave the history; the last one of each stream always stays.
        min_free_mb: Free space beside the database below which somebody is told.
    """

    keep_runs: Duration = timedelta(days=90)
    min_free_mb: int = Field(default=1024, ge=0)


class LogConfig(Frozen):
    """How much is logged to standard error, and in which form; auto is console on a terminal and JSON elsewhere."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class Settings(BaseSettings):
    """One merchant's configuration, checked.

    Made by `load`, which reads the file and the environment; a Settings made by hand reads neither.

    Args:
        merchant: Stamped into the database; another merchant's database is refused.
        currency: The merchant's own, ISO 4217; "" where orders are never converted.
        timezone: For reports; inside everything is UTC.
        segments: File that holds the segments.
        rates: Units of the merchant's currency for one unit of another.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=False,
    )

    version: Literal[1] = 1
    merchant: str = Field(min_length=1, max_length=64)
    currency: Currency = ""
    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    database: DatabaseConfig = DatabaseConfig()
    stores: dict[StoreId, AnyStore] = Field(min_length=1)
    segments: Path = Path("segments.yaml")
    identity: IdentityConfig = IdentityConfig()
    revenue: RevenueConfig = RevenueConfig()
    rates: dict[Currency, Annotated[Decimal, Field(gt=0)]] = {}
    push: PushDefaults = PushDefaults()
    notify: NotifyConfig = NotifyConfig()
    housekeeping: HousekeepingConfig = HousekeepingConfig()
    log: LogConfig = LogConfig()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is handed in; `load` has merged the sources, because faults must name where a value came from."""
        return (init_settings,)

    @model_validator(mode="after")
    def _rates_have_a_target(self) -> Settings:
        if self.rates and not self.currency:
            raise ValueError('rates convert to the merchant\'s currency; set "currency" too')
        return self

    def store(self, store_id: str) -> StoreConfig:
        """One store's settings.

        Raises:
            ConfigInvalid: No store has this id.
        """
        if store_id not in self.stores:
            known = listed(self.stores)
            raise ConfigInvalid(f'no store has the id "{store_id}"; there are {known}{suggest(store_id, self.stores)}')
        return self.stores[store_id]

    def policy(self) -> RevenuePolicy:
        """Which orders count as revenue, as the database is told."""
        from syncd.store.types import RevenuePolicy

        return RevenuePolicy(
            excluded_states=self.revenue.excluded_states,
            include_tax=self.revenue.include_tax,
            include_shipping=self.revenue.include_shipping,
            currency=self.currency,
            rates=self.rates or None,
        )

    def describe(self) -> dict[str, object]:
        """Every setting in force, as plain JSON values with secrets masked."""
        return {name: _plain(value) for name, value in self.model_dump().items()}

    def secrets(self) -> Iterator[str]:
        """Every secret text, for the log's scrubber."""
        yield from _secret_texts(self)
        yield from passwords(self.database.url)
        yield from (key for url in _secret_texts(self.notify) for key in keys_in(url))
        headers = (value for store in self.stores.values() for value in store.http.headers.values())
        yield from (value for value in headers if len(value) >= _SHORTEST_PASS)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(str(item) for item in value)
    if isinstance(value, timedelta):
        return _span(value)
    return value if isinstance(value, (bool, int, float, type(None))) else str(value)


def _span(value: timedelta) -> str:
    """The span as it would be configured, in the largest unit that is exact."""
    seconds = int(value.total_seconds())
    size, unit = next(
        (size, unit) for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")) if not seconds % size
    )
    return f"{seconds // size}{unit}"


def _secret_texts(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for _, item in value:
            yield from _secret_texts(item)
    elif isinstance(value, (Mapping, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _secret_texts(item)
