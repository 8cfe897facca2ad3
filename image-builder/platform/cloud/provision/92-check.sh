# What must start with the server does, and nothing that lets anybody in beside it.
for unit in $UNITS; do systemctl is-enabled --quiet "$unit"; done
[ "$(cat /etc/foozol/image)" = "$IMAGE" ]
