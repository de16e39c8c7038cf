"""The contract alone finds the faults that connectors have: each seeded one breaks a check that holds without it."""

from __future__ import annotations

import inspect

import pytest

from syncd.testing import ConnectorContract, Subject
from tests.contracts import faulty
from tests.contracts.filled import memory_subject
from tests.contracts.memory import MemoryConnector, MemoryMapper

CONNECTORS = {
    faulty.DropsLastPage: "walk_is_complete_and_gives_each_id_once",
    faulty.LoopsToken: "walk_is_complete_and_gives_each_id_once",
    faulty.GivesNaiveTime: "times_are_aware_utc",
    faulty.TellsOwnTime: "server_time_is_the_shops",
    faulty.SwallowsThrottling: "throttling_is_told_and_the_cursor_stays_good",
    faulty.TakesRefusalForTheEnd: "a_refusal_between_two_pages_is_told",
    faulty.CursorRepeatsARecord: "every_cursor_resumes_behind_its_page",
    faulty.CursorSkipsARecord: "every_cursor_resumes_behind_its_page",
    faulty.ForgetsCursors: "every_cursor_resumes_behind_its_page",
    faulty.PagesByOffset: "removal_between_two_pages_skips_nothing",
    faulty.LosesTies: "changes_of_one_second_are_all_found",
    faulty.PullsAtOnce: "pull_is_lazy",
    faulty.SharesOneWalk: "walks_side_by_side_do_not_mix",
    faulty.CountsThePage: "declared_total_is_the_truth",
    faulty.GivesNoEmptyPage: "empty_stream_gives_one_empty_page",
    faulty.IgnoresSince: "since_finds_what_changed_at_that_second",
    faulty.AsksBehindSince: "since_finds_what_changed_at_that_second",
    faulty.HonoursUntilTooEarly: "until_hides_nothing_older",
    faulty.IgnoresIds: "ids_window_gives_exactly_these",
    faulty.AsksForFewerIds: "ids_window_of_everything_gives_each_once",
    faulty.ReordersResults: "each_change_has_its_own_result_in_order",
    faulty.RepeatsResults: "a_full_batch_is_taken",
    faulty.LosesAResult: "a_full_batch_is_taken",
    faulty.ReplacesTags: "other_tags_survive",
    faulty.IgnoresRemovals: "removed_tag_is_gone",
    faulty.SaysDoneOfTheGone: "each_change_has_its_own_result_in_order",
    faulty.WritesMoreThanTags: "push_leaves_the_rest_of_the_account_alone",
    faulty.CutsTags: "the_longest_tag_is_taken",
    faulty.TakesWhatFitsOfABatch: "a_larger_batch_is_refused_whole",
    faulty.SaysDoneWhenThrottled: "a_throttled_push_is_to_be_repeated",
    faulty.LeaksInErrors: "secrets_are_not_shown",
    faulty.LeaksInItsText: "secrets_are_not_shown",
    faulty.LeaksInPayloads: "secrets_are_not_handed_on",
    faulty.CarriesItsCause: "errors_hide_what_caused_them",
    faulty.ClosesOnce: "close_is_safe_twice",
    faulty.NamesItselfAnew: "check_tells_the_same_twice",
}
MAPPERS = {
    faulty.CrashesOnOddPayloads: "odd_payloads_are_read_or_refused",
    faulty.TakesWithheldForEmpty: "withheld_tags_are_not_empty_ones",
}


def _check(name: str, connector: type[MemoryConnector], mapper: type[MemoryMapper]) -> None:
    """Run one check of the contract, for every stream where it asks for one, each on a fresh subject."""
    check = getattr(ConnectorContract(), f"test_{name}")
    wants_stream = "stream" in inspect.signature(check).parameters
    for arguments in [{"stream": stream} for stream in ConnectorContract.streams] if wants_stream else [{}]:
        subject: Subject = memory_subject(connector, mapper, secrets=(faulty.KEY,))
        check(subject=subject, **arguments)


@pytest.mark.parametrize(("connector", "name"), CONNECTORS.items(), ids=lambda part: getattr(part, "__name__", ""))
def test_a_faulty_connector_is_caught(connector: type[MemoryConnector], name: str) -> None:
    """The check fails on the connector with the fault, and holds on the one without."""
    _check(name, MemoryConnector, MemoryMapper)

    with pytest.raises((Exception, pytest.fail.Exception)):
        _check(name, connector, MemoryMapper)


@pytest.mark.parametrize(("mapper", "name"), MAPPERS.items(), ids=lambda part: getattr(part, "__name__", ""))
def test_a_faulty_mapping_is_caught(mapper: type[MemoryMapper], name: str) -> None:
    """The check fails on the mapping with the fault, and holds on the one without."""
    _check(name, MemoryConnector, MemoryMapper)

    with pytest.raises((Exception, pytest.fail.Exception)):
        _check(name, MemoryConnector, mapper)
