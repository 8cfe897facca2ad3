# The service's own user, with a number that stays from image to image: its files lie on a volume.
groupadd --system --gid 990 foozol
useradd --system --uid 990 --gid foozol --home-dir /var/lib/foozol --no-create-home --shell /usr/sbin/nologin foozol
install -d -m 0755 /var/lib/foozol
# The engine writes notes into its own home, and Node what it has compiled; nothing of either must survive the server.
install -d -o foozol -g foozol -m 0755 /opt/foozol/compile-cache
chown -R foozol:foozol /opt/foozol/engine/home
