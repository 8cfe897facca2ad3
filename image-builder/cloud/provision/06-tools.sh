# Node and npm from their npm packages; with these npm installs the command lines, as a local build does from outside.
# Programs of Python's come by pip.
registry=${NPM_REGISTRY%/}
work=$(mktemp -d)
fetch() {
  curl --silent --show-error --fail --location --retry 5 --output "$work/package.tgz" "$registry/$1"
  mkdir -p "$work/$2"
  tar --extract --gzip --file "$work/package.tgz" --directory "$work/$2" --strip-components 1
}
npm=
for name in $COMMAND_LINES; do
  case $name in npm@*) npm=${name#npm@} ;; esac
done
architecture=$(dpkg --print-architecture | sed 's/amd64/x64/')
fetch "node-linux-$architecture/-/node-linux-$architecture-$NODE_VERSION.tgz" node
fetch "npm/-/npm-$npm.tgz" npm
install -m 0755 "$work/node/bin/node" /usr/bin/node
for name in $COMMAND_LINES; do
  echo "$name"
  node "$work/npm/bin/npm-cli.js" install --global --prefix /usr --registry "$registry" \
    --allow-scripts="$COMMAND_LINES_WITH_SCRIPTS" --no-audit --no-fund "$name" < /dev/null
done
printf '%s\n' "$PYTHON_PROGRAMS" > "$work/python.txt"
pip3 install --quiet --disable-pip-version-check --no-deps --no-compile --target /usr/lib/foozol/python \
  --requirement "$work/python.txt"
rm -rf /usr/lib/foozol/python/bin "$work"
