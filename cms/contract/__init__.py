"""What the daemon promises its clients: requests, views, events and refusals, by noun.

Everything here is a frozen dataclass of the standard library. Keys, enumerations and meanings are the
product's API: they change only with a note in the changelog.
"""
