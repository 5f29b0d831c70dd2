"""llama.cpp through its Python binding, with default settings except threads and context size."""
import ctypes

import llama_cpp
import numpy

quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
llama_cpp.llama_backend_init()

about = {"llama.cpp (llama-cpp-python)": llama_cpp.__version__}


class Model:
    def __init__(self, path, threads, positions):
        self.model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
        if not self.model:
            raise OSError(f"{path}: llama.cpp cannot load this file")
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = positions
        parameters.n_threads = parameters.n_threads_batch = threads
        self.context = llama_cpp.llama_init_from_model(self.model, parameters)
        self.vocabulary = llama_cpp.llama_model_get_vocab(self.model)
        self.size = llama_cpp.llama_vocab_n_tokens(self.vocabulary)

    def tokenize(self, text):
        tokens = (llama_cpp.llama_token * len(text))()
        count = llama_cpp.llama_tokenize(self.vocabulary, text, len(text), tokens, len(tokens), False, False)
        return tokens[:count]

    def forget(self):
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)

    def decode(self, tokens, every_position=False):
        """Runs the tokens through the model and returns a view of llama.cpp's logits of the last position."""
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        if every_position:
            batch = llama_cpp.llama_batch_init(len(tokens), 0, 1)
            batch.n_tokens = len(tokens)
            for position, token in enumerate(tokens):
                batch.token[position], batch.pos[position], batch.logits[position] = token, position, 1
                batch.n_seq_id[position], batch.seq_id[position][0] = 1, 0
        else:
            batch = llama_cpp.llama_batch_get_one(array, len(tokens))
        status = llama_cpp.llama_decode(self.context, batch)
        if status:
            raise RuntimeError(f"llama_decode: status {status}")
        logits = llama_cpp.llama_get_logits_ith(self.context, -1)
        if every_position:
            llama_cpp.llama_batch_free(batch)
        return numpy.ctypeslib.as_array(logits, (self.size,))
