"""What is right about versions: what each ecosystem itself uses, asked for many pairs at once.

`python -m tests.model.versions.oracles` prints the table: ecosystem, oracle, pairs tried, disagreements.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version as version_of
from itertools import combinations
from pathlib import Path

from packaging.version import Version

from detector.model.versions import step
from tests.model.versions import by_the_rules
from tests.model.versions.pairs import Pair, kinds_of, made_up
from tests.model.versions.real import REAL
from tests.servers.process import ServerMissing, required

#: -1, 0 or 1 as `compare` of most languages has it; None where a side is no version.
Answer = int | None
_MAVEN = "/usr/share/java/maven-artifact-3.x.jar:/usr/share/java/commons-lang3.jar"
_MOST_ARGUMENTS = 2_000
_NODE_MODULES = Path("/usr/share/nodejs")

_ASK_DPKG = """
while read -r left right; do
  if dpkg --compare-versions "$left" lt "$right"; then echo -1
  elif dpkg --compare-versions "$left" gt "$right"; then echo 1
  else echo 0; fi
done
"""
_ASK_RPM = "for line in io.lines() do l, r = line:match('(%S+) (%S+)'); print(rpm.vercmp(l, r) .. ' ') end"
_ASK_SEMVER = """
const semver = require(process.argv[1])
const pairs = JSON.parse(require('fs').readFileSync(0, 'utf8'))
const clean = pairs.map(pair => pair.map(text => semver.clean(text)))
console.log(JSON.stringify(clean.map(([a, b]) => a && b ? semver.compare(a, b) : null)))
"""
_ASK_RUBY = """
require 'json'
pairs = JSON.parse(STDIN.read)
correct = lambda { |text| Gem::Version.correct?(text) }
puts JSON.generate(pairs.map { |pair|
  pair.all?(&correct) ? Gem::Version.new(pair[0]) <=> Gem::Version.new(pair[1]) : nil
})
"""
_ASK_COMPOSER = """
require 'Composer/Semver/autoload.php';
use Composer\\Semver\\Comparator;
$parser = new Composer\\Semver\\VersionParser();
$answers = [];
foreach (json_decode(stream_get_contents(STDIN)) as [$left, $right]) {
    try {
        [$left, $right] = [$parser->normalize($left), $parser->normalize($right)];
        $answers[] = Comparator::greaterThan($left, $right) - Comparator::lessThan($left, $right);
    } catch (UnexpectedValueException $refused) {
        $answers[] = null;
    }
}
echo json_encode($answers);
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Oracle:
    """What an ecosystem takes its order from. `compare` and `version` raise ServerMissing."""

    name: str
    version: Callable[[], str]
    compare: Callable[[Sequence[Pair]], list[Answer]]
    #: The suite asks for so many made-up pairs of each kind; a proof for many times as many.
    pairs: int = 4_000

    def __str__(self) -> str:
        """Return name and version. Raises ServerMissing."""
        return f"{self.name} {self.version()}".strip()


