"""Writes Sources/Tokenizer/Pattern/UnicodeProperties.swift: make_unicode_properties.py > UnicodeProperties.swift

The properties are those of the regular expressions of `tokenizers` (Oniguruma), determined by running them on every
Unicode scalar. The derived properties, which UnicodeSet+Properties.swift composes of these tables, are checked here.
"""
import sys
import unicodedata

import tokenizers
from tokenizers import Regex
from tokenizers.pre_tokenizers import Split

UNICODE = "16.0"  # Oniguruma 6.9.10, by the numbers of assigned scalars and of letters
SCALARS = [*range(0xD800), *range(0xE000, 0x110000)]
TEXT = "".join(map(chr, SCALARS))
CATEGORIES = ("Cn Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co").split()
SCRIPTS = """
Zzzz=Unknown Zyyy=Common Zinh=Inherited Latn=Latin Grek=Greek Cyrl=Cyrillic Hani=Han Hira=Hiragana Kana=Katakana
Hang=Hangul Arab=Arabic Hebr=Hebrew Adlm=Adlam Aghb=Caucasian_Albanian Ahom Armi=Imperial_Aramaic Armn=Armenian
Avst=Avestan Bali=Balinese Bamu=Bamum Bass=Bassa_Vah Batk=Batak Beng=Bengali Bhks=Bhaiksuki Bopo=Bopomofo Brah=Brahmi
Brai=Braille Bugi=Buginese Buhd=Buhid Cakm=Chakma Cans=Canadian_Aboriginal Cari=Carian Cham Cher=Cherokee
Chrs=Chorasmian Copt=Coptic Cpmn=Cypro_Minoan Cprt=Cypriot Deva=Devanagari Diak=Dives_Akuru Dogr=Dogra Dsrt=Deseret
Dupl=Duployan Egyp=Egyptian_Hieroglyphs Elba=Elbasan Elym=Elymaic Ethi=Ethiopic Gara=Garay Geor=Georgian
Glag=Glagolitic Gong=Gunjala_Gondi Gonm=Masaram_Gondi Goth=Gothic Gran=Grantha Gujr=Gujarati Gukh=Gurung_Khema
Guru=Gurmukhi Hano=Hanunoo Hatr=Hatran Hluw=Anatolian_Hieroglyphs Hmng=Pahawh_Hmong Hmnp=Nyiakeng_Puachue_Hmong
Hung=Old_Hungarian Ital=Old_Italic Java=Javanese Kali=Kayah_Li Kawi Khar=Kharoshthi Khmr=Khmer Khoj=Khojki
Kits=Khitan_Small_Script Knda=Kannada Krai=Kirat_Rai Kthi=Kaithi Lana=Tai_Tham Laoo=Lao Lepc=Lepcha Limb=Limbu
Lina=Linear_A Linb=Linear_B Lisu Lyci=Lycian Lydi=Lydian Mahj=Mahajani Maka=Makasar Mand=Mandaic Mani=Manichaean
Marc=Marchen Medf=Medefaidrin Mend=Mende_Kikakui Merc=Meroitic_Cursive Mero=Meroitic_Hieroglyphs Mlym=Malayalam Modi
Mong=Mongolian Mroo=Mro Mtei=Meetei_Mayek Mult=Multani Mymr=Myanmar Nagm=Nag_Mundari Nand=Nandinagari
Narb=Old_North_Arabian Nbat=Nabataean Newa Nkoo=Nko Nshu=Nushu Ogam=Ogham Olck=Ol_Chiki Onao=Ol_Onal Orkh=Old_Turkic
Orya=Oriya Osge=Osage Osma=Osmanya Ougr=Old_Uyghur Palm=Palmyrene Pauc=Pau_Cin_Hau Perm=Old_Permic Phag=Phags_Pa
Phli=Inscriptional_Pahlavi Phlp=Psalter_Pahlavi Phnx=Phoenician Plrd=Miao Prti=Inscriptional_Parthian Rjng=Rejang
Rohg=Hanifi_Rohingya Runr=Runic Samr=Samaritan Sarb=Old_South_Arabian Saur=Saurashtra Sgnw=SignWriting Shaw=Shavian
Shrd=Sharada Sidd=Siddham Sind=Khudawadi Sinh=Sinhala Sogd=Sogdian Sogo=Old_Sogdian Sora=Sora_Sompeng Soyo=Soyombo
Sund=Sundanese Sunu=Sunuwar Sylo=Syloti_Nagri Syrc=Syriac Tagb=Tagbanwa Takr=Takri Tale=Tai_Le Talu=New_Tai_Lue
Taml=Tamil Tang=Tangut Tavt=Tai_Viet Telu=Telugu Tfng=Tifinagh Tglg=Tagalog Thaa=Thaana Thai Tibt=Tibetan
Tirh=Tirhuta Tnsa=Tangsa Todr=Todhri Toto Tutg=Tulu_Tigalari Ugar=Ugaritic Vaii=Vai Vith=Vithkuqi Wara=Warang_Citi
Wcho=Wancho Xpeo=Old_Persian Xsux=Cuneiform Yezi=Yezidi Yiii=Yi Zanb=Zanabazar_Square
""".split()
# Stored as their difference from a union of categories.
DIFFERENCES = {"Alphabetic": "Lu Ll Lt Lm Lo Nl", "Lowercase": "Ll", "Uppercase": "Lu"}
OTHERS = ("White_Space Emoji Emoji_Presentation Emoji_Modifier Emoji_Modifier_Base Emoji_Component "
          "Extended_Pictographic Ideographic Unified_Ideograph Diacritic Variation_Selector Regional_Indicator "
          "Join_Control Dash").split()


