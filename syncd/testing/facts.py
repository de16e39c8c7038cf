"""Checks of what a connector and its mapping say of themselves, of payloads, and of care with secrets."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping

import pytest

from syncd.errors import AuthFailed, MappingFailed, StopStore, SyncdError, UnsupportedStream
from syncd.mapping.base import Mapper
from syncd.model import Customer, Json, RawRecord, Stream, TagAction, Window
from syncd.testing.base import Checks, Subject, ids_of, opening_of, records_of

_ODD: tuple[Json, ...] = (None, 7, -1.5, True, "", "?", "\x00", [], [7], {}, {"odd": "?"})


class FactChecks(Checks):
    """Facts, payloads, care."""

    # -- facts --------------------------------------------------------------------------------------------------

    def test_platform_is_a_lower_case_word(self, subject: Subject) -> None:
        """The registry's name of the platform is one lower-case word."""
        assert re.fullmatch(r"[a-z]+", subject.connector.platform)

    def test_capabilities_are_constant(self, subject: Subject) -> None:
        """Asking twice gives the same capabilities."""
        assert subject.connector.capabilities == subject.connector.capabilities

    def test_capabilities_are_usable(self, subject: Subject) -> None:
        """Sizes and times in the capabilities are numbers one can work with."""
        capabilities = subject.connector.capabilities

        assert capabilities.largest_push_batch >= 1
        assert capabilities.longest_tag >= 20
        for traits in capabilities.streams.values():
            assert traits.largest_page >= 1
            assert traits.overlap_s >= 0
            assert traits.lag_s >= 0

    def test_capabilities_name_the_streams(self, subject: Subject) -> None:
        """The streams that the capabilities list are those that are tried."""
        assert set(subject.connector.capabilities.streams) == set(self.streams)

    def test_unknown_stream_is_refused(self, subject: Subject) -> None:
        """A stream that the platform does not have is an error in words."""
        for unknown in ("reviews", *(set(Stream) - set(self.streams))):
            with pytest.raises(UnsupportedStream):
                next(iter(subject.connector.pull(unknown, Window())))  # type: ignore[arg-type]

    def test_mapper_is_of_the_same_platform(self, subject: Subject) -> None:
        """Connector and mapping go by the same name."""
        assert subject.mapper.platform == subject.connector.platform

    def test_check_tells_who_the_store_is(self, subject: Subject) -> None:
        """A store that is well has an identity, can be pulled and pushed, and has no findings of error."""
        facts = subject.connector.check()

        assert facts.identity
        assert facts.can_pull == frozenset(subject.connector.capabilities.streams)
        assert facts.can_push
        assert not [finding for finding in facts.findings if finding.level == "error"]

    def test_check_tells_the_same_twice(self, subject: Subject) -> None:
        """The identity is lasting, and checking changes nothing."""
        assert subject.connector.check() == subject.restarted.check()

    # -- payloads -----------------------------------------------------------------------------------------------

    def test_payloads_are_plain_json(self, subject: Subject, stream: Stream) -> None:
        """Raw payloads are objects that JSON can hold."""
        for record in records_of(subject.pull(stream)):
            assert json.loads(json.dumps(record.payload)) == record.payload

    def test_every_record_maps(self, subject: Subject, stream: Stream) -> None:
        """The platform's mapping reads what the connector gives, under the same id."""
        for record in records_of(subject.pull(stream)):
            assert subject.mapper.to_unified(stream, record).external_id == record.external_id

    def test_mapping_changes_nothing(self, subject: Subject, stream: Stream) -> None:
        """Mapping a record twice gives the same and leaves its payload as it was."""
        record = _first(subject, stream)
        before = copy.deepcopy(record.payload)

        first, second = (subject.mapper.to_unified(stream, record) for _ in range(2))

        assert first == second
        assert record.payload == before

    def test_odd_payloads_are_read_or_refused(self, subject: Subject, stream: Stream) -> None:
        """Whatever field is missing or of another kind, a record is read or set aside by its id, never a crash."""
        record = _first(subject, stream)

        for odd in _drifted(record.payload):
            assert isinstance(odd, Mapping)
            assert _reads_or_refuses(subject.mapper, stream, RawRecord(external_id=record.external_id, payload=odd))

    def test_withheld_tags_are_not_empty_ones(self, subject: Subject) -> None:
        """A customer whose tags the platform leaves out maps to unknown tags, so that known ones are kept."""
        account = min(subject.ids[Stream.CUSTOMERS])
        subject.connector.push([subject.change(account, "VIP")])
        record = records_of(subject.pull(Stream.CUSTOMERS, Window(ids=(account,))))[0]

        for name in record.payload:
            kept = {key: value for key, value in record.payload.items() if key != name}
            tags = _tags(subject.mapper, RawRecord(external_id=account, payload=kept))
            assert tags is None or "VIP" in tags, f"without {name}, tags that are unknown map to none at all"

    def test_changes_are_plain_json(self, subject: Subject) -> None:
        """A tag change in the platform's words can be kept, and names its account and action."""
        for action in TagAction:
            change = subject.change("1", "VIP", action)

            assert (change.external_id, change.action) == ("1", action)
            assert json.loads(json.dumps(change.body)) == change.body

    # -- care ---------------------------------------------------------------------------------------------------

    def test_a_refused_key_is_told_as_such(self, subject: Subject) -> None:
        """A key that the platform refuses stops the store, in words that say so."""
        subject.hand.break_next()

        with pytest.raises(AuthFailed):
            subject.connector.check()

    def test_secrets_are_not_shown(self, subject: Subject) -> None:
        """Neither the connector's own text nor an error's shows a secret."""
        subject.hand.break_next()

        with pytest.raises(SyncdError) as caught:
            subject.connector.check()

        shown = repr(subject.connector) + str(caught.value) + repr(caught.value) + str(vars(caught.value))
        assert not [secret for secret in subject.secrets if secret in shown]

    def test_secrets_are_not_handed_on(self, subject: Subject) -> None:
        """What is stored of a store and its records holds no secret."""
        walks = [list(subject.pull(stream)) for stream in self.streams]

        given = repr((subject.connector.check(), subject.connector.capabilities, walks))

        assert not [secret for secret in subject.secrets if secret in given]

    def test_errors_hide_what_caused_them(self, subject: Subject, stream: Stream) -> None:
        """No vendor exception, which may carry addresses with keys, travels along with an error."""
        subject.hand.break_next()

        with pytest.raises(StopStore) as caught:
            next(subject.pull(stream))

        assert caught.value.__cause__ is None
        assert not [secret for secret in subject.secrets if secret in str(caught.value)]

    def test_close_is_safe_twice(self, subject: Subject) -> None:
        """Closing a closed connector does nothing, whether it was used or not."""
        ids_of(subject.pull(self.streams[0]))

        for connector in (subject.connector, subject.restarted):
            connector.close()
            connector.close()


def _first(subject: Subject, stream: Stream) -> RawRecord:
    return opening_of(subject.pull(stream))[-1].records[0]


def _reads_or_refuses(mapper: Mapper, stream: Stream, record: RawRecord) -> bool:
    try:
        mapper.to_unified(stream, record)
    except MappingFailed as error:
        return error.external_id == record.external_id and bool(error.message)
    return True


def _tags(mapper: Mapper, record: RawRecord) -> tuple[str, ...] | None:
    try:
        unified = mapper.to_unified(Stream.CUSTOMERS, record)
    except MappingFailed:
        return None
    assert isinstance(unified, Customer)
    return unified.tags


def _drifted(value: Json) -> Iterator[Json]:
    """A payload with one field missing or of another kind, once for each field at every depth."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield {key: kept for key, kept in value.items() if key != name}
            yield from ({**value, name: odd} for odd in (*_ODD, *_drifted(inner)))
    elif isinstance(value, list) and value:
        yield from ([odd, *value[1:]] for odd in (*_ODD, *_drifted(value[0])))
