"""Compares the texts of chat templates with transformers' `apply_chat_template`.

    chat_templates.py TEMPLATE-CHECK COUNT SEED TEMPLATE...

TEMPLATE-CHECK is the developer tool (`swift build -c release --product template-check`). A TEMPLATE is a file with a
Jinja template, a tokenizer_config.json, or a GGUF file. COUNT conversations are drawn at random for each template: with
and without system message, tools, tool calls, documents, reasoning, empty contents, white space, lists of parts, wrong
orders of roles. Both must produce the same text, or both must fail. Texts in which the ranges of the input contain
anything that the conversation does not are reported too.
"""

import json
import random
import subprocess
import sys
import time

from transformers.utils.chat_template_utils import _normalize_chat_messages, render_jinja_template

TEXTS = [
    "Hello!", "", " ", "\n", "  two  spaces ", "line\nline\n\nline\n", "\tTab", "Ünïcödé – “quotes” 日本語 🎉", "a</think>b",
    "<think>\nreasoning\n</think>\n\nanswer", "{\"a\": 1}", "{{ x }} {% y %}", "'single' \"double\" \\back\\", "1 < 2 & 3 > 2",
    "What is 7*6?", "x" * 300, "Straße ǅ ΟΔΟΣ", "[INST] no [/INST]", "null", "/no_think", "/think go", "a\u00a0b\u2028c\u0085d",
    "<|im_end|>", "</s><s>", "<tool_call>\n{}\n</tool_call>", "0", "final\r\nCRLF",
]
NAMES = ["get_weather", "add", "search-web", "f.g", "ünï"]
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


