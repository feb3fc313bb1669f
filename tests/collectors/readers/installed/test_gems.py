"""Gems of every gem home, with `gem list` as judge."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from collectors.readers.installed import installed
from collectors.readers.installed.reader import InstalledReader
from detector.model.facts import Section
from tests.collectors.readers.installed.trees import Files, tree_of

HOME = "/usr/local/bundle"


def read(files: Files) -> Section:
    return installed(tree_of(files), "built")


GEMSPEC = """Gem::Specification.new do |s|
  s.name, s.version, s.summary, s.authors = "{name}", "{version}", "x", ["x"]
  s.platform = "{platform}"
end
"""


def test_a_real_gem_home_is_what_gem_lists(tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GEM_HOME": str(home),
        "GEM_PATH": str(home),
    }

    def gem(*words: str) -> str:
        command = ["gem", *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    made = [("shop-kit", "2.0.0.rc1", "ruby"), ("fast_2d", "0.3", "x86_64-linux")]
    for name, version, platform in made:
        file = tmp_path / "x.gemspec"
        file.write_text(GEMSPEC.format(name=name, version=version, platform=platform))
        gem("build", "x.gemspec", "--output", f"{name}.gem")
    gem("install", "--local", "--force", "--no-document", *(f"{name}.gem" for name, *_ in made))
    theirs = set()
    for name, versions in re.findall(r"^(\S+) \((.*)\)$", gem("list", "--local"), re.MULTILINE):
        theirs |= {(name, one.removeprefix("default: ").split()[0]) for one in versions.split(", ")}
    section = InstalledReader().installed(home).parts[0].sections["dependencies"]
    ours = set()
    for item, value in section.facts.items():
        ours |= {(item.rpartition("/")[2], one) for one in (value if isinstance(value, list) else [value])}
    # What Ruby itself brings stands in its own home, not in this one.
    assert ours == {one for one in theirs if one[0] in ("shop-kit", "fast_2d")}
    assert len(ours) == 2
    assert (section.status, section.covers) == ("complete", ("pkg:gem/*",))


def test_default_gems_and_file_names_are_read() -> None:
    section = read(
        {
            f"{HOME}/specifications/default/json-2.6.1.gemspec": "# -*-\n# stub: json 2.6.1 ruby lib\n",
            f"{HOME}/specifications/nokogiri-1.16.7-x86_64-linux.gemspec": "# stub: nokogiri 1.16.7 x86",
            f"{HOME}/specifications/sqlite3-2.3.1-aarch64-linux-gnu.gemspec": "",
            f"{HOME}/specifications/http-2-0.11.0.gemspec": "Gem::Specification.new",  # no stub
            f"{HOME}/gems/json-2.6.1/json.gemspec": "# stub: other 1 ruby lib",  # code of the gem
        }
    )
    assert section.facts == {
        "pkg:gem/json": "2.6.1",
        "pkg:gem/nokogiri": "1.16.7",
        "pkg:gem/http-2": "0.11.0",
        "pkg:gem/sqlite3": "2.3.1",
    }


@pytest.mark.parametrize("name", ["noversion.gemspec", "C4n4ry x-1.0.gemspec", ".gemspec"])
def test_a_specification_that_does_not_tell_hides_absence(name: str) -> None:
    section = read({f"{HOME}/specifications/{name}": "C4n4ry"})
    assert (section.status, section.facts, section.unseen[0].item) == ("partial", {}, "pkg:gem/*")
    assert "C4n4ry" not in repr(section)


def test_a_gem_from_a_repository_is_there_in_an_unknown_version() -> None:
    section = read({"/app/vendor/bundle/ruby/3.3.0/bundler/gems/rails-0123456789ab/rails.gemspec": ""})
    assert [(part.item, part.reason) for part in section.unseen] == [("pkg:gem/rails", "not_in_view")]
    assert section.covers == ("pkg:gem/*",)


def test_gems_of_debians_packages_are_told_by_dpkg_alone() -> None:
    section = read(
        {
            "/var/lib/dpkg/status": "Package: ruby-rack\nStatus: install ok installed\nVersion: 2.2.6\n",
            "/usr/share/rubygems-integration/all/specifications/rack-2.2.6.gemspec": "",
            "/var/lib/gems/3.1.0/specifications/puma-6.4.3.gemspec": "# stub: puma 6.4.3 ruby ext",
        }
    )
    assert section.facts == {"pkg:deb/debian/ruby-rack": "2.2.6", "pkg:gem/puma": "6.4.3"}
