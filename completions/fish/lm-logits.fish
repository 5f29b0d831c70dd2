# Made by `make generate` from Sources/CommandLineTool/Tools: change it there.
complete -c lm-logits -s m -l model -x -a '(__fish_complete_directories) (sh -c \'ls -d "${HF_HUB_CACHE:-${HF_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/huggingface}/hub}"/models--* 2>/dev/null | sed \\\'s|.*/models--||; s|--|/|\\\'\')' -d 'The model: a folder with config.json, model.safetensors and tokenizer files, or a name in the local hub cache such as gpt2'
complete -c lm-logits -s a -l all -d 'Write one record for each position, its ids cut to that prefix, with a member "position": the record that the prefix alone would give'
complete -c lm-logits -l base64 -d 'Write the logits as a string: the base64 of little-endian float32'
complete -c lm-logits -l threads -x -d 'Compute with N threads, but with no more than there are processors; the default is all processors'
complete -c lm-logits -l keep-going -d 'Where a record is bad, write a record with a member "error" in its place and go on; the exit status is still 65'
complete -c lm-logits -s q -l quiet -d 'Do not say on a terminal what is being waited for'
complete -c lm-logits -s h -l help -d 'Print a summary of the options and exit'
complete -c lm-logits -s V -l version -d 'Print the version and exit'
