# Nothing of the build stays, and nothing that two machines must not share: no machine id, no key, no log.
apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/lib/dpkg/*-old /root/.npm /root/.cache
find /var/log -type f -delete
rm -rf /tmp/* /tmp/.[!.]* /var/tmp/* /var/lib/systemd/random-seed
: > /etc/machine-id
rm -f /var/lib/dbus/machine-id
# What is the image's own: whatever else a machine has one day is its user's, and is carried to a newer image.
install -d /usr/share/foozol
apt-mark showmanual | LC_ALL=C sort > /usr/share/foozol/image-packages
: > /usr/share/foozol/image-files
echo "$IMAGE" > /etc/foozol/image
find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp \) -prune -o -print |
  LC_ALL=C sort > /var/tmp/image-files
mv /var/tmp/image-files /usr/share/foozol/image-files
