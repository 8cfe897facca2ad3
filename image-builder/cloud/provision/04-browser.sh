# Chrome stands in for Chromium, which Ubuntu has as a snap only. Of the ways to get a browser this has the fewest parts:
# one package of its maker, its libraries are Ubuntu's, it brings the archive of its own updates, and Ubuntu's AppArmor
# knows it and so leaves it its sandbox. It is for x86 alone.
curl --silent --show-error --fail --location --retry 5 --output /root/chrome.deb \
  https://dl.google.com/linux/direct/google-chrome-stable_current_amd64.deb
apt-get install --yes --no-install-recommends /root/chrome.deb < /dev/null
rm /root/chrome.deb
# It reads its policies elsewhere; they are the same.
install -d /etc/opt/chrome
ln -sfn /etc/chromium/policies /etc/opt/chrome/policies
