"""The tests of syncd; helpers are imported as `tests.clock`, `tests.postgres`."""
