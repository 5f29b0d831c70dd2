extension Tool.Section {
  static let chatTemplates = Tool.Section(
    title: "CHAT TEMPLATES",
    paragraphs: [
      "With --chat, a record has a member \"messages\": an array of objects with \"role\" and \"content\", as in "
        + "{\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}. The chat template of the model, a program in the "
        + "language Jinja, turns them into a text; \"text\" and \"ids\" are set to it, and lm-step continues it. The record "
        + "keeps \"messages\". The result is that of apply_chat_template of transformers 5.24.",
      "In a model folder, the template is the file chat_template.jinja, or else chat_template in tokenizer_config.json or "
        + "chat_template.json; further templates are in additional_chat_templates/NAME.jinja or have a name in the list "
        + "chat_template. In a GGUF file, the template is tokenizer.chat_template, and others are "
        + "tokenizer.chat_template.NAME.",
      "The template reads these variables: messages; tools and documents, from the members of these names; "
        + "add_generation_prompt; bos_token, eos_token and the other special tokens that the model names; and the members "
        + "of \"chat_template_kwargs\", such as {\"enable_thinking\":false}, which replace other variables except messages, "
        + "tools and documents. A message is passed to the template with all its members, without those that are null; "
        + "its content can be an array of parts. Reasoning in a member reasoning_content, thinking or reasoning is passed "
        + "by the names reasoning_content and thinking. The template itself adds the beginning-of-text token.",
      "The text of the template is searched for added tokens; the strings of the record are not: control tokens that are "
        + "spelled out in a message, in tools or in another member are ordinary text. Control tokens are the special tokens, "
        + "and the added tokens that are not special if they occur in the template, such as <tool_call>, and are not white "
        + "space. Other added tokens are words of the vocabulary and are found everywhere. A control token is recognized if "
        + "its first and its last byte are text of the template, because some templates form it from the name of a role. "
        + "A tokenizer that makes a special token of ordinary text, as some unigram models do, causes an error. Otherwise the "
        + "text is encoded as one text.",
      "Implemented of Jinja is: text, {{ }}, {% %} and {# #}, with the white space control of transformers (trim_blocks, "
        + "lstrip_blocks, - and +); the statements if, for (with else, if, recursive, break and continue), set (also blocks "
        + "and namespaces), macro, call, filter, with, raw and generation; all operators, conditional expressions, slices, "
        + "and literals; the variable loop; the functions range, dict, namespace, raise_exception and strftime_now.",
      "The filters are: abs, batch, capitalize, center, count, d, default, dictsort, e, escape, first, float, forceescape, "
        + "format, indent, int, items, join, last, length, list, lower, map, max, min, reject, rejectattr, replace, reverse, "
        + "round, safe, select, selectattr, slice, sort, string, sum, title, tojson, trim, truncate, unique, upper and "
        + "wordcount. The tests are those of jinja2, except filter and test.",
      "Values are those of Python, with integers of 64 bits, and are printed as Python prints them. Texts have the methods "
        + "of Python's str, except encode, expandtabs, format_map, isidentifier, isprintable, maketrans and translate; lists have copy, "
        + "count and index; dictionaries have copy, get, items, keys and values. As in the sandbox of transformers, a template "
        + "cannot change a list or a dictionary. What is not implemented is an error with its name and its line. "
        + "raise_exception makes the record a bad record with the message of the template.",
      "The size of a template, the steps and the text of a rendering, the length of a range and the depth of nesting are "
        + "limited. strftime_now makes the ids depend on the time; most templates that use it accept a date in "
        + "\"chat_template_kwargs\".",
    ])
}
