"""What every part of the engine may answer."""


class Refused(Exception):
    """The engine's words for why not (409)."""
