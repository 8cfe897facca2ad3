# An emulated machine pays dearly for what Python would compile each time: it may not keep it there.
python3 -m compileall -q /usr/lib/foozol/python
# Each command line runs once here, so that a broken one fails the build and not a user.
cd /tmp
export HOME=/tmp/tools-home
mkdir -p "$HOME"
for program in node npm pnpm codex claude gemini devcontainer podman podman-compose git gh tmux curl pip3; do
  printf '%s ' "$program"
  case $program in
    tmux) tmux -V ;;
    *) "$program" --version | head -n 1 ;;
  esac
done
rm -rf "$HOME"
