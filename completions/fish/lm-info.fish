# Made by `make generate` from Sources/CommandLineTool/Tools: change it there.
complete -c lm-info -f
complete -c lm-info -s m -l model -x -a '(__fish_complete_directories) (sh -c \'ls -d "${HF_HUB_CACHE:-${HF_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/huggingface}/hub}"/models--* 2>/dev/null | sed \\\'s|.*/models--||; s|--|/|\\\'\')' -d 'The model: a folder with config.json, model.safetensors and tokenizer files, or a name in the local hub cache such as gpt2'
complete -c lm-info -s j -l json -d 'Print one record instead'
complete -c lm-info -l threads -x -d 'Compute with N threads, but with no more than there are processors; the default is all processors'
complete -c lm-info -l keep-going -d 'Where a record is bad, write a record with a member "error" in its place and go on; the exit status is still 65'
complete -c lm-info -s q -l quiet -d 'Say nothing but errors: not on a terminal what is being waited for, nor what is amiss with a cache'
complete -c lm-info -s h -l help -d 'Print a summary of the options and exit'
complete -c lm-info -s V -l version -d 'Print the version and exit'
