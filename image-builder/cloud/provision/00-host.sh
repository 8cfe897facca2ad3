# The builder's own first start must be over: it writes apt's sources, and holds apt's lock.
. /etc/os-release
if [ "$VERSION_CODENAME" != "$SUITE" ]; then
  echo "This builder runs $PRETTY_NAME; the image is made on $SUITE." >&2
  exit 1
fi
# 2 says that it is done and complained of something.
cloud-init status --wait || [ $? -eq 2 ]
systemctl stop apt-daily.timer apt-daily-upgrade.timer apt-daily.service apt-daily-upgrade.service unattended-upgrades.service || true
echo 'DPkg::Lock::Timeout "300";' > /etc/apt/apt.conf.d/99foozol-builder
# The number of the one who will work here.
if other=$(id -nu 1000 2> /dev/null); then userdel --force --remove "$other"; fi
