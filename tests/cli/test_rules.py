"""What rules do: printed whole, and previewed against what is stored."""

from pathlib import Path

import yaml

from tests.cli.conftest import Parity, write_shop


def ruled(shop: Path, *rules: str) -> int:
    """Add rules to parity.yml, and return the line of the first."""
    text = (shop / "parity.yml").read_text()
    (shop / "parity.yml").write_text(text + "rules:\n" + "".join(f"  - {rule}\n" for rule in rules))
    return len(text.splitlines()) + 2


def test_check_says_how_many_open_drifts_each_rule_hides(parity: Parity, shop: Path) -> None:
    # The last rule makes one of the three that are high low, wherever the first is left out.
    first = ruled(
        shop,
        "{match: {section: [config, dependencies]}, ignore: true}",
        "{match: {item: 'pkg:npm/*'}, ignore: true}",
        "{match: {item: LOG_LEVEL}, note: it may differ}",
        "{match: {item: WEBHOOK_URL}, severity: low}",
    )
    before = (shop / "parity.db").read_bytes()
    answer = parity("check")
    assert answer.code == 0
    assert answer.out.splitlines()[1:] == [
        f"  parity.yml:{first} hides 4 open drifts, 2 of them high",
        f"  parity.yml:{first + 1} matches nothing that differs now",
        f"  parity.yml:{first + 2} matches nothing that differs now",
        f"  parity.yml:{first + 3} hides nothing now",
    ]
    assert (shop / "parity.db").read_bytes() == before


def test_check_without_a_store_says_that_it_cannot_tell(parity: Parity, folder: Path) -> None:
    write_shop(folder)
    ruled(folder, "{match: {item: WEBHOOK_URL}, ignore: true}")
    answer = parity("check")
    assert (answer.code, answer.why) == (0, "check: the configuration is right")
    assert "note: what the rules hide cannot be told" in answer.err
    assert not (folder / "parity.db").exists()


def test_all_rules_print_as_the_file_takes_them(parity: Parity, shop: Path) -> None:
    first = ruled(shop, "{match: {item: WEBHOOK_URL}, severity: low}")
    answer = parity("config", "show", "--rules")
    assert answer.code == 0
    assert answer.out.startswith("rules:\n  # default/rest\n")
    assert f"  # parity.yml:{first}\n" in answer.out
    rules = yaml.safe_load(answer.out)["rules"]
    assert rules[-1] == {"match": {"item": "WEBHOOK_URL"}, "severity": "low"}
