# The files of the server, as they lie on it.
tar --extract --gzip --file "$FILES" --directory / --no-same-owner --keep-directory-symlink --no-overwrite-dir
rm "$FILES"
chmod 0600 /etc/netplan/60-foozol.yaml
systemctl enable foozol-ipv6.service
