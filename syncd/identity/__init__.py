"""Who is who: from unified records to contacts, and from contacts to people.

In come records and closed cases, out come contacts, judgements and groups. Pure: no platform, no database, no clock.
"""

from syncd.identity.contact import contact_of, identifiers_of
from syncd.identity.resolver import FirstResolver

__all__ = ["FirstResolver", "contact_of", "identifiers_of"]
