# What the workspace was given at run time: its id, proxy and secrets. Read anew by every shell.
# A shell inherits what was given when the terminals or the desktop started: what is taken back since goes first.
if [ -r /run/foozol/secrets.env ]; then
  for given in ${FOOZOL_GIVEN:-}; do unset -v "$given"; done
  unset -v given
fi
set -a
[ -r /run/foozol/env ] && . /run/foozol/env
[ -r /run/foozol/secrets.env ] && . /run/foozol/secrets.env
set +a
export DISPLAY=${DISPLAY:-:99} BROWSER=/usr/lib/foozol/browser EDITOR=${EDITOR:-nano}
# Claude Code looks for its account beside its folder where nobody names that, and in it where somebody does.
if [ -n "${CLAUDE_CONFIG_DIR:-}" ] && [ -f ~/.claude.json ] && [ ! -e "$CLAUDE_CONFIG_DIR/.claude.json" ]; then
  mkdir -p "$CLAUDE_CONFIG_DIR" && cp -p ~/.claude.json "$CLAUDE_CONFIG_DIR/.claude.json"
fi
# Codex complains at each start where its folder is named and not there.
[ -z "${CODEX_HOME:-}" ] || [ -d "$CODEX_HOME" ] || mkdir -p -m 700 "$CODEX_HOME"
