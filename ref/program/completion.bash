# bash completion of ropepp-verify and ropepp-analysis: commands, options and kernels, as the program itself lists them.

# The help of a program, or of a command of it: an entry a line.
_ropepp_help() { ARGP_HELP_FMT=rmargin=9999 "$@" --help 2>/dev/null </dev/null; }

_ropepp() {
  local program=${1/#\~/$HOME} line=${COMP_LINE:0:COMP_POINT} command="" choices="" current i
  current=${line##*[[:space:]]} # bash has broken it at : and =
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ ${COMP_WORDS[i]} != -* ]]; then
      command=${COMP_WORDS[i]}
      break
    fi
  done
  COMPREPLY=()
  case $current in
  --*=*) [[ $current == --vs=* ]] && choices=kernels ;;
  -*) choices=options ;;
  *) choices=$([[ -z $command ]] && echo commands || echo kernels) ;;
  esac
  case $choices in
  options) choices=$(_ropepp_help "$program" ${command:+"$command"} | sed -nE 's/^  (-.,|   ) (--[a-z-]+=?).*/\2/p') ;;
  commands) choices=$(_ropepp_help "$program" | sed -nE 's/^  ([a-z]+)( .*)?$/\1/p') ;;
  kernels)
    if _ropepp_help "$program" | grep -qE "^  $command .*KERNEL"; then
      choices=$("$program" kernels 2>/dev/null </dev/null | sed -nE 's/^([a-z0-9][a-z0-9:-]*)  .*/\1/p')
    else
      choices=""
    fi
    [[ $current == --*=* ]] && choices=$(printf -- "${current%%=*}=%s\n" $choices)
    ;;
  esac
  [[ -n $choices ]] || return # then bash completes names of files
  COMPREPLY=($(compgen -W "$choices" -- "$current"))
  [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
  [[ $COMP_WORDBREAKS == *:* && $COMP_WORDBREAKS == *=* ]] && COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*[:=]}"}"}")
  return 0
}

complete -o default -F _ropepp ropepp-verify ropepp-analysis