def members(pattern):
    """Returns the set of the scalars that match the pattern."""
    others = Split(Regex(f"(?:{pattern})+"), "removed").pre_tokenize_str(TEXT)
    result = set(SCALARS)
    for _, (start, end) in others:
        result.difference_update(SCALARS[start:end])
    return result


def ranges(scalars):
    result = []
    for scalar in sorted(scalars):
        if result and result[-1][1] == scalar - 1:
            result[-1][1] = scalar
        else:
            result.append([scalar, scalar])
    return result


def partition(sets):
    """Returns the runs of a partition as words: the first scalar, shifted by 8, and the number of the set."""
    number_of = [0] * 0x110000
    for number, scalars in enumerate(sets):
        for scalar in scalars:
            number_of[scalar] = number
    words = []
    for scalar in range(0x110000):
        if not words or words[-1] & 0xFF != number_of[scalar]:
            words.append(scalar << 8 | number_of[scalar])
    return words


def rows(values, form, per_line):
    for start in range(0, len(values), per_line):
        print("    " + ", ".join(form(value) for value in values[start:start + per_line]) + ",")


def hexadecimal(value):
    return f"0x{value:X}"


def array(comment, name, values, per_line=14, form=hexadecimal, type_name="UInt32"):
    print(f"\n  /// {comment}\n  static let {name}: [{type_name}] = [")
    rows(values, form, per_line)
    print("  ]")


def case_variants():
    """Returns the sets of scalars that match each other if case is ignored."""
    candidates = sorted({other for scalar in SCALARS for form in (str.lower, str.upper, str.title, str.casefold)
                         if len(mapped := form(chr(scalar))) == 1 and mapped != chr(scalar)
                         for other in (scalar, ord(mapped))} | set(range(0x1C80, 0x1C8B)) | set(range(0xA7C0, 0xA800))
                        | set(range(0x10D50, 0x10D86)) | set(range(0x10570, 0x105C0)) | {0x19B, 0x264, 0x1C89, 0x1C8A})
    text = "".join(map(chr, candidates))
    found = {}
    for scalar in candidates:
        pattern = Regex(f"(?i:[\\x{{{scalar:X}}}])")
        others = set(candidates)
        for _, (start, end) in Split(pattern, "removed").pre_tokenize_str(text):
            others.difference_update(candidates[start:end])
        if len(others) > 1:
            found[scalar] = tuple(sorted(others))
    classes = sorted(set(found.values()))
    assert sum(map(len, classes)) == len(found), "not an equivalence relation"
    return classes


def long_foldings():
    """Returns the scalars that match several scalars if case is ignored, with these."""
    result = {}
    for scalar in SCALARS:
        folded = chr(scalar).casefold()
        if len(folded) > 1:
            pieces = Split(Regex(f"(?i:{folded})"), "removed").pre_tokenize_str(chr(scalar))
            assert not pieces, hex(scalar)
            result[scalar] = folded
    return result


