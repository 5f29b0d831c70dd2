"""model.safetensors.index.json and its shards."""
import formats
import models
import tree
import values
from mutators import common, json_tree, weights

NAMES = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
SHARDS = NAMES + ["../model.safetensors", "/etc/passwd", "a/b.safetensors", "x.safetensors", ".safetensors", "config.json",
                  "model-00001-of-00002.safetensors\0", "", "..", "model.safetensors"]


def often(rng, name):
    return rng.choice(SHARDS)


def case(rng):
    files, tensors = rng.choice(weights.STARTS)
    files = {name: content for name, content in files.items() if name != "model/model.safetensors"}
    cut = rng.randrange(1, len(tensors))
    parts = [list(tensors[:cut]), list(tensors[cut:])]
    places = {name: NAMES[number] for number, part in enumerate(parts) for name, *_ in part}
    index = tree.build({"metadata": {"total_size": sum(len(tensor[3]) for tensor in tensors)}, "weight_map": places})
    if rng.random() < 0.75:
        json_tree.mutate(rng, index, ["weight_map", "metadata"], often)
    else:
        part = rng.choice(parts)
        place = rng.randrange(len(part))
        name, dtype, shape, data = part[place]
        change = rng.randrange(4)
        if change == 0:
            del part[place]
        elif change == 1:
            parts[0 if part is parts[1] else 1].append(part[place])
        elif change == 2:
            part[place] = (name, dtype, shape, weights.change_numbers(rng, dtype, data))
        else:
            part.append((values.string(rng), "F32", [0], b""))
    files = files | {"model/model.safetensors.index.json": json_tree.document(rng, index)}
    for name, part in zip(NAMES, parts):
        if rng.random() < 0.97:
            files["model/" + name] = formats.whole_safetensors(part)
    return common.model_case(rng, files)
