"""Which environments are compared with which: as written, or by the promotion order."""

from collections.abc import Sequence
from itertools import combinations, pairwise, product

from detector.config.draft import Draft
from detector.config.models import ComparisonEntry, Environment
from detector.config.records import Comparison
from detector.engine.policy import stages_of
from detector.errors import did_you_mean


def read_environments(draft: Draft) -> tuple[Environment, ...]:
    """Return the environments in promotion order; notes doubles, and groups that hold one alone."""
    found = draft.all(Environment, "environments")
    draft.refuse_doubles([piece.at("name") for piece in draft.root.at("environments").each()], "of one name")
    environments = tuple(environment for _, environment in found)
    groups = draft.root.at("groups").node.value
    defined = tuple(groups) if isinstance(groups, dict) else ()
    members = [environment.group for environment in environments]
    for piece, environment in found:
        # Two that say the same word agree on it; one alone may have mistyped it.
        if environment.group is not None and members.count(environment.group) == 1:
            draft.require(piece.at("group"), environment.group, defined, "group")
    for name in defined:
        if name not in members and not name.startswith("x-"):
            named = did_you_mean(name, sorted({group for group in members if group is not None}))
            remedy = f"give its members `group: {name}` under environments, or remove it"
            draft.problems.warn(("groups", name), f"no environment is in this group{named}: {remedy}")
    return environments


def read_comparisons(draft: Draft, environments: Sequence[Environment]) -> tuple[Comparison, ...]:
    """Return the comparisons of the file, or without any the ones that the promotion order gives."""
    if draft.root.at("comparisons").node.value is None:
        return default_comparisons(environments)
    order = draft.names("environments")
    groups = {environment.name: environment.group for environment in environments}
    found: dict[tuple[str, str], Comparison] = {}
    for piece, entry in draft.all(ComparisonEntry, "comparisons"):
        sides = [(piece.at("left"), entry.left), (piece.at("right"), entry.right)]
        if not all([draft.require(side, name, order, "environment") for side, name in sides]):  # noqa: C419 - both
            continue
        pair = (entry.left, entry.right)
        if entry.left == entry.right:
            message = "left and right are one environment"
        elif order.index(entry.left) > order.index(entry.right):
            message = "left comes after right in the promotion order: swap them"
        elif pair in found:
            message = "this comparison stands here already"
        else:
            group = groups.get(entry.left)
            peer = group is not None and group == groups.get(entry.right)
            found[pair] = Comparison(
                left=entry.left, right=entry.right, peer=peer, gate=entry.gate, alert=entry.alert
            )
            continue
        draft.problems.add(piece.path, "config-semantics", message)
    return tuple(found.values())


def default_comparisons(environments: Sequence[Environment]) -> tuple[Comparison, ...]:
    """Return each stage of the promotion order against the next, then the members of each group as peers."""
    stages = stages_of(environments)
    steps = [
        Comparison(left=left, right=right)
        for here, following in pairwise(stages)
        for left, right in product(here, following)
    ]
    peers = [
        Comparison(left=left, right=right, peer=True)
        for members in stages
        for left, right in combinations(members, 2)
    ]
    return (*steps, *peers)
