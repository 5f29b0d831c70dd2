"""Writes the fixture of ChatTemplateTests: small templates and their texts by jinja2, in the environment of transformers.

    template_cases.py > Tests/ChatTemplateTests/Fixtures/cases.jsonl
    template_cases.py --check TEMPLATE-CHECK [COUNT SEED]

With --check, compares the developer tool with jinja2 on these templates, and on COUNT expressions drawn at random.
"""

import copy
import json
import random
import subprocess
import sys

from transformers.utils.chat_template_utils import _compile_jinja_template

VARIABLES = {
    "s": "Hello wörld", "t": "  a,b,,c \n", "e": "", "m": "line 1\nline 2\r\n\nline 4", "q": "it's \"q\" \\ \n\t\u0001\u00e9\u2028\U0001f389\u00ad",
    "i": 42, "n": -7, "f": 2.5, "g": 1e-7, "h": 1e16, "z": 0, "yes": True, "no": False, "nil": None,
    "list": [3, 1, 2], "mixed": [1, "a", None, 2.0, True, [1], {"k": "v"}], "empty": [], "words": ["b", "A", "c", "a"],
    "d": {"b": 1, "A": [1, 2], "c": {"x": "y"}, "items": "member", "ключ": None}, "none": {},
    "people": [{"name": "Bo", "age": 5, "at": {"city": "X"}}, {"name": "al", "age": 3}, {"name": "Cy", "age": 5, "at": {"city": "Y"}}],
}

