import ChatTemplate
import Testing

/// Templates of the usual forms, written for these tests.
@Suite struct FormTests {
  static let chatML = """
    {%- for message in messages %}
    {%- if loop.first and message.role != 'system' %}{{ '<|im_start|>system\\nBe brief.<|im_end|>\\n' }}{% endif %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endfor %}
    {%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
    """

  static let llama2 = """
    {%- if messages[0]['role'] == 'system' -%}
      {%- set system = '<<SYS>>\\n' + messages[0]['content'] + '\\n<</SYS>>\\n\\n' -%}
      {%- set turns = messages[1:] -%}
    {%- else -%}
      {%- set system = '' -%}
      {%- set turns = messages -%}
    {%- endif -%}
    {%- for turn in turns -%}
      {%- if (turn['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{- raise_exception('the roles must be user and assistant in turn') -}}
      {%- endif -%}
      {%- if turn['role'] == 'user' -%}
        {{- bos_token + '[INST] ' + (system if loop.first else '') + turn['content'].strip() + ' [/INST]' -}}
      {%- else -%}
        {{- ' ' + turn['content'].strip() + ' ' + eos_token -}}
      {%- endif -%}
    {%- endfor -%}
    """

  static let llama3 = """
    {{- bos_token }}
    {%- for message in messages %}
        {{- '<|start_header_id|>' ~ message.role ~ '<|end_header_id|>\\n\\n' ~ message.content | trim ~ '<|eot_id|>' }}
    {%- endfor %}
    {%- if add_generation_prompt %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
    {%- endif %}
    """

  static let gemma = """
    {{ bos_token }}{% for message in messages %}
    {%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}
    {{ '<start_of_turn>' + role }}
    {% if message['content'] is string %}
    {{- message['content'] | trim }}
    {%- else %}
    {%- for part in message['content'] if part.type == 'text' %}{{ part['text'] | trim }}{% endfor %}
    {%- endif %}
    {{ '<end_of_turn>\\n' }}
    {%- endfor -%}
    {% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}
    """

  static let mistral = """
    {%- set ns = namespace(last=-1) %}
    {%- for message in messages if message.role == 'user' %}{% set ns.last = loop.index0 %}{% endfor %}
    {{- bos_token }}
    {%- set users = namespace(count=0) %}
    {%- for message in messages %}
      {%- if message.role == 'user' %}
        {%- if tools and users.count == ns.last %}{{ '[AVAILABLE_TOOLS] ' + tools | tojson + '[/AVAILABLE_TOOLS]' }}{% endif %}
        {%- set users.count = users.count + 1 %}
        {{- '[INST] ' + message.content + '[/INST]' }}
      {%- elif message.tool_calls is defined %}
        {{- '[TOOL_CALLS] [' }}
        {%- for call in message.tool_calls %}{{ call.function | tojson }}{{ ', ' if not loop.last }}{% endfor %}
        {{- ']' + eos_token }}
      {%- else %}
        {{- ' ' + message.content + eos_token }}
      {%- endif %}
    {%- endfor %}
    """

  static let phi = """
    {% for message in messages %}{{ '<|' + message['role'] + '|>' + '\\n' + message['content'] + '<|end|>\\n' }}{% endfor -%}
    {% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}
    """

  struct Example: CustomStringConvertible {
    let name: String
    let template: String
    let messages: String
    var variables = ""
    let text: String
    var description: String { name }
  }

  private static let conversation =
    #"[{"role":"system","content":"S"},{"role":"user","content":" Hi "},{"role":"assistant","content":"Yo"},"#
    + #"{"role":"user","content":"Bye"}]"#

  static let examples = [
    Example(
      name: "ChatML", template: chatML, messages: conversation,
      text: "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\n Hi <|im_end|>\n<|im_start|>assistant\nYo<|im_end|>\n"
        + "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n"),
    Example(
      name: "ChatML, default system message", template: chatML, messages: #"[{"role":"user","content":"é"}]"#,
      text: "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\né<|im_end|>\n<|im_start|>assistant\n"),
    Example(
      name: "Llama 2", template: llama2, messages: conversation,
      text: "<s>[INST] <<SYS>>\nS\n<</SYS>>\n\nHi [/INST] Yo </s><s>[INST] Bye [/INST]"),
    Example(
      name: "Llama 3", template: llama3, messages: conversation,
      text: "<s><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi"
        + "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nYo<|eot_id|><|start_header_id|>user"
        + "<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"),
    Example(
      name: "Gemma, with parts", template: gemma,
      messages:
        #"[{"role":"user","content":[{"type":"text","text":" a "},{"type":"image"},{"type":"text","text":"b"}]},"#
        + #"{"role":"assistant","content":"c"}]"#,
      text: "<s><start_of_turn>user\nab<end_of_turn>\n<start_of_turn>model\nc<end_of_turn>\n<start_of_turn>model\n"),
    Example(
      name: "Mistral, with tools", template: mistral,
      messages: #"[{"role":"user","content":"2+2?"},{"role":"assistant","tool_calls":[{"function":{"name":"add","#
        + #""arguments":{"a":2,"b":2.0}}}]},{"role":"user","content":"So?"}]"#,
      variables: #","tools":[{"type":"function","function":{"name":"add"}}]"#,
      text: #"<s>[INST] 2+2?[/INST][TOOL_CALLS] [{"name": "add", "arguments": {"a": 2, "b": 2.0}}]</s>"#
        + #"[AVAILABLE_TOOLS] [{"type": "function", "function": {"name": "add"}}][/AVAILABLE_TOOLS][INST] So?[/INST]"#),
    Example(
      name: "Phi", template: phi, messages: conversation,
      text:
        "<|system|>\nS<|end|>\n<|user|>\n Hi <|end|>\n<|assistant|>\nYo<|end|>\n<|user|>\nBye<|end|>\n<|assistant|>\n"),
  ]

  @Test(arguments: examples)
  func rendersTheForm(_ example: Example) throws {
    let variables = #"{"bos_token":"<s>","eos_token":"</s>","add_generation_prompt":true\#(example.variables)}"#
    #expect(try text(render(example.template, variables, messages: example.messages)) == example.text)
  }

  @Test func templatesRejectOrdersOfRoles() {
    let messages = #"[{"role":"user","content":"a"},{"role":"user","content":"b"}]"#
    let error = #expect(throws: TemplateError.self) {
      try render(Self.llama2, #"{"bos_token":""}"#, messages: messages)
    }
    #expect(error?.reason == "the roles must be user and assistant in turn")
  }
}
