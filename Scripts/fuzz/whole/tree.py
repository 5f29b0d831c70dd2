"""JSON as a tree that preserves duplicate names, their order, and the text of numbers, unlike Python's dict and float."""
import json


class Members(list):
    """An object: a list of [name, value]."""

    def get(self, name):
        return next((value for key, value in self if key == name), None)

    def put(self, name, value):
        for member in self:
            if member[0] == name:
                member[1] = value
                return
        self.append([name, value])


class Raw(str):
    """Source text that is written unchanged: a number, or invalid JSON."""


def parse(text):
    """Parses a JSON text. Raises ValueError if it is invalid."""
    return json.loads(text, object_pairs_hook=lambda pairs: Members([name, value] for name, value in pairs),
                      parse_int=Raw, parse_float=Raw, parse_constant=Raw)


def build(value):
    """Returns the tree of a Python value."""
    if isinstance(value, dict):
        return Members([name, build(member)] for name, member in value.items())
    if isinstance(value, list):
        return [build(element) for element in value]
    return value


def copy(node):
    if isinstance(node, Members):
        return Members([name, copy(value)] for name, value in node)
    if isinstance(node, list):
        return [copy(element) for element in node]
    return node


# Lone surrogates can only be written as escapes, so a string with one is written in ASCII.
_plain, _escaped = json.JSONEncoder(ensure_ascii=False).encode, json.JSONEncoder().encode


def _string(text):
    return _escaped(text) if any("\ud800" <= character <= "\udfff" for character in text) else _plain(text)


def write(node):
    """Returns the text of a tree, on one line."""
    parts = []
    _write(node, parts.append)
    return "".join(parts)


def _write(node, add):
    if isinstance(node, Raw):
        add(node)
    elif isinstance(node, str):
        add(_string(node))
    elif isinstance(node, Members):
        add("{")
        for index, (name, value) in enumerate(node):
            add("," if index else "")
            add(name if isinstance(name, Raw) else _string(name))
            add(":")
            _write(value, add)
        add("}")
    elif isinstance(node, list):
        add("[")
        for index, element in enumerate(node):
            add("," if index else "")
            _write(element, add)
        add("]")
    else:
        add(_escaped(node))


def encode(node):
    return write(node).encode("utf-8")


def places(node, depth=0):
    """Returns every position in a tree as (container, index); containers are Members or lists."""
    found = []
    stack = [node]
    while stack:
        container = stack.pop()
        for index, child in enumerate(container):
            found.append((container, index))
            if isinstance(container, Members):
                child = child[1]
            if isinstance(child, list):
                stack.append(child)
    return found


def value_at(place):
    container, index = place
    return container[index][1] if isinstance(container, Members) else container[index]


def set_value(place, value):
    container, index = place
    if isinstance(container, Members):
        container[index][1] = value
    else:
        container[index] = value
