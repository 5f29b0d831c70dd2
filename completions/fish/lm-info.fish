# Made by `make generate` from Sources/CommandLineTool/Tools: change it there.
complete -c lm-info -f
complete -c lm-info -s m -l model -x -a '(lm-info --list 2>/dev/null) (__fish_complete_directories) (__fish_complete_suffix .gguf | string match -r -- \'.*\\.gguf(?:\\t.*)?$\')' -d 'The model'
complete -c lm-info -s j -l json -d 'Print one record instead'
complete -c lm-info -s l -l list -d 'Print the names of the models that --model knows on this machine, one a line'
complete -c lm-info -l threads -x -a '1 2 4 8' -d 'Compute with N threads, but with no more than there are processors'
complete -c lm-info -l keep-going -d 'Where a record is bad, write a record with a member "error" in its place and go on'
complete -c lm-info -s q -l quiet -d 'Say nothing but errors'
complete -c lm-info -s h -l help -d 'Print a summary of the options and exit'
complete -c lm-info -s V -l version -d 'Print the version and exit'
