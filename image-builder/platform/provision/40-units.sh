# What starts with the server.
systemctl disable redis-server.service 2> /dev/null || true
systemctl mask redis-server.service
for unit in $UNITS; do systemctl enable "$unit"; done
systemctl set-default multi-user.target
if [ "$LOCAL" = 1 ]; then
  # Each was seen in its boot and does nothing for this machine: it has one disk, no console, no hardware that comes and goes.
  for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    getty@.service getty.target console-getty.service serial-getty@.service systemd-logind.service \
    systemd-user-sessions.service systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-pstore.service \
    systemd-firstboot.service systemd-sysusers.service systemd-repart.service systemd-pcrphase.service \
    systemd-pcrphase-sysinit.service systemd-binfmt.service systemd-modules-load.service systemd-random-seed.service \
    kmod-static-nodes.service systemd-ask-password-wall.path systemd-ask-password-console.path \
    systemd-remount-fs.service proc-sys-fs-binfmt_misc.automount sys-kernel-debug.mount sys-kernel-tracing.mount \
    sys-kernel-config.mount sys-fs-fuse-connections.mount dev-hugepages.mount systemd-initctl.socket \
    systemd-journald-audit.socket dev-mqueue.mount remote-fs.target cryptsetup.target integritysetup.target veritysetup.target; do
    systemctl mask "$unit" 2> /dev/null
  done
  systemctl enable foozol-network.service foozol-power.service
fi