# One template in each line, with \n for a newline.
CASES = r"""
plain text
{{ s }} {{ e }}|{{ nil }}|{{ yes }}|{{ no }}|{{ i }}|{{ f }}|{{ g }}|{{ h }}|{{ missing }}
{{ mixed }} {{ d }} {{ q }} {{ [q] }} {{ (1,) }} {{ () }} {{ (1, 'a') }} {{ {} }} {{ [] }}
{{ 1.0 }} {{ 100.0 }} {{ 1e5 }} {{ 123456789012345680.0 }} {{ 0.1 + 0.2 }} {{ 1e-5 }} {{ 0.0001 }} {{ -0.0 }} {{ 1e22 }} {{ 1.5e300 }}
{{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1_000 }} {{ 1_0.5_0 }} {{ 1e3 }}
{{ 'a' "b" 'c' }} {{ 'it\'s' }} {{ "\x41\u00e9\101\n\q" }} {{ '日本' }}
{{ 1 + 2 * 3 - 4 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }}
{{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 7 / 7 }} {{ 5.0 % 3 }} {{ yes + 1 }} {{ yes * 3 }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 1 % 0 }}
{{ 'ab' * 3 }} {{ 2 * 'x' }} {{ 'a' * -1 }}| {{ [1] * 2 }} {{ (1,) + (2,) }} {{ [1] + [2] }}
{{ 'a' + 1 }}
{{ [1] + (2,) }}
{{ 'a' ~ 1 ~ none ~ missing ~ [1] ~ 2.0 }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 }} {{ 1 == true }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ 'a' == 1 }} {{ none == none }} {{ missing == missing2 }} {{ missing == none }}
{{ 1 != 2 }} {{ 1 >= 1 }} {{ 2 <= 1 }} {{ [1] == [1.0] }} {{ {'a': 1} == {'a': 1.0} }} {{ (1,) == [1] }}
{{ 1 < 'a' }}
{{ none < 1 }}
{{ 'ell' in s }} {{ 'x' not in s }} {{ 1 in list }} {{ 'b' in d }} {{ 1 in missing }} {{ none in [none] }} {{ '' in 'a' }}
{{ 1 in 'a1' }}
{{ not yes }} {{ not e }} {{ yes and no }} {{ e or 'default' }} {{ 'a' and 'b' }} {{ 0 or [] or none }} {{ not yes or yes }} {{ not (yes and no) }}
{{ 'a' if yes else 'b' }} {{ 'a' if no }} {{ 'a' if no else 'b' if no else 'c' }} {{ ('a' if yes) ~ 'x' }}
{{ s[0] }} {{ s[-1] }} {{ s[99] }}| {{ s[1:4] }} {{ s[::-1] }} {{ s[:-3] }} {{ s[-3:] }} {{ s[::2] }} {{ s[10:0:-3] }}
{{ list[0] }} {{ list[-1] }} {{ list[5] }}| {{ list[1:] }} {{ list[::-1] }} {{ list[:99] }} {{ list.0 }} {{ list[true] }}
{{ d.b }} {{ d['b'] }} {{ d.missing }}| {{ d['missing'] }}| {{ d.c.x }} {{ d['items'] }} {{ d.items is callable }} {{ d[1] }}| {{ d.ключ }}
{{ missing.a }}
{{ missing['a'] }}
{{ missing[1:] }}
{{ nil.a }}| {{ nil['a'] }}| {{ i.a }}|
{{ nil[1:] }}
{{ d[1:] }}
{{ missing + 1 }}
{{ missing() }}
{{ s() }}
{{ d[[1]] }}|
{{ {[1]: 2} }}
{{ {1: 2, 'a': 'b', none: 3, 1.0: 4, true: 5} }} {{ {'a': 1, 'a': 2} }} {{ {(1, 2): 3}[(1, 2)] }}
{% if yes %}a{% endif %}{% if no %}b{% elif yes %}c{% else %}d{% endif %}{% if no %}{% else %}e{% endif %}
{% for x in list %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}:{{ x }} {% endfor %}
{% for x in list %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}{% for x in list %}{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }}{{ loop.depth }}{{ loop.depth0 }}{% endfor %}
{% for x in empty %}a{% else %}none{% endfor %}{% for x in missing %}{% else %}undefined{% endfor %}{% for c in 'añ' %}[{{ c }}]{% endfor %}{% for k in d %}{{ k }} {% endfor %}
{% for x in list if x > 1 %}{{ loop.index }}/{{ loop.length }}{{ x }}{{ loop.last }} {% else %}none{% endfor %}{% for x in list if x > 9 %}{% else %}none{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for a, b in [[1]] %}{% endfor %}
{% for x in nil %}{% endfor %}
{% for x in 5 %}{% endfor %}
{% for x in list %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}{% for x in list %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% else %}E{% endfor %}
{% for x in [1, [2, [3]]] recursive %}{{ loop(x) if x is iterable else x }}{{ loop.depth }}{% endfor %}
{% for x in list %}{{ loop(x) }}{% endfor %}
{% for x in list %}{% for y in [1, 2] %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}{% for x in list %}{% set y = x %}{% endfor %}{{ y }}|
{% set x = 1 %}{% for y in list %}{% set x = x + y %}{{ x }} {% endfor %}{{ x }}{% if yes %}{% set x = 5 %}{% endif %}{{ x }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, d) = [3, 4] %}{{ c }}{{ d }}{% set x = 1, %}{{ x }}{% set y = 'a', 'b' %}{{ y }}
{% set x %}block {{ i }}{% endset %}{{ x }}{{ x|length }}{% set y | upper | trim %} up {% endset %}[{{ y }}]
{% set ns = namespace(a=1, b='x') %}{% for x in list %}{% set ns.a = ns.a + x %}{% set ns.c = x %}{% endfor %}{{ ns.a }}{{ ns.b }}{{ ns.c }}{{ ns.d }}|{{ ns['a'] }}{% set ns = namespace({'k': 1}, l=2) %}{{ ns.k }}{{ ns.l }}
{% set ns = 1 %}{% set ns.a = 1 %}
{% set ns = namespace(_a=1) %}
{% with a = 1, b = i %}{{ a }}{{ b }}{% set c = 3 %}{% endwith %}{{ a }}|{{ c }}|{% with %}x{% endwith %}
{% macro f(a, b=2, c='x') %}{{ a }}{{ b }}{{ c }};{% endmacro %}{{ f(1) }}{{ f(1, 3) }}{{ f(b=5, a=4) }}{{ f() }}{{ f(1, c=[1]) }}{{ f(*[7, 8]) }}{{ f(**{'a': 9, 'c': 'k'}) }}
{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}
{% macro f(a) %}{% endmacro %}{{ f(b=2) }}
{% macro f(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, 3, x=4) }}
{% macro f() %}<{{ caller() }}>{% endmacro %}{% call f() %}in{{ i }}{% endcall %}{% macro g(x) %}{{ caller(x, 2) }}{% endmacro %}{% call(a, b=3) g(1) %}{{ a }}{{ b }}{% endcall %}
{% macro f() %}{{ x }}{% endmacro %}{% set x = 1 %}{{ f() }}{% set x = 2 %}{{ f() }}{% macro g(n) %}{{ n }}{% if n > 0 %}{{ g(n - 1) }}{% endif %}{% endmacro %}{{ g(3) }}
{% macro f(a=i, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ f() }}{{ f(1) }}{% macro h(x) %}{% set y = x %}{{ y }}{% endmacro %}{{ h(1) }}{{ y }}|{{ h(2)|upper ~ 'z' }}{{ f is callable }}
{% filter upper %}abc {{ s }}{% endfilter %}{% filter replace('a', 'b')|trim %} aaa {% endfilter %}|
{% generation %}gen {{ i }}{% endgeneration %}{% raw %}{{ raw }} {% if %}{% endraw %}{# comment #}end
a {%- if yes %} b {% endif -%} c {{- ' d ' -}} e {%+ if yes %} f {%+ endif %} g
x\n  {% if yes %}\n  y\n  {% endif %}\nz\n  {{ i }}\n{# c #}\n  {#- c -#}  \nw\n
  {%+ if yes +%}\n a\n{%- endif +%}\n b\n{%- raw -%}\n r\n{%- endraw %}\n c
\n\n{% if yes %}\n\na{% endif %}\n\n
a\r\nb{{ 'x\r\ny' }}\rc\n
{{ s|upper }}{{ s|lower }}{{ s|title }}{{ s|capitalize }}{{ 'ǆ ß ΑΣ ΑΣΑ'|lower }}{{ 'ß ŉ ﬁ'|upper }}{{ "they're bill's x-ray (foo)"|title }}{{ 'ß ǆ ab'|capitalize }}{{ 5|upper }}{{ missing|upper }}|
{{ t|trim }}|{{ 'xxaxx'|trim('x') }}|{{ 5|trim }}{{ missing|trim }}|{{ nil|trim }}
{{ s|length }}{{ list|length }}{{ d|count }}{{ missing|length }}{{ 'añ🎉'|length }}
{{ 5|length }}
{{ missing|default('x') }}{{ e|default('x') }}|{{ e|default('x', true) }}{{ nil|d('n') }}{{ nil|d('n', boolean=true) }}{{ d.q|default(d.b) }}{{ missing|default }}|
{{ list|join }}{{ list|join(', ') }}{{ people|join('-', attribute='name') }}{{ 'abc'|join('.') }}{{ mixed|join('|') }}{{ missing|join }}|{{ [1, none]|join }}
{{ list|first }}{{ list|last }}{{ 'abc'|first }}{{ 'abc'|last }}{{ empty|first }}|{{ d|first }}{{ d|last }}{{ missing|first }}|
{{ list|sort }}{{ words|sort }}{{ words|sort(case_sensitive=true) }}{{ list|sort(reverse=true) }}{{ people|sort(attribute='age')|map(attribute='name')|list }}{{ people|sort(attribute='age', reverse=true)|map(attribute='name')|join }}
{{ mixed|sort }}
{{ d|dictsort }}{{ d|dictsort(true) }}{{ {'x': 2, 'y': 1}|dictsort(by='value') }}{{ {'x': 2, 'y': 1}|dictsort(reverse=true) }}
{{ words|unique|list }}{{ ['a', 'A', 'b', 'a']|unique|join }}{{ [1, 1.0, true, 2]|unique|list }}{{ people|unique(attribute='age')|map(attribute='name')|list }}
{{ list|min }}{{ list|max }}{{ words|min }}{{ empty|max }}|{{ people|max(attribute='age') }}{{ list|sum }}{{ people|sum(attribute='age') }}{{ [1, 2.5]|sum(start=10) }}
{{ list|reverse|list }}{{ 'abc'|reverse }}{{ list|list }}{{ 'abc'|list }}{{ d|list }}{{ missing|list }}{{ d.items()|list }}{{ d.keys()|list }}{{ d.values()|list }}
{{ d.items() }}{{ d.keys() }}{{ d.values() }}{{ d|items|list }}{{ missing|items|list }}{{ range(3) }}{{ range(1, 7, 2) }}{{ range(5, 0, -2)|list }}{{ range(3)[1] }}{{ range(3)[1:] |list }}{{ 2 in range(3) }}
{{ people|map(attribute='name')|list }}{{ people|map(attribute='at.city')|list }}
{{ people|map(attribute='at.city', default='?')|list }}
{{ people|map(attribute='zip', default='?')|list }}{{ words|map('upper')|list }}{{ ['a b', 'c']|map('replace', ' ', '_')|list }}{{ [[1, 2]]|map('first')|list }}{{ nil|map('upper')|list }}
{{ list|select('odd')|list }}{{ list|reject('odd')|list }}{{ mixed|select|list }}{{ list|select('>', 1)|list }}{{ list|select('in', [1, 2])|list }}{{ mixed|select('string')|list }}{{ list|select('eq', 1)|first }}
{{ people|selectattr('at')|map(attribute='name')|list }}{{ people|rejectattr('at')|map(attribute='name')|list }}{{ people|selectattr('age', 'eq', 5)|list|length }}{{ people|selectattr('age', 'equalto', 3)|map(attribute='name')|first }}{{ people|selectattr('at.city', 'defined')|list|length }}
{{ people|selectattr('at', 'defined')|list|length }}{{ people|rejectattr('name', 'in', ['Bo', 'Cy'])|map(attribute='name')|list }}{{ nil|selectattr('x')|list }}
{{ list|batch(2)|list }}{{ list|batch(2, 'x')|list }}{{ list|slice(2)|list }}{{ list|slice(2, 'x')|list }}
{{ s|replace('l', 'L') }}{{ s|replace('l', 'L', 1) }}{{ s|replace('', '-') }}{{ 'aaa'|replace('aa', 'b') }}{{ 5|replace('5', 6) }}
{{ m|indent }}|{{ m|indent(2, true) }}|{{ m|indent(2, false, true) }}|{{ m|indent('> ', first=true) }}|{{ e|indent(2, true) }}|
{{ 5|indent }}
{{ '12'|int }}{{ ' 7 '|int }}{{ '1.9'|int }}{{ 'x'|int }}{{ 'x'|int(5) }}{{ 3.9|int }}{{ -3.9|int }}{{ 'ff'|int(base=16) }}{{ '0x1f'|int(0, 16) }}{{ true|int }}{{ nil|int }}{{ '1e3'|int }}{{ '1_0'|int }}
{{ '1.5'|float }}{{ 'x'|float }}{{ 'x'|float(2.0) }}{{ 2|float }}{{ ' 1e2 '|float }}{{ nil|float }}{{ 'inf'|float }}{{ 'nan'|float }}
{{ missing|int }}
{{ 2.5|round }}{{ 3.5|round }}{{ 2.675|round(2) }}{{ 1234.5|round(-2) }}{{ 2.1|round(method='ceil') }}{{ 2.9|round(0, 'floor') }}{{ 5|round }}{{ -2.5|round }}{{ 0.5|round }}
{{ -5|abs }}{{ n|abs }}{{ -2.5|abs }}{{ 5|string + 'x' }}{{ nil|string }}{{ list|string }}{{ s|wordcount }}{{ "it's a-b c_d"|wordcount }}
{{ '<a href="x">&\'</a>'|e }}{{ '<'|escape }}{{ '<b>'|safe }}{{ '<'|safe + '<' }}{{ '<' + '>'|e + '&' }}{{ '<'|e|upper }}{{ ('<'|safe) ~ '<' }}{% set x = '<'|safe %}{{ x }}
{{ 'Hello %s, %d%% %05.1f|%-5s|%5s' % ('you', 5, 2.25, 'a', 'b') }}{{ '%s' % 'x' }}{{ '%(a)s-%(b)r' % {'a': 1, 'b': 'q'} }}{{ '%s %s'|format('a', none) }}{{ '%x' % 255 }}{{ '%s' % [1] }}
{{ '%s %s' % 'x' }}
{{ '%d' % 'x' }}
{{ '{} {1} {a} {{}}'.format('x') }}
{{ '{} {} {a} {{}}'.format('x', 2, a=none) }}{{ '{1}{0}'.format('a', 'b') }}
{{ s|truncate(5) }}{{ s|truncate(5, true) }}{{ s|truncate(9, leeway=0) }}{{ s|truncate(8, true, '!', 0) }}{{ s|center(21) }}|{{ 'a'|center(4) }}|{{ 'ab'|center(5) }}|
{{ mixed|tojson }}{{ d|tojson }}{{ q|tojson }}{{ q|tojson(ensure_ascii=true) }}{{ f|tojson }}{{ h|tojson }}{{ g|tojson }}{{ 100.0|tojson }}{{ (1, 2)|tojson }}{{ {1: 2, none: 3, true: 4, 1.5: 5}|tojson }}{{ '\x7f</script>'|tojson }}
{{ d|tojson(indent=2) }}{{ mixed|tojson(indent=0) }}{{ d|tojson(indent='\t') }}{{ {}|tojson(indent=2) }}{{ []|tojson(indent=2) }}{{ d|tojson(separators=(',', ':')) }}{{ {'b': 1, 'a': 2}|tojson(sort_keys=true) }}{{ d|tojson(none, 1) }}{{ list|tojson(indent=1, separators=('; ', '=')) }}
{{ missing|tojson }}
{{ d.items()|tojson }}
{{ {(1, 2): 3}|tojson }}
{{ s.upper() }}{{ s.lower() }}{{ s.title() }}{{ s.capitalize() }}{{ s.swapcase() }}{{ 'ab1c-d e'.title() }}{{ 'ABC'.casefold() }}
{{ t.strip() }}|{{ t.lstrip() }}|{{ t.rstrip() }}|{{ 'xyaxy'.strip('xy') }}{{ 'xyaxy'.lstrip('xy') }}{{ 'xyaxy'.rstrip('xy') }}{{ '\u00a0\u2003a\u3000'.strip() }}|{{ '\u200ba'.strip() }}|
{{ t.split(',') }}{{ t.split() }}{{ 'a b  c '.split(None, 1) }}{{ ' a b  c '.rsplit(None, 1) }}{{ 'a,b,c'.split(',', 1) }}{{ 'a,b,c'.rsplit(',', 1) }}{{ ''.split(',') }}{{ ''.split() }}{{ 'a--b'.split('--')[-1] }}{{ 'a,b'.split(sep=',') }}{{ 'aaa'.rsplit('aa') }}
{{ 'a'.split('') }}
{{ m.splitlines() }}{{ m.splitlines(true) }}{{ 'a\x0bb\x1cc\u2028d\x85e'.splitlines() }}{{ ''.splitlines() }}{{ '\n'.splitlines() }}
{{ s.startswith('He') }}{{ s.endswith('ld') }}{{ s.startswith(('x', 'H')) }}{{ s.startswith('e', 1) }}{{ s.endswith('l', 0, 4) }}{{ s.startswith('') }}{{ s.removeprefix('Hel') }}{{ s.removesuffix('ld') }}{{ s.removeprefix('x') }}
{{ s.find('l') }}{{ s.rfind('l') }}{{ s.find('x') }}{{ s.find('l', 3) }}{{ s.index('o') }}{{ s.count('l') }}{{ 'aaa'.count('aa') }}{{ s.find('l', -3, -1) }}{{ s.find('') }}{{ 'aaa'.rfind('aa') }}
{{ s.index('x') }}
{{ s.replace('l', 'L') }}{{ s.replace('l', 'L', 1) }}{{ 'abc'.replace('', '-') }}{{ 'abc'.replace('', '-', 2) }}{{ ','.join(['a', 'b']) }}{{ ''.join('abc') }}
{{ ','.join([1]) }}
{{ 'a=b=c'.partition('=') }}{{ 'a=b=c'.rpartition('=') }}{{ 'a'.partition('=') }}{{ 'a'.rpartition('=') }}
{{ 'a'.center(4) }}|{{ 'ab'.center(5, '*') }}|{{ 'a'.ljust(3) }}|{{ 'a'.rjust(3, '0') }}{{ '-5'.zfill(4) }}{{ '5'.zfill(1) }}
{{ 'a1'.isalnum() }}{{ 'ab'.isalpha() }}{{ '12'.isdigit() }}{{ '²'.isdigit() }}{{ '²'.isdecimal() }}{{ '½'.isnumeric() }}{{ ' \n'.isspace() }}{{ 'AB'.isupper() }}{{ 'a1'.islower() }}{{ ''.isalpha() }}{{ 'Ab Cd'.istitle() }}{{ 'é'.isascii() }}
{{ d.get('b') }}{{ d.get('zz') }}{{ d.get('zz', 'x') }}{{ list.index(2) }}{{ list.count(1) }}{{ d.copy() == d }}{{ list.copy() }}{{ (1, 2).index(2) }}
{{ list.append(1) }}
{{ d.update({}) }}
{{ d.pop('b') }}
{{ s.foo }}| {{ list.foo }}| {{ s.__class__ is defined }}|
{{ s is string }}{{ i is string }}{{ d is mapping }}{{ list is mapping }}{{ list is sequence }}{{ s is sequence }}{{ d is sequence }}{{ i is sequence }}{{ missing is sequence }}{{ d.items() is sequence }}{{ list is iterable }}{{ i is iterable }}{{ nil is iterable }}{{ d.keys() is iterable }}
{{ i is number }}{{ f is number }}{{ yes is number }}{{ s is number }}{{ i is integer }}{{ yes is integer }}{{ f is float }}{{ yes is boolean }}{{ i is boolean }}{{ nil is none }}{{ i is none }}{{ yes is true }}{{ 1 is true }}{{ no is false }}
{{ s is defined }}{{ missing is defined }}{{ missing is undefined }}{{ d.x is defined }}{{ d.b is defined }}{{ nil is defined }}{{ s is not defined }}{{ s is not string }}{{ not s is string }}
{{ 3 is odd }}{{ 4 is even }}{{ 6 is divisibleby 3 }}{{ 6 is divisibleby(4) }}{{ 1 is in [1, 2] }}{{ 1 is not in [1] }}{{ 1 is eq 1 }}{{ 1 is lt 2 }}{{ 2 is greaterthan 1 }}{{ 1 is ne 1 }}{{ 'a' is lower }}{{ 'A' is upper }}{{ none is sameas none }}{{ 1 is sameas true }}{{ f is callable }}
{{ 1 is equalto 1 and 2 is gt 1 }}{{ 'x' if s is string else 'y' }}{{ s is string and i is integer or no }}
{{ raise_exception('stop ' ~ i) }}
{{ dict(a=1, b=2) }}{{ dict({'x': 1}, y=2) }}{{ dict([('k', 'v')]) }}{{ range(0) |list }}{{ range(-2)|list }}
{{ range(1000000) }}
{{ undefined_function() }}
{{ s|nofilter }}
{{ s is notest }}
{% if no %}{{ s|nofilter }}{% endif %}ok
{% unknown %}
{% if yes %}
{% endif %}
{{ 1 + }}
{{ (1 }}
{{ 'abc }}
{{ a b }}
{% for x in %}{% endfor %}
{% set 1 = 2 %}
{% set true = 2 %}
{% break %}
{# unclosed
{% raw %} unclosed
{{ 1 if }}
{{ s..a }}
{{ [1, 2 }}
{{ }}
{% else %}
{% macro f(a=1, b) %}{% endmacro %}
{{ f(a=1, 2) }}
{{ {'a' 1} }}
{{ 1 is is }}
{{ [x for x in list] }}
{{ lambda: 1 }}
{{ {} }}{{ {'a': {'b': [1, {'c': 2}]}}.a.b[1].c }}{{ [1, 2,] }}{{ {'a': 1,} }}{{ f(1,) if no }}
{{ ((1)) }}{{ -(-1) }}{{ +1 }}{{ - 1 }}{{ not not yes }}{{ -i|abs }}{{ (-i)|abs }}{{ 1 - -1 }}{{ 'a'|upper ~ 'b'|upper }}{{ 1 + 2|string|length }}{{ not 1 == 2 }}{{ 'a' 'b'|upper }}
{{ list|map('string')|join(', ') if list is iterable else '' }}{{ (list|map('string')|list)[0] }}{{ (people|map(attribute='name')|list)[-1][0] }}
{% set g = list|map('string') %}{{ g|list }}{{ g|list }}{{ g is iterable }}{{ g is sequence }}{{ g|first }}|
{{ (list|map('string'))|length }}
{{ (list|map('string'))[0] }}|
{{ s == 'Hello wörld' }}{{ messages is defined }}{{ tools is none }}{{ loop is defined }}{{ range is callable }}{{ namespace is defined }}
{% for m in people %}{% if loop.first and m.name != 'x' %}F{% endif %}{% if not loop.last and loop.nextitem.age == 3 %}N{% endif %}{{ '\n' if not loop.last else '.' }}{% endfor %}
{% for item in d|dictsort %}{{ item[0] }}:{{ item[1] }};{% endfor %}{% for key in d.keys()|list|sort %}{{ key }}{% endfor %}{% for x in list|reverse %}{{ x }}{{ loop.length }}{% endfor %}
{% for x in list %}{%- set outer = loop -%}{% for y in 'ab' %}{{ outer.index }}{{ loop.index }}{{ y }} {% endfor %}{% endfor %}
{% macro a() %}{% for x in list %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}{% endmacro %}{{ a() }}|{% for x in list %}{% set y %}{% if x == 1 %}{% continue %}{% endif %}v{{ x }}{% endset %}{{ y }}{% endfor %}
{% set x = namespace(found=false) %}{% for m in people if not x.found %}{% if m.age == 3 %}{% set x.found = true %}{% endif %}{{ m.name }}{% endfor %}
{% set x = 'a' %}{% macro f() %}{% set x = 'b' %}{{ x }}{% endmacro %}{{ f() }}{{ x }}{% with x = 'c' %}{{ f() }}{{ x }}{% endwith %}
{%- for line in m.split('\n') -%}[{{ line }}]{%- endfor -%}
{{ "a" -}}   b   {{- "c" }}\n{%- if yes -%}\n  d  \n{%- endif -%}\n e
{{ '%.2f' % f }}{{ '%.0f' % 2.5 }}{{ '%e' % 12345.678 }}{{ '%g' % 0.0001 }}{{ '%5d|' % 42 }}{{ '%-5d|' % 42 }}{{ '%i' % 3.7 }}{{ '%r' % 'a' }}{{ '%s' % none }}
""".strip("\n").split("\n")


