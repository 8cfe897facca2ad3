# What starts with the machine. Everything masked here was seen in its boot and does nothing for this machine: it has
# one disk, no console to sit at, no hardware that comes and goes.
systemctl set-default foozol-default.target
systemctl enable foozol.target
for unit in $UNITS; do
  systemctl add-wants foozol.target "$unit"
done

masked="
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service
  getty@.service getty.target console-getty.service serial-getty@.service
  systemd-logind.service systemd-user-sessions.service systemd-update-utmp.service
  systemd-update-utmp-runlevel.service systemd-pstore.service systemd-firstboot.service systemd-sysusers.service
  systemd-repart.service systemd-pcrphase.service systemd-pcrphase-sysinit.service systemd-binfmt.service
  systemd-modules-load.service systemd-random-seed.service systemd-machine-id-commit.service
  systemd-journal-flush.service systemd-tmpfiles-setup-dev.service kmod-static-nodes.service
  systemd-ask-password-wall.path systemd-ask-password-console.path systemd-remount-fs.service
  proc-sys-fs-binfmt_misc.automount sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount
  sys-fs-fuse-connections.mount dev-hugepages.mount systemd-initctl.socket systemd-journald-audit.socket
  dev-mqueue.mount remote-fs.target cryptsetup.target integritysetup.target veritysetup.target
"
if [ "$LOCAL" = 1 ]; then
  for unit in $masked; do systemctl mask "$unit" 2> /dev/null; done
  # The system's message bus starts by its socket, when somebody has something to say.
  rm -f /usr/lib/systemd/system/multi-user.target.wants/dbus.service
  systemctl enable foozol-network.service foozol-power.service
  systemctl add-wants foozol-default.target foozol-power.service
  # Sessions of logins are nobody's business here, and asking for one would wait for what is masked.
  sed -i '/pam_systemd/d' /etc/pam.d/common-session
  ln -sf /dev/null /etc/tmpfiles.d/systemd-nologin.conf
else
  # What a machine needs before it can be told who it is, and to hear its power button.
  systemctl add-wants foozol-default.target systemd-networkd.service systemd-logind.service
fi
# Containers are the user's, and nothing of root's waits for any.
systemctl disable --quiet podman.service podman.socket podman-restart.service podman-auto-update.service podman-auto-update.timer
