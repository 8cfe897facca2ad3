# What the workspace was given at run time: its id, proxy and secrets. Read anew by every shell.
set -a
[ -r /run/foozol/env ] && . /run/foozol/env
[ -r /run/foozol/secrets.env ] && . /run/foozol/secrets.env
set +a
export DISPLAY=${DISPLAY:-:99} BROWSER=/usr/lib/foozol/browser EDITOR=${EDITOR:-nano}
