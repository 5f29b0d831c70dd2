# Made by `make generate` from Sources/CommandLineTool/Tools: change it there.
complete -c lm-pull -f -a 'smollm2-135m openai-community/gpt2 distilbert/distilgpt2 HuggingFaceTB/SmolLM2-135M HuggingFaceTB/SmolLM2-135M-Instruct Qwen/Qwen2.5-0.5B Qwen/Qwen3-0.6B'
complete -c lm-pull -s r -l revision -x -a 'main' -d 'Download this branch, tag or commit (default: main)'
complete -c lm-pull -s f -l file -x -a 'Q4_0 Q4_K_M Q8_0 F16' -d 'Download only this .gguf file or quantization'
complete -c lm-pull -l verify -d 'Also verify cached files, and replace damaged ones'
complete -c lm-pull -l retry -x -a '0 5 20' -d 'Retry temporary failures up to N times (default: 5)'
complete -c lm-pull -s q -l quiet -d 'Print errors only'
complete -c lm-pull -s h -l help -d 'Print this help and exit'
complete -c lm-pull -s V -l version -d 'Print the version and exit'
