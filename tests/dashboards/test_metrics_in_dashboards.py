"""Every metric and label in a dashboard or a rule is one that Parity tells."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BOARD: dict[str, Any] = json.loads((ROOT / "dashboards/grafana/parity.json").read_text())
RULES: dict[str, Any] = yaml.safe_load((ROOT / "dashboards/prometheus/parity.rules.yml").read_text())


def told() -> dict[str, set[str]]:
    """Metric -> its labels, from the page that other tests hold to the product."""
    rows = re.findall(
        r"^\| `(parity_\w+)` \| (?:`([\w ]+)`)? ?\|", (ROOT / "docs/api.md").read_text(), re.MULTILINE
    )
    return {name: set(labels.split()) for name, labels in rows}


def expressions() -> Iterator[str]:
    for panel in BOARD["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (
        variable["query"]["query"] for variable in BOARD["templating"]["list"] if variable["type"] == "query"
    )
    for group in RULES["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_every_metric_and_label_exists(expression: str) -> None:
    known = told()
    assert len(known) > 10
    names = re.findall(r"\bparity_\w+", expression)
    assert names
    labels = {"le"} if "_bucket" in expression else set()
    for name in names:
        plain = re.sub(r"_(bucket|sum|count)$", "", name)
        assert plain in known, name
        labels |= known[plain]
    used = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expression))
    for some in re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", expression):
        used |= {label.strip() for label in some.split(",")}
    assert used <= labels


def test_legends_and_sentences_name_labels_that_the_expression_has() -> None:
    known = told()
    every = set().union(*known.values())
    for panel in BOARD["panels"]:
        for target in panel["targets"]:
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= every
    for group in RULES["groups"]:
        for rule in group["rules"]:
            (name, *_) = re.findall(r"\bparity_\w+", rule["expr"])
            for text in rule["annotations"].values():
                assert set(re.findall(r"\$labels\.(\w+)", text)) <= known[name]


def test_every_metric_that_people_watch_is_on_the_board() -> None:
    shown = set(re.findall(r"\bparity_\w+", " ".join(expressions())))
    shown = {re.sub(r"_bucket$", "", name) for name in shown}
    assert set(told()) - shown == {"parity_build_info"}


def test_panels_do_not_lie_on_each_other_and_each_says_what_it_is() -> None:
    places = set()
    for panel in BOARD["panels"]:
        assert panel["title"]
        assert panel["description"].endswith(".")
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in places
                places.add((x, y))
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(ids)) == len(ids)
