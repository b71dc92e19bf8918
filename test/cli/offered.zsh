# Prints what zsh offers at the end of each line that is an argument, one word a line, and an empty line after each.
# zsh completes in a terminal only: a shell in one is typed to.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PROMPT=; autoload -Uz compinit && compinit -u -D && source ./script.zsh'
# Prints the words that go to the list; calls that only filter words (-O, -A, -D) are none of those.
zpty -w shell 'compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  local -a found; local one
  builtin compadd -O found "$@"; for one in $found; do print -r -- "<$one>"; done
  builtin compadd "$@"
}'
zpty -w shell 'offer() { zle complete-word; print -r -- "<end>"; zle kill-whole-line }'
zpty -w shell 'zle -N offer; bindkey "^I" offer; print -r -- "<rea""dy>"'
zpty -r -m shell text '*<ready>*'
for line in "$@"; do
  zpty -w -n shell "$line"$'\t'
  zpty -r -m shell text '*<end>*'
  print -r -- "$text" | grep -o '<[^<>]*>' | tr -d '<>' | grep -vx end
  print
done
zpty -d shell