def reference(template, variables=VARIABLES):
    try:
        return {"text": _compile_jinja_template(template).render(**copy.deepcopy(variables))}
    except Exception as error:  # noqa: BLE001: jinja2 and Python raise many types
        return {"error": f"{type(error).__name__}: {error}"}


class Expressions:
    """Expressions drawn at random."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *options):
        return self.random.choice(options)

    def expression(self, depth=0):
        if depth > 3 or self.random.random() < 0.25:
            return self.pick(*VARIABLES, "missing", "'a b'", "'A'", "''", "0", "1", "2", "-1", "1.5", "'l'", "[1, 2]", "{'a': 1}", "(1, 'b')", "none", "true", "'1'", "','", "'\\n'")
        a, b, c = (self.expression(depth + 1) for _ in range(3))
        operator = self.pick("+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or", "+", "~")
        name = self.pick(
            "upper", "lower", "title", "capitalize", "trim", "length", "default('x')", "default('x', true)", "join", "join(',')", "first", "last",
            "sort", "unique|list", "reverse|list", "list", "string", "int", "float", "abs", "tojson", "tojson(indent=1)", "sum", "min", "max", "replace('a', 'b')",
            "indent(2)", "dictsort", "items|list", "round", "wordcount", "map('upper')|list", "select|list", "reject('none')|list", "e", "safe", "batch(2)|list",
            "map('string')|list", "select('defined')|list", "truncate(3)", "center(9)", "selectattr('name')|list", "map(attribute='name')|list", "count")
        method = self.pick(
            "upper()", "strip()", "split()", "split(',')", "split('l', 1)", "splitlines()", "startswith('a')", "endswith('d')", "replace('l', '')", "find('l')", "items()",
            "keys()|list", "values()|list", "get('b')", "get('x', 1)", "name", "b", "c.x", "title()", "rstrip()", "lstrip('He')", "count('l')", "isdigit()", "join(words)", "items", "0", "rsplit('l', 1)", "partition(',')", "capitalize()", "zfill(9)")
        test = self.pick(
            "string", "defined", "none", "mapping", "sequence", "iterable", "number", "integer", "float", "boolean", "true", "odd", "lower", "upper", "in list", "eq 1", "not defined", "not none", "callable", "undefined", "divisibleby 2", "sameas none")
        return self.pick(
            f"{a} {operator} {b}", f"({a} {operator} {b})", f"{a}|{name}", f"({a})|{name}", f"({a}).{method}", f"({a})[{b}]", f"({a})[z + {self.pick('0', '1', '-2')}:{self.pick('', '2', '-1')}]",
            f"({a}) is {test}", f"not {a}", f"-({a})", f"({a} if {b} else {c})", f"[{a}, {b}]", f"{{'k': {a}, 'b': {b}}}", f"({a}, {b})", f"({a}).{method}", f"({a})|{name}|{name}", f"({a} {operator} {b} {operator} {c})")


def check(program, count, seed):
    drawn = Expressions(seed)
    cases = [case.replace("\\n", "\n") if "{{ '" not in case else case for case in CASES] + CASES
    cases += ["{{ " + drawn.expression() + " }}" for _ in range(count)]
    cases += ["{% for x in " + drawn.expression() + " %}{{ x }};{% else %}E{% endfor %}" for _ in range(count // 10)]
    lines = "".join(json.dumps({"template": case, "variables": VARIABLES}) + "\n" for case in cases)
    output = subprocess.run([program], input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout.splitlines()
    counts = {"texts": 0, "errors": 0, "left out": 0, "differences": 0}
    for case, line in zip(cases, output, strict=True):
        expected, found = reference(case), json.loads(line)
        if "error" in found and "error" in expected:
            counts["errors"] += 1
        elif expected.get("text") == found.get("text"):
            counts["texts"] += 1
        elif " at 0x" in expected.get("text", "") or "not supported" in found.get("error", "") or "Markup" in expected.get("text", ""):
            counts["left out"] += 1  # an address of Python, an integer of more than 64 bits, or Markup in a list
        else:
            counts["differences"] += 1
            print(repr(case), "\n  reference:", expected, "\n  found:    ", found)
    print(counts)
    return counts["differences"] > 0


def main():
    if sys.argv[1:2] == ["--check"]:
        return check(sys.argv[2], int((sys.argv[3:] or ["0"])[0]), int((sys.argv[4:] or ["1"])[0]))
    print(json.dumps({"variables": VARIABLES}, ensure_ascii=False))
    for case in CASES:
        template = case.replace("\\n", "\n")
        result = reference(template)
        print(json.dumps({"template": template, **({"error": True} if "error" in result else result)}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
