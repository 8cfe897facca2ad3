# Whatever programs would work out at their first start, which an emulated machine pays for dearly.
fc-cache --system-only --force
su user -c 'fc-cache --force'
update-mime-database /usr/share/mime 2> /dev/null || true
if command -v glib-compile-schemas > /dev/null; then glib-compile-schemas /usr/share/glib-2.0/schemas; fi
ldconfig
install -d -m 1777 /tmp/.X11-unix
