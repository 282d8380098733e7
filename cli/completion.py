"""``cms completion bash|zsh|fish``: the scripts, which ask ``cms __complete WORDS...`` (cli.candidates)."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.noun import single
from cms.contract.refusals import Invalid

app = single("Completion for bash, zsh and fish.")

_BASH = """\
_cms() {
    # The shell cuts words at = and : too; here they are put together again as they stand in the line.
    local IFS=$' \\t\\n' rest=$COMP_LINE words=() count=0 at word line last found
    for (( at = 0; at <= COMP_CWORD; at++ )); do
        word=${COMP_WORDS[at]}
        if (( count )) && [[ $rest != [[:space:]]* ]]; then
            words[count-1]+=$word
        else
            rest=${rest#"${rest%%[![:space:]]*}"}
            words[count]=$word
            (( count += 1 ))
        fi
        rest=${rest#"$word"}
    done
    last=${words[count-1]}
    [[ $word == [=:] ]] && word=
    last=${last%"$word"}
    COMPREPLY=()
    while IFS= read -r line; do
        found=${line%%$'\\t'*}
        COMPREPLY+=( "${found#"$last"}" )
    done < <(cms __complete "${words[@]:1}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=,:] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o default -F _cms cms
"""
_ZSH = """\
#compdef cms
_cms() {
    local -a names lines
    local line
    while IFS= read -r line; do
        names+=( "${line%%$'\\t'*}" )
        lines+=( "${line/$'\\t'/  -- }" )
    done < <(cms __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    if (( ${#names} == 0 )); then
        _files
    elif (( ${#names} == 1 )) && [[ ${names[1]} == *[=,:] ]]; then
        compadd -S '' -- "${names[@]}"
    else
        compadd -l -d lines -- "${names[@]}"
    fi
}
compdef _cms cms
"""
_FISH = """\
function __cms_complete
    set -l words (commandline -opc) (commandline -ct)
    cms __complete $words[2..-1] 2>/dev/null
end
complete -c cms -a '(__cms_complete)'
"""
SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


@app.command()
def completion(shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish")]) -> None:
    """Print the completion script: eval "$(cms completion bash)"."""
    if shell not in SCRIPTS:
        raise Invalid(f"There is no completion for {shell!r}", f"one of {', '.join(SCRIPTS)}")
    print(SCRIPTS[shell], end="")
