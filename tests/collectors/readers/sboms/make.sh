#!/bin/sh
# Makes the bills of this folder anew: npm and uv write them, and what else they say of the same project.
# Hosts of registries become registry.example, serial numbers and times what they always were.
set -e
cd "$(dirname "$0")"
here=$(pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tidy() {
  sed -E -e 's#https?://[^/"]*(registry|files)[^/"]*/#https://registry.example/#g' \
    -e 's#urn:uuid:[0-9a-f-]{36}#urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79#' \
    -e 's#"(timestamp|created)": "[^"]*"#"\1": "2026-11-22T09:28:14Z"#' \
    -e 's#(spdx/docs/[^"]*-)[0-9a-f-]{36}#\13e671687#' "$1" > "$here/$2"
}

mkdir "$tmp/npm" && cd "$tmp/npm"
cat > package.json << 'END'
{
  "name": "shop", "version": "1.4.2",
  "dependencies": { "debug": "4.3.4", "send": "0.19.0", "@babel/code-frame": "7.26.2" },
  "devDependencies": { "semver": "7.6.3" },
  "optionalDependencies": { "fsevents": "2.3.3" }
}
END
npm install --package-lock-only --no-audit --no-fund --silent
npm sbom --package-lock-only --sbom-format cyclonedx > cdx.json
npm sbom --package-lock-only --sbom-format spdx > spdx.json
npm ls --package-lock-only --all --json > ls.json || true
tidy cdx.json npm.cdx.json
tidy spdx.json npm.spdx.json
tidy ls.json npm.ls.json
tidy package-lock.json package-lock.json

mkdir "$tmp/uv" && cd "$tmp/uv"
cat > pyproject.toml << 'END'
[project]
name = "shop"
version = "1.4.2"
requires-python = ">=3.11"
dependencies = ["click==8.1.8", "python-dateutil==2.9.0.post0"]
[project.optional-dependencies]
zip = ["zipp==3.21.0"]
[dependency-groups]
dev = ["iniconfig==2.1.0"]
END
uv lock --quiet
uv export --quiet --format cyclonedx1.5 --all-extras > cdx.json
uv export --quiet --format requirements-txt --all-extras --no-hashes --no-annotate --no-header --no-emit-project > list.txt
tidy cdx.json uv.cdx.json
tidy list.txt uv.list.txt
