#compdef ropepp-verify ropepp-analysis
# zsh completion: commands, options and kernels, as the program itself lists them.

_ropepp_help() { ARGP_HELP_FMT=rmargin=9999 "$@" --help 2>/dev/null </dev/null; }

_ropepp() {
  local program=${(e)words[1]/#\~/$HOME} command=${${words[2,CURRENT-1]:#-*}[1]}
  local -a choices
  if [[ $words[CURRENT] == --*=* ]]; then
    compset -P '*='
    _files
  elif [[ $words[CURRENT] == -* ]]; then
    choices=(${(f)"$(_ropepp_help $program $command | sed -nE 's/^  (-.,|   ) (--[a-z-]+).*/\2/p')"})
    compadd -a choices
  elif [[ -z $command ]]; then
    choices=(${(f)"$(_ropepp_help $program | awk '/^  [a-z]/ {print $1 ":" substr($0, 30)}')"})
    _describe command choices
  else
    if _ropepp_help $program | grep -qE "^  $command .*KERNEL"; then
      choices=(${(f)"$($program kernels 2>/dev/null </dev/null | sed -nE 's/^([a-z0-9][a-z0-9:-]*)  .*/\1/p')"})
      compadd -a choices
    fi
    _files
  fi
}

_ropepp "$@"
