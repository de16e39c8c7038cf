"""How good and how fast the resolver is on a CSV of records, without a database.

    python bench/identity_dev.py RECORDS.csv PREDICTION.csv

RECORDS has the columns store, record_id, email, phone, first_name, last_name, address1, address2, postcode and
country; PREDICTION gets record_id, profile_id, one profile per person found.
"""

from __future__ import annotations

import csv
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from syncd.identity import FirstResolver, contact_of
from syncd.model import Address, Contact, ContactKey, Customer, Identifier, IdentityCase, Order, Resolution

COUNTRIES = {
    "United States": "US", "United Kingdom": "GB", "Germany": "DE", "France": "FR", "Canada": "CA",
    "Australia": "AU", "Spain": "ES", "Italy": "IT", "Poland": "PL", "Sweden": "SE",
}  # fmt: skip


def contacts(path: Path) -> Iterator[tuple[str, Contact]]:
    """Every record's id and the contact it makes."""
    with path.open(newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            contact = contact_of(row["store"], record(row), "US")
            assert contact is not None
            yield row["record_id"], contact


def record(row: dict[str, str]) -> Customer | Order:
    """The unified record that a row stands for."""
    made = Customer if "customer" in row["record_id"].lower() else Order
    return made(
        external_id=row["record_id"],
        email=row["email"],
        phone=row["phone"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        addresses=(home(row),),
    )


def home(row: dict[str, str]) -> Address:
    """The address of a row."""
    return Address(
        kind="billing",
        line1=row["address1"],
        line2=row["address2"],
        postcode=row["postcode"],
        country=COUNTRIES.get(row["country"], row["country"]),
    )


def resolve(found: Iterable[Contact], resolver: FirstResolver) -> list[Resolution]:
    """Judge everything, one closed case per connected component."""
    return [resolver.judge(IdentityCase(contacts=case)) for case in components(list(found))]


def components(found: list[Contact]) -> Iterator[tuple[Contact, ...]]:
    """The contacts parted by connection over any identifier."""
    holders: dict[Identifier, list[Contact]] = defaultdict(list)
    for contact in found:
        for identifier in contact.identifiers:
            holders[identifier].append(contact)
    seen: set[ContactKey] = set()
    for contact in found:
        if contact.key not in seen:
            yield tuple(component(contact, holders, seen))


def component(start: Contact, holders: dict[Identifier, list[Contact]], seen: set[ContactKey]) -> Iterator[Contact]:
    """Everything connected to one contact."""
    seen.add(start.key)
    todo = [start]
    while todo:
        contact = todo.pop()
        yield contact
        near = [other for item in contact.identifiers for other in holders[item] if other.key not in seen]
        fresh = {other.key: other for other in near}
        seen.update(fresh)
        todo += fresh.values()


def main(source: str, target: str) -> None:
    """Resolve a file and say how long it took."""
    started = time.perf_counter()
    records = list(contacts(Path(source)))
    normalised = time.perf_counter()
    resolutions = resolve((contact for _, contact in records), FirstResolver())
    done = time.perf_counter()
    profile = {key: str(group[0]) for answer in resolutions for group in answer.groups for key in group}
    with Path(target).open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["record_id", "profile_id"])
        writer.writerows([record_id, profile[contact.key]] for record_id, contact in records)
    unsure = sum(item.verdict == "unsure" for answer in resolutions for item in answer.judgements)
    print(f"{len(records)} records, {len(set(profile.values()))} people, {unsure} questions")
    print(f"contacts {normalised - started:.2f} s, judging {done - normalised:.2f} s")


if __name__ == "__main__":
    main(*sys.argv[1:3])
