# Nothing of the build stays, and nothing that two servers must not share.
apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/lib/dpkg/*-old /root/.npm /root/.cache
find /var/log -type f -delete
rm -rf /tmp/* /tmp/.[!.]* /var/tmp/* /var/lib/systemd/random-seed
: > /etc/machine-id
rm -f /var/lib/dbus/machine-id
echo "$IMAGE" > /etc/foozol/image
