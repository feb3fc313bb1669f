"""What pushes are answered."""

from detector.api.schemas import Answer


class Recorded(Answer):
    """What became of an observation."""

    changed: bool
    late: bool
    held: bool
    replayed: bool
    snapshot: int
    digest: str
    warnings: list[str]


class Heartbeats(Answer):
    """What became of digests, by their positions in the list that was sent."""

    #: How many streams are as their digests say.
    unchanged: int
    #: Unknown here, with another digest, or held back: send the observation.
    send: list[int]
    #: The token may not push there; nothing is told of them.
    forbidden: list[int]
