"""What an engine raises: always a sentence for the person who asked."""


class EngineError(Exception):
    """A write that was refused or failed; str() says what to do."""


class EngineUnavailable(EngineError):  # noqa: N818 (a state more than a mistake)
    """The container engine does not answer."""
