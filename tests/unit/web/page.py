"""Reads a page of metrics as Prometheus does."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families


class Page:
    """The samples of a page by name and labels."""

    def __init__(self, text: bytes) -> None:
        self.families = {family.name: family for family in text_string_to_metric_families(text.decode())}
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        """One sample; None where there is none."""
        return self.samples.get((name, frozenset(labels.items())))

    def of(self, name: str, by: str) -> dict[str, float]:
        """A metric's values above zero by one of its labels."""
        return {dict(labels)[by]: value for (found, labels), value in self.samples.items() if found == name and value}

    def labels(self) -> set[str]:
        """Every name of a label of ours."""
        return {label for (name, labels) in self.samples if name.startswith("syncd_") for label, _ in labels}
