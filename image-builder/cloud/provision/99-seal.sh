# The last step: what made this a builder goes, and after it nobody can come in any more. The machine's name, key and
# network are the business of units of ours; cloud-init would only take time at every start.
touch /etc/cloud/cloud-init.disabled
rm -rf /var/lib/cloud
find /etc/netplan -name '*.yaml' ! -name 60-foozol.yaml -delete
systemctl disable ssh.service ssh.socket || true
rm -f /etc/ssh/ssh_host_* /etc/sudoers.d/90-cloud-init-users /etc/apt/apt.conf.d/99foozol-builder
rm -rf /root/.ssh /home/*/.ssh
# Still logged in, hence by force; what is left of its session ends with the power.
userdel --force --remove "$BUILDER"
rm -rf /var/lib/systemd/random-seed /var/lib/dbus/machine-id /var/log/journal
: > /etc/machine-id
sync
