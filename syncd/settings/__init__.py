"""The configuration: one YAML file, overridden by the environment, checked as a whole before anything else runs.

In come a file and variables, out comes one frozen `Settings`. Nothing is known here of any platform: a store's
part of the model comes from its connector.
"""

from __future__ import annotations

from syncd.settings.folder import load_folder
from syncd.settings.loading import example_config, find, load
from syncd.settings.model import Settings

__all__ = ["Settings", "example_config", "find", "load", "load_folder"]
