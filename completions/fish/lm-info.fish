# Made by `make generate` from Sources/CommandLineTool/Tools: change it there.
complete -c lm-info -f -a '(lm-info --list 2>/dev/null; set -l value (commandline -ct | string replace -r -- \'^(--model=|-m)\' \'\'); __fish_complete_directories "$value"; __fish_complete_suffix "$value" .gguf | string match -r -- \'.*\\.gguf(?:\\t.*)?$\')'
complete -c lm-info -s j -l json -d 'Print a JSON record'
complete -c lm-info -s l -l list -d 'Print the names of the models on this machine'
complete -c lm-info -l list-families -d 'Print the model families that the tools run'
complete -c lm-info -s m -l model -x -a '(lm-info --list 2>/dev/null; set -l value (commandline -ct | string replace -r -- \'^(--model=|-m)\' \'\'); __fish_complete_directories "$value"; __fish_complete_suffix "$value" .gguf | string match -r -- \'.*\\.gguf(?:\\t.*)?$\')' -d 'Model folder, .gguf file or name (default: $LM_MODEL)'
complete -c lm-info -s h -l help -d 'Print this help and exit'
complete -c lm-info -s V -l version -d 'Print the version and exit'
