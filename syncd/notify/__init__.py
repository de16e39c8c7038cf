"""Tells somebody of trouble: once when it begins, once when it is over, however many processes look.

In comes what the database and the settings know, out go messages without secrets and without people's data.
"""

from syncd.notify.courier import Courier, Message
from syncd.notify.notifier import Notifier, try_out
from syncd.notify.standing import note_brakes, note_findings
from syncd.notify.troubles import Trouble, troubles

__all__ = ["Courier", "Message", "Notifier", "Trouble", "note_brakes", "note_findings", "troubles", "try_out"]
