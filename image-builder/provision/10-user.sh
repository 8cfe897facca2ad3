# The one who works here: an ordinary user, with sudo that asks nothing.
groupadd --system foozol
useradd --create-home --uid 1000 --user-group --shell /bin/bash --groups sudo user
# No password, and not locked: some programs take a locked user for one who may not log in.
usermod --password '*' user
usermod --append --groups foozol www-data
chmod 0440 /etc/sudoers.d/foozol
visudo --check --quiet

# Shells within the app are no login shells, and read what the workspace was given too; one within another shell inherits.
echo 'shopt -q login_shell || [ "$SHLVL" != 1 ] || . /etc/profile.d/foozol.sh' >> /etc/bash.bashrc

install -d -o root -g foozol -m 2750 /etc/foozol/secrets
install -d -m 0755 /etc/foozol
install -d -m 0700 /etc/foozol/tls
