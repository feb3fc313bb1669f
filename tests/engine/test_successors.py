"""Successors: which names stand for one project."""

import pytest

from detector.engine.successors import project_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("golang/github.com/a/b", "golang/github.com/a/b/v2"),
        ("golang/github.com/a/b/v2", "golang/github.com/a/b/v13"),
        ("golang/gopkg.in/yaml.v2", "golang/gopkg.in/yaml.v3"),
        ("golang/github.com/dgrijalva/jwt-go", "golang/github.com/golang-jwt/jwt/v5"),
        ("maven/org.typelevel/cats-core_2.12", "maven/org.typelevel/cats-core_2.13"),
        ("maven/org.typelevel/cats-core_2.13", "maven/org.typelevel/cats-core_3"),
        ("maven/javax.servlet/javax.servlet-api", "maven/jakarta.servlet/jakarta.servlet-api"),
        ("composer/zendframework/zend-mail", "composer/laminas/laminas-mail"),
        ("npm/babel-core", "npm/%40babel/core"),
        ("deb/debian/libssl1.1", "deb/debian/libssl3"),
        ("deb/debian/libssl3", "deb/debian/libssl3t64"),
        ("deb/debian/libglib2.0-0", "deb/debian/libglib2.0-0t64"),
        ("deb/debian/gcc-12-base", "deb/debian/gcc-14-base"),
        ("deb/debian/libpython3.11-minimal", "deb/debian/libpython3.13-minimal"),
        ("deb/debian/linux-image-6.1.0-21-amd64", "deb/debian/linux-image-6.1.0-25-amd64"),
        ("deb/debian/postgresql-client-15", "deb/debian/postgresql-client-17"),
        ("apk/alpine/libcrypto1.1", "apk/alpine/libcrypto3"),
        ("rpm/fedora/python3.11", "rpm/fedora/python3.12"),
    ],
)
def test_a_project_goes_on_under_another_name(one: str, other: str) -> None:
    assert project_of(f"pkg:{one}") == project_of(f"pkg:{other}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("golang/github.com/a/b", "golang/github.com/a/c"),
        ("golang/github.com/a/b/v2", "golang/github.com/a/b/v2/cmd"),  # another module
        ("golang/github.com/a/b#x", "golang/github.com/a/b#y"),
        ("pypi/python3", "pypi/python2"),  # of a registry's packages numbers are part of the name
        ("npm/base64", "npm/base32"),
        ("deb/debian/lib32gcc-s1", "deb/debian/lib64gcc-s1"),
        ("deb/debian/linux-image-6.1.0-21-amd64", "deb/debian/linux-image-6.1.0-21-arm64"),
        ("deb/debian/libssl3", "deb/ubuntu/libssl3"),
        ("deb/debian/libx11-6", "deb/debian/libx12-6"),
        ("maven/com.acme/a_2.12", "maven/com.acme/b_2.12"),
    ],
)
def test_other_packages_stay_others(one: str, other: str) -> None:
    assert project_of(f"pkg:{one}") != project_of(f"pkg:{other}")
