# The quick part of the checks, from the inside: what must be there is, starts with the machine, and answers.
missing=
for unit in foozol.target foozol-boot.service foozol-xvfb.service foozol-wm.service foozol-x11vnc.service \
  foozol-tmux.service foozol-agent.service foozol-files.socket foozol-settle.timer foozol-proxy.path \
  nginx.service $UNITS; do
  # Zero for one that is enabled and for one that others start.
  systemctl is-enabled --quiet "$unit" || missing="$missing $unit"
done
[ -L /etc/systemd/system/multi-user.target.wants/foozol.target ] || missing="$missing foozol.target(wanted)"
for unit in $UNITS; do
  [ -L "/etc/systemd/system/foozol.target.wants/$unit" ] || missing="$missing $unit(wanted)"
done
for file in /usr/lib/foozol/agent.cjs /usr/lib/foozol/files.cjs /usr/share/foozol/viewer/index.html \
  /usr/share/foozol/pages /etc/nginx/nginx.conf; do
  [ -e "$file" ] || missing="$missing $file"
done
if [ -n "$missing" ]; then
  echo "Missing on this image:$missing" >&2
  exit 1
fi
node --check /usr/lib/foozol/agent.cjs
node --check /usr/lib/foozol/files.cjs
chromium --version
nginx -v
for program in Xvfb x11vnc fluxbox xterm; do command -v "$program"; done
su user -c 'sudo -n true'
[ "$(cat /etc/foozol/image)" = "$IMAGE" ]