class Conversations:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, p):
        return self.random.random() < p

    def text(self):
        if self.chance(0.7):
            return self.random.choice(TEXTS)
        return "".join(self.random.choice(TEXTS) for _ in range(self.random.randrange(1, 4)))

    def content(self):
        if self.chance(0.85):
            return self.text()
        if self.chance(0.1):
            return None
        parts = [{"type": "text", "text": self.text()} for _ in range(self.random.randrange(0, 4))]
        if self.chance(0.2):
            parts.insert(0, {"type": "image"})
        return parts

    def value(self, depth=0):
        kind = self.random.randrange(9 if depth < 2 else 7)
        if kind == 0:
            return self.random.choice([None, True, False])
        if kind == 1:
            return self.random.choice([0, 1, -5, 42, 10**15])
        if kind == 2:
            return self.random.choice([0.5, -1.0, 1e-7, 3.14, 1e20, 100.0])
        if kind < 7:
            return self.text()
        if kind == 7:
            return [self.value(depth + 1) for _ in range(self.random.randrange(3))]
        return {self.random.choice(["a", "b", "city", "items", "ключ"]): self.value(depth + 1) for _ in range(self.random.randrange(3))}

    def schema(self, depth=0):
        kind = self.random.choice(["string", "number", "integer", "boolean", "array", "object", "null", ["string", "null"]])
        schema = {"type": kind}
        if self.chance(0.7):
            schema["description"] = self.text()
        if kind == "string" and self.chance(0.4):
            schema["enum"] = [self.text() for _ in range(self.random.randrange(1, 4))]
        if self.chance(0.2):
            schema["default"] = self.value(1)
        if self.chance(0.1):
            schema["nullable"] = self.chance(0.5)
        if kind == "array" and self.chance(0.8):
            schema["items"] = self.schema(depth + 1) if depth < 3 else {"type": "string"}
        if kind == "object" and depth < 3:
            schema["properties"] = {name: self.schema(depth + 1) for name in self.random.sample(["a", "b", "c", "Zeta"], self.random.randrange(4))}
            schema["required"] = self.random.sample(sorted(schema["properties"]), len(schema["properties"]) // 2)
        if depth < 2 and self.chance(0.08):
            return {"anyOf": [self.schema(depth + 1), self.schema(depth + 1)]}
        return schema

    def tool(self):
        parameters = {"type": "object", "properties": {n: self.schema() for n in self.random.sample(["x", "y", "city", "unit", "Limit"], self.random.randrange(4))}}
        if self.chance(0.7):
            parameters["required"] = self.random.sample(sorted(parameters["properties"]), len(parameters["properties"]) // 2)
        function = {"name": self.random.choice(NAMES), "description": self.text(), "parameters": parameters}
        if self.chance(0.1):
            function["return"] = {"type": "string", "description": self.text()}
        return {"type": "function", "function": function} if self.chance(0.95) else function

    def call(self, index):
        arguments = {self.random.choice(["x", "y", "city"]): self.value() for _ in range(self.random.randrange(3))}
        if self.chance(0.25):
            arguments = json.dumps(arguments)
        call = {"type": "function", "function": {"name": self.random.choice(NAMES), "arguments": arguments}}
        if self.chance(0.7):
            call["id"] = self.random.choice(["call_%d" % index, "abcdef%03d" % index, "functions.add:%d" % index])
        return call

    def plain_messages(self):
        """System or none, then user and assistant in turn, all with texts: what every template accepts."""
        messages = [{"role": "system", "content": self.text()}] if self.chance(0.3) else []
        for index in range(self.random.randrange(1, 6)):
            messages.append({"role": ["user", "assistant"][index % 2], "content": self.text()})
        return messages

    def messages(self):
        if self.chance(0.4):
            return self.plain_messages()
        messages = []
        if self.chance(0.45):
            messages.append({"role": self.random.choice(["system"] * 6 + ["developer"]), "content": self.content()})
        for _ in range(self.random.randrange(1, 4)):
            messages.append({"role": "user", "content": self.content()})
            if self.chance(0.2):
                continue
            calls = []
            answer = {"role": "assistant", "content": self.content()}
            if self.chance(0.2):
                answer[self.random.choice(["reasoning_content", "thinking", "reasoning"])] = self.text()
            if self.chance(0.3):
                calls = answer["tool_calls"] = [self.call(index) for index in range(self.random.randrange(1, 3))]
                if self.chance(0.5):
                    answer["content"] = self.random.choice(["", None])
                if self.chance(0.2):
                    del answer["content"]
            messages.append(answer)
            for call in calls:
                result = {"role": "tool", "content": self.content() if self.chance(0.8) else json.dumps(self.value())}
                if self.chance(0.6):
                    result["tool_call_id"] = call.get("id", "x")
                if self.chance(0.5):
                    result["name"] = call["function"]["name"]
                messages.append(result)
        if self.chance(0.5):
            while len(messages) > 1 and messages[-1]["role"] == "assistant":
                messages.pop()
        if self.chance(0.08):
            self.random.shuffle(messages)
        if self.chance(0.04):
            messages[self.random.randrange(len(messages))]["role"] = self.random.choice(["ipython", "observation", "root", ""])
        return messages

    def variables(self):
        variables = {"add_generation_prompt": self.chance(0.7), "tools": None, "documents": None}
        if self.chance(0.35):
            variables["tools"] = [self.tool() for _ in range(self.random.randrange(1, 4))]
        if self.chance(0.05):
            variables["documents"] = [{"title": self.text(), "text": self.text()} for _ in range(2)]
        for name, values in {
            "enable_thinking": [True, False], "thinking": [True, False], "reasoning_effort": ["low", "high", "none"],
            "date_string": ["26 Jul 2024"], "custom_tools": [None], "builtin_tools": [["brave_search", "code_interpreter"]],
            "tools_in_user_message": [True, False], "xml_tools": [None], "clear_thinking": [True, False],
            "tool_choice": ["auto", "none", "required"], "response_format": [None], "controls": [None],
            "model_identity": ["You are a test."], "keep_past_thinking": [True, False], "preserve_thinking": [True, False],
        }.items():
            if self.chance(0.15):
                variables[name] = self.random.choice(values)
        return variables


def templates(path):
    if path.endswith(".gguf"):
        import gguf
        for name, field in gguf.GGUFReader(path).fields.items():
            if name.startswith("tokenizer.chat_template") and not name.endswith("templates"):
                yield f"{path}:{name}", bytes(field.parts[-1]).decode()
    elif path.endswith(".json"):
        template = json.load(open(path)).get("chat_template")
        for item in template if isinstance(template, list) else [{"name": "default", "template": template}]:
            if item["template"]:
                yield f"{path}:{item['name']}", item["template"]
    else:
        yield path, open(path, newline="").read()


def expected(template, messages, variables):
    try:
        variables = dict(variables)
        text, _ = render_jinja_template(
            [_normalize_chat_messages(messages)], chat_template=template, **{**TOKENS, **variables})
        return text[0]
    except Exception as error:  # noqa: BLE001: jinja2 and Python raise many types
        return error


def main():
    program, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    counts = {"equal texts": 0, "errors in both": 0, "differences": 0}
    for path in sys.argv[4:]:
        for name, template in templates(path):
            conversations = Conversations(f"{seed} {name.rsplit('/', 1)[-1]}")
            cases = []
            for _ in range(count):
                messages, variables = conversations.messages(), conversations.variables()
                cases.append((messages, variables, expected(template, messages, variables)))
            lines = "".join(
                json.dumps({"template": template, "messages": m, "variables": v, "tokens": TOKENS}) + "\n" for m, v, _ in cases)
            start = time.time()
            output = subprocess.run([program], input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout
            seconds = time.time() - start
            shown = texts = errors = differences = 0
            for (messages, variables, text), line in zip(cases, output.splitlines(), strict=True):
                result = json.loads(line)
                if isinstance(text, Exception) and "error" in result:
                    errors += 1
                elif result.get("text") == text:
                    texts += 1
                else:
                    differences += 1
                    if shown < 2:
                        shown += 1
                        report(name, messages, variables, text, result)
            print(f"{name.rsplit('/', 1)[-1]}: {texts} texts, {errors} errors, {differences} differences, {1000 * seconds / count:.2f} ms each")
            counts["equal texts"] += texts
            counts["errors in both"] += errors
            counts["differences"] += differences
    print(counts)
    return counts["differences"] > 0


def report(name, messages, variables, text, result):
    print("DIFFERENCE", name)
    if isinstance(text, Exception):
        print("  reference:", type(text).__name__, text)
        print("  found:    ", repr(result["text"])[-200:])
    elif "error" in result:
        print("  found:    ", result["error"])
    else:
        found = result["text"]
        start = next((i for i, (a, b) in enumerate(zip(text, found)) if a != b), min(len(text), len(found)))
        print("  at", start, "reference:", repr(text[max(0, start - 60):start + 60]))
        print("  at", start, "found:    ", repr(found[max(0, start - 60):start + 60]))


if __name__ == "__main__":
    sys.exit(main())