categories = {name: members(rf"\p{{{name}}}") for name in CATEGORIES}
assert sum(map(len, categories.values())) == len(SCALARS)
scripts = [(name.split("=")[0], name.split("=")[-1]) for name in SCRIPTS]
script_sets = [members(rf"\p{{{name}}}") for _, name in scripts]
assert sum(map(len, script_sets)) == len(SCALARS), sum(map(len, script_sets))
for (short, name), scalars in zip(scripts[:12], script_sets):
    assert members(rf"\p{{{short}}}") == scalars


def union(names):
    return set().union(*(categories[name] for name in CATEGORIES if name in names.split() or name[0] in names.split()))


binary = {name: members(rf"\p{{{name}}}") for name in [*DIFFERENCES, *OTHERS]}
space = binary["White_Space"]
graph = set(SCALARS) - space - union("Cc Cn")
word = binary["Alphabetic"] | union("M Nd Pc")
# Outside of brackets Oniguruma has another table for the scalars below U+0100.
bare_word = word | {0xB2, 0xB3, 0xB9, 0xBC, 0xBD, 0xBE}
derived = {
    "Alnum": binary["Alphabetic"] | union("Nd"), "Alpha": binary["Alphabetic"], "Blank": union("Zs") | {9},
    "Cntrl": union("Cc"), "Digit": union("Nd"), "Graph": graph, "Lower": binary["Lowercase"],
    "Print": graph | union("Zs"), "Space": space, "Upper": binary["Uppercase"],
    "XDigit": set(map(ord, "0123456789abcdefABCDEF")), "ASCII": set(range(128)),
}
patterns = {rf"\p{{{name}}}": scalars for name, scalars in derived.items()}
patterns.update({rf"[[:{name.lower()}:]]": scalars for name, scalars in derived.items()})
patterns.update({r"\p{Punct}": union("P"), "[[:punct:]]": union("P S"), r"[\w]": word, r"\w": bare_word,
                 r"\p{Word}": bare_word, "[[:word:]]": word, r"\s": space, r"\d": union("Nd"),
                 r"\h": derived["XDigit"]})
for pattern, scalars in patterns.items():
    assert members(pattern) == scalars, pattern

print(f"""\
// Generated by Scripts/reference/tokenizer/make_unicode_properties.py from tokenizers {tokenizers.__version__}. Do not edit.
// swift-format-ignore-file

/// The properties of Unicode {UNICODE} that patterns may name, as Oniguruma, the engine of `tokenizers`, defines them.
enum UnicodeProperties {{
  /// The short names of the general categories, by their numbers in `categoryRuns`. There is no Cs: a text has no
  /// surrogates.
  static let categories: [StaticString] = [""")
rows(CATEGORIES, lambda name: f'"{name}"', 15)
print("""  ]

  /// The short and the long names of the scripts, by their numbers in `scriptRuns`.
  static let scripts: [(StaticString, StaticString)] = [""")
rows(scripts, lambda pair: f'("{pair[0]}", "{pair[1]}")', 4)
print("  ]")
array("Where the general category changes: the scalar, shifted by 8, and the number of the category from there on.",
      "categoryRuns", partition([categories[name] for name in CATEGORIES]), 12)
array("Where the script changes: the scalar, shifted by 8, and the number of the script from there on.",
      "scriptRuns", partition(script_sets), 12)
for name, base in DIFFERENCES.items():
    difference = ranges(binary[name] ^ union(base))
    array(f"The first and last scalars of the ranges in which {name} differs from {' | '.join(base.split())}.",
          name[0].lower() + name[1:] + "Differences", [end for pair in difference for end in pair])
print("\n  /// The first and last scalars of the ranges of other properties.\n"
      "  static let others: [(name: StaticString, ranges: [UInt32])] = [")
for name in OTHERS:
    values = [end for pair in ranges(binary[name]) for end in pair]
    print(f'    ("{name}", [')
    for start in range(0, len(values), 14):
        print("      " + ", ".join(map(hexadecimal, values[start:start + 14])) + ",")
    print("    ]),")
print("  ]")
array("Sets of scalars that match each other if case is ignored; the last one of a set has bit 31.", "caseVariants",
      [scalar | (index == len(variants) - 1) << 31 for variants in case_variants() for index, scalar in enumerate(variants)],
      13)
foldings = long_foldings()
array("Scalars whose full case folding has several scalars, such as ß.", "longFoldingScalars",
      sorted(foldings))
sequences = sorted(set(foldings.values()))
array("These foldings, such as ss; the last scalar of each has bit 31.", "longFoldings",
      [ord(character) | (index == len(text) - 1) << 31 for text in sequences for index, character in enumerate(text)], 13)
print("}")
