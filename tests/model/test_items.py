"""Names of packages: whoever names a package, by whatever purl, means one item."""

import pytest

from detector.model.items import from_purl, package


@pytest.mark.parametrize(
    ("written", "item"),
    [
        ("pkg:npm/esbuild", "pkg:npm/esbuild"),
        ("pkg:npm/%40babel/core", "pkg:npm/%40babel/core"),
        # One program, packed once for each platform: a laptop and a server have the same one.
        ("pkg:npm/%40esbuild/linux-x64", "pkg:npm/%40esbuild/platform"),
        ("pkg:npm/%40esbuild/darwin-arm64", "pkg:npm/%40esbuild/platform"),
        ("pkg:npm/%40rollup/rollup-linux-x64-musl", "pkg:npm/%40rollup/rollup-platform"),
        ("pkg:npm/linux-x64", "pkg:npm/linux-x64"),  # nothing else names the program
        ("pkg:pypi/linux-x64", "pkg:pypi/linux-x64"),
        ("pkg:pypi/Typing_Extensions", "pkg:pypi/typing-extensions"),
        # The distribution's release is a fact of its own, never part of a name.
        # Folded by their own rules or those of package URLs; the case of a crate, gem or Maven group counts.
        ("pkg:golang/github.com/Azure/go-autorest", "pkg:golang/github.com/azure/go-autorest"),
        ("pkg:composer/Laravel/Framework", "pkg:composer/laravel/framework"),
        ("pkg:nuget/Newtonsoft.Json", "pkg:nuget/newtonsoft.json"),
        ("pkg:hex/Plug", "pkg:hex/plug"),
        ("pkg:pub/HTTP", "pkg:pub/http"),
        ("pkg:cargo/Inflector", "pkg:cargo/Inflector"),
        ("pkg:gem/RedCloth", "pkg:gem/RedCloth"),
        ("pkg:maven/org.Example/Shop", "pkg:maven/org.Example/Shop"),
        ("pkg:deb/debian/OpenSSL?arch=amd64&distro=debian-12", "pkg:deb/debian/openssl"),
    ],
)
def test_a_package_has_one_item_however_it_is_written(written: str, item: str) -> None:
    assert from_purl(written) == (item, None)


@pytest.mark.parametrize("name", ["@babel/core", "esbuild", "@esbuild/linux-x64"])
def test_a_name_of_npm_is_the_same_with_its_scope_apart(name: str) -> None:
    scope, _, last = name.rpartition("/")
    assert package("npm", name) == package("npm", last, scope)


@pytest.mark.parametrize(
    ("ecosystem", "name", "item"),
    [
        ("golang", "github.com/Azure/go-autorest/v14", "pkg:golang/github.com/azure/go-autorest/v14"),
        ("golang", "example.com", "pkg:golang/example.com"),
        ("composer", "Laravel/Framework", "pkg:composer/laravel/framework"),
        ("maven", "org.slf4j:slf4j-api", "pkg:maven/org.slf4j/slf4j-api"),
    ],
)
def test_a_name_that_carries_its_namespace_is_that_of_its_package_url(
    ecosystem: str, name: str, item: str
) -> None:
    assert package(ecosystem, name) == item
    assert from_purl(item) == (item, None)
