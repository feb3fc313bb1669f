"""Platform packages of npm have one identity on every machine."""

import pytest

from detector.model.platforms import split_platform


@pytest.mark.parametrize(
    ("name", "identity", "platform"),
    [
        ("@esbuild/linux-x64", "@esbuild/platform", "linux-x64"),
        ("@esbuild/darwin-arm64", "@esbuild/platform", "darwin-arm64"),
        ("esbuild-windows-64", "esbuild-platform", "windows-64"),
        ("@rollup/rollup-linux-arm-gnueabihf", "@rollup/rollup-platform", "linux-arm-gnueabihf"),
        ("@next/swc-win32-x64-msvc", "@next/swc-platform", "win32-x64-msvc"),
        ("@img/sharp-linuxmusl-x64", "@img/sharp-platform", "linuxmusl-x64"),
        ("lightningcss-linux-x64-musl", "lightningcss-platform", "linux-x64-musl"),
        ("fsevents", "fsevents", None),
        ("is-windows", "is-windows", None),  # a system without a processor is a word
        ("arm64", "arm64", None),
        ("linux-x64", "linux-x64", None),  # nothing would be left
    ],
)
def test_the_platform_is_an_attribute_and_not_identity(
    name: str, identity: str, platform: str | None
) -> None:
    assert split_platform(name) == (identity, platform)