def _said(command: Sequence[str], told: str = "") -> str:
    environment = {**os.environ, "NODE_PATH": str(_NODE_MODULES)}
    done = subprocess.run(command, input=told, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def _lines(pairs: Sequence[Pair]) -> str:
    return "".join(f"{left} {right}\n" for left, right in pairs)


def _node() -> tuple[str, Path]:
    """Return node and the folder of npm's own semver; of Debian's package of it where npm is not there."""
    node = required("node", "node", "apt-get install nodejs node-semver")
    npm = Path(shutil.which("npm") or "/").resolve()
    places = [folder / "node_modules" / "semver" for folder in npm.parents] + [_NODE_MODULES / "semver"]
    return node, next(filter(Path.is_dir, places))


def _ask_packaging(pairs: Sequence[Pair]) -> list[Answer]:
    read = [(Version(left), Version(right)) for left, right in pairs]
    return [(left > right) - (left < right) for left, right in read]


def _ask_node(pairs: Sequence[Pair]) -> list[Answer]:
    node, semver = _node()
    answers: list[Answer] = json.loads(_said([node, "-e", _ASK_SEMVER, str(semver)], json.dumps(pairs)))
    return answers


def _ask_dpkg(pairs: Sequence[Pair]) -> list[Answer]:
    return [*map(int, _said([required("sh", "sh", ""), "-c", _ASK_DPKG], _lines(pairs)).split())]


def _ask_rpm(pairs: Sequence[Pair]) -> list[Answer]:
    rpm = required("rpm", "rpm", "apt-get install rpm")
    return [*map(int, _said([rpm, "--eval", f"%{{lua: {_ASK_RPM}}}"], _lines(pairs)).split())]


def _ask_ruby(pairs: Sequence[Pair]) -> list[Answer]:
    ruby = required("ruby", "Ruby", "apt-get install ruby")
    answers: list[Answer] = json.loads(_said([ruby, "-e", _ASK_RUBY], json.dumps(pairs)))
    return answers


def _ask_maven(pairs: Sequence[Pair]) -> list[Answer]:
    """ComparableVersion compares each of its arguments with the one before it."""
    java = required("java", "Java", "apt-get install default-jre-headless libmaven3-core-java")
    command = [java, "-XX:TieredStopAtLevel=1", "-cp", _MAVEN]
    command.append("org.apache.maven.artifact.versioning.ComparableVersion")
    texts = [text for pair in pairs for text in pair]
    signs: list[str] = []
    for begin in range(0, len(texts), _MOST_ARGUMENTS):
        said = _said([*command, *texts[begin : begin + _MOST_ARGUMENTS]])
        signs += re.findall(r"^ +\S+ ([<=>]+) \S+$", said, re.MULTILINE)[::2]
    return [{"<": -1, "==": 0, ">": 1}[sign] for sign in signs]


def _ask_composer(pairs: Sequence[Pair]) -> list[Answer]:
    php = required("php", "PHP", "apt-get install php-cli php-composer-semver")
    answers: list[Answer] = json.loads(_said([php, "-r", _ASK_COMPOSER], json.dumps(pairs)))
    return answers


def _debian(package: str) -> Callable[[], str]:
    def version() -> str:
        show = ["dpkg-query", "--show", "--showformat", "${Version}", package]
        return _said(show).partition("-")[0]

    return version


def _node_version() -> str:
    return str(json.loads((_node()[1] / "package.json").read_text())["version"])


NODE = Oracle(name="node-semver", version=_node_version, compare=_ask_node)
RULES = "the specification's rules, written out"
ORACLES = {
    "pypi": Oracle(name="packaging", version=lambda: version_of("packaging"), compare=_ask_packaging),
    "npm": NODE,
    "cargo": NODE,
    "golang": Oracle(
        name=NODE.name,
        version=NODE.version,
        compare=lambda pairs: NODE.compare(by_the_rules.without_v(pairs)),
    ),
    "deb": Oracle(name="dpkg", version=_debian("dpkg"), compare=_ask_dpkg, pairs=500),
    "rpm": Oracle(name="rpm", version=_debian("rpm"), compare=_ask_rpm),
    "apk": Oracle(name=f"apk: {RULES}", version=lambda: "", compare=by_the_rules.apk),
    "gem": Oracle(
        name="Gem::Version",
        version=lambda: _said([required("ruby", "Ruby", "apt-get install ruby"), "-e", "print Gem::VERSION"]),
        compare=_ask_ruby,
    ),
    "maven": Oracle(
        name="ComparableVersion", version=_debian("libmaven3-core-java"), compare=_ask_maven, pairs=2_000
    ),
    "composer": Oracle(name="composer/semver", version=_debian("php-composer-semver"), compare=_ask_composer),
    "nuget": Oracle(name=f"NuGet: {RULES}", version=lambda: "", compare=by_the_rules.nuget),
}

_SIGNS = {"left_ahead": 1, "right_ahead": -1, "unordered": 0}
#: How many times the pairs of the suite a proof tries.
PROOF = 25


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """What an oracle was asked, and where it says something else: the pair, its answer, ours."""

    pairs: int
    disagreements: list[tuple[Pair, Answer, Answer]]


def ours(scheme: str, pairs: Sequence[Pair]) -> list[Answer]:
    """Return what the comparator of an ecosystem answers."""
    steps = [step(scheme, left, right) for left, right in pairs]
    return [0 if one is None else None if one.distance is None else _SIGNS[one.direction] for one in steps]


def tried(scheme: str, *, times: int = 1) -> Tried:
    """Ask an ecosystem's oracle about its real versions and about made-up ones. Raises ServerMissing."""
    oracle = ORACLES[scheme]
    pairs = [pair for versions in REAL[scheme] for pair in combinations(versions, 2)]
    for kind in kinds_of(scheme):
        pairs += made_up(kind, times * oracle.pairs)
    # Of two equal texts there is nothing to read, whatever they are.
    pairs = [(left, right) for left, right in pairs if left != right]
    answers = zip(pairs, oracle.compare(pairs), ours(scheme, pairs), strict=True)
    return Tried(pairs=len(pairs), disagreements=[one for one in answers if one[1] != one[2]])


def main() -> int:
    """Print the table. Returns 1 where there is a disagreement."""
    print("| ecosystem | oracle | pairs tried | disagreements |\n| --- | --- | ---: | ---: |")
    found = 0
    for scheme, oracle in ORACLES.items():
        try:
            result, name = tried(scheme, times=PROOF), str(oracle)
        except ServerMissing as missing:
            print(f"| {scheme} | {missing} | – | – |")
            continue
        print(f"| {scheme} | {name} | {result.pairs:,} | {len(result.disagreements)} |", flush=True)
        for (left, right), theirs, answer in result.disagreements[:5]:
            print(f"{scheme}: {left} and {right}: {theirs}, ours {answer}", file=sys.stderr)
        found += len(result.disagreements)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
