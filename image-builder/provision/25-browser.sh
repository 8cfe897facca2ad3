# The browser's databases, which it would make at its first start: a third of what that takes on an emulated machine.
# What names a machine or a person (ids, salts, seeds) is thrown away, so that no two workspaces share it.
if [ -x /usr/lib/chromium/chromium ]; then
  profile=/home/user/.config/chromium
  CHROMIUM_FLAGS=
  . /etc/chromium.d/foozol
  su user -c "timeout 120 /usr/lib/chromium/chromium $CHROMIUM_FLAGS --headless --no-sandbox --disable-dev-shm-usage \
    --user-data-dir=$profile --dump-dom file:///usr/share/foozol/start.html" | grep -q 'Your workspace is ready'
  cd "$profile"
  rm -rf 'Local State' Variations BrowserMetrics* 'Crash Reports' Singleton* GPUPersistentCache
  cd Default
  rm -rf Preferences 'Secure Preferences' Sessions Sessions_Encrypted Cache 'Code Cache' GPUCache Dawn*Cache History* LOG LOCK
  rm -rf /home/user/.cache/chromium
fi
