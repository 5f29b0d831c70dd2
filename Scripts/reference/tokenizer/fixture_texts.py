"""The texts from which make_fixture.py and make_sentencepiece_fixture.py make the fixtures of the tokenizer tests."""

TEXT = """
It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was the
epoch of belief, it was the epoch of incredulity, it was the season of light, it was the season of darkness, it was the
spring of hope, it was the winter of despair, we had everything before us, we had nothing before us. Once upon a time
there was a language model that learned from text. It's true; they're sure we've seen that I'm here, he'll say, she'd go.
Im Anfang war das Wort, und die Straße war lang. Die Würde des Menschen ist unantastbar. Où est le garçon français ?
Мы все учились понемногу чему-нибудь и как-нибудь. Все счастливые семьи похожи друг на друга. 東京は日本の首都です。
In 1990, 1991, 1992 and 2024 there were 365 or 366 days, 12 months, 1000 things, 10 000 more.
def main(arguments):
    for argument in arguments:
        print(argument, "is", len(argument), "long")
        if argument == "--help": return 0
"""
GOLDEN = """It was the best of times
 it was the worst of times
it's, they're, we've, I'm, he'll, she'd; IT'S THEY'RE 'x' 'Tis rock'n'roll ''s
a  b   c    d
tail   
   head
tab\tand\t\ttabs \t mixed  \t
carriage\rreturn\r\rtwice
x\u00a0y\u00a0\u00a0z\u2003\u2003w
1990 12345 3.14 1a2b ½² ٣٤٥ Ⅳ 𝟘𝟙
Straße Würde français Où ÉCOLE
Мы все учились понемногу
東京は日本の首都です。
👍👍🏽 family 👨‍👩‍👧‍👦 flags 🇩🇪🇫🇷
e\u0301 combining a\u0300\u0301
zero\u0000one\u0001two\u007f
<|endoftext|>
before<|endoftext|>after <|endoftext|> <|endoftext|><|endoftext|>
<|endoftext|
def main(arguments):
    for argument in arguments:
if argument == "--help": return 0
!!! ??? ... !? -- == != #hash @at a_b __init__
https://example.org/?q=1&r=2#3
nothing everything foolishness incredulity belief despair
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
the the  the   the
\u0300
'
's
 's
\u3000
 \u3000 a
مرحبا بالعالم שלום עולם
नमस्ते दुनिया สวัสดีชาวโลก
한국어 조선말
Ünïcödé ǅ ﬁ Å
\ufeffmark \u200bzero \u2060 \u00ad
\U0001f600\U0010ffff\ue000\U00011de0\U00016ff4
""".split("\n") + [
    "IT'S they'Re we'LL 'ſo (it) \tthe\u2028the 1234567 !?\r\n\n the\n \r\n  the  ",
    "e\u0301 a\u0308\u0323 o\u0323\u0308 \u1100\u1161\u11a8 \u2126 \u0958 \uf900 \u212b\u0301 the\u0301",
]
