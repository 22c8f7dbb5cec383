# fish completion of ropepp-verify and ropepp-analysis: commands, options and kernels, as the program itself lists them.

function __ropepp_help
    ARGP_HELP_FMT=rmargin=9999 $argv --help 2>/dev/null </dev/null
end

function __ropepp_complete
    set -l words (commandline -opc)
    set -l program (string replace -r '^~' $HOME -- $words[1])
    set -l commands (string match -v -- '-*' $words[2..-1])
    if string match -q -- '-*' (commandline -ct)
        __ropepp_help $program $commands[1] | string replace -rf -- '^  (?:-.,|   ) (--[a-z-]+=?)\S*\s*(.*)' '$1\t$2'
    else if test (count $commands) -eq 0
        __ropepp_help $program | string replace -rf -- '^  ([a-z]+).{1,26}? +([a-z].*)$' '$1\t$2'
    else if __ropepp_help $program | string match -qr -- "^  $commands[1] .*KERNEL"
        $program kernels 2>/dev/null </dev/null | string replace -rf -- '^([a-z0-9][a-z0-9:-]*)  +(.*)' '$1\t$2'
        __fish_complete_path (commandline -ct)
    else
        __fish_complete_path (commandline -ct)
    end
end

for program in ropepp-verify ropepp-analysis
    complete -c $program -f -a '(__ropepp_complete)'
end
