"""Segments as data: a file of named conditions over profiles in, checked and typed values out.

Pure but for reading that file. Nothing here knows how facts are computed, who is in a segment or how a platform
keeps a tag.
"""

from syncd.segments.definition import Segment
from syncd.segments.facts import FACTS, FUNCTIONS, Fact
from syncd.segments.file import load_segments
from syncd.segments.parse import parse

__all__ = ["FACTS", "FUNCTIONS", "Fact", "Segment", "load_segments", "parse"]
