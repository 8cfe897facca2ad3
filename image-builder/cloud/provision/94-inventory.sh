# What the manifest tells: three figures, then every package with its version.
echo "kernel $(find /usr/lib/modules -mindepth 1 -maxdepth 1 -printf '%f\n' | sort --version-sort | tail -n 1)"
echo "content $(df --block-size=1 --output=used / | tail -n 1 | tr -d ' ')"
echo "disk $(df --block-size=1 --output=size / | tail -n 1 | tr -d ' ')"
dpkg-query --show
