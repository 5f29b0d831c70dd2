"""Structural mutations of JSON documents."""
import tree
import values
from tree import Members, Raw


def mutate(rng, root, names=(), often=None):
    """Changes a tree in place, once or a few times.

    names: names of members that the parser of this format reads.
    often: a function (rng, name) -> value, for values that fit the format.
    """
    for _ in range(rng.choice((1, 1, 1, 1, 2, 2, 3, 6))):
        _change(rng, root, names, often)


def _new_value(rng, name, often):
    if often and rng.random() < 0.6:
        return often(rng, name)
    return values.value(rng)


def _change(rng, root, names, often):
    found = tree.places(root)
    if not found or (names and rng.random() < 0.15):
        name = rng.choice(names) if names else values.string(rng)
        if isinstance(root, Members):
            root.append([name, _new_value(rng, name, often)])
        return
    place = rng.choice(found)
    container, index = place
    name = container[index][0] if isinstance(container, Members) else None
    kind = rng.random()
    if kind < 0.6:
        tree.set_value(place, _new_value(rng, name, often))
    elif kind < 0.7:
        del container[index]
    elif kind < 0.76:
        twin = [name, tree.copy(tree.value_at(place))] if name is not None else tree.copy(container[index])
        container.insert(rng.randrange(len(container) + 1), twin)
    elif kind < 0.82:
        other = rng.choice(found)
        first, second = tree.copy(tree.value_at(place)), tree.copy(tree.value_at(other))
        try:
            tree.set_value(place, second)
            tree.set_value(other, first)
        except IndexError:
            pass
    elif kind < 0.88 and name is not None:
        container[index][0] = rng.choice(
            (values.string(rng), name + "\0", name.upper(), Raw('"' + "".join(f"\\u{ord(c):04x}" for c in name[:40]) + '"'),
             rng.choice(names) if names else name))
    elif kind < 0.94:
        tree.set_value(place, [tree.value_at(place)] if rng.random() < 0.5 else Members([["a", tree.value_at(place)]]))
    else:
        old = tree.value_at(place)
        count = rng.choice((2, 50, 500)) if not isinstance(old, list) or len(old) < 5 else 2
        tree.set_value(place, Members([name or "a", tree.copy(old)] for _ in range(count)))


def document(rng, root):
    """Returns the bytes of a mutated document, sometimes damaged or with other white space."""
    data = tree.encode(root)
    kind = rng.random()
    if kind < 0.06:
        return values.damage(rng, data)
    if kind < 0.08:
        return rng.choice((b"\xef\xbb\xbf" + data, data + b"\n\n", data + b" x", b"", b" " * 70 + data, data + b"\0", data + data))
    return data
