# The definition's packages under this distribution's names, and everything else of it up to date. Snaps take longer to
# start than the desktop, and nothing here is one.
apt-get update < /dev/null
apt-get purge --yes snapd < /dev/null
apt-get upgrade --yes < /dev/null
apt-get install --yes --no-install-recommends $PACKAGES < /dev/null
