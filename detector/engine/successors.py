"""Successors: a package that goes on under another name, or is packed under two.

Where one side has only the one and the other only the other, that is one difference, not a package too many
and one too few. It is about what identity left unpaired: a name is never taken for another one.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from detector.engine.difference import Difference
from detector.engine.values import package_gap
from detector.engine.view import Place
from detector.model.records import Side

#: Names of one project whose versions go on counting: each line is one project.
_COUNTING_ON: Final = """
pypi/psycopg2 pypi/psycopg2-binary pypi/psycopg
pypi/opencv-python pypi/opencv-python-headless pypi/opencv-contrib-python pypi/opencv-contrib-python-headless
pypi/tensorflow pypi/tensorflow-cpu pypi/tensorflow-gpu
pypi/onnxruntime pypi/onnxruntime-gpu
pypi/faiss-cpu pypi/faiss-gpu
pypi/pycrypto pypi/pycryptodome
pypi/fuzzywuzzy pypi/thefuzz
npm/babel-core npm/%40babel/core
npm/react-query npm/%40tanstack/react-query
npm/apollo-client npm/%40apollo/client
npm/faker npm/%40faker-js/faker
npm/redux-starter-kit npm/%40reduxjs/toolkit
gem/factory_girl gem/factory_bot
gem/factory_girl_rails gem/factory_bot_rails
gem/webpacker gem/shakapacker
maven/mysql/mysql-connector-java maven/com.mysql/mysql-connector-j
maven/log4j/log4j maven/ch.qos.reload4j/reload4j maven/org.apache.logging.log4j/log4j-core
maven/junit/junit maven/org.junit.jupiter/junit-jupiter
composer/fzaninotto/faker composer/fakerphp/faker
golang/github.com/dgrijalva/jwt-go golang/github.com/golang-jwt/jwt
golang/github.com/golang/protobuf golang/google.golang.org/protobuf
"""
#: Names of a project and of what took its place with a count of its own.
_COUNTING_ANEW: Final = """
pypi/boto pypi/boto3
pypi/raven pypi/sentry-sdk
pypi/aioredis pypi/redis
pypi/pil pypi/pillow
npm/node-sass npm/sass
npm/bcrypt npm/bcryptjs
npm/mysql npm/mysql2
gem/uglifier gem/terser
gem/therubyracer gem/mini_racer
gem/poltergeist gem/cuprite
gem/sass-rails gem/sassc-rails gem/dartsass-rails
composer/swiftmailer/swiftmailer composer/symfony/mailer
golang/github.com/satori/go.uuid golang/github.com/gofrs/uuid golang/github.com/google/uuid
nuget/System.Data.SqlClient nuget/Microsoft.Data.SqlClient
"""


def _projects(table: str) -> dict[str, str]:
    lines = [line.split() for line in table.split("\n") if line]
    return {f"pkg:{name}": f"pkg:{names[0]}" for names in lines for name in names}


_ONE_SIDED: Final = ("left_only", "right_only")
_ANEW: Final = _projects(_COUNTING_ANEW)
_PROJECTS: Final = _projects(_COUNTING_ON) | _ANEW

#: The major version in the path of a Go module: `…/v2`, `gopkg.in/yaml.v3`.
_GO_MAJOR: Final = re.compile(r"(?:/v[0-9]+|(?<=[a-z0-9])\.v[0-9]+)(?=#|\Z)")
#: The version of Scala that a library is built for.
_SCALA: Final = re.compile(r"_(?:2\.1[0-9]|3)\Z")
#: A soname or a series in the name of a distribution's package, and the mark of Debian's 64-bit time.
_SERIES: Final = re.compile(r"(?<![0-9.])-?(?:[0-9]+(?:\.[0-9]+)+(?:-[0-9]+)*|[0-9]+)(?:t64)?(?=-|\Z)")
_PROCESSORS: Final = re.compile(r"(?:amd64|arm64|armhf|i386|i686|x86[-_]64)\Z")
_DISTRIBUTIONS: Final = ("pkg:deb/", "pkg:rpm/", "pkg:apk/")


@lru_cache(maxsize=16_384)
def project_of(item: str) -> str:
    """Return the name that all names of one project share: of most packages their own."""
    if item.startswith(_DISTRIBUTIONS):
        place, _, name = item.rpartition("/")
        name, processor = _PROCESSORS.sub("", name), _PROCESSORS.search(name)
        found = [*_SERIES.finditer(name)]
        if found and found[-1].start():
            name = f"{name[: found[-1].start()]}*{name[found[-1].end() :]}"
        return f"{place}/{name}{processor[0] if processor else ''}"
    if item.startswith("pkg:golang/"):
        item = _GO_MAJOR.sub("", item)
    elif item.startswith("pkg:maven/"):
        item = _SCALA.sub("_*", item).replace("pkg:maven/javax.", "pkg:maven/jakarta.")
        item = item.replace("/javax.", "/jakarta.")
    elif item.startswith("pkg:composer/zendframework/zend-"):
        item = item.replace("zendframework/zend-", "laminas/laminas-")
    return _PROJECTS.get(item, item)


def with_successors(differences: Iterable[Difference]) -> list[Difference]:
    """Return differences in which a package and its successor, one on each side, are one.

    It stands under the left one's name, and its right side names the other. Where a project has several names
    on one side nobody knows which stands for which, and all are left as they are.
    """
    found = list(differences)
    #: (component, project) -> positions of its packages on the left alone, and on the right alone.
    alone: dict[tuple[str, str], tuple[list[int], list[int]]] = {}
    for number, one in enumerate(found):
        if one.status in _ONE_SIDED and one.place.item.startswith("pkg:"):
            sides = alone.setdefault((one.place.component, project_of(one.place.item)), ([], []))
            sides[one.status == "right_only"].append(number)
    ended: set[int] = set()
    for left, right in alone.values():
        if len(left) == 1 and len(right) == 1:
            found[left[0]] = _succession(found[left[0]], found[right[0]])
            ended.add(right[0])
    return [one for number, one in enumerate(found) if number not in ended] if ended else found


def predecessors(differences: Iterable[Difference]) -> dict[Place, Place]:
    """Return of each successor on the right the place where `with_successors` has it judged."""
    return {
        Place(one.place.component, one.place.section, one.right.item): one.place
        for one in differences
        if one.right.item is not None
    }


def _succession(one: Difference, other: Difference) -> Difference:
    place = Place(*one.place)
    theirs = _named(other.right, other.place.item)
    if place.item in _ANEW:
        return Difference(place, "changed", one.left, theirs, direction="unordered")
    gap = package_gap(place.item, one.left.value, theirs.value)
    if gap is None:
        # One version, packed twice.
        return Difference(place, "changed", one.left, theirs, distance="build", direction="unordered")
    return Difference(place, "changed", one.left, theirs, gap.kind, gap.distance, gap.direction)


def _named(side: Side, item: str) -> Side:
    return Side(
        present=side.present,
        value=side.value,
        basis=side.basis,
        source=side.source,
        observed_at=side.observed_at,
        hints=side.hints,
        item=item,
    )
