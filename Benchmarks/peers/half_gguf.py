"""Converts a GGUF file in float32 to another type: half_gguf.py SOURCE.gguf F16|BF16 TARGET.gguf"""
import os
import sys

import llama_cpp

source, kind, target = sys.argv[1:]
parameters = llama_cpp.llama_model_quantize_default_params()
parameters.ftype = {"F16": llama_cpp.LLAMA_FTYPE_MOSTLY_F16, "BF16": llama_cpp.LLAMA_FTYPE_MOSTLY_BF16}[kind]
status = llama_cpp.llama_model_quantize(source.encode(), (target + ".new").encode(), parameters)
if status:
    sys.exit(f"llama_model_quantize: status {status}")
os.rename(target + ".new", target)
