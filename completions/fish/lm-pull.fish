# Made by `make generate` from Sources/CommandLineTool/Tools: change it there.
complete -c lm-pull -f -a 'smollm2-135m openai-community/gpt2 distilbert/distilgpt2 HuggingFaceTB/SmolLM2-135M HuggingFaceTB/SmolLM2-135M-Instruct Qwen/Qwen2.5-0.5B Qwen/Qwen3-0.6B'
complete -c lm-pull -s r -l revision -x -a 'main' -d 'Fetch the model as it is at REVISION'
complete -c lm-pull -s f -l file -x -a 'Q4_0 Q4_K_M Q8_0 F16' -d 'Fetch this .gguf file and nothing else'
complete -c lm-pull -l verify -d 'Compute the digests of files that are in the cache already as well, and fetch again those that are damaged'
complete -c lm-pull -l retry -x -a '0 5 20' -d 'Make a request that brought nothing, for a reason that may pass, N times again'
complete -c lm-pull -s q -l quiet -d 'Say nothing but errors'
complete -c lm-pull -s h -l help -d 'Print a summary of the options and exit'
complete -c lm-pull -s V -l version -d 'Print the version and exit'
