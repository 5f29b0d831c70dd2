# Made by `make generate` from Sources/CommandLineTool/Tools: change it there.
complete -c lm-topk -s m -l model -x -a '(__fish_complete_directories) (sh -c \'ls -d "${HF_HUB_CACHE:-${HF_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/huggingface}/hub}"/models--* 2>/dev/null | sed \\\'s|.*/models--||; s|--|/|\\\'\')' -d 'The model: a folder with config.json, model.safetensors and tokenizer files, or a name in the local hub cache such as gpt2'
complete -c lm-topk -s k -l top-k -x -d 'How many tokens; 10 without it'
complete -c lm-topk -l keep-logits -d 'Keep "logits" in the record'
complete -c lm-topk -s t -l table -d 'For people: a line for each token, with its id, its text, its probability and a bar'
complete -c lm-topk -l keep-going -d 'Where a record is bad, write a record with a member "error" in its place and go on; the exit status is still 65'
complete -c lm-topk -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c lm-topk -s h -l help -d 'Print a summary of the options and exit'
complete -c lm-topk -s V -l version -d 'Print the version and exit'
