"""The completion script of each shell. Each script calls ``archcalc __complete`` for the candidates."""

from __future__ import annotations

from collections.abc import Mapping

BASH = """\
# archcalc for bash: source this file, or save it as ~/.local/share/bash-completion/completions/archcalc
_archcalc() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("${line%%$'\\t'*}")
    done < <("${COMP_WORDS[0]}" __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    return 0
}
complete -o bashdefault -o default -F _archcalc archcalc
"""
ZSH = """\
#compdef archcalc
# archcalc for zsh: save this file as _archcalc in a folder of $fpath, or source it after compinit
_archcalc() {
    local line
    local -a found about
    while IFS= read -r line; do
        found+=("${line%%$'\\t'*}")
        about+=("${line/$'\\t'/  }")
    done < <("${(Q)words[1]}" __complete zsh "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    if (( ! $#found )); then
        _files
    elif [[ $found[1] == *= ]]; then
        compadd -l -S '' -d about -a found
    else
        compadd -l -d about -a found
    fi
}
if [[ $funcstack[1] == _archcalc ]]; then _archcalc "$@"; else compdef _archcalc archcalc; fi
"""
FISH = """\
# archcalc for fish: save this file as ~/.config/fish/completions/archcalc.fish
function __archcalc_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] __complete fish $words[2..-1] "$current" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path "$current"
    end
end
complete -c archcalc -f -a '(__archcalc_complete)'
"""
SCRIPTS: Mapping[str, str] = {"bash": BASH, "zsh": ZSH, "fish": FISH}
"""The completion script of each shell."""
PLACES: Mapping[str, str] = {
    "bash": "~/.local/share/bash-completion/completions/archcalc",
    "zsh": "_archcalc in a folder of $fpath",
    "fish": "~/.config/fish/completions/archcalc.fish",
}
"""The file in which each shell looks for the script."""
