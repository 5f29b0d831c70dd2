"""Writes and parses command lines in shell syntax.

A line is a list of pipelines separated by `;`. Words are quoted with '...' or, if they have bytes that are not printable,
with $'...'.
"""
import re

PLAIN = re.compile(r"[A-Za-z0-9_./:=,@%+-]+\Z")


def quote(word):
    """Quotes a word: a str with surrogate escapes for bytes that are not UTF-8."""
    if PLAIN.match(word):
        return word
    if word.isprintable() and "'" not in word:
        return f"'{word}'"
    out = []
    for byte in word.encode("utf-8", "surrogateescape"):
        character = chr(byte)
        out.append("\\" + character if character in "'\\" else character if 0x20 <= byte < 0x7F else f"\\x{byte:02x}")
    return "$'" + "".join(out) + "'"


def line(pipelines):
    """Writes a line. pipelines: a list of (stages, name of the input file or None); stages: a list of lists of words."""
    texts = []
    for stages, source in pipelines:
        text = " | ".join(" ".join(map(quote, stage)) for stage in stages)
        if source:
            first, bar, rest = text.partition(" | ") if len(stages) > 1 else (text, "", "")
            if len(stages) > 1:  # a quoted bar is not a pipe
                first = " ".join(map(quote, stages[0]))
                rest = " | ".join(" ".join(map(quote, stage)) for stage in stages[1:])
            text = first + " < " + quote(source) + bar + rest
        texts.append(text)
    return "; ".join(texts)


def read(text):
    """Parses a line that `line` wrote."""
    pipelines, stages, words, source = [], [], [], None
    for kind, word in _tokens(text):
        if kind == "word":
            if source is True:
                source = word
            else:
                words.append(word)
        elif word == "<":
            source = True
        else:
            stages.append(words)
            words = []
            if word == ";":
                pipelines.append((stages, source))
                stages, source = [], None
    pipelines.append((stages + [words], source))
    return pipelines


def _tokens(text):
    place = 0
    while place < len(text):
        if text[place] == " ":
            place += 1
        elif text[place] in "|<;":
            yield "operator", text[place]
            place += 1
        elif text.startswith("$'", place):
            place += 2
            content = bytearray()
            while text[place] != "'":
                if text[place] != "\\":
                    content += text[place].encode()
                    place += 1
                elif text[place + 1] == "x":
                    content.append(int(text[place + 2:place + 4], 16))
                    place += 4
                else:
                    content += text[place + 1].encode()
                    place += 2
            place += 1
            yield "word", content.decode("utf-8", "surrogateescape")
        elif text[place] == "'":
            end = text.index("'", place + 1)
            yield "word", text[place + 1:end]
            place = end + 1
        else:
            end = place
            while end < len(text) and text[end] not in " |<;":
                end += 1
            yield "word", text[place:end]
            place = end
