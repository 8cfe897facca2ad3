# For shells at which somebody sits; yours to change.
case $- in *i*) ;; *) return ;; esac

HISTCONTROL=ignoreboth
HISTSIZE=10000
HISTFILESIZE=50000
shopt -s histappend checkwinsize

# The folder, the branch of a repository, and a mark that is red after a failure.
_branch() {
  local folder=$PWD head
  until [ -e "$folder/.git" ]; do
    [ -n "$folder" ] || return 0
    folder=${folder%/*}
  done
  [ -r "$folder/.git/HEAD" ] && read -r head < "$folder/.git/HEAD" && printf ' %s' "${head##*/}"
}
_prompt() {
  local mark='\[\e[32m\]'
  [ "$?" -eq 0 ] || mark='\[\e[31m\]'
  PS1="\[\e[1;36m\]\w\[\e[0;90m\]$(_branch) $mark❯\[\e[0m\] "
}
PROMPT_COMMAND=_prompt

alias ls='ls --color=auto' ll='ls -l' la='ls -A' grep='grep --color=auto'

# Completion takes a moment to read, so it is read when somebody first asks for one.
_complete_later() {
  unset -f _complete_later
  complete -r -D
  . /usr/share/bash-completion/bash_completion
  return 124
}
[ ! -r /usr/share/bash-completion/bash_completion ] || complete -D -F _complete_later
